"""A small chart of characters: how far apart, over the steps, on a logarithmic scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROWS = 9
_COLUMNS = 50


def chart(steps: Sequence[int], values: Sequence[float], title: str) -> list[str]:
    """Draw positive values over steps; zeros (equal bits) and non-finite ones are left out.

    Parameters
    ----------
    steps, values : sequences of equal length
    title : str
        Stands at the right of the top row.

    Returns
    -------
    list of str
        No line longer than 80 columns; empty if nothing is above zero.
    """
    points = [(s, v) for s, v in zip(steps, values, strict=True) if v > 0 and math.isfinite(v)]
    if not points:
        return []
    decades = [math.floor(math.log10(v)) for _, v in points]
    low, high = min(decades), max(decades)
    stride = max(1, math.ceil((high - low + 1) / _ROWS))
    rows = (high - low) // stride + 1
    cells = [[" "] * _COLUMNS for _ in range(rows)]
    last = max(*steps, 1)
    for (step, _), decade in zip(points, decades, strict=True):
        cells[(decade - low) // stride][round(step / last * (_COLUMNS - 1))] = "*"
    lines = [
        f"     1e{low + row * stride:+03d} |{''.join(cells[row])}".rstrip()
        for row in range(rows - 1, -1, -1)
    ]
    return [f"     {title}", *lines, _axis(last)]


def _axis(last: int) -> str:
    """Step numbers under the columns that they belong to."""
    row = [" "] * (_COLUMNS + 8)
    for quarter in range(5):
        number = str(round(last * quarter / 4))
        column = round(quarter / 4 * (_COLUMNS - 1))
        row[column : column + len(number)] = number
    return "      step +" + "".join(row).rstrip()
