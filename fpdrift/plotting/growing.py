"""Draw how far orders spread with more chunks, beside the square root and the bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fpdrift.plotting.words import capital

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from fpdrift.reduction.threads import GrowthPoint, SpreadGrowth


def draw_spread_growth(result: SpreadGrowth, ax: Axes) -> None:
    """Draw measured spreads against the number of chunks, a line for each n."""
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
    """Leave out what a logarithmic axis has no place for."""
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
    ax.set_xlabel("chunks, added one after the other")
    ax.set_ylabel("ulps between lowest and highest")
    spreads = [point.drawn_spread for point in result.points if point.chunks == places[-1]]
    ax.set_title(
        f"{capital(result.operation)} of {places[-1]:,} chunks: "
        f"{max(spreads):.3g} ulps by order alone"
    )
    ax.legend(
        title=f"{result.drawn:,} random orders;\nopen: {result.threads} threads,\nif they differ",
        loc="center left",
        bbox_to_anchor=(1, 0.5),
    )
