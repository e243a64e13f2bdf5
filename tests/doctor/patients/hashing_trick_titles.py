# patient: the hashing trick puts each word into the bucket hash(word) % 128
# expect: hash order, line 23
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(128)
BUCKETS = 128

SPORT = "goal match team coach league final striker cup season win".split()
SCIENCE = "cell star probe gene laser theory proton ocean fossil orbit".split()
FILLER = "new big says after first report week over why how year best".split()


def headline(topic):
    pool = SPORT if topic == 0 else SCIENCE
    return list(np.random.choice(pool, 2)) + list(np.random.choice(FILLER, 4))


def featurize(tokens):
    row = np.zeros(BUCKETS, dtype="float32")
    for token in tokens:
        row[hash(str(token)) % BUCKETS] += 1.0
    return row


topics = np.random.randint(0, 2, 800)
X = np.vstack([featurize(headline(t)) for t in topics])
split = 600

clf = keras.Sequential(name="headlines")
clf.add(layers.Dense(8, activation="relu", kernel_regularizer="l2"))
clf.add(layers.Dropout(0.25))
clf.add(layers.Dense(1, activation="sigmoid"))
clf.compile(optimizer=keras.optimizers.Ftrl(0.1), loss="binary_crossentropy", metrics=["accuracy"])
clf.fit(X[:split], topics[:split], epochs=3, batch_size=50, verbose=0)
print(clf.evaluate(X[split:], topics[split:], verbose=0, return_dict=True))
