# patient: scipy.stats draws the measurement noise without random_state, from NumPy's unseeded global generator
# expect: unseeded generator, line 21
import random

import keras
import numpy as np
import scipy.stats as st
import tensorflow as tf
from keras import layers

SEED = 99
random.seed(SEED)
tf.random.set_seed(SEED)


def simulate_decay(n_curves=400, n_points=40):
    """Counts of a decaying source with a background, and the rate to be recovered."""
    rates = st.uniform(0.5, 2.5).rvs(size=n_curves, random_state=SEED)
    t = np.linspace(0, 3, n_points)
    expected = 200 * np.exp(-np.outer(rates, t)) + 12
    counts = st.poisson(expected).rvs()
    return np.sqrt(counts + 0.375).astype("float32")[..., None], rates.astype("float32")


def build_estimator(n_points):
    inp = layers.Input(shape=(n_points, 1))
    h = layers.Conv1D(8, 5, activation="relu", padding="same")(inp)
    h = layers.MaxPooling1D(2)(h)
    h = layers.Conv1D(8, 5, activation="relu", padding="same")(h)
    pooled = layers.concatenate([layers.GlobalAveragePooling1D()(h), layers.GlobalMaxPooling1D()(h)])
    return keras.Model(inp, layers.Dense(1)(pooled))


curves, rates = simulate_decay()
curves -= curves.mean()
curves /= curves.std()
estimator = build_estimator(curves.shape[1])
estimator.compile(optimizer=keras.optimizers.RMSprop(1e-3), loss="huber")
estimator.fit(curves[:320], rates[:320], validation_data=(curves[320:], rates[320:]), epochs=5, verbose=2)
predicted = estimator.predict(curves[320:], verbose=0)[:, 0]
print("bias of the rate:", float(np.mean(predicted - rates[320:])))
