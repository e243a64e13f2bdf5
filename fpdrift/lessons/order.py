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
    """Say in one sentence how many results there are and how far apart."""
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
        return right("They are neighbours: no float lies between them.")
    if answer == 0:
        return hint("0 would mean the same float. Print both: do they look the same?")
    return hint("Count the steps from float to float: fpdrift.ulp_distance(first, second).")


@exercise
def check_2(answer: Any) -> Feedback:
    """Check which order gives the float nearest to 22/9."""
    result = orders("2*11/9")
    chosen = [one for one in result.orders if one.text == text(answer).replace(" ", "")]
    if not chosen:
        return hint(f"Choose one of: {', '.join(one.text for one in result.orders)}")
    if chosen[0].value == result.correctly_rounded:
        return right("Its rounding errors happen to leave the nearest float.")
    return hint(
        "That one is a step away. Measure both: from fractions import Fraction; "
        "float(abs(Fraction(2 / 9 * 11) - Fraction(22, 9))), and the same for the other. "
        "(The ledger's lines cannot just be added: what 2/9 lost is multiplied afterwards.)"
    )


@exercise
def check_3(answer: Any) -> Feedback:
    """Check three numbers whose two orders differ."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return hint("Give three numbers in parentheses: (a, b, c).")
    a, b, c = map(whole, answer)
    if not all(1 <= n <= _LARGEST for n in (a, b, c)):
        return hint(f"Whole numbers from 1 to {_LARGEST}, please.")
    if sorted((a, b, c)) == [2, 9, 11]:
        return hint("These are the numbers from above; find others.")
    if a * b / c != a / c * b:
        return right(f"{a}*{b}/{c} and {a}/{c}*{b} differ.")
    return hint(f"{a}*{b}/{c} and {a}/{c}*{b} agree. Divide by something that leaves a remainder.")


@exercise
def check_4(answer: Any) -> Feedback:
    """Check a sum whose orders do not agree."""
    if any(sign in text(answer) for sign in "/*") or "+" not in answer:
        message = 'Write a sum as text, only + between the numbers: "0.5+0.25+0.125".'
        raise NotYet(message)
    result = orders(answer)
    if len(result.groups) > 1:
        return right(f"{len(result.groups)} results: addition rounds as well.")
    return hint("All orders agree. Halves and quarters are exact in binary; try tenths.")


check_quiz = Quiz(
    Question(
        right="b",
        a="Python keeps the order that you type: it may not reorder, as that would change bits.",
        b="Each operation is exact on its two operands and then rounded once, always alike.",
        c="Nothing is drawn at random here. Run it again: the same bits.",
        d="A float has no room for a fraction of its own bits; all of them take part.",
    ),
    Question(
        right="c",
        a="Both are the rounded results of correct operations. There is no wrong one.",
        b="Swapping the two operands of one product changes nothing: a*b and b*a round alike.",
        c="Another order makes other intermediate results, and those get rounded.",
        d="Parentheses cost no bits by themselves; they choose which operation comes first.",
    ),
    Question(
        right="a",
        a="The step between neighbours grows with the size of the numbers; counting steps does not "
        "care.",
        b="Printing shows the shortest text that gives the float back, not its distance.",
        c="A relative difference is near it, but jumps by two at each power of two.",
        d="An equal sign says whether, never how far.",
    ),
    Question(
        right="d",
        a="Halves are exact, and so are small sums of them: no order can lose anything.",
        b="Whole numbers of this size are exact, and so are their sums.",
        c="Multiplying by a power of two only moves the exponent; no bit is lost.",
        d="No tenth is exact in binary, and each partial sum is rounded at another place.",
    ),
)
