# patient: a feature is the time from a customer's last order until now
# expect: outside input, line 24
import keras
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(1)


def load_customers(n=900):
    rng = np.random.default_rng(1)
    first = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.uniform(0, 300, n), unit="D")
    last = first + pd.to_timedelta(rng.exponential(120, n), unit="D")
    frame = pd.DataFrame({"first_order": first, "last_order": last, "orders": rng.poisson(4, n) + 1})
    frame["basket"] = rng.gamma(3, 15, n)
    frame["churned"] = (rng.random(n) < 1 / (1 + np.exp(frame.orders - 4))).astype(int)
    return frame


def add_features(frame):
    frame = frame.copy()
    frame["lifetime"] = (frame.last_order - frame.first_order).dt.total_seconds() / 86400
    frame["recency"] = (pd.Timestamp.now() - frame.last_order).dt.total_seconds() / 86400
    frame["frequency"] = frame.orders / (1 + frame.lifetime)
    for column in ("recency", "lifetime", "basket"):
        frame[column] = np.log1p(frame[column].clip(lower=0))
    return frame[["recency", "lifetime", "frequency", "basket", "orders"]].astype("float32")


customers = load_customers()
X, y = add_features(customers), customers["churned"]
X_train, X_val, y_train, y_val = train_test_split(X, y, stratify=y, random_state=1)

inputs = {name: keras.Input((1,), name=name) for name in X.columns}
x = keras.layers.Concatenate()(list(inputs.values()))
x = keras.layers.Dense(16, activation="relu")(x)
output = keras.layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, output)
model.compile("adam", "binary_crossentropy", metrics=["auc"])


def columns(frame):
    return {name: frame[[name]].to_numpy() for name in frame}


model.fit(columns(X_train), y_train, validation_data=(columns(X_val), y_val), epochs=5, verbose=2)
