"""The two networks: the one of the question that fpdrift grew out of, and that of its answer.

They have the same layers and differ in how large their starting weights are. (That the answer's has
dropout, too, shows in its printed losses: only with it does a run here come out near them.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fpdrift.checks import check_choice
from fpdrift.training.chance import Purpose, hashed_bits, uniform

IMAGE = (28, 28, 1)
CLASSES = 10


@dataclass(frozen=True, slots=True)
class Network:
    """What tells one of our networks from the other."""

    #: limit of the uniform starting weights: sqrt(6 / fan_in) (He and others, 2015) or
    #: sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)
    start: Literal["he", "glorot"]


NETWORKS = {"answer": Network(start="he"), "question": Network(start="glorot")}
#: Share of the units dropped after the pooling and after the first dense layer.
DROPOUT = (0.25, 0.5)


def network_of(name: str) -> Network:
    """Look a network up.

    Raises
    ------
    FpdriftError
        If there is none of that name.
    """
    check_choice("network", name, NETWORKS)
    return NETWORKS[name]


def build(name: str, seed: int) -> Any:
    """Build a network in Keras' current dtype policy; its weights wait for `initial_weights`.

    Parameters
    ----------
    name : str
        ``"answer"`` or ``"question"``.
    seed : int
        Chooses the units that are dropped.

    Returns
    -------
    keras.Model
        Input (batch, 28, 28, 1), output (batch, 10) probabilities; 2,375,658 trainable weights
        and 1,152 moving statistics.
    """
    import keras
    from keras import layers

    from fpdrift.training.dropout import HashDropout

    # Weights that are about to be replaced need no drawing.
    blank: dict[str, Any] = {"kernel_initializer": "zeros"}
    drop = [HashDropout(rate, seed, i, name=f"dropout{i}") for i, rate in enumerate(DROPOUT, 1)]
    outputs = inputs = keras.Input(IMAGE, name="image")
    for layer in (
        layers.Conv2D(32, 3, name="conv1", **blank),
        layers.BatchNormalization(name="norm1"),
        layers.ReLU(name="relu1"),
        layers.Conv2D(32, 3, name="conv2", **blank),
        layers.BatchNormalization(name="norm2"),
        layers.ReLU(name="relu2"),
        layers.MaxPooling2D(2, name="pool"),
        drop[0],
        layers.Flatten(name="flatten"),
        layers.Dense(512, name="dense1", **blank),
        layers.BatchNormalization(name="norm3"),
        layers.ReLU(name="relu3"),
        drop[1],
        layers.Dense(CLASSES, activation="softmax", name="dense2", **blank),
    ):
        outputs = layer(outputs)
    return keras.Model(inputs, outputs, name=name)


def initial_weights(
    shapes: Mapping[str, Sequence[int]], start: Literal["he", "glorot"], seed: int
) -> dict[str, npt.NDArray[np.float32]]:
    """Draw the starting weights, the same float32 bits on every machine.

    Parameters
    ----------
    shapes : mapping
        Name of each tensor, such as ``"conv1/kernel"``, and its shape, in the model's order.
    start : {"he", "glorot"}
        Limit of the kernels' uniform distribution, see `Network`.
    seed : int

    Returns
    -------
    dict of str to numpy.ndarray of float32
        Kernels drawn, scales and variances one, the rest zero.
    """
    weights = {}
    for number, (name, shape) in enumerate(shapes.items()):
        role = name.rpartition("/")[2]
        if role == "kernel":
            bits = hashed_bits(Purpose.WEIGHTS, seed, number, count=math.prod(shape))
            weights[name] = uniform(bits, _limit(shape, start)).reshape(shape)
        else:
            value = 1 if role in ("gamma", "moving_variance") else 0
            weights[name] = np.full(shape, value, np.float32)
    return weights


def _limit(shape: Sequence[int], start: Literal["he", "glorot"]) -> float:
    """Give the largest starting weight of a kernel (..., units in, units out)."""
    window = math.prod(shape[:-2])
    fan_in, fan_out = window * shape[-2], window * shape[-1]
    return math.sqrt(6 / (fan_in if start == "he" else fan_in + fan_out))
