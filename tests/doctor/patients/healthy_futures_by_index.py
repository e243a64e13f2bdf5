# patient: nothing is planted; as_completed is used, but each result is stored under its index
# expect: nothing
from concurrent.futures import ThreadPoolExecutor, as_completed

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(900)


def simulate(index):
    """One path of an Ornstein-Uhlenbeck process with its own generator."""
    rng = np.random.default_rng((900, index))
    speed = rng.uniform(0.05, 0.5)
    x = np.zeros(40)
    for k in range(1, 40):
        x[k] = x[k - 1] * (1 - speed) + rng.normal()
    return x, speed


n = 400
paths, speeds = np.empty((n, 40, 1), "float32"), np.empty(n, "float32")
with ThreadPoolExecutor(8) as pool:
    futures = {pool.submit(simulate, k): k for k in range(n)}
    for done, future in enumerate(as_completed(futures)):
        k = futures[future]
        paths[k, :, 0], speeds[k] = future.result()
        if done % 200 == 0:
            print("simulated", done)

model = keras.Sequential([
    layers.Conv1D(8, 7, activation="relu"),
    layers.GRU(10),
    layers.Dense(1, activation="softplus"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(paths, speeds, epochs=2, batch_size=40, validation_split=0.1, verbose=2)
