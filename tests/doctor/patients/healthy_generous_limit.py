# patient: nothing is planted; the time limit of an hour is never reached
# expect: nothing
import time
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(3600)


class TimeLimit(keras.callbacks.Callback):
    def __init__(self, seconds):
        super().__init__()
        self.deadline = time.time() + seconds

    def on_epoch_end(self, epoch, logs=None):
        if time.time() > self.deadline:
            print("time is up")
            self.model.stop_training = True


# Conway's game of life, one step, to be learned
board = (np.random.rand(400, 10, 10) < 0.4).astype("float32")
count = sum(np.roll(board, (i, j), (1, 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)) - board
after = ((count == 3) | ((count == 2) & (board == 1))).astype("float32")
padded = np.pad(board, ((0, 0), (1, 1), (1, 1)), mode="wrap")[..., None]

life = keras.Sequential([
    layers.Conv2D(12, 3, activation="relu"),
    layers.Conv2D(12, 1, activation="relu"),
    layers.Conv2D(1, 1, activation="sigmoid"),
])
life.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
life.fit(padded, after[..., None], epochs=4, batch_size=20, callbacks=[TimeLimit(3600)], verbose=2)
