"""Shared style of pictures: fixed colours, common phrases, and tick labels of logarithmic axes.

Matplotlib resolves a colour such as "C1" only when it renders. A notebook renders after our style
has been removed and would use its own colours, so they are fixed beforehand. Tick labels have no
raised exponents, which cannot be read from a distance.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, LogFormatterMathtext

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_NAMED = re.compile(r"C\d")
_PARTS = ("color", "markerfacecolor", "markeredgecolor")


def fix_colours(figure: Figure) -> None:
    """Replace colours such as "C1" by their current values; patches store them already."""
    for artist in figure.findobj(lambda a: isinstance(a, Line2D | Text)):
        for part in _PARTS:
            colour = getattr(artist, f"get_{part}", lambda: None)()
            if isinstance(colour, str) and _NAMED.fullmatch(colour):
                getattr(artist, f"set_{part}")(to_hex(colour))


def many(count: int, noun: str) -> str:
    """Return a number with its noun, as in 1 ulp, 2 ulps."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def sized(size: str, steps: int) -> str:
    """Describe the size of a study: quick, or that of the original experiment."""
    named = "original size" if size == "full" else "quick"
    return f"{named}: {many(steps, 'step')} per run"


def capital(text: str) -> str:
    """Capitalize a title, unless it begins with the name of a function such as index_add."""
    return text if "_" in text.split(maxsplit=1)[0] else text[0].upper() + text[1:]


class PlainPowers(LogFormatter):
    """Format ticks as 0.01, 100 and 1e-6; label minor ticks only if there is no decade."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick, empty where Matplotlib has none."""
        return short_power(x) if super().__call__(x, pos) else ""


def short_power(x: float) -> str:
    """Format two digits as 0.01, 100 or 1.5e-6, without sign or zeros in a positive exponent."""
    if not math.isfinite(x):
        return str(x)
    digits, exponent = f"{x:.1e}".split("e")
    if -2 <= int(exponent) < 3:
        return f"{float(f'{x:.2g}'):g}"
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def write_plainly(ax: Axes) -> None:
    """Use `PlainPowers` on every logarithmic axis of `ax` and its child axes."""
    for axis in (axis for part in (ax, *ax.child_axes) for axis in (part.xaxis, part.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
            write_powers(axis)


def write_powers(axis: Axis) -> None:
    """Use `PlainPowers` on one axis."""
    axis.set_major_formatter(PlainPowers())
    axis.set_minor_formatter(PlainPowers(minor_thresholds=(1, 0.4)))
