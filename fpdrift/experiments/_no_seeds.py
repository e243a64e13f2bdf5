"""Runs without fixed seeds: the spread of their metrics in the first ten iterations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._study import EPOCH, WORDS, Study, Words, run_study, size_of, with_look
from fpdrift.experiments._thread_counts import COUNTS, count_of
from fpdrift.serialization import Result, read_only
from fpdrift.training import Condition
from fpdrift.training._condition import LARGEST_SEED
from fpdrift.training._protocol import BATCH

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.experiments._runs import Settings
    from fpdrift.records import Record

RUNS = 5
#: Iterations of the claim.
ITERATIONS = 10
STEPS = {"quick": ITERATIONS, "full": EPOCH}
CLAIM = "Without seeds every metric runs wild within the first 10 iterations."


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NoSeeds(Result):
    """Runs with random seeds, and runs with one seed at several thread counts."""

    study: Study
    #: number of runs with random seeds, which come first
    drawn: int
    #: accuracy of each run on the batches of steps 1 to 10 (runs, 10)
    accuracies: npt.NDArray[np.float64]
    #: largest minus smallest over the runs, at steps 1 to 10: random seeds, fixed seed (2, 10)
    loss_spread: npt.NDArray[np.float64]
    accuracy_spread: npt.NDArray[np.float64]

    @property
    def finding(self) -> str:
        """The result in words."""
        return with_look(_tell(self), self.study)

    def __repr__(self) -> str:
        drawn, one = self.loss_spread.max(axis=1)
        return f"NoSeeds(losses differ by up to {drawn:.2g}, with one seed {one:.2g})"


@as_study("no-seeds", ("C10",), "10", "the first 10 iterations without seeds")
def no_seeds(settings: Settings) -> NoSeeds:
    """Train with five sets of seeds, and with one seed at five thread counts.

    An unseeded process draws its seeds from the system; here they are drawn from the study's seed,
    so that the study is repeatable. Finished runs in the folder ``no-seeds`` of `settings.out` are
    not trained again.
    """
    one = Condition(intra_op_threads=1, seed=settings.seed)
    rng = np.random.default_rng(settings.seed)
    names = ("init_seed", "order_seed", "dropout_seed")
    unseeded = {
        f"seeds drawn, {i + 1}": replace(
            one, **dict(zip(names, rng.integers(LARGEST_SEED, size=3).tolist(), strict=True))
        )
        for i in range(RUNS)
    }
    seeded = {count_of(count): replace(one, intra_op_threads=count) for count in COUNTS}
    against = {
        label: next(iter(group)) for group in (unseeded, seeded) for label in list(group)[1:]
    }
    study, records = run_study(
        "no-seeds",
        settings,
        unseeded | seeded,
        against,
        steps=STEPS[size_of(settings)],
    )
    accuracies = _accuracies(records)
    return NoSeeds(
        study=study,
        drawn=RUNS,
        accuracies=accuracies,
        loss_spread=spread(study.losses[:, :ITERATIONS], RUNS),
        accuracy_spread=spread(accuracies, RUNS),
    )


def _accuracies(records: tuple[Record, ...]) -> npt.NDArray[np.float64]:
    """Return the accuracy of each batch, from the running means that Keras reports."""
    step = np.arange(1, ITERATIONS + 1)
    totals = np.array([record.metrics["accuracy"][1 : ITERATIONS + 1] * step for record in records])
    own = np.diff(totals, prepend=0.0, axis=1)
    return read_only(np.round(own * BATCH) / BATCH)


def spread(values: npt.NDArray[np.float64], first: int) -> npt.NDArray[np.float64]:
    """Return largest minus smallest over the first runs, and over the others (2, steps)."""
    return read_only([np.ptp(group, axis=0) for group in (values[:first], values[first:])])


def _tell(result: NoSeeds) -> str:
    wild, tame = result.loss_spread.max(axis=1)
    points = 100 * result.accuracy_spread.max(axis=1)
    text = (
        f"Within the first {result.loss_spread.shape[1]} iterations, {result.drawn} runs with "
        f"random seeds differ by up to {wild:.3g} in loss and {points[0]:.2g} points in batch "
        f"accuracy; {len(result.study.runs) - result.drawn} runs with one seed, each with a "
        "different thread count,"
    )
    if tame == 0:
        return f"{text} do not differ in loss."
    return f"{text} differ by up to {tame:.2g} and {points[1]:.2g} points."


WORDS["no-seeds"] = Words(f"The first {ITERATIONS} iterations with and without seeds", CLAIM)
