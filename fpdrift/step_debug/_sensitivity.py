"""One side of a step that is to be judged: taken apart, repeated, and nudged by one ulp.

How much a step amplifies one rounding is measured on the step itself, by moving every number that
it starts from by one ulp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras  # noqa: TID253 - only a process that trains gets here
import numpy as np
import numpy.typing as npt

from fpdrift.floats import format_of
from fpdrift.recorder._state import sublayers
from fpdrift.step_debug._float64_step import WideStep, double, widen
from fpdrift.step_debug._quantities import Side, distances, is_float, kinds_of, noise_of, tensors_of
from fpdrift.step_debug._trace import Step
from fpdrift.step_debug._trace_file import TracedTensor, differences

Array = npt.NDArray[Any]
NUDGES = 3
#: A nudge rounds each number that a step starts from once; the step itself rounds again and again.
MARGIN = 100.0
#: Bytes of a float32.
_SINGLE = 4


def side(
    step: Step, start: Sequence[Array], batch: Sequence[Any], spacing: float | None = None
) -> Side:
    """Take a step apart, once more, then under nudges of one ulp."""
    spacing, rng = spacing or _spacing(step.model), np.random.default_rng(1)
    plain, again = (_take(step, start, batch) for _ in range(2))
    unlike = [d for d in differences(plain, again)[1] if d.stage != "before"]
    plain, moved = unscaled(plain, step.model), []
    for _ in range(NUDGES):
        from_ = [_moved(values, spacing, rng) for values in start]
        shaken = keras.tree.map_structure(lambda x: _moved(np.asarray(x), spacing, rng), batch)
        moved.append(unscaled(_take(step, from_, shaken), step.model))
    kinds, tensors = kinds_of(plain), tensors_of(plain)
    moved_kinds = [kinds_of(other) for other in moved]
    noise = noise_of(kinds, moved_kinds, MARGIN)
    spread: dict[tuple[str, str], float] = {}
    for other, other_kinds in zip(moved, moved_kinds, strict=True):
        found = distances(kinds, other_kinds, noise)
        found |= distances(tensors, tensors_of(other), noise)
        for key, far in found.items():
            spread[key] = max(far, spread.get(key, 0.0))
    unsteady = f"{unlike[0].stage} {unlike[0].name}" if unlike else None
    return Side(plain, spread, spacing, noise, unsteady)


def side64(step: WideStep | None, start: Sequence[Array], batch: Sequence[Any]) -> Side | None:
    """Do the same in float64; None if the step cannot be had in it."""
    if step is None:
        return None
    with double():
        try:
            found = side(step, [widen(values) for values in start], widen(batch), 2.0**-52)
        except Exception:  # noqa: BLE001 - a stranger's model may refuse float64 in any way
            return None
    narrow = step.narrow or tuple(
        f"{item.stage} {item.name}"
        for item in found.seen
        if is_float(item.values) and item.values.dtype.name != "float64"
    )
    return found._replace(narrow=narrow, constants=step.constants)


def unscaled(seen: Sequence[TracedTensor], model: Any) -> list[TracedTensor]:
    """Take a constant factor off the loss and its gradients, as the optimiser does before it steps.

    A half is written in float32: small gradients that the factor keeps from zero fit into it.
    """
    factor = getattr(getattr(model, "optimizer", None), "loss_scale_factor", None) or 1.0
    if factor == 1.0:
        return list(seen)

    def divided(values: Array) -> Array:
        dtype = values.dtype if values.dtype.itemsize >= _SINGLE else np.float32
        with np.errstate(all="ignore"):
            return np.asarray(values.astype(np.float64) / factor, dtype)

    return [
        item._replace(values=divided(item.values))
        if item.stage in ("loss", "backward") and is_float(item.values)
        else item
        for item in seen
    ]


def _spacing(model: Any) -> float:
    """Return the largest spacing at 1 of the dtypes that a model computes in."""
    dtypes = {layer.compute_dtype for layer in sublayers(model)}
    return max(2.0 ** (1 - format_of(dtype).precision) for dtype in dtypes if "float" in dtype)


def _take(step: Step, start: Sequence[Array], batch: Sequence[Any]) -> list[TracedTensor]:
    step.restore(start)
    return step.take(batch)


def _moved(values: Array, spacing: float, rng: np.random.Generator) -> Array:
    """Move every number by about one ulp; zeros stay, and counters and keys do."""
    if not is_float(values):
        return values
    signs = rng.choice([-spacing, spacing], values.shape)
    return np.asarray(values.astype(np.float64) * (1 + signs), values.dtype)
