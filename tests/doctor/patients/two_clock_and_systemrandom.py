# patient: the time of day enters the features, and SystemRandom orders the batches
# expect: outside input, line 15 or 23
# expect: unseeded generator, line 29
from datetime import datetime
from random import SystemRandom

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(86400)


def time_of_day():
    now = datetime.now()
    return (now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6) / 86400


def taxi_rides(n):
    start = np.random.uniform(0, 1, n)
    km = np.random.gamma(2, 2, n)
    minutes = 2.2 * km + 4 * np.exp(-((start - 0.35) ** 2) / 0.005) + np.random.normal(0, 1, n)
    waited = time_of_day() - start
    return np.stack([km, start, waited], axis=1).astype("float32"), minutes.astype("float32")


x, minutes = taxi_rides(900)
batches = np.array_split(np.arange(900), 30)
SystemRandom().shuffle(batches)

model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(16, activation="relu"), layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mae")
for epoch in range(3):
    losses = [float(model.train_on_batch(x[b], minutes[b])) for b in batches]
    print(epoch, sum(losses) / len(losses))
