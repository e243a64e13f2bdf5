"""Five tiny networks whose parts can be exchanged, and the batches that they take."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers, ops

SAMPLES, CLASSES = 16, 4
SHAPES = {
    "dense": (12,),
    "conv": (8, 8, 2),
    "norm": (12,),
    "rnn": (6, 5),
    "attention": (6, 8),
}


@dataclass(frozen=True)
class Pair:
    """Two models, and whether rounding alone tells them apart ("rounding" or "different")."""

    name: str
    truth: str
    make_a: Callable[[], Any]
    make_b: Callable[[], Any]
    batch: tuple
    options: dict = field(default_factory=dict)


class Formula(layers.Layer):
    """A function of its input."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, x):
        return self.function(x)


def batch_for(net, seed=0, labels="one-hot"):
    """Draw inputs and labels."""
    rng = np.random.default_rng([seed, len(net)])
    x = rng.standard_normal((SAMPLES, *SHAPES[net])).astype(np.float32)
    classes = rng.integers(0, CLASSES, SAMPLES)
    if labels == "sparse":
        return x, classes
    if labels == "multi-hot":
        return x, rng.integers(0, 2, (SAMPLES, CLASSES)).astype(np.float32)
    return x, np.eye(CLASSES, dtype=np.float32)[classes]


def maker(
    net="dense",
    *,
    optimizer="SGD",
    setting=None,
    loss=None,
    between=None,
    last="linear",
    jit=False,
    policy=None,
    **parts,
):
    """Give a function that makes a compiled model.

    `between` stands before the last layer: a function of its input, or one that makes a layer.
    """

    def make():
        keras.utils.set_random_seed(5)
        before = keras.config.dtype_policy()
        if policy:
            keras.config.set_dtype_policy(policy)
        try:
            inputs = keras.Input(SHAPES[net])
            hidden = NETS[net](inputs, **parts)
            if between is not None:
                layer = between() if isinstance(between, type) else Formula(between, name="between")
                hidden = layer(hidden)
            outputs = layers.Dense(CLASSES, activation=last, name="last")(hidden)
        finally:
            keras.config.set_dtype_policy(before)
        model = keras.Model(inputs, outputs)
        usual = {} if optimizer == "Ftrl" else {"learning_rate": 0.01}
        chosen = getattr(keras.optimizers, optimizer)(**(usual | (setting or {})))
        entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
        model.compile(chosen, entropy if loss is None else loss, jit_compile=jit)
        return model

    return make


def _dense(x, activation="relu", rate=None, regular=None):
    x = layers.Dense(16, activation=activation, kernel_regularizer=regular, name="first")(x)
    return x if rate is None else layers.Dropout(rate, seed=3, name="drop")(x)


def _conv(x, order=("norm", "relu", "pool"), padding="valid", pool="Max", dilation=1, epsilon=1e-3):
    x = layers.Conv2D(4, 3, padding=padding, dilation_rate=dilation, name="conv")(x)
    parts = {
        "norm": lambda: layers.BatchNormalization(epsilon=epsilon, name="norm"),
        "relu": lambda: layers.Activation("relu", name="relu"),
        "pool": lambda: getattr(layers, f"{pool}Pooling2D")(2, padding=padding, name="pool"),
        "resize": lambda: layers.Resizing(5, 5, interpolation="bilinear", name="resize"),
        "resize nearest": lambda: layers.Resizing(5, 5, interpolation="nearest", name="resize"),
        "up": lambda: layers.UpSampling2D(2, name="up"),
        "up bilinear": lambda: layers.UpSampling2D(2, interpolation="bilinear", name="up"),
    }
    for part in order:
        x = parts[part]()(x)
    return layers.GlobalAveragePooling2D(name="mean")(x)


def _norm(x, epsilon=1e-3, momentum=0.99, layer_epsilon=1e-3, activation="gelu", centre=0.0):
    x = layers.Dense(16, name="first")(x)
    if centre:
        x = Formula(lambda t: t + centre, name="moved")(x)
    x = layers.LayerNormalization(epsilon=layer_epsilon, name="layer_norm")(x)
    x = layers.Activation(activation, name="act")(x)
    x = layers.Dense(8, name="second")(x)
    return layers.BatchNormalization(epsilon=epsilon, momentum=momentum, name="norm")(x)


def _rnn(x, cell="GRU", **about):
    return getattr(layers, cell)(8, name="rnn", **about)(x)


def _attention(x, causal=False, scale=1.0, epsilon=1e-3):
    looked = layers.MultiHeadAttention(2, 4, name="look")(x * scale, x, use_causal_mask=causal)
    x = layers.LayerNormalization(epsilon=epsilon, name="layer_norm")(x + looked)
    return layers.GlobalAveragePooling1D(name="mean")(x)


NETS = {"dense": _dense, "conv": _conv, "norm": _norm, "rnn": _rnn, "attention": _attention}


def in_float32(y, z):
    """Compute cross-entropy in float32, whatever comes."""
    y, z = ops.cast(y, "float32"), ops.cast(z, "float32")
    return -ops.sum(y * ops.log_softmax(z), axis=-1)


def unfused(y, z):
    """Compute cross-entropy by its formula, so that its gradient is the loss's own."""
    return -ops.sum(y * (z - ops.logsumexp(z, axis=-1, keepdims=True)), axis=-1)
