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
    seen = f"Different totals in {run.tries} random orders of {run.n:,} numbers: {run.distinct}."
    return compared(answer, run.distinct == 1, seen)


def real() -> str:
    """Describe what a real GPU gives: live, if there is one, and as recorded."""
    lines = ["live: skipped in the small size"] if fast() else _live()
    names = recorded_names("GpuRecording")
    for name in names:
        recording = load_recorded(name)
        lines += [recording.label, *(f"  {run}" for run in recording.sums.runs)]
    if not names:
        lines.append("recorded: none came with this version of fpdrift")
    return "\n".join(lines)


def _live() -> list[str]:
    """Look for a GPU with each library, which may have to be loaded first."""
    live = gpu_sums("live", sizes=_REAL, tries=TRIES)
    runs = [f"  {run}" for run in live.runs]
    return [live.label, *(runs or [f"  {name}: {why}" for name, why in live.skipped.items()])]


@exercise
def check_1(answer: Any, result: GpuSums) -> Feedback:
    """Check how many results the one-pass sum gave."""
    run = _most(result, "one-pass")
    if whole(answer) == run.distinct:
        return right(f"Different results in {run.tries} random orders: {run.distinct}.")
    if answer == run.tries:
        return hint("That is the number of tries. How many results were distinct?")
    return hint('The last run in result.of("one-pass") has the most numbers; use its .distinct.')


@exercise
def check_2(answer: Any, result: GpuSums) -> Feedback:
    """Check how many results the two-pass sum gave."""
    if whole(answer) == _most(result, "two-pass", deterministic=True).distinct:
        return right("The order of the second pass does not depend on which block finished first.")
    return hint("It adds in a fixed order. Look at the .distinct of its run.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check how many blocks a sum takes."""
    given, each = whole(answer), GpuKernel().inputs_per_block
    blocks = math.ceil(_BLOCKS_FOR / each)
    if given == blocks:
        return right(
            f"Each block sums up to {each:,} numbers; the order in which these sums arrive varies."
        )
    if given == _BLOCKS_FOR // each:
        return hint("Some numbers are then left over. They need a block too.")
    return hint("Multiply threads per block by numbers per thread; then divide and round up.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check V_s of two totals."""
    total, reference = _TOTALS
    given, wanted = number(answer), 1 - abs(total / reference)
    if math.isclose(given, wanted, rel_tol=1e-6):
        return right(
            "The sign shows the direction; the size is the distance relative to the total."
        )
    if math.isclose(-given, wanted, rel_tol=1e-6):
        return hint("Check the sign: it is 1 minus the ratio, and the ratio is more than 1 here.")
    return hint("1 - abs(first / second).")


check_quiz = Quiz(
    Question(
        right="d",
        a="A sum does not use random numbers.",
        b="Heat slows a GPU down; if it flipped a bit, that would rarely be the last one.",
        c="A single addition rounds as IEEE 754 specifies, on a GPU as on a CPU.",
        d="The additions are the same; their order is not.",
    ),
    Question(
        right="b",
        a="Both passes run on the GPU; only the order of the second is fixed.",
        b="Each block stores its sum in its own place in memory, so timing does not matter.",
        c="It uses the same number of bits; they are just the same each time.",
        d="It waits for the blocks of the first pass, which may cost a little.",
    ),
    Question(
        right="a",
        a="Real blocks do not finish in all orders equally often; some orders never occur.",
        b="It does show that: the additions are those that a GPU would do.",
        c="It does show that: the two-pass sum is simulated too.",
        d="It does show that, for the simulated orders.",
    ),
    Question(
        right="c",
        a="The hardware rounds the same way each time; only the order is not guaranteed.",
        b="A seed fixes random numbers; it does not fix the order of the blocks.",
        c="Frameworks offer such a mode, and its cost can be measured.",
        d="Thousands of threads can add in a fixed order, in a tree instead of a queue.",
    ),
)
