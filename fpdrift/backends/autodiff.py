"""The gradient of a loss, as TensorFlow and PyTorch take it: Keras has no common function for it.

A forward pass gives its loss and the tensors that were tapped on the way, and the gradient is taken
with respect to these as well. That is why JAX is not here: it differentiates a function of its
arguments, which a tapped tensor is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

#: Runs forward; gives the loss and the tapped tensors.
Forward = Callable[[], tuple[Any, list[Any]]]
#: Loss, tapped tensors, their gradients and the weights' (None where there is none).
Differentiated = tuple[Any, list[Any], list[Any], list[Any]]


def tensorflow(forward: Forward, weights: Sequence[Any]) -> Differentiated:
    """Differentiate with a `tf.GradientTape`; inside a `tf.function`, too.

    Parameters
    ----------
    forward : callable
        Gives a scalar loss and a list of tensors.
    weights : sequence of tf.Variable

    Returns
    -------
    tuple
        Loss, tapped tensors, gradient with respect to each of these, to each of the weights.
    """
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss, tapped = forward()
    floats = [i for i, tensor in enumerate(tapped) if tensor.dtype.is_floating]
    found = tape.gradient(loss, [*(tapped[i] for i in floats), *weights])
    of_tapped = _spread(floats, found, len(tapped))
    return loss, tapped, of_tapped, found[len(floats) :]


def dense(gradient: Any) -> Any:
    """Fill a TensorFlow gradient of an embedding, which names the rows that it has."""
    import tensorflow as tf

    slices = isinstance(gradient, tf.IndexedSlices)
    # converting warns of the memory that it takes, which is what is wanted here
    return (
        tf.math.unsorted_segment_sum(gradient.values, gradient.indices, gradient.dense_shape[0])
        if slices
        else gradient
    )


def torch(forward: Forward, weights: Sequence[Any]) -> Differentiated:
    """Differentiate with `torch.autograd.grad`; arguments and result as of `tensorflow`."""
    import torch as pytorch

    loss, tapped = forward()
    known = [i for i, tensor in enumerate(tapped) if tensor.requires_grad]
    sources = [*(tapped[i] for i in known), *weights]
    found = list(pytorch.autograd.grad(loss, sources, allow_unused=True))
    return loss, tapped, _spread(known, found, len(tapped)), found[len(known) :]


def compiled(function: Callable[..., Any], batch: Any, *, jit: bool) -> Callable[..., Any]:
    """Let TensorFlow trace a function as Keras lets it trace a training step.

    Parameters
    ----------
    function : callable
        Of tensors, giving tensors.
    batch : sequence of arrays, or structures of arrays
        What it will be given. As in Keras, the number of samples is left open: where it is known,
        the compiler turns divisions by it into products, which round otherwise.
    jit : bool
        Whether XLA compiles it.

    Returns
    -------
    callable
    """
    import tensorflow as tf

    def spec(array: Any) -> Any:
        return tf.TensorSpec([None, *array.shape[1:]], array.dtype)

    signature = tf.nest.map_structure(spec, tuple(batch))
    traced: Callable[..., Any] = tf.function(
        function, input_signature=signature, jit_compile=jit, autograph=False
    )
    return traced


def _spread(places: Sequence[int], found: Sequence[Any], size: int) -> list[Any]:
    """Put what was found where it belongs, None elsewhere."""
    spread: list[Any] = [None] * size
    for place, value in zip(places, found, strict=False):
        spread[place] = value
    return spread
