"""Read every variable of a model and its optimisers: name, role and bits.

Keras numbers automatic names across the process: the first dense layer of the second model may be
``dense_3``. Here they are renumbered by their order in the model, so that the same code gives the
same names. Names chosen by the user are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fpdrift.backends import tensorflow
from fpdrift.backends.devices import device_of
from fpdrift.recorder._zero_gradient import zero_gradients
from fpdrift.records import Role, Tensor, content_hash, how_kept

_NUMBER = re.compile(r"_\d+$")
#: Keras' name for a variable without a name, such as one of Nadam's.
_UNNAMED = re.compile(r"variable_\d+")


def sublayers(model: Any) -> list[Any]:
    """Return the model and all its layers at any depth, without duplicates."""
    found: dict[int, Any] = {}
    waiting: list[Any] = [model]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, keras.layers.Layer) and id(item) not in found:
            found[id(item)] = item
            waiting.extend(vars(item).values())
    return list(found.values())


def renumber(paths: Iterable[str], classes: Collection[str]) -> list[str]:
    """Renumber automatic names in order of appearance.

    Parameters
    ----------
    paths : iterable of str
        Such as ``"dense_3/kernel"``; the last part is the variable's own name and is kept.
    classes : collection of str
        Class names whose instances may have automatic names, such as ``"BatchNormalization"``:
        ``batch_normalization`` and ``batch_normalization_7`` are automatic then.

    Returns
    -------
    list of str
        Not necessarily unique; see `unique`.
    """
    automatic = {name.replace("_", "").lower() for name in classes}
    new: dict[tuple[str, ...], str] = {}
    count: dict[tuple[str, str], int] = {}
    result = []
    for path in paths:
        parts = path.split("/")
        parent = ""
        for depth, part in enumerate(parts[:-1], 1):
            whole = tuple(parts[:depth])
            if whole not in new:
                base = _NUMBER.sub("", part)
                if base.replace("_", "").lower() in automatic:
                    number = count[parent, base] = count.get((parent, base), -1) + 1
                    new[whole] = f"{parent}{base}_{number}/" if number else f"{parent}{base}/"
                else:
                    new[whole] = f"{parent}{part}/"
            parent = new[whole]
        result.append(parent + parts[-1])
    return result


def slot_names(paths: Sequence[str], weights: Sequence[tuple[str, str]]) -> list[str]:
    """Return names of an optimiser's variables that refer to their weights.

    Parameters
    ----------
    paths : sequence of str
        Such as ``"adam/sequential_1_dense_3_kernel_momentum"``.
    weights : sequence of (str, str)
        Keras' path of every weight, and its name here.

    Returns
    -------
    list of str
        Such as ``"adam/dense/kernel/momentum"``.
    """
    longest_first = sorted(weights, key=lambda pair: -len(pair[0]))
    flat = [(path.replace("/", "_") + "_", name) for path, name in longest_first]
    result = []
    for path in paths:
        folder, _, last = path.rpartition("/")
        if _UNNAMED.fullmatch(last):  # Keras numbers these across the process as well
            last = "variable"
        for prefix, name in flat:
            if last.startswith(prefix):
                last = f"{name}/{last.removeprefix(prefix)}"
                break
        result.append(f"{folder}/{last}" if folder else last)
    return result


def unique(names: Iterable[str]) -> list[str]:
    """Append #2, #3... to repeated names."""
    count: dict[str, int] = {}
    result = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        result.append(name if count[name] == 1 else f"{name}#{count[name]}")
    return result


Arrays = list[npt.NDArray[Any]]


