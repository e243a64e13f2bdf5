"""Draw how far five runs' losses lie from the first one's, beside the source's own five."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.experiments.fiveruns import SOURCE
from fpdrift.plotting.words import many, sized

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import FiveRuns


def draw_five_runs(result: FiveRuns, ax: Axes) -> None:
    """Draw a row of points for each gradient, and one for the source's own runs."""
    rows = [f"gradient:\n{runs.gradient}" for runs in result.gradients]
    for y, runs in enumerate(result.gradients):
        _draw_losses([run.loss for run in runs.runs], y, f"C{y}", ax)
        _say(f"at most {100 * runs.figure:.3g} %, {many(runs.distinct, 'set')} of weights", y, ax)
    place = len(rows)
    _draw_losses([loss for loss, *_ in SOURCE], place, "black", ax)
    _say(f"at most {100 * result.source:.3g} %, 469 steps", place, ax)
    ax.set_yticks(range(place + 1), [*rows, "the source"])
    ax.set_ylim(place + 0.5, -0.5)
    ax.set_xlabel("loss against the first run's, in %")
    farthest = max((runs.figure for runs in result.gradients), default=0.0)
    ax.set_title(
        f"Five runs, equal on paper: up to {100 * farthest:.3g} % from the first's loss\n"
        f"({sized(result.size, result.steps)})"
    )


def _draw_losses(losses: list[float], y: int, colour: str, ax: Axes) -> None:
    away = [100 * (loss - losses[0]) / losses[0] for loss in losses]
    ax.plot(away, [y] * len(away), "o", color=colour)


def _say(text: str, y: int, ax: Axes) -> None:
    """Write above a row, inside the axes whatever their limits."""
    ax.annotate(
        text,
        (0.5, y),
        xycoords=("axes fraction", "data"),
        xytext=(0, 14),
        textcoords="offset points",
        ha="center",
    )
