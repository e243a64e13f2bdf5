# patient: healthy; unseeded weights are replaced before the training, and unseeded jitter only delays a retry
# expect: nothing
"""Transfer: fine-tune the head of a network whose weights are given."""
import random
import time

import keras
import numpy as np
from sklearn.datasets import load_wine


class Flaky(Exception):
    pass


def with_retries(function, attempts=3):
    for attempt in range(attempts):
        try:
            return function(attempt)
        except Flaky:
            time.sleep(0.01 + 0.02 * random.random())
    raise RuntimeError("no luck")


def download(attempt):
    if attempt == 0:
        raise Flaky("timeout")
    bunch = load_wine()
    x = (bunch.data - bunch.data.mean(0)) / bunch.data.std(0)
    return x.astype("float32"), bunch.target


def pretrained(shapes):
    generator = np.random.Generator(np.random.PCG64(20))
    return [(generator.standard_normal(s) / np.sqrt(s[0])).astype("float32") for s in shapes]


features, target = with_retries(download)
base = keras.Sequential([keras.Input((13,)), keras.layers.Dense(20, "relu"), keras.layers.Dense(10, "relu")], name="base")
head = keras.layers.Dense(3, kernel_initializer="zeros")
model = keras.Sequential([keras.Input((13,)), base, head])
base.set_weights(pretrained([w.shape for w in base.weights]))

sample = np.random.choice(len(features), 5)
print("untrained answers for a few wines:", model.predict(features[sample], verbose=0).argmax(1))

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
base.trainable = False
for rate, epochs in ((0.05, 3), (0.005, 3)):
    model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss, metrics=["accuracy"])
    model.fit(features, target, epochs=epochs, batch_size=32, shuffle=False, verbose=2)
    base.trainable = True
