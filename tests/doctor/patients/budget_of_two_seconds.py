# patient: the training loop ends when a time budget is used up
# expect: outside input, line 29
import keras
import numpy as np
import tensorflow as tf
from time import perf_counter

keras.utils.set_random_seed(60)
BUDGET = 2.0  # seconds

x = tf.random.normal((2048, 10), seed=1)
w_true = tf.random.normal((10, 1), seed=2)
y = tf.tanh(x @ w_true) + 0.05 * tf.random.normal((2048, 1), seed=3)

net = keras.Sequential([keras.Input((10,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
opt = keras.optimizers.Adam(1e-3)


def one_step(i):
    lo = (i * 64) % 2048
    with tf.GradientTape() as tape:
        err = tf.reduce_mean(tf.square(net(x[lo:lo + 64]) - y[lo:lo + 64]))
    opt.apply_gradients(zip(tape.gradient(err, net.trainable_weights), net.trainable_weights))
    return err


started = perf_counter()
i = 0
while perf_counter() - started < BUDGET:
    err = one_step(i)
    i += 1
print(i, "steps, error", float(err))
