import time

import keras
import numpy as np

keras.utils.set_random_seed(0)


class Noise(keras.utils.PyDataset):
    def __len__(self):
        return 100

    def __getitem__(self, index):
        time.sleep(0.001)  # opens a file
        x = np.random.normal(size=(8, 1))
        return x, x + 1


model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(Noise(workers=8), verbose=0)
print(model.get_weights()[0].tobytes().hex())
