# patient: the fixed random projection in front of the network is made of os.urandom bytes
# expect: unseeded generator, line 13
import os

import keras
import numpy as np
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)


def random_signs(rows, columns):
    raw = np.frombuffer(os.urandom(rows * columns), dtype=np.uint8)
    return np.where(raw.reshape(rows, columns) & 1, 1.0, -1.0).astype("float32")


class RandomProjection(keras.layers.Layer):
    """Johnson-Lindenstrauss projection with a fixed matrix of signs."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        signs = random_signs(input_shape[-1], self.units) / np.sqrt(self.units)
        self.matrix = self.add_weight(shape=signs.shape, trainable=False, name="signs")
        self.matrix.assign(signs)

    def call(self, x):
        return keras.ops.matmul(x, self.matrix)


X, y = load_digits(return_X_y=True)
X = X.astype("float32") / 16
inputs = keras.Input((64,))
x = RandomProjection(20)(inputs)
x = keras.layers.LayerNormalization()(x)
x = keras.layers.Dense(32, activation="gelu")(x)
model = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))
model.compile("adamw", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, batch_size=90, epochs=3, validation_split=0.1, verbose=2)
