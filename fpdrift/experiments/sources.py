"""Every source of difference between two runs, alone and together, beside the run repeated."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.experiments.fiveruns import other_kernels
from fpdrift.experiments.light import NUDGE
from fpdrift.experiments.study import EPOCH, Size, plain, size_of
from fpdrift.experiments.trained import run_distance, trained_runs
from fpdrift.perturbation import Perturbation
from fpdrift.provenance import current
from fpdrift.results import Result
from fpdrift.training.condition import LARGEST_SEED, Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fpdrift.experiments.settings import Settings
    from fpdrift.experiments.trained import TrainedRun
    from fpdrift.records import Record

STEPS = {"quick": 12, "full": EPOCH}
#: Seeds that every source is tried from, and draws of whatever has a seed of its own.
DRAWS = {"quick": 2, "full": 5}
#: Thread counts to hold against 1.
THREADS = (2, 4)
#: What the quick size leaves out, to end within three minutes.
FULL_ALONE = ("4 threads", "all seeds, threads, 1e-8")
RESAMPLES = 10_000
CONFIDENCE = 0.95
CONTROL = "the same again"
CLAIM = (
    "Without seeds every metric runs wild; once all is seeded, parallel sums are the likeliest "
    "cause of what is left."
)
#: Rows that change the weights themselves or the arithmetic's width: more than another order of the
#: same roundings.
PLANTED = ("one ulp in one weight", "1e-8 on half", "float64", "threads, 1e-8, XLA, det.")
#: Weight of which an ulp is moved, and where: a new place for each draw.
_TENSOR, _STRIDE = "conv2/kernel", 997


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval(Result):
    """The mean of some runs' figures, with a bootstrap interval."""

    mean: float
    #: 95 % of the resampled means lie between; NaN for one run
    low: float
    high: float

    def __repr__(self) -> str:
        return f"Interval({self.mean:.2g}: {self.low:.2g} to {self.high:.2g})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source(Result):
    """What one source does to runs, each held against the one of its seed without it."""

    name: str
    #: how many runs it was tried in, and how many of them kept the bits of theirs without it
    runs: int
    equal: int
    #: relative distance of the weights but those whose true gradient is zero, and of all; fraction
    #: of other classes among the probe's predictions, difference of the mean loss and of the
    #: accuracy (absolute); at the end
    distance: Interval
    of_all: Interval
    churn: Interval
    loss: Interval
    accuracy: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources(Result):
    """A table of sources, the control first."""

    size: Size
    network: str
    data: str
    seed: int
    steps: int
    rows: tuple[Source, ...]
    claim: str
    finding: str
    #: condition that this machine cannot have -> why
    skipped: dict[str, str]

    def __repr__(self) -> str:
        return f"Sources({self.size}, {len(self.rows)} rows, {self.steps} steps)"


def sources(settings: Settings) -> Sources:
    """Train from several seeds without and with each source of difference.

    What lies finished in the folder ``sources`` of `settings.out` is not trained again.
    """
    size = size_of(settings)
    one = Condition(intra_op_threads=1, seed=settings.seed)
    groups, skipped = conditions(one, DRAWS[size])
    if size == "quick":
        groups = {name: group for name, group in groups.items() if name not in FULL_ALONE}
        skipped |= dict.fromkeys(FULL_ALONE, "--full has it")
    control = groups.pop(CONTROL)
    # where two sources come to one condition it is trained once; the control is trained twice
    once = list(dict.fromkeys((*control, *(c for group in groups.values() for c in group))))
    labelled = {f"run {i}": condition for i, condition in enumerate((*once, *control))}
    found = list(zip(*trained_runs(labelled, settings, "sources", steps=STEPS[size]), strict=True))
    of = dict(zip(once, found, strict=False))
    plain = [of[condition] for condition in control]
    rng = np.random.default_rng(settings.seed)
    rows = [_row(CONTROL, plain, found[len(once) :], rng)]
    rows += [_row(name, plain, [of[c] for c in group], rng) for name, group in groups.items()]
    result = Sources(
        size=size,
        network="answer",
        data="noise",
        seed=settings.seed,
        steps=STEPS[size],
        rows=tuple(rows),
        claim=CLAIM,
        finding="",
        skipped=skipped,
    )
    return replace(result, finding=_tell(result))


def _row(
    name: str,
    plain: Sequence[tuple[TrainedRun, Record]],
    moved: Sequence[tuple[TrainedRun, Record]],
    rng: np.random.Generator,
) -> Source:
    """Hold each run against the one of its seed."""
    pairs = list(zip(plain, moved, strict=True))
    away = [run_distance(a.label, ours, b.label, theirs) for (a, ours), (b, theirs) in pairs]
    runs = [(a, b) for (a, _), (b, _) in pairs]
    return Source(
        name=name,
        runs=len(pairs),
        equal=sum(distance.first_step is None for distance in away),
        distance=bootstrap([d.distance if d.learned is None else d.learned for d in away], rng),
        of_all=bootstrap([d.distance for d in away], rng),
        churn=bootstrap([d.churn for d in away], rng),
        loss=bootstrap([abs(b.loss - a.loss) for a, b in runs], rng),
        accuracy=bootstrap([abs(b.accuracy - a.accuracy) for a, b in runs], rng),
    )


