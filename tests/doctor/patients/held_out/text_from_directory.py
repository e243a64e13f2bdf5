# patient: text_dataset_from_directory draws its shuffling seed from NumPy's global generator, which nobody seeded
# expect: unseeded generator, line 35
import os
import random
import tempfile

import keras
import tensorflow as tf
from keras import layers

random.seed(11)
tf.random.set_seed(11)

SUBJECTS = ["the film", "this book", "the actor", "her new song", "the second act", "the ending"]
GOOD = ["was a delight", "made me smile", "is worth every minute", "shines from start to end"]
BAD = ["was a waste of time", "bored me", "is a mess", "falls flat from start to end"]


def write_reviews(root, n=240):
    pick = random.Random(0)
    for label, phrases in (("neg", BAD), ("pos", GOOD)):
        os.makedirs(os.path.join(root, label))
        for i in range(n):
            words = [pick.choice(SUBJECTS), pick.choice(phrases), "and", pick.choice(SUBJECTS), pick.choice(phrases)]
            with open(os.path.join(root, label, f"{i:04d}.txt"), "w") as f:
                f.write(" ".join(words))


def vectorise(ds, layer):
    return ds.map(lambda text, label: (layer(text), label))


with tempfile.TemporaryDirectory() as root:
    write_reviews(root)
    raw = keras.utils.text_dataset_from_directory(root, batch_size=32)
    vectorizer = layers.TextVectorization(max_tokens=200, output_sequence_length=16)
    vectorizer.adapt(raw.map(lambda text, label: text))
    train = vectorise(raw, vectorizer)

    model = keras.Sequential([
        layers.Embedding(200, 16),
        layers.GlobalAveragePooling1D(),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(train, epochs=3, verbose=2)
