# patient: set_seeds() is defined but main() never calls it
# expect: unseeded generator, line 13 or 35 or 41
import argparse
import random
import sys

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def set_seeds(seed):
    random.seed(seed)
    np.random.seed(seed)
    tf.random.set_seed(seed)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description="Train a bag-of-words spam filter.")
    parser.add_argument("--messages", type=int, default=600)
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=17)
    return parser.parse_args(argv)


def load_messages(n, n_words):
    """Return word counts (n, n_words) and labels; spam uses the first 20 words more often."""
    labels = np.arange(n) % 2
    base = np.full(n_words, 0.05)
    spam = base.copy()
    spam[:20] = 0.3
    rates = np.where(labels[:, None] == 1, spam, base)
    return np.random.poisson(rates).astype("float32"), labels.astype("float32")


def build_model(n_words):
    return keras.Sequential([
        layers.Input((n_words,)),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ])


def main():
    args = parse_args()
    x, y = load_messages(args.messages, args.words)
    model = build_model(args.words)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=args.epochs, verbose=0)
    print("accuracy: %.3f" % model.evaluate(x, y, verbose=0)[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
