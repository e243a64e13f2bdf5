"""The networks' tensors as a table, so that their weights can be had without Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.training.networks import initial_weights, network_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NORM = ("gamma", "beta", "moving_mean", "moving_variance")

#: Every tensor of both networks in the order of Keras' `model.weights`; a test compares them.
SHAPES: dict[str, tuple[int, ...]] = {
    "conv1/kernel": (3, 3, 1, 32),
    "conv1/bias": (32,),
    **{f"norm1/{name}": (32,) for name in _NORM},
    "conv2/kernel": (3, 3, 32, 32),
    "conv2/bias": (32,),
    **{f"norm2/{name}": (32,) for name in _NORM},
    "dense1/kernel": (4608, 512),
    "dense1/bias": (512,),
    **{f"norm3/{name}": (512,) for name in _NORM},
    "dense2/kernel": (512, 10),
    "dense2/bias": (10,),
}


def starting_weights(network: str, seed: int) -> dict[str, npt.NDArray[np.float32]]:
    """Give the trainable weights that a network starts from.

    Parameters
    ----------
    network : {"answer", "question"}
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
    weights = initial_weights(SHAPES, network_of(network).start, seed)
    return {name: values for name, values in weights.items() if "/moving_" not in name}
