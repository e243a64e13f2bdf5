"""Lesson 01: what its cells say and how its exercises are checked."""

from __future__ import annotations

from typing import Any

from fpdrift.arithmetic import Orders, orders
from fpdrift.errors import FpdriftError
from fpdrift.floats import ulp_distance
from fpdrift.lessons.feedback import UNANSWERED, Feedback, hint, right

_FIRST, _SECOND = 2 * 11 / 9, 2 / 9 * 11
_LARGEST = 20


def check_prediction(answer: Any) -> Feedback:
    """Compare the prediction with what this machine does."""
    if answer is ...:
        return UNANSWERED
    if not isinstance(answer, bool):
        return hint("Write True or False, without quotes.")
    equal = _FIRST == _SECOND
    seen = f"2*11/9 == 2/9*11 is {equal} here."
    if answer == equal:
        return right(f"{seen} You saw it coming.")
    return Feedback(False, f"{seen} That is what this lesson is about.")


def tell(result: Orders) -> str:
    """Say in one sentence how many results there are and how far apart."""
    values = [group[0].value for group in result.groups]
    if len(values) == 1:
        return f"All {len(result.orders)} orders of {result.expression} give the same bits."
    apart = ulp_distance(min(values), max(values))
    return (
        f"{len(result.orders)} orders, {len(values)} results, at most {apart} "
        f"ulp{'s' if apart > 1 else ''} apart."
    )


def check_1(answer: Any) -> Feedback:
    """Check the number of ulps between the two orders."""
    if answer is ...:
        return UNANSWERED
    if isinstance(answer, bool) or not isinstance(answer, int):
        return hint("An ulp distance is a whole number: fpdrift.ulp_distance(first, second).")
    apart = ulp_distance(_FIRST, _SECOND)
    if answer == apart:
        return right("They are neighbours: no float lies between them.")
    if answer == 0:
        return hint("0 would mean the same float. Print both: do they look the same?")
    return hint("Count the steps from float to float, not the difference of the values.")


def check_2(answer: Any) -> Feedback:
    """Check which order gives the float nearest to 22/9."""
    if answer is ...:
        return UNANSWERED
    result = orders("2*11/9")
    chosen = [one for one in result.orders if one.text == str(answer).replace(" ", "")]
    if not chosen:
        return hint(f"Choose one of: {', '.join(one.text for one in result.orders)}")
    if chosen[0].value == result.correctly_rounded:
        return right("Its rounding errors happen to leave the nearest float.")
    return hint("That one is a step away. Look at the ledger: which order loses less in the end?")


def check_3(answer: Any) -> Feedback:
    """Check three numbers whose two orders differ."""
    if answer is ...:
        return UNANSWERED
    try:
        a, b, c = answer
    except (TypeError, ValueError):
        return hint("Give three numbers in parentheses: (a, b, c).")
    if not all(type(n) is int and 1 <= n <= _LARGEST for n in (a, b, c)):
        return hint(f"Whole numbers from 1 to {_LARGEST}, please.")
    if sorted((a, b, c)) == [2, 9, 11]:
        return hint("These are the numbers from above; find others.")
    if a * b / c != a / c * b:
        return right(f"{a}*{b}/{c} and {a}/{c}*{b} differ.")
    return hint(f"{a}*{b}/{c} and {a}/{c}*{b} agree. Divide by something that leaves a remainder.")


def check_4(answer: Any) -> Feedback:
    """Check a sum whose orders do not agree."""
    if answer is ...:
        return UNANSWERED
    if not isinstance(answer, str):
        return hint('Write the sum as text, in quotes: "0.5+0.25+0.125".')
    if "/" in answer or "*" in answer or "+" not in answer:
        return hint("A sum: only + between the numbers.")
    try:
        result = orders(answer)
    except FpdriftError as error:
        return hint(f"fpdrift cannot read that: {error}")
    if len(result.groups) > 1:
        return right(f"{len(result.groups)} results: addition rounds as well.")
    return hint("All orders agree. Halves and quarters are exact in binary; try tenths.")
