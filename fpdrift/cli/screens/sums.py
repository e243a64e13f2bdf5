"""Ways of summing in 80 columns."""

from __future__ import annotations

import math

from fpdrift.cli.screens.screen import count, screen
from fpdrift.floats import format_of
from fpdrift.reduction import SumGrowth, SumRow, SumTable

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
        heads = [f"{c:.0e}" for c in chosen]
        lines += ["", *_block("condition number", heads, [by_condition[c] for c in chosen])]
    return [*lines, "", *_notes(result)]


@screen.register
def _growth(result: SumGrowth) -> list[str]:
    first = result.tables[0]
    lines = [
        f"  {first.dtype} numbers of the condition number {first.rows[0].condition:.0e}, summed by",
        f"  each way in {count(first.orders, 'order')}. In units of u:",
        "  error: the largest relative one; bound: the most that theory allows.",
        "  #: how many different results.",
    ]
    for begin in range(0, len(result.tables), _BESIDE):
        chosen = result.tables[begin : begin + _BESIDE]
        heads = [f"{table.n:,}" for table in chosen]
        lines += ["", *_block("numbers", heads, [list(table.rows) for table in chosen])]
    return lines


def _block(what: str, columns_are: list[str], columns: list[list[SumRow]]) -> list[str]:
    heads = f"  {what:16}" + "".join(f"{head:>20}" for head in columns_are)[3:]
    timed = columns[0][0].times_numpy is not None
    names = f"  {' error':>6} {'bound':>7} {'#':>3}" * len(columns)
    lines = [heads, f"  {'':13}{names}{' time' if timed else ''}"]
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
