"""Pairs of short runs from one state that differ in rounding, or in what they compute."""

from functools import cache

import numpy as np
from make_record import make_record
from unseen_starts import KERAS, OPTIMIZERS, RATES, data

MODELS = ("dense", "normalised", "convolution", "dropout", "recurrent")
LOSSES = ("crossentropy", "squares")
STEPS, BATCH = 3, 32
#: What changes nothing but the rounding: the order of the samples in each batch, the compiler, or
#: both.
ROUNDING = ("sample order", "XLA", "XLA and sample order")
#: What changes the computation. A mask is of dropout, so it exists in that model alone.
OTHER = ("batch order", "other data", "one sample", "one label", "augmented", "loss scale", "mask")


@cache
def model(name, seed):
    """Make a model of 64 inputs and 10 outputs, with the weights that it starts from."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = {
        "dense": [],
        "normalised": [keras.layers.BatchNormalization()],
        "convolution": [
            keras.layers.Reshape((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
        ],
        "dropout": [],
        "recurrent": [keras.layers.Reshape((8, 8)), keras.layers.LSTM(8)],
    }[name]
    made = keras.Sequential([keras.Input((64,)), keras.layers.Dense(16, "relu")])
    if name in ("convolution", "recurrent"):
        made = keras.Sequential([keras.Input((64,))])
    for layer in (*layers, keras.layers.Dense(10)):
        made.add(layer)
    return made, [v.numpy() for v in made.variables]


def mean_loss(kind, y, logits):
    """Return the mean loss of a batch."""
    import tensorflow as tf

    if kind == "crossentropy":
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
    return tf.reduce_mean(tf.square(logits - tf.one_hot(y, 10)))


@cache
def trainer(name, seed, how, loss, xla):
    """Return a function that trains on given batches from the model's first state."""
    import keras
    import tensorflow as tf

    made, fresh = model(name, seed)
    momentum = {"momentum": 0.9, "nesterov": True} if how == "Momentum" else {}
    optimizer = getattr(keras.optimizers, KERAS.get(how, how))(0.1, **momentum)
    optimizer.build(made.trainable_variables)
    blank = [v.numpy() for v in optimizer.variables]

    @tf.function(jit_compile=xla)
    def step(x, y, mask, scale):
        if name == "dropout":
            kept = tf.random.stateless_uniform(tf.shape(x), mask) < 0.75
            x = tf.where(kept, x / 0.75, 0.0)
        with tf.GradientTape() as tape:
            found = mean_loss(loss, y, made(x, training=True)) * scale
        gradients = tape.gradient(found, made.trainable_variables)
        optimizer.apply(gradients, made.trainable_variables)
        return found

    def train(rates, batches, mask, scale):
        for variable, value in zip(made.variables, fresh, strict=True):
            variable.assign(value)
        for variable, value in zip(optimizer.variables, blank, strict=True):
            variable.assign(value)
        state = {v.path: v.numpy() for v in made.trainable_variables}
        yield float("nan"), state
        for i, (rate, (x, y)) in enumerate(zip(rates, batches, strict=True)):
            optimizer.learning_rate.assign(rate)
            found = step(x, y, tf.constant([mask, i]), tf.constant(scale))
            yield float(found), {v.path: v.numpy() for v in made.trainable_variables}

    return train


def batches(kind, variant):
    """Return a run's batches of the given data."""
    x, y = data(kind)
    order = np.arange(STEPS * BATCH).reshape(STEPS, BATCH)
    if variant.endswith("sample order"):
        order = order[:, ::-1]
    if variant == "batch order":
        order = order[::-1]
    if variant == "other data":
        order = order + STEPS * BATCH
    if variant == "one sample":
        order[:, 0] += STEPS * BATCH
    x, y = x[order], y[order].copy()
    if variant == "one label":
        y[:, 0] = (y[:, 0] + 1) % 10
    if variant == "augmented":
        x = x + np.random.default_rng(5).normal(scale=0.01, size=x.shape).astype("float32")
    return list(zip(x, y, strict=True))


@cache
def record(name, seed, how, rate, loss, kind, variant="same"):
    """Train a few steps; return the record of the run."""
    train = trainer(name, seed, how, loss, variant.startswith("XLA"))
    rates = [rate * 0.1**step if how == "Decaying" else rate for step in range(STEPS)]
    scale = 1.001 if variant == "loss scale" else 1.0
    losses, states = zip(
        *train(rates, batches(kind, variant), int(variant == "mask"), scale), strict=True
    )
    settings = {"name": KERAS.get(how, how), "learning_rate": rate}
    return make_record(
        states,
        loss=np.array(losses),
        meta={"keras": {"optimizers": [settings], "seed": seed, "dtype_policy": "float32"}},
    )


def pairs(rng, n):
    """Draw `n` runs, and for each those that differ from it in one thing.

    Yields
    ------
    str, tuple, Record, Record
        What differs, the run's settings, and both records.
    """
    for _ in range(n):
        drawn = (
            str(rng.choice(MODELS)),
            int(rng.integers(1, 4)),
            str(rng.choice(OPTIMIZERS)),
            float(rng.choice(RATES)),
            str(rng.choice(LOSSES)),
            str(rng.choice(["digits", "noise"])),
        )
        one = record(*drawn)
        # a mask stays where it is when samples move, and XLA draws other masks
        kinds = OTHER if drawn[0] == "dropout" else (*ROUNDING, *OTHER[:-1])
        for variant in kinds:
            yield variant, drawn, one, record(*drawn, variant)
