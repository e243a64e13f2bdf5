"""Draw a long training under two conditions: how far the weights are apart at each epoch's end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.plotting.words import many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import Long

#: A dot is labelled if its step is at most this part of the next labelled one.
_APART = 0.5


def draw_long(result: Long, ax: Axes) -> None:
    """Draw the distance of the weights, its jumps, and each epoch's share of other answers."""
    course = result.growth
    seen = np.isfinite(course.distance) & (course.distance > 0)
    size = f"{result.steps:,} steps of the source's {result.source_steps:,}"
    if not seen.any():
        ax.set_title(f"No drift seen ({size})")
        ax.text(0.5, 0.5, "the same bits at every step", ha="center", transform=ax.transAxes)
        ax.set(xlabel="training step", yticks=[])
        return
    ax.plot(course.steps[seen], course.distance[seen], color="C0", linewidth=1.6)
    for jump in course.jumps:
        ax.axvline(jump.step, color="C1", linestyle=":", linewidth=1.6, zorder=0)
    labelled = math.inf
    for epoch in reversed(result.epochs):
        ax.plot(epoch.step, epoch.distance, "o", color="C0")
        if epoch.step > _APART * labelled:
            continue
        labelled = epoch.step
        ax.annotate(
            f"{100 * epoch.churn:.0f} %",
            (epoch.step, epoch.distance),
            xytext=(0, -22),
            textcoords="offset points",
            ha="right",
        )
    ax.set(xscale="log", yscale="log", xlabel="training step (dots: epochs' ends)")
    ax.set_ylabel("relative distance of the weights")
    jumps = f"{many(len(course.jumps), 'jump')} (dotted)"
    other = f"{100 * result.epochs[-1].churn:.2g} % of answers differ"
    ax.set_title(
        f"{result.labels[1]} against {result.labels[0]}, one pair: {other}\n{size}, {jumps}"
    )
    ax.text(
        *(0.98, 0.04),
        "%: predictions of another class",
        ha="right",
        transform=ax.transAxes,
    )
