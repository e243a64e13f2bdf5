# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""Digests of random generators and batches: in the record, and with no effect on the training."""

import random

import keras
import numpy as np
import pytest
from helpers import require
from keras import layers

import fpdrift
from fpdrift.errors import FpdriftError
from fpdrift.recorder import DriftRecorder
from fpdrift.recorder._batches import batch_digest
from fpdrift.recorder._generators import generator_digests
from fpdrift.records import open_record

SAMPLES, BATCH = 80, 16


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((2, SAMPLES, 4)).astype(np.float32)


def parts(x, y, order=range(SAMPLES // BATCH)):
    return [(x[i * BATCH : (i + 1) * BATCH], y[i * BATCH : (i + 1) * BATCH]) for i in order]


def generator(x, y):
    def endless():
        while True:
            yield from parts(x, y)

    return endless()


class Sequence(keras.utils.PyDataset):
    def __init__(self, x, y, **more):
        super().__init__(**more)
        self.parts = parts(x, y)

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, index):
        return self.parts[index]


def shuffled_dataset(x, y):
    tf = require("tensorflow")
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(SAMPLES).batch(BATCH)


KINDS = {"generator": generator, "PyDataset": Sequence, "tf.data": shuffled_dataset}


def fit(make, recorder=None, watch=True, epochs=2, execution=1):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.Dropout(0.5)])
    model.compile("adam", "mse", steps_per_execution=execution)
    data = make(*arrays())
    watched = recorder.watch(data) if recorder and watch else data
    endless = {"steps_per_epoch": 5, "shuffle": False} if make is generator else {}
    if make is shuffled_dataset:
        endless = {"shuffle": False}
    callbacks = [recorder] if recorder else []
    model.fit(watched, epochs=epochs, verbose=0, callbacks=callbacks, **endless)
    state = [np.asarray(v).tobytes() for v in (*model.variables, *model.optimizer.variables)]
    drawn = random.random(), np.random.random(), float(keras.random.uniform(()))  # noqa: NPY002
    return state, model.history.history, drawn


@pytest.mark.parametrize("kind", KINDS)
def test_watching_the_batches_changes_no_bit(kind, tmp_path):
    plain = fit(KINDS[kind])
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    assert fit(KINDS[kind], recorder) == plain
    record = open_record(tmp_path / "a.fpdrift")
    found = record.digests["batch"].tolist()
    assert (len(found), found[0], len(set(found[1:6]))) == (11, 0, 5)
    assert "notes" not in record.meta
    expected = [batch_digest(batch) for batch in parts(*arrays())]
    if kind == "generator":
        assert found[1:] == expected * 2
    elif kind == "PyDataset":  # `fit` draws their order by Python's generator
        assert sorted(found[1:6]) == sorted(found[6:]) == sorted(expected)


def test_a_step_has_the_digest_of_its_own_batch(tmp_path):
    """The loss of a step from a known state shows which batch it was."""
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    x = np.repeat(np.arange(SAMPLES // BATCH, dtype=np.float32), BATCH)[:, np.newaxis]
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.0), "mae")  # the weight stays, so the loss is the batch's
    scale = abs(float(model.get_weights()[0][0, 0]))
    data = Sequence(x, np.zeros_like(x))
    model.fit(recorder.watch(data), epochs=3, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    number = {batch_digest(batch): i for i, batch in enumerate(data.parts)}
    trained = [number[digest] for digest in record.digests["batch"][1:].tolist()]
    np.testing.assert_allclose(record.loss[1:], np.array(trained) * scale, rtol=1e-5)


def test_an_execution_has_one_digest(tmp_path):
    recorder = DriftRecorder(tmp_path / "a.fpdrift", strict=True)
    fit(generator, recorder, execution=5)
    record = open_record(tmp_path / "a.fpdrift")
    one, two = record.digests["batch"][1:].tolist()
    expected = [batch_digest(batch) for batch in parts(*arrays())]
    assert one == two == batch_digest(np.array(expected, np.uint64))


def test_arrays_have_one_digest(tmp_path):
    x, y = arrays()
    recorder = DriftRecorder(tmp_path / "a.fpdrift")
    assert recorder.watch(x) is x
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
    model.compile("sgd", "mse")
    model.fit(x, recorder.watch(y), batch_size=40, verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert record.meta["recorder"]["data"] == f"{batch_digest(x):016x} {batch_digest(y):016x}"
    assert "batch" not in record.digests


@pytest.mark.parametrize("kind", ["other data", "an earlier fit"])
def test_data_that_were_not_watched_are_noted(kind, tmp_path):
    recorder = DriftRecorder(tmp_path / "a.fpdrift")
    if kind == "other data":
        recorder.watch(Sequence(*arrays()))
        with pytest.warns(UserWarning, match="the training read other data"):
            fit(Sequence, recorder, watch=False)
    else:
        fit(Sequence, recorder, epochs=1)
        recorder._recording._state = None
        (model,) = recorder._recording._subject.models.values()
        with pytest.warns(UserWarning, match="call watch for each fit"):
            model.fit(Sequence(*arrays()), verbose=0, callbacks=[recorder])
    record = open_record(tmp_path / "a.fpdrift")
    assert record.complete
    assert record.digests["batch"][-1] == 0 if "batch" in record.digests else True


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (3, "watch does not support 'int'; pass arrays, a Python generator, a PyDataset or"),
        (iter([1]), "watch does not support 'list_iterator'"),
        (Sequence(*arrays(), workers=2), "watch cannot follow several workers"),
    ],
)
def test_other_data_are_refused(data, text, tmp_path):
    with pytest.raises(FpdriftError, match=text):
        DriftRecorder(tmp_path / "a.fpdrift").watch(data)


