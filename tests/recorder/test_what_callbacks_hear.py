# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""Callbacks before the recorder hear Keras' own mean; data end unforeseen; training resumes."""

import keras
import numpy as np
import pytest
from observed_models import MODELS, bits, cnn, images

from fpdrift.recorder import DriftRecorder
from fpdrift.records import open_record


class Heard(keras.callbacks.Callback):
    """Keeps each number that it is told, as the number's bits."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def keep(self, where, logs):
        self.heard.append((where, {name: float(value).hex() for name, value in logs.items()}))

    def on_train_batch_end(self, batch, logs=None):
        self.keep(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self.keep("epoch", logs)


@pytest.mark.parametrize(
    "name", ["functional CNN", "several steps per execution", "several inputs, own loss"]
)
def test_those_before_the_recorder_hear_the_mean(name, tmp_path):
    def heard(*recorders):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        model, x, y = MODELS[name]()
        before, after = Heard(), Heard()
        given = [before, *recorders, after]
        model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=given)
        return before.heard, after.heard

    plain = heard()
    assert heard(DriftRecorder(tmp_path / "a.fpdrift", strict=True)) == plain
    losses = [float.fromhex(logs["loss"]) for where, logs in plain[0] if where != "epoch"]
    record = open_record(tmp_path / "a.fpdrift")
    own = record.loss[~np.isnan(record.loss)].tolist()
    assert len(own) == len(losses)
    assert own != losses  # the record's are the steps' own


def unknown_length(data):
    """Batches of which nobody knows how many there are: Keras meets the end inside a step."""
    import tensorflow as tf

    kinds = tuple(tf.TensorSpec((None, *a.shape[1:]), tf.float32) for a in data)
    batches = lambda: ((data[0][i : i + 16], data[1][i : i + 16]) for i in range(0, 70, 16))  # noqa: E731
    return tf.data.Dataset.from_generator(batches, output_signature=kinds)


@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")  # Keras' own
@pytest.mark.parametrize("steps_per_execution", [1, 3])
def test_data_of_unknown_length(steps_per_execution, tmp_path):
    def train(*callbacks):
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        model, *data = cnn()
        model.compile("adam", "categorical_crossentropy", steps_per_execution=steps_per_execution)
        found = []
        for _ in range(2):
            history = model.fit(
                unknown_length(data), epochs=2, shuffle=False, verbose=0, callbacks=[*callbacks]
            ).history
            found.append((history, int(model.optimizer.iterations)))
        return found, bits(model.variables), bits(model.metrics_variables)

    plain = train()
    assert [count for _, count in plain[0]] == [10, 20]
    assert train(DriftRecorder(tmp_path / "a.fpdrift", strict=True)) == plain
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, int(record.steps[-1])) == (True, 20)
    assert [phase.changes for phase in record.phases] == [()]
    losses = [loss for history, _ in plain[0] for loss in history["loss"]]
    assert [epoch["loss"] for epoch in record.epochs] == losses
    assert np.isfinite(record.loss[1:]).all()


@pytest.mark.parametrize(("count", "words"), [(1, "1 update that was"), (2, "2 updates that were")])
def test_updates_between_two_fits_are_counted(count, words, tmp_path):
    model, x, y = cnn()
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    for _ in range(count):
        model.train_on_batch(x[:16], y[:16])
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert [phase.step for phase in record.phases] == [0, 5 + count]
    assert record.phases[1].changes[0] == f"the optimiser counts {words} not recorded"
    assert record.steps.tolist() == [*range(6), *range(5 + count, 11 + count)]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own
def test_a_resumed_run_lines_up_with_the_straight_one(tmp_path):
    def make():
        model = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(4, "relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(3, "softmax"),
            ]
        )
        model.compile("adam", "categorical_crossentropy")
        return model

    x, y = images()
    arguments = {"batch_size": 16, "shuffle": False, "verbose": 0}
    straight, stopped = make(), make()
    stopped.set_weights(straight.get_weights())
    recorder = DriftRecorder(tmp_path / "straight.fpdrift", strict=True)
    straight.fit(x, y, epochs=2, callbacks=[recorder], **arguments)
    stopped.fit(x, y, **arguments)
    stopped.save(tmp_path / "half.keras")
    resumed = keras.models.load_model(tmp_path / "half.keras")
    recorder = DriftRecorder(tmp_path / "resumed.fpdrift", strict=True)
    resumed.fit(x, y, callbacks=[recorder], **arguments)
    whole, half = (open_record(tmp_path / f"{name}.fpdrift") for name in ("straight", "resumed"))
    assert half.tensors == whole.tensors
    assert half.steps.tolist() == list(range(5, 11))
    assert np.array_equal(half.hashes, whole.hashes[5:])
    assert np.array_equal(half.loss[1:], whole.loss[6:])
