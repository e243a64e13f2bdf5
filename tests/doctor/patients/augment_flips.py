# patient: the augmenting generator flips and shifts with an own random.Random() that has no seed
# expect: unseeded generator, line 18
from random import Random

import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(11)

digits = load_digits()
x_all = digits.images.astype("float32") / 16.0
y_all = digits.target


def augmented_batches(x, y, batch_size):
    dice = Random()
    while True:
        picked = np.random.choice(len(x), batch_size, replace=False)
        batch = []
        for image in x[picked]:
            if dice.random() < 0.5:
                image = np.roll(image, dice.choice([-1, 1]), axis=1)
            if dice.random() < 0.2:
                image = np.roll(image, dice.choice([-1, 1]), axis=0)
            batch.append(image)
        yield np.stack(batch)[..., None], y[picked]


net = keras.Sequential()
net.add(layers.Input((8, 8, 1)))
net.add(layers.SeparableConv2D(24, 3, activation="relu"))
net.add(layers.MaxPooling2D())
net.add(layers.Flatten())
net.add(layers.Dense(10, activation="softmax"))
net.compile(keras.optimizers.Nadam(2e-3), "sparse_categorical_crossentropy", metrics=["acc"])

stream = augmented_batches(x_all[:1500], y_all[:1500], 100)
for step in range(60):
    logs = net.train_on_batch(*next(stream), return_dict=True)
    if step % 20 == 19:
        print(step + 1, {k: round(float(v), 3) for k, v in logs.items()})
guess = ops.argmax(net.predict(x_all[1500:, ..., None], verbose=0), axis=-1)
print("accuracy", float(np.mean(np.asarray(guess) == y_all[1500:])))
