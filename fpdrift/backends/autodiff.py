"""Compute the gradient of a loss with TensorFlow or PyTorch; Keras has no common function for it.

A forward pass returns its loss and the intermediate tensors that were tapped, and the gradient is
taken with respect to these as well. JAX is not supported, because it differentiates a function of
its arguments, and a tapped tensor is not an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

#: Runs the forward pass and returns the loss and the tapped tensors.
Forward = Callable[[], tuple[Any, list[Any]]]
#: Loss, tapped tensors, their gradients, and those of the weights (None where there is none).
Differentiated = tuple[Any, list[Any], list[Any], list[Any]]


def tensorflow(forward: Forward, weights: Sequence[Any]) -> Differentiated:
    """Differentiate with a `tf.GradientTape`; also works inside a `tf.function`.

    Parameters
    ----------
    forward : callable
        Returns a scalar loss and a list of tensors.
    weights : sequence of tf.Variable

    Returns
    -------
    tuple
        Loss, tapped tensors, and the gradients with respect to these and to the weights.
    """
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss, tapped = forward()
    floats = [i for i, tensor in enumerate(tapped) if tensor.dtype.is_floating]
    found = tape.gradient(loss, [*(tapped[i] for i in floats), *weights])
    of_tapped = _spread(floats, found, len(tapped))
    return loss, tapped, of_tapped, found[len(floats) :]


def dense(gradient: Any) -> Any:
    """Convert a TensorFlow gradient of an embedding, which may be sparse, to a dense tensor."""
    import tensorflow as tf

    slices = isinstance(gradient, tf.IndexedSlices)
    # tf.convert_to_tensor would warn about the memory, which is intended here
    return (
        tf.math.unsorted_segment_sum(gradient.values, gradient.indices, gradient.dense_shape[0])
        if slices
        else gradient
    )


def torch(forward: Forward, weights: Sequence[Any]) -> Differentiated:
    """Differentiate with `torch.autograd.grad`; arguments and result are those of `tensorflow`."""
    import torch as pytorch

    loss, tapped = forward()
    known = [i for i, tensor in enumerate(tapped) if tensor.requires_grad]
    sources = [*(tapped[i] for i in known), *weights]
    found = list(pytorch.autograd.grad(loss, sources, allow_unused=True))
    return loss, tapped, _spread(known, found, len(tapped)), found[len(known) :]


def compiled(function: Callable[..., Any], batch: Any, *, jit: bool) -> Callable[..., Any]:
    """Trace a function with TensorFlow in the way that Keras traces a training step.

    Parameters
    ----------
    function : callable
        Takes and returns tensors.
    batch : sequence of arrays, or structures of arrays
        Example arguments. As in Keras, the number of samples is left open: if it is known, the
        compiler turns divisions by it into products, which round differently.
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
    """Return a list of `size` items with the values found at their places, None elsewhere."""
    spread: list[Any] = [None] * size
    for place, value in zip(places, found, strict=False):
        spread[place] = value
    return spread
