"""Ways of summing in 80 columns."""

from __future__ import annotations

import math

from fpdrift.cli.screens.screen import count, screen
from fpdrift.floats import format_of
from fpdrift.reduction import SumRow, SumTable

#: Condition numbers side by side.
_BESIDE = 3


@screen.register
def _sums(result: SumTable) -> list[str]:
    by_condition: dict[float, list[SumRow]] = {}
    for row in result.rows:
        by_condition.setdefault(row.condition, []).append(row)
    conditions = list(by_condition)
    lost = 2.0 ** format_of(result.dtype).precision
    tried = count(result.orders, "order")
    lines = [
        f"  {result.n:,} {result.dtype} numbers, summed by each way in {tried}. In units of u:",
        f"  error: the largest relative one ({_size(lost)}: not one digit is right);",
        "  bound: the most that theory allows. #: how many different results.",
    ]
    for first in range(0, len(conditions), _BESIDE):
        chosen = conditions[first : first + _BESIDE]
        lines += ["", *_block(chosen, [by_condition[c] for c in chosen])]
    return [*lines, "", *_notes(result)]


def _block(conditions: list[float], columns: list[list[SumRow]]) -> list[str]:
    heads = "".join(f"{c:>20.0e}" for c in conditions)[16 - 13 :]
    timed = columns[0][0].times_numpy is not None
    names = f"  {' error':>6} {'bound':>7} {'#':>3}" * len(columns)
    lines = [f"  condition number{heads}", f"  {'':13}{names}{' time' if timed else ''}"]
    for rows in zip(*columns, strict=True):
        cells = "".join(f"  {_size(r.error):>6} {_size(r.bound):>7} {r.results:>3}" for r in rows)
        price = f" {rows[0].times_numpy:>4.0f}" if timed else ""
        lines.append(f"  {rows[0].name:13}{cells}{price}")
    return lines


def _size(units: float) -> str:
    """Write a number of units in few characters."""
    if math.isinf(units):
        return "none"
    return f"{units:.1f}" if units < 999.95 else f"{units:.0e}"


def _notes(result: SumTable) -> list[str]:
    fixed = [row.name for row in result.rows if not row.order_matters]
    lines = [f"  The same bits in any order, by design: {', '.join(dict.fromkeys(fixed))}."]
    if result.rows and result.rows[0].times_numpy is not None:
        lines.append("  time: in numpy.sum's, of these programs (Kahan's is a Python loop).")
    return lines
