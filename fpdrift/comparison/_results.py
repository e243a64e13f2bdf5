"""Result types of `compare`: the comparison, its first difference, and the phases of each run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fpdrift.comparison._churn import Churn
from fpdrift.comparison._verdict import SMALL_LOSS, RunVerdict, verdict_of
from fpdrift.errors import FpdriftError
from fpdrift.serialization import Result, read_only
from fpdrift.text import percent

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPhase(Result):
    """A part of a run in which model, optimiser and settings do not change."""

    #: number of updates before the phase
    step: int
    #: changes since the previous phase, one sentence each, as written by the recorder; empty for
    #: the first phase
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NonFinite(Result):
    """The first infinite or NaN value of a run, among the values that were checked."""

    #: number of updates at that point
    step: int
    #: whether all earlier steps were checked; records of format version 1 checked only some
    exact: bool
    #: "loss", or the name of a metric or of a tensor
    name: str

    def __str__(self) -> str:
        return f"{self.name} at step {self.step}{'' if self.exact else ' or before'}"


def phases(record: Record) -> tuple[RunPhase, ...]:
    """Return the phases of a run; a run without changes has one."""
    return tuple(RunPhase(step=phase.step, changes=phase.changes) for phase in record.phases)


def non_finite(record: Record) -> NonFinite | None:
    """Return the first non-finite value; None if all values that were checked are finite."""
    if record.first_non_finite is None:
        return None
    step, name = record.first_non_finite
    exact = isinstance(record.meta.get("recorder"), dict)
    return NonFinite(step=step, name=name, exact=exact)


Start = Literal["equal", "different", "not seen", "later"]

#: A growth law describes a small difference. It does not apply if the distance exceeds this where
#: the runs are first compared.
FAR = 0.01
#: If the distance after the first step exceeds this multiple of what both runs move in the next
#: step, the runs started from different weights. See ``docs/starts.md`` for the error rate.
MOVES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorDifference(Result):
    """One of the tensors that differ at the first difference."""

    name: str
    #: "weight", "statistic", "slot" or "seed"
    role: str
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        return f"TensorDifference({self.name}, {self.role}, {self.shape})"


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstDifference(Result):
    """Where two runs diverge: the first step recorded by both at which any tensor's bits differ."""

    #: number of updates at that point; 0 = before the first step
    step: int
    #: previous step that both recorded, at which all bits are equal; None if there is none
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
        """The step in words; the difference may precede the first step that both recorded."""
        if not self.step:
            return "before step 1"
        if self.last_equal is None:
            return f"at step {self.step}, the first that both recorded,"
        return f"at step {self.step}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison(Result):
    """Comparison of two runs in the tensors that they share; arrays are read-only.

    A distance is ||a - b|| / ||a|| over the trainable weights, in float64. It is exactly 0 where
    all hashes are equal, infinite where the weights of a are all zero and those of b are not, and
    NaN where it is unknown: a weight that differs is not finite, only its hash was kept, or there
    are no trainable weights.

    Tensors that only one run has are named and left out of all results.
    """

    #: names of the two records
    name_a: str
    name_b: str
    #: steps recorded by both, ascending (n,)
    recorded_steps: npt.NDArray[np.int64]
    #: steps recorded by only one of the two, which are left out below
    only_a: npt.NDArray[np.int64]
    only_b: npt.NDArray[np.int64]
    #: number of tensors whose bits differ at each of the recorded steps (n,)
    differing: npt.NDArray[np.int64]
    #: None if no bit differed at any step recorded by both
    first_difference: FirstDifference | None
    #: steps at which both kept values or sketches, ascending (m,)
    steps: npt.NDArray[np.int64]
    #: relative distance between the weights (m,)
    distance: npt.NDArray[np.float64]
    #: standard error of `distance` due to the sketches; 0 for tensors kept whole (m,)
    standard_error: npt.NDArray[np.float64]
    #: the same distance without the weights whose true gradient is zero, which move only by
    #: rounding (m,); None if no record has this information
    distance_without_zero_gradient: npt.NDArray[np.float64] | None
    #: names of the weights, the rows of `distance_by_weight`
    weights: tuple[str, ...]
    #: contribution of each weight to the distance: the squares of a column add up to the square of
    #: `distance` (weights, m)
    distance_by_weight: npt.NDArray[np.float64]
    #: losses of a and b at the recorded steps, NaN where missing (2, n)
    loss: npt.NDArray[np.float64]
    #: the metrics that both report, in the form of `loss`
    metrics: dict[str, npt.NDArray[np.float64]]
    #: fraction of the probe's predictions whose class differs at `churn_step`; None if there are no
    #: classes to compare, for the reason in `answers`
    churn: float | None
    #: last step at which both predicted the probe
    churn_step: int | None
    #: other settings that differ or are unknown: name -> (value of a, value of b); "unknown" if a
    #: record does not contain it
    differs: dict[str, tuple[Any, Any]]
    #: for each of `weights`, whether its true gradient is known to be zero; empty if no record has
    #: this information
    zero_gradient: tuple[bool, ...] = ()
    #: comparison of the predictions on the probe; None in results of older versions
    answers: Churn | None = None
    #: tensors that only one run has, or whose shapes differ
    only_in_a: tuple[str, ...] = ()
    only_in_b: tuple[str, ...] = ()
    #: shared tensors whose dtypes differ; they count as different, since bits cannot be compared
    of_two_dtypes: tuple[str, ...] = ()
    #: for a and b: whether the state before the first recorded update was recorded, and the first
    #: recorded step
    start_seen: tuple[bool, bool] = (True, True)
    start_steps: tuple[int, int] = (0, 0)
    #: number of batches per update in a and b; if they differ, steps count updates
    batches: tuple[int, int] = (1, 1)
    #: distance that the weights of a and b move between the first two of `steps`, relative to their
    #: own norm; NaN if unknown
    first_move: tuple[float, float] = (float("nan"), float("nan"))
    #: whether both are known to use the same optimizer with the same constant learning rate
    alike_updates: bool = False
    #: of a and of b: the dtype policy that it computes with, "" where the record does not say; and
    #: what its losses are
    policies: tuple[str, str] = ("", "")
    loss_kinds: tuple[str, str] = ("", "")
    #: distance after the first update that differs, as a share of that update's length; NaN where
    #: the weights before or after it were not kept
    update_gap: float = float("nan")
    #: for a and b: phases of the run, and its first non-finite value
    phases: tuple[tuple[RunPhase, ...], tuple[RunPhase, ...]] = ((), ())
    non_finite: tuple[NonFinite | None, NonFinite | None] = (None, None)
    #: whether the digests of what no tensor holds are equal at the recorded steps, each (n,): 1 if
    #: they are, 0 if not, NaN where one run has none. "python" and "numpy": the states of their
    #: global generators after the step; "batch": the batch of the step
    same_digests: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    @property
    def start(self) -> Start:
        """What is known about the starting states of the two runs.

        "equal" or "different" if both were recorded at the same step, "not seen" if one of them was
        not recorded, "later" if one run starts at a step that the other reached by training.
        """
        if not all(self.start_seen):
            return "not seen"
        if self.start_steps[0] != self.start_steps[1]:
            return "later"
        first = self.first_difference
        return "equal" if first is None or first.last_equal is not None else "different"

    @property
    def distance_at_first(self) -> float:
        """Distance at the first step that both recorded; NaN if unknown."""
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

    def digests_differ_from(self, name: str, last: int | None = None) -> int | None:
        """Return the first recorded step, up to `last`, at which two digests differ; or None."""
        same = self.same_digests.get(name, np.empty(0))
        steps = self.recorded_steps[: len(same)][same == 0]
        found = steps if last is None else steps[steps <= last]
        return int(found[0]) if len(found) else None

    def digest_is_equal(self, name: str, step: int) -> bool:
        """Return whether two digests are known to be equal at a recorded step."""
        row = np.searchsorted(self.recorded_steps, step)
        return name in self.same_digests and bool(self.same_digests[name][row] == 1)

    @property
    def verdict(self) -> RunVerdict:
        """Why the two runs differ, as far as their records show."""
        return verdict_of(self)

    @property
    def different_weights(self) -> bool:
        """Whether the runs are known to have started from different weights.

        If the start was not recorded, this is inferred from a distance after the first step that is
        larger than such steps move the weights; it is unknown if the updates are not alike.
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
                parts.append(f"churn {percent(self.churn)} %")
            elif self.answers is not None and self.answers.distance > 0:
                parts.append(f"relative distance of predictions {self.answers.distance:.1e}")
        parts += [
            f"{run}: first non-finite value in {found}"
            for run, found in zip("ab", self.non_finite, strict=True)
            if found is not None
        ]
        alone = len(self.only_a) + len(self.only_b)
        if alone:
            parts.append(f"{alone} steps recorded by only one run")
        unshared = len(self.only_in_a) + len(self.only_in_b)
        if unshared:
            parts.append(f"{unshared} tensors in only one run")
        return f"Comparison({', '.join(parts)})"

    def _distances(self) -> list[str]:
        """Return the first non-zero and the last distance, as text."""
        ends = [*np.flatnonzero(self.distance)[:1], len(self.steps) - 1]
        shown = dict.fromkeys(
            f"{self.distance[i]:.1e} at step {self.steps[i]}" for i in ends if i >= 0
        )
        return [f"distance {' -> '.join(shown)}"] if shown else []


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparisons(Result):
    """Several labelled comparisons.

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
                "pass one label per comparison"
            )
            raise FpdriftError(message)

    def __repr__(self) -> str:
        pairs = zip(self.labels, self.comparisons, strict=True)
        return f"Comparisons({', '.join(f'{label}: {pair!r}' for label, pair in pairs)})"
