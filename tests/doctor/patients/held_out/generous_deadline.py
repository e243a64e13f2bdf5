# patient: healthy; the loop ends after its steps long before its deadline, and the random name is only that of a file
# expect: nothing
import json
import os
import time
import uuid

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(55)
RUN = uuid.uuid4().hex[:8]
DEADLINE = time.monotonic() + 1800

points = np.random.default_rng(55).uniform(-1, 1, (512, 2)).astype("float32")
target = np.where(points[:, :1] * points[:, 1:] > 0, 1.0, -1.0).astype("float32")
net = keras.Sequential([
    keras.Input((2,)),
    keras.layers.Dense(24, activation="tanh"),
    keras.layers.Dense(1),
])
optimizer = keras.optimizers.Lion(3e-3)
optimizer.build(net.trainable_variables)


@tf.function
def train(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.softplus(-y * net(x, training=True)))
    gradients = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(gradients, net.trainable_variables))
    return loss


step, losses = 0, []
while time.monotonic() < DEADLINE and step < 200:
    rows = np.random.randint(0, len(points), 64)
    losses.append(float(train(points[rows], target[rows])))
    step += 1

os.makedirs("runs", exist_ok=True)
with open(os.path.join("runs", RUN + ".json"), "w") as f:
    json.dump({"pid": os.getpid(), "finished": time.ctime(), "loss": losses[-1]}, f)
print(RUN, losses[0], "->", losses[-1])
