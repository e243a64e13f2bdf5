# patient: nothing is planted; an unseeded generator moves only the points of a plot
# expect: nothing
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(33)
jitter_rng = np.random.default_rng()

grades = np.random.binomial(20, 0.6, 600)
hours = grades / 4 + np.random.normal(0, 1.0, 600)
sleep = np.random.normal(7, 1, 600)
passed = (grades + 0.5 * (sleep - 7) > 11).astype("float32")
X = np.column_stack([hours, sleep]).astype("float32")

model = keras.Sequential([layers.BatchNormalization(), layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(X, passed, epochs=4, batch_size=30, verbose=0)

p = model.predict(X, verbose=0).ravel()
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
left.plot(history.history["loss"])
right.scatter(hours, passed + jitter_rng.normal(0, 0.03, 600), c=p, s=4)
fig.savefig("students.png")
print("saved students.png, accuracy", history.history["accuracy"][-1])
