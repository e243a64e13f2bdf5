"""Measure a step's sensitivity to rounding: trace it, repeat it, and perturb it by one ulp.

How much a step amplifies a rounding error is measured on the step itself, by perturbing every
starting value by one ulp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras  # noqa: TID253 - only a process that trains gets here
import numpy as np
import numpy.typing as npt

from fpdrift.floats import format_of
from fpdrift.recorder._state import sublayers
from fpdrift.step_debug._float64_step import Float64Step, float64_policy, to_float64
from fpdrift.step_debug._quantities import Side, distances, is_float, kinds_of, noise_of, tensors_of
from fpdrift.step_debug._trace import Step
from fpdrift.step_debug._trace_file import TracedTensor, differences

Array = npt.NDArray[Any]
NUDGES = 3
#: Safety factor: a perturbation rounds each starting value once, but the step rounds many times.
MARGIN = 100.0
#: Bytes of a float32.
_SINGLE = 4


def measure_side(
    step: Step, start: Sequence[Array], batch: Sequence[Any], spacing: float | None = None
) -> Side:
    """Trace a step twice, then with its starting values perturbed by one ulp."""
    spacing, rng = spacing or _spacing(step.model), np.random.default_rng(1)
    plain, again = (_trace(step, start, batch) for _ in range(2))
    unlike = [d for d in differences(plain, again)[1] if d.stage != "before"]
    plain, moved = remove_loss_scale(plain, step.model), []
    for _ in range(NUDGES):
        from_ = [_perturb(values, spacing, rng) for values in start]
        shaken = keras.tree.map_structure(lambda x: _perturb(np.asarray(x), spacing, rng), batch)
        moved.append(remove_loss_scale(_trace(step, from_, shaken), step.model))
    kinds, tensors = kinds_of(plain), tensors_of(plain)
    moved_kinds = [kinds_of(other) for other in moved]
    noise = noise_of(kinds, moved_kinds, MARGIN)
    spread: dict[tuple[str, str], float] = {}
    for other, other_kinds in zip(moved, moved_kinds, strict=True):
        found = distances(kinds, other_kinds, noise)
        found |= distances(tensors, tensors_of(other), noise)
        for key, far in found.items():
            spread[key] = max(far, spread.get(key, 0.0))
    not_repeatable = f"{unlike[0].stage} {unlike[0].name}" if unlike else None
    return Side(plain, spread, spacing, noise, not_repeatable)


def measure_float64_side(
    step: Float64Step | None, start: Sequence[Array], batch: Sequence[Any]
) -> Side | None:
    """Do the same in float64; return None if the step does not support it."""
    if step is None:
        return None
    with float64_policy():
        try:
            found = measure_side(
                step, [to_float64(values) for values in start], to_float64(batch), 2.0**-52
            )
        except Exception:  # noqa: BLE001 - a user's model may fail in float64 in any way
            return None
    narrow = step.narrow or tuple(
        f"{item.stage} {item.name}"
        for item in found.seen
        if is_float(item.values) and item.values.dtype.name != "float64"
    )
    return found._replace(narrow=narrow, constants=step.constants)


def remove_loss_scale(seen: Sequence[TracedTensor], model: Any) -> list[TracedTensor]:
    """Divide the loss and its gradients by the constant loss scale, as the optimiser does.

    Half-precision values become float32, since small gradients may underflow without the scale.
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


def _trace(step: Step, start: Sequence[Array], batch: Sequence[Any]) -> list[TracedTensor]:
    step.restore(start)
    return step.trace(batch)


def _perturb(values: Array, spacing: float, rng: np.random.Generator) -> Array:
    """Perturb every number by about one ulp, except zeros, counters and keys."""
    if not is_float(values):
        return values
    signs = rng.choice([-spacing, spacing], values.shape)
    return np.asarray(values.astype(np.float64) * (1 + signs), values.dtype)
