"""One result of each study of training, for the tests of pictures."""

import math

import numpy as np

from fpdrift.comparison import survival_curve
from fpdrift.experiments import (
    Determinism,
    HashSeed,
    KnifeEdge,
    Metric,
    NoSeeds,
    Outcomes,
    RunDistance,
    Study,
    TrainedRun,
    UlpSurvival,
)
from fpdrift.serialization import read_only


def a_study(distances=(0.0, 3e-5, 1.0), size="quick", name="threads-in-training"):
    labels = [f"{k} threads, op det. again"[: 10 + 9 * k] for k in range(len(distances))]
    figures = {"loss": 2.5, "accuracy": 0.1, "validation_loss": 2.0, "validation_accuracy": 0.1}
    runs = tuple(
        TrainedRun(label=label, condition=label, record=label, weights=label, **figures)
        for label in labels
    )
    rows = tuple(
        RunDistance(
            label=label,
            baseline="1 thread, op det.",
            first_step=1 if distance else None,
            first_tensor="w" if distance else None,
            distance=distance,
            churn=0.25 if distance else math.nan,
        )
        for label, distance in zip(labels, distances, strict=True)
    )
    return Study(
        name=name,
        size=size,
        network="answer",
        data="noise",
        labels="one-hot",
        seed=1,
        steps=12,
        runs=runs,
        distances=rows,
        losses=read_only(np.cos(np.arange(12 * len(rows))).reshape(len(rows), 12)),
        skipped={},
    )


def study_results():
    yield "study", a_study()
    lasted = survival_curve([1, 3, 5, 5], [True, True, False, False])
    yield "ulp-survival", UlpSurvival(study=a_study(name="survival"), survival=lasted)
    yield "study-many", a_study((0.0, *(1e-9 * 10**k for k in range(10)), *[0.5] * 5), "full")
    yield "study-no-drift", a_study((0.0, 0.0))
    determinism = a_study(name="determinism")
    yield "determinism", Determinism(study=determinism, ratios={"a": 1.25, "b": 1.5})
    yield "determinism-untimed", Determinism(study=determinism, ratios={})
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    edge = KnifeEdge(move=1e-6, accuracy=(0.6, 0.7), loss=(0.8, 0.8 - 2e-7))
    spread = dict(zip(names, (1e-4, 0.01, 0.0, math.nan), strict=True))
    metric = {"edge": edge, "predictions": 256, "turned": 0, "least_move": math.nan}
    metric |= {"study": a_study(name="metric"), "source": dict.fromkeys(names, 0.1)}
    yield "metric", Metric(spread=spread, **metric)
    spreads = {name: np.ones((2, 10)) for name in ("loss_spread", "accuracy_spread")}
    no_seeds = a_study(name="no-seeds")
    yield "no-seeds", NoSeeds(study=no_seeds, drawn=2, accuracies=np.ones((3, 10)), **spreads)
    rows = [
        Outcomes(label=f"PYTHONHASHSEED=0 {when} the start", processes=5, distinct=distinct)
        for when, distinct in (("before", 1), ("after", 5))
    ]
    hashes = a_study(name="hash-seed")
    yield "hash-seed", HashSeed(hashes=tuple(rows), weights=(rows[0], rows[0]), study=hashes)
