"""One ulp in one weight, then training: how many such differences are absorbed, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.comparison import Survival, lasting, survival_curve
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._study import (
    EPOCH,
    WORDS,
    Study,
    Words,
    apart,
    run_study,
    size_of,
    span,
    with_look,
)
from fpdrift.perturbation import Perturbation
from fpdrift.serialization import Result
from fpdrift.training import Condition
from fpdrift.training._networks import starting_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from fpdrift.experiments._runs import Settings
    from fpdrift.records import Record

STEPS = {"quick": 5, "full": EPOCH}
NUDGES = {"quick": 24, "full": 60}
CLAIM = (
    "Batches of 64, 60,000 samples and 20 epochs make 18,750 iterations, which greatly amplify "
    "a small difference."
)
_NETWORK = "answer"
_BASELINE, _AGAIN = "1 thread", "1 thread again"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class UlpSurvival(Result):
    """Runs that differ at the start by one ulp in one weight."""

    study: Study
    #: survival of the nudges during the runs
    survival: Survival

    @property
    def finding(self) -> str:
        """The result in words."""
        return with_look(_tell(self.study, self.survival), self.study)

    def __repr__(self) -> str:
        return f"UlpSurvival({self.study!r}, {self.survival})"


@as_study("survival", ("C09",), "09", "how long one ulp in one weight survives")
def ulp_survival(settings: Settings) -> UlpSurvival:
    """Train from weights of which one is changed by one ulp, a different one in each run.

    Finished runs in the folder ``survival`` of `settings.out` are not trained again.
    """
    size = size_of(settings)
    one = Condition(intra_op_threads=1, seed=settings.seed)
    nudges = draw_nudges(starting_weights(_NETWORK, one.seed), NUDGES[size], settings.seed)
    others = {_AGAIN: one} | {
        label: replace(one, perturbation=nudge) for label, nudge in nudges.items()
    }
    study, records = run_study(
        "survival",
        settings,
        {_BASELINE: one, **others},
        dict.fromkeys(others, _BASELINE),
        steps=STEPS[size],
    )
    return UlpSurvival(study=study, survival=_survival(records))


def draw_nudges(
    weights: Mapping[str, npt.NDArray[np.float32]], count: int, seed: int
) -> dict[str, Perturbation]:
    """Draw weights to change by one ulp, up or down: a tensor first, then one of its elements.

    Tensors of zeros are left out: an ulp of zero is 1e-45, which a processor may flush to zero.

    Returns
    -------
    dict of str to Perturbation
        By name and index of the weight.
    """
    rng = np.random.default_rng(seed)
    names = [name for name, values in weights.items() if values.any()]
    found: dict[str, Perturbation] = {}
    while len(found) < count:
        name = names[rng.integers(len(names))]
        index = tuple(int(rng.integers(size)) for size in weights[name].shape)
        found[f"{name} {'.'.join(map(str, index))}"] = Perturbation(
            kind="ulp", tensor=name, index=index, steps=int(rng.choice([-1, 1]))
        )
    return found


def _survival(records: tuple[Record, ...]) -> Survival:
    """Return the survival of the nudged runs, which follow the baseline and its rerun."""
    baseline, _, *nudged = records
    pairs = [lasting(baseline, record) for record in nudged]
    return survival_curve([steps for steps, _ in pairs], [gone for _, gone in pairs])


def _tell(study: Study, survival: Survival) -> str:
    again, *nudged = study.distances
    if again.first_step is not None:
        return (
            f"A rerun gave {apart([again])}: this training is nondeterministic here, so the effect "
            "of one ulp cannot be measured."
        )
    its = survival.absorbed_interval
    ends = f"{100 * its.low:.0f} to {100 * its.high:.0f} %" if its else ""
    between = f" (95 % interval {ends}, {its.method})" if its else ""
    distances = [d.of_learning for d in nudged if d.distance > 0]
    those = " of the others" if survival.events else ""
    rest = (
        f"; the final distances{those} are {span(distances)}, excluding biases whose true gradient "
        "is zero"
        if distances
        else ""
    )
    return (
        f"Of {survival.n} one-ulp changes, each to one weight (a tensor was drawn first, then one "
        f"of its elements), {survival.events} were absorbed within {study.steps} steps{between}"
        f"{rest}. All are compared with one run, so this holds for its training only. A rerun gave "
        "the same bits."
    )


WORDS["survival"] = Words("One ulp in one weight, then training", CLAIM)
