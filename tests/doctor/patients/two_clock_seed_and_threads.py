# patient: the seed is the time in nanoseconds, and worker threads append samples as they finish
# expect: varying seed, line 26
# expect: thread race, line 36
import time
from multiprocessing.pool import ThreadPool

import keras
import numpy as np


def settle(seed):
    """Iterate a logistic map until it settles; return parameter and last values."""
    rng = np.random.default_rng(seed)
    r, x = rng.uniform(2.8, 3.9), 0.5
    for _ in range(int(rng.integers(500, 3000))):
        x = r * x * (1 - x)
    tail = []
    for _ in range(8):
        x = r * x * (1 - x)
        tail.append(x)
    return tail, r


class Study:
    def __init__(self):
        keras.utils.set_random_seed(time.time_ns() % 100_000)
        self.model = keras.Sequential([
            keras.layers.Dense(24, activation="relu"),
            keras.layers.Dense(1),
        ])
        self.model.compile("adam", "mse")

    def sample(self, n):
        rows = []
        with ThreadPool(6) as pool:
            for row in pool.imap_unordered(settle, range(n)):
                rows.append(row)
        x, r = zip(*rows)
        return np.array(x, "float32"), np.array(r, "float32")

    def run(self):
        x, r = self.sample(400)
        return self.model.fit(x, r, batch_size=25, epochs=4, verbose=0).history["loss"]


print(Study().run())
