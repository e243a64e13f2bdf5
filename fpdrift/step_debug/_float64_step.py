"""A training step in float64 from end to end, or as far as that can be had.

Keras makes a model in float64 where its dtype policy says so. What does not follow it, such as a
layer with a dtype of its own or a cast to float32, is widened in the graph that TensorFlow traced.
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


class WideStep(Step):
    """The step of a model that was made in float64.

    Parameters
    ----------
    model : keras.Model
    batch : sequence
        In float64; one such as the step is done with.
    """

    def __init__(self, model: Any, batch: Sequence[Any]) -> None:
        super().__init__(model)
        #: where it computes in less than float64 all the same; names of nodes of the graph
        self.narrow: tuple[str, ...] = ()
        #: constants that were rounded to float32: bytes -> name
        self.constants: dict[bytes, str] = {}
        self._wide: float64_graph.Widened | None = None
        if keras.backend.backend() != "tensorflow":
            return
        traced = autodiff.compiled(self._step, batch, jit=bool(model.jit_compile))
        self._function = traced
        self.constants = float64_graph.rounded_constants(traced)
        if not any(t.dtype in ("float16", "bfloat16", "float32") for t in self.state.tensors):
            # Keras rounds an optimiser's settings, alike in all models whose weights are float64
            own = f"{model.optimizer.name}/"
            self.constants = {x: n for x, n in self.constants.items() if not n.startswith(own)}
        self.narrow = float64_graph.narrow_nodes(traced)
        if self.narrow:
            self._widen(traced, batch)

    def _widen(self, traced: Any, batch: Sequence[Any]) -> None:
        try:
            wide = float64_graph.Widened(traced, [v.value for v in self.state.variables])
            wide(*batch)
        except Exception:  # noqa: BLE001 - not every operation can be had in float64
            return
        self._wide, self.narrow = wide, ()

    def restore(self, arrays: Sequence[Array]) -> None:
        """Put every variable to its value."""
        if self._wide is None:
            super().restore(arrays)
            return
        for variable, values in zip(self._wide.variables, arrays, strict=True):
            variable.assign(values)

    def read(self) -> list[Array]:
        """Read every variable."""
        if self._wide is None:
            return super().read()
        return [variable.numpy() for variable in self._wide.variables]

    def _run(self, batch: Sequence[Any]) -> Any:
        if self._function is None:
            return super()._run(batch)
        return (self._wide or self._function)(*batch)


def wide_step(make: Callable[[], Any], batch: Sequence[Any]) -> WideStep | None:
    """Make a model's step in float64; None if the model cannot be had in it."""
    with double():
        try:
            return WideStep(make(), widen(batch))
        except Exception:  # noqa: BLE001 - a stranger's model may refuse float64 in any way
            return None


def widen(batch: Any) -> Any:
    """Convert every float of a structure of arrays to float64."""
    return keras.tree.map_structure(_widened, batch)


def _widened(values: Any) -> Array:
    array = np.asarray(values)
    return array.astype(np.float64) if is_float(array) else array


@contextmanager
def double() -> Iterator[None]:
    """Let Keras make and compute everything in float64 inside the block.

    A loss object keeps the dtype that was Keras' default when it was made, so a shared one is
    asked to compute in float64 by its class.
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
