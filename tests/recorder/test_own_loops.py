"""A loop of one's own ends with the same bits with and without `fpdrift.record`."""

import random

import keras
import numpy as np
import pytest
from helpers import require
from keras import layers, ops

import fpdrift
from fpdrift.errors import FpdriftError
from fpdrift.records import open_record

STEPS = 6


def batch(number):
    rng = np.random.default_rng(number)
    return rng.standard_normal((2, 16, 4)).astype(np.float32)


def network(**compiled):
    model = keras.Sequential(
        [
            *(keras.Input((4,)), layers.Dense(5), layers.BatchNormalization()),
            *(layers.Dropout(0.3), layers.Dense(4)),
        ]
    )
    if compiled:
        model.compile(**compiled)
    return model


def apply_gradients(model, optimizer, x, y):
    tf = require("tensorflow")
    with tf.GradientTape() as tape:
        loss = ops.mean(ops.square(model(x, training=True) - y))
    weights = model.trainable_variables
    optimizer.apply(tape.gradient(loss, weights), weights)
    return loss


def by_tape(recording):
    model, optimizer = network(), keras.optimizers.Adam(0.01)
    with recording(model, optimizer) as record:
        for number in range(STEPS):
            record.step(apply_gradients(model, optimizer, *batch(number)))
    return model.variables + optimizer.variables


def by_function(recording):
    tf = require("tensorflow")
    model, optimizer = network(), keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    step = tf.function(lambda x, y: apply_gradients(model, optimizer, x, y))
    with recording(model, optimizer) as record:
        for number in range(STEPS):
            record.step(step(*batch(number)), {"number": number})
    return model.variables + optimizer.variables


def by_train_on_batch(recording):
    model = network(optimizer="rmsprop", loss="mse", metrics=["mae"])
    with recording(model, None) as record:
        for number in range(STEPS):
            record.step(model.train_on_batch(*batch(number), return_dict=True))
    return model.variables + model.optimizer.variables + model.metrics_variables


def by_gan(recording):
    """Two models and optimisers; the second makes two updates in each step."""
    models = {"generator": network(), "critic": network()}
    optimizers = {"first": keras.optimizers.Adam(0.01), "second": keras.optimizers.SGD(0.1, 0.9)}
    with recording(models, optimizers) as record:
        for number in range(STEPS):
            x, y = batch(number)
            for _ in range(2):
                other = apply_gradients(models["critic"], optimizers["second"], x, y)
            loss = apply_gradients(models["generator"], optimizers["first"], x, y)
            record.step(loss, metrics={"critic": other})
    every = (*models.values(), *optimizers.values())
    return [variable for each in every for variable in each.variables]


class Unrecorded:
    """Stands in for the recorder."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def step(self, *_, **__):
        pass


def train(loop, recording):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    variables = loop(recording)
    drawn = random.random(), np.random.random(), float(keras.random.uniform(()))  # noqa: NPY002
    return [np.asarray(variable).tobytes() for variable in variables], drawn


@pytest.fixture
def recorded(tmp_path):
    def run(loop, **more):
        path = tmp_path / "a.fpdrift"

        def recording(model, optimizer):
            more.setdefault("probe", batch(9)[0])
            return fpdrift.record(path, model, optimizer=optimizer, strict=True, **more)

        return train(loop, recording), open_record(path)

    return run


LOOPS = [by_tape, by_function, by_train_on_batch, by_gan]


@pytest.mark.parametrize("loop", LOOPS)
def test_same_bits_with_and_without(loop, recorded):
    plain = train(loop, lambda *_: Unrecorded())
    observed, record = recorded(loop)
    assert observed == plain
    assert (record.complete, record.steps.tolist()) == (True, [*range(STEPS + 1)])
    assert record.start_seen
    assert np.isfinite(record.loss[1:]).all()
    assert [*record.predictions] == [0, STEPS]
    assert record.present[0].sum() >= record.present[0].size // 3


def hashes_of(record, name):
    return record.hashes[:, [tensor.name for tensor in record.tensors].index(name)]


def test_an_optimizer_that_was_built_before_is_recorded_from_the_start(recorded):
    _, record = recorded(by_function)
    assert record.present.all()
    assert [phase.changes for phase in record.phases] == [()]
    assert record.loss_kind == "reported"
    assert record.metrics["number"][1:].tolist() == [*range(STEPS)]
    assert "notes" not in record.meta


@pytest.mark.parametrize("loop", [by_tape, by_train_on_batch])
def test_slots_that_the_first_step_builds_begin_a_phase(loop, recorded):
    _, record = recorded(loop)
    assert [phase.step for phase in record.phases] == [0, 1]
    assert record.phases[1].changes == ("an optimizer was built during step 1",)
    there = {t.name: record.present[:, i] for i, t in enumerate(record.tensors)}
    momentum = next(name for name in there if name.endswith(("velocity", "dense/kernel/momentum")))
    assert there[momentum].tolist() == [False] + [True] * STEPS
    assert there["dense/kernel"].all()


def test_the_same_as_by_the_callback(recorded, tmp_path):
    """The same training by `fit`, whose optimiser has its slots from the start."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model = network(optimizer="rmsprop", loss="mse", metrics=["mae"])
    callback = fpdrift.DriftRecorder(tmp_path / "fit.fpdrift", strict=True)
    batches = (tuple(batch(number)) for number in range(STEPS))
    model.fit(batches, steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=[callback])
    by_fit = open_record(tmp_path / "fit.fpdrift")
    _, record = recorded(by_train_on_batch)
    assert record.loss_kind == by_fit.loss_kind == "step"
    np.testing.assert_array_equal(record.loss, by_fit.loss)
    pair = fpdrift.compare(record, by_fit)
    assert pair.first_difference is None
    assert not pair.only_in_a
    assert not pair.only_in_b


