"""Draw once with each function of TensorFlow and Keras that is watched, and train a network."""

# ruff: noqa: NPY002 - the global generator is what is watched

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(5)
own = tf.random.Generator.from_seed(6)
seeds = keras.random.SeedGenerator(7)
drawn = [
    tf.random.normal([2]),
    tf.random.truncated_normal([2]),
    tf.random.uniform([2]),
    tf.random.shuffle(tf.range(9)),
    tf.random.categorical([[0.1, 0.2, 0.3]], 4),
    tf.random.gamma([2], 1.0),
    tf.random.poisson([2], 3.0),
    own.normal([2]),
    own.truncated_normal([2]),
    own.uniform([2]),
    own.uniform_full_int([2], tf.uint32),
    own.binomial([2], [9.0, 5.0], [0.5]),
    own.make_seeds(2),
    own.split(2)[1].normal([2]),
    seeds.next(),
]
for seed in (None, seeds, 3):
    drawn += [
        keras.random.normal((2,), seed=seed),
        keras.random.categorical(np.zeros((1, 3)), 2, seed=seed),
        keras.random.uniform((2,), seed=seed),
        keras.random.randint((2,), 0, 9, seed=seed),
        keras.random.truncated_normal((2,), seed=seed),
        keras.random.dropout(np.ones(9), 0.5, seed=seed),
        keras.random.shuffle(np.arange(9), seed=seed),
        keras.random.gamma((2,), 1.0, seed=seed),
        keras.random.binomial((2,), 9.0, 0.5, seed=seed),
        keras.random.beta((2,), 1.0, 1.0, seed=seed),
    ]
calls = len(drawn)


@tf.function
def in_a_graph():
    return tf.random.normal([2]) + own.uniform([2])


drawn += [in_a_graph(), in_a_graph()]
data = tf.data.Dataset.range(9).shuffle(9)
drawn += [tf.stack([*data]), tf.stack([*data.shuffle(3, 4, reshuffle_each_iteration=False)])]
x = np.random.rand(32, 4).astype("float32")
layers = [keras.layers.Dense(4), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
model = keras.Sequential([keras.Input((4,)), *layers])
model.compile("adam", "mse")
drawn.append(model.fit(x, x[:, :1], epochs=2, batch_size=8, verbose=0).history["loss"])
drawn += [*model.weights, model(x, training=True)]
drawn = [np.asarray(value).tobytes() for value in drawn]
