"""The same network, data and seed under four conditions: who parts from whom, when and how far."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from fpdrift.drift import Comparison, Comparisons, compare
from fpdrift.perturbation import Perturbation
from fpdrift.provenance import available_cores
from fpdrift.results import Result

if TYPE_CHECKING:
    from fpdrift.experiments.settings import Settings
    from fpdrift.training import Condition

#: What the four runs say together.
Verdict = Literal["nondeterministic", "thread-dependent", "no drift seen"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CnnDrift(Result):
    """Four runs of one network, each against the first."""

    _computed = ("verdict",)

    network: str
    data: str
    seed: int
    steps: int
    #: name of the first run's condition, and of its record
    baseline: str
    records: tuple[str, ...]
    #: the others against it, in the order of `records[1:]`
    pairs: Comparisons
    #: variables and slots whose every bit was compared at every step
    tensors: int

    @property
    def verdict(self) -> Verdict:
        """What the repeated run and the one with more threads say."""
        return judge(*self.pairs.comparisons[:2])

    def __repr__(self) -> str:
        return f"CnnDrift({self.steps} steps, {self.verdict}, {self.pairs!r})"


def conditions(seed: int) -> dict[str, Condition]:
    """Name the four conditions; threads are at least 2, on one core too."""
    from fpdrift.training import Condition

    several = max(2, available_cores())
    noise = Perturbation(kind="noise", size=1e-8, fraction=0.5, seed=seed)
    return {
        "1 thread": Condition(intra_op_threads=1, seed=seed),
        "1 thread again": Condition(intra_op_threads=1, seed=seed),
        f"{several} threads": Condition(intra_op_threads=several, seed=seed),
        "nudged": Condition(intra_op_threads=1, seed=seed, perturbation=noise),
    }


def cnn(settings: Settings) -> CnnDrift:
    """Train the answer's network under four conditions and compare."""
    from fpdrift.training import train

    records = {}
    for label, condition in conditions(settings.seed).items():
        path = settings.out / f"{label.replace(' ', '-')}.fpdrift"
        records[label] = train(
            condition,
            network="answer",
            data=settings.data,
            steps=settings.steps,
            path=path,
            overwrite=True,
            progress=partial(settings.progress, f"training, {label}"),
        )
    first, *others = records.items()
    pairs = {label: compare(first[1], record) for label, record in others}
    return CnnDrift(
        network="answer",
        data=settings.data,
        seed=settings.seed,
        steps=settings.steps,
        baseline=first[0],
        records=tuple(record.name for record in records.values()),
        pairs=Comparisons(labels=tuple(pairs), comparisons=tuple(pairs.values())),
        tensors=len(first[1].tensors),
    )


def judge(again: Comparison, threads: Comparison) -> Verdict:
    """Decide what the repeated run and the run with more threads say.

    A run that differs from its own repetition is nondeterministic, whatever else it does. One that
    repeats, but differs at another thread count, depends on that; whether it repeats there too, so
    that it is order-dependent, was not tried.
    """
    if again.first_difference is not None:
        return "nondeterministic"
    if threads.first_difference is not None:
        return "thread-dependent"
    return "no drift seen"
