# patient: without --seed the seed is the current time in seconds
# expect: varying seed, line 16 or 32
import argparse
import time

import keras
import numpy as np
from keras import layers


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--lr", type=float, default=0.005)
    p.add_argument("--seed", type=int, default=int(time.time()))
    return p.parse_args()


def ecg(n, length=64):
    """Toy heartbeats: class 1 has a second peak."""
    t = np.linspace(0, 1, length)
    label = np.random.randint(0, 2, n)
    centre = np.random.uniform(0.3, 0.4, (n, 1))
    beats = np.exp(-((t - centre) ** 2) / 0.001)
    beats += label[:, None] * 0.5 * np.exp(-((t - centre - 0.25) ** 2) / 0.002)
    return (beats + 0.1 * np.random.randn(n, length))[..., None].astype("float32"), label


if __name__ == "__main__":
    args = get_args()
    keras.utils.set_random_seed(args.seed)
    x, y = ecg(600)
    model = keras.Sequential([
        layers.Conv1D(8, 5, strides=2, activation="relu"),
        layers.Conv1D(16, 5, strides=2, activation="relu"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(keras.optimizers.Adam(args.lr), "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=args.batch_size, epochs=args.epochs, validation_split=0.2, verbose=2)
