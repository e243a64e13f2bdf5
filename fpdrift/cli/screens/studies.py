"""Studies of training in 80 columns; the first line says in which size each was made.

Sources of difference in 80 columns.

Five runs' table in 80 columns; its first line says in which size it was made.

The question's training in 80 columns.

A long training in 80 columns.

Two gradients of one loss, in 80 columns.

Nudged runs over the steps, in 80 columns.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from fpdrift.cli.screens.screen import count, measured_on, screen, wrapped
from fpdrift.comparison import median_interval
from fpdrift.comparison._intervals import FEWEST
from fpdrift.experiments import (
    Determinism,
    DistanceCurves,
    Epoch,
    FiveRuns,
    GradientRuns,
    HashSeed,
    Long,
    Metric,
    NoSeeds,
    OneGate,
    Question,
    RunDistance,
    Source,
    Sources,
    Study,
    Trap,
    UlpSurvival,
    Validated,
)
from fpdrift.experiments._forum_question import DATA
from fpdrift.training._datasets import NOISE_IMAGES

if TYPE_CHECKING:
    from fpdrift.experiments._sources import Figures

    _Told = Study | Determinism | HashSeed | Metric | NoSeeds | OneGate | UlpSurvival


@screen.register
def _sources(result: Sources) -> list[str]:
    size = "The source's size" if result.size == "full" else "Quick, not the source's size"
    pairs = result.rows[0].runs
    what = (
        "Medians, and in brackets their 95 % intervals by order statistics."
        if pairs >= FEWEST
        else f"The smallest and the largest: an interval needs {FEWEST} pairs."
    )
    return [
        *wrapped(
            f"{size}: {count(result.steps, 'step')} of the {result.network}'s network on "
            f"{result.data}, from seed {result.seed} on; {count(pairs, 'run')} of each, every one "
            f"against the run of its seed with 1 thread. {what} Distance of the weights, but for "
            "biases whose true gradient is zero; all: with those."
        ),
        "",
        f"  {'source':25}{'distance of the weights':27}all",
        *map(_sources_row, result.rows),
        "",
        f"  {'source':25}{'loss':27}accuracy",
        *(_line(row.name, _figures(row.loss), _figures(row.accuracy)) for row in result.rows),
        "",
        f"  {'source':25}predictions of another class, in %",
        *(_line(row.name, _figures(_sources_percent(row.churn), ".1f")) for row in result.rows),
        "",
        *wrapped(f"The source: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *(
            line
            for name, why in result.skipped.items()
            for line in wrapped(f"Left out, {name}: {why}")
        ),
        *measured_on(result),
    ]


def _sources_row(row: Source) -> str:
    if row.equal == row.runs:
        return _line(row.name, "same bits")
    return _line(row.name, _figures(row.distance), _figures(row.of_all))


def _line(name: str, *columns: str) -> str:
    return f"  {name:25}{''.join(f'{column:27}' for column in columns)}".rstrip()


def _sources_percent(shares: Figures) -> Figures:
    return tuple(100 * share for share in shares)


def _figures(values: Figures, kind: str = ".1e") -> str:
    """Write a median with its interval, or the smallest and the largest."""
    if not values:
        return "not kept"
    its = median_interval(values)
    if its:
        return f"{median(values):{kind}} ({its.low:{kind}}..{its.high:{kind}})"
    ends = dict.fromkeys(f"{end:{kind}}" if end else "0" for end in (min(values), max(values)))
    return "..".join(ends)


@screen.register
def _five_runs(result: FiveRuns) -> list[str]:
    lines = wrapped(
        f"{size(result)}: {count(result.steps, 'step')} of the {result.network}'s network on "
        f"{result.data}, {result.labels} labels, seed {result.seed}; validated on "
        f"{result.validation_images} images."
    )
    for gradient in result.gradients:
        lines += ["", *screen(gradient)]
    if result.size == "full":
        share = _five_runs_percent(result.source)
        source = f"The source's five runs differed from their first by {share}."
        lines += ["", *wrapped(source)]
    for name, why in result.skipped.items():
        lines += wrapped(f"Left out, {name}: {why}")
    return [*lines, "", *measured_on(result)]


def size(result: FiveRuns | Study) -> str:
    """Describe how large the study was, beside the source's."""
    full = "The source's size"
    return full if result.size == "full" else "Quick, not the source's size"


@screen.register
def _gradient(result: GradientRuns) -> list[str]:
    heads = ("loss", "accuracy", "val_loss", "val_acc")
    lines = [f"  {f'gradient: {result.gradient}':40}" + "".join(f"{head:>9}" for head in heads)]
    for run in result.runs:
        figures = (run.loss, run.accuracy, run.validation_loss, run.validation_accuracy)
        lines.append(f"    {run.condition[:38]:38}" + "".join(f"{f:9.4f}" for f in figures))
    if result.distinct == 1:
        return [
            *lines,
            *wrapped(
                f"No drift seen: all {len(result.runs)} runs ended with the same hash of all "
                "weights."
            ),
        ]
    return [
        *lines,
        *wrapped(
            f"{len(result.runs)} runs ended with {result.distinct} different sets of weights; the "
            f"losses differ from the first one by at most {_five_runs_percent(result.figure)}."
        ),
    ]


def _five_runs_percent(share: float) -> str:
    return f"{100 * share:.3g} %"


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
        first = "" if planted is None else _study_percent(abs(planted[1] - planted[0]) / planted[0])
        figures = (first, _study_percent(ours), _study_percent(result.source[name]))
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


