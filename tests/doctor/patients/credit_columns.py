# patient: the feature columns are the difference of two sets, in the order of iteration
# expect: hash order, line 29 or 36
from __future__ import annotations

import keras
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

TARGET = "default"
LEAKY = {"recovered", "collections"}


def load(n: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(36)
    frame = pd.DataFrame({
        "income": rng.lognormal(10, 0.5, n), "loan": rng.lognormal(9, 0.6, n), "term": rng.choice([12, 24, 36], n),
        "utilisation": rng.beta(2, 5, n), "inquiries": rng.poisson(1, n), "age": rng.integers(20, 70, n),
    })
    logit = 2 * frame.loan / frame.income + 2 * frame.utilisation + 0.3 * frame.inquiries - 2.2
    frame[TARGET] = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    frame["recovered"] = frame[TARGET] * rng.random(n)
    frame["collections"] = frame[TARGET] * rng.integers(1, 4, n)
    return frame


def feature_names(frame: pd.DataFrame) -> list[str]:
    return list(set(frame.columns) - LEAKY - {TARGET})


def main() -> None:
    keras.utils.set_random_seed(36)
    frame = load()
    scaling = Pipeline([("quantiles", QuantileTransformer(n_quantiles=50)), ("scale", StandardScaler())])
    x = scaling.fit_transform(frame[feature_names(frame)])
    model = keras.Sequential([
        keras.layers.Dense(16, activation="mish"),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
    model.compile("adam", "binary_crossentropy", metrics=["auc"])
    model.fit(x, frame[TARGET].to_numpy(), epochs=4, batch_size=100, verbose=2)


if __name__ == "__main__":
    main()