def test_the_batch_of_a_loop_of_ones_own(tmp_path):
    x, y = arrays()
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
    model.compile("sgd", "mse")
    with fpdrift.record(tmp_path / "a.fpdrift", model, strict=True) as record:
        for batch in parts(x, y):
            record.step(model.train_on_batch(*batch), batch=batch)
    found = open_record(tmp_path / "a.fpdrift").digests
    assert found["batch"][1:].tolist() == [batch_digest(batch) for batch in parts(x, y)]


def test_equal_batches_have_equal_digests_whatever_holds_them():
    x, y = parts(*arrays())[0]
    one = batch_digest((x, y))
    assert one == batch_digest([x, y]) == batch_digest((keras.ops.convert_to_tensor(x), y))
    assert one == batch_digest({"a": x, "b": y}) == batch_digest((x[::-1][::-1], y))
    others = [(y, x), (x,), (x, -y), (x.astype(np.float64), y), (x.reshape(-1), y)]
    assert len({one, *map(batch_digest, others)}) == 1 + len(others)
    assert batch_digest(np.array(["a"], object)) != batch_digest(np.array(["b"], object))


def draw_python():
    random.random()


def draw_numpy():
    np.random.random()  # noqa: NPY002 - the global state is what is looked at


def cache_numpy():
    """The legacy generator keeps every second normal number."""
    np.random.standard_normal()  # noqa: NPY002


@pytest.mark.parametrize(
    ("draw", "name"), [(draw_python, "python"), (draw_numpy, "numpy"), (cache_numpy, "numpy")]
)
def test_a_draw_changes_the_digest_of_its_generator_only(draw, name):
    keras.utils.set_random_seed(1)
    before = generator_digests()
    assert generator_digests() == before
    draw()
    after = generator_digests()
    assert {key for key in after if after[key] != before[key]} == {name}
    keras.utils.set_random_seed(1)
    assert generator_digests() == before


def test_the_second_half_of_a_pair_of_normal_numbers_changes_the_digest():
    cache_numpy()
    before = generator_digests()
    cache_numpy()
    assert generator_digests() != before


def test_the_states_of_the_generators_are_in_the_record(tmp_path):
    def run(name, draws):
        path = tmp_path / name

        class Draw(keras.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                if batch == 2 and draws:
                    draw_numpy()

        keras.utils.set_random_seed(1)
        start = generator_digests()
        model = keras.Sequential([keras.Input((4,)), layers.Dense(4)])
        model.compile("sgd", "mse")
        recorder = DriftRecorder(path, strict=True)
        x, y = arrays()
        callbacks = [Draw(), recorder]
        model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=callbacks)
        return start, open_record(path)

    (start, a), (_, b) = (run(name, draws) for name, draws in (("a", False), ("b", True)))
    assert a.meta["recorder"]["generators"].keys() == {"python", "numpy"}
    assert a.digests["numpy"][0] == start["numpy"]
    assert (a.digests["numpy"] == b.digests["numpy"]).tolist() == [True] * 3 + [False] * 3
    assert (a.digests["python"] == b.digests["python"]).all()
    pair = fpdrift.compare(a, b)
    assert pair.first_difference is None
    assert pair.digests_differ_from("numpy") == 3
    assert not any("generators" in name for name in pair.differs)
