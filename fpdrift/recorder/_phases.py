"""Describe what changed when training resumes: optimiser, settings, frozen layers, weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.recorder._model_info import flat
from fpdrift.records import Tensor

#: Settings that follow from others.
_DERIVED = ("trainable_parameters",)
#: Number of names listed in a sentence.
_LISTED = 5


def is_same(old: Sequence[Tensor], new: Sequence[Tensor]) -> bool:
    """Return whether two lists have the same tensors, ignoring knowledge of their gradients."""
    return [_key(tensor) for tensor in old] == [_key(tensor) for tensor in new]


def changed_tensors(old: Sequence[Tensor], new: Sequence[Tensor]) -> list[str]:
    """Describe which of a model's variables were frozen, unfrozen, added or removed."""
    before = {t.name: t for t in old if t.role != "slot"}
    after = {t.name: t for t in new if t.role != "slot"}
    words = {"weight": "trained", "statistic": "frozen"}
    changes = []
    for name, tensor in after.items():
        was = before.get(name)
        if was is None:
            changes.append(f"{name}: added")
        elif was.role != tensor.role:
            changes.append(f"{name}: {words.get(was.role)} -> {words.get(tensor.role)}")
        elif (was.shape, was.dtype) != (tensor.shape, tensor.dtype):
            changes.append(f"{name}: {was.dtype} {was.shape} -> {tensor.dtype} {tensor.shape}")
    return changes + [f"{name}: removed" for name in before if name not in after]


def changed_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Describe which settings differ between two descriptions of a model."""
    kinds = [[o.get("name") for o in d.get("optimizers", [])] for d in (old, new)]
    if kinds[0] != kinds[1]:  # then all their settings differ, which is not worth listing
        first, second = (", ".join(map(str, names)) or "none" for names in kinds)
        old, new = ({k: v for k, v in d.items() if k != "optimizers"} for d in (old, new))
        return [f"optimizer: {first} -> {second}", *changed_settings(old, new)]
    before, after = flat(dict(old)), flat(dict(new))
    return [
        f"{name}: {before.get(name)} -> {after.get(name)}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name) and name not in _DERIVED
    ]


def changed_state(
    old: tuple[Sequence[Tensor], npt.NDArray[np.uint64]],
    new: tuple[Sequence[Tensor], npt.NDArray[np.uint64]],
) -> list[str]:
    """Describe which tensors have different bits than at the last recorded step."""
    before = {_key(t)[:3]: int(h) for t, h in zip(*old, strict=True)}
    moved = [t.name for t, h in zip(*new, strict=True) if before.get(_key(t)[:3], int(h)) != int(h)]
    return [f"changed between two calls of fit: {listed(moved)}"] if moved else []


def shared_state(
    old: tuple[Sequence[Tensor], npt.NDArray[np.uint64]],
    new: tuple[Sequence[Tensor], npt.NDArray[np.uint64]],
) -> list[bool]:
    """Return, for each of a model's variables that both have, whether its bits are equal."""
    kept = ("weight", "statistic")  # a file may not contain the states of random generators
    before = {_key(t)[:3]: int(h) for t, h in zip(*old, strict=True) if t.role in kept}
    return [
        before[_key(t)[:3]] == int(h) for t, h in zip(*new, strict=True) if _key(t)[:3] in before
    ]


def listed(names: Sequence[str]) -> str:
    """Return the first few names, and the number of the others."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{', '.join(names[:_LISTED])}{more}"


def _key(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.name, tensor.shape, tensor.dtype, tensor.role
