"""Results of the batch study: classes of equal bits, distances between them, and their causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import bits_of, ulp_distance
from fpdrift.reduction.batch._operations import LIBRARIES
from fpdrift.serialization import Result, read_only
from fpdrift.validation import check_choice, check_int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Equality(Result):
    """Pairwise comparison of several results of one computation."""

    #: name of each result
    labels: tuple[str, ...]
    #: number of elements in one result
    elements: int
    #: (labels,) class of each result: equal classes mean equal bits; numbered from 0 in order
    classes: tuple[int, ...]
    #: (labels, labels) largest distance in ulps between corresponding elements
    ulps: npt.NDArray[np.uint64]
    #: (labels, labels) number of elements with different bits
    differing: npt.NDArray[np.int64]
    #: (labels, labels) largest difference between two elements over the largest element; unlike
    #: ulps, it is not inflated by elements near zero
    relative: npt.NDArray[np.float64]

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The labels of each class."""
        return tuple(
            tuple(label for label, its in zip(self.labels, self.classes, strict=True) if its == one)
            for one in sorted(set(self.classes))
        )

    @property
    def most_ulps(self) -> int:
        """Largest distance in ulps between any two results."""
        return int(self.ulps.max(initial=0))

    def __repr__(self) -> str:
        return (
            f"Equality({len(self.labels)} results of {self.elements} elements: "
            f"{len(set(self.classes))} classes, distance at most {self.most_ulps} ulps)"
        )


def equality(labels: Sequence[str], outcomes: Sequence[npt.NDArray[Any]]) -> Equality:
    """Compare results with each other.

    Parameters
    ----------
    labels : sequence of str
    outcomes : sequence of numpy.ndarray
        One result per label, of one shape and one floating-point dtype, finite.

    Raises
    ------
    FpdriftError
        If shapes or dtypes differ.
    """
    for label, outcome in zip(labels, outcomes, strict=True):
        _check_comparable(label, outcome, labels[0], outcomes[0])
    seen: dict[bytes, int] = {}
    classes = tuple(seen.setdefault(outcome.tobytes(), len(seen)) for outcome in outcomes)
    # Within a class all results are equal: one of each class represents the others.
    numbers = np.stack([outcomes[classes.index(one)].ravel() for one in range(len(seen))])
    bits, wide = bits_of(numbers), numbers.astype(np.float64)
    ulps = np.array([ulp_distance(numbers, row).max(axis=1, initial=0) for row in numbers])
    differing = np.array([(bits != row).sum(axis=1) for row in bits], np.int64)
    apart = np.array([np.abs(wide - row).max(axis=1, initial=0) for row in wide])
    sizes = np.abs(wide).max(axis=1, initial=0)
    larger = np.maximum(sizes[:, None], sizes)
    pairs = np.ix_(classes, classes)
    return Equality(
        labels=tuple(labels),
        elements=numbers.shape[1],
        classes=classes,
        ulps=read_only(ulps[pairs]),
        differing=read_only(differing[pairs]),
        relative=read_only((apart / np.where(larger == 0, 1, larger))[pairs]),
    )


def _check_comparable(
    label: str, outcome: npt.NDArray[Any], name: str, first: npt.NDArray[Any]
) -> None:
    if (outcome.dtype, outcome.shape) != (first.dtype, first.shape):
        message = (
            f"{label} returned {outcome.dtype} of shape {outcome.shape}, {name} {first.dtype} of "
            f"shape {first.shape}; only equal dtypes and shapes can be compared"
        )
        raise FpdriftError(message)


