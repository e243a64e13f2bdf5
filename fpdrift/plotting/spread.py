"""Draw where many orders of one sum landed, and where the real ones lie among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.plotting.words import many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.reduction.threads import OrderSpread

_MOST_BARS = 60
#: Height of a row for one real way of adding; the bars take 1 in all.
_ROW = 0.13


def draw_order_spread(result: OrderSpread, ax: Axes) -> None:
    """Draw a histogram in ulps from the exact sum, and above it a row for each real way."""
    ulps = result.ulps
    marks = {name: result.in_ulps(sums) for name, sums in result.marks.items()}
    low = min([0.0, ulps.min(), *(where.min() for where in marks.values())])
    high = max([0.0, ulps.max(), *(where.max() for where in marks.values())])
    # Results lie whole ulps apart: a bar holds as many of them as its neighbours.
    step = max(1.0, np.ceil((high - low + 1) / _MOST_BARS))
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
