"""Models of every kind that Keras lets people build, small, with data to fit them on."""

from functools import cache

import keras
import numpy as np
from keras import layers, ops

from fpdrift.recorder._state import is_ready
from fpdrift.recorder._step_loss import has_own_loop

SAMPLES = 70  # five batches of 16, the last one smaller


class Block(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units)
        self.inner = {"norm": layers.BatchNormalization(), "drop": [layers.Dropout(0.4)]}

    def call(self, x, training=None):
        return self.inner["drop"][0](self.inner["norm"](self.dense(x)), training=training)


class Subclassed(keras.Model):
    """Unbuilt until its first batch; draws in inference, too."""

    def __init__(self):
        super().__init__()
        self.blocks = [Block(6), Block(5)]
        self.always = layers.GaussianNoise(0.1)
        self.out = layers.Dense(3, activation="softmax")

    def call(self, x, training=None):
        x = ops.reshape(x, (-1, 64))
        for block in self.blocks:
            x = block(x, training=training)
        return self.out(self.always(x, training=True))


class TwoOptimizers(keras.Model):
    """Trains by a step of its own, with an optimiser for each half; reports two losses."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(4, activation="tanh")
        self.second = layers.Dense(3)
        self.second_optimizer = keras.optimizers.SGD(0.1, momentum=0.9)

    def call(self, x):
        return self.second(self.first(ops.reshape(x, (-1, 64))))

    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape(persistent=True) as tape:
            prediction = self(x, training=True)
            squared = ops.mean(ops.square(prediction - y))
            absolute = ops.mean(ops.abs(prediction - y))
        self.optimizer.apply(
            tape.gradient(squared, self.first.trainable_variables), self.first.trainable_variables
        )
        self.second_optimizer.apply(
            tape.gradient(absolute, self.second.trainable_variables),
            self.second.trainable_variables,
        )
        return {"squared": squared, "absolute": absolute}


def images(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((SAMPLES, 8, 8, 1)).astype(np.float32)
    return x, np.eye(3, dtype=np.float32)[rng.integers(0, 3, SAMPLES)]


def cnn():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.3)(layers.ReLU()(x))
    outputs = layers.Dense(3, activation="softmax")(layers.Flatten()(x))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, *images()


def several_steps():
    model, x, y = cnn()
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"], steps_per_execution=3)
    return model, x, y


def subclassed():
    model = Subclassed()
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    return model, *images()


def built_subclassed():
    model, x, y = subclassed()
    model(x[:1])
    return model, x, y


def several_inputs():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    x = layers.Dense(5, activation="relu", kernel_regularizer="l2")(layers.Concatenate()([a, b]))
    outputs = {"y": layers.Dense(2, name="y")(x), "z": layers.Dense(1, name="z")(x)}
    model = keras.Model([a, b], outputs)

    def own_loss(true, predicted):
        return ops.mean(ops.log(ops.cosh(predicted - true)), axis=-1)

    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.9), 0.9),
        {"y": own_loss, "z": "mse"},
        loss_weights={"y": 0.3, "z": 2.0},
        metrics={"z": ["mae"]},
    )
    rng = np.random.default_rng(0)
    x = tuple(rng.standard_normal((SAMPLES, n)).astype(np.float32) for n in (4, 3))
    y = {
        name: rng.standard_normal((SAMPLES, n)).astype(np.float32)
        for name, n in (("y", 2), ("z", 1))
    }
    return model, x, y


def recurrent(policy):
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential(
        [
            keras.Input((5, 3)),
            layers.LSTM(4, dropout=0.2),
            layers.Dense(1, dtype="float32" if policy.startswith("mixed") else None),
        ]
    )
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    return model, rng.standard_normal((SAMPLES, 5, 3)), rng.standard_normal((SAMPLES, 1))


def two_optimizers():
    model = TwoOptimizers()
    model.compile("adam")
    return model, *images()


MODELS = {
    "functional CNN": cnn,
    "several steps per execution": several_steps,
    "subclassed": subclassed,
    "subclassed, built": built_subclassed,
    "several inputs, own loss": several_inputs,
    "LSTM in mixed_bfloat16": lambda: recurrent("mixed_bfloat16"),
    "LSTM in mixed_float16": lambda: recurrent("mixed_float16"),
    "LSTM in float64": lambda: recurrent("float64"),
    "two optimisers": two_optimizers,
}


@cache
def _compiled(make):
    """Make a model once a process; give it, its data and every value that it starts from."""
    keras.utils.set_random_seed(1)
    model, x, y = make()
    assert is_ready(model, own_loop=has_own_loop(model))  # its optimiser has its slots, too
    variables = [*model.variables, *model.optimizer.variables]
    return model, x, y, [(v, np.array(v.numpy())) for v in variables]


def again(make):
    """Give the model that `make` makes as if just made, without compiling its graph anew."""
    model, x, y, start = _compiled(make)
    for variable, value in start:
        variable.assign(value)
    keras.utils.set_random_seed(1)
    return model, keras.tree.map_structure(np.copy, x), keras.tree.map_structure(np.copy, y)


def take(data, samples):
    """The first samples of arrays, tuples or dicts of arrays."""
    return keras.tree.map_structure(lambda array: array[:samples], data)


def bits(variables):
    return [(v.path, np.asarray(v.numpy()).tobytes()) for v in variables]
