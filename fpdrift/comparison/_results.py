"""What `compare` returns.

What happens in the course of one run: its phases, and its first number that is not finite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fpdrift.comparison._churn import Churn
from fpdrift.comparison._verdict import SMALL_LOSS, RunVerdict, verdict_of
from fpdrift.errors import FpdriftError
from fpdrift.serialization import Result, read_only

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPhase(Result):
    """A part of a run in which model, optimiser and settings stay as they are."""

    #: updates done before its first one
    step: int
    #: what changed since the phase before, a sentence each, as the recorder wrote it down; empty
    #: for the first
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NonFinite(Result):
    """The first number of a run that is infinite or NaN, among those that were looked at."""

    #: updates done by then
    step: int
    #: whether every step before it was looked at; records of format version 1 know of some alone
    exact: bool
    #: "loss", or the name of a metric or of a tensor
    name: str

    def __str__(self) -> str:
        return f"{self.name} at step {self.step}{'' if self.exact else ' or before'}"


def phases(record: Record) -> tuple[RunPhase, ...]:
    """Return a run's phases; a run without a seam has one."""
    return tuple(RunPhase(step=phase.step, changes=phase.changes) for phase in record.phases)


def non_finite(record: Record) -> NonFinite | None:
    """Return the first number that is not finite; None if all that were looked at are."""
    if record.first_non_finite is None:
        return None
    step, name = record.first_non_finite
    exact = isinstance(record.meta.get("recorder"), dict)
    return NonFinite(step=step, name=name, exact=exact)


Start = Literal["equal", "different", "not seen", "later"]

