"""The question's own training: two runs that differ in threads alone, and one with another seed.

The question stopped when the validation loss had not fallen for 20 epochs, and took the best
epoch's weights. Here all epochs asked for are trained and recorded, and each run's figures say
where it would have stopped: so early stopping can be seen to choose another epoch in another run.
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

#: The question's own data, and its epochs at most.
DATA = "fashion-mnist-split"
EPOCHS = 200
#: Steps after which the quick size's one epoch is cut short, to end within three minutes.
CUT = 450
PATIENCE = 20
CLAIM = (
    "I set every seed, I trained the same CNN on the same data, and each run gives another result. "
    "Is my code wrong, or can a GPU not be reproducible?"
)
_BASELINE, _AGAIN, _THREADS, _SEED = "1 thread", "1 thread again", "2 threads", "another seed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated(Result):
    """One run's validation, epoch by epoch."""

    label: str
    #: on all validation images, at each epoch's end
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    #: the epoch (from 1) of the least loss, whose weights early stopping would have restored
    best: int
    #: the epoch after which early stopping would have ended the run; None if it would not have
    stopped: int | None

    @property
    def accuracy(self) -> float:
        """That of the best epoch."""
        return self.accuracies[self.best - 1]

    def __repr__(self) -> str:
        return f"Validated({self.label}, epoch {self.best}: {self.accuracy:.4f})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question(Result):
    """The question's network, trained as the question meant it."""

    _computed = ("claim", "finding")

    size: Size
    data: str
    seed: int
    #: done of each run, and how many the question allowed
    epochs: int
    source_epochs: int
    #: of an epoch, or what was done of it
    steps: int
    validation_images: int
    runs: tuple[Validated, ...]
    #: all others against the first, at the end
    distances: tuple[RunDistance, ...]
    #: steps of a whole epoch, where the one that was done was cut short
    an_epoch: int | None = None

    @property
    def claim(self) -> str:
        """What the question says."""
        return CLAIM

    @property
    def finding(self) -> str:
        """What these runs say."""
        return _tell(self)

    @property
    def done(self) -> str:
        """How much of the source's training that was."""
        most = f"of at most {self.source_epochs}"
        if self.an_epoch is None:
            return f"{self.epochs} {most} epochs"
        return f"{self.steps} of {self.an_epoch} steps of epoch 1 {most}"

    def __repr__(self) -> str:
        return f"Question({self.size}, {self.epochs} epochs: {self.runs!r})"


@as_study("question", ("C19",), "10", "the question's own training", epochs=True)
def question(settings: Settings) -> Question:
    """Train the question's network, epoch by epoch validated on a fifth of its images.

    On Fashion-MNIST where it is to be had, else on handwritten digits. What lies finished in the
    folder ``question`` of `settings.out` is not trained again.
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
    except MissingDataError:  # damaged ones are for the user to mend
        return "digits-split"
    return DATA


def validated(
    label: str, record: Record, answers: npt.NDArray[np.float32], an_epoch: int
) -> Validated:
    """Read a run's validation from the predictions that its record holds of each epoch's end."""
    losses, accuracies = [], []
    for step in range(an_epoch, int(record.steps[-1]) + 1, an_epoch):
        predicted = record.predictions[step].astype(np.float64)
        # Keras takes the logarithm of no probability below this
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
    """Describe what Keras' early stopping would have done with these losses.

    Returns
    -------
    int
        The epoch, from 1, whose weights are restored.
    int or None
        The last epoch that is trained; None if training goes on.
    """
    best, least = 0, math.inf  # as Keras begins: a loss that is no number is no best one
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
        verdict = "The same code on the same machine gave other bits: nondeterministic here."
    elif threads.first_step is None:
        verdict = f"No drift seen, neither in a repetition nor with a second thread: {NO_HASH}."
    else:
        verdict = (
            "The code repeats: with 1 thread the run done again has the same bits. One run each: "
            f"with 2 threads {_share(threads, result)} of the {result.validation_images:,} "
            f"validation images got another class at the end, with another seed "
            f"{_share(seed, result)}. 2 threads were not repeated, so whether they are "
            "order-dependent or nondeterministic cannot be told."
        )
    if result.an_epoch is not None:  # neither epochs to choose from nor an early stop
        return f"{verdict} Validation accuracy after {result.steps} steps: {scores}."
    stops = [run.stopped for run in result.runs]
    if not any(stops):
        end = f"after {result.done} early stopping would have ended none of them"
    elif not all(stops):
        end = f"after {result.done} early stopping would not have ended every run"
    else:
        end = f"early stopping would have ended them after epochs {', '.join(map(str, stops))}"
    return f"{verdict} Validation accuracy of the best epochs: {scores}; {end}."
