# patient: the threads of a pool draw from one seeded generator, although pool.map keeps the order of the results
# expect: thread race, line 18 or 28
from multiprocessing.pool import ThreadPool

import keras
import numpy as np
from keras import layers

SEED = 123
keras.utils.set_random_seed(SEED)
rng = np.random.RandomState(SEED)
CLASSES = 4


def render(label, size=20):
    """A blurred picture of label + 1 stripes."""
    yy, xx = np.mgrid[0:size, 0:size] / size
    angle, shift = rng.uniform(-0.4, 0.4), rng.uniform(0, 1)
    wave = np.sin(2 * np.pi * ((label + 1) * (xx * np.cos(angle) + yy * np.sin(angle)) + shift))
    for _ in range(4):
        spectrum = np.fft.fft2(np.kron(wave, np.ones((8, 8))))
        wave = np.real(np.fft.ifft2(spectrum))[::8, ::8]
    return wave


labels = np.arange(240) % CLASSES
with ThreadPool(4) as pool:
    pictures = np.array(pool.map(render, labels, chunksize=1))[..., None].astype("float32")

split = 200
model = keras.Sequential(
    [
        layers.Conv2D(6, 5, strides=2, activation="relu"),
        layers.Conv2D(12, 3, activation="relu"),
        layers.Flatten(),
        layers.Dropout(0.25),
        layers.Dense(CLASSES, activation="softmax"),
    ]
)
model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
for epoch in range(3):
    for i in range(0, split, 40):
        logs = model.train_on_batch(pictures[i:i + 40], labels[i:i + 40], return_dict=True)
    print(epoch, {k: round(float(v), 4) for k, v in logs.items()})
print(model.evaluate(pictures[split:], labels[split:], verbose=0))
