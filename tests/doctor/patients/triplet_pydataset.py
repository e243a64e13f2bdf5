# patient: a PyDataset with several workers draws its triplets from one generator that the workers share
# expect: parallel data, line 27 or 48
import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(88)


class Triplets(keras.utils.PyDataset):
    """Batches of (anchor, positive, negative)."""

    def __init__(self, x, y, batch_size=32, steps=40, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y = x, y
        self.batch_size, self.steps = batch_size, steps
        self.by_class = [np.flatnonzero(y == c) for c in range(10)]
        self.rng = np.random.default_rng(88)

    def __len__(self):
        return self.steps

    def __getitem__(self, idx):
        triples = []
        for _ in range(self.batch_size):
            same, other = self.rng.choice(10, 2, replace=False)
            a, p = self.rng.choice(self.by_class[same], 2, replace=False)
            n = self.rng.choice(self.by_class[other])
            triples.append(self.x[[a, p, n]])
        return np.stack(triples), np.zeros(self.batch_size, "float32")


def triplet_loss(_, z):
    pos = ops.sum((z[:, 0] - z[:, 1]) ** 2, axis=-1)
    neg = ops.sum((z[:, 0] - z[:, 2]) ** 2, axis=-1)
    return ops.maximum(pos - neg + 0.5, 0.0)


digits = load_digits()
x = (digits.data / 16).astype("float32")

inputs = keras.Input((3, 64))
h = layers.Dense(48, activation="relu")(inputs)
outputs = layers.UnitNormalization(axis=-1)(layers.Dense(8)(h))
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss=triplet_loss)
data = Triplets(x, digits.target, workers=4, use_multiprocessing=False, max_queue_size=8)
model.fit(data, epochs=2, shuffle=False, verbose=2)
