"""Lesson 04: what its cells say and how its exercises are checked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fpdrift.experiments import ThreadsAndTree
from fpdrift.lessons.grading import (
    Compared,
    Feedback,
    Question,
    Quiz,
    call,
    compared,
    exercise,
    hint,
    number,
    right,
    whole,
)
from fpdrift.lessons.runtime import machine, size
from fpdrift.recorded import load_recorded
from fpdrift.reduction import ThreadRun, ThreadSums, run_plans, thread_sums

_DRAWN = 200
_CHUNKS = 5
_ORDERS = 20


def measure() -> ThreadSums:
    """Sum with one thread and with all cores, at least two."""
    return thread_sums(size(2**20, 2**16), tries=size(200, 30))


def check_prediction(answer: Any, result: ThreadSums) -> Feedback:
    """Compare the prediction with what the threads did."""
    run = result.runs[-1]
    seen = f"Different totals of {run.threads} threads in {result.tries} sums: {run.distinct}."
    told = compared(answer, run.distinct == 1, seen)
    if run.distinct > 1 or not isinstance(answer, bool):
        return told
    return Compared(
        told.right,
        f"You said {answer}. {run.threads} threads gave the same total in {result.tries} sums. "
        "That was one run on one machine. It does not prove that it is always so: read on.",
    )


def tell(result: ThreadSums) -> str:
    """Describe what was seen here and, if nothing was, what other orders would give."""
    run = result.runs[-1]
    if run.distinct > 1:
        return (
            f"Here {run.threads} threads gave {run.distinct} different totals. Orders of arrival: "
            f"{run.orders}. Ulps from the lowest total to the highest: {run.spread}."
        )
    parts = np.random.default_rng(result.seed).standard_normal(result.chunks).astype(result.dtype)
    rng = np.random.default_rng(1)
    orders = np.stack([rng.permutation(result.chunks) for _ in range(_DRAWN)])
    drawn = len(np.unique(run_plans(orders, parts)))
    return (
        f"No difference seen on this machine in {result.tries} sums (orders of arrival: "
        f"{run.orders}). The additions do round: {result.chunks} random numbers, added in "
        f"{_DRAWN} random orders without threads, give {drawn} different totals. {_elsewhere()}"
    )


def _elsewhere() -> str:
    """Describe the result of the recorded threads, and the machine."""
    recorded: ThreadsAndTree = load_recorded("threads")
    run = recorded.sums.runs[-1]
    return (
        f"Recorded on {machine(recorded)}: {run.threads} threads gave {run.distinct} different "
        f"totals in {recorded.sums.tries} sums."
    )


def _last(result: ThreadSums) -> ThreadRun:
    return result.runs[-1]


@exercise
def check_1(answer: Any, result: ThreadSums) -> Feedback:
    """Check a replayed sum by its bits."""
    values = _last(result).values
    given = number(answer)
    if given == float(values[3]):
        return right("The same bits, without any threads.")
    if given in values.astype(float).tolist():
        return hint("That is the total of another try. Check the number that you pass to replay.")
    return hint("fpdrift.replay(result, number of the try) adds in that order again.")


@exercise
def check_2(answer: Any, result: ThreadSums) -> Feedback:
    """Check how many values a fixed order gives."""
    if whole(answer) == _last(result).distinct_fixed:
        return right("The threads still arrive in any order, but it no longer matters.")
    if answer == result.tries:
        return hint("That is the number of all values. How many different ones are there?")
    return hint("len(set(...)) counts different values.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check a sum that must not depend on the order of arrival."""
    rng = np.random.default_rng(1)
    parts = (rng.standard_normal(40) * 10.0 ** rng.integers(-8, 8, 40)).tolist()
    pairs = list(enumerate(parts))
    exact = math.fsum(parts)
    given = set()
    for _ in range(_ORDERS):
        order = [pairs[i] for i in rng.permutation(len(pairs))]
        given.add(number(call(answer, order)))
        # Written so that NaN, which is neither more nor less, is no sum either.
        if not all(abs(one - exact) <= 1e-6 * sum(map(abs, parts)) for one in given):
            return hint("That is not the sum of the parts.")
    if len(given) == 1:
        return right(f"One total for {len(parts)} parts in {_ORDERS} orders of arrival.")
    return hint(
        f"{len(given)} different totals for {_ORDERS} orders of arrival. Sort by the chunk."
    )


@exercise
def check_4(answer: Any) -> Feedback:
    """Check the number of orders of five partial sums."""
    given, orders = whole(answer), math.factorial(_CHUNKS)
    if given == orders:
        return right("It grows faster than any power: with many chunks, perhaps no two runs agree.")
    if given == _CHUNKS**2 or given == 2**_CHUNKS:
        return hint("Any chunk can be first; then there is one fewer for the second place.")
    return hint(
        "Any of the five can be first, then any of the other four can be second, and so on."
    )


check_quiz = Quiz(
    Question(
        right="b",
        a="A lost addition would be off by a whole partial sum, not by a few ulps.",
        b="Replaying the order of arrival without threads reproduces each total.",
        c="A faulty core would not give the same bits in the replay.",
        d="In that case the exact sum would change; here only the last bits do.",
    ),
    Question(
        right="d",
        a="It would be if the same thread count sometimes gave different bits.",
        b="Neither order is more correct; both results are within the same bound.",
        c="There is a term for it: different orders give different bits, and each is repeatable.",
        d="The thread count determines how the sum is split, and the split determines the order.",
    ),
    Question(
        right="a",
        a="That is all you saw. Another machine or load may give a different order of arrival.",
        b="A test can show that it is not; no number of equal results proves that it is.",
        c="They may matter on another machine, or with more numbers or more threads.",
        d="Equal bits say nothing about accuracy: the sum may be off in the same way each time.",
    ),
    Question(
        right="c",
        a="Speed changes the order of arrival but does not fix it.",
        b="No random numbers are used here; there is nothing to seed.",
        c="The order of arrival then no longer affects the additions.",
        d="The mean of two totals also differs from run to run.",
    ),
)
