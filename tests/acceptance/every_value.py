# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""A program: train as `train` does, with nothing of the recorder, and keep or compare every value.

``every_value.py FOLDER STEPS CONDITION`` keeps every weight and optimiser slot of every step in
FOLDER; with ``--against`` it compares its own with those and prints what it finds as JSON.
"""

import argparse
import json
import sys
from pathlib import Path

import keras
import numpy as np

from fpdrift.training import _worker
from fpdrift.training._condition import Condition
from fpdrift.training._datasets import PROBE, load
from fpdrift.training._networks import build, network_of


class EveryValue(keras.callbacks.Callback):
    """Keep every value of every step in a folder, or compare with what is there."""

    def __init__(self, folder, *, compare):
        super().__init__()
        self.folder = folder
        self.compare = compare
        self.found = []

    def on_train_begin(self, logs=None):
        self.look(None)

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # so that the mean loss is that of one step

    def on_train_batch_end(self, batch, logs=None):
        self.look(logs["loss"])

    def look(self, loss):
        path = self.folder / f"{len(self.found)}.npz"
        variables = [*self.model.variables, *self.model.optimizer.variables]
        state = {v.path: np.asarray(v).copy() for v in variables}
        self.found.append({"loss": loss})
        if self.compare:
            with np.load(path) as other:
                names = [v.path for v in self.model.trainable_variables]
                self.found[-1] |= against(dict(other), state, names)
        else:
            np.savez(path, **state)


def against(other, mine, trainable):
    """Name what differs in its bits, and give the distance of the trainable weights."""
    a, b = (
        np.concatenate([state[name].ravel().astype(np.float64) for name in trainable])
        for state in (other, mine)
    )
    return {
        "differing": [name for name in mine if other[name].tobytes() != mine[name].tobytes()],
        "distance": np.linalg.norm(a - b) / np.linalg.norm(a),
    }


def fit(condition, steps, callback):
    """Train as the worker does, with another callback."""
    _worker.configure(condition)
    data = load("noise", "one-hot", validation=PROBE)
    model = build("answer", condition.seed)
    _worker.start(model, "answer", condition)
    model.compile(
        optimizer=keras.optimizers.Adam(network_of("answer").learning_rate),
        loss=_worker.LOSS,
        metrics=["accuracy"],
        jit_compile=condition.jit,
    )
    model.optimizer.build(model.trainable_variables)
    model.fit(
        _worker.batches(data, condition.seed),
        steps_per_epoch=steps,
        callbacks=[callback],
        shuffle=False,
        verbose=0,
    )


def main():
    """Do it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("steps", type=int)
    parser.add_argument("condition", type=json.loads)
    parser.add_argument("--against", action="store_true")
    given = parser.parse_args()
    values = EveryValue(given.folder, compare=given.against)
    fit(Condition.from_dict(given.condition), given.steps, values)
    json.dump(values.found, sys.stdout)


if __name__ == "__main__":
    main()
