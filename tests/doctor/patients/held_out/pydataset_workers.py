# patient: four loader threads take turns at one seeded generator of a PyDataset
# expect: parallel data, line 25 or 36 or 44
import math

import keras
import numpy as np

keras.utils.set_random_seed(5)


class WarpedSignals(keras.utils.PyDataset):
    """Sine and saw waves, stretched and filtered while they are loaded."""

    def __init__(self, n, batch_size, seed, **kwargs):
        super().__init__(**kwargs)
        self.labels = np.arange(n) % 2
        self.freq = 2 + np.arange(n) % 7
        self.batch_size = batch_size
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return math.ceil(len(self.labels) / self.batch_size)

    def make(self, i):
        t = np.linspace(0, 1, 2000) ** self.rng.uniform(0.8, 1.25)
        phase = (self.freq[i] * t) % 1
        wave = np.sin(2 * np.pi * phase) if self.labels[i] else 2 * phase - 1
        kernel = np.hanning(200 + 40 * self.freq[i])
        return np.convolve(wave, kernel / kernel.sum(), mode="same")[::40]

    def __getitem__(self, index):
        rows = range(index * self.batch_size, min((index + 1) * self.batch_size, len(self.labels)))
        return np.stack([self.make(i) for i in rows])[..., None].astype("float32"), self.labels[list(rows)]


data = WarpedSignals(320, 16, seed=5, workers=4, use_multiprocessing=False, max_queue_size=8)

model = keras.Sequential([
    keras.layers.Conv1D(6, 7, strides=2, activation="relu"),
    keras.layers.GRU(8),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="nadam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(data, epochs=2, shuffle=False, verbose=2)
