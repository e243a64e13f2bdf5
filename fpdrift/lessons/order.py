"""Lesson 01: what its cells say and how its exercises are checked."""

from __future__ import annotations

from typing import Any

from fpdrift.arithmetic import Orders, orders
from fpdrift.floats import ulp_distance
from fpdrift.lessons.grading import (
    Feedback,
    NotYet,
    Question,
    Quiz,
    compared,
    exercise,
    hint,
    right,
    text,
    whole,
)
from fpdrift.lessons.widgets import explore_orders

__all__ = ["check_prediction", "check_quiz", "explore_orders", "tell"]

_FIRST, _SECOND = 2 * 11 / 9, 2 / 9 * 11
_LARGEST = 20


def check_prediction(answer: Any) -> Feedback:
    """Compare the prediction with what this machine does."""
    equal = _FIRST == _SECOND
    return compared(answer, equal, f"2*11/9 == 2/9*11 is {equal} here.")


def tell(result: Orders) -> str:
    """Describe in one sentence how many results there are and how far apart."""
    values = [group[0].value for group in result.groups]
    if len(values) == 1:
        return f"Orders of {result.expression}: {len(result.orders)}, all with the same bits."
    apart = ulp_distance(min(values), max(values))
    return (
        f"{len(result.orders)} orders, {len(values)} results, at most {apart} "
        f"ulp{'s' if apart > 1 else ''} apart."
    )


@exercise
def check_1(answer: Any) -> Feedback:
    """Check the number of ulps between the two orders."""
    apart = ulp_distance(_FIRST, _SECOND)
    if whole(answer) == apart:
        return right("They are neighbours: there is no float between them.")
    if answer == 0:
        return hint("0 would mean that they are the same float. Print both: do they look the same?")
    return hint("Count the steps from float to float: fpdrift.ulp_distance(first, second).")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check which order gives the float nearest to 22/9."""
    result = orders("2*11/9")
    chosen = [one for one in result.orders if one.text == text(answer).replace(" ", "")]
    if not chosen:
        return hint(f"Choose one of: {', '.join(one.text for one in result.orders)}")
    if chosen[0].value == result.correctly_rounded:
        return right("Its rounding errors happen to give the nearest float.")
    return hint(
        "That one is one step away. Measure both: from fractions import Fraction; "
        "float(abs(Fraction(2 / 9 * 11) - Fraction(22, 9))), and the same for the other. "
        "(You cannot simply add the lines of the ledger: the error of 2/9 is multiplied later.)"
    )


@exercise
def check_3(answer: Any) -> Feedback:
    """Check three numbers whose two orders differ."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return hint("Give three numbers in parentheses: (a, b, c).")
    a, b, c = map(whole, answer)
    if not all(1 <= n <= _LARGEST for n in (a, b, c)):
        return hint(f"Give integers from 1 to {_LARGEST}.")
    if sorted((a, b, c)) == [2, 9, 11]:
        return hint("The question excludes these numbers; find others.")
    if a * b / c != a / c * b:
        return right(f"{a}*{b}/{c} and {a}/{c}*{b} differ.")
    return hint(f"{a}*{b}/{c} and {a}/{c}*{b} agree. Divide by something that leaves a remainder.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check a sum whose orders do not agree."""
    if any(sign in text(answer) for sign in "/*") or "+" not in answer:
        message = 'Write a sum as text, with only + between the numbers: "0.5+0.25+0.125".'
        raise NotYet(message)
    result = orders(answer)
    if len(result.groups) > 1:
        return right(f"{len(result.groups)} results: addition rounds as well.")
    return hint("All orders agree. Halves and quarters are exact in binary; try tenths.")


check_quiz = Quiz(
    Question(
        right="b",
        a="Python keeps the order that you type. It must not reorder, as that could change bits.",
        b="Each operation is computed exactly, then rounded once, always in the same way.",
        c="Nothing is random here. Run it again, and you get the same bits.",
        d="A float has no separate bits for integers and fractions; one number uses all bits.",
    ),
    Question(
        right="c",
        a="Both are rounded results of correct operations. Neither is wrong.",
        b="Swapping the operands of one product has no effect: a*b and b*a round the same way.",
        c="A different order has different intermediate results, and those are rounded.",
        d="Parentheses alone do not cost any bits; they determine which operation comes first.",
    ),
    Question(
        right="a",
        a="The step between neighbours grows with the numbers, so a count of steps works for any "
        "size.",
        b="Python prints the shortest text that leads back to the float; it shows no distance.",
        c="A relative difference is similar, but jumps by a factor of two at each power of two.",
        d="This shows whether they differ, not by how much.",
    ),
    Question(
        right="d",
        a="Halves are exact, and so are small sums of them: no order loses anything.",
        b="Integers of this size are exact, and so are their sums.",
        c="Multiplying by a power of two only changes the exponent; no bit is lost.",
        d="Tenths are not exact in binary, and different partial sums round differently.",
    ),
)
