"""Draw studies of training: how far runs lie apart, their losses, which metric jumps."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.experiments.hashseed import MISSPELT
from fpdrift.experiments.nudging import ANOTHER_SEED
from fpdrift.plotting.words import many, sized

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import Determinism, HashSeed, Metric, NoSeeds, RunDistance, Study

#: Runs of equal bits stand a decade left of the smallest distance, those without one right.
_LEFT = 0.1
#: A run held against another one, and a run held against the same run before.
_DOT: dict[str, Any] = {"markersize": 9}
_CROSS: dict[str, Any] = {"marker": "+", "markersize": 17, "markeredgewidth": 3}
#: A run of another seed: the headline leaves it out.
_SEED: dict[str, Any] = {"marker": "D", "markersize": 9, "color": "C1"}


def draw_study(result: Study, ax: Axes) -> None:
    """Draw each run's distance from its baseline on a log axis.

    Equal bits and equal weights stand left of it, and right of it what left the finite numbers. A
    run that repeats another one shares its row, as a cross.
    """
    apart = [row.distance for row in result.distances if 0 < row.distance < np.inf]
    zero, beyond = _LEFT * min(apart, default=1.0), max(apart, default=1.0) / _LEFT
    places = {zero: "same\nbits"}
    rows: dict[str, int] = {}
    for row in result.distances:
        y = rows.setdefault(row.baseline if repeats(row) else row.label, len(rows))
        look = _CROSS if repeats(row) else _DOT
        if row.first_step is None:
            ax.plot(zero, y, **{"marker": "s"} | look, color="C2")
        elif row.distance == 0:
            ax.plot(zero, y, **{"marker": "o"} | look, color="C0", markerfacecolor="none")
            places[zero] = "same bits\n(open: of the\nweights alone)"
        elif np.isfinite(row.distance):
            seed = _SEED if row.label == ANOTHER_SEED else {}
            ax.plot(row.distance, y, **{"marker": "o", "color": "C0"} | look | seed)
        else:
            ax.plot(beyond, y, "x", color="C3")
            places[beyond] = "not finite"
    distance_axis(places, zero, beyond, max(apart, default=1.0), ax)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel("relative distance of the weights at the end" + _explained(result))
    _title(result, _headline(result), ax)


def repeats(row: RunDistance) -> bool:
    """Check whether a run repeats the run that it is compared with."""
    return row.label == f"{row.baseline} again"


def _explained(result: Study) -> str:
    marks = ["+: run repeated"] if any(map(repeats, result.distances)) else []
    if any(row.label == ANOTHER_SEED for row in result.distances):
        marks.append("diamond: another seed")
    return f"\n({'; '.join(marks)})" if marks else ""


def distance_axis(
    places: dict[float, str], zero: float, beyond: float, largest: float, ax: Axes
) -> None:
    """Label each decade, or as many as there is room for, and the places beside them."""
    left, right = np.log10([3 * zero, 3 * largest])
    powers = np.arange(np.ceil(left + 0.3), right // 1 + 1)
    places |= {10**power: f"1e{power:.0f}" for power in powers[:: 1 + len(powers) // 9]}
    ax.set_xscale("log")
    ax.set_xticks(list(places), list(places.values()))
    ax.minorticks_off()
    ax.set_xlim(zero / 3, 3 * beyond if beyond in places else 10**right)
    ax.axvline(3 * zero, color="black", linestyle=":", linewidth=1.6)


def _headline(result: Study) -> str:
    """Say how many runs kept their bits, those that repeat another one apart; a seed need not."""
    told = []
    rows = [row for row in result.distances if row.label != ANOTHER_SEED]
    for word, which in (("when repeated", True), ("in another setting", False)):
        those = [row.first_step is None for row in rows if repeats(row) == which]
        if those:
            told.append(f"{sum(those)} of {len(those)} {word}")
    return f"Same bits: {', '.join(told)}"


def draw_determinism(result: Determinism, ax: Axes) -> None:
    """Draw the study's distances; say what the same bits cost."""
    draw_study(result.study, ax)
    if result.ratios:
        least, most = min(result.ratios.values()), max(result.ratios.values())
        pairs = many(len(result.ratios), "pair")
        cost = f"Op determinism: {least:.2f} to {most:.2f} times the time ({pairs})"
        _title(result.study, _headline(result.study), ax, cost)


