"""Lesson 02: what its cells say and how its exercises are checked."""

from __future__ import annotations

from typing import Any

from fpdrift.arithmetic import chain
from fpdrift.errors import FpdriftError
from fpdrift.lessons.grading import (
    Feedback,
    Question,
    Quiz,
    compared,
    exercise,
    hint,
    number,
    one_of,
    right,
)
from fpdrift.lessons.runtime import size

_A, _B = 2 / 9 * 11, 2 * 11 / 9
_COUNT = 10**8
#: What a text once printed for 1 - x.
_PRINTED = 1.8167285897874308e-08
#: Steps of the plain loop that is held against `fpdrift.chain`.
WALK = size(2_000_000, 50_000)
_LOOPS: dict[str, list[tuple[str, float]]] = {
    "quotient": [("multiply", _A / _B)],
    "multiply first": [("multiply", _A), ("divide", _B)],
    "divide first": [("divide", _B), ("multiply", _A)],
}
#: Relative; the loops differ from exact arithmetic by far more.
_CLOSE = 1e-9


def _end(loop: str) -> float:
    return float(chain(1.0, _LOOPS[loop], _COUNT).value)


def check_prediction(answer: Any) -> Feedback:
    """Compare the prediction with the ends of the two loops."""
    one, two = _end("quotient"), _end("multiply first")
    return compared(answer, one == two, f"They end at {one} and {two}.")


@exercise
def check_1(answer: Any) -> Feedback:
    """Check the quotient's deficit in units of 2**-53."""
    given, units = number(answer), (1 - _A / _B) / 2.0**-53
    if given == units:
        return right(
            "The true ratio is no float; it was rounded to the nearest one, once. The loop repeats "
            "that one rounding in every step, always in the same direction."
        )
    if 1 < given < units:
        return hint("That may be the true ratio's deficit. The float A / B has a whole number.")
    return hint("Subtract A / B from 1, then divide by 2.0**-53.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check which loop the printed figure belongs to."""
    loop = one_of(answer, *_LOOPS)
    left = 1 - _end(loop)
    if left == _PRINTED:
        return right(f"1 - x = {left!r}, bit for bit.")
    return hint(f"That loop leaves 1 - x = {left!r}. Look for the other figure.")


@exercise
def check_3(answer: Any) -> Feedback:
    """Check what exact arithmetic leaves."""
    given, pair = number(answer), chain(1.0, _LOOPS["multiply first"], _COUNT)
    exact = pair.exact()
    wanted = float(1 - exact) if exact is not None else 0.0
    if abs(given - wanted) <= _CLOSE * wanted:
        return right(
            "The loop that rounds twice comes far closer to it than the one that rounds once: that "
            "one repeats one rounding, always in the same direction; the other's mostly cancel."
        )
    if abs(given - wanted) <= 1e-6 * wanted:
        return hint("Near, but that was rounded on the way: float(1 - pair.exact()).")
    return hint("pair.exact() is a Decimal; 1 - pair.exact() too. Turn that into a float.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check a number whose addition is absorbed."""
    given = number(answer)
    if not given > 0:
        return hint("A number above zero, please.")
    try:
        left = float(chain(1.0, given, _COUNT, op="add", max_seconds=5).value)
    except FpdriftError:
        return hint("Too large to be told quickly. Think of half an ulp of 1.0.")
    if left == 1.0:
        return right("Each sum is rounded back to 1.0: below half an ulp, it is absorbed.")
    return hint(f"The loop ends at {left!r}. It has to be less than half an ulp of 1.0.")


check_quiz = Quiz(
    Question(
        right="d",
        a="Time does not make errors; roundings do. Count those of a step.",
        b="Both are rounded to the nearest float: neither is less exact.",
        c="All numbers stay close to one, far from any limit.",
        d="Where the rounding stands decides how often it is done, and of what.",
    ),
    Question(
        right="a",
        a="The picture shows a straight line: each step adds its share.",
        b="Errors that go up and down at random grow more slowly, like a square root.",
        c="Nothing is random here: run it again, and you get the same bits.",
        d="The number hardly changes; so the step between floats is the same all along.",
    ),
    Question(
        right="c",
        a="A power rounds otherwise; it would come near, and not give the same bits.",
        b="More digits give the exact answer. The loop's bits hold the loop's own errors.",
        c="A stretch of equal moves can be jumped over, and it is proved how long it is.",
        d="Nothing is kept between two calls; try a loop of your own.",
    ),
    Question(
        right="b",
        a="Both figures can be had, to the last bit, from one loop or the other.",
        b="Here the one loop rounds once a step and the other twice.",
        c="Each loop gives the same bits every time; there is nothing unreliable in it.",
        d="Here the smaller one happens to be nearer to exact arithmetic; its being smaller is no "
        "reason. First find out which loop made each.",
    ),
)
