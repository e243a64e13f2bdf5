"""Lesson 03: what its cells say and how its exercises are checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fpdrift.floats import format_of, to_fraction
from fpdrift.lessons.grading import (
    Feedback,
    Question,
    Quiz,
    call,
    compared,
    exercise,
    hint,
    number,
    numbers,
    one_of,
    right,
)
from fpdrift.lessons.runtime import size
from fpdrift.reduction import algorithms, error_bounds, ill_conditioned
from fpdrift.reduction._rounding import Floats

_TICKETS = 1_000_000
_ONE = np.ones(1, np.float32)
#: Numbers in the picture.
FEW = size(1000, 100)
WAYS: dict[str, Callable[[Any], Any]] = {
    "loop": algorithms.recursive_sum,
    "pairwise": algorithms.pairwise_sum,
    "Kahan": algorithms.kahan_sum,
    "exact": algorithms.exact_sum,
}


def tickets() -> Floats:
    """Return a million tickets at 0.1 each."""
    return np.full(_TICKETS, 0.1, np.float32)


def problem() -> error_bounds.Problem:
    """Return what bounds depend on, for the tickets; all are equal, so their sum is a product."""
    one, u = to_fraction(np.float32(0.1), format_of("float32")), error_bounds.Problem.of(_ONE).u
    total = _TICKETS * one
    return error_bounds.Problem(n=_TICKETS, u=u, total=total, sizes=total, largest=one)


def error(total: Any) -> float:
    """Describe how far a sum of the tickets is from the exact one."""
    return float(abs(to_fraction(total, format_of(total.dtype)) - problem().total))


def _digits(a: float, b: float) -> int:
    """Count the leading decimal digits that two numbers share once each has nine of them."""
    texts = [f"{x:.8e}" for x in (a, b)]
    if texts[0].partition("e")[2] != texts[1].partition("e")[2]:
        return 0
    same = 0
    for one, other in zip(*(t.partition("e")[0].replace(".", "") for t in texts), strict=True):
        if one != other:
            break
        same += 1
    return same


def check_prediction(answer: Any) -> Feedback:
    """Compare the prediction with the digits that the plain loop has right."""
    loop, exact = float(algorithms.recursive_sum(tickets())), float(problem().total)
    same = _digits(loop, exact)
    return compared(answer, same, f"{loop:.2f} against {exact:.2f}: {same} leading digits.")


@exercise
def check_1(answer: Any) -> Feedback:
    """Check a student's Kahan loop by its bits, on some that cancel and some that do not."""
    rng = np.random.default_rng(1)
    plain = rng.uniform(0, 100, 2000).astype(np.float32)
    for values in (plain, *(ill_conditioned(50, c, rng, "float32") for c in (10, 1e5))):
        with np.errstate(all="ignore"):
            got = number(call(answer, values))
        wanted = float(algorithms.kahan_sum(values))
        if got == wanted:
            continue
        if got == float(algorithms.recursive_sum(values)):
            return hint("That is the result of the plain loop: your correction is lost on the way.")
        return hint(
            "These are not the bits of Kahan's loop. First compute what arrived, in parentheses: "
            "how much larger new is than total. Then compare that with what should have arrived."
        )
    return right("This is Kahan's sum bit for bit, even if the numbers cancel.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check a condition number."""
    values = np.array([10000.0, 1.0, -10000.0])
    wanted, given = float(error_bounds.Problem.of(values).condition), number(answer)
    if math.isclose(given, wanted, rel_tol=1e-9):
        return right("So a relative error of one rounding in the terms can grow by that factor.")
    if given == 1:
        return hint("1 would mean that nothing cancels. First add the sizes, without signs.")
    return hint("Divide the sum of the three sizes by the size of the sum.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check which bound hardly grows with n."""
    chosen = one_of(answer, "plain loop", "pairwise", "kahan")
    of = {
        "plain loop": error_bounds.recursive_bound,
        "pairwise": error_bounds.pairwise_bound,
        "kahan": error_bounds.kahan_bound,
    }
    few, many = (error_bounds.Problem.of(np.ones(n, np.float32)) for n in (64, 4096))
    grown = {name: float(of[name](many) / many.sizes / (of[name](few) / few.sizes)) for name in of}
    told = f"With 64 times as many numbers, this bound grows by a factor of {grown[chosen]:.3g}."
    return right(told) if chosen == min(grown, key=lambda name: grown[name]) else hint(told)


@exercise
def check_4(answer: Any) -> Feedback:
    """Check three numbers whose loop gives zero though they do not sum to it."""
    with np.errstate(over="ignore"):
        values = np.array(numbers(answer, 3), np.float32)
    if not np.isfinite(values).all():
        return hint("Give finite numbers that float32 can represent.")
    if not error_bounds.Problem.of(values).total:
        return hint(
            "Their exact sum is zero. Choose numbers for which something is lost on the way."
        )
    got = algorithms.recursive_sum(values)
    if got == 0:
        return right(
            "The small one was absorbed by the large one, and then the large ones cancelled."
        )
    return hint(f"The loop gives {got!s}. Add something small to something very large first.")


check_quiz = Quiz(
    Question(
        right="b",
        a="Memory has nothing to do with rounding.",
        b="The longest path has about as many additions as the logarithm of the count.",
        c="It ignores the sizes; it adds neighbours.",
        d="Each of its additions rounds. Only the exact sum rounds once.",
    ),
    Question(
        right="a",
        a="The sum is that much smaller than the sizes that were added, but the errors are not.",
        b="It does not depend on how many numbers there are: three are enough.",
        c="It is a property of the numbers; every program is affected.",
        d="It is a factor by which relative errors may grow, not an error.",
    ),
    Question(
        right="d",
        a="A bound only has to hold; few bounds are close.",
        b="An error below the bound is consistent with it.",
        c="It is proved for all data, so it does not hold by chance.",
        d="Roundings go up and down, so the actual error is usually far below the bound.",
    ),
    Question(
        right="c",
        a="A correct one does this too; only exact and reproducible sums do not.",
        b="Its error does depend on the numbers, through their sizes.",
        c="In a different order, the small errors are different.",
        d="Speed has no effect on the bits.",
    ),
)
