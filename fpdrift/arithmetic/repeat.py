"""Repeat an operation as often as you like: the bits that a plain loop leaves, without the wait.

A loop of 1e8 multiplications takes seconds. Its result can be had in microseconds, since inside a
binade each step moves the value by the same whole number of ulps for a long stretch, and a stretch
can be jumped: see `fpdrift.arithmetic.stretch` for why that is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.arithmetic.advance import advance
from fpdrift.arithmetic.affine import after, line
from fpdrift.arithmetic.loops import OpName
from fpdrift.arithmetic.operands import read_count, read_number, read_seconds, read_step
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import format_of, to_fraction
from fpdrift.results import Result, read_only


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ChainCurve(Result):
    """A chain at a few of its steps, for a picture."""

    #: steps done, int64, rising from 0
    steps: npt.NDArray[Any]
    #: the values there, of the chain's dtype
    values: npt.NDArray[Any]
    #: what exact arithmetic would have there, 50 digits (None: not finite)
    exact: tuple[Decimal, ...] | None

    def __repr__(self) -> str:
        return (
            f"ChainCurve({len(self.steps)} points, {self.steps[0]:,} to {self.steps[-1]:,} steps)"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain(Result):
    """What is left of `start` after `steps` steps, each of which applies all `factors` in order."""

    #: a NumPy scalar of the dtype
    start: Any
    #: (operation, scalar of the dtype), as often rounded in a step
    factors: tuple[tuple[str, Any], ...]
    #: the start and the factors as they were passed, where rounding them to the dtype changed them
    given: tuple[Fraction | None, ...]
    steps: int
    dtype: str
    #: the plain loop's result, a NumPy scalar of the dtype
    value: Any
    #: stretches jumped over
    stretches: int
    #: steps done one after another
    looped: int

    @property
    def lost(self) -> Fraction | None:
        """Start minus value, exactly (None: one of them is not finite)."""
        fmt = format_of(self.dtype)
        if not (math.isfinite(self.start) and math.isfinite(self.value)):
            return None
        return to_fraction(self.start, fmt) - to_fraction(self.value, fmt)

    def exact(self) -> Decimal | None:
        """Give what exact arithmetic would leave: nothing rounded, not even start and factors.

        Returns
        -------
        Decimal or None
            50 digits, at least 30 of them right; None if that is no number: the start or a factor
            is infinite or NaN, or a step divides by zero.
        """
        found = self._exact_at((self.steps,))
        return found[0] if found else None

    def curve(self, points: int = 200, max_seconds: float = 60.0) -> ChainCurve:
        """Give the chain at evenly spaced steps, first and last included.

        Parameters
        ----------
        points : int
            At most so many steps, at least 2.
        max_seconds : float
            Give up if it takes longer from one point to the next.

        Raises
        ------
        FpdriftError
            If `points` is no whole number of at least 2, or it takes too long.
        """
        if type(points) is not int or points < 2:
            message = f"a curve needs a whole number of points, at least 2, not {shown(points)}"
            raise FpdriftError(message)
        fmt, seconds = format_of(self.dtype), read_seconds(max_seconds)
        parts = min(points - 1, max(self.steps, 1))
        steps = sorted({self.steps * i // parts for i in range(parts + 1)})
        values = [self.start]
        for gone, here in pairwise(steps):
            at = advance(values[-1], self.factors, here - gone, fmt, seconds)
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
    """Repeat an operation `count` times, each time rounded: bit for bit what a plain loop leaves.

    Parameters
    ----------
    start : str, int, float, Fraction, Decimal or NumPy scalar
        Where the chain starts; read exactly, then rounded once to `dtype`.
    factor : like `start`, or a sequence of 1 to 8 (op, number) pairs
        The other operand of the operation. Pairs are all applied in order in each step, and each
        of them rounds.
    count : int
        Steps, 0 to 2**63 - 1 (a float such as 1e8 if it is a whole number).
    op : str, default "multiply"
        ``"multiply"``, ``"divide"``, ``"add"`` or ``"subtract"``; pairs name their own.
    dtype : str or numpy.dtype, default "float64"
        ``"float16"``, ``"bfloat16"``, ``"float32"`` or ``"float64"``.
    max_seconds : float, default 60.0
        Give up after this time.

    Returns
    -------
    Chain
        The value, and how it was found. A NaN stands for any NaN.

    Raises
    ------
    FpdriftError
        If an argument is no such thing, or the time is over: where |factor - 1| lies far above
        1e-10 no stretch is long, and only a plain loop is left.

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
