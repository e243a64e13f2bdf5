"""Draw where the sums of many threads landed, in ulps from the exact sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from fpdrift.reduction import ThreadRun, ThreadSums

#: More bars than this and neighbouring results share one; more than half, and no counts fit.
_MOST_BARS = 40
#: Height of a row's highest possible bar; rows are 1 apart.
_FULL = 0.72


def draw_threads(result: ThreadSums, ax: Axes) -> None:
    """Draw a row of bars for each number of threads, and one for the fixed order below them."""
    rows = [run.ulps for run in result.runs]
    rows.append(np.concatenate([run.fixed_ulps for run in result.runs]))
    low, high = min(row.min() for row in rows), max(row.max() for row in rows)
    step = max(1.0, np.ceil((high - low + 1) / _MOST_BARS))
    # Results lie whole ulps apart and the exact sum somewhere between: bars centre on a result.
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


def _draw_row(
    ulps: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], base: int, color: str, ax: Axes
) -> None:
    counts, _ = np.histogram(ulps, edges)
    step = edges[1] - edges[0]
    there = np.flatnonzero(counts)
    middles = edges[there] + step / 2
    # A single sum of 200 must still be seen.
    heights = np.maximum(_FULL * counts[there] / len(ulps), 0.03)
    ax.axhline(base, color="0.6", linewidth=1)
    ax.bar(middles, heights, 0.8 * step, bottom=base, color=color)
    if len(edges) <= _MOST_BARS / 2:
        for x, height, count in zip(middles, heights, counts[there], strict=True):
            ax.text(x, base + height + 0.02, str(count), ha="center", va="bottom")


def _mark_exact(edges: npt.NDArray[np.float64], ax: Axes) -> None:
    """Mark zero, unless it is so far off that it would squeeze the bars to nothing."""
    step = edges[1] - edges[0]
    if max(edges[0], -edges[-1]) > _MOST_BARS * step:
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
        return "Same numbers, other orders of arrival, and still 1 result"
    return "Same numbers, the same order of arrival each time: 1 result"
