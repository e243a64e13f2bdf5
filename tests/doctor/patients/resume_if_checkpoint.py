# patient: the script loads the weights that its earlier run saved and trains on from there
# expect: left-over file, line 29 or 30
import pathlib

import keras
import numpy as np
from sklearn.datasets import load_digits

CKPT = pathlib.Path("checkpoints") / "digits.weights.h5"


def make_model():
    inputs = keras.layers.Input((8, 8))
    x = keras.layers.LSTM(20, return_sequences=True)(inputs)
    x = keras.layers.LSTM(20)(x)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    model = keras.Model(inputs, outputs, name="rows_as_time")
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def run(epochs=2):
    images, target = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8).astype("float32") / 16
    model = make_model()
    CKPT.parent.mkdir(exist_ok=True)
    if CKPT.exists():
        print("found", CKPT)
        model.load_weights(CKPT)
    save = keras.callbacks.ModelCheckpoint(str(CKPT), save_weights_only=True)
    history = model.fit(images, target, batch_size=128, epochs=epochs, callbacks=[save], verbose=0)
    return history.history["accuracy"]


keras.utils.set_random_seed(1)
for epoch, value in enumerate(run(), start=1):
    print(f"epoch {epoch}: accuracy {np.round(value, 3)}")
