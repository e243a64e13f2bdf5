"""The training of the forum question: reruns, a different thread count, and a different seed.

The question's code stopped when the validation loss had not decreased for 20 epochs, and restored
the weights of the best epoch. Here all requested epochs are trained and recorded, and the epoch at
which each run would have stopped is computed, since early stopping may choose different epochs in
different runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.errors import MissingDataError
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._runs import RunDistance, run_distance, trained_runs
from fpdrift.experiments._study import NO_HASH, Size
from fpdrift.serialization import Result
from fpdrift.training import Condition
from fpdrift.training._condition import LARGEST_SEED
from fpdrift.training._datasets import load
from fpdrift.training._protocol import BATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from fpdrift.experiments._runs import Settings
    from fpdrift.records import Record

#: The data of the question, and its largest number of epochs.
DATA = "fashion-mnist-split"
EPOCHS = 200
#: Steps of the one epoch of the quick size, which takes three minutes.
CUT = 450
PATIENCE = 20
CLAIM = (
    "I set every seed, I trained the same CNN on the same data, and each run gives a different "
    "result. Is my code wrong, or can results on a GPU not be reproduced?"
)
_BASELINE, _AGAIN, _THREADS, _SEED = "1 thread", "1 thread again", "2 threads", "another seed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated(Result):
    """Validation of one run, epoch by epoch."""

    label: str
    #: on all validation images, at the end of each epoch
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    #: the epoch (from 1) of least loss, whose weights early stopping would have restored
    best: int
    #: the epoch after which early stopping would have ended the run; None if it would not have
    stopped: int | None

    @property
    def accuracy(self) -> float:
        """Validation accuracy of the best epoch."""
        return self.accuracies[self.best - 1]

    def __repr__(self) -> str:
        return f"Validated({self.label}, epoch {self.best}: {self.accuracy:.4f})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question(Result):
    """Runs of the question's network, trained as in the question."""

    _computed = ("claim", "finding")

    size: Size
    data: str
    seed: int
    #: epochs of each run, and the largest number in the question
    epochs: int
    source_epochs: int
    #: steps of an epoch, or the number of them that were done
    steps: int
    validation_images: int
    runs: tuple[Validated, ...]
    #: final distances of all others from the first
    distances: tuple[RunDistance, ...]
    #: steps of a full epoch, if the epoch was cut short
    an_epoch: int | None = None

    @property
    def claim(self) -> str:
        """The claim in the question."""
        return CLAIM

    @property
    def finding(self) -> str:
        """The result in words."""
        return _tell(self)

    @property
    def done(self) -> str:
        """How much of the original training was done."""
        most = f"of at most {self.source_epochs}"
        if self.an_epoch is None:
            return f"{self.epochs} {most} epochs"
        return f"{self.steps} of {self.an_epoch} steps of epoch 1 {most}"

    def __repr__(self) -> str:
        return f"Question({self.size}, {self.epochs} epochs: {self.runs!r})"


@as_study("question", ("C19",), "10", "the training of the forum question", epochs=True)
def question(settings: Settings) -> Question:
    """Train the question's network, validating on a fifth of the images after each epoch.

    The data are Fashion-MNIST if available, else handwritten digits. Finished runs in the folder
    ``question`` of `settings.out` are not trained again.
    """
    data = _data()
    content = load(data)
    an_epoch = math.ceil(len(content.train_images) / BATCH)
    epochs = settings.epochs or (EPOCHS if settings.full else 1)
    cut = not (settings.full or settings.epochs) and an_epoch > CUT
    steps = CUT if cut else an_epoch
    one = Condition(intra_op_threads=1, seed=settings.seed)
    labelled = {
        _BASELINE: one,
        _AGAIN: one,
        _THREADS: replace(one, intra_op_threads=2),
        _SEED: replace(one, seed=(settings.seed + 1) % (LARGEST_SEED + 1)),
    }
    _, records = trained_runs(
        labelled, settings, "question", network="question", data=data, steps=epochs * steps
    )
    pairs = list(zip(labelled, records, strict=True))
    return Question(
        size="full" if data == DATA and epochs >= EPOCHS else "quick",
        data=data,
        seed=settings.seed,
        epochs=epochs,
        source_epochs=EPOCHS,
        steps=steps,
        validation_images=len(content.validation_labels),
        runs=tuple(
            validated(label, record, content.validation_labels, steps) for label, record in pairs
        ),
        distances=tuple(
            run_distance(_BASELINE, records[0], label, record) for label, record in pairs[1:]
        ),
        an_epoch=an_epoch if cut else None,
    )


