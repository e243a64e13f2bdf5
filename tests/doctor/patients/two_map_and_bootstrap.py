# patient: random ops run in a parallel map, and sklearn's resample has no random_state while NumPy is not seeded
# expect: parallel data, line 27
# expect: unseeded generator, line 25
import random

import keras
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.utils import resample

random.seed(19)
tf.random.set_seed(19)

x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")


def noisy(row, label):
    row += tf.random.normal([64], stddev=0.1)
    keep = tf.random.uniform([64]) > 0.1
    return tf.where(keep, row, 0.0), label


def bag():
    xb, yb = resample(x, y, n_samples=1200)
    ds = tf.data.Dataset.from_tensor_slices((xb, yb))
    return ds.map(noisy, num_parallel_calls=tf.data.AUTOTUNE).batch(60)


members = []
for member in range(2):
    net = keras.Sequential([
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])
    net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    net.fit(bag(), epochs=2, verbose=0)
    members.append(net.predict(x, verbose=0))
vote = sum(members).argmax(axis=1)
print("bagged accuracy:", (vote == y).mean())