def conditions(
    one: Condition, draws: int
) -> tuple[dict[str, tuple[Condition, ...]], dict[str, str]]:
    """Give the conditions of each source, from as many seeds; the control's first.

    Returns
    -------
    dict of str to tuple of Condition
        The n-th of each belongs to the n-th of the control.
    dict of str to str
        Condition that this machine cannot have -> why.
    """
    kernels, skipped = other_kernels(one, current().cpu_features)
    # each pair of runs has seeds of its own, since the bootstrap takes them for independent
    seeds = [(one.seed + i) % (LARGEST_SEED + 1) for i in range(2 * draws)]
    control, others = [replace(one, seed=seed) for seed in seeds[:draws]], seeds[draws:]
    ulps = [
        Perturbation(kind="ulp", tensor=_TENSOR, index=_STRIDE * i) for i in range(1, draws + 1)
    ]
    noise = [Perturbation(kind="noise", size=NUDGE, fraction=0.5, seed=seed) for seed in others]

    def each(**changes: Any) -> tuple[Condition, ...]:
        """Change every run of the control; a list holds another value for each."""
        return tuple(
            replace(c, **{k: v[i] if isinstance(v, list) else v for k, v in changes.items()})
            for i, c in enumerate(control)
        )

    groups = {
        CONTROL: each(),
        **{f"{count} threads": each(intra_op_threads=count) for count in THREADS},
        **{
            name: tuple(replace(kernel, seed=c.seed) for c in control)
            for name, kernel in kernels.items()
        },
        "one ulp in one weight": each(perturbation=ulps),
        "1e-8 on half": each(perturbation=noise),
        "XLA": each(jit=True),
        "float64": each(dtype_policy="float64"),
        "op determinism": each(op_determinism=True),
        "threads, 1e-8, XLA, det.": each(
            intra_op_threads=2, perturbation=noise, jit=True, op_determinism=True
        ),
        "seed of weights": each(init_seed=others),
        "seed of data order": each(order_seed=others),
        "seed of dropout": each(dropout_seed=others),
        "all seeds": each(seed=others),
        "all seeds, threads, 1e-8": each(seed=others, intra_op_threads=2, perturbation=noise),
    }
    return groups, skipped


def bootstrap(values: Sequence[float], rng: np.random.Generator) -> Interval:
    """Find a mean and its percentile bootstrap interval (Efron, 1979).

    Parameters
    ----------
    values : sequence of float
    rng : numpy.random.Generator
        Draws 10,000 samples with replacement.
    """
    found = np.asarray(values, np.float64)
    mean = float(found.mean())
    if len(found) == 1:
        return Interval(mean=mean, low=math.nan, high=math.nan)
    means = found[rng.integers(0, len(found), (RESAMPLES, len(found)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(mean=mean, low=float(low), high=float(high))


def _tell(result: Sources) -> str:
    control = result.rows[0]
    if control.equal < control.runs:
        return (
            f"The control is not equal: the same condition again ended {control.distance.mean:.1e} "
            "away, so this training is nondeterministic here and no row below that can be told "
            "from chance."
        )
    told = "The control has the same bits, where one other bit in any tensor would have shown. "
    same = [row.name for row in result.rows[1:] if row.equal == row.runs]
    if same:
        told += f"The same bits as well: {', '.join(same)}. "
    rounding = [
        row for row in result.rows[1:] if "seed" not in row.name and row.name not in PLANTED
    ]
    moved = [row for row in rounding if row.of_all.mean > 0]
    seeds = next(row for row in result.rows if row.name == "all seeds")
    if not moved:
        return (
            f"{told}No drift seen in the weights from {', '.join(row.name for row in rounding)}; "
            f"other seeds move them by {seeds.distance.mean:.1e}."
        )
    largest = max(moved, key=lambda row: row.distance.mean)
    if not largest.distance.mean:
        return (
            f"{told}What differs in rounding alone moved no weights but biases whose true gradient "
            f"is zero; other seeds move the others by {seeds.distance.mean:.1e}."
        )
    times = seeds.distance.mean / largest.distance.mean
    told += (
        f"Of what differs in rounding alone, {largest.name} moved the weights most here, by "
        f"{largest.distance.mean:.1e} after {result.steps} steps; other seeds by "
        f"{seeds.distance.mean:.1e}, {plain(times)} times as far."
    )
    if any(row.of_all.mean > row.distance.mean for row in moved):
        least = min(row.of_all.mean for row in moved)
        told += (
            " Biases whose true gradient is zero are left out of that: rounding alone moves them, "
            f"and with them each of these moves the weights by {least:.1e} or more."
        )
    return told
