"""Run in a fresh process by test_same_start: what a condition may not change."""

import os

import numpy as np

from fpdrift.subprocesses import serve
from fpdrift.training import _worker
from fpdrift.training._condition import Condition
from fpdrift.training._hash_rng import digest


def look(task, report):
    condition = Condition.from_dict(task)
    _worker.configure(condition)
    import keras

    from fpdrift.training._hash_dropout import HashDropout

    model = _worker.build("question", condition.seed)
    about = _worker.start(model, "question", condition)
    layer = HashDropout(0.25, condition.seed, 1)
    ones = np.ones((48, 12, 12, 32), keras.config.dtype_policy().compute_dtype)
    tensorflow = keras.backend.backend() == "tensorflow"

    def drop(x):
        return layer(x, training=True)

    if tensorflow:
        import tensorflow as tf

        drop = tf.function(drop, jit_compile=condition.jit)
    weights = [np.float32(keras.ops.convert_to_numpy(v)) for v in model.weights]
    return {
        "drawn": about["initial_weights"],
        "given": digest(*weights),
        "dtype": model.weights[0].dtype,
        "masks": [digest(keras.ops.convert_to_numpy(drop(ones)) == 0) for _ in range(3)],
        "threads": tf.config.threading.get_intra_op_parallelism_threads() if tensorflow else 0,
        "switches": {name: os.environ.get(name) for name in condition.environment()},
    }


if __name__ == "__main__":
    serve(look)
