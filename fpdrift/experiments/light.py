"""The experiments that need no training: they run in seconds and load no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpdrift import arithmetic, floats, perturbation, reduction

if TYPE_CHECKING:
    from fpdrift.experiments.settings import Settings

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
    from fpdrift.training.shapes import starting_weights

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
