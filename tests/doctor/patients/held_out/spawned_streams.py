# patient: healthy; every stream of random numbers comes from one written-down entropy
# expect: nothing
import itertools
from typing import NamedTuple

import keras
import numpy as np
from keras import layers


class Streams(NamedTuple):
    data: np.random.Generator
    batches: np.random.Generator
    keras_seed: int

    @classmethod
    def from_entropy(cls, entropy):
        first, second, third = np.random.SeedSequence(entropy).spawn(3)
        return cls(np.random.default_rng(first), np.random.default_rng(second), int(third.generate_state(1)[0]))


def addition_problems(rng, n):
    """Sequences of numbers, two of them marked; the target is the sum of the marked ones."""
    numbers = rng.random((n, 12))
    marks = np.zeros_like(numbers)
    for row in marks:
        row[rng.choice(12, size=2, replace=False)] = 1
    return np.stack([numbers, marks], axis=-1).astype("float32"), (numbers * marks).sum(1).astype("float32")


def batches(rng, x, y, size):
    while True:
        rows = rng.permutation(len(x))[:size]
        yield x[rows], y[rows]


def main():
    streams = Streams.from_entropy(0x5EED_2025)
    seeds = itertools.count(streams.keras_seed)
    x, y = addition_problems(streams.data, 800)
    inputs = keras.Input((12, 2))
    h = layers.LSTM(12, kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
                    recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)))(inputs)
    h = layers.Dropout(0.1, seed=next(seeds))(h)
    h = layers.Dense(1, kernel_initializer=keras.initializers.LecunNormal(seed=next(seeds)))(h)
    model = keras.Model(inputs, h)
    model.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), "mse")
    model.fit(batches(streams.batches, x, y, 50), steps_per_epoch=30, epochs=2, verbose=2)


if __name__ == "__main__":
    main()
