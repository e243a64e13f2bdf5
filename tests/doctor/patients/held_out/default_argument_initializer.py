# patient: a default argument creates the layers' initialiser when the function is defined, before main() sets the seed
# expect: unseeded generator, line 19
import argparse
import logging

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

log = logging.getLogger("digits")


def load(seed):
    X, y = load_digits(return_X_y=True)
    return train_test_split((X / 16).astype("float32"), y, test_size=0.25, random_state=seed)


def build(width, init=keras.initializers.HeNormal(), act="relu"):
    inputs = keras.Input((64,))
    x = keras.layers.Dense(width, activation=act, kernel_initializer=init)(inputs)
    x = keras.layers.BatchNormalization()(x)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--width", type=int, default=48)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

    keras.utils.set_random_seed(args.seed)
    X_train, X_test, y_train, y_test = load(args.seed)
    model = build(args.width)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X_train, y_train, epochs=args.epochs, batch_size=64, verbose=0)
    loss, acc = model.evaluate(X_test, y_test, verbose=0)
    log.info("test loss %.4f, accuracy %.4f", loss, acc)
    log.info("mean confidence %.4f", np.max(model.predict(X_test, verbose=0), axis=1).mean())


if __name__ == "__main__":
    main()
