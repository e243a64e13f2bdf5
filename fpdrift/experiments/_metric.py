"""Loss against accuracy: which of them jumps when runs differ in rounding alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.comparison._churn import classes
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._five_runs import SOURCE, five_conditions
from fpdrift.experiments._five_runs import STEPS as FIVE_RUNS_STEPS
from fpdrift.experiments._study import WORDS, Study, Words, run_study, size_of, with_look
from fpdrift.provenance import current
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from fpdrift.experiments._runs import Settings
    from fpdrift.records import Record

STEPS = FIVE_RUNS_STEPS
METRICS = ("loss", "accuracy", "validation_loss", "validation_accuracy")
#: The planted batch: six right, three wrong, one at the edge.
_SURE = 0.9
MOVE = 1e-6
CLAIM = (
    "Loss is the better measure of run-to-run difference: with 10 samples a batch, 60 % or 70 % "
    "can hang on one prediction moving by 1e-6 around 0.5, while the loss hardly moves."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnifeEdge(Result):
    """Ten predictions of one batch, one of which moves over 0.5."""

    #: how far
    move: float
    #: before and after
    accuracy: tuple[float, float]
    loss: tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric(Result):
    """How far four metrics of runs that are equal on paper lie apart."""

    study: Study
    edge: KnifeEdge
    #: metric -> largest less smallest over the runs, as a part of the first run's; NaN if that is 0
    spread: dict[str, float]
    #: the same of the source's five runs
    source: dict[str, float]
    #: the last run's predictions: how many there are, how many of them change class among the runs
    predictions: int
    turned: int
    #: smallest move of a probability that came with such a change; NaN without one
    least_move: float

    @property
    def finding(self) -> str:
        """What these runs say."""
        return with_look(_tell(self), self.study)

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {100 * share:.2g} %" for name, share in self.spread.items())
        return f"Metric({told})"


@as_study("metric", ("C11",), "08", "whether loss or accuracy jumps")
def metric(settings: Settings) -> Metric:
    """Plant a batch at the knife edge; then hold four metrics of five real runs beside it.

    The runs are those of ``five-runs`` with the loss's own gradient, and lie in its folder.
    """
    conditions, skipped = five_conditions(settings.seed, current().cpu_features)
    labelled = {c.name: replace(c, op_determinism=True) for c in conditions}
    first, *others = labelled
    source = dict(zip(METRICS, map(relative_spread, zip(*SOURCE, strict=True)), strict=True))
    study, records = run_study(
        "metric",
        settings,
        labelled,
        dict.fromkeys(others, first),
        steps=STEPS[size_of(settings)],
        labels="multi-hot",
        folder="five-runs",
        skipped=skipped,
    )
    count, turned, least = turns(records)
    return Metric(
        study=study,
        edge=knife_edge(),
        spread=_spreads(study),
        source=source,
        predictions=count,
        turned=turned,
        least_move=least,
    )


def knife_edge() -> KnifeEdge:
    """Move one of ten float32 predictions over 0.5; see accuracy and binary cross-entropy.

    Six samples are classified right and three wrong, all with a probability of 0.9.
    """
    truth = np.array([1] * 6 + [0] * 3 + [1])
    accuracy, loss = [], []
    for at_edge in (0.5 - MOVE / 2, 0.5 + MOVE / 2):
        chance = np.array([_SURE] * 9 + [at_edge], np.float32)
        accuracy.append(float(np.mean((chance > 0.5) == truth)))
        given = np.where(truth, chance, 1 - chance).astype(np.float64)
        loss.append(float(-np.log(given).mean()))
    return KnifeEdge(move=MOVE, accuracy=(accuracy[0], accuracy[1]), loss=(loss[0], loss[1]))


def relative_spread(values: Sequence[float]) -> float:
    """Return largest less smallest, as a part of the first."""
    if not values[0] or not np.isfinite(values).all():
        return math.nan
    return (max(values) - min(values)) / values[0]


def turns(records: Sequence[Record]) -> tuple[int, int, float]:
    """Count the probe's predictions, and those whose class differs among the runs.

    Returns
    -------
    int, int, float
        And the smallest move of a probability, between two runs, that came with such a change.
    """
    last = int(records[0].steps[-1])
    chances = np.array([record.predictions[last] for record in records], np.float64)
    chosen = np.array([classes(answers) for answers in chances])
    moves = [
        _largest_moves(a, b)[ours != theirs]
        for i, (a, ours) in enumerate(zip(chances, chosen, strict=True))
        for b, theirs in zip(chances[:i], chosen[:i], strict=True)
    ]
    turned = int((chosen != chosen[0]).any(axis=0).sum())
    least = float(np.min(np.concatenate(moves))) if turned else math.nan
    return chosen.shape[1], turned, least


def _largest_moves(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    moved: npt.NDArray[np.float64] = np.abs(a - b).max(axis=1)
    return moved


def _spreads(study: Study) -> dict[str, float]:
    return {name: relative_spread([getattr(run, name) for run in study.runs]) for name in METRICS}


def _tell(result: Metric) -> str:
    spread, edge, runs = result.spread, result.edge, len(result.study.runs)
    planted = (
        f"Planted: one of ten predictions moves by {edge.move:g} over 0.5, accuracy goes from "
        f"{100 * edge.accuracy[0]:.0f} % to {100 * edge.accuracy[1]:.0f} %, and the loss moves by "
        f"{100 * abs(edge.loss[1] - edge.loss[0]) / edge.loss[0]:.2g} %."
    )
    odd = [name for name, value in spread.items() if not math.isfinite(value)]
    if odd:
        return (
            f"{planted} The {runs} real runs: nothing can be said, since {', '.join(odd)} began "
            "with 0 or left the finite numbers."
        )
    if not any(spread.values()):
        return f"{planted} The {runs} real runs: no digit of a metric differs."
    jumps = (
        f"{result.turned} of {result.predictions} predictions change class among the runs, one of "
        f"them with a move of {result.least_move:.2g}"
        if result.turned
        else f"none of {result.predictions} predictions changes class among the runs"
    )
    return (
        f"{planted} The {runs} real runs: losses lie {100 * spread['loss']:.2g} % apart, "
        f"accuracies {100 * spread['accuracy']:.2g} %; {jumps}."
    )


WORDS["metric"] = Words("Which metric jumps between runs that are equal on paper", CLAIM)
