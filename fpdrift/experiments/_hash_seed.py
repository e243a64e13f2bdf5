"""``PYTHONHASHSEED``: when Python reads it, and whether it affects training with Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._study import WORDS, Study, Words, apart, run_study, size_of, with_look
from fpdrift.serialization import Result
from fpdrift.subprocesses import run_module
from fpdrift.training import Condition
from fpdrift.training._keras_rng import own_chance

if TYPE_CHECKING:
    from fpdrift.experiments._runs import Settings

STEPS = {"quick": 10, "full": 469}
#: Number of fresh processes for each way of setting the variable.
PROCESSES = 5
TEXT = "fpdrift"
NAME, MISSPELT = "PYTHONHASHSEED", "PYTHONASHSEED"
CLAIM = f"{NAME} has to be set before the interpreter starts. (The question's code: {MISSPELT}.)"
#: Label -> variables set before the process starts, and variables set inside it afterwards.
WAYS: dict[str, tuple[dict[str, str | None], dict[str, str]]] = {
    "not set": ({}, {}),
    f"{NAME}=0 before the start": ({NAME: "0"}, {}),
    f"{NAME}=0 after the start": ({}, {NAME: "0"}),
    f"{MISSPELT}=0 before the start": ({MISSPELT: "0"}, {}),
}
#: Hash seeds of the runs; None: not set.
SEEDS = (None, None, 0, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes(Result):
    """Results of several identically started processes."""

    label: str
    processes: int
    #: number of different results
    distinct: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HashSeed(Result):
    """Python's hash in fresh processes, and trained weights under several hash seeds."""

    #: values of `hash("fpdrift")` for each way of setting the variable
    hashes: tuple[Outcomes, ...]
    #: trained weights over all values of the variable: of our network, and of a small one for which
    #: Keras draws weights, data order and dropout
    weights: tuple[Outcomes, ...]
    study: Study

    @property
    def finding(self) -> str:
        """The result in words."""
        return with_look(_tell(self), self.study)

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{row.label}: {row.distinct} of {row.processes}"
            for row in (*self.hashes, *self.weights)
        )
        return f"HashSeed({counts})"


@as_study("hash-seed", ("C13",), "10", "what PYTHONHASHSEED changes, and when")
def hash_seed(settings: Settings) -> HashSeed:
    """Hash a text in fresh processes, then train under several hash seeds.

    Finished runs in the folder ``hash-seed`` of `settings.out` are not trained again.
    """
    hashes = tuple(_hashes(label, before, late) for label, (before, late) in WAYS.items())
    conditions = [
        Condition(intra_op_threads=1, seed=settings.seed, hash_seed=seed) for seed in SEEDS
    ]
    own = []
    for i, condition in enumerate(conditions):
        settings.progress("Keras' own generators", i + 1, len(conditions))
        own.append(own_chance(condition))
    labelled = {
        f"{NAME} {'not set' if c.hash_seed is None else f'= {c.hash_seed}'}"
        + (" again" if c in conditions[:i] else ""): c
        for i, c in enumerate(conditions)
    }
    first, *others = labelled
    kept = Outcomes(label="weights drawn by Keras", processes=len(own), distinct=len(set(own)))
    study, _ = run_study(
        "hash-seed",
        settings,
        labelled,
        dict.fromkeys(others, first),
        steps=STEPS[size_of(settings)],
    )
    ours = Outcomes(
        label=f"the {study.network}'s network",
        processes=len(study.runs),
        distinct=len({run.weights for run in study.runs}),
    )
    return HashSeed(hashes=hashes, weights=(ours, kept), study=study)


def _hashes(label: str, before: dict[str, str | None], late: dict[str, str]) -> Outcomes:
    env = {NAME: None, MISSPELT: None} | before
    task = {"late": late, "text": TEXT}
    given = [
        run_module("fpdrift.experiments._hash_worker", task, env=env) for _ in range(PROCESSES)
    ]
    return Outcomes(
        label=label, processes=PROCESSES, distinct=len({answer["hash"] for answer in given})
    )


def _tell(result: HashSeed) -> str:
    hashes, study, (_, own) = result.hashes, result.study, result.weights
    fixed = [row.label for row in hashes if row.distinct == 1]
    others = [row.label for row in hashes if row.distinct > 1]
    return (
        f"Python's hash, for {len(hashes)} settings with {hashes[0].processes} processes each: the "
        f"same in all processes for {', '.join(fixed) or 'none'}; different for "
        f"{', '.join(others) or 'none'}. With different hash seeds, the {study.network}'s network "
        f"gave {apart(study.distances)}, and a small network whose random numbers all come from "
        f"Keras ended with {own.distinct} set{'' if own.distinct == 1 else 's'} of weights in "
        f"{own.processes} processes."
    )


WORDS["hash-seed"] = Words(f"What {NAME} changes", CLAIM)
