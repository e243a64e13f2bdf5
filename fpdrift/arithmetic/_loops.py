"""Run a chain one step after another, rounded by the machine; and exactly, in fractions.

The plain loops are the reference: every shortcut must be bit-identical to them. Without rounding,
every step is one exact line x -> a x + b, so that any number of steps has a closed form.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from functools import cache
from itertools import accumulate, repeat
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.floats import Format, from_bits, to_bits

OpName = Literal["multiply", "divide", "add", "subtract"]

APPLY: dict[str, Callable[[Any, Any], Any]] = {
    "multiply": operator.mul,
    "divide": operator.truediv,
    "add": operator.add,
    "subtract": operator.sub,
}


class Operation(NamedTuple):
    """One elementary operation, ``x = apply(x, factor)``."""

    name: str
    apply: Callable[[Any, Any], Any]
    #: a scalar of the dtype, or the Python float of the same value
    factor: Any


#: The operations that one step applies in order.
Step = tuple[Operation, ...]


def operations(factors: tuple[tuple[str, Any], ...], *, as_float: bool) -> Step:
    """Make a step from (name, scalar) pairs; `as_float` converts the scalars to Python floats."""
    return tuple(
        Operation(name, APPLY[name], float(factor) if as_float else factor)
        for name, factor in factors
    )


def walk(x: Any, step: Step, steps: int) -> list[Any]:
    """Run `steps` steps and return every state, including `x` and those within a step."""
    if len(step) == 1:
        return list(accumulate(repeat(step[0].factor, steps), step[0].apply, initial=x))
    states = [x]
    for _ in range(steps):
        for _name, apply, factor in step:
            x = apply(x, factor)
            states.append(x)
    return states


def run(x: Any, step: Step, steps: int, fmt: Format) -> Any:
    """Run `steps` steps and return the last state; use compiled code where NumPy has it."""
    ufunc = compiled(step, fmt)
    if ufunc is not None and steps:
        factor = fmt.dtype.type(step[0].factor)
        factors = np.broadcast_to(-factor if step[0].name == "add" else factor, steps)
        last = ufunc.reduce(factors, initial=fmt.dtype.type(x))
        return float(last) if type(x) is float else last
    for _ in range(steps):
        for _name, apply, factor in step:
            x = apply(x, factor)
    return x


def compiled(step: Step, fmt: Format) -> np.ufunc | None:
    """Return the NumPy function whose ``reduce`` is a plain loop of this step, or None.

    An addition subtracts the negative, which is the same operation (IEEE 754-2019, section 5.4.1),
    because ``np.add.reduce`` adds pairwise.
    """
    if len(step) > 1 or fmt.bits == 16:
        return None
    name = "subtract" if step[0].name == "add" else step[0].name
    return getattr(np, name) if _reduces_in_order(name, fmt.dtype) else None


@cache
def _reduces_in_order(name: str, dtype: np.dtype[Any]) -> bool:
    """Check that NumPy's ``reduce`` is bit-identical to a plain loop, which is not documented."""
    start, factor = dtype.type(1.7), dtype.type(1.01)
    steps = range(200, 1000, 97)
    states = walk(start, (Operation(name, APPLY[name], factor),), max(steps))
    reduce = getattr(np, name).reduce
    return all(reduce(np.broadcast_to(factor, n), initial=start) == states[n] for n in steps)


def by_table(x: Any, step: Step, steps: int, fmt: Format) -> Any:
    """Run `steps` steps in a 16-bit format, in which a step is a table of 65,536 states.

    Indexing the table with itself gives the table of twice as many steps, so that any count takes
    as many look-ups as it has binary digits.
    """
    states: npt.NDArray[Any] = np.arange(1 << fmt.bits, dtype=fmt.uint).view(fmt.dtype)
    for _name, apply, factor in step:
        states = apply(states, factor)
    table = states.view(fmt.uint)
    place = to_bits(x, fmt)
    while steps:
        if steps & 1:
            place = int(table[place])
        table = table[table]
        steps >>= 1
    return from_bits(place, fmt)


def same(a: Any, b: Any) -> bool:
    """Return whether two states have the same successors: equal with equal sign, or both NaN."""
    if a == b:
        return bool(a) or math.copysign(1.0, a) == math.copysign(1.0, b)
    return bool(a != a and b != b)  # both NaN


#: Digits of a result.
_DIGITS = 50
#: Working precisions in digits, tried in turn if the terms of a result cancel.
_PRECISIONS = (120, 1_000, 10_000)


def line(factors: tuple[tuple[str, Fraction], ...]) -> tuple[Fraction, Fraction]:
    """Compose the operations of a step into its exact slope and offset.

    Raises
    ------
    ZeroDivisionError
        If a step divides by zero.
    """
    slope, offset = Fraction(1), Fraction(0)
    for name, factor in factors:
        if name == "multiply":
            slope, offset = slope * factor, offset * factor
        elif name == "divide":
            slope, offset = slope / factor, offset / factor
        else:
            offset += factor if name == "add" else -factor
    return slope, offset


def after(start: Fraction, slope: Fraction, offset: Fraction, steps: int) -> Decimal:
    """Apply a line `steps` times: slope**steps * (start - fixed) + fixed, with the fixed point.

    Returns
    -------
    Decimal
        50 digits, at least 30 of them correct. Zero if the terms cancel beyond 9,000 digits; an
        infinity or zero beyond Decimal's range.
    """
    narrow = _context(_DIGITS)
    if slope == 1 or not steps:
        return _decimal(start + steps * offset, narrow)
    fixed = offset / (1 - slope)
    if start == fixed:
        return _decimal(start, narrow)
    for precision in _PRECISIONS:
        wide = _context(precision)
        power = wide.power(_decimal(slope, wide), steps)
        moving, still = wide.multiply(power, _decimal(start - fixed, wide)), _decimal(fixed, wide)
        total = wide.add(moving, still)
        if not still or not total.is_finite():
            break
        # Raising to a power loses as many digits as the count has.
        good = precision - len(str(steps)) - (still.adjusted() - total.adjusted())
        if total and good >= _DIGITS:
            break
    return narrow.plus(total)


def _context(digits: int) -> Context:
    return Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def _decimal(value: Fraction, context: Context) -> Decimal:
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))
