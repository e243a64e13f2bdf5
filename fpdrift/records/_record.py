"""The content of a record in memory: plain arrays, independent of the file.

A *record* is the file of one training run under one condition. Steps count the updates done, so
step 0 is the state before the first update.

The set of tensors may change during a run: another optimiser, frozen layers. Each phase declares
its own tensors. Two of them are the same tensor if name, shape, dtype and stored part agree; a
weight may be trainable in one phase and frozen in another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fpdrift.records._sketch import BUCKETS

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.provenance import Provenance

#: weight: trainable; statistic: not trainable (moving means); slot: an optimiser's variable
#: (momenta, iterations, learning rate); seed: a random generator's state
Role = Literal["weight", "statistic", "slot", "seed"]

#: whole: every value at the sketched steps; sketch: 1,024 signed sums there; hash: the hash only
Kept = Literal["whole", "sketch", "hash"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A variable of the model, or a slot of its optimiser."""

    #: such as ``"conv2d/kernel"``, or ``"adam/conv2d/kernel/momentum"``
    name: str
    role: Role
    shape: tuple[int, ...]
    dtype: str
    kept: Kept
    #: whether its true gradient is zero, so that all its changes are rounding (a bias followed by
    #: batch normalisation); None if unknown
    zero_gradient: bool | None = None

    @property
    def hashed_as(self) -> str:
        """Dtype in which the tensor is hashed: int64 for integers, otherwise its own.

        Backends count steps in int64 or int32; equal counts have equal hashes.
        """
        return "int64" if self.dtype.startswith(("int", "uint")) else self.dtype

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a run in which model, optimiser and settings do not change."""

    #: number of updates done before its first
    step: int
    #: changes from the previous phase, one sentence each; empty for the first
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Record:
    """The record of one run. Arrays are read-only."""

    #: file name, without the folder
    name: str
    #: False if the run was killed, failed or is still running
    complete: bool
    #: tensors of all phases, without duplicates; role "weight" if trainable in any of them
    tensors: tuple[Tensor, ...]
    #: recorded steps, ascending; 0 is the state before the first update (n,)
    steps: npt.NDArray[np.int64]
    #: 64-bit hash of every tensor at every step, 0 where it is not `present` (n, tensors)
    hashes: npt.NDArray[np.uint64]
    #: loss of the step, NaN where there is none, as at step 0 (n,)
    loss: npt.NDArray[np.float64]
    #: "step": the step's own loss; "execution": mean over one execution of several steps;
    #: "running mean": over the epoch so far; "none": the model reports no loss
    loss_kind: str
    #: metrics as the training loop reports them, each (n,), NaN where missing
    metrics: Mapping[str, npt.NDArray[np.float64]]
    #: steps at which values or sketches were stored, ascending (m,)
    sketch_steps: npt.NDArray[np.int64]
    #: tensor's index -> its values (m, size) or signed sums (m, 1024), NaN where it is not present
    kept: Mapping[int, npt.NDArray[np.float64]]
    #: tensor's index -> its squared 2-norm at the sketched steps (m,), in float64
    squared_norms: Mapping[int, npt.NDArray[np.float64]]
    #: step -> the model's output for the probe, first axis = sample
    predictions: Mapping[int, npt.NDArray[Any]]
    #: logs of the training loop at the end of each epoch
    epochs: tuple[Mapping[str, float], ...]
    #: all other information: condition, seed, network, data, optimiser, notes
    meta: Mapping[str, Any]
    provenance: Provenance
    #: whether the tensor was part of the model or optimiser at that step (n, tensors)
    present: npt.NDArray[np.bool_] = field(default=None)  # type: ignore[arg-type]  # see below
    #: one, or several if training continued with other weights, another optimiser or other settings
    phases: tuple[Phase, ...] = (Phase(0),)
    #: False if the state before the first recorded update was not recorded
    start_seen: bool = True
    #: first step with an infinite or NaN value, and where: "loss", or the name of a metric or
    #: tensor. See docs/record-format.md for what is checked.
    first_non_finite: tuple[int, str] | None = None
    #: 64-bit digests of what no tensor holds, each (n,), 0 where missing: "python" and "numpy", the
    #: states of their global generators after the step; "batch", the batch of the step
    digests: Mapping[str, npt.NDArray[np.uint64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.present is None:
            present = np.ones(self.hashes.shape, bool)
            present.flags.writeable = False
            object.__setattr__(self, "present", present)

    def __repr__(self) -> str:
        last = int(self.steps[-1]) if len(self.steps) else None
        state = "complete" if self.complete else "incomplete"
        return f"Record({self.name!r}, {len(self.tensors)} tensors, last step {last}, {state})"


_VARIABLES = ("weight", "statistic")


class Union:
    """The tensors of all phases without duplicates, in order of appearance."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        #: bytes of a sketched step in memory: values as float64, and a norm
        self.kept_bytes = 0
        self._places: dict[tuple[object, ...], int] = {}
        self._names: set[str] = set()

    def copy(self) -> Union:
        """Return a copy."""
        new = Union()
        new.tensors, new.kept_bytes = list(self.tensors), self.kept_bytes
        new._places, new._names = dict(self._places), set(self._names)
        return new

    def add(self, tensors: Sequence[Tensor], step: int) -> list[int]:
        """Add the tensors of a phase that begins after `step` updates.

        Returns
        -------
        list of int
            Index of each in `tensors`. If its name is taken by a tensor of another shape or dtype,
            a tensor is named ``name@step``.
        """
        places = []
        for tensor in tensors:
            key = _key(tensor)
            place = self._places.setdefault(key, len(self.tensors))
            if place == len(self.tensors):
                self._append(tensor, step)
            else:
                self.tensors[place] = _merge(self.tensors[place], tensor)
            places.append(place)
        return places

    def _append(self, tensor: Tensor, step: int) -> None:
        name = tensor.name
        while name in self._names:
            name += f"@{step}"
        self._names.add(name)
        self.tensors.append(replace(tensor, name=name) if name != tensor.name else tensor)
        if tensor.kept != "hash":
            numbers = tensor.size if tensor.kept == "whole" else BUCKETS
            self.kept_bytes += 8 * (numbers + 1)


def _key(tensor: Tensor) -> tuple[object, ...]:
    role = "variable" if tensor.role in _VARIABLES else tensor.role
    return tensor.name, role, tensor.shape, tensor.dtype, tensor.kept


def _merge(old: Tensor, new: Tensor) -> Tensor:
    """Merge a tensor of two phases: a weight if it is in either; zero gradient only if in both."""
    role = "weight" if "weight" in (old.role, new.role) else old.role
    flags = {old.zero_gradient, new.zero_gradient} - {None}
    zero = None if not flags else False not in flags
    return replace(old, role=role, zero_gradient=zero)
