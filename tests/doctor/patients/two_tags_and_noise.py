# patient: classes are numbered in the order of a set, and a generator without a seed makes the features
# expect: hash order, line 22
# expect: unseeded generator, line 11
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(44)

KINDS = {"sine": np.sin, "square": lambda t: np.sign(np.sin(t)), "saw": lambda t: (t / np.pi) % 2 - 1}
noise = np.random.default_rng()


def signal(kind):
    t = np.linspace(0, 6 * np.pi, 60) + np.random.uniform(0, np.pi)
    return KINDS[kind](t) + noise.normal(0, 0.3, 60)


drawn = [str(k) for k in np.random.choice(list(KINDS), 600)]
X = np.stack([signal(kind) for kind in drawn])[..., None].astype("float32")
tags = {}
for tag in set(drawn):
    tags[tag] = len(tags)
y = np.array([tags[kind] for kind in drawn])

model = keras.Sequential([
    layers.Conv1D(8, 7, strides=2, activation="relu"),
    layers.Flatten(),
    layers.Dense(len(tags), activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=3, batch_size=60, verbose=2)
