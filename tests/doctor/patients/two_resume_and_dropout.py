# patient: weights of an earlier run are loaded, and the dropout layers get their seeds from Python's unseeded random
# expect: left-over file, line 27 or 31
# expect: unseeded generator, line 20
import os
import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential
from tensorflow.keras.initializers import HeNormal
from tensorflow.keras.layers import BatchNormalization, Dense, Dropout, Input

np.random.seed(10)
tf.random.set_seed(10)

X = np.random.randn(1000, 6).astype("float32")
y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype("float32")

model = Sequential()
model.add(Input((6,)))
model.add(Dense(32, activation="relu", kernel_initializer=HeNormal(1)))
model.add(Dropout(0.2))
model.add(BatchNormalization())
model.add(Dense(1, activation="sigmoid", kernel_initializer=HeNormal(2)))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])

weights_file = "last.weights.h5"
if os.path.isfile(weights_file):
    model.load_weights(weights_file)
    print("continuing from", weights_file)

model.fit(X, y, epochs=3, batch_size=50, verbose=2)
model.save_weights(weights_file)
