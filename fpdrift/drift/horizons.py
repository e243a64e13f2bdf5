"""The horizon: up to which step two runs report the same, give or take a tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from fpdrift.checks import check_choice
from fpdrift.drift.comparison import Comparison
from fpdrift.errors import FpdriftError, shown
from fpdrift.results import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Horizon(Result):
    """The first step at which a metric differs by more than a tolerance."""

    #: "loss" or the name of a metric
    metric: str
    #: largest |b - a| / |a| that counts as the same
    tolerance: float
    #: None if the metric stayed within the tolerance wherever both reported it
    step: int | None
    #: last step at which both reported it; None if there is none
    until: int | None

    def __repr__(self) -> str:
        return f"Horizon({self})"

    def __str__(self) -> str:
        if self.until is None:
            return f"no {self.metric} was recorded by both"
        if self.step is None:
            return f"{self.metric} within {100 * self.tolerance:.3g} % up to step {self.until}"
        return (
            f"{self.metric} differs by more than {100 * self.tolerance:.3g} % at step {self.step}"
        )


def horizon(comparison: Comparison, tolerance: float = 0.01, metric: str = "loss") -> Horizon:
    """Find the first step at which a metric of two runs differs by more than a tolerance.

    Parameters
    ----------
    comparison : Comparison
    tolerance : float, default 0.01
        Largest |b - a| / |a| that counts as the same, 0 or more.
    metric : str, default "loss"
        The loss, or a metric that both runs report.

    Raises
    ------
    FpdriftError
        If `comparison` is none, the tolerance is no such number or the metric is not in it.
    """
    check_comparison(comparison)
    tolerance = _tolerance(tolerance)
    check_choice("metric", metric, ("loss", *comparison.metrics))
    a, b = comparison.loss if metric == "loss" else comparison.metrics[metric]
    with np.errstate(invalid="ignore"):  # infinity minus infinity is NaN, which is not within
        apart = (a != b) & ~(np.abs(b - a) <= tolerance * np.abs(a))
    known = ~(np.isnan(a) | np.isnan(b))
    over, seen = (comparison.recorded_steps[rows] for rows in (known & apart, known))
    return Horizon(
        metric=metric,
        tolerance=tolerance,
        step=int(over[0]) if len(over) else None,
        until=int(seen[-1]) if len(seen) else None,
    )


def _tolerance(value: Any) -> float:
    try:
        number = (
            math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
        )
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        message = f"tolerance is {shown(value)}; choose a number of at least 0, such as 0.01"
        raise FpdriftError(message)
    return number


def check_comparison(value: Any) -> None:
    """Refuse what is no comparison.

    Raises
    ------
    FpdriftError
    """
    if not isinstance(value, Comparison):
        message = f"not a comparison: {shown(value)}; compare() gives one"
        raise FpdriftError(message)
