"""Not every difference is drift: labels that do not sum to one change the computed gradient.

For speed, TensorFlow fuses softmax and cross-entropy and computes the gradient as softmax - y. The
gradient of the loss is sum(y) * softmax - y, which is the same only if the labels y sum to one. The
labels in the forum answer, ten random bits per image, do not. Op determinism takes a different path
with the gradient of the loss. So the two paths differ only in rounding for one-hot labels, but are
different computations for the labels of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from fpdrift.comparison import compare
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._runs import trained_runs
from fpdrift.experiments._study import EPOCH, Size, size_of
from fpdrift.serialization import Result
from fpdrift.step_debug import Diagnosis, diagnose_runs
from fpdrift.training import Condition

if TYPE_CHECKING:
    from fpdrift.experiments._runs import Settings

STEPS = {"quick": 100, "full": EPOCH}
#: Smallest and largest mean loss of an epoch that the forum answer printed, of five runs.
SOURCE = (12.5042, 12.5062)
CLAIM = f"Five runs of one epoch with such labels had mean losses of {SOURCE[0]} to {SOURCE[1]}."


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoPaths(Result):
    """The same training on the two paths."""

    _renamed = MappingProxyType({"judged": "diagnosis"})

    labels: str
    #: relative distance between the weights after the first step, and after the last
    first: float
    last: float
    #: whether rounding can explain the first difference; None if there is none
    diagnosis: Diagnosis | None
    #: mean loss of the steps: fused, and with op determinism
    losses: tuple[float, float]

    @property
    def kind(self) -> str:
        """Kind of the difference."""
        return "the same bits" if self.diagnosis is None else self.diagnosis.verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Trap(Result):
    """Two kinds of labels, each trained on both paths."""

    _computed = ("claim", "finding")

    size: Size
    network: str
    data: str
    seed: int
    steps: int
    paths: tuple[TwoPaths, ...]

    @property
    def claim(self) -> str:
        """The claim in the forum answer."""
        return CLAIM

    @property
    def finding(self) -> str:
        """The result in words."""
        return _tell(*self.paths)

    def __repr__(self) -> str:
        distances = ", ".join(f"{p.labels} {p.first:.1e}" for p in self.paths)
        return f"Trap({self.size}, after one step: {distances})"


@as_study("trap", ("C20",), "09", "labels that do not sum to one")
def trap(settings: Settings) -> Trap:
    """Train on one-hot labels and on ten random bits, without and with op determinism.

    Finished runs in the folder ``trap`` of `settings.out` are not trained again; the step in which
    two runs diverge is diagnosed.
    """
    steps = STEPS[size_of(settings)]
    one = Condition(intra_op_threads=1, seed=settings.seed)
    labelled = {"fused": one, "the loss's own": replace(one, op_determinism=True)}
    paths = []
    for labels in ("one-hot", "multi-hot"):
        runs, (a, b) = trained_runs(labelled, settings, "trap", labels=labels, steps=steps)
        pair = compare(a, b)
        parted = pair.first_difference is not None
        paths.append(
            TwoPaths(
                labels=labels,
                first=float(pair.distance[1]),
                last=float(pair.distance[-1]),
                diagnosis=diagnose_runs(a, b, progress=settings.progress) if parted else None,
                losses=(runs[0].loss, runs[1].loss),
            )
        )
    return Trap(
        size=size_of(settings),
        network="answer",
        data="noise",
        seed=settings.seed,
        steps=steps,
        paths=tuple(paths),
    )


def _tell(sound: TwoPaths, odd: TwoPaths) -> str:
    for path in (odd, sound):
        if path.diagnosis is not None and not path.diagnosis.exact:
            return f"Cannot tell for {path.labels} labels: {path.diagnosis}."
    if odd.kind != "different computation":
        return (
            "The trap was not observed: with labels that do not sum to one, the distance between "
            f"the weights of the two runs is {odd.first:.1e} after one step ({odd.kind}). If one "
            "gradient were not that of the loss, this would be a different computation."
        )
    return (
        "With labels that do not sum to one, the difference between the two gradients remains when "
        "the step is repeated in float64. This is a different computation, not drift: "
        f"{odd.first:.1e} after one step (with one-hot labels {sound.first:.1e}, {sound.kind}). "
        f"The mean losses are {odd.losses[0]:.4g} and {odd.losses[1]:.4g}; with one-hot labels, "
        f"{sound.losses[0]:.4g} and {sound.losses[1]:.4g}."
    )
