"""A tree in characters: inputs at the left, a row each; the sum comes out at the right."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdrift.reduction import Plan

#: Larger trees fit on no screen.
MOST_INPUTS = 32


def tree_text(plan: Plan) -> list[str]:
    """Draw a plan: an addition joins what comes from ``.`` and ``+``, and goes on from the last.

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
    """Give the inputs in the order in which no two lines cross."""
    inputs, to_do = [], [n + len(terms) - 1]
    while to_do:
        number = to_do.pop()
        if number < n:
            inputs.append(number)
        else:
            to_do += reversed(terms[number - n])
    return inputs
