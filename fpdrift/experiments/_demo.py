"""The steps of the demo and other quick experiments; only `cnn` trains a network.

The others run in seconds without TensorFlow: orders of an expression, nudges, sums in order of
arrival beside NumPy's fixed order, and two loops that multiply by a quotient 1e8 times.
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

#: The expression of the forum answer, and the size of its nudge.
EXPRESSION = "2*11/9"
NUDGE = 1e-8
#: Number of summands whose tree fits on a screen.
_TREE = 16


def order(settings: Settings) -> arithmetic.Orders:  # noqa: ARG001 - nothing here to choose
    """Evaluate the expression of the forum answer in every order."""
    return arithmetic.orders(EXPRESSION)


def nudge(settings: Settings) -> perturbation.NudgeAccount:
    """Nudge half of the weights of the answer's network by at most 1e-8."""
    from fpdrift.training._networks import starting_weights

    weights = starting_weights("answer", settings.seed)
    return perturbation.nudge(weights, size=NUDGE, fraction=0.5, seed=settings.seed)[1]


def tenth(settings: Settings) -> floats.Anatomy:  # noqa: ARG001 - nothing here to choose
    """Show the bits of the float64 nearest to 0.1."""
    return floats.anatomy("0.1")


def ways_of_summing(settings: Settings) -> reduction.SumTable:
    """Sum ill-conditioned numbers with ten algorithms; the full size has ten times as many."""
    return reduction.sum_table(10_000 if settings.full else 1000, seed=settings.seed)


def numpy_tree(settings: Settings) -> reduction.Revealed:
    """Reveal the order in which `numpy.sum` adds float32 numbers on this machine."""
    rng = np.random.default_rng(settings.seed)
    return reduction.reveal(np.sum, _TREE, "float32", name="numpy:sum", rng=rng)


def simulated_gpu(settings: Settings) -> reduction.GpuSums:
    """Simulate the sums of a GPU on this CPU."""
    return reduction.gpu_sums("simulated", seed=settings.seed)


#: Number of summands whose tree fits on one line.
_FEW = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadsAndTree(Result):
    """Results of a sum over threads, and the tree in which NumPy adds a few numbers."""

    sums: ThreadSums
    #: tree of `numpy.sum` for a few float32 numbers on this machine
    tree: Revealed

    def __repr__(self) -> str:
        return f"ThreadsAndTree({self.sums!r}, {self.tree!r})"


def threads(settings: Settings) -> ThreadsAndTree:
    """Sum in order of arrival, with one thread and with all, and reveal NumPy's order."""
    sums = thread_sums(
        seed=settings.seed, progress=partial(settings.progress, "adding as they arrive")
    )
    return ThreadsAndTree(sums=sums, tree=reveal(np.sum, _FEW, "float32", name="numpy:sum"))


#: From the forum answer: two orders of one expression, and the number of multiplications.
A, B = 2 / 9 * 11, 2 * 11 / 9
COUNT = 10**8


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoLoops(Result):
    """Two loops that are equal on paper: one rounds once per step, the other twice."""

    #: ``one *= A / B``: the quotient is rounded before the loop, the product in each step
    quotient: Chain
    #: ``one *= A; one /= B``: both are rounded in each step
    pair: Chain

    @property
    def exact(self) -> Decimal | None:
        """Result of exact arithmetic with these A and B, without rounding their ratio."""
        return self.pair.exact()

    def __repr__(self) -> str:
        return f"TwoLoops(quotient={self.quotient!r}, pair={self.pair!r})"


def two_loops(settings: Settings) -> TwoLoops:  # noqa: ARG001 - nothing here to choose
    """Run both loops."""
    return TwoLoops(
        quotient=chain(1.0, A / B, COUNT),
        pair=chain(1.0, [("multiply", A), ("divide", B)], COUNT),
    )


#: Conclusion from the four runs.
Verdict = Literal["nondeterministic", "thread-dependent", "no drift seen"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CnnDrift(Result):
    """Four runs of one network, each compared with the first."""

    _computed = ("verdict",)

    network: str
    data: str
    seed: int
    steps: int
    #: label of the first run, and names of all records
    baseline: str
    records: tuple[str, ...]
    #: the others compared with the first, in the order of `records[1:]`
    pairs: Comparisons
    #: number of variables and slots whose bits were compared at every step
    tensors: int

    @property
    def verdict(self) -> Verdict:
        """Conclusion from the rerun and the run with more threads."""
        return judge(*self.pairs.comparisons[:2])

    def __repr__(self) -> str:
        return f"CnnDrift({self.steps} steps, {self.verdict}, {self.pairs!r})"


def conditions(seed: int) -> dict[str, Condition]:
    """Return the four conditions by label; there are at least 2 threads, even on one core."""
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
    """Train the answer's network under four conditions, and compare the runs."""
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
    """Return the conclusion from a rerun and a run with more threads.

    A run that differs from its rerun is nondeterministic. A run that is repeatable but changes with
    the thread count is thread-dependent; whether it is repeatable at the other thread count, and
    therefore order-dependent, was not tested.
    """
    if again.first_difference is not None:
        return "nondeterministic"
    if threads.first_difference is not None:
        return "thread-dependent"
    return "no drift seen"
