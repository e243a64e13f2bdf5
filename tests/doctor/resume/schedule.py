"""Healthy: the schedule counts the optimizer's iterations, which the model's file holds."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
y = x.sum(axis=1, keepdims=True)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
rate = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.7)
model.compile(keras.optimizers.Adam(rate), "mse")
model.fit(x, y, epochs=4, batch_size=8, shuffle=False, verbose=0)
