"""A small network for which Keras draws everything: weights, data order and dropout.

The networks of fpdrift draw from an integer hash and do not use Keras' generators.
"""

from __future__ import annotations

import numpy as np

from fpdrift.subprocesses import Message, Report, run_module, serve
from fpdrift.training._condition import Condition
from fpdrift.training._hash_rng import digest
from fpdrift.training._train import environment
from fpdrift.training._worker import configure


def own_chance(condition: Condition) -> str:
    """Train the small network in a fresh process, and return the hash of its trained weights.

    Parameters
    ----------
    condition : Condition
        Its seed is passed to ``keras.utils.set_random_seed``.

    Raises
    ------
    MissingExtraError
        If TensorFlow or Keras is not installed.
    ChildError
        If the process fails.
    """
    task = {"condition": condition.to_dict()}
    env = environment(condition, "noise")
    return str(run_module("fpdrift.training._keras_rng", task, env=env)["weights"])


def work(task: Message, _: Report) -> Message:
    """Train with Keras' defaults."""
    from fpdrift.training._condition import Condition

    configure(Condition.from_dict(task["condition"]))
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [layers.Dense(16, "relu"), layers.Dropout(0.5), layers.Dense(3, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile="auto")
    rng = np.random.default_rng(1)
    images, labels = rng.standard_normal((256, 8), np.float32), rng.integers(0, 3, 256)
    model.fit(images, labels, epochs=3, verbose=0)
    return {"weights": digest(*model.get_weights())}


if __name__ == "__main__":
    serve(work)
