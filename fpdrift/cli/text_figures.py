"""A tree and a chart, drawn in characters.

The tree has a row for each input; the sum comes out at the right. The chart shows distances over
the steps on a logarithmic scale.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fpdrift.reduction import Plan

#: Larger trees are not drawn in characters.
MOST_INPUTS = 32


def tree_text(plan: Plan) -> list[str]:
    """Draw a plan: an addition joins what comes from ``.`` and ``+``, and continues at the last.

    Parameters
    ----------
    plan : Plan
        Of at most `MOST_INPUTS` inputs.

    Returns
    -------
    list of str
        A row for each input, each branch's side by side, no longer than 72 columns.
    """
    n = plan.n
    terms = [plan.children[b:e].tolist() for b, e in pairwise(plan.starts.tolist())]
    inputs = _from_top(n, terms)
    margin = len(str(n - 1))
    rows = {number: row for row, number in enumerate(inputs)}
    columns = dict.fromkeys(inputs, margin)
    lines = [list(f"{number:>{margin}}".ljust(margin + 2 * plan.depth + 2)) for number in inputs]
    for node, kids in enumerate(terms, start=n):
        ends = [rows[kid] for kid in kids]
        column = max(columns[kid] for kid in kids) + 2
        for row in range(ends[0], ends[-1] + 1):
            lines[row][column] = "." if row == ends[0] else "+" if row in ends else "|"
        for kid, row in zip(kids, ends, strict=True):
            lines[row][columns[kid] + 1 : column] = "-" * (column - 1 - columns[kid])
        rows[node], columns[node] = ends[-1], column
    return ["".join(line).rstrip() for line in lines]


def _from_top(n: int, terms: list[list[int]]) -> list[int]:
    """Return the inputs in the order in which no two lines cross."""
    inputs, to_do = [], [n + len(terms) - 1]
    while to_do:
        number = to_do.pop()
        if number < n:
            inputs.append(number)
        else:
            to_do += reversed(terms[number - n])
    return inputs


_ROWS = 9
#: Columns of a chart's plot on a wide and on a narrow screen.
CHART_WIDTHS = 50, 22


def chart(
    steps: Sequence[int], values: Sequence[float], title: str, width: int = CHART_WIDTHS[0]
) -> list[str]:
    """Draw positive values over steps, without zeros (equal bits) and non-finite values.

    Parameters
    ----------
    steps, values : sequences of equal length
    title : str
        The first line.
    width : int
        Columns of the plot; the labels take 12 more.

    Returns
    -------
    list of str
        Empty if no value is above zero.
    """
    points = [(s, v) for s, v in zip(steps, values, strict=True) if v > 0 and math.isfinite(v)]
    if not points:
        return []
    decades = [math.floor(math.log10(v)) for _, v in points]
    low, high = min(decades), max(decades)
    stride = max(1, math.ceil((high - low + 1) / _ROWS))
    rows = (high - low) // stride + 1
    cells = [[" "] * width for _ in range(rows)]
    last = max(*steps, 1)
    for (step, _), decade in zip(points, decades, strict=True):
        cells[(decade - low) // stride][round(step / last * (width - 1))] = "*"
    lines = [
        f"     1e{low + row * stride:+03d} |{''.join(cells[row])}".rstrip()
        for row in range(rows - 1, -1, -1)
    ]
    return [f"     {title}", *lines, _axis(last, width)]


def _axis(last: int, width: int) -> str:
    """Return step numbers under the columns that they belong to."""
    row = [" "] * (width + 8)
    parts = 4 if width > 40 else 2
    for part in range(parts + 1):
        number = str(round(last * part / parts))
        column = round(part / parts * (width - 1))
        row[column : column + len(number)] = number
    return "      step +" + "".join(row).rstrip()
