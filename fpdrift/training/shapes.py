"""The networks' tensors as a table, so that their weights can be had without Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.training.networks import (
    CLASSES,
    DENSE,
    extra_numbers,
    initial_weights,
    network_of,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NORM = ("gamma", "beta", "moving_mean", "moving_variance")

#: Side of an image after two convolutions of 3 x 3 without a margin, and a pooling.
_POOLED = 12


def shapes_of(network: str) -> dict[str, tuple[int, ...]]:
    """Give every tensor of a network in the order of Keras' `model.weights`.

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
            shapes |= {f"{norm}/{name}": kernel[-1:] for name in _NORM}
    return shapes


#: The tensors of the answer's network, and of the question's.
SHAPES = shapes_of("answer")


def starting_weights(network: str, seed: int) -> dict[str, npt.NDArray[np.float32]]:
    """Give the trainable weights that a network starts from.

    Parameters
    ----------
    network : str
        One of `fpdrift.training.networks.NETWORKS`.
    seed : int

    Returns
    -------
    dict of str to numpy.ndarray of float32
        Name, such as ``"conv1/kernel"``, and values; no moving statistics.

    Raises
    ------
    FpdriftError
        If there is no network of that name.
    """
    weights = initial_weights(shapes_of(network), network_of(network).start, seed)
    return {name: values for name, values in weights.items() if "/moving_" not in name}
