# patient: nothing is planted; the buckets of the hashing trick come from zlib.crc32, and hash() sees integers only
# expect: nothing
import zlib

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(32)
CITIES = ["oslo", "lima", "rome", "cairo", "quito", "delhi", "tokyo", "paris"]


def bucket(text, n=16):
    return zlib.crc32(text.encode()) % n


def bin_of(day, n=7):
    return hash(int(day)) % n


city = np.random.choice(CITIES, 900)
day = np.random.randint(0, 365, 900)
temperature = np.array([len(c) * 3 - c.count("o") for c in city]) + 8 * np.sin(day / 58) + np.random.normal(0, 1, 900)

c_in = keras.Input((), dtype="int32", name="city")
d_in = keras.Input((), dtype="int32", name="weekday")
z = layers.Concatenate()([layers.Embedding(16, 4)(c_in), layers.Embedding(7, 2)(d_in)])
model = keras.Model([c_in, d_in], layers.Dense(1)(layers.Dense(10, activation="relu")(z)))
model.compile("adam", "mae")
data = {"city": np.array([bucket(c) for c in city]), "weekday": np.array([bin_of(d) for d in day])}
model.fit(data, temperature, epochs=4, batch_size=30, verbose=2)
