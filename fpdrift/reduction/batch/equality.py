"""Which results of one computation have equal bits, and how far the others are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import ulp_distance
from fpdrift.results import Result, read_only


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Equality(Result):
    """Several results of one computation, each compared with each."""

    #: what each result is called
    labels: tuple[str, ...]
    #: how many numbers one result holds
    elements: int
    #: (labels,) class of each result: equal numbers mean equal bits; counted from 0 as they appear
    classes: tuple[int, ...]
    #: (labels, labels) largest distance of two elements that belong together, in ulps
    ulps: npt.NDArray[np.uint64]
    #: (labels, labels) how many elements differ in their bits
    differing: npt.NDArray[np.int64]
    #: (labels, labels) largest difference of two elements over the largest element: what the ulps
    #: of elements near zero, which cancellation makes many, do not tell
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
        """Largest distance between any two."""
        return int(self.ulps.max(initial=0))

    def __repr__(self) -> str:
        return (
            f"Equality({len(self.labels)} results of {self.elements} elements: "
            f"{len(set(self.classes))} classes, at most {self.most_ulps} ulps apart)"
        )


def equality(labels: Sequence[str], outcomes: Sequence[npt.NDArray[Any]]) -> Equality:
    """Compare results with each other.

    Parameters
    ----------
    labels : sequence of str
    outcomes : sequence of numpy.ndarray
        As many, of one shape and one floating-point dtype, finite.

    Raises
    ------
    FpdriftError
        If shapes or dtypes differ.
    """
    for label, outcome in zip(labels, outcomes, strict=True):
        _check_alike(label, outcome, labels[0], outcomes[0])
    seen: dict[bytes, int] = {}
    classes = tuple(seen.setdefault(outcome.tobytes(), len(seen)) for outcome in outcomes)
    # Within a class there is nothing to measure: one of each class stands for all.
    numbers = np.stack([outcomes[classes.index(one)].ravel() for one in range(len(seen))])
    bits, wide = numbers.view(f"u{numbers.itemsize}"), numbers.astype(np.float64)
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


def _check_alike(label: str, outcome: npt.NDArray[Any], name: str, first: npt.NDArray[Any]) -> None:
    if (outcome.dtype, outcome.shape) != (first.dtype, first.shape):
        message = (
            f"{label} gives {outcome.dtype} of shape {outcome.shape}, {name} {first.dtype} of "
            f"shape {first.shape}; bits are compared within one dtype and shape"
        )
        raise FpdriftError(message)
