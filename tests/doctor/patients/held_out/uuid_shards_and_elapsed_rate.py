# patient: files with names by uuid4 are read in sorted order, and the learning rate falls with the time that has passed
# expect: unseeded generator, line 29
# expect: outside input, line 39 or 53
import tempfile
import time
import uuid
from pathlib import Path

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(12)
START = time.time()


def store(folder, episodes=24, length=25):
    """Simulate a damped spring and keep each episode in a file of its own."""
    rng = np.random.default_rng(12)
    for _ in range(episodes):
        x, v = rng.normal(size=2)
        rows = []
        for _ in range(length):
            push = rng.uniform(-1, 1)
            before = (x, v, push)
            v += 0.1 * (push - x - 0.2 * v)
            x += 0.1 * v
            rows.append(before + (x, v))
        np.save(folder / f"{uuid.uuid4()}.npy", np.array(rows, dtype="float32"))


def batches(folder):
    for path in sorted(folder.glob("*.npy")):
        rows = np.load(path)
        yield rows[:, :3], rows[:, 3:]


def rate():
    return 0.02 / (1 + 0.5 * (time.time() - START))


dynamics = keras.Sequential([
    layers.Input((3,)),
    layers.Dense(24, activation="silu"),
    layers.LayerNormalization(),
    layers.Dense(2),
])
dynamics.compile(optimizer=keras.optimizers.SGD(0.02, nesterov=True, momentum=0.5), loss="mse")
with tempfile.TemporaryDirectory() as name:
    store(Path(name))
    for epoch in range(4):
        for x, y in batches(Path(name)):
            dynamics.optimizer.learning_rate = rate()
            loss = dynamics.train_on_batch(x, y)
        print(f"{epoch}: {float(loss):.6f}")
