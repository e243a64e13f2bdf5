# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""The record holds what a test sees that keeps everything in memory."""

import sqlite3
import time
from contextlib import closing

import keras
import numpy as np
import pytest
from keras import layers
from observed_models import (
    MODELS,
    again,
    built_subclassed,
    cnn,
    images,
    several_inputs,
    several_steps,
    subclassed,
    two_optimizers,
)

from fpdrift.errors import FpdriftError
from fpdrift.recorder import DriftRecorder, _writer_thread
from fpdrift.recorder._state import hashes
from fpdrift.records import content_hash, open_record

HALF = MODELS["LSTM in mixed_bfloat16"]


class KeepAll(keras.callbacks.Callback):
    """Keeps every variable at every step."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def keep(self):
        variables = [*self.model.variables, *self.model.optimizer.variables]
        self.kept.append([np.array(v.numpy()) for v in variables])

    def on_train_batch_begin(self, batch, logs=None):
        if not self.kept:
            self.keep()

    def on_train_batch_end(self, batch, logs=None):
        self.keep()


def fit(make, path, *others, epochs=2, fresh=False, **arguments):
    model, x, y = make() if fresh else again(make)
    recorder = DriftRecorder(path, strict=True, **arguments)
    model.fit(x, y, batch_size=16, epochs=epochs, verbose=0, callbacks=[recorder, *others])
    return model, x, y, open_record(path)


@pytest.mark.parametrize("make", [cnn, HALF, built_subclassed])
def test_every_variable_at_every_step(make, tmp_path):
    keep = KeepAll()
    _, _, _, record = fit(make, tmp_path / "a.fpdrift", keep)
    assert record.steps.tolist() == list(range(11))
    assert record.sketch_steps.tolist() == list(range(11))
    for row, variables in enumerate(keep.kept):
        assert record.hashes[row].tolist() == [content_hash(array) for array in variables]
        for index, values in record.kept.items():
            flat = variables[index].ravel().astype(np.float64)
            assert np.array_equal(values[row], flat)
            assert record.squared_norms[index][row] == pytest.approx(flat @ flat)
    for tensor, array in zip(record.tensors, keep.kept[0], strict=True):
        assert (tensor.shape, tensor.dtype) == (array.shape, array.dtype.name)


def looked_up():
    """Gradients of an embedding are sparse, and so are its updates, made in place."""
    model = keras.Sequential([keras.Input((4,)), layers.Embedding(50, 8), layers.Flatten()])
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    rng = np.random.default_rng(1)
    return model, rng.integers(0, 50, (64, 4)), rng.standard_normal((64, 1))


@pytest.mark.parametrize("make", [cnn, HALF, looked_up])
def test_a_slow_hash_still_sees_the_step_it_belongs_to(make, tmp_path, monkeypatch):
    """The next step's update, which has come and gone meanwhile, writes elsewhere."""

    def slow(arrays):
        time.sleep(0.1)
        return hashes(arrays)

    monkeypatch.setattr(_writer_thread, "hashes", slow)
    keep = KeepAll()
    _, _, _, record = fit(make, tmp_path / "a.fpdrift", keep, epochs=1)
    for row, variables in enumerate(keep.kept):
        assert record.hashes[row].tolist() == [content_hash(array) for array in variables]


class Clear(keras.callbacks.Callback):
    """Has Keras itself report each step alone, its metrics cleared before it."""

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self.losses = [*getattr(self, "losses", []), logs["loss"]]


def fit_in_order(make, epochs, callback):
    keras.utils.set_random_seed(1)
    model, x, y = make() if make is subclassed else again(make)  # it builds itself only once
    model.fit(x, y, batch_size=16, epochs=epochs, verbose=0, shuffle=False, callbacks=[callback])


def step_losses(make, epochs):
    clear = Clear()
    fit_in_order(make, epochs, clear)
    return clear.losses


