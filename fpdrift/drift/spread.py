"""How far one figure spreads over several runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fpdrift.drift.reduced import Reduced


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread(Result):
    """One figure of several runs.

    The runs of one training share their data and often their start, and equal bits are one result
    and not several: so the mean has no interval here.
    """

    _computed = ("low", "high")

    #: runs whose figure is a finite number
    runs: int
    least: float
    largest: float
    mean: float
    #: with n - 1 in the denominator; NaN for one run
    standard_deviation: float

    def __repr__(self) -> str:
        return f"Spread({self.mean:.6g} +- {self.standard_deviation:.2g}, {self.runs} runs)"


def spread_of(runs: Sequence[Reduced], step: int) -> dict[str, Spread]:
    """Find the spread of every metric that all runs report, at a step that all recorded."""
    names = [name for name in runs[0].metrics if all(name in run.metrics for run in runs)]
    found = {}
    for name in names:
        values = [float(run.metrics[name][np.searchsorted(run.steps, step)]) for run in runs]
        finite = [value for value in values if math.isfinite(value)]
        if finite:
            found[name.lstrip("$")] = _spread(np.array(finite))
    return found


def _spread(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Spread:
    return Spread(
        runs=len(values),
        least=float(values.min()),
        largest=float(values.max()),
        mean=float(values.mean()),
        standard_deviation=float(values.std(ddof=1)) if len(values) > 1 else math.nan,
    )
