"""Read every variable of a model and its optimisers: name, role and bits.

Keras numbers automatic names across the process: the first dense layer of the second model may be
``dense_3``. Here they are renumbered by their order in the model, so that the same code gives the
same names. Names chosen by the user are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
    """The variables of models, their random generators and their optimisers, in a fixed order.

    Parameters
    ----------
    models : keras.Model, or mapping of str to keras.Model
        Built models, by the prefix of their variables' names.
    held : sequence of keras.optimizers.Optimizer, optional
        The optimisers; by default those of the model.
    """

    def __init__(self, models: Any, held: Sequence[Any] | None = None) -> None:
        models = models if isinstance(models, Mapping) else {"": models}
        every = list(models.values())
        held = optimizers(every[0]) if held is None else held
        trainable = {id(variable) for model in every for variable in model.trainable_variables}
        weights = {id(variable) for model in every for variable in model.weights}
        inner = _inner_variables(models)
        self._inner = [variable for variable, _ in inner]
        slots = _unique_variables(
            variable for optimizer in held for variable in optimizer.variables
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
        zero: dict[int, bool] = {}
        for model in every:
            try:
                found = zero_gradients(model)
            except Exception as error:  # noqa: BLE001 - a user's layer may raise anything
                self.failures.append(f"zero gradients: {type(error).__name__}")
            else:  # a layer of two models has a zero gradient only if it has one in both
                zero |= {i: known and zero.get(i, True) for i, known in found.items()}
        self.tensors = tuple(
            _tensor(variable, name, role, zero.get(id(variable)))
            for variable, name, role in zip(
                variables, _names(inner, slots, held), roles, strict=True
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
    """Return the number of updates: batches, even if gradients accumulate."""
    return count_updates(getattr(model, "optimizer", None))


def count_updates(optimizer: Any) -> int:
    """Return the same for an optimiser; 0 for anything else."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        return 0
    counted = [v for v in optimizer.variables if v.name == "iteration"]
    return int(counted[0] if counted else optimizer.iterations)


def averages(model: Any) -> bool:
    """Return whether the end of `fit` replaces the weights by moving averages."""
    return any(getattr(optimizer, "use_ema", False) for optimizer in optimizers(model))


def is_built(model: Any) -> bool:
    """Return whether all variables of a model exist."""
    return all(layer.built for layer in sublayers(model))


def is_ready(model: Any, *, own_loop: bool) -> bool:
    """Return whether all variables exist, after building the optimiser as Keras is about to.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    own_loop : bool
        Whether the model has a custom training step, which may build optimisers differently.
    """
    if not is_built(model):
        return False
    compiled: Any = getattr(model, "optimizer", None)
    for optimizer in optimizers(model):
        if not optimizer.built:
            if own_loop or optimizer is not compiled:
                return False
            with keras.name_scope(optimizer.name, caller=optimizer):  # otherwise paths would differ
                optimizer.build(model.trainable_variables)
    return True


def _unique_variables(variables: Any) -> list[Any]:
    return list({id(variable): variable for variable in variables}.values())


def _inner_variables(models: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Return the variables of models, without duplicates, and their names."""
    found: dict[int, tuple[Any, str]] = {}
    for prefix, model in models.items():
        classes = {type(layer).__name__ for layer in sublayers(model)} | {"SeedGenerator"}
        paths = [variable.path.removeprefix(f"{model.name}/") for variable in model.variables]
        for variable, name in zip(model.variables, unique(renumber(paths, classes)), strict=True):
            found.setdefault(id(variable), (variable, f"{prefix}/{name}" if prefix else name))
    return list(found.values())


def _names(inner: list[tuple[Any, str]], slots: list[Any], held: Sequence[Any]) -> list[str]:
    names = [name for _, name in inner]
    pairs = [(variable.path, name) for variable, name in inner]
    every = [*held, *(o.inner_optimizer for o in held if hasattr(o, "inner_optimizer"))]
    slot_paths = renumber([v.path for v in slots], {type(o).__name__ for o in every})
    return unique(names + slot_names(slot_paths, pairs))


def _tensor(variable: Any, name: str, role: Role, zero: bool | None) -> Tensor:
    shape = tuple(int(size) for size in variable.shape)
    dtype = str(keras.backend.standardize_dtype(variable.dtype))
    size = int(np.prod(shape, dtype=np.int64))
    return Tensor(name, role, shape, dtype, how_kept(role, size, dtype), zero)
