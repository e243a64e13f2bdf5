"""Report of a nudge: how many weights were selected, and how many changed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fpdrift.floats import FORMATS, Format
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from fpdrift.perturbation._spec import Perturbation

#: Slots of a histogram by size: 0 for zeros, then one per binade from float64's least subnormal.
SLOTS = 1 + 1074 + 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Binade(Result):
    """The selected weights w with 2**exponent <= abs(w) < 2**(exponent + 1), over all tensors."""

    exponent: int
    meant: int
    changed: int

    def __repr__(self) -> str:
        return f"Binade(2**{self.exponent}: {self.meant} selected, {self.changed} changed)"


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorNudge(Result):
    """What a nudge did to one tensor."""

    name: str
    dtype: str
    #: number of weights
    count: int
    #: infinities and NaN, which noise does not change
    nonfinite: int
    #: weights selected for the nudge, and those whose bits changed
    meant: int
    changed: int
    #: largest abs(new - old), in float64
    largest_change: float
    #: weights that are exactly zero, such as biases at the start of training
    zeros: int
    #: weights not larger than the nudge (for an ulp or a bit: the largest change), zeros included
    small: int

    @property
    def absorbed(self) -> int:
        """Weights whose nudge rounded away, since it is smaller than half an ulp."""
        return self.meant - self.changed

    @property
    def share_small(self) -> float:
        """Share of the weights that are not larger than the nudge, zeros included, 0 to 1."""
        return self.small / self.count if self.count else 0.0

    def __repr__(self) -> str:
        counts = f"{self.count} weights, {self.meant} selected, {self.changed} changed"
        return f"TensorNudge({self.name}, {self.dtype}: {counts})"


@dataclass(frozen=True, kw_only=True, slots=True)
class NudgeAccount(Result):
    """Effect of a nudge, by tensor and by the size of the weights."""

    perturbation: Perturbation
    #: every tensor, in the order given
    tensors: tuple[TensorNudge, ...]
    #: binades that contain a selected weight, ascending
    binades: tuple[Binade, ...]
    #: selected weights that are zero and therefore in no binade
    zeros_meant: int
    zeros_changed: int

    @property
    def count(self) -> int:
        """Number of weights in all tensors."""
        return sum(t.count for t in self.tensors)

    @property
    def meant(self) -> int:
        """Number of weights selected for the nudge."""
        return sum(t.meant for t in self.tensors)

    @property
    def changed(self) -> int:
        """Number of weights whose bits changed."""
        return sum(t.changed for t in self.tensors)

    @property
    def absorbed(self) -> int:
        """Number of weights whose nudge rounded away."""
        return self.meant - self.changed

    @property
    def largest_change(self) -> float:
        """Largest abs(new - old) of all weights; NaN if a flipped bit produced NaN."""
        return float(np.max([t.largest_change for t in self.tensors], initial=0.0))

    @property
    def zeros(self) -> int:
        """Number of weights that are exactly zero, selected or not."""
        return sum(t.zeros for t in self.tensors)

    @property
    def small(self) -> int:
        """Number of weights that are not larger than the nudge, `zeros` included."""
        return sum(t.small for t in self.tensors)

    @property
    def share_small(self) -> float:
        """Share of all weights that are not larger than the nudge, zeros included, 0 to 1."""
        return self.small / self.count if self.count else 0.0

    @property
    def half_ulp_exponents(self) -> dict[str, int]:
        """For each dtype, the first binade in which half an ulp exceeds every nudge."""
        size = self.perturbation.size
        if self.perturbation.kind != "noise" or not size:
            return {}
        formats = [FORMATS[t.dtype] for t in self.tensors if t.dtype in FORMATS]
        return {f.name: _absorbing_from(size, f) for f in formats}

    def __repr__(self) -> str:
        counts = f"{self.meant} selected: {self.changed} changed, {self.absorbed} absorbed"
        return f"NudgeAccount({self.perturbation.label}; {counts})"


def count(
    name: str,
    old: npt.NDArray[Any],
    new: npt.NDArray[Any],
    meant: npt.NDArray[Any],
    how: Perturbation,
) -> TensorNudge:
    """Count the effect of a nudge on one flat tensor."""
    a, b = old[meant], new[meant]
    changed = _differ(a, b)
    with np.errstate(over="ignore", invalid="ignore"):
        change = np.abs(b.astype(np.float64) - a.astype(np.float64))[changed]
    largest = float(np.max(change, initial=0.0))
    size = how.size if how.kind == "noise" else largest
    real = old.dtype.name in FORMATS
    return TensorNudge(
        name=name,
        dtype=old.dtype.name,
        count=old.size,
        nonfinite=int(np.count_nonzero(~np.isfinite(old))) if real else 0,
        meant=meant.size,
        changed=int(np.count_nonzero(changed)),
        largest_change=largest,
        zeros=int(np.count_nonzero(old == 0)) if real else 0,
        small=int(np.count_nonzero(np.abs(old.astype(np.float64)) <= size)) if real else 0,
    )


def _differ(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.bool]:
    """Compare bits: equal NaN are equal, and zeros of different sign differ."""
    whole = f"uint{8 * a.itemsize}"
    differ: npt.NDArray[np.bool] = a.view(whole) != b.view(whole)
    return differ


def by_size(old: npt.NDArray[Any], new: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return a histogram of selected (row 0) and changed (row 1) finite weights by binade."""
    fine = np.isfinite(old)
    size = np.abs(old[fine].astype(np.float64))
    slot = np.where(size == 0, 0, np.frexp(size)[1] + 1074)
    changed = _differ(old, new)[fine]
    return np.stack([np.bincount(s, minlength=SLOTS) for s in (slot, slot[changed])])


def binades(histogram: npt.NDArray[np.int64]) -> tuple[Binade, ...]:
    """Return the non-empty binades of a histogram from `by_size`, zeros excluded."""
    return tuple(
        Binade(
            exponent=int(slot) - 1075,
            meant=int(histogram[0, slot]),
            changed=int(histogram[1, slot]),
        )
        for slot in np.flatnonzero(histogram[0])
        if slot
    )


def _absorbing_from(size: float, fmt: Format) -> int:
    """Return the first binade whose half ulp, 2**(exponent - p), exceeds the size."""
    if size < math.ldexp(1.0, fmt.quantum):
        return fmt.quantum
    return math.frexp(size)[1] + fmt.precision
