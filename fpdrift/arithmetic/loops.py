"""The plain loops: one step after another, as the machine rounds them.

Everything else about chains is a shortcut that has to leave the same bits as these.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
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
    """Make a step of (name, scalar) pairs; `as_float` swaps scalars for Python floats."""
    return tuple(
        Operation(name, APPLY[name], float(factor) if as_float else factor)
        for name, factor in factors
    )


def walk(x: Any, step: Step, steps: int) -> list[Any]:
    """Go `steps` steps and keep every state, `x` and those inside a step included."""
    if len(step) == 1:
        return list(accumulate(repeat(step[0].factor, steps), step[0].apply, initial=x))
    states = [x]
    for _ in range(steps):
        for _name, apply, factor in step:
            x = apply(x, factor)
            states.append(x)
    return states


def run(x: Any, step: Step, steps: int, fmt: Format) -> Any:
    """Go `steps` steps and keep the last state, compiled where a library can."""
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
    """Find the NumPy function whose ``reduce`` is a plain loop of this step, if there is one.

    Adding subtracts the negative, which is the same operation (IEEE 754-2019, section 5.4.1):
    ``np.add.reduce`` adds in pairs.
    """
    if len(step) > 1 or fmt.bits == 16:
        return None
    name = "subtract" if step[0].name == "add" else step[0].name
    return getattr(np, name) if _reduces_in_order(name, fmt.dtype) else None


@cache
def _reduces_in_order(name: str, dtype: np.dtype[Any]) -> bool:
    """See whether this NumPy's ``reduce`` leaves a plain loop's bits; no document promises it."""
    start, factor = dtype.type(1.7), dtype.type(1.01)
    steps = range(200, 1000, 97)
    states = walk(start, (Operation(name, APPLY[name], factor),), max(steps))
    reduce = getattr(np, name).reduce
    return all(reduce(np.broadcast_to(factor, n), initial=start) == states[n] for n in steps)


def by_table(x: Any, step: Step, steps: int, fmt: Format) -> Any:
    """Go `steps` steps in a 16-bit format: its step is a table of 65,536 states.

    The table of twice as many steps is the table looked up in itself, so that any count takes as
    many look-ups as it has binary digits.
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
    """Tell whether two states lead on to the same: equal with equal sign, or both NaN."""
    if a == b:
        return bool(a) or math.copysign(1.0, a) == math.copysign(1.0, b)
    return bool(a != a and b != b)  # both NaN
