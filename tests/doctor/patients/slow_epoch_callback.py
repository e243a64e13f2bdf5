# patient: a callback lowers the learning rate after each step that was slower than the median so far
# expect: outside input, line 22 or 26
import time

import keras
import numpy as np
from keras import layers


class Throttle(keras.callbacks.Callback):
    """Take smaller steps while the machine is busy."""

    def __init__(self, factor=0.98):
        super().__init__()
        self.factor = factor
        self.times = []

    def on_train_batch_begin(self, batch, logs=None):
        self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        took = time.monotonic() - self.began
        self.times.append(took)
        if took > np.median(self.times):
            lr = self.model.optimizer.learning_rate
            self.model.optimizer.learning_rate = float(lr) * self.factor


def sequences(n, length=12):
    """Brackets: is every opened bracket closed at once or later?"""
    steps = np.random.choice([1, -1], (n, length))
    depth = np.cumsum(steps, axis=1)
    balanced = (depth.min(axis=1) >= -1) & (np.abs(depth[:, -1]) <= 2)
    return (steps > 0).astype("int32"), balanced.astype("float32")


def main():
    keras.utils.set_random_seed(55)
    x, y = sequences(1500)
    model = keras.Sequential([
        layers.Embedding(2, 4),
        layers.Bidirectional(layers.GRU(8)),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2, batch_size=50, callbacks=[Throttle()], verbose=2)


if __name__ == "__main__":
    main()
