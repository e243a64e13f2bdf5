"""One float in its bits, coloured and lettered: what they stand for, and what lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from fpdrift._kinds import pictures
from fpdrift.floats import FIELDS, facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.floats import Anatomy

#: Bits in a row; the sign and the exponent of float64 are 12, its fraction two rows.
_ROW = 26
#: Of the fields, by letter; white digits stand out on each.
_COLOURS = {"s": "#9C3F00", "e": "#005A8F", "f": "#00664C"}
#: Characters of a line of text below the bits.
_WIDTH = 70
#: Of the exact value in the title.
_TITLE = 36
_SAID = ("exact", "formula", "ulp")


@pictures.register
def draw_anatomy(result: Anatomy, ax: Axes) -> None:
    """Draw the bits, sign and exponent above the fraction, then what they stand for."""
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
    """Describe what the bits stand for; a long decimal is cut."""
    said = facts(result)
    lines = [f"{name:8} {_cut(said[name])}" for name in _SAID if name in said]
    return [*lines, f"beside   {said['below']} and {said['above']}"]


def _cut(text: str, longest: int = _WIDTH) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
