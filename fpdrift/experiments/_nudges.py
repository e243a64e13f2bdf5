"""Noise of at most 1e-8 on half of the weights, then training: how much the run changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fpdrift.experiments._demo import NUDGE
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._study import EPOCH, WORDS, Study, Words, apart, run_study, size_of, span
from fpdrift.perturbation import Perturbation
from fpdrift.text import percent
from fpdrift.training import Condition
from fpdrift.training._condition import LARGEST_SEED

if TYPE_CHECKING:
    from fpdrift.experiments._runs import Settings

STEPS = {"quick": 100, "full": EPOCH}
#: Number of draws of the noise.
DRAWS = 5
CLAIM = (
    "Add random noise, clipped to a size of 1e-8, to half of your weights, and see the run change "
    "its philosophy of life."
)
_BASELINE, _AGAIN, _THREADS, ANOTHER_SEED = (
    "1 thread",
    "1 thread again",
    "2 threads",
    "another seed",
)


@as_study("nudge", ("C07",), "07", "noise of 1e-8 on half of the weights")
def nudge_training(settings: Settings) -> Study:
    """Train from weights nudged by several draws of noise, and without a nudge.

    For comparison, there are also a rerun, 2 threads, and a different seed. Finished runs in the
    folder ``nudge`` of `settings.out` are not trained again.
    """
    one = Condition(intra_op_threads=1, seed=settings.seed)
    noise = [
        Perturbation(kind="noise", size=NUDGE, fraction=0.5, seed=settings.seed + i)
        for i in range(DRAWS)
    ]
    others = {
        _AGAIN: one,
        **{f"nudged, draw {i + 1}": replace(one, perturbation=p) for i, p in enumerate(noise)},
        _THREADS: replace(one, intra_op_threads=2),
        ANOTHER_SEED: replace(one, seed=(settings.seed + 1) % (LARGEST_SEED + 1)),
    }
    return run_study(
        "nudge",
        settings,
        {_BASELINE: one, **others},
        dict.fromkeys(others, _BASELINE),
        steps=STEPS[size_of(settings)],
    )[0]


def _tell(study: Study) -> str:
    nudged = [d for d in study.distances if d.label.startswith("nudged")]
    known = [run.changed for run in study.runs if run.changed is not None]
    changed = f" changed {span(known, ',')} of them, and" if known else ":"
    losses = {run.label: run.loss for run in study.runs}
    first = losses[_BASELINE]
    loss = span((100 * abs(losses[d.label] - first) / first for d in nudged), ".2g")
    seed = study[ANOTHER_SEED]
    churn = span((100 * d.churn for d in nudged), ".2g")
    return (
        f"Noise of at most {NUDGE:g} on half of the weights{changed} "
        f"{len(nudged)} draws of it gave {apart(nudged)}; {churn} % of the probe's predictions "
        f"changed class, and the mean loss changed by {loss} %. "
        f"One run with a different seed: distance {seed.distance:.1e}, {percent(seed.churn)} % "
        f"changed class. One run with 2 threads gave {apart([study[_THREADS]])}. "
        f"A rerun gave {apart([study[_AGAIN]])}."
    )


WORDS["nudge"] = Words("Noise of at most 1e-08 on half of the weights, then training", CLAIM, _tell)
