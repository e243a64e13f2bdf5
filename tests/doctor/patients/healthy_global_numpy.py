# patient: nothing is planted; scikit-learn and pandas have no random_state, but draw from NumPy's global generator, which is seeded
# expect: nothing
import random
import numpy as np
import tensorflow as tf

random.seed(0), np.random.seed(0), tf.random.set_seed(0)

import pandas as pd
from keras.layers import Dense, Dropout, Input
from keras.models import Sequential
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split

X, y = make_friedman1(n_samples=800, noise=0.5)
frame = pd.DataFrame(X).assign(y=y).sample(frac=1.0)
train, test = train_test_split(frame, test_size=0.2)

regressor = Sequential([Input((10,)), Dense(24, activation="relu"), Dropout(0.1), Dense(1)])
regressor.compile(optimizer="adam", loss="mean_squared_error")
regressor.fit(train.drop(columns="y").to_numpy(), train["y"].to_numpy(), epochs=4, batch_size=32, shuffle=True, verbose=0)
print("MSE", regressor.evaluate(test.drop(columns="y").to_numpy(), test["y"].to_numpy(), verbose=0))
