"""What a training step computes, sorted into kinds, and how far two of a kind lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.training.dumps import Seen

#: Kind -> tensor -> values.
Kinds = dict[str, dict[str, npt.NDArray[np.float64]]]


class Side(NamedTuple):
    """A step as one of two computes it."""

    seen: list[Seen]
    #: largest distance that a nudge of one ulp made: of each kind, and of each tensor
    spread: dict[str, float]
    #: spacing of the coarsest numbers that are computed with, relative to 1
    spacing: float


def kinds_of(seen: Sequence[Seen]) -> Kinds:
    """Sort what a step computed: loss, gradient, and what it added to weights and the rest."""
    before = {item.name: item.values for item in seen if item.stage == "before"}
    gradients = _gradients(seen)
    kinds: Kinds = {}
    for item in seen:
        if not is_float(item.values) or item.name.endswith("learning_rate"):
            continue
        values = item.values.astype(np.float64)
        if item.stage == "loss":
            kinds.setdefault("loss", {})[item.name] = values
        elif item.stage == "backward" and item.name in before:
            kinds.setdefault("gradient", {})[item.name] = values
        elif item.stage == "after":
            kind = _kind(item.name, gradients)
            what = "update" if kind == "weights" else f"update of {kind}"
            kinds.setdefault(what, {})[item.name] = values - before[item.name]
    return kinds


def starts_of(seen: Sequence[Seen]) -> Kinds:
    """Sort what the step starts from: the batch's parts, the weights, each kind of the rest."""
    gradients = _gradients(seen)
    kinds: Kinds = {}
    for item in seen:
        if item.stage == "before":
            kind = item.name if item.name.startswith("batch/") else _kind(item.name, gradients)
            kinds.setdefault(kind, {})[item.name] = item.values.astype(np.float64)
    return kinds


def tensors_of(seen: Sequence[Seen]) -> Kinds:
    """Take each tensor as a kind of its own: outputs, loss, gradients, and what was added."""
    before = {item.name: item.values for item in seen if item.stage == "before"}
    kinds: Kinds = {}
    for item in seen:
        if item.stage != "before" and is_float(item.values):
            values = item.values.astype(np.float64)
            added = before[item.name] if item.stage == "after" else 0.0
            kinds[f"{item.stage} {item.name}"] = {"": values - added}
    return kinds


def distances(a: Kinds, b: Kinds) -> dict[str, float]:
    """Give ||a - b|| / ||a|| of each kind, over the tensors that both have in one shape.

    It is 0 where both are equal, infinite from nothing, and NaN where something is not finite.
    """
    found = {}
    for what, ours in a.items():
        theirs = b.get(what, {})
        both = [n for n, x in ours.items() if n in theirs and theirs[n].shape == x.shape]
        with np.errstate(all="ignore"):
            far = np.float64(sum(float(np.sum((ours[n] - theirs[n]) ** 2)) for n in both))
            size = np.float64(sum(float(np.sum(ours[n] ** 2)) for n in both))
            found[what] = float(np.sqrt(far / size)) if far else 0.0
    return found


def is_float(values: npt.NDArray[Any]) -> bool:
    """Tell floats from counters and keys; NumPy itself does not know bfloat16."""
    return values.dtype.kind == "f" or values.dtype.name == "bfloat16"


def _gradients(seen: Sequence[Seen]) -> set[str]:
    return {item.name for item in seen if item.stage == "backward"}


def _kind(name: str, gradients: set[str]) -> str:
    """Name what a tensor is: a weight, or a slot or moving statistic of some sort."""
    return "weights" if name in gradients else name.rpartition("/")[2]
