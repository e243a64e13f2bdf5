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
    """Multiply one row by a matrix in batches of several sizes, with NumPy; say what differs."""
    result = batch_classes(("matmul",), batches=_BATCHES, libraries=("numpy",))
    if not result.runs:
        return f"Not tried here: {result.reports[0].reason}"
    run = result.runs[0]
    if len(run.sizes) > 1:
        return _batches(run)
    recorded: BatchClasses = load_recorded("batch")
    (other,) = (r for r in recorded.runs if (r.library, r.operation) == (run.library, "matmul"))
    return (
        f"Batches of {_bracketed(run.sizes)}: the same bits in all of them, here. "
        f"Recorded on {machine(recorded)}: {_batches(other)}"
    )


def _batches(run: BatchRun) -> str:
    return f"Batches of {_bracketed(run.sizes)}: up to {run.equality.most_ulps} ulps apart."


def _bracketed(classes: Iterable[Iterable[int]]) -> str:
    return " ".join(f"({' '.join(map(str, sizes))})" for sizes in classes)


def conditions() -> str:
    """Describe which instruction sets and thread counts gave one row other bits, as recorded."""
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
        return right("Each doubling of the count costs one more addition in a row.")
    if given == plans.sequential(_N).depth:
        return hint("That is the plain loop's. Pairwise halves the numbers in each round.")
    if given == plans.pairwise(_N).nodes + 1:
        return hint("That is how many numbers there are. How often can you halve it?")
    return hint("Look at makers.pairwise(16).depth.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Reveal a student's function and hold its tree against the one asked for."""
    if not callable(answer):
        return hint("Give the function itself: its name, without parentheses.")
    try:
        found = reveal(answer, 4, name="yours")
    except Exception as error:  # noqa: BLE001 - a student's function may raise anything
        return hint(f"It could not be revealed: {str(error)[:200]}")
    if found.plan == plans.strided(4, 2) and found.confirmed:
        return right(f"Its tree is {found.plan}.")
    tree = f"its tree is {found.plan}" if found.plan is not None else found.evidence.why
    return hint(f"Revealed as {found.verdict}: {tree}. Wanted is {plans.strided(4, 2)}.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check three float32 numbers whose two orders differ."""
    with np.errstate(all="ignore"):
        a, b, c = np.array(numbers(answer, 3), np.float32)
        one, other = (a + b) + c, a + (b + c)
    if not np.isfinite([one, other]).all():
        return hint("Finite numbers and finite sums in float32, please.")
    if one != other:
        return right(f"(a + b) + c is {one!s}, a + (b + c) is {other!s}.")
    return hint(
        f"Both are {one!s}. In one of the orders the two large numbers have to cancel before the "
        "small one comes; in the other, not."
    )


@exercise
def check_4(answer: Any) -> Feedback:
    """Check whether NumPy adds backwards in the same order."""
    seen = same_order(np.sum, lambda x: np.sum(x[::-1]), _N)
    if yes_no(answer) == seen.same:
        return right(seen.why)
    return hint("Not what same_order says of the two. Take its .same.")


check_quiz = Quiz(
    Question(
        right="a",
        a="Several sums can run side by side where one would have to wait for itself.",
        b="Nothing is random: the tree is the same for the same shape.",
        c="The order of reading is another matter; the tree says which sums meet.",
        d="It is open source; but the order follows from code that few people read.",
    ),
    Question(
        right="c",
        a="No documentation is read; the function is asked, as a black box.",
        b="A tree rounds at each join. Exact sums have no tree to be seen.",
        c="It is a claim that could have failed on each of those inputs.",
        d="It was tried here. Another machine or version may have another tree.",
    ),
    Question(
        right="b",
        a="Then the difference would be as large as those rows, not some last bits.",
        b="Blocks are cut by the shape, and blocks are partial sums.",
        c="Nobody shuffles in a matrix product; each row keeps its place.",
        d="Copying moves bits and changes none.",
    ),
    Question(
        right="d",
        a="The program is the same, but its library may choose another path at its start.",
        b="Libraries ask the processor what it can do before they use it.",
        c="Another tree is no better or worse in general; it rounds elsewhere.",
        d="More accumulators side by side are another tree.",
    ),
)
