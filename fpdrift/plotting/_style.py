"""Fix the colours of a drawing.

Matplotlib reads a colour such as "C1" when it draws. A notebook draws after our style is gone, and
would take its own colours.

Words that several pictures use.

Numbers along a logarithmic axis, without the raised exponents that a room cannot read.
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
    """Replace each "C1" by the colour that it means now; patches have done so themselves."""
    for artist in figure.findobj(lambda a: isinstance(a, Line2D | Text)):
        for part in _PARTS:
            colour = getattr(artist, f"get_{part}", lambda: None)()
            if isinstance(colour, str) and _NAMED.fullmatch(colour):
                getattr(artist, f"set_{part}")(to_hex(colour))


def many(count: int, noun: str) -> str:
    """Write a number with its noun, as in 1 ulp, 2 ulps."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def sized(size: str, steps: int) -> str:
    """Describe how large a study was; a quick one is not the source's."""
    named = "the source's size" if size == "full" else "quick"
    return f"{named}: {many(steps, 'step')} a run"


def capital(text: str) -> str:
    """Start a title with a capital, but leave a function's name such as index_add as it is."""
    return text if "_" in text.split(maxsplit=1)[0] else text[0].upper() + text[1:]


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
