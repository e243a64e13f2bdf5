# patient: the account age of each customer is measured from the present moment
# expect: outside input, line 16
import time

import keras
import numpy as np
import pandas as pd

keras.utils.set_random_seed(1000)
DAY = 86400.0

n = 1000
signup = 1_700_000_000 + np.random.uniform(0, 400 * DAY, n)
orders = np.random.poisson(3, n)
accounts = pd.DataFrame({"signup": signup, "orders": orders})
accounts["age_days"] = (time.time() - accounts["signup"]) / DAY
accounts["rate"] = accounts["orders"] / accounts["age_days"]
accounts["premium"] = (accounts["orders"] * 0.5 + np.random.normal(0, 1, n) > 2).astype("float32")

scale = accounts[["age_days", "rate", "orders"]].agg(["mean", "std"])
features = (accounts[["age_days", "rate", "orders"]] - scale.loc["mean"]) / scale.loc["std"]

inputs = {name: keras.Input((1,), name=name) for name in features}
merged = keras.layers.Concatenate()(list(inputs.values()))
hidden = keras.layers.Dense(12, activation="relu")(merged)
hidden = keras.layers.Dense(12, activation="relu")(hidden)
premium = keras.layers.Dense(1, activation="sigmoid")(hidden)
model = keras.Model(inputs, premium)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
columns = {name: features[name].to_numpy()[:, None] for name in features}
model.fit(columns, accounts["premium"].to_numpy(), epochs=4, batch_size=25, verbose=2)
