"""A training step computed in float64 throughout, or as far as possible.

Keras builds a model in float64 if its dtype policy says so. Operations that ignore the policy, such
as a layer with its own dtype or a cast to float32, are converted in the graph that TensorFlow
traced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras  # noqa: TID253 - only a process that trains gets here
import numpy as np
import numpy.typing as npt

from fpdrift.backends import autodiff, float64_graph
from fpdrift.step_debug._quantities import is_float
from fpdrift.step_debug._trace import Step

Array = npt.NDArray[Any]


class Float64Step(Step):
    """The training step of a model that was built in float64.

    Parameters
    ----------
    model : keras.Model
    batch : sequence
        An example batch, in float64; it determines shapes and dtypes.
    """

    def __init__(self, model: Any, batch: Sequence[Any]) -> None:
        super().__init__(model)
        #: graph nodes that still compute in less than float64
        self.narrow: tuple[str, ...] = ()
        #: constants rounded to float32: bytes -> name
        self.constants: dict[bytes, str] = {}
        self._wide: float64_graph.Widened | None = None
        if keras.backend.backend() != "tensorflow":
            return
        traced = autodiff.compiled(self._step, batch, jit=bool(model.jit_compile))
        self._function = traced
        self.constants = float64_graph.rounded_constants(traced)
        if not any(t.dtype in ("float16", "bfloat16", "float32") for t in self.state.tensors):
            # Keras rounds optimiser settings in the same way in all models with float64 weights
            own = f"{model.optimizer.name}/"
            self.constants = {x: n for x, n in self.constants.items() if not n.startswith(own)}
        self.narrow = float64_graph.narrow_nodes(traced)
        if self.narrow:
            self._widen(traced, batch)

    def _widen(self, traced: Any, batch: Sequence[Any]) -> None:
        try:
            wide = float64_graph.Widened(traced, [v.value for v in self.state.variables])
            wide(*batch)
        except Exception:  # noqa: BLE001 - not every operation supports float64
            return
        self._wide, self.narrow = wide, ()

    def restore(self, arrays: Sequence[Array]) -> None:
        """Assign a value to every variable."""
        if self._wide is None:
            super().restore(arrays)
            return
        for variable, values in zip(self._wide.variables, arrays, strict=True):
            variable.assign(values)

    def read(self) -> list[Array]:
        """Return the value of every variable."""
        if self._wide is None:
            return super().read()
        return [variable.numpy() for variable in self._wide.variables]

    def _run(self, batch: Sequence[Any]) -> Any:
        if self._function is None:
            return super()._run(batch)
        return (self._wide or self._function)(*batch)


def float64_step(make: Callable[[], Any], batch: Sequence[Any]) -> Float64Step | None:
    """Return a model's step in float64; None if the model does not support it."""
    with float64_policy():
        try:
            return Float64Step(make(), to_float64(batch))
        except Exception:  # noqa: BLE001 - a user's model may fail in float64 in any way
            return None


def to_float64(batch: Any) -> Any:
    """Convert all floating-point arrays of a nested structure to float64."""
    return keras.tree.map_structure(_widened, batch)


def _widened(values: Any) -> Array:
    array = np.asarray(values)
    return array.astype(np.float64) if is_float(array) else array


@contextmanager
def float64_policy() -> Iterator[None]:
    """Make Keras build and compute everything in float64 inside the block.

    A loss object stores the default dtype of the time when it was created. It may be shared between
    models, so its dtype is overridden on the class.
    """
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    dtype = keras.losses.Loss.dtype
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    keras.losses.Loss.dtype = property(lambda _: "float64")
    try:
        yield
    finally:
        keras.losses.Loss.dtype = dtype
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
