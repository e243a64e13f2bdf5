"""Draw sources of difference: how far each moves the weights, as intervals on a log axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fpdrift.experiments.sources import PLANTED
from fpdrift.plotting.powers import short_power
from fpdrift.plotting.study import distance_axis
from fpdrift.plotting.words import many, sized

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import Source, Sources


def draw_sources(result: Sources, ax: Axes) -> None:
    """Draw a row for each source; sources of equal bits share the first.

    Zero, which a log axis has not, stands left of all else, beyond a dotted line.
    """
    ends = [end for row in result.rows for end in (row.distance.low, row.distance.mean) if end > 0]
    left = min(ends, default=1.0) / 10
    same, other = (
        [row for row in result.rows if (row.equal == row.runs) == equal] for equal in (True, False)
    )
    if same:
        ax.plot(left, 0, "s", color="C2")
    for y, row in enumerate(other, bool(same)):
        _draw_row(row, left, y, ax)
    places = {left: "same\nbits"} if same else {}
    distance_axis(places, left, math.inf, max(ends, default=1.0), ax)
    shared = [f"same bits: {many(len(same), 'source')}"] if len(same) > 1 else []
    labels = shared + [f"{row.name} ({row.runs})" for row in (other if shared else same + other)]
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlabel(
        "relative distance of the weights, but biases of zero gradient\n"
        "(in brackets: pairs of runs; bar: 95 % bootstrap)"
    )
    ax.set_title(
        f"{_headline(result)}\nDiamonds: another seed ({sized(result.size, result.steps)})"
    )


def _draw_row(row: Source, left: float, y: int, ax: Axes) -> None:
    """Draw a mean with its interval; an arrow where that reaches zero."""
    distance = row.distance
    if distance.mean == 0:
        ax.plot(left, y, "s", color="C2")
        equal = "equal weights" if row.of_all.mean == 0 else "equal but biases"
        _write(equal, ax, left, y, 10)
        return
    colour, mark = ("C1", "D") if "seed" in row.name else ("C0", "o")
    if not math.isnan(distance.low):
        low = distance.low or left
        ax.plot([low, distance.high], [y, y], "-", color=colour, linewidth=5, alpha=0.5)
    if distance.low == 0:
        ax.plot(left, y, "<", color=colour)
        _write("0", ax, left, y, -20)
    ax.plot(distance.mean, y, mark, color=colour)


def _write(text: str, ax: Axes, x: float, y: float, right: int) -> None:
    ax.annotate(text, (x, y), xytext=(right, 0), textcoords="offset points", va="center")


def _headline(result: Sources) -> str:
    """Hold the farthest that rounding alone got against what seeds do."""
    rounding = [r for r in result.rows if "seed" not in r.name and r.name not in PLANTED]
    farthest = max(rounding, key=lambda row: row.distance.mean)
    seeds = next((row for row in result.rows if row.name == "all seeds"), None)
    if not farthest.distance.mean:
        return "No drift seen from rounding"
    told = f"{farthest.name}: {short_power(farthest.distance.mean)} apart"
    if seeds is None:
        return told
    return f"{told}; other seeds: {short_power(seeds.distance.mean)} apart"