_MOST_THREADS = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchCondition(Result):
    """The environment variables and thread count of a fresh process that computes a row.

    Raises
    ------
    FpdriftError
        If a value is out of its range or unknown.
    """

    name: str
    #: "numpy" or "tensorflow"
    library: str
    #: environment variables to set
    environment: dict[str, str] = field(default_factory=dict)
    #: threads inside one operation; None leaves them to the library
    threads: int | None = None

    def __post_init__(self) -> None:
        check_choice("library", self.library, LIBRARIES)
        if self.threads is not None:
            object.__setattr__(
                self, "threads", check_int("threads", self.threads, 1, _MOST_THREADS)
            )
        given = self.environment if isinstance(self.environment, dict) else {0: 0}
        if not all(isinstance(text, str) for text in (self.name, *given, *given.values())):
            values = short_repr((self.name, self.environment))
            message = f"name and environment must be strings, not {values}"
            raise FpdriftError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionReport(Result):
    """A condition, and whether it ran."""

    condition: BatchCondition
    #: why there are no results; None if there are
    reason: str | None = None
    #: what the library reported in that process, such as {"NumPy": "2.4.6", "threads": "2"}
    found: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRun(Result):
    """One operation of one library on the same row in batches of several sizes."""

    #: such as "matmul"
    operation: str
    #: "numpy" or "tensorflow"
    library: str
    #: short description of what is called, and on which shapes
    how: str
    #: (labels,) size of the batch
    batches: tuple[int, ...]
    #: (labels,) position of the row in it: "alone", "first" or "last"
    places: tuple[str, ...]
    #: comparison of the row's results, with labels such as "1", "8 first", "8 last"
    equality: Equality
    #: number of repeats of each batch; 0 in old results, which have none
    repeats: int = 0
    #: batch sizes in which a repeat of the same batch gave the row different bits
    unsteady: tuple[int, ...] = ()
    #: batch sizes in which other values of the neighbours gave the row different bits
    neighbours_matter: tuple[int, ...] = ()

    @property
    def cause(self) -> str | None:
        """What changes the row's bits; None if nothing did.

        "nondeterminism" if a repeat changed them, in which case no other cause can be named.
        "neighbours" if their values did, in which case size and position cannot be. Otherwise
        "place" if the row's position in a batch did, or "size" if the batch size alone did.
        """
        if self.unsteady:
            return "nondeterminism"
        if self.neighbours_matter:
            return "neighbours"
        if self.place_matters:
            return "place"
        return "size" if len(self.sizes) > 1 else None

    @property
    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """Batch sizes in which the row's result has the same bits, class by class.

        Sizes in which the bits depend on the row's position are in one class only if they give
        the same set of results.
        """
        found: dict[frozenset[int], list[int]] = {}
        for size, its in self._classes_of_sizes().items():
            found.setdefault(frozenset(its), []).append(size)
        return tuple(tuple(sizes) for sizes in found.values())

    @property
    def place_matters(self) -> tuple[int, ...]:
        """Batch sizes in which the bits depend on the row's position; empty if undetermined."""
        if self.unsteady or self.neighbours_matter:
            return ()
        return tuple(size for size, its in self._classes_of_sizes().items() if len(its) > 1)

    def _classes_of_sizes(self) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for size, its in zip(self.batches, self.equality.classes, strict=True):
            found.setdefault(size, set()).add(its)
        return found

    def __repr__(self) -> str:
        if self.unsteady:
            return f"BatchRun({self.library} {self.operation}: nondeterministic)"
        return (
            f"BatchRun({self.library} {self.operation}: batches "
            f"{' | '.join(' '.join(map(str, sizes)) for sizes in self.sizes)}, "
            f"at most {self.equality.most_ulps} ulps)"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchClasses(Result):
    """The same row in batches of several sizes, through several operations and libraries."""

    seed: int
    #: requested sizes
    batches: tuple[int, ...]
    #: one for each operation of each library that could run
    runs: tuple[BatchRun, ...]
    #: one report for each library, with the reason if it could not run
    reports: tuple[ConditionReport, ...]

    @property
    def skipped(self) -> dict[str, str]:
        """Reasons why libraries did not run, by name."""
        return _skipped(self.reports)

    def __repr__(self) -> str:
        return f"BatchClasses(seed={self.seed}: {', '.join(map(repr, self.runs))})"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionRun(Result):
    """One operation of one library on the same row under several conditions."""

    operation: str
    library: str
    how: str
    #: comparison of the conditions by the row's results in all batches and positions together;
    #: the labels are the conditions' names
    equality: Equality
    #: (labels,) effect of the batch sizes under each condition
    within: tuple[BatchRun, ...]

    def __repr__(self) -> str:
        classes = " | ".join(", ".join(group) for group in self.equality.groups)
        return (
            f"ConditionRun({self.library} {self.operation}: {classes}; "
            f"at most {self.equality.most_ulps} ulps)"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionMatrix(Result):
    """The same row under several conditions, each in a fresh process."""

    seed: int
    #: batch sizes computed under each condition
    batches: tuple[int, ...]
    #: one for each operation of each library that could run
    runs: tuple[ConditionRun, ...]
    #: every requested or known condition, with what was found or why it did not run
    reports: tuple[ConditionReport, ...]

    @property
    def skipped(self) -> dict[str, str]:
        """Reasons why conditions did not run, by name."""
        return _skipped(self.reports)

    def __repr__(self) -> str:
        ran = sum(report.reason is None for report in self.reports)
        return f"ConditionMatrix(seed={self.seed}: {ran} of {len(self.reports)} conditions ran)"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignmentRun(Result):
    """One function on the same numbers at several memory addresses, under several conditions."""

    #: such as "scipy.linalg.blas:dasum"
    operation: str
    #: "float32" or "float64"
    dtype: str
    #: whose process computed it: "numpy" (SciPy, too) or "tensorflow"
    library: str
    #: (conditions,) names of the kernel sets that ran
    conditions: tuple[str, ...]
    #: (addresses,) offset of the inputs from a multiple of 64, in bytes
    offsets: tuple[int, ...]
    #: (conditions, addresses) equal numbers in a row mean equal bits under that condition
    classes: tuple[tuple[int, ...], ...]
    #: (conditions,) largest distance in ulps between the results at two addresses
    ulps: tuple[int, ...]
    #: (conditions,) whether a repeat at the same address, in new memory, gave different bits
    unsteady: tuple[bool, ...]

    @property
    def distinct(self) -> tuple[int, ...]:
        """Number of distinct results over the addresses, (conditions,)."""
        return tuple(len(set(its)) for its in self.classes)

    @property
    def depends_under(self) -> tuple[str, ...]:
        """Conditions under which the bits depend on the address, and on nothing else."""
        return tuple(
            name
            for name, count, unsteady in zip(
                self.conditions, self.distinct, self.unsteady, strict=True
            )
            if count > 1 and not unsteady
        )

    def __repr__(self) -> str:
        return (
            f"AlignmentRun({self.operation} {self.dtype}: at most {max(self.distinct)} results at "
            f"{len(self.offsets)} addresses, {max(self.ulps)} ulps)"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignmentTable(Result):
    """Functions on the same numbers at several addresses, in a fresh process per kernel set."""

    seed: int
    #: one for each function and dtype that could run
    runs: tuple[AlignmentRun, ...]
    #: every requested or known kernel set, with what was found or why it did not run
    reports: tuple[ConditionReport, ...]

    @property
    def skipped(self) -> dict[str, str]:
        """Reasons why kernel sets were not tested, by name."""
        return _skipped(self.reports)

    @property
    def dependent(self) -> tuple[AlignmentRun, ...]:
        """The runs whose bits depend on the address under at least one kernel set."""
        return tuple(run for run in self.runs if run.depends_under)

    def __repr__(self) -> str:
        return (
            f"AlignmentTable(seed={self.seed}: {len(self.dependent)} of {len(self.runs)} depend "
            f"on the address)"
        )


def _skipped(reports: tuple[ConditionReport, ...]) -> dict[str, str]:
    return {
        f"{report.condition.library}: {report.condition.name}": report.reason
        for report in reports
        if report.reason is not None
    }
