# patient: shapes are numbered in the order of a set of enum members, and the SeedGenerator of the sampling layer has no seed
# expect: hash order, line 35
# expect: unseeded generator, line 42
from enum import Enum

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

np.random.seed(66)
tf.random.set_seed(66)


class Shape(Enum):
    BOX = "box"
    CROSS = "cross"
    RING = "ring"
    BAR = "bar"
    DOT = "dot"
    WEDGE = "wedge"


def draw(shape, r):
    yy, xx = np.mgrid[-1:1:8j, -1:1:8j] + r.normal(0, 0.1, (2, 1, 1))
    radius = np.hypot(xx, yy)
    return {Shape.BOX: np.maximum(abs(xx), abs(yy)) < 0.7, Shape.CROSS: np.minimum(abs(xx), abs(yy)) < 0.2,
            Shape.RING: abs(radius - 0.7) < 0.2, Shape.BAR: abs(xx) < 0.3, Shape.DOT: radius < 0.4,
            Shape.WEDGE: yy > xx}[shape].astype("float32").ravel()


r = np.random.default_rng(66)
kinds = [list(Shape)[k] for k in r.integers(0, 6, 600)]
pictures = np.stack([draw(kind, r) for kind in kinds])
number = {shape: i for i, shape in enumerate(set(kinds))}
conditions = np.eye(6, dtype="float32")[[number[kind] for kind in kinds]]


class Sampling(layers.Layer):
    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator()

    def call(self, mean, log_var):
        self.add_loss(-0.01 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var)))
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seeds)


def dense(units, activation=None):
    start = keras.initializers.HeUniform(seed=units)
    return layers.Dense(units, activation, kernel_initializer=start)


picture, condition = keras.Input((64,)), keras.Input((6,))
x = dense(32, "relu")(layers.Concatenate()([picture, condition]))
z = Sampling()(dense(4)(x), dense(4)(x))
x = dense(32, "relu")(layers.Concatenate()([z, condition]))
vae = keras.Model([picture, condition], dense(64, "sigmoid")(x))
vae.compile("adam", "binary_crossentropy")
vae.fit([pictures, conditions], pictures, epochs=4, batch_size=50, verbose=2)
