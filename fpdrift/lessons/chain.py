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
            "The true ratio is not a float, so it was rounded once, to the nearest one. The loop "
            "repeats that rounding error in every step, always in the same direction."
        )
    if 1 < given < units:
        return hint(
            "That may be the deficit of the true ratio. For the float A / B it is an integer."
        )
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
            "The loop that rounds twice is far closer to this than the one that rounds once. The "
            "latter repeats one rounding error in one direction; the errors of the former mostly "
            "cancel."
        )
    if abs(given - wanted) <= 1e-6 * wanted:
        return hint("Close, but an intermediate result was rounded. Use float(1 - pair.exact()).")
    return hint("pair.exact() and 1 - pair.exact() are Decimals. Convert the second to a float.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check a number whose addition is absorbed."""
    given = number(answer)
    if not given > 0:
        return hint("Give a number above zero.")
    try:
        left = float(chain(1.0, given, _COUNT, op="add", max_seconds=5).value)
    except FpdriftError:
        return hint("Too large for a quick answer. Think of half an ulp of 1.0.")
    if left == 1.0:
        return right("Each sum is rounded back to 1.0: a number below half an ulp is absorbed.")
    return hint(f"The loop ends at {left!r}. Your number has to be below half an ulp of 1.0.")


check_quiz = Quiz(
    Question(
        right="d",
        a="Roundings cause errors; time does not. Count the roundings in one step.",
        b="Both round to the nearest float; neither is less exact.",
        c="All numbers stay close to one, far from any limit.",
        d="The place of the division determines what is rounded, and how often.",
    ),
    Question(
        right="a",
        a="The picture shows a straight line: each step adds its share.",
        b="Random errors of both signs grow more slowly, like a square root.",
        c="Nothing is random here: run it again, and you get the same bits.",
        d="The number hardly changes, so the step between floats stays the same.",
    ),
    Question(
        right="c",
        a="A power rounds differently; it would come close but not give the same bits.",
        b="More digits give the exact answer. The bits of the loop include the errors of the loop.",
        c="A run of identical steps can be skipped, and its length can be proved.",
        d="Nothing is stored between two calls; try a loop of your own.",
    ),
    Question(
        right="b",
        a="Each figure is the result of one of the loops, to the last bit.",
        b="Here one loop rounds once per step and the other twice.",
        c="Each loop gives the same bits every time; that is not unreliable.",
        d="Here the smaller one happens to be nearer to exact arithmetic, but not because it is "
        "smaller. First find out which loop gives which figure.",
    ),
)
