"""Loss or accuracy: which of them jumps between runs that differ only in rounding."""

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
from fpdrift.text import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from fpdrift.experiments._runs import Settings
    from fpdrift.records import Record

STEPS = FIVE_RUNS_STEPS
METRICS = ("loss", "accuracy", "validation_loss", "validation_accuracy")
#: The planted batch: six samples right, three wrong, one at the threshold.
_SURE = 0.9
MOVE = 1e-6
CLAIM = (
    "Loss is the better measure of run-to-run difference: with 10 samples per batch, 60 % or 70 % "
    "can depend on one prediction moving by 1e-6 around 0.5, while the loss hardly changes."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnifeEdge(Result):
    """Ten predictions of one batch, one of which crosses 0.5."""

    #: size of the change
    move: float
    #: before and after
    accuracy: tuple[float, float]
    loss: tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric(Result):
    """Spread of four metrics over runs that are equal on paper."""

    study: Study
    edge: KnifeEdge
    #: metric -> largest minus smallest over the runs, relative to the first run; NaN if that is 0
    spread: dict[str, float]
    #: the same for the five runs of the forum answer
    source: dict[str, float]
    #: number of final predictions, and of those whose class differs between the runs
    predictions: int
    turned: int
    #: smallest change of a probability that changed a class; NaN if there is none
    least_move: float

    @property
    def finding(self) -> str:
        """The result in words."""
        return with_look(_tell(self), self.study)

    def __repr__(self) -> str:
        spreads = ", ".join(f"{name} {percent(share)} %" for name, share in self.spread.items())
        return f"Metric({spreads})"


@as_study("metric", ("C11",), "08", "whether loss or accuracy jumps")
def metric(settings: Settings) -> Metric:
    """Compare four metrics on a planted batch at the threshold and on five real runs.

    The runs are those of ``five-runs`` with the gradient of the loss, and share its folder.
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
    """Compute accuracy and binary cross-entropy before and after a prediction crosses 0.5.

    There are ten float32 predictions. Six samples are classified correctly and three incorrectly,
    all with a probability of 0.9.
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
    """Return largest minus smallest, relative to the first."""
    if not values[0] or not np.isfinite(values).all():
        return math.nan
    return (max(values) - min(values)) / values[0]


def turns(records: Sequence[Record]) -> tuple[int, int, float]:
    """Count the final predictions, and those whose class differs between the runs.

    Returns
    -------
    int, int, float
        The two counts, and the smallest change of a probability that changed a class.
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
        f"Planted: when one of ten predictions changes by {edge.move:g} and crosses 0.5, accuracy "
        f"goes from {100 * edge.accuracy[0]:.0f} % to {100 * edge.accuracy[1]:.0f} %, while the "
        f"loss changes by {percent(abs(edge.loss[1] - edge.loss[0]) / edge.loss[0])} %."
    )
    odd = [name for name, value in spread.items() if not math.isfinite(value)]
    if odd:
        return (
            f"{planted} The {runs} real runs: cannot tell, since {', '.join(odd)} was 0 in the "
            "first run, NaN or infinite."
        )
    if not any(spread.values()):
        return f"{planted} The {runs} real runs: all metrics are identical."
    jumps = (
        f"{result.turned} of {result.predictions} predictions change class between the runs, one "
        f"of them with a change of {result.least_move:.2g}"
        if result.turned
        else f"none of {result.predictions} predictions changes class between the runs"
    )
    return (
        f"{planted} The {runs} real runs: losses vary by {percent(spread['loss'])} %, "
        f"accuracies by {percent(spread['accuracy'])} %; {jumps}."
    )


WORDS["metric"] = Words("Which metric jumps between runs that are equal on paper", CLAIM)
