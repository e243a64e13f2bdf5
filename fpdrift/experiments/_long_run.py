"""A long training under two conditions: how drift grows by the epoch, and what "long" means.

The forum answer multiplies by nearly one 1e8 times, and says that training has more steps than one
thinks. So this study also counts the operations of one training step, and the weights as small as
1e-8, which the answer calls a typical small weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.comparison import Growth, compare, growth
from fpdrift.errors import MissingDataError
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._runs import trained_runs
from fpdrift.experiments._study import NO_HASH, Size, span
from fpdrift.serialization import Result
from fpdrift.text import percent
from fpdrift.training import Condition
from fpdrift.training._datasets import load
from fpdrift.training._networks import SHAPES, operations_a_step, starting_weights
from fpdrift.training._protocol import BATCH, SMALL, SMALL_WEIGHTS

if TYPE_CHECKING:
    from fpdrift.comparison import Comparison
    from fpdrift.experiments._runs import Settings
    from fpdrift.records import Record

#: Steps of the quick size; the full one has the original 20 epochs.
QUICK = 300
EPOCHS = 20
#: Steps of 20 epochs of 60,000 images.
SOURCE_STEPS = 18_760
#: Steps of the loop in the forum answer, and its claim about a long training.
CHAIN = 100_000_000
CLAIM = (
    "Batches of 64, 60,000 samples and 20 epochs make 18,750 iterations, which greatly amplify that"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Epoch(Result):
    """The two runs at the end of one epoch, or at their end."""

    epoch: int
    step: int
    #: relative distance between the weights, at the last step up to there with kept values
    distance: float
    #: mean loss of the steps since the previous epoch, of both runs
    losses: tuple[float, float]
    #: fraction of the probe's predictions whose class differs
    churn: float
    #: share of the weights with a magnitude of at most 1e-8, of both runs
    small: tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Long(Result):
    """A long training under two conditions."""

    _computed = ("claim", "finding")

    size: Size
    network: str
    data: str
    seed: int
    steps: int
    #: steps of one epoch
    an_epoch: int
    #: steps of the original training
    source_steps: int
    labels: tuple[str, str]
    epochs: tuple[Epoch, ...]
    growth: Growth
    first_step: int | None
    #: number of operations of one step that may round, computed from the layers
    operations: int
    #: share of the weights with a magnitude of at most 1e-8 before training
    small_before: float
    #: share of the weights that are 0 before training, such as biases; None in older recordings
    zero_before: float | None = None

    @property
    def claim(self) -> str:
        """The claim in the forum answer."""
        return CLAIM

    @property
    def finding(self) -> str:
        """The result in words."""
        return _tell(self)

    def kept_at(self, epoch: Epoch) -> int:
        """Return the step of an epoch's distance: the last one with kept values."""
        steps = self.growth.steps
        return int(steps[np.searchsorted(steps, epoch.step, side="right") - 1])

    def __repr__(self) -> str:
        return f"Long({self.size}, {self.steps} steps, {len(self.epochs)} epochs)"


@as_study("long", ("C09", "C21"), "09", "20 epochs, and drift per epoch", epochs=True)
def long(settings: Settings) -> Long:
    """Train for many steps with 1 and with 2 threads, and compare epoch by epoch.

    The data are Fashion-MNIST if available, else noise. Finished runs in the folder ``long`` of
    `settings.out` are not trained again.
    """
    data = _data()
    an_epoch = math.ceil(len(load(data, validation=1).train_images) / BATCH)
    steps = QUICK
    if settings.full or settings.epochs is not None:
        steps = an_epoch * (EPOCHS if settings.epochs is None else settings.epochs)
    one = Condition(intra_op_threads=1, seed=settings.seed)
    labelled = {"1 thread": one, "2 threads": replace(one, intra_op_threads=2)}
    _, (a, b) = trained_runs(labelled, settings, "long", data=data, steps=steps)
    pair = compare(a, b)
    weights = starting_weights("answer", settings.seed).values()
    sizes = np.concatenate([abs(w.ravel()) for w in weights])
    return Long(
        size="full" if steps >= SOURCE_STEPS else "quick",
        network="answer",
        data=data,
        seed=settings.seed,
        steps=steps,
        an_epoch=an_epoch,
        source_steps=SOURCE_STEPS,
        labels=("1 thread", "2 threads"),
        epochs=tuple(_epochs(a, b, pair, an_epoch)),
        growth=growth(pair),
        first_step=None if pair.first_difference is None else pair.first_difference.step,
        operations=operations_a_step(SHAPES, BATCH),
        small_before=float(np.mean(sizes <= SMALL)),
        zero_before=float(np.mean(sizes == 0)),
    )


def _data() -> str:
    try:
        load("fashion-mnist", validation=1)
    except MissingDataError:  # an error about damaged files is for the user to resolve
        return "noise"
    return "fashion-mnist"


def _epochs(a: Record, b: Record, pair: Comparison, an_epoch: int) -> list[Epoch]:
    found = []
    last = int(pair.recorded_steps[-1])
    ends = [*range(an_epoch, last, an_epoch), last]
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False), 1):
        # the last step up to the end of the epoch with kept values
        row = int(np.searchsorted(pair.steps, end, side="right")) - 1
        inside = (pair.recorded_steps > start) & (pair.recorded_steps <= end)
        found.append(
            Epoch(
                epoch=number,
                step=end,
                distance=float(pair.distance[row]),
                losses=_both(pair.loss[:, inside].mean(axis=1)),
                churn=_churn(a, b, end),
                small=_both([record.epochs[number - 1][SMALL_WEIGHTS] for record in (a, b)]),
            )
        )
    return found


def _both(values: Any) -> tuple[float, float]:
    ours, others = values
    return float(ours), float(others)


def _churn(a: Record, b: Record, step: int) -> float:
    if step not in a.predictions or step not in b.predictions:
        return math.nan
    classes = [record.predictions[step].argmax(axis=1) for record in (a, b)]
    return float((classes[0] != classes[1]).mean())


def _of_zeros(result: Long) -> str:
    """Describe the share of the small weights that are small because they start at zero."""
    if result.zero_before is None or not result.small_before:
        return ""
    return f" ({percent(result.zero_before / result.small_before, 3)} % of these are exactly 0)"


def _tell(result: Long) -> str:
    last = result.epochs[-1]
    steps = CHAIN / result.operations
    chain = (
        f"One step has about {result.operations:.1e} operations, so the 1e8 steps of the forum "
        f"answer's loop correspond to {steps:.2g} steps. Weights of at most 1e-8: "
        f"{percent(result.small_before)} % before training{_of_zeros(result)}, "
        f"{percent(last.small[0])} % after it."
    )
    if result.first_step is None:
        return f"No drift was observed in {result.steps:,} steps: {NO_HASH}. {chain}"
    first = result.epochs[0]
    drift = (
        f"The runs diverge at step {result.first_step}. The distance between the weights is "
        f"{first.distance:.1e} at step {result.kept_at(first):,}"
    )
    if last is not first:
        drift += f" and {last.distance:.1e} at step {result.kept_at(last):,}"
    changes = [
        100 * abs(b - a) / a if a else math.nan for a, b in (e.losses for e in result.epochs)
    ]
    of = "the epoch differs" if last is first else "an epoch differs"
    return (
        f"{drift}; {percent(last.churn)} % of the probe's predictions changed class at the end, "
        f"and the mean loss of {of} by {span(changes, '.2g')} %. One pair of runs. {chain}"
    )
