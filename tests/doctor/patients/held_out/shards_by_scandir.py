# patient: the shards are read in the order in which os.scandir lists them
# expect: FPD203, line 23
import os
import tempfile

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(77)


def write_shards(folder, n_shards=7, rows=120):
    rng = np.random.default_rng(77)
    weights = rng.normal(size=(6,))
    for name in ("lyon", "oslo", "graz", "kiel", "bern", "porto", "turku")[:n_shards]:
        x = rng.normal(size=(rows, 6))
        y = np.tanh(x @ weights) + rng.normal(0, 0.1, rows)
        np.savez(os.path.join(folder, name + ".npz"), x=x.astype("float32"), y=y.astype("float32"))


def read_shards(folder):
    for entry in os.scandir(folder):
        if entry.is_file() and entry.name.endswith(".npz"):
            with np.load(entry.path) as shard:
                yield from zip(shard["x"], shard["y"])


with tempfile.TemporaryDirectory() as folder:
    write_shards(folder)
    ds = tf.data.Dataset.from_generator(
        lambda: read_shards(folder),
        output_signature=(tf.TensorSpec((6,), tf.float32), tf.TensorSpec((), tf.float32)),
    )
    ds = ds.shuffle(256, seed=77).batch(40)
    model = keras.Sequential([keras.layers.Dense(12, "relu"), keras.layers.Dense(1)])
    model.compile(optimizer="adagrad", loss="mse")
    model.fit(ds, epochs=3, verbose=2)
