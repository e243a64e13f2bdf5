"""Find the biases whose true gradient is zero: those in front of batch normalisation.

Batch normalisation subtracts the batch's mean, so whatever a bias adds is gone again. What is
computed as its gradient is rounding alone, and an optimiser such as Adam turns it into full steps.
"""

from __future__ import annotations

from typing import Any

import keras

#: Layers that add their bias to each channel of their output, and do nothing after it.
_ADDS_BIAS = tuple(
    getattr(keras.layers, name)
    for name in (
        *("Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D"),
        *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
        *("SeparableConv1D", "SeparableConv2D"),
    )
)


def zero_gradients(model: Any) -> dict[int, bool]:
    """Say which variables have a true gradient of zero.

    Parameters
    ----------
    model : keras.Model
        Built.

    Returns
    -------
    dict of int to bool
        ``id(variable)`` -> whether its gradient is zero, for the layers of functional and
        sequential models; variables of which nothing is known are not in it.
    """
    if not getattr(model, "outputs", None):
        return {}
    consumers = _consumers(model)
    if consumers is None:
        return {}
    known = {}
    inference = _called_for_inference(model)
    outputs = {id(tensor) for tensor in keras.tree.flatten(model.outputs)}
    for layer in model.layers:
        if not type(layer).__module__.startswith("keras.") or hasattr(layer, "layers"):
            continue  # nobody knows what is inside
        known.update({id(variable): False for variable in layer.trainable_variables})
        if not isinstance(layer, _ADDS_BIAS) or not _is_bare(layer) or id(layer.output) in outputs:
            continue
        readers = consumers.get(id(layer.output), [])
        if readers and all(_removes_mean(reader, layer, inference) for reader in readers):
            known[id(layer.bias)] = True
    return known


def _consumers(model: Any) -> dict[int, list[Any]] | None:
    """List the layers that read each tensor; None where a layer is called more than once."""
    readers: dict[int, list[Any]] = {}
    try:
        for layer in model.layers:
            if isinstance(layer, keras.layers.InputLayer):
                continue
            for tensor in keras.tree.flatten(layer.input):
                readers.setdefault(id(tensor), []).append(layer)
            keras.tree.flatten(layer.output)
    except (AttributeError, ValueError):
        return None
    return readers


def _called_for_inference(model: Any) -> set[str] | None:
    """Name the layers that were called with ``training=False``; None where that is not known."""
    if isinstance(model, keras.Sequential):
        return set()
    try:
        layers = model.get_config()["layers"]
        return {
            layer["name"]
            for layer in layers
            for node in layer["inbound_nodes"]
            if node["kwargs"].get("training") not in (None, True)
        }
    except Exception:  # noqa: BLE001 - get_config of a stranger's layer may raise anything
        return None


def _is_bare(layer: Any) -> bool:
    """Tell whether the bias is the last thing that happens, and enters no penalty."""
    return (
        getattr(layer, "bias", None) is not None
        and layer.activation is keras.activations.linear
        and layer.bias_regularizer is None
        and layer.activity_regularizer is None
    )


def _removes_mean(reader: Any, layer: Any, inference: set[str] | None) -> bool:
    """Tell whether a layer normalises the very axis along which the bias lies, in training."""
    if not isinstance(reader, keras.layers.BatchNormalization) or not reader.trainable:
        return False
    if inference is None or reader.name in inference:
        return False
    rank = len(layer.output.shape)
    channels_first = getattr(layer, "data_format", None) == "channels_first"
    return bool(reader.axis % rank == (1 if channels_first else rank - 1))