def _study_percent(share: float) -> str:
    return f"{100 * share:.2g} %"


@screen.register
def _question(result: Question) -> list[str]:
    most = f"(the source: up to {result.source_epochs}"
    if result.an_epoch is None:
        done = f"{count(result.epochs, 'epoch')} {most}) of {count(result.steps, 'step')}"
    else:
        done = f"{result.steps} of the {result.an_epoch} steps of one epoch {most} epochs)"
    other = "" if result.data == DATA else f" in place of {DATA}"
    distances = {distance.label: distance for distance in result.distances}
    return [
        *wrapped(
            f"{'The source' if result.size == 'full' else 'Not the source'}'s size: "
            f"{done} of the question's network on "
            f"{result.data}{other}, seed {result.seed}; validated on "
            f"{count(result.validation_images, 'image')}."
        ),
        "",
        f"  {'run':16}{'best epoch':>11}{'val_loss':>10}{'val_acc':>9}{'differs':>12}"
        f"{'distance':>10}{'churn':>8}",
        *(_question_row(run, distances.get(run.label)) for run in result.runs),
        "",
        *wrapped(f"The question: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]


def _question_row(run: Validated, away: RunDistance | None) -> str:
    line = f"  {run.label:16}{run.best:11}{run.losses[run.best - 1]:10.4f}{run.accuracy:9.4f}"
    if away is None:
        return line
    if away.first_step is None:
        return f"{line}{'never':>12}{0:10}{100 * away.churn:6.1f} %"
    return f"{line}{f'step {away.first_step}':>12}{away.distance:10.1e}{100 * away.churn:6.1f} %"


@screen.register
def _long(result: Long) -> list[str]:
    size = "The source's size" if result.steps >= result.source_steps else "Not the source's size"
    return [
        *wrapped(
            f"{size}: {count(result.steps, 'step')} (the source: {result.source_steps:,}) of the "
            f"{result.network}'s network on {result.data}, seed {result.seed}; "
            f"{result.labels[1]} (b) against {result.labels[0]} (a)."
        ),
        "",
        f"  {'epoch':>5}{'step':>9}{'distance':>11}{'loss a':>10}{'loss b':>10}{'churn':>9}"
        f"{'weights <= 1e-8':>18}",
        *map(_long_row, result.epochs),
        *_kept(result),
        "",
        *wrapped(f"The source: {result.claim}."),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]


def _kept(result: Long) -> list[str]:
    """Report of which steps the distances are, where weights were not kept at every epoch's end."""
    earlier = [epoch for epoch in result.epochs if result.kept_at(epoch) < epoch.step]
    if not earlier:
        return []
    first = earlier[0]
    return wrapped(
        "Each distance is of the last step up to there at which weights were kept "
        f"({result.kept_at(first):,} for {first.step:,})."
    )


def _long_row(epoch: Epoch) -> str:
    loss_a, loss_b = epoch.losses
    return (
        f"  {epoch.epoch:5}{epoch.step:9,}{epoch.distance:11.1e}{loss_a:10.4f}{loss_b:10.4f}"
        f"{100 * epoch.churn:7.1f} %{100 * epoch.small[0]:16.2g} %"
    )


@screen.register
def _trap(result: Trap) -> list[str]:
    size = "The source's size" if result.size == "full" else "Quick, not the source's size"
    return [
        *wrapped(
            f"{size}: {count(result.steps, 'step')} of the {result.network}'s network on "
            f"{result.data}, seed {result.seed}, 1 thread: TensorFlow's fused gradient against op "
            "determinism's, which is the loss's own."
        ),
        "",
        f"  {'labels':10}{'after step 1':>13}{'at the end':>12}{'loss, fused':>13}{'own':>9}"
        "  it is",
        *(
            f"  {path.labels:10}{path.first:13.1e}{path.last:12.1e}{path.losses[0]:13.4f}"
            f"{path.losses[1]:9.4f}  {path.kind}"
            for path in result.paths
        ),
        "",
        *wrapped(f"The source: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]


@screen.register
def _courses(result: DistanceCurves) -> list[str]:
    size = "The source's size" if result.size == "full" else "Quick, not the source's size"
    both = result.with_noise
    but = ", but for biases whose true gradient is zero," if both else ""
    more = ["", "  All weights, with those biases, which rounding alone moves:"] if both else []
    return [
        *wrapped(
            f"{size}: {result.title}; {count(result.last, 'step')} on {result.data}, seed "
            f"{result.seed}, 1 thread; relative distance of the weights{but} from the run without "
            "(equal: all have the same bits)."
        ),
        "",
        *_table(result),
        *more,
        *(_table(both) if both else []),
        "",
        *wrapped(f"Asked: {result.claim}"),
        *wrapped(f"Here: {result.finding}"),
        *measured_on(result),
    ]


def _table(result: DistanceCurves) -> list[str]:
    columns = (0, *result.told)
    lines = [f"  {result.what:20}" + "".join(f"{f'step {result.steps[c]}':>12}" for c in columns)]
    for label, distances in zip(result.labels, result.distance, strict=True):
        lines.append(f"  {label:20}" + "".join(f"{_number(distances[c]):>12}" for c in columns))
    return lines


def _number(value: float) -> str:
    return f"{value:.1e}" if value else "equal"
