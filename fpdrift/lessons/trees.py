"""Lesson 05: what its cells say and how its exercises are checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fpdrift.lessons.grading import (
    Feedback,
    Question,
    Quiz,
    compared,
    exercise,
    hint,
    numbers,
    right,
    whole,
    yes_no,
)
from fpdrift.lessons.runtime import machine
from fpdrift.recorded import load_recorded
from fpdrift.reduction import ConditionMatrix, Revealed, batch_classes, plans, reveal, same_order
from fpdrift.reduction.algorithms import recursive_sum as loop
from fpdrift.reduction.batch import BatchClasses, BatchRun

__all__ = ["batches", "check_prediction", "check_quiz", "conditions", "loop"]

_N = 16
_BATCHES = (1, 2, 8, 64)


def check_prediction(answer: Any, found: Revealed) -> Feedback:
    """Compare the prediction with the tree."""
    alike = found.plan == plans.sequential(_N)
    return compared(answer, alike, f"The tree is {found.plan}.")


def batches() -> str:
    """Describe how one row times a matrix differs between batch sizes, with NumPy."""
    result = batch_classes(("matmul",), batches=_BATCHES, libraries=("numpy",))
    if not result.runs:
        return f"Skipped: {result.reports[0].reason}"
    run = result.runs[0]
    if len(run.sizes) > 1:
        return _batches(run)
    recorded: BatchClasses = load_recorded("batch")
    (other,) = (r for r in recorded.runs if (r.library, r.operation) == (run.library, "matmul"))
    return (
        f"Batches of {_bracketed(run.sizes)}: the same bits in all of them on this machine. "
        f"Recorded on {machine(recorded)}: {_batches(other)}"
    )


def _batches(run: BatchRun) -> str:
    return f"Batches of {_bracketed(run.sizes)}: up to {run.equality.most_ulps} ulps apart."


def _bracketed(classes: Iterable[Iterable[int]]) -> str:
    return " ".join(f"({' '.join(map(str, sizes))})" for sizes in classes)


def conditions() -> str:
    """Describe which recorded instruction sets and thread counts changed the bits of one row."""
    matrix: ConditionMatrix = load_recorded("conditions")
    lines = [f"Recorded on {machine(matrix)}. One row, NumPy:"]
    for run in matrix.runs:
        lines.append(f"{run.operation}, at most {run.equality.most_ulps} ulps apart:")
        lines += [f"  ({', '.join(group)})" for group in run.equality.groups]
    return "\n".join(lines)


@exercise
def check_1(answer: Any) -> Feedback:
    """Check the depth of a pairwise sum."""
    given, depth = whole(answer), plans.pairwise(_N).depth
    if given == depth:
        return right("Doubling the count adds only one addition to the longest path.")
    if given == plans.sequential(_N).depth:
        return hint(
            "That is the depth of the plain loop. Pairwise addition halves the count in each round."
        )
    if given == plans.pairwise(_N).nodes + 1:
        return hint("That is the count of numbers. How often can you halve it?")
    return hint("Look at plans.pairwise(16).depth.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Reveal a student's function and compare its tree with the wanted one."""
    if not callable(answer):
        return hint("Pass the function itself: its name, without parentheses.")
    try:
        found = reveal(answer, 4, name="yours")
    except Exception as error:  # noqa: BLE001 - a student's function may raise anything
        return hint(f"Its tree could not be revealed: {str(error)[:200]}")
    if found.plan == plans.strided(4, 2) and found.confirmed:
        return right(f"Its tree is {found.plan}.")
    tree = f"its tree is {found.plan}" if found.plan is not None else found.evidence.why
    return hint(
        f"The verdict is {found.verdict}: {tree}. The wanted tree is {plans.strided(4, 2)}."
    )


@exercise
def check_3(answer: Any) -> Feedback:
    """Check three float32 numbers whose two orders differ."""
    with np.errstate(all="ignore"):
        a, b, c = np.array(numbers(answer, 3), np.float32)
        one, other = (a + b) + c, a + (b + c)
    if not np.isfinite([one, other]).all():
        return hint("Give numbers that are finite in float32 and have finite sums.")
    if one != other:
        return right(f"(a + b) + c is {one!s}, a + (b + c) is {other!s}.")
    return hint(
        f"Both are {one!s}. In one order, the two large numbers have to cancel before the small "
        "one is added; in the other order they must not."
    )


@exercise
def check_4(answer: Any) -> Feedback:
    """Check whether NumPy adds backwards in the same order."""
    seen = same_order(np.sum, lambda x: np.sum(x[::-1]), _N)
    if yes_no(answer) == seen.same:
        return right(seen.why)
    return hint("That is not what same_order reports. Use its .same.")


check_quiz = Quiz(
    Question(
        right="a",
        a="Several sums can run side by side; in a single sum each addition waits for the last.",
        b="Nothing is random: the same shape gives the same tree.",
        c="The order of reading is a different matter; the tree shows which sums are joined.",
        d="It is open source, although few people read the code that determines the order.",
    ),
    Question(
        right="c",
        a="reveal does not read documentation; it probes the function as a black box.",
        b="A tree rounds at each join. An exact sum has no visible tree.",
        c="The claim could have failed on each of those inputs.",
        d="It was tested here. Another machine or version may have another tree.",
    ),
    Question(
        right="b",
        a="In that case the difference would be as large as those rows, not a few last bits.",
        b="The shape determines the blocks, and each block is a partial sum.",
        c="A matrix product does not shuffle; each row keeps its position.",
        d="Copying does not change any bits.",
    ),
    Question(
        right="d",
        a="The program is the same, but its library may choose another code path at start-up.",
        b="Libraries check which instructions a processor supports before they use them.",
        c="Another tree is not better or worse in general; it rounds at other places.",
        d="More accumulators side by side mean a different tree.",
    ),
)
