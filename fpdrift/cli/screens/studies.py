"""Studies of training: what was found, how it was measured, its table, the claim, the machine."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from fpdrift.cli.screens.blocks import Blocks, detail, heading, headline, paragraph, skipped, table
from fpdrift.cli.screens.screen import layout, measured_on
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
    Sources,
    Study,
    Trap,
    UlpSurvival,
    Validated,
)
from fpdrift.experiments._forum_question import DATA
from fpdrift.text import percent, plural
from fpdrift.training._datasets import NOISE_IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from fpdrift.experiments._sources import Figures
    from fpdrift.serialization import Result

    _Told = Study | Determinism | HashSeed | Metric | NoSeeds | OneGate | UlpSurvival

#: How the size of a study is named.
_FULL, _QUICK = "as large as in the forum answer", "quick, smaller than in the forum answer"
#: What a distance and churn are, where a table has them.
_TERMS = (
    "Distance: relative distance of the final weights from the baseline's. "
    "Churn: share of predictions whose class changed."
)


def _page(
    result: Result,
    setup: str,
    body: Sequence[RenderableType],
    *,
    finding: str,
    claim: str = "",
    why_skipped: Mapping[str, str] | None = None,
) -> Blocks:
    """Put what was found first, then how, then the table; the machine comes last."""
    yield headline(finding)
    yield detail(setup)
    yield ""
    yield from body
    yield ""
    if claim:
        yield paragraph(claim)
    yield from skipped(dict(why_skipped or {}))
    yield measured_on(result)


def _setup(size: str, *settings: str) -> str:
    """Describe how a study was made."""
    return f"Size: {_FULL if size == 'full' else _QUICK}. {'; '.join(filter(None, settings))}."


def _claim(text: str) -> str:
    if text.endswith("?"):
        return f"Question: {text}"
    return f"Claim: {text.rstrip('.')}." if text[-1] != ")" else f"Claim: {text}"


@layout.register
def _sources(result: Sources) -> Blocks:
    pairs = result.rows[0].runs
    setup = _setup(
        result.size,
        plural(result.steps, "step"),
        f"network: {result.network}",
        f"data: {result.data}",
        f"{plural(pairs, 'pair')} for each source, starting at seed {result.seed}",
        "each run is compared with the run with the same seed and 1 thread",
    )
    what = (
        "Medians, with their 95 % intervals by order statistics in parentheses."
        if pairs >= FEWEST
        else f"Smallest and largest value; a median with an interval needs {FEWEST} pairs."
    )
    weights = [
        (row.name, "same bits", "same bits")
        if row.equal == row.runs
        else (row.name, _figures(row.distance), _figures(row.of_all))
        for row in result.rows
    ]
    metrics = [
        (
            row.name,
            _figures(row.loss),
            _figures(row.accuracy),
            _figures([100 * share for share in row.churn], ".1f"),
        )
        for row in result.rows
    ]
    body = [
        table(("source", "distance of the weights", "with all biases"), weights),
        detail(f"{what} The first column leaves out biases whose true gradient is zero."),
        "",
        table(("source", "loss", "accuracy", "churn, %"), metrics),
        detail(
            "Relative difference in loss and accuracy. "
            "Churn: share of predictions whose class changed."
        ),
    ]
    claim = _claim(result.claim)
    return _page(
        result, setup, body, why_skipped=result.skipped, finding=result.finding, claim=claim
    )


def _figures(values: Figures | Sequence[float], kind: str = ".1e") -> str:
    """Write a median with its interval, or the smallest and the largest."""
    if not values:
        return "not kept"
    its = median_interval(values)
    if its:
        return f"{median(values):{kind}} ({its.low:{kind}}..{its.high:{kind}})"
    ends = dict.fromkeys(f"{end:{kind}}" if end else "0" for end in (min(values), max(values)))
    return "..".join(ends)


@layout.register
def _five_runs(result: FiveRuns) -> Blocks:
    setup = _setup(
        result.size,
        plural(result.steps, "step"),
        f"network: {result.network}",
        f"data: {result.data}",
        f"{result.labels} labels",
        f"seed {result.seed}",
        f"validated on {plural(result.validation_images, 'image')}",
    )
    body: list[RenderableType] = []
    for gradient in result.gradients:
        body += [*([""] if body else []), *layout(gradient)]
    claim = ""
    if result.size == "full":
        share = _percent(result.source, 3)
        claim = f"Claim: the losses of the forum answer's five runs differ by at most {share}."
    shares = " and ".join(
        f"{_percent(gradient.figure, 3)} ({_gradient_name(gradient)})"
        for gradient in result.gradients
    )
    finding = f"The losses differ from the first run's by at most {shares}."
    if all(gradient.distinct == 1 for gradient in result.gradients):
        finding = "No drift seen: all runs of a gradient ended with the same weights, bit for bit."
    return _page(result, setup, body, finding=finding, claim=claim, why_skipped=result.skipped)


def _gradient_name(result: GradientRuns) -> str:
    return f"{result.gradient} gradient"


@layout.register
def _gradient(result: GradientRuns) -> Blocks:
    name = _gradient_name(result)
    yield heading(f"{name[0].upper()}{name[1:]}")
    heads = ("run", ">loss", ">accuracy", ">val. loss", ">val. accuracy")
    rows = [
        (
            run.condition,
            *(
                f"{figure:.4f}"
                for figure in (
                    run.loss,
                    run.accuracy,
                    run.validation_loss,
                    run.validation_accuracy,
                )
            ),
        )
        for run in result.runs
    ]
    yield table(heads, rows)
    if result.distinct == 1:
        runs = plural(len(result.runs), "run")
        yield paragraph(f"No drift seen: {runs} ended with the same hash of all weights.")
    else:
        yield paragraph(
            f"{plural(len(result.runs), 'run')} ended with {result.distinct} different sets of "
            f"weights; the losses differ from the first run's by at most "
            f"{_percent(result.figure, 3)}."
        )


def _percent(share: float, digits: int = 2) -> str:
    return "-" if math.isnan(share) else f"{percent(share, digits)} %"


@layout.register
def _study(result: Study) -> Blocks:
    return _study_page(result, result, _distances(result))


@layout.register
def _determinism(result: Determinism) -> Blocks:
    body = _distances(result.study)
    if result.ratios:
        rows = [(label, f"{ratio:.2f}") for label, ratio in result.ratios.items()]
        body += ["", table(("pair of runs", ">step time ratio"), rows)]
        body.append(
            detail("Step time ratio: time of a step with op determinism divided by that without.")
        )
    return _study_page(result, result.study, body)


@layout.register
def _one_gate(result: OneGate) -> Blocks:
    body = _distances(result.study)
    if result.gates is not None:
        steps = zip(result.gates.steps, result.gates.distance, strict=True)
        rows = [(f"{step}", f"{distance:.1e}") for step, distance in steps]
        body += ["", table((">after step", ">distance of the weights"), rows)]
    return _study_page(result, result.study, body)


@layout.register
def _ulp_survival(result: UlpSurvival) -> Blocks:
    found = result.survival
    rows = []
    for step, absorbed, share in zip(found.steps, found.absorbed, found.share, strict=True):
        low, high = found.band(step)
        between = "-" if math.isnan(low) else f"{low:.0%} to {high:.0%}"
        rows.append((f"{step}", f"{absorbed}", f"{share:.0%}", between))
    body = _distances(result.study)
    if found.events:
        heads = (">after step", ">absorbed", ">still there", ">95 % interval (Greenwood)")
        body += ["", table(heads, rows)]
    return _study_page(result, result.study, body)


@layout.register
def _no_seeds(result: NoSeeds) -> Blocks:
    drawn = plural(result.drawn, "run")
    seeded = plural(len(result.study.runs) - result.drawn, "run")
    heads = (
        ">step",
        ">loss,\nrandom seeds",
        ">accuracy,\nrandom seeds",
        ">loss,\none seed",
        ">accuracy,\none seed",
    )
    rows = []
    for i in range(result.loss_spread.shape[1]):
        figures = (
            (f"{loss[i]:.2g}", f"{100 * accuracy[i]:.1f} %")
            for loss, accuracy in zip(result.loss_spread, result.accuracy_spread, strict=True)
        )
        rows.append((f"{i + 1}", *(figure for pair in figures for figure in pair)))
    note = f"Largest minus smallest value at each step: {drawn}, random seeds; {seeded}, one seed."
    return _study_page(result, result.study, [table(heads, rows), detail(note)])


@layout.register
def _metric(result: Metric) -> Blocks:
    edge = result.edge
    rows = []
    for name, ours in result.spread.items():
        planted = {"loss": edge.loss, "accuracy": edge.accuracy}.get(name)
        first = "" if planted is None else _percent(abs(planted[1] - planted[0]) / planted[0])
        label = name.replace("_", " ")
        rows.append((label, first, _percent(ours), _percent(result.source[name])))
    images = result.predictions  # the probe's, which are what is validated with
    note = (
        f"Relative spread of each metric. Validated on {plural(images, 'image')} "
        f"(the forum answer: {NOISE_IMAGES:,}): one image is {100 / images:.2g} points of accuracy."
    )
    heads = ("metric", ">planted", ">these runs", ">forum answer's five runs")
    return _study_page(result, result.study, [table(heads, rows), detail(note)])


@layout.register
def _hash_seed(result: HashSeed) -> Blocks:
    body: list[RenderableType] = []
    for what, outcomes in (
        ("Python's hash of a string", result.hashes),
        ("trained weights, any PYTHONHASHSEED", result.weights),
    ):
        rows = [(row.label, f"{row.processes}", f"{row.distinct}") for row in outcomes]
        body += [*([""] if body else []), table((what, ">processes", ">results"), rows)]
    return _study_page(result, result.study, body)


def _study_page(result: _Told, study: Study, body: Sequence[RenderableType]) -> Blocks:
    """Lay out a study of several runs; the machine is the result's own."""
    setup = _setup(
        study.size,
        f"{plural(len(study.runs), 'run')} of {plural(study.steps, 'step')}",
        f"network: {study.network}",
        f"data: {study.data}",
        f"{study.labels} labels",
        f"seed {study.seed}",
    )
    claim = _claim(study.claim)
    return _page(
        result, setup, body, why_skipped=study.skipped, finding=result.finding, claim=claim
    )


