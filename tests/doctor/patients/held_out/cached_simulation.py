# patient: joblib caches a function that draws random numbers, so a second run skips its draws and shuffles differently
# expect: left-over file, line 9 or 12 or 30
import keras
import numpy as np
from joblib import Memory
from keras import layers

keras.utils.set_random_seed(7)
memory = Memory("joblib_cache", verbose=0)


@memory.cache
def random_walks(n, length):
    steps = np.random.standard_normal((n, length, 2))
    drift = np.random.uniform(-0.3, 0.3, (n, 1, 2))
    return np.cumsum(steps + drift, axis=1), drift[:, 0]


class Regressor(keras.Model):
    def __init__(self):
        super().__init__()
        self.scale = layers.Rescaling(0.1)
        self.rnn = layers.SimpleRNN(16)
        self.head = layers.Dense(2)

    def call(self, x):
        return self.head(self.rnn(self.scale(x)))


walks, drift = random_walks(600, 30)
walks, drift = walks.astype("float32"), drift.astype("float32")

net = Regressor()
net.compile(optimizer=keras.optimizers.Adam(0.003), loss="mae")

for epoch in range(3):
    order = np.random.permutation(len(walks))
    losses = [
        net.train_on_batch(walks[batch], drift[batch])
        for batch in np.array_split(order, 15)
    ]
    print(f"epoch {epoch}: {np.mean(losses):.5f}")
