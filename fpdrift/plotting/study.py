"""Draw studies of training: how far runs lie apart, their losses, which metric jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift.plotting.words import many

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpdrift.experiments import Determinism, HashSeed, Metric, NoSeeds, Study

#: Runs of equal bits stand a decade left of the smallest distance, those without one right.
_LEFT = 0.1


def draw_study(result: Study, ax: Axes) -> None:
    """Draw each run's distance from its baseline on a log axis.

    Equal bits and equal weights stand left of it, and right of it what left the finite numbers.
    """
    rows = result.distances
    apart = [row.distance for row in rows if 0 < row.distance < np.inf]
    zero, beyond = _LEFT * min(apart, default=1.0), max(apart, default=1.0) / _LEFT
    places = {zero: "same bits"}
    for y, row in enumerate(rows):
        if row.first_step is None:
            ax.plot(zero, y, "s", color="C2")
        elif row.distance == 0:
            ax.plot(zero, y, "o", color="C0", markerfacecolor="none")
            places[zero] = "same bits\n(open: of the\nweights alone)"
        elif np.isfinite(row.distance):
            ax.plot(row.distance, y, "o", color="C0")
        else:
            ax.plot(beyond, y, "x", color="C3")
            places[beyond] = "not finite"
    left, right = np.log10([3 * zero, 3 * max(apart, default=1.0)])
    places |= {10**power: f"1e{power:.0f}" for power in np.arange(np.ceil(left), right // 1 + 1)}
    ax.set_xscale("log")
    ax.set_xticks(list(places), list(places.values()))
    ax.minorticks_off()
    ax.set_xlim(zero / 3, 3 * beyond if beyond in places else 10**right)
    ax.axvline(3 * zero, color="black", linestyle=":", linewidth=1.6)
    labels = [row.label for row in rows]
    ax.set_yticks(range(len(rows)), labels, fontsize=11 if len(rows) > 12 else 13)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel("relative distance of the weights at the end")
    _title(result, ax)


def draw_determinism(result: Determinism, ax: Axes) -> None:
    """Draw the study's distances; say what the same bits cost."""
    draw_study(result.study, ax)
    if result.ratios:
        least, most = min(result.ratios.values()), max(result.ratios.values())
        pairs = many(len(result.ratios), "pair")
        _title(result.study, ax, f"a step took {least:.2f} to {most:.2f} times as long ({pairs})")


def draw_no_seeds(result: NoSeeds, ax: Axes) -> None:
    """Draw every run's loss as a thin line over the iterations that the claim is about."""
    losses = result.study.losses[:, : result.loss_spread.shape[1]]
    steps = np.arange(1, losses.shape[1] + 1)
    seeded = len(losses) - result.drawn
    names = (f"{many(result.drawn, 'run')}, seeds drawn", f"{many(seeded, 'run')}, one seed")
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
    _title(result.study, ax)


def draw_metric(result: Metric, ax: Axes) -> None:
    """Draw each metric's relative spread: planted, in these runs and in the source's."""
    names = list(result.spread)
    edge = result.edge
    planted = [abs(b - a) / a for a, b in (edge.loss, edge.accuracy)]
    rows = (
        (f"planted: 1 of 10 moves by {edge.move:g}", "^", dict(zip(names, planted, strict=False))),
        (f"these {many(len(result.study.runs), 'run')}", "o", result.spread),
        ("the source's five runs", "s", result.source),
    )
    for i, (label, mark, values) in enumerate(rows):
        shown = [(100 * values[name], y) for y, name in enumerate(names) if values.get(name, 0) > 0]
        ax.plot(*zip(*shown, strict=True) if shown else ([], []), mark, color=f"C{i}", label=label)
    ax.set_xscale("log")
    ax.set_yticks(range(len(names)), [name.replace("_", "\n") for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlabel("largest less smallest, in % of the first run's")
    ax.legend(loc="lower left")
    _title(result.study, ax)


def draw_hash_seed(result: HashSeed, ax: Axes) -> None:
    """Draw how many different results the processes of each kind gave."""
    rows = (*result.hashes, *result.weights)
    for y, row in enumerate(rows):
        ax.barh(y, row.distinct, 0.6, color="C2" if row.distinct == 1 else "C1")
        ax.annotate(
            f"{many(row.distinct, 'result')} of {row.processes} processes",
            (row.distinct, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    labels = [f"hash: {row.label}" for row in result.hashes]
    labels += [f"training: {row.label}" for row in result.weights]
    ax.set_yticks(range(len(rows)), labels, fontsize=12)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.set_xlim(0, 1.7 * max(row.processes for row in rows))
    ax.set_xlabel("different results")
    _title(result.study, ax)


def _title(study: Study, ax: Axes, more: str = "") -> None:
    size = "the source's size" if study.size == "full" else "quick, not the source's size"
    lines = [study.title, f"{many(study.steps, 'step')} a run ({size})"]
    ax.set_title("\n".join([*lines, more] if more else lines), fontsize=15)
