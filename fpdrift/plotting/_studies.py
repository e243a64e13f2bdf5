"""Draw the studies of training: distances between runs, losses, metrics and predictions."""

from __future__ import annotations

import math
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift._kinds import pictures
from fpdrift.experiments._five_runs import SOURCE
from fpdrift.experiments._hash_seed import MISSPELT
from fpdrift.experiments._nudges import ANOTHER_SEED
from fpdrift.plotting._style import many, short_power, sized
from fpdrift.text import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from fpdrift.experiments import (
        Determinism,
        FiveRuns,
        HashSeed,
        Long,
        Metric,
        NoSeeds,
        Question,
        RunDistance,
        Source,
        Sources,
        Study,
        Trap,
    )

#: Bit-identical runs are drawn a decade left of the smallest distance, non-finite ones right.
_LEFT = 0.1
#: Markers of a run compared with a different one, and of a rerun.
_DOT: dict[str, Any] = {"markersize": 9}
_CROSS: dict[str, Any] = {"marker": "+", "markersize": 17, "markeredgewidth": 3}
#: Marker of a run with a different seed, which the headline leaves out.
_SEED: dict[str, Any] = {"marker": "D", "markersize": 9, "color": "C1"}


@pictures.register
def draw_study(result: Study, ax: Axes) -> None:
    """Draw the distance of each run from its baseline on a log axis.

    Runs with equal bits or equal weights are drawn on the left, runs with non-finite weights on the
    right. A rerun shares the row of the original run, as a cross.
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
            places[zero] = "same bits\n(open: only of\nthe weights)"
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
    _title(result, _study_headline(result), ax)


def repeats(row: RunDistance) -> bool:
    """Return whether a run is a rerun of the one that it is compared with."""
    return row.label == f"{row.baseline} again"


def _explained(result: Study) -> str:
    marks = ["+: rerun"] if any(map(repeats, result.distances)) else []
    if any(row.label == ANOTHER_SEED for row in result.distances):
        marks.append("diamond: different seed")
    return f"\n({'; '.join(marks)})" if marks else ""


def distance_axis(
    places: dict[float, str], zero: float, beyond: float, largest: float, ax: Axes
) -> None:
    """Label the decades, as far as there is room, and the places beside them."""
    left, right = np.log10([3 * zero, 3 * largest])
    powers = np.arange(np.ceil(left + 0.3), right // 1 + 1)
    places |= {10**power: f"1e{power:.0f}" for power in powers[:: 1 + len(powers) // 9]}
    ax.set_xscale("log")
    ax.set_xticks(list(places), list(places.values()))
    ax.minorticks_off()
    ax.set_xlim(zero / 3, 3 * beyond if beyond in places else 10**right)
    ax.axvline(3 * zero, color="black", linestyle=":", linewidth=1.6)


def _study_headline(result: Study) -> str:
    """Return a title with the number of reruns and of other settings that gave the same bits."""
    counts = []
    rows = [row for row in result.distances if row.label != ANOTHER_SEED]
    for noun, which in (("rerun", True), ("other setting", False)):
        equal = [row.first_step is None for row in rows if repeats(row) == which]
        if equal:
            counts.append(f"{sum(equal)} of {many(len(equal), noun)}")
    return f"{' and '.join(counts) or 'No run'} gave the same bits"


@pictures.register
def draw_determinism(result: Determinism, ax: Axes) -> None:
    """Draw the distances of the study, with the cost of determinism in the title."""
    draw_study(result.study, ax)
    if result.ratios:
        least, most = min(result.ratios.values()), max(result.ratios.values())
        pairs = many(len(result.ratios), "pair")
        cost = f"Op determinism takes {least:.2f} to {most:.2f} times as long ({pairs})"
        _title(result.study, _study_headline(result.study), ax, cost)


@pictures.register
def draw_no_seeds(result: NoSeeds, ax: Axes) -> None:
    """Draw the loss of every run as a thin line over the iterations of the claim."""
    losses = result.study.losses[:, : result.loss_spread.shape[1]]
    steps = np.arange(1, losses.shape[1] + 1)
    seeded = len(losses) - result.drawn
    names = (
        f"{many(result.drawn, 'run')}, random seeds",
        f"{many(seeded, 'run')}, fixed seed, different threads",
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
        result.study,
        f"Losses differ by up to {wild:.2g} without seeds, {tame:.2g} with one seed",
        ax,
    )


@pictures.register
def draw_metric(result: Metric, ax: Axes) -> None:
    """Draw the relative spread of each metric: planted, in these runs and in the original ones."""
    names = list(result.spread)
    edge = result.edge
    planted = [abs(b - a) / a for a, b in (edge.loss, edge.accuracy)]
    rows = (
        (f"planted: 1 of 10\nmoves by {edge.move:g}", "^", dict(zip(names, planted, strict=False))),
        (f"these {many(len(result.study.runs), 'run')}", "o", result.spread),
        ("the forum\nanswer: five runs", "s", result.source),
    )
    for i, (label, mark, values) in enumerate(rows):
        shown = [(100 * values[name], y) for y, name in enumerate(names) if values.get(name, 0) > 0]
        points = zip(*shown, strict=True) if shown else ([], [])
        ax.plot(*points, mark, color=f"C{i}", label=label, markersize=10)
    ax.set_xscale("log")
    ax.set_yticks(range(len(names)), [name.replace("_", "\n") for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlabel("largest minus smallest, in % of the first run")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    loss, accuracy = (result.spread[name] for name in ("loss", "accuracy"))
    headline = "No spread of loss and accuracy to compare"
    if loss > 0 and accuracy > 0:
        runs = many(len(result.study.runs), "run")
        headline = f"{runs}: losses vary by {percent(loss)} %, accuracies by {percent(accuracy)} %"
    _title(result.study, headline, ax)


@pictures.register
def draw_hash_seed(result: HashSeed, ax: Axes) -> None:
    """Draw the number of different results among the processes of each kind."""
    rows = (*result.hashes, *result.weights)
    for y, row in enumerate(rows):
        ax.barh(y, row.distinct, 0.6, color="C2" if row.distinct == 1 else "C1")
        ax.annotate(
            f"{many(row.distinct, 'result')} in {row.processes}",
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
    ax.set_xlabel("different hashes or trained weights in fresh processes")
    fixed = sum(row.distinct == 1 for row in result.hashes)
    same = sum(row.distinct == 1 for row in result.weights)
    headline = f"{fixed} of {many(len(result.hashes), 'way')} fix Python's hash; "
    headline += f"same bits in {same} of {many(len(result.weights), 'training')}"
    _title(result.study, headline, ax)


def _title(study: Study, headline: str, ax: Axes, topic: str | None = None) -> None:
    ax.set_title(f"{headline}\n{topic or study.title}\n({sized(study.size, study.steps)})")


@pictures.register
def draw_sources(result: Sources, ax: Axes) -> None:
    """Draw a row for each source of difference; sources with equal bits share the first row.

    Zero does not fit on a log axis and is drawn on the left, beyond a dotted line.
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
        "relative distance of the weights, without biases of zero gradient\n"
        f"(in brackets: pairs of runs, one mark each{_bar(result)})"
    )
    ax.set_title(
        f"{_sources_headline(result)}\nDiamonds: new seed ({sized(result.size, result.steps)})"
    )


