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
    numbers = np.stack([outcome.ravel() for outcome in outcomes])
    bits = numbers.view(f"u{numbers.itemsize}")
    wide = numbers.astype(np.float64)
    largest = np.abs(wide).max(axis=1, initial=0)
    seen: dict[bytes, int] = {}
    return Equality(
        labels=tuple(labels),
        elements=bits.shape[1],
        classes=tuple(seen.setdefault(row.tobytes(), len(seen)) for row in bits),
        ulps=read_only([ulp_distance(numbers, row).max(axis=1, initial=0) for row in numbers]),
        differing=read_only([(bits != row).sum(axis=1) for row in bits], np.int64),
        relative=read_only(
            [
                np.abs(wide - row).max(axis=1, initial=0) / _nonzero(np.maximum(largest, most))
                for row, most in zip(wide, largest, strict=True)
            ]
        ),
    )


def _nonzero(sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(sizes == 0, 1.0, sizes)


def _check_alike(label: str, outcome: npt.NDArray[Any], name: str, first: npt.NDArray[Any]) -> None:
    if (outcome.dtype, outcome.shape) != (first.dtype, first.shape):
        message = (
            f"{label} gives {outcome.dtype} of shape {outcome.shape}, {name} {first.dtype} of "
            f"shape {first.shape}; bits are compared within one dtype and shape"
        )
        raise FpdriftError(message)
