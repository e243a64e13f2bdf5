"""Studies of training in 80 columns; the first line says in which size each was made."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fpdrift.cli.screens.fiveruns import size
from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.experiments import (
    Determinism,
    HashSeed,
    Metric,
    NoSeeds,
    OneGate,
    Study,
    UlpSurvival,
)
from fpdrift.training.data import NOISE_IMAGES

if TYPE_CHECKING:
    from fpdrift.experiments import RunDistance

    _Told = Study | Determinism | HashSeed | Metric | NoSeeds | OneGate | UlpSurvival


@screen.register
def _study(result: Study) -> list[str]:
    return _page(result, result, _distances(result))


@screen.register
def _determinism(result: Determinism) -> list[str]:
    rows = [f"    {label[:40]:40}{ratio:10.2f}" for label, ratio in result.ratios.items()]
    head = [f"  {'a step, times as long as without':42}{'ratio':>10}"] if rows else []
    study = result.study
    return _page(result, study, [*_distances(study), "", *head, *rows])


@screen.register
def _one_gate(result: OneGate) -> list[str]:
    lines = _distances(result.study)
    if result.gates is not None:
        lines += ["", f"  {'after step':>12}{'distance of the weights':>27}"]
        for step, distance in zip(result.gates.steps, result.gates.distance, strict=True):
            lines.append(f"  {step:12}{distance:27.1e}")
    return _page(result, result.study, lines)


@screen.register
def _ulp_survival(result: UlpSurvival) -> list[str]:
    found = result.survival
    lines = [f"  {'steps':>7}{'absorbed':>10}{'still there':>13}{'95 %, Greenwood':>19}"]
    for step, absorbed, share in zip(found.steps, found.absorbed, found.share, strict=True):
        low, high = found.band(step)
        between = "-" if math.isnan(low) else f"{low:.0%} to {high:.0%}"
        lines.append(f"  {step:7}{absorbed:10}{share:13.0%}{between:>19}")
    study = result.study
    table = ["", *lines] if found.events else []
    return _page(result, study, [*_distances(study), *table])


@screen.register
def _no_seeds(result: NoSeeds) -> list[str]:
    study = result.study
    seeded = len(study.runs) - result.drawn
    lines = [
        f"  largest less smallest   {f'{result.drawn} runs, seeds drawn':>24}"
        f"{f'{seeded} runs, one seed':>26}",
        f"  {'iteration':22}" + 2 * f"{'loss':>14}{'accuracy':>12}",
    ]
    for i in range(result.loss_spread.shape[1]):
        figures = (
            f"{loss[i]:14.2g}{100 * accuracy[i]:10.1f} %"
            for loss, accuracy in zip(result.loss_spread, result.accuracy_spread, strict=True)
        )
        lines.append(f"    {i + 1:<20}" + "".join(figures))
    return _page(result, study, lines)


@screen.register
def _metric(result: Metric) -> list[str]:
    edge, study = result.edge, result.study
    heads = ("planted", "these runs", "the source's five")
    lines = [f"  {'relative spread':24}" + "".join(f"{head:>18}" for head in heads)]
    for name, ours in result.spread.items():
        planted = {"loss": edge.loss, "accuracy": edge.accuracy}.get(name)
        first = "" if planted is None else _percent(abs(planted[1] - planted[0]) / planted[0])
        figures = (first, _percent(ours), _percent(result.source[name]))
        lines.append(f"    {name:22}" + "".join(f"{figure:>18}" for figure in figures))
    images = result.predictions  # the probe's, which are what is validated with
    lines.append(
        f"  Validated on {count(images, 'image')}, the source on {NOISE_IMAGES:,}: "
        f"one image is {100 / images:.2g} points."
    )
    return _page(result, study, lines)


@screen.register
def _hash_seed(result: HashSeed) -> list[str]:
    what = "Python's hash of a text"
    lines = [f"  {what:46}{'processes':>12}{'results':>12}"]
    for row in (*result.hashes, None, *result.weights):
        if row is None:
            lines.append("  Trained weights, whatever PYTHONHASHSEED is")
        else:
            lines.append(f"    {row.label:44}{row.processes:12}{row.distinct:12}")
    return _page(result, result.study, lines)


def _page(result: _Told, study: Study, table: list[str]) -> list[str]:
    """Put a table between its size and what it says; the machine is the result's own."""
    head = wrapped(
        f"{size(study)}: {count(len(study.runs), 'run')} of {count(study.steps, 'step')} of the "
        f"{study.network}'s network on {study.data}, {study.labels} labels, seed {study.seed}."
    )
    return [*head, "", *table, "", *_words(result, study), "", *measured_on(result)]


def _distances(study: Study) -> list[str]:
    heads = f"{'against':23}{'differs':>9}{'distance':>10}{'churn':>8}"
    return [f"  {'run':27}{heads}", *map(_distance, study.distances)]


def _distance(row: RunDistance) -> str:
    label = f"    {row.label[:24]:25}{row.baseline[:22]:23}"
    if row.first_step is None:
        return f"{label}{'never':>9}{'0':>10}{100 * row.churn:6.1f} %"
    return f"{label}{f'step {row.first_step}':>9}{row.distance:10.1e}{100 * row.churn:6.1f} %"


def _words(result: _Told, study: Study) -> list[str]:
    lines = [*wrapped(result.finding), *wrapped(f"The source: {study.claim}")]
    for name, why in study.skipped.items():
        lines += wrapped(f"Left out, {name}: {why}")
    return lines


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
