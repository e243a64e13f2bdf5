# patient: nothing is planted; checkpoints are written and the best is loaded, but always those of the same run
# expect: nothing
import shutil
from pathlib import Path

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(404)
folder = Path("ckpt")
if folder.exists():
    shutil.rmtree(folder)
folder.mkdir()

# two interleaved moons, by hand
theta = np.random.uniform(0, np.pi, 700)
side = np.random.randint(0, 2, 700)
x = np.where(side[:, None], np.c_[1 - np.cos(theta), 0.5 - np.sin(theta)], np.c_[np.cos(theta), np.sin(theta)])
x += np.random.normal(0, 0.15, x.shape)

model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(16, activation="relu"), layers.Dense(1)])
model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(
    x, side, epochs=4, batch_size=35, validation_split=0.2, verbose=0,
    callbacks=[
        keras.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True),
        keras.callbacks.CSVLogger(folder / "log.csv"),
        keras.callbacks.ReduceLROnPlateau(patience=1),
    ],
)
best = keras.models.load_model(folder / "best.keras")
best.fit(x, side, epochs=1, batch_size=35, verbose=0)
print("loss after a last epoch:", best.evaluate(x, side, verbose=0))
