"""Draw the question's runs: validation accuracy by the epoch, each run a thin line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import Question, RunDistance

_LOOKS = (("-", "o"), (":", "s"), ("--", "^"), ("-.", "D"))


def _headline(distances: tuple[RunDistance, ...]) -> str:
    """Say of each run that has other bits how many answers are another class."""
    parted = [f"{d.label} {100 * d.churn:.2g} %" for d in distances if d.first_step is not None]
    if not parted:
        return "Not one bit differs"
    return f"Other answers, one run each: {', '.join(parted)}"


def draw_question(result: Question, ax: Axes) -> None:
    """Draw each run's validation accuracy; a larger mark is the best epoch by loss."""
    epochs = np.arange(1, result.epochs + 1)
    for i, (run, (line, mark)) in enumerate(zip(result.runs, _LOOKS, strict=True)):
        percent = 100 * np.array(run.accuracies)
        ax.plot(epochs, percent, line + mark, color=f"C{i}", linewidth=1.4, label=run.label)
        ax.plot(run.best, percent[run.best - 1], mark, color=f"C{i}", markersize=14, alpha=0.5)
    ax.legend(loc="best")
    ax.set_xlim(0.5, result.epochs + 0.5)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="epoch (large mark: least validation loss)", ylabel="validation accuracy in %")
    ax.set_title(f"{_headline(result.distances)}\n({result.done} on {result.data})")
