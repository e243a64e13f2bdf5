"""Draw the bits of one float, coloured by field, with their meaning and its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from fpdrift._kinds import pictures
from fpdrift.floats import FIELDS, facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.floats import Anatomy

#: Bits per row; sign and exponent of float64 have 12 bits, its fraction takes two rows.
_ROW = 26
#: Colours of the fields, by letter; dark enough for white digits.
_COLOURS = {"s": "#9C3F00", "e": "#005A8F", "f": "#00664C"}
#: Most characters of a line of text below the bits.
_WIDTH = 70
#: Most characters of the exact value in the title.
_TITLE = 36
_LISTED = ("exact", "formula", "ulp")


@pictures.register
def draw_anatomy(result: Anatomy, ax: Axes) -> None:
    """Draw the bits, sign and exponent above the fraction, followed by their meaning."""
    ax.set_axis_off()
    ax.set_title(_title(result))
    _bits(ax, result.sign_bits, "s", 0, 0)
    _bits(ax, result.exponent_bits, "e", 3, 0)
    fraction = result.significand_bits
    rows = [fraction[i : i + _ROW] for i in range(0, len(fraction), _ROW)]
    for number, row in enumerate(rows, 1):
        _bits(ax, row, "f", 0, 2.4 * number, named=number == 1)
    y = 2.4 * (len(rows) + 1)
    for line in _lines(result):
        ax.text(0, y, line, va="center", family="monospace")
        y += 1.25
    ax.set(xlim=(-0.2, _ROW + 0.2), ylim=(y, -1.6))


def _title(result: Anatomy) -> str:
    given, exact = str(result.value), result.decimal
    if given in (exact, f"{exact}.0"):
        return f"{given} in {result.dtype}: {len(result.bits)} bits, {result.kind}"
    return f"{given} in {result.dtype} is {_cut(exact, _TITLE)}"


def _bits(ax: Axes, bits: str, letter: str, x: float, y: float, *, named: bool = True) -> None:
    colour = _COLOURS[letter]
    if named:
        name = f"{letter} = {FIELDS[letter]}"
        ax.text(x, y - 0.95, name, color=colour, va="center")
    for place, bit in enumerate(bits):
        box = Rectangle(
            (x + place, y - 0.5), 0.92, 1.2, facecolor=colour if bit == "1" else "white"
        )
        box.set(edgecolor=colour, linewidth=1.4)
        ax.add_patch(box)
        tone = "white" if bit == "1" else colour
        ax.text(x + place + 0.46, y + 0.1, bit, color=tone, ha="center", va="center")


def _lines(result: Anatomy) -> list[str]:
    """Describe the meaning of the bits; long decimals are cut."""
    known = facts(result)
    lines = [f"{name:8} {_cut(known[name])}" for name in _LISTED if name in known]
    return [*lines, f"next to  {known['below']} and {known['above']}"]


def _cut(text: str, longest: int = _WIDTH) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
