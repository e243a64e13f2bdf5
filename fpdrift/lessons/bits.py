"""Lesson 00: what its cells say and how its exercises are checked."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from fpdrift.floats import anatomy, exact, flipped
from fpdrift.lessons.grading import (
    Feedback,
    Question,
    Quiz,
    compared,
    exercise,
    hint,
    number,
    right,
    text,
    whole,
)
from fpdrift.lessons.widgets import explore_float

__all__ = ["check_prediction", "check_quiz", "explore_float"]


def check_prediction(answer: Any) -> Feedback:
    """Compare the prediction with the float's exact value."""
    held = anatomy("0.1")
    tenth = Fraction(1, 10)
    seen = "exact" if held.exact == tenth else "more" if (held.exact or 0) > tenth else "less"
    return compared(answer, seen, f"The float is {held.decimal}.")


@exercise
def check_1(answer: Any) -> Feedback:
    """Check a decimal fraction that float64 holds."""
    given = exact(text(answer))
    if not isinstance(given, Fraction) or not 0 < given < 1:
        return hint("Give a number between 0 and 1 as text, such as '0.7'.")
    if given == Fraction(1, 2):
        return hint("The question excludes this one. Which other powers of two are below 1?")
    held = anatomy(given)
    if held.exact == given:
        return right(f"{answer} is {held.significand} * 2**{held.exponent} exactly.")
    return hint(f"The nearest float is {held.decimal}. A float is a sum of powers of two.")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check the ulp of 1.0."""
    given, ulp = number(answer), float(anatomy(1.0).ulp or 0)
    if given == ulp:
        return right("One ulp of 1.0, often called the machine epsilon.")
    if given == ulp / 2:
        return hint("That is half a step: the largest error of rounding to nearest near 1.")
    if 0 < given < ulp:
        return hint("No float above 1.0 is that close to it. Look at fpdrift.anatomy(1.0).above.")
    return hint(
        "Look at fpdrift.anatomy(1.0).ulp, or subtract 1.0 from fpdrift.anatomy(1.0).above."
    )


@exercise
def check_3(answer: Any) -> Feedback:
    """Check which bit turns 1.0 into 1.5."""
    one = anatomy(1.0)
    place = whole(answer)
    made = flipped(one, place)
    if made.value == 1.5:
        return right("The first bit of the fraction is worth a half.")
    return hint(f"That makes {made.value!s}. Which bit of the fraction is worth a half?")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check the first power of two to which one can be added in vain."""
    given = number(answer)
    if not given > 0 or anatomy(given).significand & (anatomy(given).significand - 1):
        return hint("Give a power of two: 2.0 to the power of an integer.")
    if given + 1 != given:
        return hint(f"{given + 1:.17g} and {given:.17g} are different floats. Keep doubling.")
    if given / 2 + 1 == given / 2:
        return hint("That holds there, but also for half of it.")
    return right(
        "From here on, the step between floats is two. So x + 1 lies halfway between two of them, "
        "and the tie goes to the even one, whose last bit is 0: that is x."
    )


check_quiz = Quiz(
    Question(
        right="c",
        a="The printed digits are a matter of choice. It is the stored bits that are not a tenth.",
        b="More bits come closer, but one tenth has infinitely many binary digits, as one third "
        "has infinitely many decimals.",
        c="Ten has the factor five, which no power of two contains.",
        d="Processors round exactly as the standard specifies, and always in the same way.",
    ),
    Question(
        right="a",
        a="Many long decimals lead to this float; the shortest of them is shown.",
        b="Look at the exact value: it has many more digits than Python prints.",
        c="The exact decimal value has many digits that are not zero.",
        d="A float does not remember where it came from: equal bits are equal floats.",
    ),
    Question(
        right="d",
        a="They stay the same only within a binade, from one power of two to the next.",
        b="It is the other way round: floats are densest close to zero.",
        c="Around a million there are still many floats between two integers; see the table.",
        d="The fraction has the same number of bits everywhere, so the relative step "
        "stays within a factor of two.",
    ),
    Question(
        right="b",
        a="An overflow would give infinity. Here the old number is unchanged.",
        b="The exact sum is rounded to the nearest float, and that is the one you had.",
        c="The addition is done exactly, and then rounded; nobody decides what matters.",
        d="The one is exact. It is the sum that is not a float.",
    ),
)
