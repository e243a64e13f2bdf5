"""What `compare` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.errors import FpdriftError
from fpdrift.results import Result, read_only

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorDifference(Result):
    """One tensor that is among the first to differ."""

    name: str
    #: "weight", "statistic", "slot" or "seed"
    role: str
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        return f"TensorDifference({self.name}, {self.role}, {self.shape})"


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstDifference(Result):
    """Where two runs part: the first step recorded by both at which any tensor's bits differ."""

    #: updates done by then; 0 = before the first step
    step: int
    #: the step before it that both recorded, equal in every bit; None where there is none
    last_equal: int | None
    #: all tensors that differ at that step: weights first, then statistics, slots and seeds
    tensors: tuple[TensorDifference, ...]

    def __repr__(self) -> str:
        return f"FirstDifference({self})"

    def __str__(self) -> str:
        when = f"at step {self.step}" if self.step else "before step 1"
        more = f" (+{len(self.tensors) - 1})" if len(self.tensors) > 1 else ""
        return f"{when} in {self.tensors[0].name}{more}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison(Result):
    """Two runs of one model, side by side; arrays are read-only.

    A distance is ||a - b|| / ||a|| over the trainable weights, in float64. It is exactly 0 where
    all their hashes are equal, infinite where a's weights are all zero and b's are not, and NaN
    where it cannot be known: a weight that differs is not finite, or only its hash was kept.
    """

    #: the two records' names
    name_a: str
    name_b: str
    #: steps recorded by both, ascending (n,)
    recorded_steps: npt.NDArray[np.int64]
    #: steps recorded by one of the two alone, left out of all that follows
    only_a: npt.NDArray[np.int64]
    only_b: npt.NDArray[np.int64]
    #: how many tensors differ in their bits at each of the recorded steps (n,)
    differing: npt.NDArray[np.int64]
    #: None if no bit differed at any step recorded by both
    first_difference: FirstDifference | None
    #: steps at which both kept values or sketches, ascending (m,)
    steps: npt.NDArray[np.int64]
    #: relative distance of the weights (m,)
    distance: npt.NDArray[np.float64]
    #: standard error of `distance`, from the sketches; exact parts add none (m,)
    standard_error: npt.NDArray[np.float64]
    #: the same distance without the weights whose true gradient is zero, so that whatever they gain
    #: is rounding (m,); None where no record says of any weight whether it is one
    distance_without_zero_gradient: npt.NDArray[np.float64] | None
    #: names of the weights, one a row of `distance_by_weight`
    weights: tuple[str, ...]
    #: each weight's part of the distance: a column's squares add up to the square of `distance`
    #: (weights, m)
    distance_by_weight: npt.NDArray[np.float64]
    #: loss of a and of b at the recorded steps, NaN where there is none (2, n)
    loss: npt.NDArray[np.float64]
    #: the metrics that both report, each as `loss`
    metrics: dict[str, npt.NDArray[np.float64]]
    #: fraction of the probe's predictions whose class differs at `churn_step`; None without a probe
    churn: float | None
    #: last step at which both predicted the probe
    churn_step: int | None
    #: what else differs or is unknown: name -> (a's, b's), "unknown" where a record does not say
    differs: dict[str, tuple[Any, Any]]
    #: of each of `weights`, whether its true gradient is known to be zero; empty where no record
    #: says it of any
    zero_gradient: tuple[bool, ...] = ()

    @property
    def re_merged(self) -> npt.NDArray[np.int64]:
        """Recorded steps, after the first difference, at which every bit is equal again."""
        if self.first_difference is None:
            return read_only([], np.int64)
        later = self.recorded_steps > self.first_difference.step
        return read_only(self.recorded_steps[later & (self.differing == 0)])

    def __repr__(self) -> str:
        if self.first_difference is None:
            seen, last = len(self.recorded_steps), self.recorded_steps[-1]
            parts = [f"no difference in {last} steps"]
            if seen < last:
                parts.append(f"{seen} of them recorded")
        else:
            parts = [f"first difference {self.first_difference}", *self._distances()]
            if self.churn is not None:
                parts.append(f"churn {100 * self.churn:.2g} %")
        alone = len(self.only_a) + len(self.only_b)
        if alone:
            parts.append(f"{alone} steps recorded by one run alone")
        return f"Comparison({', '.join(parts)})"

    def _distances(self) -> list[str]:
        """First distance that is not zero and the last one, as text."""
        ends = [*np.flatnonzero(self.distance)[:1], len(self.steps) - 1]
        shown = dict.fromkeys(
            f"{self.distance[i]:.1e} at step {self.steps[i]}" for i in ends if i >= 0
        )
        return [f"distance {' -> '.join(shown)}"] if shown else []


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparisons(Result):
    """Several comparisons with a word for each, to be seen together.

    Raises
    ------
    FpdriftError
        If there is not exactly one label for each comparison.
    """

    labels: tuple[str, ...]
    comparisons: tuple[Comparison, ...]

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.comparisons):
            message = (
                f"{len(self.labels)} labels for {len(self.comparisons)} comparisons; "
                "give one for each"
            )
            raise FpdriftError(message)

    def __repr__(self) -> str:
        pairs = zip(self.labels, self.comparisons, strict=True)
        return f"Comparisons({', '.join(f'{label}: {pair!r}' for label, pair in pairs)})"
