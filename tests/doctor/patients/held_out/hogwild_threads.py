# patient: two Python threads update the weights of the same model without waiting for each other
# expect: thread race, line 49 or 54 or 56
import logging
import threading

import keras
import numpy as np
import tensorflow as tf

logging.basicConfig(level=logging.INFO, format="%(threadName)s: %(message)s")
keras.utils.set_random_seed(31)


def make_ratings(n_users=60, n_items=40, n=4000):
    rng = np.random.default_rng(31)
    users, items = rng.integers(0, n_users, n), rng.integers(0, n_items, n)
    taste, style = rng.normal(size=(n_users, 3)), rng.normal(size=(n_items, 3))
    stars = (taste[users] * style[items]).sum(1) + rng.normal(0, 0.2, n)
    return users, items, stars.astype("float32")


class Factorisation(keras.Model):
    def __init__(self, n_users=60, n_items=40, rank=4):
        super().__init__()
        self.user = keras.layers.Embedding(n_users, rank)
        self.item = keras.layers.Embedding(n_items, rank)

    def call(self, users, items):
        return tf.reduce_sum(self.user(users) * self.item(items), axis=-1)


model = Factorisation()
optimizer = keras.optimizers.SGD(0.5)
model(tf.constant([0]), tf.constant([0]))
optimizer.build(model.trainable_variables)


@tf.function(reduce_retracing=True)
def update(users, items, stars):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(users, items) - stars))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


def work(part, columns):
    for start in range(0, len(columns[0]), 32):
        loss = update(*(tf.constant(c[start:start + 32]) for c in columns))
    logging.info("part %d done, loss %.3f", part, float(loss))


ratings = make_ratings()
threads = [threading.Thread(target=work, args=(k, [c[k::2] for c in ratings])) for k in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
