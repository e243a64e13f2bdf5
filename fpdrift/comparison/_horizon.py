"""Find how long a metric of two runs stays equal within a tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.comparison._results import Comparison
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.serialization import Result
from fpdrift.text import percent
from fpdrift.validation import check_choice

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.comparison._results import NonFinite

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Horizon(Result):
    """The first step at which a metric of two runs differs by more than a tolerance.

    The search ends at the first step at which the metric is infinite or NaN in either run.
    """

    #: "loss" or the name of a metric
    metric: str
    #: largest |b - a| / |a| that counts as equal
    tolerance: float
    #: None if the metric stayed within the tolerance wherever both runs reported it; a metric that
    #: is finite in only one run exceeds every tolerance
    step: int | None
    #: last step, up to `not_finite`, at which both runs reported a finite value; None if there is
    #: none
    until: int | None
    #: first step at which the metric is infinite or NaN in either run; None if it is always finite
    #: or an older file does not record it
    not_finite: int | None = None

    def __repr__(self) -> str:
        return f"Horizon({self})"

    def __str__(self) -> str:
        tolerance = f"{percent(self.tolerance, 3)} %"
        if self.step is not None and self.step != self.not_finite:
            return f"{self.metric} differs by more than {tolerance} at step {self.step}"
        found = []
        if self.until is not None:
            found.append(f"within {tolerance} up to step {self.until}")
        if self.not_finite is not None:
            where = "" if self.step is None else " in one run"
            found.append(f"infinite or NaN{where} at step {self.not_finite}")
        if not found:
            return f"no step has a {self.metric} in both runs"
        return f"{self.metric} {', '.join(found)}"


def horizon(comparison: Comparison, tolerance: float = 0.01, metric: str = "loss") -> Horizon:
    """Find the first step at which a metric of two runs differs by more than a tolerance.

    Parameters
    ----------
    comparison : Comparison
    tolerance : float, default 0.01
        Largest |b - a| / |a| that counts as equal, 0 or more.
    metric : str, default "loss"
        The loss, or a metric that both runs report.

    Raises
    ------
    FpdriftError
        If `comparison` is not a Comparison, or the tolerance or the metric is invalid.
    """
    check_comparison(comparison)
    tolerance = _tolerance(tolerance)
    check_choice("metric", metric, ("loss", *comparison.metrics))
    steps = comparison.recorded_steps
    pair = comparison.loss if metric == "loss" else comparison.metrics[metric]
    found = zip(pair, comparison.non_finite, strict=True)
    bad = np.any([_not_finite(values, steps, first, metric) for values, first in found], axis=0)
    end = int(np.argmax(bad)) if bad.any() else len(steps)
    finite = np.isfinite(pair)
    seen = finite.all(axis=0) & (np.arange(len(steps)) < end)
    over = seen & ~_within(pair, tolerance)
    over[end : end + 1] = finite[:, end : end + 1].any(axis=0)  # finite in only one run
    return Horizon(
        metric=metric,
        tolerance=tolerance,
        step=next(iter(steps[over].tolist()), None),
        until=next(iter(steps[seen][::-1].tolist()), None),
        not_finite=next(iter(steps[end:].tolist()), None),
    )


def _within(pair: Floats, tolerance: float) -> npt.NDArray[np.bool_]:
    a, b = pair
    with np.errstate(all="ignore"):
        close: npt.NDArray[np.bool_] = np.abs(b - a) <= tolerance * np.abs(a)
    return close


def _not_finite(
    values: Floats, steps: npt.NDArray[np.int64], found: NonFinite | None, metric: str
) -> npt.NDArray[np.bool_]:
    """Return a mask of the steps at which a run's metric is infinite or NaN.

    NaN also marks a missing value: it counts as missing before the run's first non-finite number,
    and in a metric that was never reported.
    """
    infinite: npt.NDArray[np.bool_] = np.isinf(values)
    reported = found is not None and (found.name == metric or not np.isnan(values).all())
    if found is not None and reported:
        infinite |= np.isnan(values) & (steps >= max(found.step, 1))
    return infinite


def _tolerance(value: Any) -> float:
    try:
        number = (
            math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
        )
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        message = (
            f"tolerance is {short_repr(value)}; choose a finite number of at least 0, such as 0.01"
        )
        raise FpdriftError(message)
    return number


def check_comparison(value: Any) -> None:
    """Check that an argument is a Comparison.

    Raises
    ------
    FpdriftError
    """
    if not isinstance(value, Comparison):
        message = f"{short_repr(value)} is not a Comparison; pass the result of compare()"
        raise FpdriftError(message)
