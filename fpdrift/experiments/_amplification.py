"""Measure how nudges grow: by the size of the nudge, and by the network."""

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
#: Steps of the runs of `amplifiers`, which are many.
AMPLIFIED = {"quick": 20, "full": EPOCH}
#: Powers of ten of the nudges.
DOSES = {"quick": range(-12, 0, 2), "full": range(-12, -1)}
#: Steps whose distance is listed, besides the last.
LISTED = (1, 10, 100)
_WITH = "Including the biases whose true gradient is zero, which only rounding moves,"
_ONE_DRAW = "Each was drawn once; other draws may grow differently, so these runs give no ranking."


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DistanceCurves(Result):
    """Distance curves of pairs of runs that differ by a nudge at the start."""

    _computed = ("title", "what", "claim", "finding")

    name: str
    size: Size
    data: str
    seed: int
    #: last step of each run
    last: int
    labels: tuple[str, ...]
    #: steps at which values were kept (m,)
    steps: npt.NDArray[np.int64]
    #: relative distance of the weights, without those whose true gradient is zero; 0 where no bit
    #: of them differs (pairs, m)
    distance: npt.NDArray[np.float64]
    #: the same for all weights (pairs, m)
    of_all: npt.NDArray[np.float64] | None = None

    @property
    def title(self) -> str:
        """Title of the study."""
        return _WORDS[self.name].title

    @property
    def what(self) -> str:
        """What distinguishes the pairs."""
        return _WORDS[self.name].what

    @property
    def claim(self) -> str:
        """The question of the study."""
        return _WORDS[self.name].claim

    @property
    def finding(self) -> str:
        """The result in words, without the weights that move only by rounding and with them."""
        describe, both = _WORDS[self.name].describe, self.with_noise
        text = describe(self)
        if both is not None:
            text += f" {_WITH} {describe(both)[0].lower()}{describe(both)[1:]}"
        return f"{text} {_ONE_DRAW}" if self.distance.any() else text

    def __repr__(self) -> str:
        pairs = f"{len(self.labels)} pairs of {self.last} steps"
        return f"DistanceCurves({self.name}, {self.size}, {pairs})"

    @property
    def with_noise(self) -> DistanceCurves | None:
        """The same for all weights; None if there is no difference."""
        if self.of_all is None or np.array_equal(self.of_all, self.distance, equal_nan=True):
            return None
        return replace(self, distance=self.of_all, of_all=None)

    @property
    def told(self) -> tuple[int, ...]:
        """Columns for a table: steps 1, 10, 100 (or the last kept step before) and the last."""
        wanted = [step for step in (*LISTED, self.last) if step <= self.last]
        rows = np.searchsorted(self.steps, wanted, side="right") - 1
        return tuple(dict.fromkeys(rows.tolist()))


@as_study("dose", ("C07",), "07", "nudges of many sizes, then training")
def dose(settings: Settings) -> DistanceCurves:
    """Nudge half of the weights by noise of several sizes, then train.

    Finished runs in the folder ``dose`` of `settings.out` are not trained again.
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
    """Apply the same nudge to the answer's network and its variants, then train each.

    Finished runs in the folder ``amplifiers`` of `settings.out` are not trained again.
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


def _describe_doses(result: DistanceCurves) -> str:
    starts, ends = result.distance[:, 0], result.distance[:, -1]
    infinite, differing = ~np.isfinite(ends), ends > 0
    if not (infinite | differing).any():
        return "No nudge left a difference in the weights at the end."
    text = f"{(infinite | differing).sum()} of {len(ends)} nudges survived {result.last} steps"
    text += f", {infinite.sum()} in runs whose weights became NaN or infinite" * bool(
        infinite.any()
    )
    text += "."
    known = differing & ~infinite
    if not known.any():
        return text
    order = "is" if np.all(np.diff(ends[known]) > 0) else "is not"
    return (
        f"{text} The distances{' of the others' if infinite.any() else ''} were "
        f"{_span(starts[known])} at the start and {_span(ends[known])} at the end, where their "
        f"order {order} that of the nudges."
    )


def _describe_amplified(result: DistanceCurves) -> str:
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = dict(
            zip(result.labels, result.distance[:, -1] / result.distance[:, 0], strict=True)
        )
    wild = [
        label
        for label, end in zip(result.labels, result.distance[:, -1], strict=True)
        if not np.isfinite(end)
    ]
    text = f"The weights became NaN or infinite in {', '.join(wild)}. " if wild else ""
    known = {label: times for label, times in grown.items() if np.isfinite(times)}
    if not known:
        return text.strip() or "No nudge left a difference in any network's weights."
    return (
        f"{text}In {result.last} steps the distance grew by a factor of {_times(known.values())} "
        f"in {len(known)} networks."
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
class _Wording:
    """Title, question and finding of a study."""

    title: str
    #: what distinguishes the pairs
    what: str
    claim: str
    describe: Callable[[DistanceCurves], str]


_WORDS = {
    "dose": _Wording(
        "Noise on half of the weights, then training",
        "largest noise",
        "Does the size of a nudge matter in the end?",
        _describe_doses,
    ),
    "amplifiers": _Wording(
        "Noise of at most 1e-08 on half of the weights",
        "network",
        "How much does a nudge grow in networks with a different architecture or optimiser?",
        _describe_amplified,
    ),
}
