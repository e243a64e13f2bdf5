"""Draw sources of difference: how far each moves the weights, as intervals on a log axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import Sources


def draw_sources(result: Sources, ax: Axes) -> None:
    """Draw a row for each source; zero, which a log axis has not, stands left of all else."""
    apart = [row.distance.mean for row in result.rows if row.distance.mean > 0]
    left = min(apart, default=1.0) / 30
    for y, row in enumerate(result.rows):
        if row.distance.mean == 0:
            ax.plot(left, y, "s", color="C2")
            _write("same bits" if row.equal == row.runs else "equal weights", ax, left, y, 10)
            continue
        colour = "C1" if "seed" in row.name else "C0"
        distance = row.distance
        if not math.isnan(distance.low):
            low = distance.low or left
            ax.plot([low, distance.high], [y, y], "-", color=colour, linewidth=5, alpha=0.5)
        if distance.low == 0:
            ax.plot(left, y, "<", color=colour)
            _write("0", ax, left, y, -18)
        ax.plot(distance.mean, y, "o", color=colour)
    ax.set_xscale("log")
    ax.set_xlim(left / 2, 3 * max(apart, default=1.0))
    labels = [f"{row.name} ({row.runs})" for row in result.rows]
    ax.set_yticks(range(len(labels)), labels, fontsize=12)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlabel(f"relative distance of the weights after {result.steps} steps (runs in brackets)")
    size = "the source's size" if result.size == "full" else "quick, not the source's size"
    ax.set_title(f"What moves a training, and how far\n{size}; orange: another seed")


def _write(text: str, ax: Axes, x: float, y: float, right: int) -> None:
    ax.annotate(text, (x, y), xytext=(right, -5), textcoords="offset points", fontsize=12)
