"""TensorFlow's operations on a batch of rows, on the CPU: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def operation(name: str) -> Callable[..., Any]:
    """Give one of TensorFlow's operations as a function of NumPy arrays.

    Parameters
    ----------
    name : {"matmul", "convolution", "softmax"}

    Returns
    -------
    callable
        Takes a batch of rows and, but for softmax, the weights (images are channels-last); gives
        the batch of results.
    """
    import tensorflow as tf

    call = {
        "matmul": tf.matmul,
        "convolution": lambda images, kernel: tf.nn.conv2d(images, kernel, 1, "VALID"),
        "softmax": tf.nn.softmax,
    }[name]

    def on_cpu(*arrays: Any) -> Any:
        with tf.device("CPU:0"):
            return call(*map(tf.constant, arrays)).numpy()

    return on_cpu


def version() -> str:
    """Give TensorFlow's version."""
    import tensorflow as tf

    return str(tf.__version__)
