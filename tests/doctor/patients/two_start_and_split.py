# patient: neither the split (NumPy) nor the first weights and dropout (Python's random) are seeded, only TensorFlow
# expect: unseeded generator, line 27 or 28
# expect: unseeded generator, line 19
import tensorflow as tf
from keras import callbacks, layers, models
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

tf.random.set_seed(1)


def load():
    bunch = load_digits(n_class=5)
    return bunch.data / 16.0, bunch.target


def create_model():
    inputs = layers.Input((64,))
    hidden = layers.Dense(30, activation="relu")(inputs)
    hidden = layers.Dropout(0.3)(hidden)
    outputs = layers.Dense(5, activation="softmax")(hidden)
    return models.Model(inputs, outputs)


def main():
    x, y = load()
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=0.3)
    train, test = next(splitter.split(x, y))
    model = create_model()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    stop = callbacks.EarlyStopping(monitor="val_accuracy", patience=2, restore_best_weights=True)
    model.fit(x[train], y[train], epochs=4, validation_data=(x[test], y[test]), callbacks=[stop], verbose=2)


main()
