# patient: nothing is planted; sets of strings are used, but sorted before the order matters
# expect: nothing
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(150)

SPECIES = {"setosa": (5.0, 3.4, 1.5, 0.2), "versicolor": (5.9, 2.8, 4.3, 1.3), "virginica": (6.6, 3.0, 5.6, 2.0)}
rows, names = [], []
for name, means in SPECIES.items():
    rows.append(np.random.normal(means, 0.35, (80, 4)))
    names += [name] * 80

classes = sorted({name.title() for name in names})
number = {c: i for i, c in enumerate(classes)}
X = np.concatenate(rows)
y = np.array([number[n.title()] for n in names])

rare = {"setosa", "virginica"}
weight = {number[n.title()]: 1.5 for n in rare}
weight.setdefault(number["Versicolor"], 1.0)
print("longest name:", max(len(n) for n in rare), " seen:", len(set(names)))

model = keras.Sequential([layers.Normalization(), layers.Dense(10, "relu"), layers.Dense(3, "softmax")])
model.layers[0].adapt(X)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=5, batch_size=24, class_weight=weight, verbose=2)
