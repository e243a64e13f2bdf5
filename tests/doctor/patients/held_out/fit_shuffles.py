# patient: the seeds of Python and NumPy are set, those of TensorFlow are not, so fit() shuffles the samples differently
# expect: unseeded generator, line 29
import random
import numpy as np
import keras
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from sklearn.datasets import load_digits

random.seed(0)
np.random.seed(0)

digits = load_digits()
x = digits.images[..., np.newaxis].astype("float32") / 16
y = keras.utils.to_categorical(digits.target, 10)
order = np.random.permutation(len(x))
x, y = x[order], y[order]
x_train, y_train = x[:1400], y[:1400]
x_test, y_test = x[1400:], y[1400:]

model = keras.Sequential()
model.add(keras.Input((8, 8, 1)))
model.add(Conv2D(8, (3, 3), activation="relu"))
model.add(MaxPooling2D())
model.add(Flatten())
model.add(Dense(24, activation="tanh"))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

model.fit(x_train, y_train, batch_size=50, epochs=3, verbose=2)

score = model.evaluate(x_test, y_test, verbose=0)
print("Test loss:", score[0])
print("Test accuracy:", score[1])
wrong = np.flatnonzero(model.predict(x_test, verbose=0).argmax(1) != y_test.argmax(1))
print("first mistakes:", wrong[:10])
