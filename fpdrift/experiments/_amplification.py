"""How far nudged runs get: by the size of the nudge, and by what the network is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.comparison import compare
from fpdrift.experiments._demo import NUDGE
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._runs import distance_excluding_zero_gradient, trained_runs
from fpdrift.experiments._study import EPOCH, Size, plain, size_of
from fpdrift.perturbation import Perturbation
from fpdrift.serialization import Result, read_only
from fpdrift.training import Condition
from fpdrift.training._networks import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import numpy.typing as npt

    from fpdrift.experiments._runs import Settings
    from fpdrift.records import Record

STEPS = {"quick": 40, "full": EPOCH}
#: Steps of the amplifiers' runs: there are many of them.
AMPLIFIED = {"quick": 20, "full": EPOCH}
#: Powers of ten of the nudges.
DOSES = {"quick": range(-12, 0, 2), "full": range(-12, -1)}
#: Steps whose distance is told, besides the last.
TOLD = (1, 10, 100)
_WITH = "With the biases whose true gradient is zero, which rounding alone moves:"
_ONE_DRAW = "One draw of each; another may grow differently, so these runs do not rank them."


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DistanceCurves(Result):
    """Pairs of runs that start a nudge apart, each a line over the steps."""

    _computed = ("title", "what", "claim", "finding")

    name: str
    size: Size
    data: str
    seed: int
    #: of each run
    last: int
    labels: tuple[str, ...]
    #: steps at which values were kept (m,)
    steps: npt.NDArray[np.int64]
    #: relative distance of the weights but those whose true gradient is zero; 0 where no bit of
    #: them differs (pairs, m)
    distance: npt.NDArray[np.float64]
    #: the same of all weights (pairs, m)
    of_all: npt.NDArray[np.float64] | None = None

    @property
    def title(self) -> str:
        """What was done."""
        return _WORDS[self.name].title

    @property
    def what(self) -> str:
        """What tells the pairs apart."""
        return _WORDS[self.name].what

    @property
    def claim(self) -> str:
        """What is asked."""
        return _WORDS[self.name].claim

    @property
    def finding(self) -> str:
        """What these runs say, without the weights that rounding alone moves, and of all."""
        tell, both = _WORDS[self.name].tell, self.with_noise
        told = tell(self)
        if both is not None:
            told += f" {_WITH} {tell(both)[0].lower()}{tell(both)[1:]}"
        return f"{told} {_ONE_DRAW}" if self.distance.any() else told

    def __repr__(self) -> str:
        return f"Courses({self.name}, {self.size}, {len(self.labels)} pairs of {self.last} steps)"

    @property
    def with_noise(self) -> DistanceCurves | None:
        """The same of all weights; None where that is the same."""
        if self.of_all is None or np.array_equal(self.of_all, self.distance, equal_nan=True):
            return None
        return replace(self, distance=self.of_all, of_all=None)

    @property
    def told(self) -> tuple[int, ...]:
        """Columns that a table shows: steps 1, 10, 100 (or what was kept before) and the last."""
        wanted = [step for step in (*TOLD, self.last) if step <= self.last]
        rows = np.searchsorted(self.steps, wanted, side="right") - 1
        return tuple(dict.fromkeys(rows.tolist()))


@as_study("dose", ("C07",), "07", "nudges of many sizes, then training")
def dose(settings: Settings) -> DistanceCurves:
    """Nudge half of the weights by noise of several sizes, then train.

    What lies finished in the folder ``dose`` of `settings.out` is not trained again.
    """
    size = size_of(settings)
    one = Condition(intra_op_threads=1, seed=settings.seed)
    labelled = {"none": one}
    for power in DOSES[size]:
        noise = Perturbation(kind="noise", size=10.0**power, fraction=0.5, seed=settings.seed)
        labelled[f"1e{power:+03d}"] = replace(one, perturbation=noise)
    _, (first, *others) = trained_runs(labelled, settings, "dose", steps=STEPS[size])
    pairs = {label: (first, other) for label, other in zip(list(labelled)[1:], others, strict=True)}
    return _courses("dose", settings, pairs)


@as_study("amplifiers", ("C07",), "09", "one nudge in nine networks")
def amplifiers(settings: Settings) -> DistanceCurves:
    """Nudge the answer's network and its variants alike, then train each.

    What lies finished in the folder ``amplifiers`` of `settings.out` is not trained again.
    """
    steps = AMPLIFIED[size_of(settings)]
    one = Condition(intra_op_threads=1, seed=settings.seed)
    noise = Perturbation(kind="noise", size=NUDGE, fraction=0.5, seed=settings.seed)
    labelled = {"plain": one, "nudged": replace(one, perturbation=noise)}
    pairs = {}
    for network in NETWORKS:
        if network.startswith("answer"):
            folder = f"amplifiers/{network}"
            _, (a, b) = trained_runs(labelled, settings, folder, network=network, steps=steps)
            pairs[network.removeprefix("answer-")] = a, b
    return _courses("amplifiers", settings, pairs)


def _tell_doses(result: DistanceCurves) -> str:
    starts, ends = result.distance[:, 0], result.distance[:, -1]
    wild, apart = ~np.isfinite(ends), ends > 0
    if not (wild | apart).any():
        return "No nudge left a difference in the weights at the end."
    told = (
        f"{(wild | apart).sum()} of {len(ends)} nudges were still there after {result.last} steps"
    )
    told += f", {wild.sum()} in runs that left the finite numbers." if wild.any() else "."
    known = apart & ~wild
    if not known.any():
        return told
    order = "in" if np.all(np.diff(ends[known]) > 0) else "not in"
    return (
        f"{told} At the start those{' others' if wild.any() else ''} lie {_span(starts[known])} "
        f"apart, at the end {_span(ends[known])}, {order} the order of the nudges."
    )


def _tell_amplified(result: DistanceCurves) -> str:
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = dict(
            zip(result.labels, result.distance[:, -1] / result.distance[:, 0], strict=True)
        )
    wild = [
        label
        for label, end in zip(result.labels, result.distance[:, -1], strict=True)
        if not np.isfinite(end)
    ]
    told = f"Training left the finite numbers in {', '.join(wild)}. " if wild else ""
    known = {label: times for label, times in grown.items() if np.isfinite(times)}
    if not known:
        return told.strip() or "No nudge left a difference in any network's weights."
    return (
        f"{told}In {result.last} steps the distance grew {_times(known.values())} times in "
        f"{len(known)} networks."
    )


def _times(grown: Collection[float]) -> str:
    return " to ".join(dict.fromkeys(plain(end) for end in (min(grown), max(grown))))


def _courses(
    name: str,
    settings: Settings,
    pairs: Mapping[str, tuple[Record, Record]],
) -> DistanceCurves:
    compared = [compare(a, b) for a, b in pairs.values()]
    return DistanceCurves(
        name=name,
        size=size_of(settings),
        data="noise",
        seed=settings.seed,
        last=int(compared[0].recorded_steps[-1]),
        labels=tuple(pairs),
        steps=compared[0].steps,
        distance=read_only([distance_excluding_zero_gradient(pair) for pair in compared]),
        of_all=read_only([pair.distance for pair in compared]),
    )


def _span(values: npt.NDArray[np.float64]) -> str:
    return f"{values.min():.1e} to {values.max():.1e}"


@dataclass(frozen=True)
class _Said:
    """What is said of one study's pairs."""

    title: str
    #: what tells them apart
    what: str
    claim: str
    tell: Callable[[DistanceCurves], str]


_WORDS = {
    "dose": _Said(
        "Noise on half of the weights, then training",
        "largest noise",
        "Does the size of a nudge matter in the end?",
        _tell_doses,
    ),
    "amplifiers": _Said(
        "Noise of at most 1e-08 on half of the weights",
        "network",
        "How much does a nudge grow in networks of another make or training?",
        _tell_amplified,
    ),
}