def test_several_models_have_names_of_their_own(recorded):
    _, record = recorded(by_gan)
    roles = {tensor.name: tensor.role for tensor in record.tensors}
    assert roles["generator/dense/kernel"] == roles["critic/dense/kernel"] == "weight"
    assert roles["adam/generator/dense/kernel/momentum"] == "slot"
    assert roles["sgd/critic/dense_1/kernel/momentum"] == "slot"
    assert set(record.metrics) == {"critic"}
    assert [each["name"] for each in record.meta["keras"]["optimizers"]] == ["Adam", "SGD"]
    zero = {tensor.name: tensor.zero_gradient for tensor in record.tensors}
    assert (zero["critic/dense/bias"], zero["critic/dense_1/bias"]) == (True, False)


def test_updates_are_counted(recorded):
    _, record = recorded(by_gan)
    assert record.meta["notes"] == [
        "optimizer second: 2 updates in step 1.",
        "optimizer second: 2 updates in each of 6 steps.",
    ]

    def skips_a_step(recording):
        model, optimizer = network(), keras.optimizers.SGD(0.1)
        with recording([model], [optimizer]) as record:
            for number in range(STEPS):
                if number != 3:
                    apply_gradients(model, optimizer, *batch(number))
                record.step()
        return model.variables

    _, record = recorded(skips_a_step, overwrite=True)
    assert record.meta["notes"] == ["optimizer SGD: no update in step 4."]
    assert record.tensors[0].name == "0/dense/kernel"
    assert np.isnan(record.loss).all()
    kernel = hashes_of(record, "0/dense/kernel")
    assert kernel[3] == kernel[4] != kernel[5]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_closes_the_record_and_is_raised(error, tmp_path):
    model, optimizer = network(), keras.optimizers.SGD(0.1)
    recorder = fpdrift.record(tmp_path / "a.fpdrift", model, optimizer=optimizer, strict=True)

    def train(error=None):
        with recorder:
            for number in range(3):
                recorder.step(apply_gradients(model, optimizer, *batch(number)))
            if error is not None:
                raise error

    with pytest.raises(error):
        train(error)
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, record.steps.tolist()) == (False, [0, 1, 2, 3])
    assert not list(tmp_path.glob("*-journal"))
    with pytest.raises(FpdriftError, match="outside the block"):
        recorder.step(1.0)
    train()  # a second block continues
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, record.steps.tolist()) == (True, [*range(7)])


def test_an_unbuilt_model_is_recorded_from_its_first_step_on(recorded):
    def loop(recording):
        model, optimizer = keras.Sequential([layers.Dense(4)]), keras.optimizers.SGD(0.1)
        with recording(model, optimizer) as record:
            for number in range(STEPS):
                record.step(apply_gradients(model, optimizer, *batch(number)))
        return model.variables

    _, record = recorded(loop)
    assert (record.start_seen, record.steps.tolist()) == (False, [*range(1, STEPS + 1)])


def test_epochs_and_predictions(tmp_path):
    model, optimizer = network(), keras.optimizers.SGD(0.1)
    path, probe = tmp_path / "a.fpdrift", batch(9)[0]
    with fpdrift.record(path, model, optimizer=optimizer, probe=probe, strict=True) as record:
        for epoch in range(2):
            for number in range(2):
                record.step(apply_gradients(model, optimizer, *batch(number)))
            record.epoch({"epoch": epoch})
    found = open_record(path)
    assert [*found.predictions] == [0, 2, 4]
    assert [epoch["epoch"] for epoch in found.epochs] == [0, 1]


def test_step_inside_a_function_is_refused(tmp_path):
    tf = require("tensorflow")
    with fpdrift.record(tmp_path / "a.fpdrift", network()) as record:
        step = tf.function(lambda: record.step(1.0), autograph=False)
        with pytest.raises(FpdriftError, match=r"inside a tf\.function"):
            step()
        assert open_record(tmp_path / "a.fpdrift").steps.tolist() == [0]
    assert open_record(tmp_path / "a.fpdrift").meta["notes"] == [
        "The block ended without a call of step."
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"model": 3}, "model is 3; pass a Keras model, or a list or dict of Keras models"),
        ({"model": []}, r"model is \[\]; pass a Keras model"),
        ({"optimizer": "adam"}, "optimizer is 'adam'; pass a Keras optimizer, or a list or dict"),
        ({"strict": 1}, "strict is 1; choose True or False"),
    ],
)
def test_bad_arguments_are_refused_at_once(given, text, tmp_path):
    with pytest.raises(FpdriftError, match=text):
        fpdrift.record(tmp_path / "a.fpdrift", **{"model": network(), **given})
    assert not list(tmp_path.iterdir())
