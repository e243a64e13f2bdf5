"""Draw how far five runs' losses lie from the first one's, beside the source's own five."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.plotting.words import many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import FiveRuns


def draw_five_runs(result: FiveRuns, ax: Axes) -> None:
    """Draw a row of points for each gradient, and one for the source's figure as an interval."""
    rows = [f"{runs.gradient}\ngradient" for runs in result.gradients]
    for y, runs in enumerate(result.gradients):
        first = runs.runs[0].loss
        away = [100 * (run.loss - first) / first for run in runs.runs]
        ax.plot(away, [y] * len(away), "o", color=f"C{y}")
        ax.annotate(
            f"at most {100 * runs.figure:.3g} %, {many(runs.distinct, 'set')} of weights",
            (0, y),
            xytext=(0, 14),
            textcoords="offset points",
            ha="center",
        )
    largest = 100 * result.source
    place = len(rows)
    ax.plot([-largest, largest], [place, place], "|-", color="black")
    ax.annotate(
        f"at most {largest:.3g} %, of 469 steps",
        (0, place),
        xytext=(0, 14),
        textcoords="offset points",
        ha="center",
    )
    ax.set_yticks(range(place + 1), [*rows, "the source"])
    ax.set_ylim(place + 0.5, -0.5)
    ax.set_xlabel("loss against the first run's, in %")
    size = "the source's size" if result.size == "full" else "quick, not the source's size"
    ax.set_title(f"Five runs of {result.steps} steps ({size})")
