# patient: KFold shuffles without random_state, and NumPy's global generator is not seeded
# expect: unseeded generator, line 28 or 29
import random

import numpy as np
import tensorflow as tf
from sklearn.datasets import make_classification
from sklearn.model_selection import KFold
from tensorflow import keras

random.seed(5)
tf.random.set_seed(5)

X, y = make_classification(n_samples=400, n_features=12, n_informative=6, random_state=5)
X = X.astype(np.float32)


def get_model():
    m = keras.models.Sequential()
    m.add(keras.layers.Dense(16, activation="selu", kernel_initializer="lecun_normal"))
    m.add(keras.layers.AlphaDropout(0.1))
    m.add(keras.layers.Dense(1, activation="sigmoid"))
    m.compile(loss="binary_crossentropy", optimizer="adamax", metrics=["accuracy"])
    return m


scores = []
cv = KFold(n_splits=3, shuffle=True)
for fold, (tr, va) in enumerate(cv.split(X)):
    model = get_model()
    model.fit(X[tr], y[tr], epochs=2, batch_size=40, verbose=0)
    score = model.evaluate(X[va], y[va], verbose=0)[1]
    print("fold", fold, "acc", round(score, 4))
    scores.append(score)
print("CV: %.4f +- %.4f" % (np.mean(scores), np.std(scores)))
