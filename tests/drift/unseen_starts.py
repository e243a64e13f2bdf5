"""Runs whose start is not seen, by the hundred: some from equal weights, some from different ones.

A model without an Input makes its weights in the first step, so that a record begins after it.
"""

import itertools
from functools import cache

import numpy as np
from make_record import make_record

MODELS = ("dense", "normalised", "convolution")
#: Steps of a run, after each of which the weights are kept; samples of a batch.
STEPS, BATCH = 4, 32
RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
OPTIMIZERS = ("SGD", "Momentum", "Adam", "RMSprop", "Adagrad", "Lion", "Ftrl", "Decaying")


def optimizer(name, rate):
    """Give an optimizer; the last one's rate falls to a tenth with each step."""
    import keras

    if name == "Momentum":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
    if name == "Decaying":
        schedule = keras.optimizers.schedules.ExponentialDecay(rate, 1, 0.1)
        return keras.optimizers.SGD(schedule)
    return getattr(keras.optimizers, name)(rate)


def model(name, initializer):
    """Give a model without an Input."""
    import keras

    dense = [keras.layers.Dense(16, "relu", kernel_initializer=initializer)]
    if name == "normalised":
        dense = [*dense, keras.layers.BatchNormalization()]
    if name == "convolution":
        convolution = keras.layers.Conv2D(4, 3, activation="relu", kernel_initializer=initializer)
        dense = [keras.layers.Reshape((8, 8, 1)), convolution, keras.layers.Flatten()]
    return keras.Sequential([*dense, keras.layers.Dense(10)])


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
    """Give the batches of a run: the same, their samples or themselves in another order, or others."""
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
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    made, loss = model(name, initializer), keras.losses.SparseCategoricalCrossentropy(True)
    made.build((None, 64))

    def train(chosen, given):
        for x, y in given:
            with tf.GradientTape() as tape:
                found = loss(y, made(x, training=True))
            gradients = tape.gradient(found, made.trainable_variables)
            chosen.apply(gradients, made.trainable_variables)
            yield {v.path.partition("/")[2]: v.numpy().copy() for v in made.trainable_variables}

    others = itertools.islice(itertools.cycle(batches(kind, "other data")), warm)
    list(train(keras.optimizers.SGD(0.01), others))
    return tuple(train(optimizer(how, rate), batches(kind, variant)))


def record(states):
    """Give the record of such a run."""
    return make_record(states, steps=range(1, STEPS + 1), start_seen=False)


def pairs(rng, n):
    """Draw pairs of runs.

    Yields
    ------
    str, bool, tuple of dict, tuple of dict
        What differs, whether the starts are equal, and the weights of both.
    """
    for _ in range(n):
        name, kind = rng.choice(MODELS), rng.choice(["digits", "noise"])
        how, rate, seed = rng.choice(OPTIMIZERS), float(rng.choice(RATES)), int(rng.integers(1, 4))
        common = (str(name), str(kind), str(how), rate)
        one = trained(*common, seed)
        for variant in ("rounding", "batch order", "other data"):
            yield variant, True, one, trained(*common, seed, variant=variant)
        rates = [other for other in RATES if other != rate]
        other = float(rng.choice(rates))
        yield "learning rate", True, one, trained(*common[:3], other, seed)
        other = str(rng.choice([o for o in OPTIMIZERS if o != how]))
        yield "optimizer", True, one, trained(*common[:2], other, rate, seed)
        yield "seed", False, one, trained(*common, seed % 3 + 1)
        both = trained(*common, seed % 3 + 1, variant="other data")
        yield "seed and data", False, one, both
        yield "initializer", False, one, trained(*common, seed, initializer="he_normal")
        yield "4 steps before", False, one, trained(*common, seed, warm=4)
        yield "40 steps before", False, one, trained(*common, seed, warm=40)
