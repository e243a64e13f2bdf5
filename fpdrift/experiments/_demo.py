"""The experiments that need no training: they run in seconds and load no TensorFlow.

Sums in order of arrival, and beside them the fixed order in which NumPy adds by itself.

Multiply by a quotient 1e8 times: the two loops that one sentence can mean, and their ends.

The same network, data and seed under four conditions: who parts from whom, when and how far.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from fpdrift import arithmetic, floats, perturbation, reduction
from fpdrift.arithmetic import Chain, chain
from fpdrift.comparison import Comparison, Comparisons, compare
from fpdrift.perturbation import Perturbation
from fpdrift.provenance import available_cores
from fpdrift.reduction import Revealed, ThreadSums, reveal, thread_sums
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from decimal import Decimal

    from fpdrift.experiments._runs import Settings
    from fpdrift.training import Condition

#: The source's own expression, and the size of its nudge.
EXPRESSION = "2*11/9"
NUDGE = 1e-8
#: So many numbers have a tree that fits on a screen.
_TREE = 16


def order(settings: Settings) -> arithmetic.Orders:  # noqa: ARG001 - nothing here to choose
    """Evaluate the source's expression in every order."""
    return arithmetic.orders(EXPRESSION)


def nudge(settings: Settings) -> perturbation.NudgeAccount:
    """Move half of the weights of the answer's network by at most 1e-8."""
    from fpdrift.training._networks import starting_weights

    weights = starting_weights("answer", settings.seed)
    return perturbation.nudge(weights, size=NUDGE, fraction=0.5, seed=settings.seed)[1]


def tenth(settings: Settings) -> floats.Anatomy:  # noqa: ARG001 - nothing here to choose
    """Take the float64 nearest to 0.1 apart."""
    return floats.anatomy("0.1")


def ways_of_summing(settings: Settings) -> reduction.SumTable:
    """Sum ill-conditioned numbers in ten ways; the full size is ten times as many."""
    return reduction.sum_table(10_000 if settings.full else 1000, seed=settings.seed)


def numpy_tree(settings: Settings) -> reduction.Revealed:
    """Reveal the order in which `numpy.sum` adds float32 numbers here."""
    rng = np.random.default_rng(settings.seed)
    return reduction.reveal(np.sum, _TREE, "float32", name="numpy:sum", rng=rng)


def simulated_gpu(settings: Settings) -> reduction.GpuSums:
    """Add as a GPU does, on this CPU."""
    return reduction.gpu_sums("simulated", seed=settings.seed)


#: So many numbers have a tree that can be read in one line.
_FEW = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadsAndTree(Result):
    """What threads made of one sum, and the tree in which NumPy adds a few numbers."""

    sums: ThreadSums
    #: of `numpy.sum` on a few float32 numbers, here
    tree: Revealed

    def __repr__(self) -> str:
        return f"ThreadsAndTree({self.sums!r}, {self.tree!r})"


def threads(settings: Settings) -> ThreadsAndTree:
    """Sum in order of arrival, with one thread and with all; reveal NumPy's own order."""
    sums = thread_sums(
        seed=settings.seed, progress=partial(settings.progress, "adding as they arrive")
    )
    return ThreadsAndTree(sums=sums, tree=reveal(np.sum, _FEW, "float32", name="numpy:sum"))


#: The source's own: two orders of one expression, and how often it multiplies by their ratio.
A, B = 2 / 9 * 11, 2 * 11 / 9
COUNT = 10**8


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoLoops(Result):
    """The same step on paper, rounded once and rounded twice."""

    #: ``one *= A / B``: the quotient is rounded before the loop, the product in each step
    quotient: Chain
    #: ``one *= A; one /= B``: both are rounded in each step
    pair: Chain

    @property
    def exact(self) -> Decimal | None:
        """What exact arithmetic leaves with these A and B, their ratio unrounded."""
        return self.pair.exact()

    def __repr__(self) -> str:
        return f"TwoLoops(quotient={self.quotient!r}, pair={self.pair!r})"


def two_loops(settings: Settings) -> TwoLoops:  # noqa: ARG001 - nothing here to choose
    """Run both loops."""
    return TwoLoops(
        quotient=chain(1.0, A / B, COUNT),
        pair=chain(1.0, [("multiply", A), ("divide", B)], COUNT),
    )


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
