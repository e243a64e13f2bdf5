# patient: the seed of an experiment is hash() of its name
# expect: varying seed, line 18 or 25
import keras
import numpy as np
from keras import layers


class Experiment:
    registry = {}

    def __init__(self, name, depth, width, activation):
        self.name = name
        self.depth, self.width, self.activation = depth, width, activation
        Experiment.registry[name] = self

    @property
    def seed(self):
        return abs(hash(self.name)) % 10_000

    def model(self):
        stack = [layers.Dense(self.width, activation=self.activation) for _ in range(self.depth)]
        return keras.Sequential([*stack, layers.Dense(1)])

    def run(self, x, y):
        keras.utils.set_random_seed(self.seed)
        net = self.model()
        net.compile(optimizer="adam", loss="huber")
        result = net.fit(x, y, epochs=3, batch_size=50, verbose=0)
        return result.history["loss"][-1]


Experiment("shallow-relu", depth=1, width=32, activation="relu")
Experiment("deep-tanh", depth=3, width=12, activation="tanh")

grid = np.stack(np.meshgrid(np.linspace(-1, 1, 20), np.linspace(-1, 1, 20)), axis=-1).reshape(-1, 2)
target = np.sin(3 * grid[:, 0]) * grid[:, 1]
for name, experiment in Experiment.registry.items():
    print(f"{name:>15}: {experiment.run(grid.astype('float32'), target):.5f}")
