"""What threads and orders do, in 80 columns."""

from __future__ import annotations

from fpdrift.cli.screens.screen import count, screen, wrapped
from fpdrift.reduction import OrderSpread, SpreadGrowth, Strategies, ThreadOperation


@screen.register
def _operation(result: ThreadOperation) -> list[str]:
    elements = result.exact.size
    made = f" to {count(elements, 'element')}" if elements > 1 else ""
    lines = wrapped(
        f"{result.operation.capitalize()} of {count(result.n, 'term')}{made}, "
        f"{count(result.tries, 'time')}, in {count(result.chunks, 'chunk')}, "
        "each added when its thread is done."
    )
    for run in result.runs:
        found = count(run.distinct, "result")
        if run.distinct > 1:
            found += f", up to {count(run.spread, 'ulp')} apart"
        changing = f"{run.changing:,} of {elements:,} elements change" if elements > 1 else ""
        lines.append(f"    {count(run.threads, 'thread'):12} {found:34} {changing}".rstrip())
        lines.append(f"    {'':12} {count(run.orders, 'order')} of arrival")
    return lines


@screen.register
def _growth(result: SpreadGrowth) -> list[str]:
    lines = [
        f"  {result.operation.capitalize()} in {result.dtype}: ulps from lowest to highest.",
        f"  threads: {count(result.tries, 'try')} by {result.threads}; drawn: in "
        f"{count(result.drawn, 'random order')};",
        "  estimate: if rounding errors cancel by chance; bound: no order can exceed it.",
        "",
        f"  {'numbers':>13} {'chunks':>7} {'threads':>9} {'drawn':>9} {'estimate':>9} {'bound':>9}",
    ]
    lines += [
        f"  {p.n:>13,} {p.chunks:>7,} {p.threads_spread:>9,.0f} {p.drawn_spread:>9,.0f} "
        f"{p.law:>9,.1f} {p.bound:>9,.0f}"
        for p in result.points
    ]
    return lines


@screen.register
def _strategies(result: Strategies) -> list[str]:
    threads = ", ".join(map(str, result.threads))
    lines = [
        *wrapped(
            f"{result.operation.capitalize()} of {count(result.n, result.dtype + ' term')} in "
            f"{count(result.chunks, 'chunk')}, by {threads} threads."
        ),
        "",
        f"  {'':20} {'time':>6}  {'results':>7} {'spread':>9} {'error':>9}  same bits",
    ]
    for row in result.rows:
        promised = "by design" if row.same_bits else "seen" if row.results == 1 else "no"
        lines.append(
            f"  {row.name:20} {row.times_arrival:>6.2f} {row.results:>8,} {row.spread:>9,} "
            f"{row.error:>9,.1f}  {promised}"
        )
    return [
        *lines,
        "",
        "  time: that of the order of arrival is 1. spread, error: largest, in ulps.",
        "  The sum in bins is several NumPy calls here; a compiled one takes less.",
    ]


@screen.register
def _spread(result: OrderSpread) -> list[str]:
    ulps = result.ulps
    found = count(result.distinct, "result")
    lines = [
        *wrapped(
            f"{count(result.n, result.dtype + ' number')} in {count(len(ulps), 'random order')}: "
            f"{found}, from {ulps.min():,.1f} to {ulps.max():,.1f} ulps off the exact sum."
        ),
        "  The same numbers as they really are added:",
    ]
    for name, sums in result.marks.items():
        off = result.in_ulps(sums)
        where = f"{off.min():,.1f}" if len(off) == 1 else f"{off.min():,.1f} to {off.max():,.1f}"
        several = f"  {count(len(off), 'result')}" if len(off) > 1 else ""
        lines.append(f"    {name:14} {where:>16} ulps{several}")
    bound = result.bound / result.ulp
    return [*lines, *wrapped(f"No order can be further off than {bound:,.0f} ulps.")]
