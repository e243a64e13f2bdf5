"""The quantities that a training step computes, grouped by kind, and the distances between them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fpdrift.step_debug._trace_file import TracedTensor, load, save

Mask = npt.NDArray[np.bool_]
#: Kind and name of a tensor.
Key = tuple[str, str]
#: Kind -> tensor -> values.
Kinds = dict[str, dict[str, npt.NDArray[np.float64]]]


class Side(NamedTuple):
    """A training step as one of two models or runs computes it."""

    seen: list[TracedTensor]
    #: kind and name of a tensor -> largest relative distance caused by a perturbation of one ulp
    spread: dict[Key, float]
    #: spacing at 1 of the coarsest format used in the computation
    spacing: float
    #: weight -> elements whose gradient is rounding noise, so that its sign is arbitrary
    noise: Mapping[str, Mask] = MappingProxyType({})
    #: first tensor that changes when the step is repeated from the same state; None if none does
    not_repeatable: str | None = None
    #: of a float64 step: operations in lower precision, and constants rounded to float32
    narrow: tuple[str, ...] = ()
    constants: Mapping[bytes, str] = MappingProxyType({})


def kinds_of(seen: Sequence[TracedTensor]) -> Kinds:
    """Group the tensors that a step computed: loss, gradients, and changes of each variable."""
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


def starts_of(seen: Sequence[TracedTensor], other: Sequence[TracedTensor] = ()) -> Kinds:
    """Group the tensors that a step starts from: parts of the batch, weights, other variables.

    A weight that is frozen in this step but trained in the other counts as a weight.
    """
    gradients = _gradients(seen) | _gradients(other)
    kinds: Kinds = {}
    for item in seen:
        if item.stage == "before":
            kind = item.name if item.name.startswith("batch/") else _kind(item.name, gradients)
            kinds.setdefault(kind, {})[item.name] = item.values.astype(np.float64)
    return kinds


def tensors_of(seen: Sequence[TracedTensor]) -> Kinds:
    """Group the computed tensors by stage: outputs, loss, gradients, and changes of variables."""
    before = {item.name: item.values for item in seen if item.stage == "before"}
    kinds: Kinds = {}
    for item in seen:
        if item.stage != "before" and is_float(item.values):
            values = item.values.astype(np.float64)
            added = before[item.name] if item.stage == "after" else 0.0
            kinds.setdefault(item.stage, {})[item.name] = values - added
    return kinds


def distances_by_kind(a: Kinds, b: Kinds) -> dict[str, float]:
    """Return ||a - b|| / ||a|| of each kind, over the tensors with equal shapes on both sides."""
    found = {}
    for what, ours in a.items():
        theirs = b.get(what, {})
        both = [n for n, x in ours.items() if n in theirs and theirs[n].shape == x.shape]
        flat = ([side[n].ravel() for n in both] for side in (ours, theirs))
        found[what] = relative_distance(
            *(np.concatenate(parts) if parts else np.zeros(0) for parts in flat)
        )
    return found


def distances(a: Kinds, b: Kinds, noise: Mapping[str, Mask] | None = None) -> dict[Key, float]:
    """Return the relative distance of each tensor with equal shapes on both sides.

    Parameters
    ----------
    noise : mapping of str to array, optional
        For each weight, the elements to leave out of its gradient, its update and its slots.
    """
    found = {}
    for what, ours in a.items():
        for name, values in ours.items():
            others = _counterpart(b, what, name)
            if others is not None and others.shape == values.shape:
                mask = noise_mask(name, values.shape, noise or {})
                both = ((x.ravel() if mask is None else x[~mask]) for x in (values, others))
                found[what, name] = relative_distance(*both)
    return found


def _counterpart(kinds: Kinds, what: str, name: str) -> npt.NDArray[np.float64] | None:
    """Find a tensor by name; the kind of its update changes if only one side has it frozen."""
    if what.startswith("update"):
        for kind, tensors in kinds.items():
            if kind.startswith("update") and name in tensors:
                return tensors[name]
    return kinds.get(what, {}).get(name)


def relative_distance(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """Return ||a - b|| / ||a||: 0 if both are equal, infinite if only `a` is zero.

    Two NaN, or two equal infinities, at the same place count as equal. The result is NaN if only
    one of two elements is not finite.
    """
    with np.errstate(all="ignore"):
        far, finite = np.linalg.norm(a - b), a
        if not np.isfinite(far):
            equal = (a == b) | (np.isnan(a) & np.isnan(b))
            far, finite = np.linalg.norm(np.where(equal, 0.0, a - b)), a[np.isfinite(a)]
        if far == 0 and np.array_equal(a, b, equal_nan=True):
            return 0.0
        return float(far / np.linalg.norm(finite)) if np.isfinite(far) else float("nan")


def noise_of(plain: Kinds, moved: Sequence[Kinds], margin: float) -> dict[str, Mask]:
    """Find the elements of gradients that perturbations scaled by `margin` would bring to zero."""
    found = {}
    for name, values in plain.get("gradient", {}).items():
        with np.errstate(all="ignore"):
            far = np.max([np.abs(m["gradient"][name] - values) for m in moved], axis=0)
            found[name] = (far > 0) & (margin * far >= np.abs(values))
    return found


def sign_changes(a: Kinds, b: Kinds) -> dict[str, Mask]:
    """Find the elements of gradients whose sign differs between a and b."""
    theirs = b.get("gradient", {})
    return {
        name: np.sign(values) != np.sign(theirs[name])
        for name, values in a.get("gradient", {}).items()
        if name in theirs and not np.isnan(values - theirs[name]).any()
    }


def noise_mask(name: str, shape: tuple[int, ...], noise: Mapping[str, Mask]) -> Mask | None:
    """Return the mask of noise in a weight, its gradient or its slots; None if there is none."""
    for weight, mask in noise.items():
        if mask.shape == shape and (name == weight or f"/{weight}/" in name):
            return mask if mask.any() else None
    return None


def is_float(values: npt.NDArray[Any]) -> bool:
    """Return whether an array is floating-point, including bfloat16, which NumPy does not know."""
    return values.dtype.kind == "f" or values.dtype.name == "bfloat16"


def _gradients(seen: Sequence[TracedTensor]) -> set[str]:
    return {item.name for item in seen if item.stage == "backward"}


def _kind(name: str, gradients: set[str]) -> str:
    """Return the kind of a variable: "weights", or the name of a slot or moving statistic."""
    return "weights" if name in gradients else name.rpartition("/")[2]


def write(path: Path, side: Side) -> None:
    """Write a side to a file."""
    noise = [TracedTensor("noise", name, "", mask) for name, mask in side.noise.items()]
    about = {
        # as text, since JSON has no infinity
        "spread": [[*key, repr(far)] for key, far in side.spread.items()],
        "spacing": side.spacing,
        "not_repeatable": side.not_repeatable,
        "narrow": list(side.narrow),
        "constants": {key.hex(): name for key, name in side.constants.items()},
    }
    save(path, [TracedTensor("about", json.dumps(about), "", np.zeros(0)), *noise, *side.seen])


def read(path: Path) -> Side:
    """Read a side written by `write`."""
    first, *seen = load(path)
    about = json.loads(first.name)
    return Side(
        seen=[item for item in seen if item.stage != "noise"],
        spread={(what, name): float(far) for what, name, far in about["spread"]},
        spacing=about["spacing"],
        noise={item.name: item.values for item in seen if item.stage == "noise"},
        not_repeatable=about["not_repeatable"],
        narrow=tuple(about["narrow"]),
        constants={bytes.fromhex(key): name for key, name in about["constants"].items()},
    )