#: A law describes how a small difference grows: of runs whose weights are farther apart than this
#: where they are first compared, none is.
FAR = 0.01
#: Runs that are farther apart after the first step than so many times what both move in the next
#: one did not get there by training: they started from different weights. How often that is right
#: stands in ``docs/starts.md``.
MOVES = 3


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
    """Where two runs diverge: the first step recorded by both at which any tensor's bits differ."""

    #: updates done by then; 0 = before the first step
    step: int
    #: the step before it that both recorded, equal in every bit; None where there is none
    last_equal: int | None
    #: all tensors that differ at that step: weights first, then statistics, slots and seeds
    tensors: tuple[TensorDifference, ...]

    def __repr__(self) -> str:
        return f"FirstDifference({self})"

    def __str__(self) -> str:
        more = f" (+{len(self.tensors) - 1})" if len(self.tensors) > 1 else ""
        return f"{self.when} in {self.tensors[0].name}{more}"

    @property
    def when(self) -> str:
        """The step in words; a difference may be older than the first step that both recorded."""
        if not self.step:
            return "before step 1"
        if self.last_equal is None:
            return f"at step {self.step}, the first that both recorded,"
        return f"at step {self.step}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison(Result):
    """Two runs, side by side in what they share; arrays are read-only.

    A distance is ||a - b|| / ||a|| over the trainable weights, in float64. It is exactly 0 where
    all their hashes are equal, infinite where a's weights are all zero and b's are not, and NaN
    where it cannot be known: a weight that differs is not finite, or only its hash was kept, or
    there is no trainable weight.

    Both runs may have tensors that the other lacks: those are named, and left out of all figures.
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
    #: fraction of the probe's predictions whose class differs at `churn_step`; None where there are
    #: no classes to compare, which `answers` explains
    churn: float | None
    #: last step at which both predicted the probe
    churn_step: int | None
    #: what else differs or is unknown: name -> (a's, b's), "unknown" where a record does not say
    differs: dict[str, tuple[Any, Any]]
    #: of each of `weights`, whether its true gradient is known to be zero; empty where no record
    #: says it of any
    zero_gradient: tuple[bool, ...] = ()
    #: how the two runs' predictions of the probe compare; None in results of older versions
    answers: Churn | None = None
    #: tensors that one run alone has, or in another shape
    only_in_a: tuple[str, ...] = ()
    only_in_b: tuple[str, ...] = ()
    #: shared tensors of two dtypes, which have no bits to compare and count as differing
    of_two_dtypes: tuple[str, ...] = ()
    #: of a and of b: whether the state before its first recorded update was seen, the first
    #: recorded step
    start_seen: tuple[bool, bool] = (True, True)
    start_steps: tuple[int, int] = (0, 0)
    #: of how many batches an update is made in a and in b; where they differ, steps count updates
    batches: tuple[int, int] = (1, 1)
    #: how far the weights of a and of b move from the first to the second of `steps`, relative to
    #: their own norm; NaN where it is not known
    first_move: tuple[float, float] = (float("nan"), float("nan"))
    #: whether both are known to make updates by one optimizer with one constant learning rate
    alike_updates: bool = False
    #: of a and of b: the dtype policy that it computes with, "" where the record does not say; and
    #: what its losses are
    policies: tuple[str, str] = ("", "")
    loss_kinds: tuple[str, str] = ("", "")
    #: distance after the first update that differs, as a share of that update's length; NaN where
    #: the weights before or after it were not kept
    update_gap: float = float("nan")
    #: of a and of b: the run's phases, and its first number that is not finite
    phases: tuple[tuple[RunPhase, ...], tuple[RunPhase, ...]] = ((), ())
    non_finite: tuple[NonFinite | None, NonFinite | None] = (None, None)

    @property
    def start(self) -> Start:
        """What is known of the states that the two runs began with.

        "equal" and "different" where both were seen at the same step, "not seen" where one of them
        was not, "later" where one run begins at a step that the other reached by training.
        """
        if not all(self.start_seen):
            return "not seen"
        if self.start_steps[0] != self.start_steps[1]:
            return "later"
        first = self.first_difference
        return "equal" if first is None or first.last_equal is not None else "different"

    @property
    def distance_at_first(self) -> float:
        """Distance at the first step that both recorded; NaN where it is not known."""
        if len(self.steps) and self.steps[0] == self.recorded_steps[0]:
            return float(self.distance[0])
        return float("nan")

    @property
    def loss_gap(self) -> float:
        """Relative difference of the losses of the first update that differs.

        NaN where the runs did not begin it from states that were recorded equal, where a loss is
        not that of one step, or is so near to zero that cancellation may have taken its digits.
        """
        first = self.first_difference
        of_one_step = set(self.loss_kinds) <= {"step", "reported"}
        if first is None or first.last_equal != first.step - 1 or not of_one_step:
            return float("nan")
        ours, others = self.loss[:, np.searchsorted(self.recorded_steps, first.step)]
        largest = max(abs(ours), abs(others))
        return float(abs(ours - others) / largest) if largest > SMALL_LOSS else float("nan")

    @property
    def verdict(self) -> RunVerdict:
        """Why the two runs differ, as far as their records show."""
        return verdict_of(self)

    @property
    def different_weights(self) -> bool:
        """Whether the runs are known to have started from different weights.

        Where the start was not seen, that follows from weights which are farther apart after the
        first step than such steps move them; it is not known of runs whose updates are not alike.
        """
        first = self.first_difference
        if first is None or first.last_equal is not None:
            return False
        if self.start == "not seen":
            after_one = self.alike_updates and int(self.recorded_steps[0]) == 1
            return after_one and self.distance_at_first > MOVES * sum(self.first_move) > 0
        return self.start == "different" and any(t.role == "weight" for t in first.tensors)

    @property
    def far_from_the_start(self) -> bool:
        """Whether the weights were far apart at the first step that both recorded."""
        return self.distance_at_first > FAR

    @property
    def re_merged(self) -> npt.NDArray[np.int64]:
        """Recorded steps, after the first difference, at which every bit is equal again."""
        if self.first_difference is None:
            return read_only([], np.int64)
        later = self.recorded_steps > self.first_difference.step
        return read_only(self.recorded_steps[later & (self.differing == 0)])

    def __repr__(self) -> str:
        if self.first_difference is None:
            first, last = self.recorded_steps[[0, -1]]
            seen = len(self.recorded_steps)
            parts = [f"no difference in {f'steps {first} to {last}' if first else f'{last} steps'}"]
            if seen < last - first + bool(first):
                parts.append(f"{seen} of them recorded")
        else:
            parts = ["start not recorded"] if self.start == "not seen" else []
            if self.different_weights and self.far_from_the_start:
                parts.append("different starting weights")
            parts += [f"first difference {self.first_difference}", *self._distances()]
            if self.churn is not None:
                parts.append(f"churn {100 * self.churn:.2g} %")
            elif self.answers is not None and self.answers.distance > 0:
                parts.append(f"predictions {self.answers.distance:.1e} apart")
        parts += [
            f"{run}: first not finite {found}"
            for run, found in zip("ab", self.non_finite, strict=True)
            if found is not None
        ]
        alone = len(self.only_a) + len(self.only_b)
        if alone:
            parts.append(f"{alone} steps recorded by one run alone")
        unshared = len(self.only_in_a) + len(self.only_in_b)
        if unshared:
            parts.append(f"{unshared} tensors in one run alone")
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