@pytest.mark.parametrize(
    "make",
    [cnn, several_inputs, built_subclassed, pytest.param(subclassed, marks=pytest.mark.check)],
)
def test_the_steps_own_loss_is_exact(make, tmp_path):
    expected = step_losses(make, 2)
    fit_in_order(make, 2, DriftRecorder(tmp_path / "a.fpdrift"))
    record = open_record(tmp_path / "a.fpdrift")
    assert record.loss_kind == "step"
    assert record.loss[-10:].tolist() == expected


def test_loss_of_an_execution_is_the_mean_over_its_steps(tmp_path):
    expected = step_losses(cnn, 1)
    fit_in_order(several_steps, 2, DriftRecorder(tmp_path / "a.fpdrift"))
    record = open_record(tmp_path / "a.fpdrift")
    assert record.loss_kind == "execution"
    assert record.steps.tolist() == [0, 3, 5, 8, 10]
    assert record.meta["keras"]["steps_per_execution"] == 3
    assert record.meta["keras"]["jit_compile"] is False
    means = [np.mean(expected[:3]), np.average(expected[3:], weights=[16, 6])]
    assert record.loss[1:3] == pytest.approx(means, rel=1e-5)


def test_two_recorders_of_one_fit_write_the_same(tmp_path):
    """One goes on from the fit before, the other begins; each leaves the other in place."""
    model, x, y = again(cnn)
    model.make_train_function()
    own = model.train_function
    longer, later = (DriftRecorder(tmp_path / name, strict=True) for name in "ab")
    for callbacks in ([longer], [longer, later], [later, longer]):
        model.fit(x, y, batch_size=16, verbose=0, callbacks=callbacks)
        assert model.train_function is own
    a, b = (open_record(tmp_path / name) for name in "ab")
    at = np.flatnonzero(np.isin(a.steps, b.steps[1:]))
    assert (a.steps[-1], b.steps[0], at.size) == (15, 5, b.steps.size - 1)
    np.testing.assert_array_equal(a.loss[at], b.loss[1:])
    np.testing.assert_array_equal(a.hashes[at], b.hashes[1:])
    assert np.isfinite(b.loss[1:]).all()


def by_train_on_batch(model, x, y):
    return model.train_on_batch(x, y)


def by_tape(model, x, y):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = keras.ops.mean(keras.ops.square(model(x, training=True) - y))
    weights = model.trainable_variables
    model.optimizer.apply(tape.gradient(loss, weights), weights)
    return float(loss)


@pytest.mark.parametrize(
    ("step", "compiled"), [(by_train_on_batch, True), (by_tape, True), (by_tape, False)]
)
def test_a_loop_of_ones_own_has_the_loss_of_each_step(step, compiled, tmp_path):
    """The hooks are called by hand; what the loop computes and reports stays as it was."""
    x, y = np.random.default_rng(0).standard_normal((2, 48, 4)).astype(np.float32)

    def train(recorder):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
        model.optimizer = keras.optimizers.SGD(0.1)
        if compiled:
            model.compile(model.optimizer, "mse")
        hooks = keras.callbacks.CallbackList([recorder] if recorder else [], model=model)
        hooks.on_train_begin()
        own, reported = [], []
        for batch in range(6):
            at = slice(16 * (batch % 3), 16 * (batch % 3) + 16)
            hooks.on_train_batch_begin(batch)
            own.append(float(keras.ops.mean(keras.ops.square(model(x[at]) - y[at]))))
            reported.append(step(model, x[at], y[at]))
            hooks.on_train_batch_end(batch, {"loss": reported[-1]})
        hooks.on_train_end()
        return own, reported, [v.numpy().tobytes() for v in model.variables]

    plain = train(None)
    observed = train(DriftRecorder(tmp_path / "a.fpdrift", strict=True))
    assert observed == plain
    record = open_record(tmp_path / "a.fpdrift")
    assert record.loss[1:] == pytest.approx(plain[0], rel=1e-5)
    assert record.steps.tolist() == list(range(7))


