# patient: fit shuffles with TensorFlow's generator, and only the generators of Python and NumPy are seeded
# expect: unseeded generator, line 31
import random

import numpy as np
from keras import Sequential, layers, regularizers

random.seed(123)
np.random.seed(123)

# synthetic housing table: area, rooms, age, distance to centre, floor
n = 900
area = np.random.uniform(30, 180, n)
rooms = np.clip(np.round(area / 28 + np.random.normal(0, 0.7, n)), 1, 8)
age = np.random.exponential(25, n)
dist = np.random.gamma(2.0, 3.0, n)
floor = np.random.randint(0, 9, n)
price = 2.1 * area + 14 * rooms - 0.6 * age - 7 * dist + 1.5 * floor + np.random.normal(0, 15, n)

X = np.column_stack([area, rooms, age, dist, floor]).astype("float32")
X = (X - X.mean(axis=0)) / X.std(axis=0)
y = ((price - price.mean()) / price.std()).astype("float32")

model = Sequential([
    layers.Input((5,)),
    layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(1e-4)),
    layers.Dense(16, activation="relu"),
    layers.Dense(1),
])
model.compile(loss="mae", optimizer="sgd")
history = model.fit(X, y, validation_split=0.2, epochs=6, batch_size=16, verbose=0)
print("val MAE:", history.history["val_loss"][-1])
