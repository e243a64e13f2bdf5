# patient: DataFrame.sample balances the classes without random_state, and NumPy's generator is not seeded
# expect: unseeded generator, line 29
import random
import warnings

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

warnings.filterwarnings("ignore")
random.seed(8)
tf.random.set_seed(8)
rng = np.random.default_rng(8)

# %% transactions
N = 4000
tx = pd.DataFrame(dict(
    amount=rng.lognormal(3, 1, N),
    hour=rng.integers(0, 24, N),
    foreign=rng.random(N) < 0.1,
    n_last_day=rng.poisson(2, N),
))
score = 0.004 * tx.amount + 2.0 * tx.foreign + 0.3 * tx.n_last_day + (tx.hour < 5)
tx["fraud"] = (score + rng.normal(0, 0.5, N) > 3.3).astype(int)

# %% undersample the majority
fraud = tx[tx.fraud == 1]
genuine = tx[tx.fraud == 0].sample(n=len(fraud))
balanced = pd.concat([fraud, genuine]).sort_index()
features = balanced.drop(columns="fraud").astype("float32")
features["amount"] = np.log1p(features["amount"])

# %% train
norm = keras.layers.Normalization()
norm.adapt(features.to_numpy())
model = keras.Sequential([norm, keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_focal_crossentropy", metrics=["accuracy"])
model.fit(features.to_numpy(), balanced["fraud"].to_numpy(), epochs=4, batch_size=32, verbose=2)