def test_a_model_without_a_loss_says_so(tmp_path):
    _, _, _, record = fit(two_optimizers, tmp_path / "a.fpdrift", fresh=True)
    assert record.loss_kind == "none"
    assert np.isnan(record.loss).all()
    assert set(record.metrics) == {"squared", "absolute"}
    roles = [(t.name.split("/")[0], t.role) for t in record.tensors]
    assert {("adam", "slot"), ("sgd", "slot")} <= set(roles)
    names = [t.name for t in record.tensors]
    assert "sgd/dense_1/kernel/momentum" in names
    assert record.steps[0] == 1  # its optimisers build themselves in the first step
    assert "was not recorded" in record.meta["notes"][0]


class OwnTracker(keras.Model):
    """The usual shape of a training step of one's own."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def call(self, x):
        return self.dense(keras.ops.reshape(x, (-1, 64)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = keras.ops.mean(keras.ops.square(y_pred - y))
        self.tracker.update_state(loss)
        return loss


def test_a_tracker_of_ones_own_is_left_alone(tmp_path):
    def make():
        model = OwnTracker()
        model.compile("sgd")
        return model, *images()

    model, _, _, record = fit(make, tmp_path / "a.fpdrift", epochs=1, fresh=True)
    assert record.loss_kind == "running mean"
    assert record.loss[-1] == model.history.history["loss"][-1]


def test_metrics_and_epochs_are_what_keras_reports(tmp_path):
    model, _, _, record = fit(cnn, tmp_path / "a.fpdrift")
    assert set(record.metrics) == {"accuracy"}
    history = model.history.history
    assert record.metrics["accuracy"][[5, 10]].tolist() == history["accuracy"]
    assert [epoch["loss"] for epoch in record.epochs] == history["loss"]


def test_predictions_before_training_and_after_each_epoch(tmp_path):
    probe = images(7)[0][:9]
    untrained = keras.ops.convert_to_numpy(again(cnn)[0](probe, training=False))
    model, _, _, record = fit(cnn, tmp_path / "a.fpdrift", probe=probe)
    assert list(record.predictions) == [0, 5, 10]
    trained = keras.ops.convert_to_numpy(model(probe, training=False))
    assert np.array_equal(record.predictions[0], untrained)
    assert np.array_equal(record.predictions[10], trained)


def test_predictions_of_several_inputs_and_of_many_samples(tmp_path):
    model, x, y = again(several_inputs)
    probe = keras.tree.map_structure(lambda a: np.tile(a, (8, 1)), x)  # 560: three pieces
    recorder = DriftRecorder(tmp_path / "a.fpdrift", probe=probe, strict=True)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert record.predictions[5].shape == (560, 2)
    assert np.allclose(record.predictions[5][:70], record.predictions[5][-70:], rtol=1e-4)


@pytest.mark.parametrize("probe", [np.float32(3), np.zeros((0, 8)), [np.zeros(3), np.zeros(4)], []])
def test_probe_that_is_no_batch(probe, tmp_path):
    with pytest.raises(FpdriftError, match=r"the probe.*; pass probe=x\[:256\], as the model"):
        DriftRecorder(tmp_path / "a.fpdrift", probe=probe)


def test_fit_called_twice_goes_on(tmp_path):
    model, x, y = again(cnn)
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    keep = KeepAll()
    for _ in range(2):
        model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder, keep])
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, record.steps.tolist()) == (True, list(range(11)))
    assert record.hashes[10].tolist() == [content_hash(array) for array in keep.kept[-1]]
    assert "notes" not in record.meta


def test_fit_called_twice_after_a_change_marks_it(tmp_path):
    model, x, y = again(cnn)
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    model.layers[1].bias.assign(model.layers[1].bias + 1)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert [phase.step for phase in record.phases] == [0, 5]
    assert record.phases[1].changes == ("changed between two calls of fit: conv2d/bias",)


def test_frozen_then_trained_by_another_optimiser_is_one_record_with_a_seam(tmp_path):
    model, x, y = cnn()
    model.layers[1].trainable = False
    model.compile("adam", "categorical_crossentropy")
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    model.layers[1].trainable = True
    model.compile("sgd", "categorical_crossentropy")
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, record.steps.tolist()) == (True, list(range(11)))
    assert [phase.step for phase in record.phases] == [0, 5]
    changes = record.phases[1].changes
    assert changes[:3] == (
        "conv2d/kernel: frozen -> trained",
        "conv2d/bias: frozen -> trained",
        "optimizer: Adam -> SGD",
    )
    where = {t.name: i for i, t in enumerate(record.tensors)}
    assert record.tensors[where["conv2d/kernel"]].role == "weight"
    assert record.present[:, where["conv2d/kernel"]].all()
    assert record.present[:, where["adam/iteration"]].tolist() == [True] * 6 + [False] * 5
    assert record.present[:, where["sgd/iteration"]].tolist() == [False] * 5 + [True] * 6


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own
def test_a_resumed_run_knows_its_step(tmp_path):
    model, x, y = again(cnn)
    model.fit(x, y, batch_size=16, verbose=0)
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    loaded.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert record.steps.tolist() == list(range(5, 11))
    assert record.start_seen
    assert record.meta["recorder"]["first_step"] == 5


def test_the_first_number_that_is_not_finite(tmp_path):
    model, x, y = cnn()
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    x[40, 0, 0, 0] = np.inf  # in the third batch
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert record.first_non_finite == (3, "loss")
    # said once, and looked for no more
    with closing(sqlite3.connect(tmp_path / "a.fpdrift")) as file:
        texts = [text for (text,) in file.execute("SELECT text FROM entry WHERE kind = 'step'")]
    assert ["not_finite" in text for text in texts] == [False] * 3 + [True, False, False]


def test_a_fit_that_fails_leaves_an_incomplete_record_and_the_next_goes_on(tmp_path):
    class Fail(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    model, x, y = again(cnn)
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder, Fail()])
    # the last step is written beside what comes next, here beside this
    deadline = time.monotonic() + 30
    while (record := open_record(tmp_path / "a.fpdrift")).steps[-1] < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (record.complete, record.steps.tolist()) == (False, [0, 1, 2, 3])
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, record.steps.tolist()) == (True, list(range(9)))


def test_an_unbuilt_model_is_recorded_from_its_first_step_on(tmp_path):
    _, _, _, record = fit(subclassed, tmp_path / "a.fpdrift", epochs=1, fresh=True)
    assert record.steps.tolist() == [1, 2, 3, 4, 5]
    assert "The state after step 0 was not recorded" in record.meta["notes"][0]


def test_on_step_hears_of_what_is_safely_written(tmp_path):
    heard = []
    path = tmp_path / "a.fpdrift"

    def on_step(step, loss):
        record = open_record(path)
        heard.append((step, loss))
        assert (int(record.steps[-1]), float(record.loss[-1])) == (step, loss)

    fit(cnn, path, epochs=1, on_step=on_step)
    assert [step for step, _ in heard] == [1, 2, 3, 4, 5]


def test_two_models_of_one_process_have_the_same_names(tmp_path):
    records = [fit(cnn, tmp_path / str(fresh), fresh=fresh)[3] for fresh in (False, True)]
    assert records[0].tensors == records[1].tensors
    metas = [dict(record.meta) for record in records]
    for meta in metas:  # the second model draws where the first has stopped
        assert set(meta["recorder"].pop("generators")) == {"python", "numpy"}
    assert metas[0] == metas[1]
    assert [t.name for t in records[0].tensors][:2] == ["conv2d/kernel", "conv2d/bias"]
