# patient: interleave reads the shards with parallel calls and deterministic=False
# expect: parallel data, line 27
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(404)
SHARDS, ROWS = 8, 200


def read_shard(shard):
    """One sensor's readings, parsed from text as if they came from a CSV file."""
    lines = tf.strings.as_string(tf.random.stateless_uniform((ROWS, 5), [shard, 1]), precision=5)
    lines = tf.strings.reduce_join(lines, axis=1, separator=",")
    return tf.data.Dataset.from_tensor_slices(lines).map(parse)


def parse(line):
    values = tf.strings.to_number(tf.strings.split(line, ","))
    x = tf.ensure_shape(values, [5])
    return x[:4], x[4] * x[0] + x[1] - x[2] * x[3]


def pipeline():
    shards = tf.data.Dataset.range(SHARDS)
    rows = shards.interleave(read_shard, cycle_length=SHARDS, num_parallel_calls=SHARDS, deterministic=False)
    return rows.batch(40, drop_remainder=True)


class Regressor(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = [layers.Dense(24, activation="relu"), layers.Dense(24, activation="relu")]
        self.out = layers.Dense(1)

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        return self.out(x)


model = Regressor()
model.compile("adam", "mse")
history = model.fit(pipeline(), epochs=2, verbose=0)
print(history.history)