class State:
    """The variables of a model, its random generators and its optimisers, in a fixed order.

    Parameters
    ----------
    model : keras.Model
        A built and compiled model.
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
        #: what could not be determined, and why
        self.failures: list[str] = []
        try:
            zero = zero_gradients(model)
        except Exception as error:  # noqa: BLE001 - a user's layer may raise anything
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
        """The device of the first variable."""
        return device_of(keras.backend.backend(), self.variables[0].value)

    def kept(self, arrays: Arrays) -> dict[int, npt.NDArray[Any]]:
        """Return the values that a record stores."""
        return {i: arrays[i] for i, tensor in enumerate(self.tensors) if tensor.kept != "hash"}


def hashes(arrays: Arrays) -> npt.NDArray[np.uint64]:
    """Hash every array (tensors,); integers are converted as in `Tensor.hashed_as`."""
    alike = (a.astype(np.int64) if a.dtype.kind in "iu" else a for a in arrays)
    return np.fromiter(map(content_hash, alike), np.uint64)


def reader(variables: Sequence[Any]) -> Callable[[], Arrays]:
    """Return a function that returns the variables' values, without a copy if possible.

    Release them soon: on JAX before the next step, which may reuse their memory; elsewhere before
    the next update, which must copy values that are still referenced.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return tensorflow.reader([variable.value for variable in variables])
    if backend == "torch":
        return lambda: [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
    return lambda: [np.asarray(variable.value) for variable in variables]


def shares_safely() -> bool:
    """Return whether values stay valid during the next step: JAX may reuse their memory."""
    return str(keras.backend.backend()) != "jax"


def sync(model: Any) -> None:
    """Update a model's variables: on JAX, the training loop keeps them elsewhere."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


def optimizers(model: Any) -> list[Any]:
    """Return the model's optimiser, and any that a custom training step uses."""
    held: list[Any] = [getattr(model, "optimizer", None), *vars(model).values()]
    found = [o for o in held if isinstance(o, keras.optimizers.Optimizer)]
    return list({id(optimizer): optimizer for optimizer in found}.values())


def updates(model: Any) -> int:
    """Return an optimiser's number of updates: batches, even if gradients accumulate."""
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        return 0
    counted = [v for v in optimizer.variables if v.name == "iteration"]
    return int(counted[0] if counted else optimizer.iterations)


def averages(model: Any) -> bool:
    """Return whether the end of `fit` replaces the weights by moving averages."""
    return any(getattr(optimizer, "use_ema", False) for optimizer in optimizers(model))


def is_ready(model: Any, *, own_loop: bool) -> bool:
    """Return whether all variables exist, after building the optimiser as Keras is about to.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    own_loop : bool
        Whether the model has a custom training step, which may build optimisers differently.
    """
    if not all(layer.built for layer in sublayers(model)):
        return False
    for optimizer in optimizers(model):
        if not optimizer.built:
            if own_loop or optimizer is not model.optimizer:
                return False
            with keras.name_scope(optimizer.name, caller=optimizer):  # otherwise paths would differ
                optimizer.build(model.trainable_variables)
    return True


def _unique_variables(variables: Any) -> list[Any]:
    return list({id(variable): variable for variable in variables}.values())


def _names(model: Any, inner: list[Any], slots: list[Any]) -> list[str]:
    classes = {type(layer).__name__ for layer in sublayers(model)} | {"SeedGenerator"}
    paths = [variable.path.removeprefix(f"{model.name}/") for variable in inner]
    names = unique(renumber(paths, classes))
    pairs = [(variable.path, name) for variable, name in zip(inner, names, strict=True)]
    held = optimizers(model)
    held += [o.inner_optimizer for o in held if hasattr(o, "inner_optimizer")]
    slot_paths = renumber([v.path for v in slots], {type(o).__name__ for o in held})
    return unique(names + slot_names(slot_paths, pairs))


def _tensor(variable: Any, name: str, role: Role, zero: bool | None) -> Tensor:
    shape = tuple(int(size) for size in variable.shape)
    dtype = str(keras.backend.standardize_dtype(variable.dtype))
    size = int(np.prod(shape, dtype=np.int64))
    return Tensor(name, role, shape, dtype, how_kept(role, size, dtype), zero)
