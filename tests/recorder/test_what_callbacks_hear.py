# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""Callbacks before the recorder hear Keras' own mean; data end unforeseen; training resumes."""

import keras
import numpy as np
import pytest
from observed_models import again, bits, cnn, images, several_inputs, several_steps

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


@pytest.mark.parametrize("make", [cnn, several_steps, several_inputs])
def test_those_before_the_recorder_hear_the_mean(make, tmp_path):
    def heard(*recorders):
        model, x, y = again(make)
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


def batches_of(data):
    """Batches of which nobody knows how many there are, as Python gives them."""
    return ((data[0][i : i + 16], data[1][i : i + 16]) for i in range(0, 70, 16))


def dataset_of(data):
    """The same from TensorFlow."""
    import tensorflow as tf

    kinds = tuple(tf.TensorSpec((None, *a.shape[1:]), tf.float32) for a in data)
    return tf.data.Dataset.from_generator(lambda: batches_of(data), output_signature=kinds)


def by_sgd():
    """A model whose weights do not depend on the counter that the end of the data may move."""
    inputs = keras.Input((8, 8, 1))
    outputs = keras.layers.Dense(3, "softmax")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "categorical_crossentropy")
    return model, *images()


@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")  # Keras' own
@pytest.mark.parametrize("make", [by_sgd, several_steps])
@pytest.mark.parametrize(("given", "epochs"), [(batches_of, 1), (dataset_of, 2)])
def test_data_of_unknown_length(make, given, epochs, tmp_path):
    """Keras meets the end inside a step; a generator of Python's is then used up."""

    def train(*callbacks):
        model, *data = again(make)
        found = [
            model.fit(
                given(data), epochs=epochs, shuffle=False, verbose=0, callbacks=[*callbacks]
            ).history
            for _ in range(2)
        ]
        return found, bits(model.variables), bits(model.metrics_variables)

    plain = train()
    heard = []
    path = tmp_path / "a.fpdrift"
    assert (
        train(DriftRecorder(path, strict=True, on_step=lambda *told: heard.append(told))) == plain
    )
    record = open_record(path)
    assert (record.complete, int(record.steps[-1])) == (True, 10 * epochs)
    assert [phase.changes for phase in record.phases] == [()]
    losses = [loss for history in plain[0] for loss in history["loss"]]
    assert [epoch["loss"] for epoch in record.epochs] == losses
    assert list(zip(record.steps[1:], record.loss[1:], strict=True)) == heard
    assert np.isfinite(record.loss[1:]).all()


def cut_after(model, steps, moves):
    """Have the data end as on TensorFlow, which may have run what needs no batch by then."""
    model.make_train_function()
    inner, left = model.train_function, iter(range(steps))

    def run(iterator):
        if next(left, None) is None:
            moves(model)
            raise StopIteration
        return inner(iterator)

    model.train_function = run
    return lambda: setattr(model, "train_function", inner)


def counts(model):
    model.optimizer.iterations.assign_add(1)


def decays(model):
    model.optimizer.iterations.assign_add(1)
    model.layers[1].bias.assign(model.layers[1].bias + 1)


NOTE = "The data ended inside a step, which changed adam/iteration."


@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")  # Keras' own
@pytest.mark.parametrize(
    ("moves", "steps", "changes", "notes"),
    [
        (counts, 6, [()], [NOTE]),
        (
            decays,
            7,
            [
                (),
                (
                    "the optimiser counts 1 update that was not recorded",
                    "changed between two calls of fit: conv2d/bias, adam/iteration",
                ),
            ],
            ["After step 3 the end of fit changed the", "After step 7 the end of fit changed the"],
        ),
    ],
)
def test_what_a_step_moves_that_the_end_of_the_data_cuts(moves, steps, changes, notes, tmp_path):
    """What only counts is noted; where weights moved the next `fit` begins a phase."""
    model, x, y = again(cnn)
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    for _ in range(2):
        put_back = cut_after(model, 3, moves)
        model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[recorder])
        put_back()
    record = open_record(tmp_path / "a.fpdrift")
    assert int(record.steps[-1]) == steps
    assert [phase.changes for phase in record.phases] == changes
    for note, begin in zip(record.meta["notes"], notes, strict=True):
        assert note.startswith(begin)


@pytest.mark.parametrize(("count", "words"), [(1, "1 update that was"), (2, "2 updates that were")])
def test_updates_between_two_fits_are_counted(count, words, tmp_path):
    model, x, y = again(cnn)
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
    def without_dropout():
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
        return model, *images()

    arguments = {"batch_size": 16, "shuffle": False, "verbose": 0}
    recorder = DriftRecorder(tmp_path / "straight.fpdrift", strict=True)
    straight, x, y = again(without_dropout)
    straight.fit(x, y, epochs=2, callbacks=[recorder], **arguments)
    stopped, *_ = again(without_dropout)
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
