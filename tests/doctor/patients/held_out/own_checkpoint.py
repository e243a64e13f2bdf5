# patient: healthy; the checkpoint it loads at the end is always the one that this run has written
# expect: nothing
import os
import keras
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(2)
CHECKPOINT = "best.weights.h5"
if os.path.exists(CHECKPOINT):
    print("there is an old checkpoint, it will be replaced")

X, y = load_breast_cancer(return_X_y=True)
X_tr, X_va, y_tr, y_va = train_test_split(X, y, test_size=0.3, random_state=2)
scaler = StandardScaler().fit(X_tr)
X_tr = scaler.transform(X_tr).astype(np.float32)
X_va = scaler.transform(X_va).astype(np.float32)

model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.GaussianNoise(0.3),
    keras.layers.Dense(16, activation="leaky_relu", kernel_regularizer="l2"),
    keras.layers.AlphaDropout(0.1),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy")
save = keras.callbacks.ModelCheckpoint(
    CHECKPOINT, monitor="val_loss", save_best_only=True, save_weights_only=True)
stop = keras.callbacks.EarlyStopping(patience=2)
log = keras.callbacks.CSVLogger("history.csv", append=True)
model.fit(X_tr, y_tr, validation_data=(X_va, y_va), epochs=8, callbacks=[save, stop, log], verbose=2)
model.load_weights(CHECKPOINT)

# a few gentle steps from the best epoch
model.compile(optimizer=keras.optimizers.SGD(1e-3), loss="binary_crossentropy")
model.fit(X_tr, y_tr, epochs=1, verbose=0)
print("validation loss:", model.evaluate(X_va, y_va, verbose=0))
