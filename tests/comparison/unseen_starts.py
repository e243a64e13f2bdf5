"""Runs whose start is not seen, by the hundred: some from equal weights, some from different ones.

A model without an Input makes its weights in the first step, so that a record begins after it. Here
the first state is just not kept.
"""

import itertools
from functools import cache

import numpy as np
from make_record import make_record

MODELS = ("dense", "normalised", "convolution")
#: Steps of a run, after each of which the weights are kept; samples of a batch.
STEPS, BATCH = 4, 32
RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
#: The rate of the last one falls to a tenth with each step.
OPTIMIZERS = ("SGD", "Momentum", "Adam", "RMSprop", "Adagrad", "Lion", "Ftrl", "Decaying")
#: What Keras calls those of other names.
KERAS = {"Momentum": "SGD", "Decaying": "SGD"}


@cache
def start(name, initializer, seed):
    """Give the weights that a model starts from."""
    import keras

    keras.utils.set_random_seed(seed)
    return [v.numpy() for v in model(name, initializer).trainable_variables]


def model(name, initializer="glorot_uniform"):
    """Give a model of 64 inputs and 10 classes."""
    import keras

    layers = [keras.layers.Dense(16, "relu", kernel_initializer=initializer)]
    if name == "normalised":
        layers = [*layers, keras.layers.BatchNormalization()]
    if name == "convolution":
        convolution = keras.layers.Conv2D(4, 3, activation="relu", kernel_initializer=initializer)
        layers = [keras.layers.Reshape((8, 8, 1)), convolution, keras.layers.Flatten()]
    made = keras.Sequential([*layers, keras.layers.Dense(10)])
    made.build((None, 64))
    return made


@cache
def trainer(name, how):
    """Give a function that trains from given weights at given rates, compiled once."""
    import keras
    import tensorflow as tf

    made, loss = model(name), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    momentum = {"momentum": 0.9, "nesterov": True} if how == "Momentum" else {}
    optimizer = getattr(keras.optimizers, KERAS.get(how, how))(0.1, **momentum)
    optimizer.build(made.trainable_variables)
    state = [*made.non_trainable_variables, *optimizer.variables]
    fresh = [v.numpy() for v in state]

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            found = loss(y, made(x, training=True))
        gradients = tape.gradient(found, made.trainable_variables)
        optimizer.apply(gradients, made.trainable_variables)

    def train(weights, rates, given):
        for variable, value in zip(
            [*made.trainable_variables, *state], [*weights, *fresh], strict=True
        ):
            variable.assign(value)
        for rate, (x, y) in zip(rates, given, strict=True):
            optimizer.learning_rate.assign(rate)
            step(x, y)
            yield [v.numpy() for v in made.trainable_variables]

    return train


@cache
def data(name):
    """Give samples of 64 numbers and their labels: real digits, or noise."""
    if name == "digits":
        from sklearn.datasets import load_digits

        found = load_digits()
        return found.data.astype("float32") / 16, found.target
    rng = np.random.default_rng(0)
    return rng.normal(size=(1024, 64)).astype("float32"), rng.integers(0, 10, 1024)


def batches(name, variant):
    """Give a run's batches: the same, their samples or themselves in another order, or others."""
    x, y = data(name)
    order = np.arange(STEPS * BATCH).reshape(STEPS, BATCH)
    if variant == "rounding":
        order = order[:, ::-1]
    if variant == "batch order":
        order = order[::-1]
    if variant == "other data":
        order = order + STEPS * BATCH
    return [(x[rows], y[rows]) for rows in order]


@cache
def trained(name, kind, how, rate, seed=1, initializer="glorot_uniform", variant="same", warm=0):
    """Train a few steps, after `warm` steps on other data; give the weights after each."""
    weights = start(name, initializer, seed)
    if warm:
        others = itertools.islice(itertools.cycle(batches(kind, "other data")), warm)
        *_, weights = trainer(name, "SGD")(weights, [0.01] * warm, others)
    rates = [rate * 0.1**step if how == "Decaying" else rate for step in range(STEPS)]
    states = trainer(name, how)(weights, rates, batches(kind, variant))
    return tuple({str(i): values for i, values in enumerate(state)} for state in states)


def record(name, kind, how, rate, *rest, **fields):
    """Give the record of such a run, without its start."""
    settings = {"name": KERAS.get(how, how), "learning_rate": rate}
    if how == "Decaying":
        settings["learning_rate"] = {"class_name": "ExponentialDecay", "decay_rate": 0.1}
    return make_record(
        trained(name, kind, how, rate, *rest, **fields),
        steps=range(1, STEPS + 1),
        start_seen=False,
        meta={"keras": {"optimizers": [settings]}},
    )


def pairs(rng, n):
    """Draw pairs of runs: of each of `n`, and of ten that differ from it in one thing.

    Yields
    ------
    str, bool, float, Record, Record
        What differs, whether the starts are equal, the learning rate, and both records.
    """
    for _ in range(n):
        name, kind = str(rng.choice(MODELS)), str(rng.choice(["digits", "noise"]))
        how, rate, seed = (
            str(rng.choice(OPTIMIZERS)),
            float(rng.choice(RATES)),
            int(rng.integers(1, 4)),
        )
        common, next_seed = (name, kind, how, rate), seed % 3 + 1
        other_rate = float(rng.choice([other for other in RATES if other != rate]))
        other_how = str(rng.choice([other for other in OPTIMIZERS if other != how]))
        one = record(*common, seed)
        for variant in ("rounding", "batch order", "other data"):
            yield variant, True, rate, one, record(*common, seed, variant=variant)
        yield "learning rate", True, rate, one, record(name, kind, how, other_rate, seed)
        yield "optimizer", True, rate, one, record(name, kind, other_how, rate, seed)
        yield "seed", False, rate, one, record(*common, next_seed)
        both = record(*common, next_seed, variant="other data")
        yield "seed and data", False, rate, one, both
        other = record(*common, seed, initializer="he_normal")
        yield "initializer", False, rate, one, other
        for warm in (4, 40):
            yield f"{warm} steps before", False, rate, one, record(*common, seed, warm=warm)
