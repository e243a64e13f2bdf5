"""One list of tensors for a run whose set of tensors changes: another optimiser, frozen layers.

Each phase declares its own tensors. Two of them are the same one where name, shape, dtype and what
is kept agree; a weight may be trainable in one phase and frozen in another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fpdrift.records.record import Tensor
from fpdrift.records.sketch import BUCKETS

_VARIABLES = ("weight", "statistic")


class Union:
    """The tensors of all phases, each once, in order of appearance."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        #: bytes that a sketched step takes in memory: float64 whatever the file holds, and a norm
        self.kept_bytes = 0
        self._places: dict[tuple[object, ...], int] = {}
        self._names: set[str] = set()

    def copy(self) -> Union:
        """Give another one of the same content."""
        new = Union()
        new.tensors, new.kept_bytes = list(self.tensors), self.kept_bytes
        new._places, new._names = dict(self._places), set(self._names)
        return new

    def add(self, tensors: Sequence[Tensor], step: int) -> list[int]:
        """Add the tensors of a phase that begins after `step` updates.

        Returns
        -------
        list of int
            Place of each in `tensors`. One whose name is taken by a tensor of another shape or
            dtype is named ``name@step``.
        """
        places = []
        for tensor in tensors:
            key = _key(tensor)
            place = self._places.setdefault(key, len(self.tensors))
            if place == len(self.tensors):
                self._append(tensor, step)
            else:
                self.tensors[place] = _merged(self.tensors[place], tensor)
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


def _merged(old: Tensor, new: Tensor) -> Tensor:
    """Give one tensor for two phases: a weight if in either; noise alone only if in both."""
    role = "weight" if "weight" in (old.role, new.role) else old.role
    flags = {old.zero_gradient, new.zero_gradient} - {None}
    zero = None if not flags else False not in flags
    return replace(old, role=role, zero_gradient=zero)
