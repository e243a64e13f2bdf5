"""Five runs of one network, equal on paper: the spread of their losses beside the published one.

The forum answer printed the losses of five runs on noise with ten random bits as the label of each
image. Such labels do not sum to 1, and the gradient of TensorFlow's fused cross-entropy is then not
that of the loss. The study uses both gradients: under op determinism, TensorFlow takes a different
path with the gradient of the loss.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._runs import trained_runs
from fpdrift.provenance import current
from fpdrift.serialization import Result
from fpdrift.text import percent
from fpdrift.training import Condition
from fpdrift.training._datasets import PROBE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fpdrift.experiments._runs import Settings, TrainedRun

#: Loss, accuracy, validation loss and validation accuracy of the five runs of the forum answer.
SOURCE = (
    (12.5044, 0.0971, 11.5389, 0.1051),
    (12.5047, 0.0958, 11.5369, 0.1018),
    (12.5055, 0.0955, 11.5382, 0.0980),
    (12.5042, 0.0961, 11.5382, 0.1179),
    (12.5062, 0.0960, 11.5366, 0.1082),
)
#: Steps of a run: the original epoch of 30,000 images, and a number that takes three minutes.
STEPS = {"quick": 60, "full": 469}
RUNS = 5
#: Ten random bits per image.
_LABELS = "multi-hot"
#: Flag of a processor, newest first -> the older instruction set to limit oneDNN to.
_OLDER = {"avx512f": "AVX2", "avx2": "SSE41"}
Gradient = Literal["fused", "the loss's own"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GradientRuns(Result):
    """The runs with one gradient."""

    gradient: Gradient
    runs: tuple[TrainedRun, ...]
    #: max |L_i - L_1| / L_1 over the losses
    figure: float
    #: number of different final weights
    distinct: int

    def __repr__(self) -> str:
        return f"GradientRuns({self.gradient}, {len(self.runs)} runs, {percent(self.figure)} %)"


@dataclass(frozen=True, kw_only=True, slots=True)
class FiveRuns(Result):
    """Five runs under five conditions, with each gradient."""

    size: Literal["quick", "full"]
    network: str
    data: str
    labels: str
    seed: int
    #: of each run
    steps: int
    validation_images: int
    gradients: tuple[GradientRuns, ...]
    #: the same figure for the five runs of the forum answer
    source: float
    #: condition that this machine does not support -> reason
    skipped: dict[str, str]

    def __repr__(self) -> str:
        figures = ", ".join(f"{g.gradient} {percent(g.figure)} %" for g in self.gradients)
        return f"FiveRuns({self.size}, {self.steps} steps: {figures})"


@as_study("five-runs", ("C08", "C20"), "08", "five runs, equal on paper")
def five_runs(settings: Settings) -> FiveRuns:
    """Train the answer's network under five conditions, with each gradient.

    Finished runs in the folder ``five-runs`` of `settings.out` are not trained again.
    """
    size: Literal["quick", "full"] = "full" if settings.full else "quick"
    conditions, skipped = five_conditions(settings.seed, current().cpu_features)
    determined = [replace(c, op_determinism=True) for c in conditions]
    labelled = {condition.name: condition for condition in (*conditions, *determined)}
    runs, records = trained_runs(labelled, settings, "five-runs", labels=_LABELS, steps=STEPS[size])
    return FiveRuns(
        size=size,
        network=records[0].meta["network"],
        data=records[0].meta["data"]["name"],
        labels=_LABELS,
        seed=settings.seed,
        steps=STEPS[size],
        validation_images=PROBE,
        gradients=(
            _together("fused", runs[: len(conditions)]),
            _together("the loss's own", runs[len(conditions) :]),
        ),
        source=largest([loss for loss, *_ in SOURCE]),
        skipped=skipped,
    )


def five_conditions(
    seed: int, features: Collection[str]
) -> tuple[tuple[Condition, ...], dict[str, str]]:
    """Return five conditions that differ only in rounding and are supported on this machine.

    Parameters
    ----------
    seed : int
    features : collection of str
        Instruction sets of the processor, as Linux names them.

    Returns
    -------
    tuple of Condition
        The first is the baseline.
    dict of str to str
        Condition that is not supported -> reason.
    """
    one = Condition(intra_op_threads=1, seed=seed)
    kernels, skipped = other_kernels(one, features)
    found = (one, *(replace(one, intra_op_threads=count) for count in (2, 4)), *kernels.values())
    spare = (replace(one, intra_op_threads=count) for count in (3, 8))
    return (*found, *itertools.islice(spare, RUNS - len(found))), skipped


def other_kernels(
    base: Condition, features: Collection[str]
) -> tuple[dict[str, Condition], dict[str, str]]:
    """Return conditions that use different kernels, as far as this machine supports them.

    Parameters
    ----------
    base : Condition
        The condition to change.
    features : collection of str
        Instruction sets of the processor, as Linux names them.

    Returns
    -------
    dict of str to Condition
        By label.
    dict of str to str
        Condition that is not supported -> reason.
    """
    found, skipped = {}, {}
    if "sse4_2" in features:
        found["oneDNN off"] = replace(base, onednn=False)
    else:
        skipped["oneDNN off"] = "known to matter only on x86-64 processors, which this is not"
    older = next((cap for flag, cap in _OLDER.items() if flag in features), None)
    if older is not None:
        found[f"{older} at most"] = replace(base, instruction_set=older)
    else:
        skipped["older instructions"] = f"this processor reports none of {', '.join(_OLDER)}"
    return found, skipped


def largest(losses: Sequence[float]) -> float:
    """Return max |L_i - L_1| / L_1, the figure in the forum answer."""
    return max(abs(loss - losses[0]) for loss in losses) / losses[0]


def _together(gradient: Gradient, runs: tuple[TrainedRun, ...]) -> GradientRuns:
    return GradientRuns(
        gradient=gradient,
        runs=runs,
        figure=largest([run.loss for run in runs]),
        distinct=len({run.weights for run in runs}),
    )
