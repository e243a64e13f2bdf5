"""All sources of difference between two runs, alone and combined, with reruns as the control."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fpdrift.comparison import Interval, median_interval
from fpdrift.comparison._intervals import FEWEST, leader
from fpdrift.experiments._demo import NUDGE
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._five_runs import other_kernels
from fpdrift.experiments._runs import run_distance, trained_runs
from fpdrift.experiments._study import EPOCH, NO_HASH, Size, size_of, span
from fpdrift.perturbation import Perturbation
from fpdrift.provenance import current
from fpdrift.serialization import Result
from fpdrift.training import Condition
from fpdrift.training._condition import LARGEST_SEED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fpdrift.experiments._runs import Settings, TrainedRun
    from fpdrift.records import Record

STEPS = {"quick": 12, "full": EPOCH}
#: Number of seeds for each source, and of draws of sources with their own seed.
DRAWS = {"quick": 2, "full": FEWEST}
#: Thread counts to compare with 1.
THREADS = (2, 4)
#: Sources that the quick size leaves out, to finish within three minutes.
FULL_ALONE = ("4 threads", "all seeds, threads, 1e-8")
CONTROL = "the same again"
CLAIM = (
    "Without seeds every metric runs wild; once everything is seeded, the GPU's parallel work is "
    "the likeliest cause of what is left."
)
#: Sources that change the weights or the precision, not only the order of operations.
PLANTED = ("one ulp in one weight", "1e-8 on half", "float64", "threads, 1e-8, XLA, det.")
#: Weight to change by one ulp, and the distance between the indices of the draws.
_TENSOR, _STRIDE = "conv2/kernel", 997


#: One value for each pair.
Figures = tuple[float, ...]
_FIGURES = ("distance", "of_all", "churn", "loss", "accuracy")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source(Result):
    """Effect of one source of difference on runs, compared with runs of the same seed without it.

    The pairs of one source do not share runs; the pairs of different sources share the baselines.
    """

    name: str
    #: number of pairs of runs, and of those that are bit-identical
    runs: int
    equal: int
    #: at the end of each pair: relative distance of the weights without those whose true gradient
    #: is zero, and of all weights; churn; absolute difference of the mean loss and of the accuracy.
    #: Results of older versions have the smallest and largest of two pairs, and are empty for more.
    distance: Figures
    of_all: Figures
    churn: Figures
    loss: Figures
    accuracy: Figures

    @classmethod
    def upgrade(cls, encoded: dict[str, Any]) -> dict[str, Any]:
        """Read the bootstrap interval of an older version, whose ends are those of two pairs."""
        older = {name for name in _FIGURES if isinstance(encoded.get(name), dict)}
        return encoded | {name: _pairs_in(encoded[name], encoded["runs"]) for name in older}

    @property
    def interval(self) -> Interval:
        """Interval of the median distance."""
        return median_interval(self.distance)


def _pairs_in(bootstrap: dict[str, Any], runs: int) -> list[Any]:
    if runs == 1:
        return [bootstrap["mean"]]
    return [bootstrap["low"], bootstrap["high"]] if runs == 2 else []


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources(Result):
    """A table of sources of difference, the control first."""

    _computed = ("claim", "finding")

    size: Size
    network: str
    data: str
    seed: int
    steps: int
    rows: tuple[Source, ...]
    #: condition that this machine does not support -> reason
    skipped: dict[str, str]

    @property
    def claim(self) -> str:
        """The claim in the forum answer."""
        return CLAIM

    @property
    def finding(self) -> str:
        """The result in words."""
        return _tell(self)

    @property
    def rounding(self) -> tuple[Source, ...]:
        """The rows that change only rounding."""
        return tuple(r for r in self.rows[1:] if "seed" not in r.name and r.name not in PLANTED)

    @property
    def seeds(self) -> tuple[Source, ...]:
        """The rows that change only seeds."""
        return tuple(r for r in self.rows if "seed" in r.name and "," not in r.name)

    def __repr__(self) -> str:
        return f"Sources({self.size}, {len(self.rows)} rows, {self.steps} steps)"


@as_study("sources", ("C06", "C07", "C10"), "10", "sources of difference, alone and joint")
def sources(settings: Settings) -> Sources:
    """Train from several seeds, without and with each source of difference.

    Finished runs in the folder ``sources`` of `settings.out` are not trained again.
    """
    size = size_of(settings)
    one = Condition(intra_op_threads=1, seed=settings.seed)
    groups, skipped = conditions(one, DRAWS[size])
    if size == "quick":
        groups = {name: group for name, group in groups.items() if name not in FULL_ALONE}
        skipped |= dict.fromkeys(FULL_ALONE, "only with --full")
    control = groups.pop(CONTROL)
    # a condition shared by two sources is trained once; the control is trained twice
    once = list(dict.fromkeys((*control, *(c for group in groups.values() for c in group))))
    labelled = {f"run {i}": condition for i, condition in enumerate((*once, *control))}
    found = list(zip(*trained_runs(labelled, settings, "sources", steps=STEPS[size]), strict=True))
    of = dict(zip(once, found, strict=False))
    plain = [of[condition] for condition in control]
    rows = [_row(CONTROL, plain, found[len(once) :])]
    rows += [_row(name, plain, [of[c] for c in group]) for name, group in groups.items()]
    return Sources(
        size=size,
        network="answer",
        data="noise",
        seed=settings.seed,
        steps=STEPS[size],
        rows=tuple(rows),
        skipped=skipped,
    )


def _row(
    name: str,
    plain: Sequence[tuple[TrainedRun, Record]],
    moved: Sequence[tuple[TrainedRun, Record]],
) -> Source:
    """Compare each run with the baseline of its seed."""
    pairs = list(zip(plain, moved, strict=True))
    found = [run_distance(a.label, ours, b.label, theirs) for (a, ours), (b, theirs) in pairs]
    runs = [(a, b) for (a, _), (b, _) in pairs]
    return Source(
        name=name,
        runs=len(pairs),
        equal=sum(distance.first_step is None for distance in found),
        distance=tuple(d.of_learning for d in found),
        of_all=tuple(d.distance for d in found),
        churn=tuple(d.churn for d in found),
        loss=tuple(abs(b.loss - a.loss) for a, b in runs),
        accuracy=tuple(abs(b.accuracy - a.accuracy) for a, b in runs),
    )


def conditions(
    one: Condition, draws: int
) -> tuple[dict[str, tuple[Condition, ...]], dict[str, str]]:
    """Return the conditions of each source, one for each seed, the control first.

    Returns
    -------
    dict of str to tuple of Condition
        The n-th condition of each source belongs to the n-th of the control.
    dict of str to str
        Condition that this machine does not support -> reason.
    """
    kernels, skipped = other_kernels(one, current().cpu_features)
    # each pair of runs has its own seeds, since an interval requires independent pairs
    seeds = [(one.seed + i) % (LARGEST_SEED + 1) for i in range(2 * draws)]
    control, others = [replace(one, seed=seed) for seed in seeds[:draws]], seeds[draws:]
    ulps = [
        Perturbation(kind="ulp", tensor=_TENSOR, index=_STRIDE * i) for i in range(1, draws + 1)
    ]
    noise = [Perturbation(kind="noise", size=NUDGE, fraction=0.5, seed=seed) for seed in others]

    def each(**changes: Any) -> tuple[Condition, ...]:
        """Change every condition of the control; a list has one value for each."""
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


def _tell(result: Sources) -> str:
    control = result.rows[0]
    if control.equal < control.runs:
        return (
            "The control differs: reruns under the same condition ended at a distance of "
            f"{_ends(control.distance)}, so this training is nondeterministic here and smaller "
            "distances cannot be distinguished from chance."
        )
    text = f"The control gave the same bits: {NO_HASH}. "
    same = [row.name for row in result.rows[1:] if row.equal == row.runs]
    if same:
        text += f"So did: {', '.join(same)}. "
    return f"{text}{_of_rounding(result)}"


def _of_rounding(result: Sources) -> str:
    if not all(row.distance for row in result.rounding):
        return "This older result does not contain the distances; run the study again."
    moved = [row for row in result.rounding if any(row.of_all)]
    others = [distance for row in result.seeds for distance in row.distance]
    seeds = f"; a different seed moved them by {_ends(others)}" if others else ""
    pairs = f"{result.rows[0].runs} pairs of runs per source"
    if not moved:
        return (
            "No drift of the weights was observed from "
            f"{', '.join(row.name for row in result.rounding)} ({pairs}){seeds}."
        )
    if not any(any(row.distance) for row in moved):
        return (
            "Sources that change only rounding moved no weights except biases whose true gradient "
            f"is zero ({pairs}){seeds}."
        )
    found = [distance for row in moved for distance in row.distance]
    text = (
        f"Sources that change only rounding moved the weights by {_ends(found)} after "
        f"{result.steps} steps ({pairs}){seeds}. {_rank(result)}"
    )
    if any(a > d for row in moved for a, d in zip(row.of_all, row.distance, strict=True)):
        least = min(distance for row in moved for distance in row.of_all if distance)
        text += (
            " This excludes biases whose true gradient is zero, which only rounding moves; "
            f"including them, the distance of each pair that differs is at least {least:.1e}."
        )
    return text


def _rank(result: Sources) -> str:
    """Name the source that moves the weights most, if a test distinguishes it from the others."""
    rows = result.rounding
    if min(len(row.distance) for row in rows) < FEWEST:
        return "Too few pairs to rank the sources."
    first = leader([row.distance for row in rows])
    if first is None:
        return "It is unknown which source moves them most (sign tests at 5 %)."
    return f"{rows[first].name} moved them more than every other source (sign tests at 5 %)."


def _ends(distances: Sequence[float]) -> str:
    return span(distances) if distances else "some distance"