def _distances(study: Study) -> list[RenderableType]:
    heads = ("run", "baseline", ">diverges", ">distance", ">churn")
    rows = [(row.label, row.baseline, *_apart(row)) for row in study.distances]
    return [table(heads, rows), detail(_TERMS)]


def _apart(row: RunDistance) -> tuple[str, str, str]:
    """Write where a run diverges from its baseline, how far it is from it, and the churn."""
    churn = "-" if math.isnan(row.churn) else f"{100 * row.churn:.1f} %"
    if row.first_step is None:
        return "never", "0", churn
    when = f"step {row.first_step}" if row.first_step else "at start"
    return when, f"{row.distance:.1e}", churn


@layout.register
def _question(result: Question) -> Blocks:
    most = f"(forum question: up to {plural(result.source_epochs, 'epoch')})"
    if result.an_epoch is None:
        done = f"{plural(result.epochs, 'epoch')} {most} of {plural(result.steps, 'step')}"
    else:
        done = f"{result.steps} of the {plural(result.an_epoch, 'step')} of one epoch {most}"
    distances = {distance.label: distance for distance in result.distances}
    setup = (
        f"Size: {'as in' if result.size == 'full' else 'different from'} the forum question. "
        f"{done}; data: {result.data}"
        f"{'' if result.data == DATA else f' in place of {DATA}'}; seed {result.seed}; "
        f"validated on {plural(result.validation_images, 'image')}."
    )
    heads = ("run", ">best epoch", ">val. loss", ">val. accuracy", ">diverges", ">distance")
    rows = [_question_row(run, distances.get(run.label)) for run in result.runs]
    claim = f"Question: {result.claim}"
    return _page(
        result,
        setup,
        [table((*heads, ">churn"), rows), detail(_TERMS)],
        finding=result.finding,
        claim=claim,
    )