def _data() -> str:
    try:
        load(DATA, validation=1)
    except MissingDataError:  # an error about damaged files is for the user to resolve
        return "digits-split"
    return DATA


def validated(
    label: str, record: Record, answers: npt.NDArray[np.float32], an_epoch: int
) -> Validated:
    """Compute the validation of a run from the recorded predictions at the end of each epoch."""
    losses, accuracies = [], []
    for step in range(an_epoch, int(record.steps[-1]) + 1, an_epoch):
        predicted = record.predictions[step].astype(np.float64)
        # Keras clips probabilities at this value
        losses.append(float(-(answers * np.log(np.maximum(predicted, 1e-7))).sum(axis=1).mean()))
        right = predicted.argmax(axis=1) == answers.argmax(axis=1)
        accuracies.append(float(right.mean()))
    best, stopped = early_stop(losses, PATIENCE)
    return Validated(
        label=label,
        losses=tuple(losses),
        accuracies=tuple(accuracies),
        best=best,
        stopped=stopped,
    )


def early_stop(losses: Sequence[float], patience: int) -> tuple[int, int | None]:
    """Return what Keras' early stopping would have done with these losses.

    Returns
    -------
    int
        The epoch, from 1, whose weights are restored.
    int or None
        The last epoch that is trained; None if training continues.
    """
    best, least = 0, math.inf  # as in Keras: NaN is never the best loss
    for epoch, loss in enumerate(losses, 1):
        if loss < least:
            best, least = epoch, loss
        elif epoch - best >= patience and epoch > 1:
            return max(best, 1), epoch
    return max(best, 1), None


def _share(run: RunDistance, result: Question) -> str:
    return f"{round(run.churn * result.validation_images):,} ({100 * run.churn:.1f} %)"


def _tell(result: Question) -> str:
    again, threads, seed = result.distances
    figures = {run.label: run for run in result.runs}
    scores = ", ".join(f"{label} {run.accuracy:.4f}" for label, run in figures.items())
    if again.first_step is not None:
        verdict = "The same code on the same machine gave different bits: nondeterministic here."
    elif threads.first_step is None:
        verdict = f"No drift was observed, in a rerun or with a second thread: {NO_HASH}."
    else:
        verdict = (
            "The code is repeatable: with 1 thread, a rerun gave the same bits. With 2 threads, "
            f"{_share(threads, result)} of the {result.validation_images:,} validation images "
            f"changed class at the end; with a different seed, {_share(seed, result)} (one run "
            "each). The run with 2 threads was not repeated, so it is unknown whether it "
            "is order-dependent or nondeterministic."
        )
    if result.an_epoch is not None:  # no epochs to choose from, and no early stopping
        return f"{verdict} Validation accuracy after {result.steps} steps: {scores}."
    stops = [run.stopped for run in result.runs]
    if not any(stops):
        end = f"after {result.done}, early stopping would not yet have ended any of them"
    elif not all(stops):
        end = f"after {result.done}, early stopping would not have ended every run"
    else:
        end = f"early stopping would have ended them after epochs {', '.join(map(str, stops))}"
    return f"{verdict} Validation accuracy of the best epochs: {scores}; {end}."
