"""Lesson 06: what its cells say and how its exercises are checked."""

from __future__ import annotations

import math
from typing import Any

from fpdrift.lessons.grading import (
    Feedback,
    Question,
    Quiz,
    compared,
    exercise,
    hint,
    number,
    right,
    whole,
)
from fpdrift.lessons.runtime import fast, size
from fpdrift.recorded import load_recorded, recorded_names
from fpdrift.reduction import GpuKernel, GpuRun, GpuSums, gpu_sums

SIZES = (size(10_000, 2000), size(100_000, 10_000), size(1_000_000, 50_000))
TRIES = size(100, 20)
_REAL = (100_000,)
_BLOCKS_FOR = 100_000
_TOTALS = 1000000.25, 1000000.0


def _most(result: GpuSums, operation: str, *, deterministic: bool = False) -> GpuRun:
    return result.of(operation, deterministic=deterministic)[-1]


def check_prediction(answer: Any, result: GpuSums) -> Feedback:
    """Compare the prediction with the largest one-pass sum."""
    run = _most(result, "one-pass")
    seen = f"Different totals in {run.tries} drawn orders of {run.n:,} numbers: {run.distinct}."
    return compared(answer, run.distinct == 1, seen)


def real() -> str:
    """Describe what a real GPU gives: live, where there is one, and as recorded."""
    lines = ["live: not asked for in the small size"] if fast() else _live()
    names = recorded_names("GpuRecording")
    for name in names:
        recording = load_recorded(name)
        lines += [recording.label, *(f"  {run}" for run in recording.sums.runs)]
    if not names:
        lines.append("recorded: none came with this version of fpdrift")
    return "\n".join(lines)


def _live() -> list[str]:
    """Ask each library for a GPU; it may have to be loaded for that."""
    live = gpu_sums("live", sizes=_REAL, tries=TRIES)
    runs = [f"  {run}" for run in live.runs]
    return [live.label, *(runs or [f"  {name}: {why}" for name, why in live.skipped.items()])]


@exercise
def check_1(answer: Any, result: GpuSums) -> Feedback:
    """Check how many results the one-pass sum gave."""
    run = _most(result, "one-pass")
    if whole(answer) == run.distinct:
        return right(f"Different results in {run.tries} drawn orders: {run.distinct}.")
    if answer == run.tries:
        return hint("So many tries there were. How many results were distinct?")
    return hint('The last run in result.of("one-pass") has the most numbers; take its .distinct.')


@exercise
def check_2(answer: Any, result: GpuSums) -> Feedback:
    """Check how many results the two-pass sum gave."""
    if whole(answer) == _most(result, "two-pass", deterministic=True).distinct:
        return right("The second pass adds in an order that does not ask who was first.")
    return hint("It adds in a fixed order. Ask its run for .distinct.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check how many blocks a sum takes."""
    given, each = whole(answer), GpuKernel().inputs_per_block
    blocks = math.ceil(_BLOCKS_FOR / each)
    if given == blocks:
        return right(f"Each block adds up to {each:,} numbers, so many sums arrive in some order.")
    if given == _BLOCKS_FOR // each:
        return hint("Then some numbers are left over. They need a block as well.")
    return hint("Threads in a block times numbers in a thread; then divide, and round up.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check V_s of two totals."""
    total, reference = _TOTALS
    given, wanted = number(answer), 1 - abs(total / reference)
    if math.isclose(given, wanted, rel_tol=1e-6):
        return right("The sign says on which side; the size, how far relative to the total.")
    if math.isclose(-given, wanted, rel_tol=1e-6):
        return hint("The sign: 1 minus the ratio, and the ratio is more than 1 here.")
    return hint("1 - abs(first / second).")


check_quiz = Quiz(
    Question(
        right="d",
        a="No random number takes part in a sum.",
        b="Heat slows a GPU down; a bit that it flipped would rarely be a last one.",
        c="A single addition rounds as IEEE 754 says, on a GPU as on a CPU.",
        d="The additions are the same, their order is not.",
    ),
    Question(
        right="b",
        a="Both passes run on the GPU; only the order of the second is fixed.",
        b="A place in memory for each block's sum takes the timing out of it.",
        c="It has the same bits; they are only the same each time.",
        d="It waits for the blocks of the first pass, which may cost a little.",
    ),
    Question(
        right="a",
        a="Real blocks finish in orders that are not drawn evenly; some never come.",
        b="It does: the additions are the ones a GPU would make.",
        c="It does: the two-pass sum is done as well.",
        d="It does, for the orders drawn.",
    ),
    Question(
        right="c",
        a="The hardware rounds alike each time; it is the order that is not promised.",
        b="A seed draws numbers; it does not order the blocks.",
        c="Frameworks offer such a mode, and what it costs can be measured.",
        d="Thousands of threads can add in a fixed order: they need a tree, not a queue.",
    ),
)
