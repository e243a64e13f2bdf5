"""How many operations, each of which may round, one training step makes.

Counted are additions, subtractions, multiplications, divisions and roots of the textbook form of
each layer. Left out is what hardly counts: softmax and loss (a few hundred an image). Kernels may
compute a convolution otherwise, with fewer or more operations, and fused ones round less often: it
is the order of magnitude that is meant.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Operations on each element that batch normalisation sees: mean 1, variance 3, normalise 2, scale
#: and shift 2; and backwards: sums for scale and shift 3, the gradient itself 5.
_NORM = 8 + 8
#: Of Adam on each weight (Kingma and Ba, 2015, algorithm 1): first moment 3, second moment 4,
#: update 5.
_ADAM = 12
#: Rows and columns that each convolution gives, of images of 28 by 28 without padding.
_SIDES = {"conv1": 26, "conv2": 24}
#: What each normalisation sees of an image: places it has in common with the layer before it.
_BEFORE = {"norm1": "conv1", "norm2": "conv2", "norm3": "dense1"}


def operations_a_step(shapes: Mapping[str, Sequence[int]], batch: int) -> int:
    """Count the operations of forward pass, backward pass and update.

    Parameters
    ----------
    shapes : mapping
        The network's tensors, as `fpdrift.training.shapes.SHAPES`.
    batch : int
        Images.

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
            # forward and the weights' gradient, a product and a sum each; but for the first
            # layer, the gradient of what it was given as well
            total += 2 * products * (2 if layer == "conv1" else 3)
        if role == "bias":
            total += 2 * places * prod(shape)
        if role == "gamma":
            total += _NORM * batch * _SIDES.get(_BEFORE[layer], 1) ** 2 * prod(shape)
        if not role.startswith("moving_"):
            total += _ADAM * prod(shape)
    return total
