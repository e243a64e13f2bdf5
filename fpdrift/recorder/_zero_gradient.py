"""Find the biases whose true gradient is zero: those followed by batch normalisation.

Batch normalisation subtracts the batch's mean, which cancels the bias. Its computed gradient is
rounding error alone, and an optimiser such as Adam turns it into full steps.
"""

from __future__ import annotations

from typing import Any

import keras

#: Layers that add their bias to each channel of their output as their last operation.
_ADDS_BIAS = tuple(
    getattr(keras.layers, name)
    for name in (
        *("Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D"),
        *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
        *("SeparableConv1D", "SeparableConv2D"),
    )
)


def zero_gradients(model: Any) -> dict[int, bool]:
    """Return which variables have a true gradient of zero.

    Parameters
    ----------
    model : keras.Model
        A built model.

    Returns
    -------
    dict of int to bool
        ``id(variable)`` -> whether its gradient is zero, for the layers of functional and
        sequential models; variables for which it is unknown are left out.
    """
    if isinstance(model, keras.Sequential):
        return _in_order(model.layers)
    calls = _calls(model)
    if calls is None or any(len(calls_of_layer) > 1 for calls_of_layer in calls.values()):
        return {}  # `layer.output` is the output of the first call only
    readers = _readers(model)
    outputs = {id(tensor) for tensor in keras.tree.flatten(model.outputs)}
    known = {}
    for layer in model.layers:
        here = _is_known(layer) and {id(tensor) for tensor in keras.tree.flatten(layer.output)}
        if not here or not here & (outputs | readers.keys()):
            continue  # its content is unknown, or it was first called in another model
        known.update({id(variable): False for variable in layer.trainable_variables})
        if isinstance(layer, _ADDS_BIAS) and _is_bare(layer) and not here & outputs:
            known[id(layer.bias)] = all(
                _removes_mean(reader, layer) and not _inference(calls[reader.name])
                for reader in readers[id(layer.output)]
            )
    return known


def _in_order(layers: list[Any]) -> dict[int, bool]:
    """Return the same for a sequence of layers, even if the model was loaded from a file."""
    known: dict[int, bool] = {}
    for layer, reader in zip(layers, [*layers[1:], None], strict=True):
        if not _is_known(layer):
            continue
        known.update({id(variable): False for variable in layer.trainable_variables})
        if isinstance(layer, _ADDS_BIAS) and _is_bare(layer) and reader is not None:
            known[id(layer.bias)] = _removes_mean(reader, layer)
    return known


def _is_known(layer: Any) -> bool:
    return type(layer).__module__.startswith("keras.") and not hasattr(layer, "layers")


def _calls(model: Any) -> dict[str, list[dict[str, Any]]] | None:
    """Return the keyword arguments of each call of each layer; None without a graph."""
    if not getattr(model, "outputs", None):
        return None
    try:
        return {
            layer["name"]: [node["kwargs"] for node in layer["inbound_nodes"]]
            for layer in model.get_config()["layers"]
        }
    except Exception:  # noqa: BLE001 - get_config of a user's layer may raise anything
        return None


def _readers(model: Any) -> dict[int, list[Any]]:
    """Return the layers that read each tensor."""
    readers: dict[int, list[Any]] = {}
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            for tensor in keras.tree.flatten(layer.input):
                readers.setdefault(id(tensor), []).append(layer)
    return readers


def _inference(calls: list[dict[str, Any]]) -> bool:
    """Return whether a layer was called with ``training=False``."""
    return any(keywords.get("training") not in (None, True) for keywords in calls)


def _is_bare(layer: Any) -> bool:
    """Return whether adding the bias is the last operation, and no penalty depends on it."""
    return (
        getattr(layer, "bias", None) is not None
        and layer.activation is keras.activations.linear
        and layer.bias_regularizer is None
        and layer.activity_regularizer is None
    )


def _removes_mean(reader: Any, layer: Any) -> bool:
    """Return whether a layer normalises the axis along which the bias varies."""
    if not isinstance(reader, keras.layers.BatchNormalization) or not reader.trainable:
        return False
    rank = reader.input_spec.ndim
    channels_first = getattr(layer, "data_format", None) == "channels_first"
    return bool(reader.axis % rank == (1 if channels_first else rank - 1))
