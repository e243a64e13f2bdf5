# patient: class numbers are given in the order of a set of class names
# expect: hash order, line 21 or 22
import keras
import numpy as np
import pandas as pd

keras.utils.set_random_seed(64)

# ---- customers -------------------------------------------------------------
n = 1200
customers = pd.DataFrame({
    "age": np.random.randint(18, 80, n),
    "income": np.random.gamma(4, 900, n),
    "complaints": np.random.poisson(0.8, n),
    "years": np.random.exponential(4, n),
})
anger = customers.complaints * 1.2 - customers.years * 0.3 + np.random.normal(0, 0.6, n)
customers["status"] = np.select([anger > 1.0, anger > 0.0], ["churned", "at risk"], "loyal")

# ---- labels ------------------------------------------------------------------
status_names = set(customers["status"])
status_to_int = {name: k for k, name in enumerate(status_names)}
y = customers["status"].map(status_to_int).to_numpy()

# ---- features ----------------------------------------------------------------
X = customers[["age", "income", "complaints", "years"]].to_numpy(dtype="float32")
X = (X - X.mean(0)) / X.std(0)

# ---- model -------------------------------------------------------------------
model = keras.models.Sequential([
    keras.layers.Dense(20, activation="relu"),
    keras.layers.BatchNormalization(),
    keras.layers.Dense(len(status_to_int), activation="softmax"),
])
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, batch_size=60, epochs=4, validation_split=0.25, verbose=2)
