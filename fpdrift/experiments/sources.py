"""Every source of difference between two runs, alone and together, beside the run repeated."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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

STEPS = {"quick": 15, "full": EPOCH}
#: Draws of whatever has a seed.
DRAWS = {"quick": 2, "full": 5}
#: Thread counts to hold against 1.
THREADS = (2, 4)
RESAMPLES = 10_000
CONFIDENCE = 0.95
CONTROL = "the same again"
CLAIM = (
    "Hyperparameters change results far more than this noise does; the variance from seeds and "
    "data may be far larger than that from rounding."
)
#: Rows that change the weights themselves or the arithmetic's width: more than another order of the
#: same roundings.
PLANTED = ("one ulp in one weight", "1e-8 on half", "float64", "threads, noise, XLA, determ.")
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
    """What one source does to a run."""

    name: str
    #: how many runs it was tried in, and how many of them kept the control's bits
    runs: int
    equal: int
    #: relative distance of the weights, fraction of other classes among the probe's predictions,
    #: difference of the mean loss and of the accuracy (absolute), at the end
    distance: Interval
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
    """Train under each source of difference and hold every run against the first.

    What lies finished in the folder ``sources`` of `settings.out` is not trained again.
    """
    size = size_of(settings)
    one = Condition(intra_op_threads=1, seed=settings.seed)
    groups, skipped = conditions(one, DRAWS[size])
    labelled = {"first": one}
    labelled |= {
        f"{name} {i + 1}": condition
        for name, group in groups.items()
        for i, condition in enumerate(group)
    }
    runs, records = trained_runs(labelled, settings, "sources", steps=STEPS[size])
    of = dict(zip(labelled, zip(runs, records, strict=True), strict=True))
    rng = np.random.default_rng(settings.seed)
    rows = []
    for name, group in groups.items():
        found = [of[f"{name} {i + 1}"] for i in range(len(group))]
        away = [run_distance("first", records[0], run.label, record) for run, record in found]
        rows.append(
            Source(
                name=name,
                runs=len(group),
                equal=sum(distance.first_step is None for distance in away),
                distance=bootstrap([d.distance for d in away], rng),
                churn=bootstrap([d.churn for d in away], rng),
                loss=bootstrap([abs(run.loss - runs[0].loss) for run, _ in found], rng),
                accuracy=bootstrap([abs(run.accuracy - runs[0].accuracy) for run, _ in found], rng),
            )
        )
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


def conditions(
    one: Condition, draws: int
) -> tuple[dict[str, tuple[Condition, ...]], dict[str, str]]:
    """Give the conditions of each source, the control's first.

    Returns
    -------
    dict of str to tuple of Condition
    dict of str to str
        Condition that this machine cannot have -> why.
    """
    kernels, skipped = other_kernels(one, current().cpu_features)
    seeds = [(one.seed + i) % (LARGEST_SEED + 1) for i in range(1, draws + 1)]
    ulps = [
        Perturbation(kind="ulp", tensor=_TENSOR, index=_STRIDE * i) for i in range(1, draws + 1)
    ]
    noise = [Perturbation(kind="noise", size=NUDGE, fraction=0.5, seed=seed) for seed in seeds]
    groups = {
        CONTROL: (one,) * draws,
        "threads": tuple(replace(one, intra_op_threads=count) for count in THREADS),
        **{name: (condition,) for name, condition in kernels.items()},
        "one ulp in one weight": tuple(replace(one, perturbation=p) for p in ulps),
        "1e-8 on half": tuple(replace(one, perturbation=p) for p in noise),
        "XLA": (replace(one, jit=True),),
        "float64": (replace(one, dtype_policy="float64"),),
        "op determinism": (replace(one, op_determinism=True),),
        "threads, noise, XLA, determ.": (
            replace(one, intra_op_threads=2, perturbation=noise[0], jit=True, op_determinism=True),
        ),
        "seed of weights": tuple(replace(one, init_seed=seed) for seed in seeds),
        "seed of data order": tuple(replace(one, order_seed=seed) for seed in seeds),
        "seed of dropout": tuple(replace(one, dropout_seed=seed) for seed in seeds),
        "all seeds": tuple(replace(one, seed=seed) for seed in seeds),
        "all seeds, threads, noise": tuple(
            replace(one, seed=seed, intra_op_threads=2, perturbation=p)
            for seed, p in zip(seeds, noise, strict=True)
        ),
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
    moved = [row for row in rounding if row.distance.mean > 0]
    seeds = next(row for row in result.rows if row.name == "all seeds")
    if not moved:
        return (
            f"{told}No drift seen in the weights from {', '.join(row.name for row in rounding)}; "
            f"other seeds move them by {seeds.distance.mean:.1e}."
        )
    largest = max(moved, key=lambda row: row.distance.mean)
    times = seeds.distance.mean / largest.distance.mean
    return (
        f"{told}Of what differs in rounding alone, {largest.name} moved the weights most here, by "
        f"{largest.distance.mean:.1e} after {result.steps} steps; other seeds by "
        f"{seeds.distance.mean:.1e}, {plain(times)} times as far."
    )
