# patient: training pairs are listed in the order of a set of pairs of names; PYTHONHASHSEED is set when Python is already running
# expect: hash order, line 4 or 23 or 26
import os
os.environ["PYTHONHASHSEED"] = "0"
import itertools
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)

names = ["ada", "bob", "cleo", "dan", "eve", "finn", "gwen", "hugo", "iris", "joe", "kim", "lars"]
index = {name: k for k, name in enumerate(names)}

# two circles of friends and one person who knows both
friends = set()
for circle in (names[:6], names[6:], ["ada", "lars"]):
    friends.update(itertools.combinations(circle, 2))
pairs = list(itertools.combinations(names, 2))
strangers = set(pairs) - friends

rows, target = [], []
for a, b in friends:
    rows.append((index[a], index[b]))
    target.append(1)
for a, b in strangers:
    rows.append((index[a], index[b]))
    target.append(0)
rows = np.array(rows)
target = np.array(target, dtype="float32")

left = keras.Input((), dtype="int32")
right = keras.Input((), dtype="int32")
embed = layers.Embedding(len(names), 4)
affinity = layers.Dot(axes=1)([embed(left), embed(right)])
model = keras.Model([left, right], layers.Activation("sigmoid")(affinity))
model.compile(optimizer=keras.optimizers.Adam(0.05), loss="binary_crossentropy")
for epoch in range(6):
    for start in range(0, len(rows), 11):
        part = slice(start, start + 11)
        loss = model.train_on_batch([rows[part, 0], rows[part, 1]], target[part])
    print(epoch, float(loss))