def draw_no_seeds(result: NoSeeds, ax: Axes) -> None:
    """Draw every run's loss as a thin line over the iterations that the claim is about."""
    losses = result.study.losses[:, : result.loss_spread.shape[1]]
    steps = np.arange(1, losses.shape[1] + 1)
    seeded = len(losses) - result.drawn
    names = (
        f"{many(result.drawn, 'run')}, seeds drawn",
        f"{many(seeded, 'run')}, one seed, other threads",
    )
    for i, loss in enumerate(losses):
        other = i >= result.drawn
        first = i in (0, result.drawn)
        ax.plot(
            steps,
            loss,
            "--" if other else "-",
            color=f"C{int(other)}",
            linewidth=1.2,
            label=names[other] if first else None,
        )
    ax.legend()
    ax.set(xlabel="iteration", ylabel="loss of its batch", xticks=steps)
    wild, tame = result.loss_spread.max(axis=1)
    _title(
        result.study, f"Losses up to {wild:.2g} apart without seeds, {tame:.2g} with one seed", ax
    )


def draw_metric(result: Metric, ax: Axes) -> None:
    """Draw each metric's relative spread: planted, in these runs and in the source's."""
    names = list(result.spread)
    edge = result.edge
    planted = [abs(b - a) / a for a, b in (edge.loss, edge.accuracy)]
    rows = (
        (f"planted: 1 of 10\nmoves by {edge.move:g}", "^", dict(zip(names, planted, strict=False))),
        (f"these {many(len(result.study.runs), 'run')}", "o", result.spread),
        ("the source's five", "s", result.source),
    )
    for i, (label, mark, values) in enumerate(rows):
        shown = [(100 * values[name], y) for y, name in enumerate(names) if values.get(name, 0) > 0]
        points = zip(*shown, strict=True) if shown else ([], [])
        ax.plot(*points, mark, color=f"C{i}", label=label, markersize=10)
    ax.set_xscale("log")
    ax.set_yticks(range(len(names)), [name.replace("_", "\n") for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlabel("largest less smallest, in % of the first run's")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    loss, accuracy = (result.spread[name] for name in ("loss", "accuracy"))
    told = "No spread of loss and accuracy to compare"
    if loss > 0 and accuracy > 0:
        runs = many(len(result.study.runs), "run")
        told = f"{runs}: losses spread {100 * loss:.2g} %, accuracies {100 * accuracy:.2g} %"
    _title(result.study, told, ax)


def draw_hash_seed(result: HashSeed, ax: Axes) -> None:
    """Draw how many different results the processes of each kind gave."""
    rows = (*result.hashes, *result.weights)
    for y, row in enumerate(rows):
        ax.barh(y, row.distinct, 0.6, color="C2" if row.distinct == 1 else "C1")
        ax.annotate(
            f"{many(row.distinct, 'result')} of {row.processes}",
            (row.distinct, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    labels = [row.label for row in result.hashes]
    labels = [f"misspelt: {label}" if MISSPELT in label else label for label in labels]
    labels += [f"training, {row.label}" for row in result.weights]
    ax.set_yticks(range(len(rows)), [fill(label, 18) for label in labels])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.set_xlim(0, 1.7 * max(row.processes for row in rows))
    ax.set_xticks([])
    ax.set_xlabel("different hashes, or trained weights, among fresh processes")
    fixed = sum(row.distinct == 1 for row in result.hashes)
    same = sum(row.distinct == 1 for row in result.weights)
    told = f"{fixed} of {many(len(result.hashes), 'way')} fix Python's hash; "
    told += f"same bits in {same} of {many(len(result.weights), 'training')}"
    _title(result.study, told, ax)


def _title(study: Study, headline: str, ax: Axes, topic: str | None = None) -> None:
    ax.set_title(f"{headline}\n{topic or study.title}\n({sized(study.size, study.steps)})")
