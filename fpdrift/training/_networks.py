"""The networks: that of the forum question, that of the forum answer, and variants.

The two have the same layers and differ in the size of their starting weights. (That the answer's
network has dropout follows from its printed losses: only with dropout does a run come close to
them.) The shapes of their tensors are also available without Keras.

`operations_a_step` counts the operations of one training step that may round: additions,
subtractions, multiplications, divisions and roots in the textbook form of each layer, without
softmax and loss (a few hundred per image). Kernels may compute a convolution differently, with more
or fewer operations, and fused ones round less often: only the order of magnitude is meaningful.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fpdrift.training._hash_rng import Purpose, hashed_bits, uniform
from fpdrift.validation import check_choice

IMAGE = (28, 28, 1)
CLASSES = 10
#: Units of the first dense layer per channel of a convolution.
DENSE = 16


@dataclass(frozen=True, slots=True)
class Network:
    """Definition of a network."""

    #: limit of the uniform starting weights: sqrt(6 / fan_in) (He and others, 2015) or
    #: sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)
    start: Literal["he", "glorot"]
    #: whether batch normalisation follows each layer but the last
    normalised: bool = True
    #: activation of each layer but the last
    activation: Literal["relu", "gelu"] = "relu"
    #: channels of each convolution; the first dense layer has 16 times as many units
    width: int = 32
    #: number of additional convolutions, which keep the size of the images
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
    """Return the network with a name.

    Raises
    ------
    FpdriftError
        If there is no such network.
    """
    check_choice("network", name, NETWORKS)
    return NETWORKS[name]


def build(name: str, seed: int) -> Any:
    """Build a network in Keras' current dtype policy; its weights are set by `initial_weights`.

    Parameters
    ----------
    name : str
        One of `NETWORKS`.
    seed : int
        Seed of dropout.

    Returns
    -------
    keras.Model
        Input (batch, 28, 28, 1), output (batch, 10) probabilities; the answer's and the
        question's have 2,375,658 trainable weights and 1,152 moving statistics.
    """
    import keras
    from keras import layers

    from fpdrift.training._hash_dropout import HashDropout

    network = network_of(name)
    # the weights are replaced later, so they need not be drawn
    blank: dict[str, Any] = {"kernel_initializer": "zeros"}
    drop = [HashDropout(rate, seed, i, name=f"dropout{i}") for i, rate in enumerate(DROPOUT, 1)]

    def bent(number: str) -> list[Any]:
        """Return the normalisation and activation after a layer."""
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
    """Return the numbers of the extra convolutions: 2_1, 2_2...; 3 is the dense layer."""
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
        Limit of the uniform distribution of kernels, see `Network`.
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
    """Return the largest starting weight of a kernel (..., units in, units out)."""
    window = math.prod(shape[:-2])
    fan_in, fan_out = window * shape[-2], window * shape[-1]
    return math.sqrt(6 / (fan_in if start == "he" else fan_in + fan_out))


_NORM_SHAPES = ("gamma", "beta", "moving_mean", "moving_variance")

#: Side of an image after two 3 x 3 convolutions without padding and a pooling.
_POOLED = 12


def shapes_of(network: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a network's tensors, in the order of Keras' `model.weights`.

    Raises
    ------
    FpdriftError
        If there is no network of that name.
    """
    of = network_of(network)
    width, units = of.width, DENSE * of.width
    kernels = {
        "conv1": (3, 3, 1, width),
        "conv2": (3, 3, width, width),
        **{f"conv{number}": (3, 3, width, width) for number in extra_numbers(of)},
        "dense1": (_POOLED**2 * width, units),
        "dense2": (units, CLASSES),
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, kernel in kernels.items():
        shapes |= {f"{layer}/kernel": kernel, f"{layer}/bias": kernel[-1:]}
        if of.normalised and layer != "dense2":
            norm = layer.replace("conv", "norm").replace("dense1", "norm3")
            shapes |= {f"{norm}/{name}": kernel[-1:] for name in _NORM_SHAPES}
    return shapes


#: Shapes of the tensors of the answer's network, and of the question's.
SHAPES = shapes_of("answer")


def starting_weights(network: str, seed: int) -> dict[str, npt.NDArray[np.float32]]:
    """Return the trainable starting weights of a network.

    Parameters
    ----------
    network : str
        One of `fpdrift.training._networks.NETWORKS`.
    seed : int

    Returns
    -------
    dict of str to numpy.ndarray of float32
        Values by name, such as ``"conv1/kernel"``; without moving statistics.

    Raises
    ------
    FpdriftError
        If there is no network of that name.
    """
    weights = initial_weights(shapes_of(network), network_of(network).start, seed)
    return {name: values for name, values in weights.items() if "/moving_" not in name}


#: Operations of batch normalisation per element: mean 1, variance 3, normalise 2, scale and shift
#: 2; backward: sums for scale and shift 3, the gradient 5.
_NORM_OPERATIONS = 8 + 8
#: Operations of Adam per weight (Kingma and Ba, 2015, algorithm 1): first moment 3, second moment
#: 4, update 5.
_ADAM = 12
#: Rows and columns of the output of each convolution, for images of 28 by 28 without padding.
_SIDES = {"conv1": 26, "conv2": 24}
#: The layer before each normalisation, which has the same output shape.
_BEFORE = {"norm1": "conv1", "norm2": "conv2", "norm3": "dense1"}


def operations_a_step(shapes: Mapping[str, Sequence[int]], batch: int) -> int:
    """Count the operations of forward pass, backward pass and update.

    Parameters
    ----------
    shapes : mapping
        Shapes of the tensors, such as `SHAPES`.
    batch : int
        Number of images.

    Returns
    -------
    int
    """
    total = 0
    for name, shape in shapes.items():
        layer, _, role = name.partition("/")
        places = batch * _SIDES.get(layer, 1) ** 2
        if role == "kernel":
            products = places * prod(shape)
            # forward pass and gradient of the weights, a product and a sum each; also the
            # gradient of the input, except in the first layer
            total += 2 * products * (2 if layer == "conv1" else 3)
        if role == "bias":
            total += 2 * places * prod(shape)
        if role == "gamma":
            total += _NORM_OPERATIONS * batch * _SIDES.get(_BEFORE[layer], 1) ** 2 * prod(shape)
        if not role.startswith("moving_"):
            total += _ADAM * prod(shape)
    return total
