"""Train the runs of a study, and compute their metrics and distances; settings of experiments."""

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

#: Keras clips probabilities at this value.
_EPSILON = 1e-7


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedRun(Result):
    """Metrics of one trained run."""

    #: label in the study
    label: str
    #: name of the condition
    condition: str
    #: file name of the record
    record: str
    #: mean over the images of the last epoch that was started, during training
    loss: float
    accuracy: float
    #: at the end of the run, on the probe
    validation_loss: float
    validation_accuracy: float
    #: hash of the bits of the trained weights
    weights: str
    #: number of weights that a nudge changed before training; None without a nudge and in older
    #: recordings
    changed: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDistance(Result):
    """The distance of a run from its baseline."""

    _renamed = MappingProxyType({"learned": "distance_excluding_zero_gradient"})

    #: labels of the two in the study
    label: str
    baseline: str
    #: step and first tensor of the first difference; None if all bits are equal at every step
    first_step: int | None
    first_tensor: str | None
    #: relative distance between the weights at the last step
    distance: float
    #: fraction of the probe's predictions whose class differs at the end
    churn: float
    #: distance without the weights whose true gradient is zero; None in results of older versions
    distance_excluding_zero_gradient: float | None = None

    @property
    def of_learning(self) -> float:
        """The distance without such weights if it was saved, else that of all weights."""
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
    """Train under each condition, unless finished already, and compute the metrics of each run.

    Parameters
    ----------
    labelled : mapping of str to Condition
        Conditions by label.
    settings : Settings
    folder : str
        Name of the folder for the records in `settings.out`.
    network, data, labels, steps
        As for `fpdrift.train`.

    Returns
    -------
    tuple of TrainedRun, tuple of Record
        In the order of the conditions.
    """
    place = settings.out / folder
    total = _TotalProgress(settings.progress, network, len(labelled))
    with workers_here(settings.workers) as executor:
        done = ensemble(
            labelled.values(),
            network=network,
            data=data,
            labels=labels,
            steps=steps,
            directory=place,
            executor=executor,
            progress=settings.progress if executor is None else total,
        )
    records = tuple(done.records(place))
    content = load(data, labels, validation=probe_images(data))
    runs = [
        trained_run(label, record, content) for label, record in zip(labelled, records, strict=True)
    ]
    return tuple(runs), records


class _TotalProgress:
    """Combine the progress of parallel runs into a single report."""

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
    """Compute the metrics of one run from its record."""
    steps = int(record.steps[-1])
    images = len(data.train_images)
    an_epoch = math.ceil(images / BATCH)
    since = (steps - 1) % an_epoch + 1
    # every batch is full except the last one of an epoch
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
    """Compare two runs, and return their distance for a table."""
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
    """Return the distance without the weights whose true gradient is zero, if these are known.

    Such a weight changes only by rounding, but Adam amplifies this to full steps, which can hide
    all other changes.

    Returns
    -------
    (m,) float64
    """
    without = pair.distance_without_zero_gradient
    return pair.distance if without is None else without


#: Far more than the long run of the forum answer (18,760 steps), to catch typing errors.
MOST_STEPS = 1_000_000
#: The training of the forum question stops after 200 epochs.
MOST_EPOCHS = 200


def _silent(label: str, done: int, total: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Settings of all experiments; each uses those that it needs.

    Raises
    ------
    FpdriftError
        If a number is out of range.
    """

    seed: int = 1
    #: training steps
    steps: int = 100
    #: name of the training data
    data: str = "noise"
    #: number of epochs, for studies that use it; None for the default of the study
    epochs: int | None = None
    #: whether to run a study in its original size, which may take long
    full: bool = False
    #: folder for the records
    out: Path = Path("fpdrift-out")
    #: number of parallel runs; each has its own process and threads
    workers: int = field(default_factory=few)
    #: called with (description, done, total)
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
