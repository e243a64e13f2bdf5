"""The networks: that of the question that fpdrift grew out of, that of its answer, and variants.

The two have the same layers and differ in how large their starting weights are. (That the answer's
has dropout, too, shows in its printed losses: only with it does a run here come out near them.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fpdrift.checks import check_choice
from fpdrift.training.chance import Purpose, hashed_bits, uniform

IMAGE = (28, 28, 1)
CLASSES = 10
#: Units of the first dense layer for each channel of a convolution.
DENSE = 16


@dataclass(frozen=True, slots=True)
class Network:
    """What tells one of our networks from another."""

    #: limit of the uniform starting weights: sqrt(6 / fan_in) (He and others, 2015) or
    #: sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)
    start: Literal["he", "glorot"]
    #: whether batch normalisation follows each layer but the last
    normalised: bool = True
    #: Keras' name of what bends each layer but the last
    activation: Literal["relu", "gelu"] = "relu"
    #: channels of each convolution; the first dense layer has 16 times as many units
    width: int = 32
    #: how many convolutions there are besides the first two; each keeps the images' size
    extra: int = 0
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 1e-3


NETWORKS = {
    "answer": Network(start="he"),
    "question": Network(start="glorot"),
    "answer-no-norm": Network(start="he", normalised=False),
    "answer-gelu": Network(start="he", activation="gelu"),
    "answer-sgd": Network(start="he", optimizer="sgd", learning_rate=1e-2),
    "answer-slow": Network(start="he", learning_rate=1e-4),
    "answer-fast": Network(start="he", learning_rate=1e-2),
    "answer-narrow": Network(start="he", width=16),
    "answer-wide": Network(start="he", width=48),
    "answer-deep": Network(start="he", extra=2),
}
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
        One of `NETWORKS`.
    seed : int
        Chooses the units that are dropped.

    Returns
    -------
    keras.Model
        Input (batch, 28, 28, 1), output (batch, 10) probabilities; the answer's and the
        question's have 2,375,658 trainable weights and 1,152 moving statistics.
    """
    import keras
    from keras import layers

    from fpdrift.training.dropout import HashDropout

    network = network_of(name)
    # Weights that are about to be replaced need no drawing.
    blank: dict[str, Any] = {"kernel_initializer": "zeros"}
    drop = [HashDropout(rate, seed, i, name=f"dropout{i}") for i, rate in enumerate(DROPOUT, 1)]

    def bent(number: str) -> list[Any]:
        """Give what follows a layer of that number."""
        kind = network.activation
        bend = layers.ReLU if kind == "relu" else partial(layers.Activation, kind)
        norm = [layers.BatchNormalization(name=f"norm{number}")] if network.normalised else []
        return [*norm, bend(name=f"{kind}{number}")]

    outputs = inputs = keras.Input(IMAGE, name="image")
    for layer in (
        layers.Conv2D(network.width, 3, name="conv1", **blank),
        *bent("1"),
        layers.Conv2D(network.width, 3, name="conv2", **blank),
        *bent("2"),
        *chain.from_iterable(
            (
                layers.Conv2D(network.width, 3, padding="same", name=f"conv{number}", **blank),
                *bent(number),
            )
            for number in extra_numbers(network)
        ),
        layers.MaxPooling2D(2, name="pool"),
        drop[0],
        layers.Flatten(name="flatten"),
        layers.Dense(DENSE * network.width, name="dense1", **blank),
        *bent("3"),
        drop[1],
        layers.Dense(CLASSES, activation="softmax", name="dense2", **blank),
    ):
        outputs = layer(outputs)
    return keras.Model(inputs, outputs, name=name)


def extra_numbers(network: Network) -> list[str]:
    """Give the extra convolutions' numbers: 2_1, 2_2 and so on, for 3 is the dense layer's."""
    return [f"2_{i}" for i in range(1, network.extra + 1)]


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
