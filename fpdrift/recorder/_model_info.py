"""Describe a model as JSON values, and convert probes and logs to the recorder's types.

The description is enough to see what was trained, and how. A probe may have any structure, and
logs may hold values of any type.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import keras
import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.recorder._state import optimizers
from fpdrift.records._codec import MAX_NAME

#: Arguments of `compile` that are not described elsewhere.
_COMPILED = ("loss_weights", "metrics", "weighted_metrics", "run_eagerly", "auto_scale_loss")
_NUMBER = re.compile(r"_\d+$")
#: Parameters of a loss function that are data, not settings.
_DATA = ("y_true", "y_pred")


def describe(model: Any, held: Sequence[Any] | None = None) -> tuple[dict[str, Any], list[str]]:
    """Describe a model as JSON values, without truncation.

    Parameters
    ----------
    model : keras.Model
    held : sequence of keras.optimizers.Optimizer, optional
        The optimisers that train it; by default its own.

    Returns
    -------
    described : dict
        Backend, policy, seed, classes of the layers in order, number of trainable parameters, loss
        and its settings, arguments of `compile`, steps per execution, whether XLA compiles, the
        first output's shape and activation, and the settings of each optimiser. None for what a
        model does not provide.
    not_described : list of str
        What could not be read, and why: a user's class may raise anything.
    """
    failures: list[str] = []

    def attempt(name: str, read: Callable[[], Any]) -> Any:
        try:
            return plain(read())
        except Exception as error:  # noqa: BLE001 - a user's class may raise anything
            failures.append(f"{name}: {_why(error)}")
            return None

    parts: dict[str, Callable[[], Any]] = {
        "backend": keras.backend.backend,
        "dtype_policy": lambda: str(model.dtype_policy.name),
        "seed": _seed,
        "layers": lambda: [type(layer).__name__ for layer in model.layers],
        "trainable_parameters": lambda: sum(prod(v.shape) for v in model.trainable_variables),
        "loss": lambda: _each(getattr(model, "loss", None), _loss_name),
        "loss_config": lambda: _each(getattr(model, "loss", None), _loss_config),
        "compile": lambda: _compiled(model),
        "steps_per_execution": lambda: int(getattr(model, "steps_per_execution", 1)),
        "jit_compile": lambda: bool(getattr(model, "jit_compile", False)),
        "output": lambda: _output(model),
    }
    described = {name: attempt(name, read) for name, read in parts.items()}
    described["optimizers"] = [
        # Keras numbers the names across the process, so only the class is informative
        {**_settings(optimizer, attempt), "name": type(optimizer).__name__}
        for optimizer in (optimizers(model) if held is None else held)
    ]
    return described, failures


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Flatten nested settings to names such as ``"optimizers[0].learning_rate"``."""
    if isinstance(value, dict) and value:
        items = [(f"{name}.{key}" if name else str(key), item) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = [(f"{name}[{number}]", item) for number, item in enumerate(value)]
    else:
        return {name: value}
    return {key: found for path, item in items for key, found in flat(item, path).items()}


def plain(value: Any) -> Any:
    """Convert to JSON values; other objects become their name or class."""
    if isinstance(value, dict):
        if value.keys() >= {"module", "class_name", "config"}:  # as Keras serialises objects
            return _serialised(value["class_name"], value["config"])
        return {_text(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, keras.Variable):
        return plain(keras.ops.convert_to_numpy(value))
    return _text(getattr(value, "__name__", type(value).__name__))


def _serialised(kind: str, config: Any) -> Any:
    if not isinstance(config, dict):
        return plain(config)  # a function's name
    found = {"class_name": kind, **plain(config)}
    name = _NUMBER.sub("", str(found.get("name", "")))
    if name.replace("_", "").lower() == str(kind).lower():
        found["name"] = name  # Keras numbers these across the process
    return found


def _text(value: Any) -> str:
    """Return a text without control characters, which a record does not allow."""
    return "".join(c if c.isprintable() else " " for c in str(value))


def _why(error: BaseException) -> str:
    try:
        text = _text(error).strip()
    except Exception:  # noqa: BLE001 - an error whose text cannot be read
        text = ""
    return f"{type(error).__name__}: {short_repr(text)}" if text else type(error).__name__


def _seed() -> int | None:
    """Return the last argument of `keras.utils.set_random_seed`, which has no public getter."""
    try:
        from keras.src.utils.rng_utils import get_random_seed
    except ImportError:
        return None
    seed = get_random_seed()
    return None if seed is None else int(seed)


def _each(loss: Any, read: Callable[[Any], Any]) -> Any:
    if isinstance(loss, dict):
        return {str(key): _each(item, read) for key, item in loss.items()}
    if isinstance(loss, list | tuple):
        return [_each(item, read) for item in loss]
    return None if loss is None else read(loss)


def _loss_name(loss: Any) -> Any:
    return loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)


def _loss_config(loss: Any) -> Any:
    """Return the settings of a loss; for a function, its default arguments."""
    known = keras.losses.get(loss) if isinstance(loss, str) else loss
    if isinstance(known, keras.losses.Loss):
        # the config of some losses, such as Huber, omits their arguments
        arguments = vars(known).get("_fn_kwargs") or {}
        return {**arguments, **known.get_config(), "class_name": type(known).__name__}
    parameters = inspect.signature(known).parameters.values()
    arguments = {p.name: p.default for p in parameters if p.default is not p.empty}
    return {
        "class_name": _loss_name(known),
        **{k: v for k, v in arguments.items() if k not in _DATA},
    }


def _compiled(model: Any) -> dict[str, Any] | None:
    if not getattr(model, "compiled", False):
        return None
    arguments = model.get_compile_config() or {}
    return {name: arguments[name] for name in _COMPILED if name in arguments}


def _output(model: Any) -> dict[str, Any] | None:
    """Return shape and activation of the first output, the one that is predicted."""
    outputs = keras.tree.flatten(getattr(model, "outputs", None) or [])
    if not outputs:
        return None
    return {"shape": list(outputs[0].shape), "activation": _activation(model, outputs[0])}


def _activation(model: Any, output: Any) -> str | None:
    """Return the name of an output's activation; None if the last layer has none."""
    if isinstance(model, keras.Sequential):
        layer = model.layers[-1]
    else:
        made = [a for a in model.layers if any(b is output for b in _outputs_of(a))]
        layer = made[0] if made else _output_layer(model)
    if getattr(layer, "layers", None):
        return _activation(layer, keras.tree.flatten(layer.outputs)[0])
    activation = getattr(layer, "activation", None)
    if activation is not None:
        return str(getattr(activation, "__name__", type(activation).__name__))
    return "softmax" if isinstance(layer, keras.layers.Softmax) else None


def _output_layer(model: Any) -> Any:
    """Return the output layer by its name: a nested model has more outputs than it lists."""
    config = model.get_config() if isinstance(model, keras.Model) else {}
    names = [n for n in keras.tree.flatten(config.get("output_layers", [])) if isinstance(n, str)]
    return model.get_layer(names[0]) if names else None


def _outputs_of(layer: Any) -> list[Any]:
    try:
        return list(keras.tree.flatten(layer.output))
    except (AttributeError, ValueError):  # called several times, or never
        return []


def _settings(optimizer: Any, attempt: Callable[[str, Callable[[], Any]], Any]) -> dict[str, Any]:
    name = f"optimizer {type(optimizer).__name__}"
    found = attempt(name, optimizer.get_config)
    return found or attempt(f"{name}'s attributes", lambda: _attributes(optimizer)) or {}


def _attributes(optimizer: Any) -> dict[str, Any]:
    """Return the settings of an optimiser without a config, from its public attributes."""
    found = {
        name: plain(value)
        for name, value in sorted(vars(optimizer).items())
        if not name.startswith("_") and isinstance(value, bool | int | float | str)
    }
    schedule = vars(optimizer).get("_learning_rate")
    rate: Any = plain(schedule)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        numbers = {k: v for k, v in vars(schedule).items() if isinstance(v, bool | int | float)}
        rate = {"class_name": type(schedule).__name__, **plain(numbers)}
    return {"learning_rate": rate, **found}


#: What to do about an invalid probe.
PROBE_HINT = "pass probe=x[:256], as the model expects it"


def numbers(logs: Mapping[str, Any] | None) -> tuple[dict[str, float], list[str]]:
    """Convert reported values to floats.

    Returns
    -------
    found : dict
        Name -> number, NaN for a value that is not a number.
    unreadable : list of str
        Reported values that are left out or NaN, and why.
    """
    found, unreadable = {}, []
    for name, value in dict(logs or {}).items():
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= MAX_NAME:
            unreadable.append(f"{short_repr(name)} is not a valid name")
            continue
        try:
            found[name] = float(value)
        except Exception as error:  # noqa: BLE001 - a user's value may raise anything
            found[name] = math.nan
            unreadable.append(f"{short_repr(name)} is not a number ({type(error).__name__})")
    return found, unreadable


def probe_digest(probe: Any) -> dict[str, Any]:
    """Return the number of samples, and a digest of shapes, dtypes and bytes, of a probe."""
    digest = hashlib.blake2b(digest_size=16)
    arrays = keras.tree.flatten(probe)
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        held = array.dtype.hasobject  # their bytes would be addresses
        digest.update(repr(array.tolist()).encode() if held else array.tobytes())
    return {"samples": len(arrays[0]), "digest": digest.hexdigest()}


def as_probe(probe: Any) -> Any:
    """Convert samples to arrays.

    Raises
    ------
    FpdriftError
        If they cannot be converted, or their numbers of samples differ.
    """
    try:
        arrays = keras.tree.map_structure(np.asarray, probe)
    except (TypeError, ValueError) as error:
        message = f"the probe is not an array ({short_repr(str(error))}); {PROBE_HINT}"
        raise FpdriftError(message) from None
    shapes = [array.shape for array in keras.tree.flatten(arrays)]
    sizes = {shape[:1] for shape in shapes}
    if len(sizes) != 1 or sizes & {(), (0,)}:
        message = f"the probe's arrays have the shapes {short_repr(shapes)}; {PROBE_HINT}"
        raise FpdriftError(message)
    return arrays
