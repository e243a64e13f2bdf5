"""The books of a nudge: what was meant to change, and what did."""

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

#: Slots of a histogram by size: 0 for zeros, then one a binade from float64's smallest subnormal.
SLOTS = 1 + 1074 + 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Binade(Result):
    """The meant weights w with 2**exponent <= abs(w) < 2**(exponent + 1), over all tensors."""

    exponent: int
    meant: int
    changed: int

    def __repr__(self) -> str:
        return f"Binade(2**{self.exponent}: {self.meant} meant, {self.changed} changed)"


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorNudge(Result):
    """What a nudge did to one tensor."""

    name: str
    dtype: str
    #: number of weights
    count: int
    #: infinities and NaN; noise leaves them alone
    nonfinite: int
    #: weights that were to be nudged, and those whose bits then differed
    meant: int
    changed: int
    #: largest abs(new - old), in float64
    largest_change: float
    #: weights that are exactly zero, such as biases at the start of a training
    zeros: int
    #: weights no larger than the nudge (an ulp's or a bit's nudge: the largest change), zeros too
    small: int

    @property
    def absorbed(self) -> int:
        """Weights whose nudge left no bit behind: it is below half an ulp."""
        return self.meant - self.changed

    @property
    def share_small(self) -> float:
        """Share of the weights that are no larger than the nudge, zeros included, 0 to 1."""
        return self.small / self.count if self.count else 0.0

    def __repr__(self) -> str:
        counts = f"{self.count} weights, {self.meant} meant, {self.changed} changed"
        return f"TensorNudge({self.name}, {self.dtype}: {counts})"


@dataclass(frozen=True, kw_only=True, slots=True)
class NudgeAccount(Result):
    """What a nudge did, tensor by tensor and by the size of the weights."""

    perturbation: Perturbation
    #: every tensor, in the order given
    tensors: tuple[TensorNudge, ...]
    #: binades that hold a meant weight, ascending
    binades: tuple[Binade, ...]
    #: meant weights that are zero, and so in no binade
    zeros_meant: int
    zeros_changed: int

    @property
    def count(self) -> int:
        """Weights in all tensors."""
        return sum(t.count for t in self.tensors)

    @property
    def meant(self) -> int:
        """Weights that were to be nudged."""
        return sum(t.meant for t in self.tensors)

    @property
    def changed(self) -> int:
        """Weights whose bits differ afterwards."""
        return sum(t.changed for t in self.tensors)

    @property
    def absorbed(self) -> int:
        """Weights whose nudge left no bit behind."""
        return self.meant - self.changed

    @property
    def largest_change(self) -> float:
        """Largest abs(new - old) of all weights; NaN where a bit made a NaN."""
        return float(np.max([t.largest_change for t in self.tensors], initial=0.0))

    @property
    def zeros(self) -> int:
        """Weights that are exactly zero, meant or not."""
        return sum(t.zeros for t in self.tensors)

    @property
    def small(self) -> int:
        """Weights that are no larger than the nudge, `zeros` included."""
        return sum(t.small for t in self.tensors)

    @property
    def share_small(self) -> float:
        """Share of all weights that are no larger than the nudge, zeros included, 0 to 1."""
        return self.small / self.count if self.count else 0.0

    @property
    def half_ulp_exponents(self) -> dict[str, int]:
        """By dtype, the first binade where half an ulp exceeds any nudge: all are absorbed."""
        size = self.perturbation.size
        if self.perturbation.kind != "noise" or not size:
            return {}
        formats = [FORMATS[t.dtype] for t in self.tensors if t.dtype in FORMATS]
        return {f.name: _absorbing_from(size, f) for f in formats}

    def __repr__(self) -> str:
        counts = f"{self.meant} meant: {self.changed} changed, {self.absorbed} absorbed"
        return f"NudgeAccount({self.perturbation.label}; {counts})"


def count(
    name: str,
    old: npt.NDArray[Any],
    new: npt.NDArray[Any],
    meant: npt.NDArray[Any],
    how: Perturbation,
) -> TensorNudge:
    """Count what a nudge did to one flat tensor."""
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
    """Compare by bits: a NaN equals itself, and the zeros differ."""
    whole = f"uint{8 * a.itemsize}"
    differ: npt.NDArray[np.bool] = a.view(whole) != b.view(whole)
    return differ


def by_size(old: npt.NDArray[Any], new: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Histogram of the meant (row 0) and the changed (row 1) finite weights by binade."""
    fine = np.isfinite(old)
    size = np.abs(old[fine].astype(np.float64))
    slot = np.where(size == 0, 0, np.frexp(size)[1] + 1074)
    changed = _differ(old, new)[fine]
    return np.stack([np.bincount(s, minlength=SLOTS) for s in (slot, slot[changed])])


def binades(histogram: npt.NDArray[np.int64]) -> tuple[Binade, ...]:
    """Name the slots of a histogram that `by_size` gave, but for zeros and empty ones."""
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
    """First binade whose half ulp, 2**(exponent - p), exceeds the size."""
    if size < math.ldexp(1.0, fmt.quantum):
        return fmt.quantum
    return math.frexp(size)[1] + fmt.precision
