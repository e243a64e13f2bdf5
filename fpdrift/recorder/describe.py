"""What is written down about a model beside its variables: enough to see what was trained how."""

from __future__ import annotations

from math import prod
from typing import Any

import keras

from fpdrift.recorder.state import optimizers


def describe(model: Any) -> dict[str, Any]:
    """Describe a compiled model as JSON values.

    Returns
    -------
    dict
        Backend, policy, classes of the layers in order, number of trainable parameters, loss,
        steps per execution, whether XLA compiles, and the settings of each optimiser.
    """
    return {
        "backend": keras.backend.backend(),
        "dtype_policy": str(model.dtype_policy.name),
        "layers": [type(layer).__name__ for layer in model.layers],
        "trainable_parameters": sum(prod(v.shape) for v in model.trainable_variables),
        "loss": _loss(getattr(model, "loss", None)),
        "steps_per_execution": int(model.steps_per_execution),
        "jit_compile": bool(model.jit_compile),
        "optimizers": [
            # Keras numbers the names through the process: the class is what says something
            {**_plain(o.get_config()), "name": type(o).__name__}
            for o in optimizers(model)
        ],
    }


def _loss(loss: Any) -> Any:
    if isinstance(loss, dict):
        return {str(key): _loss(item) for key, item in loss.items()}
    if isinstance(loss, list | tuple):
        return [_loss(item) for item in loss]
    if loss is None or isinstance(loss, str):
        return loss
    return getattr(loss, "__name__", type(loss).__name__)


def _plain(value: Any) -> Any:
    """Keep what JSON can hold; say of the rest what it is."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return type(value).__name__
