"""Lost: the number of epochs that a callback of the script has seen."""

import keras
import numpy as np

keras.utils.set_random_seed(1)
x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
y = x.sum(axis=1, keepdims=True)


class Slower(keras.callbacks.Callback):
    """Train with a lower learning rate after three epochs in all."""

    def __init__(self):
        super().__init__()
        self.epochs_seen = 0

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002
        self.epochs_seen += 1
        if self.epochs_seen > 3:
            self.model.optimizer.learning_rate.assign(0.01)


model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.05), "mse")
model.fit(x, y, epochs=6, batch_size=8, shuffle=False, verbose=0, callbacks=[Slower()])
