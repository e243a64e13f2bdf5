# patient: PCA chooses its randomised solver for this shape and has no random_state
# expect: unseeded generator, line 28
import random

import keras
import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

random.seed(3)
tf.random.set_seed(3)
rng = np.random.default_rng(3)

# spectra: 700 samples with 1200 channels, three substances
n, channels = 700, 1200
axis = np.linspace(0, 1, channels)
peaks = rng.uniform(0.1, 0.9, size=(3, 6))
labels = rng.integers(0, 3, size=n)
spectra = np.zeros((n, channels))
for i, label in enumerate(labels):
    for p in peaks[label]:
        spectra[i] += rng.uniform(0.5, 1.5) * np.exp(-((axis - p - rng.normal(0, 0.01)) ** 2) / 2e-4)
spectra += rng.normal(0, 0.3, size=spectra.shape)

# reduce the channels
scaled = StandardScaler().fit_transform(spectra)
pca = PCA(n_components=30)
features = pca.fit_transform(scaled).astype("float32")
print("explained:", pca.explained_variance_ratio_.sum())

# classify
model = keras.Sequential()
model.add(keras.layers.Input(shape=(30,)))
model.add(keras.layers.Dense(32, activation="relu"))
model.add(keras.layers.Dropout(0.2))
model.add(keras.layers.Dense(3, activation="softmax"))
model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(features[:600], labels[:600], epochs=8, batch_size=32, verbose=0)
print(model.evaluate(features[600:], labels[600:], verbose=0))