def _bar(result: Sources) -> str:
    return "; bar: 95 % of the median" if any(row.interval for row in result.rows) else ""


def _draw_row(row: Source, left: float, y: int, ax: Axes) -> None:
    """Draw a mark for each pair, zeros on the left, and the interval if there is one."""
    if not row.distance:
        _write("not kept", ax, left, y, 10)
        return
    if not any(row.distance):
        ax.plot(left, y, "s", color="C2")
        _write("equal except biases" if any(row.of_all) else "equal weights", ax, left, y, 10)
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


def _sources_headline(result: Sources) -> str:
    """Return a title that compares the distances caused by rounding and by a new seed."""
    distances = [distance for row in result.rounding for distance in row.distance]
    if not all(row.distance for row in result.rounding):
        return "This older result has no distances"
    if not any(distances):
        return "No drift from rounding was observed"
    rounding = f"Rounding: {_span(distances)}"
    others = [distance for row in result.seeds for distance in row.distance]
    return f"{rounding}; new seed: {_span(others)}" if others else rounding


def _span(distances: Sequence[float]) -> str:
    ends = map(short_power, (min(distances), max(distances)))
    return " to ".join(dict.fromkeys(ends))


@pictures.register
def draw_five_runs(result: FiveRuns, ax: Axes) -> None:
    """Draw a row of points for each gradient, and one for the five runs of the forum."""
    rows = [f"gradient:\n{runs.gradient}" for runs in result.gradients]
    for y, runs in enumerate(result.gradients):
        _draw_losses([run.loss for run in runs.runs], y, f"C{y}", ax)
        _say(f"at most {percent(runs.figure, 3)} %, {many(runs.distinct, 'set')} of weights", y, ax)
    place = len(rows)
    _draw_losses([loss for loss, *_ in SOURCE], place, "black", ax)
    _say(f"at most {percent(result.source, 3)} %, 469 steps", place, ax)
    ax.set_yticks(range(place + 1), [*rows, "the forum\nanswer"])
    ax.set_ylim(place + 0.5, -0.5)
    ax.set_xlabel("loss relative to the first run, in %")
    farthest = max((runs.figure for runs in result.gradients), default=0.0)
    ax.set_title(
        f"Five runs, equal on paper: losses differ by up to {percent(farthest, 3)} %\n"
        f"({sized(result.size, result.steps)})"
    )


