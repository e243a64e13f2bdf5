"""The experiments that need no training: they run in seconds and load no TensorFlow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fpdrift import arithmetic, perturbation, reduction

if TYPE_CHECKING:
    from fpdrift.experiments.settings import Settings

#: The source's own figures: the expression, and how often it multiplies.
EXPRESSION = "2*11/9"
COUNT = 10**8
NUDGE = 1e-8


def order(settings: Settings) -> arithmetic.Orders:  # noqa: ARG001 - nothing here to choose
    """Evaluate the source's expression in every order."""
    return arithmetic.orders(EXPRESSION)


def chain(settings: Settings) -> arithmetic.Chain:  # noqa: ARG001 - nothing here to choose
    """Multiply 1 by the ratio of two orders, 1e8 times."""
    first, second = 2 * 11 / 9, 2 / 9 * 11
    return arithmetic.chain(1.0, second / first, COUNT)


def threads(settings: Settings) -> reduction.ThreadSums:
    """Sum in order of arrival, with one thread and with all."""
    return reduction.thread_sums(
        seed=settings.seed, progress=partial(settings.progress, "adding as they arrive")
    )


def nudge(settings: Settings) -> perturbation.NudgeAccount:
    """Move half of the weights of the answer's network by at most 1e-8."""
    from fpdrift.training import initial_weights

    weights = initial_weights("answer", settings.seed)
    return perturbation.nudge(weights, size=NUDGE, fraction=0.5, seed=settings.seed)[1]
