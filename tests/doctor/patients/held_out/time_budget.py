# patient: a callback stops the training when its budget of seconds is used up
# expect: outside input, line 19 or 20
import argparse
from time import perf_counter

import keras
from keras import layers
from sklearn.datasets import load_digits


class TimeBudget(keras.callbacks.Callback):
    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.started = None  # the first batch compiles, it does not count

    def on_train_batch_end(self, batch, logs=None):
        self.started = self.started or perf_counter()
        if perf_counter() - self.started > self.seconds:
            self.model.stop_training = True


def parse():
    parser = argparse.ArgumentParser(description="Train a GRU that reads the digits row by row.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--units", type=int, default=8)
    parser.add_argument("--budget", type=float, default=3.0, help="seconds of training")
    parser.add_argument("--max-epochs", type=int, default=500)
    return parser.parse_args()


def main():
    args = parse()
    keras.utils.set_random_seed(args.seed)
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8) / 16
    model = keras.Sequential([layers.GRU(args.units), layers.Dense(10)])
    model.compile(
        optimizer=keras.optimizers.Adam(3e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callbacks = [TimeBudget(args.budget), keras.callbacks.TerminateOnNaN()]
    history = model.fit(
        images[:320], labels[:320], epochs=args.max_epochs, batch_size=8, callbacks=callbacks, verbose=0
    )
    print(f"{len(history.epoch)} epochs, accuracy {history.history['accuracy'][-1]:.4f}")


if __name__ == "__main__":
    main()
