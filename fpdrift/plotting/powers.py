"""Numbers along a logarithmic axis, without the raised exponents that a room cannot read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import LogFormatter, LogFormatterMathtext

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


class PlainPowers(LogFormatter):
    """Write 0.01, 100 and 1e-6; minor ticks only where there is no decade."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write a tick's number, or nothing where Matplotlib would not."""
        return short_power(x) if super().__call__(x, pos) else ""


def short_power(x: float) -> str:
    """Write two digits of 0.01, 100 or 1.5e-6, without a sign or zeros before an exponent."""
    if not math.isfinite(x):
        return str(x)
    digits, exponent = f"{x:.1e}".split("e")
    if -2 <= int(exponent) < 3:
        return f"{float(f'{x:.2g}'):g}"
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def write_plainly(ax: Axes) -> None:
    """Write the numbers of every logarithmic axis in and inside of `ax` so."""
    for axis in (axis for part in (ax, *ax.child_axes) for axis in (part.xaxis, part.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
            write_powers(axis)


def write_powers(axis: Axis) -> None:
    """Write the numbers of one axis so."""
    axis.set_major_formatter(PlainPowers())
    axis.set_minor_formatter(PlainPowers(minor_thresholds=(1, 0.4)))
