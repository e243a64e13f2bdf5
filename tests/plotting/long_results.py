"""Results of long trainings and of many runs, for the tests of pictures."""

import numpy as np
from make_record import make_record

from fpdrift.comparison import compare, compare_many, growth
from fpdrift.experiments import (
    DistanceCurves,
    Epoch,
    Long,
    Question,
    RunDistance,
    Source,
    Sources,
    Trap,
    TwoPaths,
    Validated,
)
from fpdrift.serialization import read_only
from fpdrift.step_debug import Diagnosis


def runs(*offsets):
    """Make runs of 60 steps whose weight is off by so much from step 3 on."""
    return [
        make_record(
            [{"kernel": np.ones(3, np.float32) * (1 + offset * (i > 2) * i)} for i in range(61)],
            name=f"{offset}.fpdrift",
        )
        for offset in offsets
    ]


def a_long(pair):
    epochs = tuple(
        Epoch(
            epoch=number,
            step=20 * number,
            distance=float(pair.distance[20 * number]),
            losses=(0.5 / number, 0.51 / number),
            churn=0.04 * number,
            small=(0.0, 0.0),
        )
        for number in (1, 2, 3)
    )
    first = pair.first_difference
    return Long(
        size="quick",
        network="answer",
        data="noise",
        seed=1,
        steps=60,
        an_epoch=20,
        source_steps=18_760,
        labels=("1 thread", "2 threads"),
        epochs=epochs,
        growth=growth(pair),
        first_step=None if first is None else first.step,
        operations=3 * 10**9,
        small_before=0.0005,
    )


def a_question(epochs):
    labels = ("1 thread", "1 thread again", "2 threads", "another seed")
    return Question(
        size="full",
        data="fashion-mnist-split",
        seed=1,
        epochs=epochs,
        source_epochs=200,
        steps=750,
        validation_images=12_000,
        runs=tuple(
            Validated(
                label=label,
                losses=tuple(0.5 / (1 + k) + 0.01 * i for k in range(epochs)),
                accuracies=tuple(0.85 + 0.01 * k + 0.002 * i for k in range(epochs)),
                best=epochs,
                stopped=None,
            )
            for i, label in enumerate(labels)
        ),
        distances=tuple(
            RunDistance(
                label=label,
                baseline=labels[0],
                first_step=1,
                first_tensor="kernel",
                distance=0.5,
                churn=0.05,
            )
            for label in labels[1:]
        ),
    )


def a_source(name, runs, distance):
    pairs = tuple(np.geomspace(distance / 3, 2 * distance, runs).tolist()) if distance else ()
    equal = 0 if distance else runs
    names = ("distance", "of_all", "churn", "loss", "accuracy")
    figures = dict.fromkeys(names, pairs or (0.0,) * runs)
    return Source(name=name, runs=runs, equal=equal, **figures)


def some_sources(*rows):
    return Sources(
        size="quick",
        network="answer",
        data="noise",
        seed=1,
        steps=20,
        rows=tuple(a_source(*row) for row in rows),
        skipped={},
    )


def some_courses(distance):
    return DistanceCurves(
        name="dose",
        size="quick",
        data="noise",
        seed=1,
        last=40,
        labels=("1e-12", "1e-08")[: len(distance)],
        steps=read_only(np.array([0, 1, 2, 10, 40])),
        distance=read_only(np.array(distance)),
    )


def a_trap(first):
    nothing = {"measures": (), "first": None, "start": {}, "settings": ()}
    diagnosis = Diagnosis(
        verdict="different computation", cause="large", step=1, run_a=None, run_b=None, **nothing
    )
    sound = TwoPaths(labels="one-hot", first=0.0, last=0.1, losses=(2.5, 2.5), diagnosis=None)
    odd = TwoPaths(
        labels="multi-hot", first=first, last=0.9, losses=(16.5, 14.3), diagnosis=diagnosis
    )
    names = {"network": "answer", "data": "noise"}
    return Trap(**names, size="quick", seed=1, steps=9, paths=(sound, odd))


def long_results():
    yield "trap", a_trap(0.037)
    yield "courses", some_courses([[0, 0, 1e-9, 1e-7, 1e-3], [1e-7, 1e-7, 1e-6, 1e-5, 2e-3]])
    yield "courses-equal", some_courses([[0.0] * 5])
    control = ("the same again", 1, 0.0)
    yield (
        "sources",
        some_sources(control, ("threads", 2, 1e-4), ("all seeds", 7, 1.2), ("XLA", 1, 1e-6)),
    )
    yield "sources-equal", some_sources(control)
    yield "long", a_long(compare(*runs(0.0, 1e-4)))
    yield "long-equal", a_long(compare(*runs(0.0, 0.0)))
    yield "question", a_question(5)
    yield "question-one", a_question(1)
    yield "many", compare_many(runs(0.0, 0.0, 1e-3, 1e-4, 1e-4))
    yield "many-equal", compare_many(runs(0.0, 0.0))
