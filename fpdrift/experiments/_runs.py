"""What a study says of each run that it trained: its figures, and how far it got from another.

What whoever starts an experiment may choose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.comparison import compare
from fpdrift.ensembles._ensemble import ensemble
from fpdrift.ensembles._scheduler import MOST_WORKERS, few, workers_here
from fpdrift.errors import FpdriftError
from fpdrift.records import content_hash
from fpdrift.serialization import Result
from fpdrift.training import Condition
from fpdrift.training._datasets import load, probe_images
from fpdrift.training._protocol import BATCH
from fpdrift.validation import check_int

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from fpdrift.comparison import Comparison
    from fpdrift.records import Record
    from fpdrift.training._datasets import Data

#: Keras takes the logarithm of no probability below this.
_EPSILON = 1e-7


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedRun(Result):
    """One run's figures."""

    #: what the study calls it
    label: str
    #: name of the condition
    condition: str
    #: name of the record's file
    record: str
    #: mean over the images of the last epoch that was begun, as each was met
    loss: float
    accuracy: float
    #: at the end of the run, on the images that it was probed with
    validation_loss: float
    validation_accuracy: float
    #: hash of the trained weights' bits
    weights: str
    #: weights that a nudge changed before the training; None without one, and in older recordings
    changed: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDistance(Result):
    """The distance of a run from its baseline."""

    _renamed = MappingProxyType({"learned": "distance_excluding_zero_gradient"})

    #: what the study calls the two
    label: str
    baseline: str
    #: step and first tensor of the first difference; None where all bits were equal at every step
    first_step: int | None
    first_tensor: str | None
    #: relative distance of the weights at the last step
    distance: float
    #: fraction of the probe's predictions whose class differs at the end
    churn: float
    #: distance without the weights whose true gradient is zero; None where an older version saved
    distance_excluding_zero_gradient: float | None = None

    @property
    def of_learning(self) -> float:
        """The distance without such weights where it was saved, else of all weights."""
        known = self.distance_excluding_zero_gradient
        return self.distance if known is None else known


def trained_runs(
    labelled: Mapping[str, Condition],
    settings: Settings,
    folder: str,
    *,
    network: str = "answer",
    data: str = "noise",
    labels: str = "one-hot",
    steps: int,
) -> tuple[tuple[TrainedRun, ...], tuple[Record, ...]]:
    """Train under each condition, unless it is done already; read each run's figures.

    Parameters
    ----------
    labelled : mapping of str to Condition
        What the study calls each run.
    settings : Settings
    folder : str
        Name of the records' folder in `settings.out`.
    network, data, labels, steps
        As for `fpdrift.train`.

    Returns
    -------
    tuple of TrainedRun, tuple of Record
        In the order of the conditions.
    """
    place = settings.out / folder
    together = _Together(settings.progress, network, len(labelled))
    with workers_here(settings.workers) as executor:
        done = ensemble(
            labelled.values(),
            network=network,
            data=data,
            labels=labels,
            steps=steps,
            directory=place,
            executor=executor,
            progress=settings.progress if executor is None else together,
        )
    records = tuple(done.records(place))
    content = load(data, labels, validation=probe_images(data))
    runs = [
        trained_run(label, record, content) for label, record in zip(labelled, records, strict=True)
    ]
    return tuple(runs), records


class _Together:
    """Turn reports on runs that go on side by side into one on all of them."""

    def __init__(self, report: Callable[[str, int, int], None], network: str, runs: int) -> None:
        self._report = report
        self._network = network
        self._runs = runs
        self._done: dict[str, int] = {}

    def __call__(self, label: str, done: int, total: int) -> None:
        self._done[label] = done
        whole = sum(steps == total for steps in self._done.values())
        what = f"{self._network}: {whole} of {self._runs} runs done"
        self._report(what, sum(self._done.values()), self._runs * total)


def trained_run(label: str, record: Record, data: Data) -> TrainedRun:
    """Read one run's figures from its record."""
    steps = int(record.steps[-1])
    images = len(data.train_images)
    an_epoch = math.ceil(images / BATCH)
    since = (steps - 1) % an_epoch + 1
    # every batch is full but the one that is left at an epoch's end
    sizes = np.minimum(BATCH, images - BATCH * np.arange(since))
    weights = [i for i, tensor in enumerate(record.tensors) if tensor.role == "weight"]
    answers = data.validation_labels
    predicted = record.predictions[steps].astype(np.float64)
    loss = -(answers * np.log(np.maximum(predicted, _EPSILON))).sum(axis=1)
    right = predicted.argmax(axis=1) == answers.argmax(axis=1)
    return TrainedRun(
        label=label,
        condition=Condition.from_dict(record.meta["condition"]).name,
        record=record.name,
        loss=float(np.average(record.loss[-since:], weights=sizes)),
        accuracy=float(record.metrics["accuracy"][-1]),
        validation_loss=float(loss.mean()),
        validation_accuracy=float(right.mean()),
        weights=f"{content_hash(record.hashes[-1, weights]):016x}",
        changed=_changed(record),
    )


def _changed(record: Record) -> int | None:
    if "nudge" not in record.meta:
        return None
    return int(sum(tensor["changed"] for tensor in record.meta["nudge"]["tensors"]))


def run_distance(baseline: str, a: Record, label: str, b: Record) -> RunDistance:
    """Compare two runs and keep what a table holds."""
    pair = compare(a, b)
    first = pair.first_difference
    return RunDistance(
        label=label,
        baseline=baseline,
        first_step=None if first is None else first.step,
        first_tensor=None if first is None else first.tensors[0].name,
        distance=float(pair.distance[-1]),
        churn=math.nan if pair.churn is None else pair.churn,
        distance_excluding_zero_gradient=float(distance_excluding_zero_gradient(pair)[-1]),
    )


def distance_excluding_zero_gradient(pair: Comparison) -> npt.NDArray[np.float64]:
    """Return the distance without the weights whose true gradient is zero, as far as that is known.

    What such a weight gains is rounding alone, and Adam makes whole steps of it, so that it can
    hide all others.

    Returns
    -------
    (m,) float64
    """
    without = pair.distance_without_zero_gradient
    return pair.distance if without is None else without


#: More steps than the source's long run (18,760) by far; a slip of the finger is caught here.
MOST_STEPS = 1_000_000
#: The question's own training stops after 200.
MOST_EPOCHS = 200


def _silent(label: str, done: int, total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One set of choices for all experiments; each takes what it needs.

    Raises
    ------
    FpdriftError
        If a number is out of its range.
    """

    seed: int = 1
    #: training steps
    steps: int = 100
    #: name of the training data
    data: str = "noise"
    #: epochs, of the studies that count in them; None leaves it to the study
    epochs: int | None = None
    #: in the source's size, where a study has two; it may take long
    full: bool = False
    #: folder for the records
    out: Path = Path("fpdrift-out")
    #: trainings at a time; each has its own process and threads
    workers: int = field(default_factory=few)
    #: called with (what is going on, done, total)
    progress: Callable[[str, int, int], None] = _silent

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            message = f"seed {self.seed} is out of range; choose one from 0 to {2**32 - 1}"
            raise FpdriftError(message)
        if self.epochs is not None and not 1 <= self.epochs <= MOST_EPOCHS:
            message = f"{self.epochs} epochs is out of range; choose from 1 to {MOST_EPOCHS}"
            raise FpdriftError(message)
        check_int("workers", self.workers, 1, MOST_WORKERS)
        if not 1 <= self.steps <= MOST_STEPS:
            message = f"{self.steps} steps is out of range; choose from 1 to {MOST_STEPS:,}"
            raise FpdriftError(message)
