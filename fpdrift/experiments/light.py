"""The experiments that need no training: they run in seconds and load no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift import arithmetic, perturbation

if TYPE_CHECKING:
    from fpdrift.experiments.settings import Settings

#: The source's own expression, and the size of its nudge.
EXPRESSION = "2*11/9"
NUDGE = 1e-8


def order(settings: Settings) -> arithmetic.Orders:  # noqa: ARG001 - nothing here to choose
    """Evaluate the source's expression in every order."""
    return arithmetic.orders(EXPRESSION)


def nudge(settings: Settings) -> perturbation.NudgeAccount:
    """Move half of the weights of the answer's network by at most 1e-8."""
    from fpdrift.training.shapes import starting_weights

    weights = starting_weights("answer", settings.seed)
    return perturbation.nudge(weights, size=NUDGE, fraction=0.5, seed=settings.seed)[1]
