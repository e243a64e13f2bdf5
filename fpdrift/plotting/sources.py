"""Draw sources of difference: how far each moves the weights, pair by pair on a log axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fpdrift.plotting.powers import short_power
from fpdrift.plotting.study import distance_axis
from fpdrift.plotting.words import many, sized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from fpdrift.experiments import Source, Sources


def draw_sources(result: Sources, ax: Axes) -> None:
    """Draw a row for each source; sources of equal bits share the first.

    Zero, which a log axis has not, stands left of all else, beyond a dotted line.
    """
    ends = [distance for row in result.rows for distance in row.distance if distance > 0]
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
        f"(in brackets: pairs of runs, each a mark{_bar(result)})"
    )
    ax.set_title(
        f"{_headline(result)}\nDiamonds: another seed ({sized(result.size, result.steps)})"
    )


def _bar(result: Sources) -> str:
    return "; bar: 95 % of the median" if any(row.interval for row in result.rows) else ""


def _draw_row(row: Source, left: float, y: int, ax: Axes) -> None:
    """Draw a mark for each pair, what is zero at the left; the interval where there are enough."""
    if not row.distance:
        _write("not kept", ax, left, y, 10)
        return
    if not any(row.distance):
        ax.plot(left, y, "s", color="C2")
        _write("equal but biases" if any(row.of_all) else "equal weights", ax, left, y, 10)
        return
    colour, mark = ("C1", "D") if "seed" in row.name else ("C0", "o")
    its = row.interval
    if its:
        ends = [max(end, left) for end in (its.low, its.high)]
        ax.plot(ends, [y, y], "-", color=colour, linewidth=5, alpha=0.5)
    if 0 in row.distance:
        ax.plot(left, y, "<", color=colour)
        _write("0", ax, left, y, -20)
    some = [distance for distance in row.distance if distance > 0]
    ax.plot(some, [y] * len(some), mark, color=colour)


def _write(text: str, ax: Axes, x: float, y: float, right: int) -> None:
    ax.annotate(text, (x, y), xytext=(right, 0), textcoords="offset points", va="center")


def _headline(result: Sources) -> str:
    """Hold how far rounding alone got against what seeds do."""
    away = [distance for row in result.rounding for distance in row.distance]
    if not all(row.distance for row in result.rounding):
        return "Distances that an older version did not keep"
    if not any(away):
        return "No drift seen from rounding"
    told = f"Rounding: {_span(away)}"
    others = [distance for row in result.seeds for distance in row.distance]
    return f"{told}; another seed: {_span(others)}" if others else told


def _span(distances: Sequence[float]) -> str:
    ends = map(short_power, (min(distances), max(distances)))
    return " to ".join(dict.fromkeys(ends))
