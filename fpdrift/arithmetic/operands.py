"""Read what a chain is given, or say in one line what is wrong with it."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from fpdrift.arithmetic.loops import APPLY
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import Format, exact, round_to, to_fraction

#: Operations in one step.
_MOST_OPERATIONS = 8
#: Steps are counted in a signed 64-bit integer.
_MOST_STEPS = 2**63 - 1


class Operand(NamedTuple):
    """A number as a chain uses it."""

    #: a scalar of the dtype
    value: Any
    #: what was passed, exactly, if rounding it to the dtype changed it
    given: Fraction | None


def read_number(x: Any, fmt: Format, what: str) -> Operand:
    """Round what was passed to a scalar of the format."""
    if type(x) is float and fmt.name == "float64":
        return Operand(np.float64(x), None)  # nothing to round
    try:
        value, number = round_to(x, fmt), exact(x)
    except FpdriftError as error:
        message = f"{what}: {error}"
        raise FpdriftError(message) from None
    if not isinstance(number, Fraction) or (
        math.isfinite(value) and to_fraction(value, fmt) == number
    ):
        return Operand(value, None)
    return Operand(value, number)


def read_step(factor: Any, op: Any, fmt: Format) -> tuple[tuple[str, Operand], ...]:
    """Read a factor or a sequence of pairs as (operation, operand) pairs."""
    if isinstance(factor, str) or not isinstance(factor, Sequence):
        return ((_operation(op), read_number(factor, fmt, "factor")),)
    if not 1 <= len(factor) <= _MOST_OPERATIONS:
        message = f"a step takes 1 to {_MOST_OPERATIONS} (op, number) pairs, not {len(factor)}"
        raise FpdriftError(message)
    if not isinstance(op, str) or op != "multiply":
        message = f"op={shown(op)} goes with one number; in a sequence each pair names its own"
        raise FpdriftError(message)
    for pair in factor:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            message = (
                f"not an (op, number) pair: {shown(pair)}; write [('multiply', 3), ('divide', 7)]"
            )
            raise FpdriftError(message)
    return tuple((_operation(name), read_number(number, fmt, "factor")) for name, number in factor)


def read_count(count: Any) -> int:
    """Read a number of steps."""
    whole = count
    if isinstance(count, float | np.floating) and float(count).is_integer():
        whole = int(count)
    try:
        steps = operator.index(whole)
    except TypeError:
        steps = -1
    if isinstance(count, bool) or not 0 <= steps <= _MOST_STEPS:
        message = f"count must be a whole number from 0 to 2**63 - 1, not {shown(count)}"
        raise FpdriftError(message)
    return steps


def read_seconds(max_seconds: Any) -> float:
    """Read a time limit; an infinite one is fine."""
    try:
        seconds = float(max_seconds)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not seconds > 0 or isinstance(max_seconds, bool):
        message = f"max_seconds must be a number above 0, not {shown(max_seconds)}"
        raise FpdriftError(message)
    return seconds


def _operation(op: Any) -> str:
    if not isinstance(op, str) or op not in APPLY:
        message = f"unknown operation {shown(op)}; choose one of {', '.join(APPLY)}"
        raise FpdriftError(message)
    return op
