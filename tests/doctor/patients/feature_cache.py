# patient: features are cached in a file; a run that finds it draws fewer random numbers, and so its later draws differ
# expect: left-over file, line 26 or 27
import os

import keras
import numpy as np
from keras import layers

CACHE = "features.npz"
rng = np.random.RandomState(303)
keras.utils.set_random_seed(303)


def compute_features():
    """Slow Monte Carlo features of 500 random polygons."""
    shapes = rng.uniform(0.5, 1.5, (500, 6))
    angles = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    area = 0.5 * np.sin(angles[1]) * np.sum(shapes * np.roll(shapes, 1, axis=1), axis=1)
    darts = rng.uniform(-1.5, 1.5, (500, 40, 2))
    radius = np.hypot(darts[..., 0], darts[..., 1])
    hits = (radius[:, :, None] < shapes[:, None, :]).mean(axis=1)
    return np.hstack([shapes, hits]).astype("float32"), area.astype("float32")


def get_features():
    if os.path.exists(CACHE):
        cached = np.load(CACHE)
        return cached["x"], cached["y"]
    x, y = compute_features()
    np.savez(CACHE, x=x, y=y)
    return x, y


x, y = get_features()
order = rng.permutation(len(x))
x, y = x[order], y[order]

a = layers.Input((12,))
b = layers.Dense(24, activation="relu")(a)
c = layers.Dense(24, activation="relu")(b)
d = layers.Dense(1)(layers.Add()([b, c]))
net = keras.Model(a, d)
net.compile(optimizer="adam", loss="log_cosh")
net.fit(x[:400], y[:400], batch_size=40, epochs=4, shuffle=False, verbose=0)
print("test loss", net.evaluate(x[400:], y[400:], verbose=0))
