"""Draw parallel sums: results by thread count, operations, strategies, and spreads of orders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fpdrift._kinds import pictures
from fpdrift.plotting._style import capital, many
from fpdrift.reduction.parallel._results import ORDER_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.experiments import ThreadsAndTree
    from fpdrift.reduction import ThreadRun, ThreadSums
    from fpdrift.reduction.parallel import (
        GrowthPoint,
        OperationRun,
        OrderSpread,
        SpreadGrowth,
        Strategies,
        ThreadOperation,
    )

#: With more bars than this, neighbouring results share one; above half, counts are omitted.
_MOST_BARS_THREADS = 40
#: Height of a row's highest possible bar; rows are 1 apart.
_FULL = 0.72


@pictures.register
def draw_threads(result: ThreadSums, ax: Axes) -> None:
    """Draw a row of bars for each thread count, and one for the fixed order below them."""
    rows = [run.ulps for run in result.runs]
    rows.append(np.concatenate([run.fixed_ulps for run in result.runs]))
    low, high = min(row.min() for row in rows), max(row.max() for row in rows)
    step = max(1.0, np.ceil((high - low + 1) / _MOST_BARS_THREADS))
    # results differ by whole ulps, with the exact sum in between: bars are centred on a result
    edges = np.arange(low - 0.5, high + step, step)
    top = len(rows) - 1
    for i, row in enumerate(rows):
        _draw_row(row, edges, top - i, "black" if i == top else f"C{i % 6}", ax)
    _mark_exact(edges, ax)
    ax.set_ylim(-0.06, top + 1)
    ax.set_yticks(np.arange(top, -1, -1) + _FULL / 3, _names(result))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.set_ylabel("sums (rows scaled)")
    ax.set_xlabel(f"ulps from the exact sum (1 ulp = {result.runs[0].ulp:.2g})")
    ax.set_title(_title(result), pad=28)


@pictures.register
def _draw_threads_and_tree(result: ThreadsAndTree, ax: Axes) -> None:
    draw_threads(result.sums, ax)


def _draw_row(
    ulps: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], base: int, color: str, ax: Axes
) -> None:
    counts, _ = np.histogram(ulps, edges)
    step = edges[1] - edges[0]
    there = np.flatnonzero(counts)
    middles = edges[there] + step / 2
    # a single sum out of 200 must remain visible
    heights = np.maximum(_FULL * counts[there] / len(ulps), 0.03)
    ax.axhline(base, color="0.6", linewidth=1)
    ax.bar(middles, heights, 0.8 * step, bottom=base, color=color)
    if len(edges) <= _MOST_BARS_THREADS / 2:
        for x, height, count in zip(middles, heights, counts[there], strict=True):
            ax.text(x, base + height + 0.02, str(count), ha="center", va="bottom")


def _mark_exact(edges: npt.NDArray[np.float64], ax: Axes) -> None:
    """Mark zero, unless it is so far away that the bars would become too narrow."""
    step = edges[1] - edges[0]
    if max(edges[0], -edges[-1]) > _MOST_BARS_THREADS * step:
        return
    ax.axvline(0, color="black", linestyle="--")
    ax.set_xlim(min(edges[0], -step) - 0.2 * step, max(edges[-1], step) + 0.2 * step)
    ax.annotate(
        "exact sum",
        (0, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
    )


def _names(result: ThreadSums) -> list[str]:
    names = [f"{_threads(run)}:\n{_results(run.distinct)}" for run in result.runs]
    fixed = np.unique(np.concatenate([run.fixed for run in result.runs]))
    return [*names, f"fixed order:\n{_results(len(fixed))}"]


def _threads(run: ThreadRun) -> str:
    return "1 thread" if run.threads == 1 else f"{run.threads} threads"


def _results(count: int) -> str:
    return "1 result" if count == 1 else f"{count} results"


def _title(result: ThreadSums) -> str:
    widest = max(result.runs, key=lambda run: run.distinct)
    if widest.distinct > 1:
        apart = f"up to {widest.spread} ulp{'' if widest.spread == 1 else 's'} apart"
        return f"Same numbers, {_threads(widest)}: {widest.distinct} results, {apart}"
    if max(run.orders for run in result.runs) > 1:
        return "Same numbers in different orders of arrival: still 1 result"
    return "Same numbers, the same order of arrival each time: 1 result"


#: Larger spreads share the last bar.
_MOST = 12


@pictures.register
def draw_thread_operation(result: ThreadOperation, ax: Axes) -> None:
    """Draw the number of elements against the ulps between their lowest and highest results."""
    width = 0.84 / len(result.runs)
    most = min(_MOST, max(run.spread for run in result.runs))
    for i, run in enumerate(result.runs):
        spreads = np.minimum(np.atleast_1d(run.spreads).ravel(), most).astype(np.int64)
        counts = np.bincount(spreads, minlength=most + 1)
        x = np.arange(most + 1) + width * (i - (len(result.runs) - 1) / 2)
        ax.bar(x, counts, width, color=f"C{i % 6}", label=_describe_run(run))
        for place, count in zip(x, counts, strict=True):
            if count and len(result.runs) <= 2:
                ax.text(place, count, f"{count:,}", ha="center", va="bottom")
    beyond = max(run.spread for run in result.runs) > most
    names = [str(k) for k in range(most + 1)]
    ax.set_xticks(range(most + 1), [*names[:-1], f"{most}+"] if beyond else names)
    if most < 2:  # one bar must not fill the picture
        ax.set_xlim(-1.5, most + 1.5)
    ax.grid(visible=False, axis="x")
    ax.set_xlabel("ulps between an element's lowest and highest result")
    ax.set_ylabel(f"elements, of {result.exact.size:,}")
    ax.set_title(f"{result.operation} of {result.n:,} {result.dtype}, {result.tries:,} tries each")
    ax.legend(loc="best")


def _describe_run(run: OperationRun) -> str:
    return f"{many(run.threads, 'thread')}: {many(run.distinct, 'result')}"


@pictures.register
def draw_strategies(result: Strategies, ax: Axes) -> None:
    """Draw the time of each strategy as a bar, labelled with its results."""
    rows = list(reversed(result.rows))
    for y, row in enumerate(rows):
        ax.barh(y, row.times_arrival, 0.6, color="C0" if row.results == 1 else "C1")
        found = many(row.results, "result")
        if row.results == 1:
            found += ", by design" if row.same_bits else ", not guaranteed"
        else:
            found += f", {many(row.spread, 'ulp')} wide"
        ax.annotate(
            f"{row.times_arrival:.2g} times: {found}",
            (row.times_arrival, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    ax.set_yticks(range(len(rows)), [row.name.replace(" ", "\n", 1) for row in rows])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.axvline(1, color="black", linestyle=":", linewidth=1.6)
    ax.set_xlim(0, 1.9 * max(row.times_arrival for row in rows))
    ax.set_xlabel("time relative to adding in order of arrival")
    times = [row.times_arrival for row in rows if row.same_bits]
    ax.set_title(
        f"The same bits take {min(times):.2g} to {max(times):.2g} times as long\n"
        f"({result.operation} of {result.n:,} {result.dtype})"
    )


_MOST_BARS_SPREAD = 60
#: Height of a row for one real order of addition, relative to the bars.
_ROW = 0.13


@pictures.register
def draw_order_spread(result: OrderSpread, ax: Axes) -> None:
    """Draw a histogram in ulps from the exact sum, and above it a row for each real order."""
    ulps = result.ulps
    marks = {
        ORDER_NAMES.get(name, name): result.in_ulps(sums) for name, sums in result.marks.items()
    }
    low = min([0.0, ulps.min(), *(where.min() for where in marks.values())])
    high = max([0.0, ulps.max(), *(where.max() for where in marks.values())])
    # results differ by whole ulps, so every bar covers the same number of them
    step = max(1.0, np.ceil((high - low + 1) / _MOST_BARS_SPREAD))
    counts, edges = np.histogram(ulps, np.arange(low - 0.5, high + step + 0.5, step))
    ax.bar(edges[:-1] + step / 2, counts / counts.max(), 0.92 * step, color="C0")
    ax.axvline(0, color="black", linestyle="--", linewidth=1.6)
    rows = 1.06 + _ROW * np.arange(1, len(marks) + 1)
    for y, where in zip(rows, reversed(marks.values()), strict=True):
        ax.axhline(y, color="0.88", linewidth=1, zorder=0)
        ax.plot(where, np.full(len(where), y), "o", color="C1")
    ax.set_yticks(
        [0, 1, *rows], ["0", f"{counts.max():,}", *reversed(marks)], verticalalignment="center"
    )
    ax.set_ylim(0, rows.max(initial=1) + _ROW)
    ax.set_xlim(edges[0] - step, edges[-1] + step)
    ax.grid(visible=False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"ulps from the exact sum, dashed (1 ulp = {result.ulp:.2g})")
    ax.set_ylabel("random orders")
    ax.yaxis.set_label_coords(-0.09, 0.5 / ax.get_ylim()[1])
    apart = round(float(ulps.max() - ulps.min()))
    ax.set_title(
        f"{many(result.n, 'number')} in {many(len(ulps), 'order')}: "
        f"{many(result.distinct, 'result')}, {many(apart, 'ulp')} wide"
    )


@pictures.register
def draw_spread_growth(result: SpreadGrowth, ax: Axes) -> None:
    """Draw measured spreads against the number of chunks, one line for each n."""
    lines: dict[int, list[GrowthPoint]] = {}
    for point in sorted(result.points, key=lambda point: (point.n, point.chunks)):
        lines.setdefault(point.n, []).append(point)
    for i, (n, points) in enumerate(lines.items()):
        chunks = [point.chunks for point in points]
        color, marker = f"C{i % 6}", "osD^v*"[i % 6]
        drawn = _above_zero(point.drawn_spread for point in points)
        ax.plot(chunks, drawn, marker, linestyle="-", color=color, label=f"{n:,} numbers")
        arrived = _above_zero(point.threads_spread for point in points)
        ax.plot(chunks, arrived, marker, color=color, markerfacecolor="white")
    longest = max(lines.values(), key=lambda points: points[-1].chunks)
    _draw_theory("upper bound", longest, [point.bound for point in longest], ax)
    _draw_theory("√chunks", longest, [point.law for point in longest], ax)
    _dress(result, ax)


def _above_zero(spreads: Iterable[float]) -> list[float]:
    """Replace values that do not fit on a logarithmic axis by NaN."""
    return [spread if spread > 0 else math.nan for spread in spreads]


def _draw_theory(name: str, points: list[GrowthPoint], values: list[float], ax: Axes) -> None:
    chunks = [point.chunks for point in points]
    ax.plot(chunks, values, color="black", linestyle=":", linewidth=1.6)
    ax.annotate(
        name, (chunks[-1], values[-1]), xytext=(10, 0), textcoords="offset points", va="center"
    )


def _dress(result: SpreadGrowth, ax: Axes) -> None:
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    places = sorted({point.chunks for point in result.points})
    ax.set_xticks(places, [f"{place:,}" for place in places])
    ax.minorticks_off()
    ax.set_xlim(places[0] / 1.3, places[-1] * 2.6)
    ax.set_xlabel("number of chunks, added sequentially")
    ax.set_ylabel("ulps between lowest and highest")
    spreads = [point.drawn_spread for point in result.points if point.chunks == places[-1]]
    ax.set_title(
        f"{capital(result.operation)} of {places[-1]:,} chunks: "
        f"order alone spreads it over {max(spreads):.3g} ulps"
    )
    ax.legend(
        title=f"{result.drawn:,} random orders;\nopen: {result.threads} threads,\nif they differ",
        loc="center left",
        bbox_to_anchor=(1, 0.5),
    )
