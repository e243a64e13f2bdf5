"""One side of a step that is to be judged: taken apart, nudged by one ulp, and in float64.

How much a step amplifies one rounding is measured on the step itself, by moving every number that
it starts from by one ulp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras  # noqa: TID253 - only a process that trains gets here
import numpy as np
import numpy.typing as npt

from fpdrift.floats import format_of
from fpdrift.recorder.names import sublayers
from fpdrift.training.dumps import Seen
from fpdrift.training.instrumented import Step
from fpdrift.training.kinds import Side, distances, is_float, kinds_of, tensors_of

Array = npt.NDArray[Any]
NUDGES = 3


def side(step: Step, start: Sequence[Array], batch: Sequence[Any]) -> Side:
    """Take a step apart, then again under nudges of one ulp."""
    spacing, rng = _spacing(step.model), np.random.default_rng(1)
    plain = _take(step, start, batch)
    computed, spread = kinds_of(plain) | tensors_of(plain), dict[str, float]()
    for _ in range(NUDGES):
        moved = [_moved(values, spacing, rng) for values in start]
        shaken = keras.tree.map_structure(lambda x: _moved(np.asarray(x), spacing, rng), batch)
        other = _take(step, moved, shaken)
        for what, far in distances(computed, kinds_of(other) | tensors_of(other)).items():
            spread[what] = max(far, spread.get(what, 0.0))
    return Side(plain, spread, spacing)


def side64(make: Callable[[], Any], start: Sequence[Array], batch: Sequence[Any]) -> Side | None:
    """Do the same in float64; None if the model cannot be had in it from end to end."""
    with _double():
        try:
            wide = [_widened(values) for values in start]
            found = side(Step(make()), wide, keras.tree.map_structure(_widened, batch))
        except Exception:  # noqa: BLE001 - a stranger's model may refuse float64 in any way
            return None
    dtypes = {item.values.dtype.name for item in found.seen if is_float(item.values)}
    return found if dtypes == {"float64"} else None


def _spacing(model: Any) -> float:
    """Give the largest spacing at 1 of the dtypes that a model computes in."""
    dtypes = {layer.compute_dtype for layer in sublayers(model)}
    return max(2.0 ** (1 - format_of(dtype).precision) for dtype in dtypes if "float" in dtype)


def _take(step: Step, start: Sequence[Array], batch: Sequence[Any]) -> list[Seen]:
    step.restore(start)
    return step.take(batch)


def _moved(values: Array, spacing: float, rng: np.random.Generator) -> Array:
    """Move every number by about one ulp; zeros stay, and counters and keys do."""
    if not is_float(values):
        return values
    signs = rng.choice([-spacing, spacing], values.shape)
    return np.asarray(values.astype(np.float64) * (1 + signs), values.dtype)


def _widened(values: Any) -> Array:
    array = np.asarray(values)
    return array.astype(np.float64) if is_float(array) else array


@contextmanager
def _double() -> Iterator[None]:
    """Let Keras make everything in float64 inside the block."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