def _draw_losses(losses: list[float], y: int, colour: str, ax: Axes) -> None:
    relative = [100 * (loss - losses[0]) / losses[0] for loss in losses]
    ax.plot(relative, [y] * len(relative), "o", color=colour)


def _say(text: str, y: int, ax: Axes) -> None:
    """Write a text above a row, in the middle of the axes."""
    ax.annotate(
        text,
        (0.5, y),
        xycoords=("axes fraction", "data"),
        xytext=(0, 14),
        textcoords="offset points",
        ha="center",
    )


_LOOKS = (("-", "o"), (":", "s"), ("--", "^"), ("-.", "D"))


def _question_headline(distances: tuple[RunDistance, ...]) -> str:
    """Return a title with the share of predictions that changed class; reruns come first."""
    changed = [distance for distance in distances if distance.first_step is not None]
    reruns = [("A rerun", d.churn) for d in changed if repeats(d)]
    others = [(d.label, d.churn) for d in changed if not repeats(d)]
    lines = [_sentence(*shares) for shares in (reruns, others) if shares]
    return "\n".join(lines) or "No bit differs"


def _sentence(first: tuple[str, float], *others: tuple[str, float]) -> str:
    start = f"{first[0]} changed {percent(first[1])} % of the predictions"
    return ", ".join([start, *(f"{label} {percent(churn)} %" for label, churn in others)])


@pictures.register
def draw_question(result: Question, ax: Axes) -> None:
    """Draw the validation accuracy of each run, with a large mark at the epoch of least loss."""
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
    ax.set_title(f"{_question_headline(result.distances)}\n{size}")


#: A dot is labelled if its step is at most this share of the next labelled one.
_APART = 0.5


@pictures.register
def draw_long(result: Long, ax: Axes) -> None:
    """Draw the distance between the weights, its jumps, and the churn at the end of each epoch."""
    course = result.growth
    seen = np.isfinite(course.distance) & (course.distance > 0)
    size = f"{result.steps:,} of the original {result.source_steps:,} steps"
    if not seen.any():
        ax.set_title(f"No drift was observed ({size})")
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
    ax.set(xscale="log", yscale="log", xlabel="training step (dots: ends of epochs)")
    ax.set_ylabel("relative distance of the weights")
    jumps = f"{many(len(course.jumps), 'jump')} (dotted)"
    other = f"{percent(result.epochs[-1].churn)} % of predictions differ"
    ax.set_title(
        f"{result.labels[1]} against {result.labels[0]}, one pair: {other}\n{size}, {jumps}"
    )
    ax.text(
        *(0.98, 0.04),
        "%: predictions that changed class (churn)",
        ha="right",
        transform=ax.transAxes,
    )


#: Largest relative error of one rounding to float32.
_ROUNDING = 2.0**-24


@pictures.register
def draw_trap(result: Trap, ax: Axes) -> None:
    """Draw the distance after one step as bars on a log axis, starting at the unit roundoff."""
    for y, path in enumerate(result.paths):
        ax.barh(y, max(path.first, _ROUNDING), 0.5, left=0, color=f"C{y}")
        words = f"{path.first:.1e}: {path.kind}" if path.first else path.kind
        ax.annotate(
            words,
            (max(path.first, _ROUNDING), y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
        )
    ax.axvline(_ROUNDING, color="black", linestyle=":", linewidth=1.6)
    ax.annotate(
        "one rounding of float32",
        (_ROUNDING, -0.45),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
    )
    sums = {"one-hot": "sum to one", "multi-hot": "do not sum to one"}
    labels = [f"labels that\n{sums.get(path.labels, path.labels)}" for path in result.paths]
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.7)
    ax.set_xscale("log")
    ax.set_xlim(_ROUNDING / 10, 1e3)  # room for the words
    ax.set_xticks([1e-8, 1e-6, 1e-4, 1e-2, 1])
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("relative distance of the weights after one step")
    verdicts = "; ".join(f"{path.labels}: {path.kind}" for path in result.paths)
    ax.set_title(
        f"{verdicts.capitalize()}\nOne loss, two gradients ({sized(result.size, result.steps)})"
    )
