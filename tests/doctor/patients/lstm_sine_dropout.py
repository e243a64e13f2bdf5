# patient: the Dropout layer of a forecasting LSTM gets its default seed from Python's random, which is not seeded
# expect: unseeded generator, line 35
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.initializers import GlorotUniform, Orthogonal

SEED = 7
np.random.seed(SEED)
tf.random.set_seed(SEED)

# noisy sine
t = np.arange(0, 1200)
series = np.sin(2 * np.pi * t / 50) + 0.1 * np.random.randn(len(t))
window = 30


def make_windows(values, w):
    xs, ys = [], []
    for i in range(len(values) - w):
        xs.append(values[i:i + w])
        ys.append(values[i + w])
    return np.array(xs, dtype="float32")[..., None], np.array(ys, dtype="float32")


X, y = make_windows(series, window)
n_train = int(0.8 * len(X))

inp = keras.Input((window, 1))
h = keras.layers.LSTM(
    24,
    kernel_initializer=GlorotUniform(SEED),
    recurrent_initializer=Orthogonal(seed=SEED),
)(inp)
h = keras.layers.Dropout(0.2)(h)
out = keras.layers.Dense(1, kernel_initializer=GlorotUniform(SEED + 1))(h)
model = keras.Model(inp, out)
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="mse")

model.fit(X[:n_train], y[:n_train], epochs=2, batch_size=64, verbose=0)
pred = model.predict(X[n_train:], verbose=0).ravel()
print("RMSE on the last 20 %:", np.sqrt(np.mean((pred - y[n_train:]) ** 2)))
