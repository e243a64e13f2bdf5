"""Draw the question's runs: validation accuracy by the epoch, each run a thin line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.plotting.study import repeats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import Question, RunDistance

_LOOKS = (("-", "o"), (":", "s"), ("--", "^"), ("-.", "D"))


def _headline(distances: tuple[RunDistance, ...]) -> str:
    """Say which share of the predictions changed class where bits differ; a repeat comes first."""
    changed = [distance for distance in distances if distance.first_step is not None]
    again = [("Repeating the run", d.churn) for d in changed if repeats(d)]
    others = [(d.label, d.churn) for d in changed if not repeats(d)]
    lines = [_sentence(*shares) for shares in (again, others) if shares]
    return "\n".join(lines) or "Not one bit differs"


def _sentence(first: tuple[str, float], *others: tuple[str, float]) -> str:
    told = f"{first[0]} changed {100 * first[1]:.2g} % of the predictions"
    return ", ".join([told, *(f"{label} {100 * churn:.2g} %" for label, churn in others)])


def draw_question(result: Question, ax: Axes) -> None:
    """Draw each run's validation accuracy; a larger mark is the best epoch by loss."""
    epochs = np.arange(1, result.epochs + 1)
    for i, (run, (line, mark)) in enumerate(zip(result.runs, _LOOKS, strict=True)):
        percent = 100 * np.array(run.accuracies)
        ax.plot(epochs, percent, line + mark, color=f"C{i}", linewidth=1.4, label=run.label)
        ax.plot(run.best, percent[run.best - 1], mark, color=f"C{i}", markersize=14, alpha=0.5)
    ax.legend(loc="best")
    ax.set_xlim(0.5, result.epochs + 0.5)
    ax.locator_params(axis="x", integer=True, min_n_ticks=1)  # epoch 1 may be all there is
    ax.set(xlabel="epoch (large mark: least validation loss)", ylabel="validation accuracy in %")
    size = f"One run each on {result.data}\n({result.done})"
    ax.set_title(f"{_headline(result.distances)}\n{size}")
