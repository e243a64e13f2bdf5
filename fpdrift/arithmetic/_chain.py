"""Repeat an operation many times, bit-identical to a plain loop but much faster.

A loop of 1e8 multiplications takes seconds. Its result is available in microseconds, because
inside a binade each step moves the value by the same whole number of ulps for a long stretch, and
such a stretch can be skipped: see `fpdrift.arithmetic._fast_forward` for why that is exact.

The file checks the arguments first, then defines the results, then `chain` itself.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.arithmetic._fast_forward import advance
from fpdrift.arithmetic._loops import APPLY, OpName, after, line
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import Format, exact, format_of, round_to, to_fraction
from fpdrift.serialization import Result, read_only

#: Most operations in one step.
_MOST_OPERATIONS = 8
#: Steps are counted in a signed 64-bit integer.
_MOST_STEPS = 2**63 - 1


class Operand(NamedTuple):
    """A number as a chain uses it."""

    #: a scalar of the dtype
    value: Any
    #: the exact argument, if rounding it to the dtype changed it
    given: Fraction | None


def read_number(x: Any, fmt: Format, what: str) -> Operand:
    """Round an argument to a scalar of the format."""
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
        message = f"op={short_repr(op)} needs one number; in a sequence each pair names its own"
        raise FpdriftError(message)
    for pair in factor:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            message = (
                f"not an (op, number) pair: {short_repr(pair)}; "
                "write [('multiply', 3), ('divide', 7)]"
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
        message = f"count must be a whole number from 0 to 2**63 - 1, not {short_repr(count)}"
        raise FpdriftError(message)
    return steps


def read_seconds(max_seconds: Any) -> float:
    """Read a time limit; it may be infinite."""
    try:
        seconds = float(max_seconds)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not seconds > 0 or isinstance(max_seconds, bool):
        message = f"max_seconds must be a number above 0, not {short_repr(max_seconds)}"
        raise FpdriftError(message)
    return seconds


def _operation(op: Any) -> str:
    if not isinstance(op, str) or op not in APPLY:
        message = f"unknown operation {short_repr(op)}; choose one of {', '.join(APPLY)}"
        raise FpdriftError(message)
    return op


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ChainCurve(Result):
    """The values of a chain at some of its steps, for plotting."""

    #: numbers of steps done, int64, increasing from 0
    steps: npt.NDArray[Any]
    #: the values after them, of the chain's dtype
    values: npt.NDArray[Any]
    #: the values in exact arithmetic, 50 digits (None: not finite)
    exact: tuple[Decimal, ...] | None

    def __repr__(self) -> str:
        return (
            f"ChainCurve({len(self.steps)} points, {self.steps[0]:,} to {self.steps[-1]:,} steps)"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain(Result):
    """The value of `start` after `steps` steps, each of which applies all `factors` in order."""

    #: a NumPy scalar of the dtype
    start: Any
    #: (operation, scalar of the dtype) pairs; each rounds once in a step
    factors: tuple[tuple[str, Any], ...]
    #: the start and the factors as they were passed, where rounding them to the dtype changed them
    given: tuple[Fraction | None, ...]
    steps: int
    dtype: str
    #: the plain loop's result, a NumPy scalar of the dtype
    value: Any
    #: runs of identical steps that were skipped
    stretches: int
    #: steps computed one after another
    looped: int

    @property
    def lost(self) -> Fraction | None:
        """Start minus value, exactly (None: one of them is not finite)."""
        fmt = format_of(self.dtype)
        if not (math.isfinite(self.start) and math.isfinite(self.value)):
            return None
        return to_fraction(self.start, fmt) - to_fraction(self.value, fmt)

    def exact(self) -> Decimal | None:
        """Return the value in exact arithmetic, with neither start nor factors rounded.

        Returns
        -------
        Decimal or None
            50 digits, at least 30 of them correct; None if it is undefined: the start or a factor
            is infinite or NaN, or a step divides by zero.
        """
        found = self._exact_at((self.steps,))
        return found[0] if found else None

    def curve(self, points: int = 200, max_seconds: float = 60.0) -> ChainCurve:
        """Return the chain at evenly spaced steps, first and last included.

        Parameters
        ----------
        points : int
            Maximum number of steps, at least 2.
        max_seconds : float
            Time limit from one point to the next, in seconds.

        Raises
        ------
        FpdriftError
            If `points` is not an integer of at least 2, or the time limit is exceeded.
        """
        if type(points) is not int or points < 2:
            message = (
                f"a curve needs a whole number of points, at least 2, not {short_repr(points)}"
            )
            raise FpdriftError(message)
        fmt, seconds = format_of(self.dtype), read_seconds(max_seconds)
        parts = min(points - 1, max(self.steps, 1))
        steps = sorted({self.steps * i // parts for i in range(parts + 1)})
        values = [self.start]
        for last, step in pairwise(steps):
            at = advance(values[-1], self.factors, step - last, fmt, seconds)
            values.append(at.value)
        return ChainCurve(
            steps=read_only(steps, np.int64),
            values=read_only(values, fmt.dtype),
            exact=self._exact_at(tuple(steps)),
        )

    def _exact_at(self, steps: tuple[int, ...]) -> tuple[Decimal, ...] | None:
        fmt = format_of(self.dtype)
        values = (self.start, *(factor for _, factor in self.factors))
        operands = list(zip(values, self.given, strict=True))
        if not all(given is not None or math.isfinite(value) for value, given in operands):
            return None
        start, *numbers = (
            to_fraction(value, fmt) if given is None else given for value, given in operands
        )
        names = [name for name, _ in self.factors]
        factors = tuple(zip(names, numbers, strict=True))
        if ("divide", Fraction(0)) in factors:
            return None
        return tuple(after(start, *line(factors), n) for n in steps)

    def __repr__(self) -> str:
        step = ", ".join(f"{name} {factor!s}" for name, factor in self.factors)
        return f"Chain({self.dtype} {self.start!s}, {self.steps:,} x ({step}) -> {self.value!s})"


def chain(
    start: Any,
    factor: Any,
    count: int,
    op: OpName = "multiply",
    dtype: Any = "float64",
    max_seconds: float = 60.0,
) -> Chain:
    """Repeat a rounded operation `count` times, bit-identical to a plain loop.

    Parameters
    ----------
    start : str, int, float, Fraction, Decimal or NumPy scalar
        The first value; read exactly, then rounded once to `dtype`.
    factor : like `start`, or a sequence of 1 to 8 (op, number) pairs
        The other operand of the operation. Each step applies all pairs in order, and each pair
        rounds.
    count : int
        Number of steps, 0 to 2**63 - 1 (or a float with an integer value, such as 1e8).
    op : str, default "multiply"
        ``"multiply"``, ``"divide"``, ``"add"`` or ``"subtract"``; used if `factor` is a number.
    dtype : str or numpy.dtype, default "float64"
        ``"float16"``, ``"bfloat16"``, ``"float32"`` or ``"float64"``.
    max_seconds : float, default 60.0
        Time limit.

    Returns
    -------
    Chain
        The value, and how it was computed. A NaN stands for any NaN.

    Raises
    ------
    FpdriftError
        If an argument is invalid, or the time limit is exceeded: where |factor - 1| is far above
        1e-10, no run of identical steps is long, and only the plain loop remains.

    Examples
    --------
    >>> import fpdrift
    >>> fpdrift.chain(1.0, (2 / 9 * 11) / (2 * 11 / 9), 10**8).value
    np.float64(0.9999999777955395)
    """
    fmt = format_of(dtype)
    first = read_number(start, fmt, "start")
    step = read_step(factor, op, fmt)
    steps = read_count(count)
    factors = tuple((name, operand.value) for name, operand in step)
    at = advance(first.value, factors, steps, fmt, read_seconds(max_seconds))
    return Chain(
        start=first.value,
        factors=factors,
        given=(first.given, *(operand.given for _, operand in step)),
        steps=steps,
        dtype=fmt.name,
        value=at.value,
        stretches=at.stretches,
        looped=at.looped,
    )