def _question_row(run: Validated, away: RunDistance | None) -> tuple[str, ...]:
    best = (f"{run.best}", f"{run.losses[run.best - 1]:.4f}", f"{run.accuracy:.4f}")
    return (run.label, *best, *(("", "", "") if away is None else _apart(away)))


@layout.register
def _long(result: Long) -> Blocks:
    size = "full" if result.steps >= result.source_steps else "quick"
    setup = _setup(
        size,
        f"{plural(result.steps, 'step')} (forum answer: {result.source_steps:,})",
        f"network: {result.network}",
        f"data: {result.data}",
        f"seed {result.seed}",
        f"run a: {result.labels[0]}",
        f"run b: {result.labels[1]}",
    )
    heads = (">epoch", ">step", ">distance", ">loss a", ">loss b", ">churn", ">weights <= 1e-8")
    body = [table(heads, [_long_row(epoch) for epoch in result.epochs]), *_kept(result)]
    claim = _claim(result.claim)
    return _page(result, setup, body, finding=result.finding, claim=claim)


def _kept(result: Long) -> Blocks:
    """Report of which steps the distances are, where weights were not kept at every epoch's end."""
    earlier = [epoch for epoch in result.epochs if result.kept_at(epoch) < epoch.step]
    if earlier:
        first = earlier[0]
        yield detail(
            "Each distance is measured at the last step so far whose weights were kept, such as "
            f"step {result.kept_at(first):,} for step {first.step:,}."
        )


