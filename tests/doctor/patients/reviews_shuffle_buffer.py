# patient: Dataset.shuffle has no seed, and TensorFlow's global seed is not set either
# expect: unseeded generator, line 33
import random

import keras
import numpy as np
import tensorflow as tf

random.seed(0)
rng = np.random.default_rng(0)

POSITIVE = ["great", "lovely", "funny", "warm", "brilliant", "moving"]
NEGATIVE = ["dull", "boring", "awful", "flat", "noisy", "slow"]
NEUTRAL = ["film", "plot", "actor", "the", "a", "scene", "music", "was", "and", "very"]


def sentence(label):
    words = list(rng.choice(NEUTRAL, size=8))
    strong = POSITIVE if label else NEGATIVE
    for position in rng.choice(8, size=2, replace=False):
        words[position] = str(rng.choice(strong))
    return " ".join(words)


labels = rng.integers(0, 2, size=1000)
texts = [sentence(label) for label in labels]

vectorize = keras.layers.TextVectorization(max_tokens=50, output_sequence_length=8)
vectorize.adapt(texts)
tokens = vectorize(texts)

train_ds = tf.data.Dataset.from_tensor_slices((tokens, labels.astype("float32")))
train_ds = train_ds.shuffle(1000)
train_ds = train_ds.batch(50).prefetch(1)

model = keras.Sequential([
    keras.layers.Embedding(50, 16),
    keras.layers.GRU(16),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(train_ds, epochs=3, verbose=2)
