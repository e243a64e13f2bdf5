"""Stand in for `train` where a fresh TensorFlow process is not the point: write a tiny record."""

import time

import numpy as np

from fpdrift.ensembles import _remote
from fpdrift.records import RecordWriter, Tensor, content_hash, open_own
from fpdrift.training._hash_rng import Purpose, hashed_bits
from fpdrift.training._source_digest import training_code


def made(
    condition,
    network,
    data,
    *,
    steps,
    labels,
    path,
    backend="tensorflow",
    timeout=None,
    progress=None,
    end=True,
    meta=None,
    epochs=(),
    bits=lambda condition: condition.intra_op_threads or 0,
):
    """Write what the run of `condition` would leave; the same condition gives the same bits.

    Two conditions differ in their bits where `bits` gives them different numbers.
    """
    about = {
        "condition": condition.to_dict(),
        "network": network,
        "data": {"name": data, "labels": labels, "hash": "0"},
        "steps": steps,
        "backend": backend,
        "training_code": training_code(),
    } | (meta or {})
    tensors = [Tensor("w", "weight", (2,), "float32", "whole")]
    writer = RecordWriter(path, tensors, meta=about)
    drawn = {}
    for step in range(steps + 1):
        key = bits(condition)
        if key not in drawn:  # all steps at once: that is a fifth of the time
            drawn[key] = hashed_bits(Purpose.WEIGHTS, key, count=2 * steps + 2).astype(np.float32)
        weights = drawn[key][2 * step : 2 * step + 2]
        metrics = {"accuracy": 0.125 * (key % 8)} if step else {}
        loss = float(weights[0]) * 2.0**-60 if step else np.nan
        writer.add_step(step, [content_hash(weights)], loss, metrics, {0: weights})
        if step and progress is not None:
            progress(step, steps)
    for step, logs in epochs:
        if step < steps:
            writer.add_predictions(step, np.eye(10, dtype=np.float32)[[0] * 255 + [key % 10]])
        writer.add_epoch(logs)
    writer.add_predictions(steps, np.full((256, 10), 0.1, np.float32))
    if end:
        writer.finish()
    else:
        writer.close()
    return open_own(path)


def use_made(pause=0.0):
    """Let this process write records instead of training, with a pause at each step."""

    def train(*args, progress=None, **named):
        def slowly(*at):
            time.sleep(pause)
            if progress is not None:
                progress(*at)

        return made(*args, progress=slowly, **named)

    _remote.train = train


def dask_setup(_worker):
    """Do that in a Dask worker that was started with ``--preload made_records``."""
    use_made(pause=0.1)
