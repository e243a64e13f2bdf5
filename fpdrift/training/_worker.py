"""Worker program: train one network under one condition, and record the run.

`train` starts it and passes its task; see `fpdrift.subprocesses`.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.floats import format_of
from fpdrift.perturbation import perturb
from fpdrift.subprocesses import Message, Report, importing, serve
from fpdrift.training._condition import Condition
from fpdrift.training._datasets import Data, load, probe_images
from fpdrift.training._hash_rng import digest, permutation
from fpdrift.training._networks import build, initial_weights, network_of, shapes_of
from fpdrift.training._protocol import BATCH, LOSS, SMALL, SMALL_WEIGHTS
from fpdrift.training._source_digest import training_code


def work(task: Message, report: Report) -> Message:
    """Run a task; see `fpdrift.training._train.train` for its contents."""
    condition = Condition.from_dict(task["condition"])
    configure(condition)
    data = load(task["data"], task["labels"], validation=probe_images(task["data"]))
    model = build(task["network"], condition.seed_for("dropout"))
    about = start(model, task["network"], condition) | describe(task, condition, data)
    prepare(model, task["network"], jit=condition.jit)
    fit(model, data, task, about, report, order=condition.seed_for("order"))
    return {}


@importing()
def configure(condition: Condition) -> None:
    """Set up Keras and its backend, regardless of the user's ``keras.json``."""
    if os.environ["KERAS_BACKEND"] == "jax":
        from fpdrift.backends import jax

        jax.configure(float64=condition.dtype_policy == "float64")
    else:
        backend = import_module(f"fpdrift.backends.{os.environ['KERAS_BACKEND']}")
        backend.configure(
            intra_op_threads=condition.intra_op_threads,
            inter_op_threads=condition.inter_op_threads,
            op_determinism=condition.op_determinism,
        )
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy(condition.dtype_policy)
    # nothing draws from these generators, but op determinism requires them to be seeded
    keras.utils.set_random_seed(condition.seed)


def start(model: Any, network: str, condition: Condition) -> dict[str, Any]:
    """Set the starting weights of a model, and return their description, nudge included."""
    drawn = initial_weights(
        shapes_of(network), network_of(network).start, condition.seed_for("init")
    )
    cast = {v.path: drawn[v.path].astype(format_of(v.dtype).dtype) for v in model.weights}
    about: dict[str, Any] = {"initial_weights": digest(*drawn.values())}
    if condition.perturbation is not None:
        # noise applies to trainable weights; one ulp or bit may be changed anywhere
        noise = condition.perturbation.kind == "noise"
        names = [v.path for v in (model.trainable_variables if noise else model.weights)]
        nudged, account = perturb({name: cast[name] for name in names}, condition.perturbation)
        cast |= nudged
        about["nudge"] = json.loads(account.to_json())["result"]
    for variable in model.weights:
        variable.assign(cast[variable.path])
    return about


def describe(task: Message, condition: Condition, data: Data) -> dict[str, Any]:
    """Return the description of the run for the record."""
    return {
        "condition": condition.to_dict(),
        "seed": condition.seed,
        "network": task["network"],
        "data": {"name": data.name, "labels": data.labels, "hash": data.hash},
        "probe": {
            "images": len(data.validation_images),
            "hash": digest(data.validation_images, data.validation_labels),
        },
        "steps": task["steps"],
        "batch_size": BATCH,
        "loss": LOSS,
        "backend": os.environ["KERAS_BACKEND"],
        "training_code": training_code(),
    }


def prepare(model: Any, network: str = "answer", *, jit: bool) -> None:
    """Compile a model with the optimiser and loss of its network."""
    import keras

    of = network_of(network)
    kind = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[of.optimizer]
    model.compile(
        optimizer=kind(of.learning_rate),
        loss=LOSS,
        metrics=["accuracy"],
        # the step is always compiled on JAX, which requires "auto"
        jit_compile=jit if keras.backend.backend() == "tensorflow" else "auto",
    )


def fit(
    model: Any, data: Data, task: Message, about: dict[str, Any], report: Report, *, order: int
) -> None:
    """Train and record."""
    import keras

    from fpdrift.recorder import DriftRecorder

    steps = task["steps"]
    an_epoch = math.ceil(len(data.train_images) / BATCH)
    recorder = DriftRecorder(
        task["path"],
        probe=data.validation_images,
        strict=True,
        overwrite=task["overwrite"],
        meta=about,
        on_step=lambda step, _loss: report({"step": step}),
    )
    seen = itertools.count(1)

    def stop(*_: Any, **__: Any) -> None:
        """Stop after the last step, even in the middle of an epoch."""
        model.stop_training = next(seen) >= steps

    def count(_epoch: int, logs: dict[str, float]) -> None:
        """Add a metric to the logs of the epoch, which the recorder then writes."""
        logs[SMALL_WEIGHTS] = small_weights(model)

    model.fit(
        batches(data, order),
        steps_per_epoch=min(steps, an_epoch),
        epochs=math.ceil(steps / an_epoch),
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=count),
            recorder,
            keras.callbacks.LambdaCallback(on_train_batch_end=stop),
        ],
        shuffle=False,
        verbose=0,
    )


def small_weights(model: Any) -> float:
    """Return the share of a model's trainable weights that are small."""
    weights = [v.numpy().astype(np.float64) for v in model.trainable_variables]
    small = sum(int((abs(w) <= SMALL).sum()) for w in weights)
    return small / int(sum(w.size for w in weights))


def batches(data: Data, seed: int) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Yield batches, in a new order for each epoch; its last batch may be smaller."""
    count = len(data.train_images)
    for epoch in itertools.count():
        order = permutation(seed, epoch, count)
        for first in range(0, count, BATCH):
            chosen = order[first : first + BATCH]
            yield data.train_images[chosen], data.train_labels[chosen]


if __name__ == "__main__":
    serve(work)
