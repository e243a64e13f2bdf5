"""Every variable of a model and its optimisers: its name, its role, its bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fpdrift.frameworks import tensorflow
from fpdrift.frameworks.placed import device_of
from fpdrift.recorder.names import renumbered, slot_names, sublayers, unique
from fpdrift.recorder.zero_gradient import zero_gradients
from fpdrift.records import Role, Tensor, content_hash, how_kept

Arrays = list[npt.NDArray[Any]]


class State:
    """The variables of a model, its random generators and its optimisers, in a fixed order.

    Parameters
    ----------
    model : keras.Model
        Built and compiled.
    """

    def __init__(self, model: Any) -> None:
        trainable = {id(variable) for variable in model.trainable_variables}
        weights = {id(variable) for variable in model.weights}
        self._inner = list(model.variables)
        slots = _unique_variables(
            variable for optimizer in optimizers(model) for variable in optimizer.variables
        )
        roles: list[Role] = [
            "weight" if id(v) in trainable else "statistic" if id(v) in weights else "seed"
            for v in self._inner
        ]
        self.variables = variables = self._inner + slots
        self.read = reader(variables)
        roles += ["slot"] * len(slots)
        #: what could not be found out, and why
        self.failures: list[str] = []
        try:
            zero = zero_gradients(model)
        except Exception as error:  # noqa: BLE001 - of layers that anybody may have written
            zero = {}
            self.failures.append(f"zero gradients: {type(error).__name__}")
        self.tensors = tuple(
            _tensor(variable, name, role, zero.get(id(variable)))
            for variable, name, role in zip(
                variables, _names(model, self._inner, slots), roles, strict=True
            )
        )

    @property
    def device(self) -> str:
        """What computes: the device that the first variable is on."""
        return device_of(keras.backend.backend(), self.variables[0].value)

    def kept(self, arrays: Arrays) -> dict[int, npt.NDArray[Any]]:
        """Pick the values that a record keeps."""
        return {i: arrays[i] for i, tensor in enumerate(self.tensors) if tensor.kept != "hash"}


def hashes(arrays: Arrays) -> npt.NDArray[np.uint64]:
    """Hash every array (tensors,); whole numbers as `Tensor.hashed_as` says."""
    alike = (a.astype(np.int64) if a.dtype.kind in "iu" else a for a in arrays)
    return np.fromiter(map(content_hash, alike), np.uint64)


def reader(variables: Sequence[Any]) -> Callable[[], Arrays]:
    """Give a function that gives variables' values, not copied where the backend allows it.

    Let go of them soon: on JAX before the next step, which may take their memory over; elsewhere
    before its update, which has to copy what is still held.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return tensorflow.reader([variable.value for variable in variables])
    if backend == "torch":
        return lambda: [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
    return lambda: [np.asarray(variable.value) for variable in variables]


def shares_safely() -> bool:
    """Tell whether values that were read outlive the next step: JAX takes their memory over."""
    return str(keras.backend.backend()) != "jax"


def sync(model: Any) -> None:
    """Bring a model's variables up to date: on JAX the training loop keeps them elsewhere."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


def optimizers(model: Any) -> list[Any]:
    """Give the optimiser, and those that a model with a training step of its own holds."""
    held: list[Any] = [getattr(model, "optimizer", None), *vars(model).values()]
    found = [o for o in held if isinstance(o, keras.optimizers.Optimizer)]
    return list({id(optimizer): optimizer for optimizer in found}.values())


def updates(model: Any) -> int:
    """Read how many updates an optimiser has done: batches, also where gradients accumulate."""
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        return 0
    counted = [v for v in optimizer.variables if v.name == "iteration"]
    return int(counted[0] if counted else optimizer.iterations)


def averages(model: Any) -> bool:
    """Tell whether the end of `fit` puts moving averages in the place of weights."""
    return any(getattr(optimizer, "use_ema", False) for optimizer in optimizers(model))


def is_ready(model: Any, *, own_loop: bool) -> bool:
    """Tell whether all variables are there, building the optimiser just as Keras is about to.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    own_loop : bool
        Whether the model trains by a step of its own, which may build optimisers otherwise.
    """
    if not all(layer.built for layer in sublayers(model)):
        return False
    for optimizer in optimizers(model):
        if not optimizer.built:
            if own_loop or optimizer is not model.optimizer:
                return False
            with keras.name_scope(optimizer.name, caller=optimizer):  # or paths would differ
                optimizer.build(model.trainable_variables)
    return True


def _unique_variables(variables: Any) -> list[Any]:
    return list({id(variable): variable for variable in variables}.values())


def _names(model: Any, inner: list[Any], slots: list[Any]) -> list[str]:
    classes = {type(layer).__name__ for layer in sublayers(model)} | {"SeedGenerator"}
    paths = [variable.path.removeprefix(f"{model.name}/") for variable in inner]
    names = unique(renumbered(paths, classes))
    pairs = [(variable.path, name) for variable, name in zip(inner, names, strict=True)]
    held = optimizers(model)
    held += [o.inner_optimizer for o in held if hasattr(o, "inner_optimizer")]
    slot_paths = renumbered([v.path for v in slots], {type(o).__name__ for o in held})
    return unique(names + slot_names(slot_paths, pairs))


def _tensor(variable: Any, name: str, role: Role, zero: bool | None) -> Tensor:
    shape = tuple(int(size) for size in variable.shape)
    dtype = str(keras.backend.standardize_dtype(variable.dtype))
    size = int(np.prod(shape, dtype=np.int64))
    return Tensor(name, role, shape, dtype, how_kept(role, size, dtype), zero)
