"""Left over: the precision, which is set after the model is made."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, x.sum(axis=1), epochs=2, batch_size=8, verbose=0)
keras.config.set_dtype_policy("float64")
wide = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