def _long_row(epoch: Epoch) -> tuple[str, ...]:
    losses = (f"{loss:.4f}" for loss in epoch.losses)
    place = (f"{epoch.epoch}", f"{epoch.step:,}", f"{epoch.distance:.1e}")
    return (*place, *losses, f"{100 * epoch.churn:.1f} %", f"{percent(epoch.small[0])} %")


@layout.register
def _trap(result: Trap) -> Blocks:
    setup = _setup(
        result.size,
        plural(result.steps, "step"),
        f"network: {result.network}",
        f"data: {result.data}",
        f"seed {result.seed}",
        "1 thread",
        "TensorFlow's fused gradient compared with op determinism's, the gradient of the loss",
    )
    heads = ("labels", ">distance, step 1", ">distance, end", ">loss, fused", ">loss, own")
    rows = [
        (
            path.labels,
            f"{path.first:.1e}",
            f"{path.last:.1e}",
            f"{path.losses[0]:.4f}",
            f"{path.losses[1]:.4f}",
            path.kind,
        )
        for path in result.paths
    ]
    claim = _claim(result.claim)
    return _page(
        result, setup, [table((*heads, "diagnosis"), rows)], finding=result.finding, claim=claim
    )


@layout.register
def _courses(result: DistanceCurves) -> Blocks:
    both = result.with_noise
    setup = _setup(
        result.size,
        result.title,
        plural(result.last, "step"),
        f"data: {result.data}",
        f"seed {result.seed}",
        "1 thread",
    )
    note = "Relative distance of the weights from the run without a nudge"
    if both:
        note += ", excluding biases whose true gradient is zero"
    note += "."
    if any(
        (curves.distance[:, [0, *curves.told]] == 0).any() for curves in (result, both) if curves
    ):
        note += " equal: the same bits."
    body = [_curves(result), detail(note)]
    if both:
        body += ["", heading("All weights, including those biases, which only rounding moves")]
        body += [_curves(both)]
    claim = f"Question: {result.claim}"
    return _page(result, setup, body, finding=result.finding, claim=claim)


def _curves(result: DistanceCurves) -> RenderableType:
    places = (0, *result.told)
    rows = [
        (label, *(f"{distances[c]:.1e}" if distances[c] else "equal" for c in places))
        for label, distances in zip(result.labels, result.distance, strict=True)
    ]
    return table((result.what, *(f">step {result.steps[c]}" for c in places)), rows)
