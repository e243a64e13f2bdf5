"""Whoever is recorded ends with the same bits as whoever is not."""

import random

import keras
import numpy as np
import pytest
from observed_models import MODELS, again, bits, take

from fpdrift.recorder import DriftRecorder
from fpdrift.records import open_record


class Listener(keras.callbacks.Callback):
    """Keeps what other callbacks are told."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def on_train_batch_end(self, batch, logs=None):
        self.heard.append((batch, dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.heard.append((epoch, dict(logs)))


def afresh(make):
    """Make a model as in a process of its own."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    return make()


def train(model, x, y, recorder=None):
    listener = Listener()
    callbacks = [recorder(take(x, 10)), listener] if recorder else [listener]
    history = model.fit(
        x,
        y,
        batch_size=16,
        epochs=3,
        verbose=0,
        callbacks=callbacks,
        validation_data=(take(x, 20), take(y, 20)) if model.loss else None,
    )
    optimizers = [o for o in vars(model).values() if isinstance(o, keras.optimizers.Optimizer)]
    return {
        "variables": bits(model.variables),
        "optimiser": [bits(o.variables) for o in (model.optimizer, *optimizers)],
        "metrics": bits(model.metrics_variables),
        "history": history.history,
        "heard": listener.heard,
        "drawn after": (
            random.random(),
            np.random.random(),  # noqa: NPY002 - the global state is what is looked at
            float(keras.random.uniform(())),
            repr(keras.tree.map_structure(np.asarray, model(take(x, 5), training=True))),
        ),
    }


def check(begin, path):
    plain = train(*begin())
    observed = train(*begin(), lambda probe: DriftRecorder(path, probe=probe, strict=True))
    assert repr(observed) == repr(plain)  # repr: NaN equals NaN
    record = open_record(path)
    assert (record.complete, int(record.steps[-1]), len(record.epochs)) == (True, 15, 3)


#: Whose models have to be new: an optimiser that is built by the recorder or in the first step.
NEW = ("functional CNN", "two optimisers")
SAMPLE = (
    *("several steps per execution", "several inputs, own loss", "subclassed, built"),
    "LSTM in mixed_float16",
)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in NEW else pytest.mark.check) for n in MODELS]
)
def test_same_bits_with_and_without(name, tmp_path):
    check(lambda: afresh(MODELS[name]), tmp_path / "a.fpdrift")


@pytest.mark.parametrize("name", SAMPLE)
def test_same_bits_of_a_model_that_is_compiled_already(name, tmp_path):
    check(lambda: again(MODELS[name]), tmp_path / "a.fpdrift")
