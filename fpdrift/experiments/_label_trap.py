"""Not every difference is drift: labels that do not sum to one, and a gradient of another loss.

For speed TensorFlow fuses softmax and cross-entropy, and takes the gradient for softmax - y. That
of the loss is sum(y) * softmax - y: the same only where the labels y sum to one. The source's
labels, ten random bits an image, do not. Op determinism takes another path, with the loss's own
gradient. So with one-hot labels the two paths differ in rounding, and with the source's they are
two trainings.
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
#: Mean loss that the source printed for its epoch, in five runs.
SOURCE = (12.5042, 12.5062)
CLAIM = f"Five runs of an epoch with such labels had mean losses of {SOURCE[0]} to {SOURCE[1]}."


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoPaths(Result):
    """The same training by the two paths."""

    _renamed = MappingProxyType({"judged": "diagnosis"})

    labels: str
    #: relative distance of the weights after the first step, and after the last
    first: float
    last: float
    #: whether rounding can explain where they part; None where they never do
    diagnosis: Diagnosis | None
    #: mean loss of the steps: fused, and with op determinism
    losses: tuple[float, float]

    @property
    def kind(self) -> str:
        """What the difference is."""
        return "the same bits" if self.diagnosis is None else self.diagnosis.verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Trap(Result):
    """Two kinds of labels, each trained by both paths."""

    _computed = ("claim", "finding")

    size: Size
    network: str
    data: str
    seed: int
    steps: int
    paths: tuple[TwoPaths, ...]

    @property
    def claim(self) -> str:
        """What the source says."""
        return CLAIM

    @property
    def finding(self) -> str:
        """What these runs say."""
        return _tell(*self.paths)

    def __repr__(self) -> str:
        told = ", ".join(f"{p.labels} {p.first:.1e}" for p in self.paths)
        return f"Trap({self.size}, after one step: {told})"


@as_study("trap", ("C20",), "09", "labels that do not sum to one")
def trap(settings: Settings) -> Trap:
    """Train on one-hot labels and on ten random bits, without and with op determinism.

    What lies finished in the folder ``trap`` of `settings.out` is not trained again; the step in
    which two runs diverge is diagnosed.
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
            return f"Not to be told, for {path.labels} labels: {path.diagnosis}."
    if odd.kind != "different computation":
        return (
            "No trap seen: with labels that do not sum to one the two paths are "
            f"{odd.first:.1e} apart after one step ({odd.kind}). With a gradient that is not its "
            "loss's that would be a different computation."
        )
    return (
        "With labels that do not sum to one, what differs between the two paths stays when the "
        f"step is repeated in float64: a different computation, not drift ({odd.first:.1e} apart "
        f"after a single step; one-hot labels: {sound.first:.1e}, {sound.kind}). Their mean losses "
        f"are {odd.losses[0]:.4g} and {odd.losses[1]:.4g}, of one-hot labels "
        f"{sound.losses[0]:.4g} and {sound.losses[1]:.4g}."
    )
