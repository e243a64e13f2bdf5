# patient: nothing is planted; fit shuffles the batches of a PyDataset with Python's generator, and workers draw by index
# expect: nothing
import math
import keras
import numpy as np

keras.utils.set_random_seed(6174)


class Wavelets(keras.utils.PyDataset):
    def __init__(self, size, batch, **kwargs):
        super().__init__(**kwargs)
        self.size, self.batch = size, batch

    def __len__(self):
        return math.ceil(self.size / self.batch)

    def __getitem__(self, index):
        rng = np.random.default_rng((6174, index))
        n = min(self.batch, self.size - index * self.batch)
        width = rng.uniform(0.5, 2.0, (n, 1))
        t = np.linspace(-4, 4, 48)
        wave = (1 - (t / width) ** 2) * np.exp(-((t / width) ** 2) / 2)
        return (wave + rng.normal(0, 0.2, wave.shape)).astype("float32"), width.astype("float32")


model = keras.Sequential()
model.add(keras.layers.Reshape((48, 1)))
model.add(keras.layers.Conv1D(6, 9, activation="relu"))
model.add(keras.layers.GlobalMaxPooling1D())
model.add(keras.layers.Dense(1))
model.compile("adam", "mse")
model.fit(Wavelets(900, 45, workers=3), epochs=4, shuffle=True, verbose=2)
