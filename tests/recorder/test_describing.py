# ruff: noqa: ARG002 - Keras calls these methods with arguments that not all of them need
"""Settings are told whole, and what cannot be described stops no training."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers
from observed_models import bits

from fpdrift.errors import FpdriftWarning
from fpdrift.recorder import DriftRecorder
from fpdrift.recorder._model_info import describe, flat
from fpdrift.records import open_record

X = np.random.default_rng(1).standard_normal((32, 3)).astype(np.float32)
Y = X[:, :1]


class Unhappy(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that nobody can serialise."""

    def __init__(self):
        self.start = 0.125

    def __call__(self, step):
        return self.start / (1.0 + keras.ops.cast(step, "float32"))


class Broken:
    """A value that can be neither read nor shown."""

    def __float__(self):
        raise RuntimeError

    __repr__ = __str__ = __float__


class BrokenLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred))

    def get_config(self):
        raise RuntimeError(Broken())


class Talks(keras.callbacks.Callback):
    """Puts into the logs what no record can hold."""

    def on_train_batch_end(self, batch, logs=None):
        logs.update({"broken": Broken(), "a\x1b[2J": 1.0, "": 2.0, "x" * 501: 3.0})

    def on_epoch_end(self, epoch, logs=None):
        logs["late"] = Broken()


def small(optimizer="sgd", loss="mse"):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(optimizer, loss, run_eagerly=True)  # what is told of it is of no graph
    return model


def train(make, *callbacks):
    keras.utils.set_random_seed(1)
    model = make()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FpdriftWarning)
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[*callbacks])
    warned = [str(w.message) for w in caught if issubclass(w.category, FpdriftWarning)]
    return [values for _, values in bits(model.variables)], warned


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: small(keras.optimizers.SGD(Unhappy())), "optimizer SGD: NotImplementedError"),
        (lambda: small(loss=BrokenLoss()), "loss_config: RuntimeError"),
    ],
)
def test_what_cannot_be_described_is_said_and_stops_nothing(make, what, strict, tmp_path):
    plain, _ = train(make)
    path = tmp_path / "a.fpdrift"
    recorded, warned = train(make, DriftRecorder(path, strict=strict))
    assert recorded == plain
    assert any(f"could not be described: {what}" in text for text in warned)
    record = open_record(path)
    assert (record.complete, record.steps.tolist()) == (True, [0, 1, 2, 3, 4])
    assert any(text.startswith(what) for text in record.meta["recorder"]["not_described"])


def test_a_schedule_without_a_config_is_told_by_its_numbers(tmp_path):
    train(lambda: small(keras.optimizers.SGD(Unhappy())), DriftRecorder(tmp_path / "a.fpdrift"))
    (said,) = open_record(tmp_path / "a.fpdrift").meta["keras"]["optimizers"]
    assert (said["name"], said["momentum"], said["nesterov"]) == ("SGD", 0.0, False)
    assert said["learning_rate"] == {"class_name": "Unhappy", "start": 0.125}


def test_an_optimiser_that_tells_nothing_at_all_stops_nothing():
    class Silent(Unhappy):
        __dict__ = property(lambda _: 1 / 0)

    described, failures = describe(small(keras.optimizers.SGD(0.5)))
    assert (failures, described["optimizers"][0]["learning_rate"]) == ([], 0.5)
    model = small(keras.optimizers.SGD(Silent.__new__(Silent)))
    described, failures = describe(model)
    assert described["optimizers"] == [{"name": "SGD"}]
    assert [text.partition(":")[0] for text in failures][-2:] == [
        "optimizer SGD",
        "optimizer SGD's attributes",
    ]


@pytest.mark.parametrize("strict", [False, True])
def test_logs_that_cannot_be_read_are_left_out(strict, tmp_path):
    plain, _ = train(small)
    path = tmp_path / "a.fpdrift"
    recorded, warned = train(small, Talks(), DriftRecorder(path, strict=strict))
    assert recorded == plain
    record = open_record(path)
    assert (record.complete, record.steps.tolist()) == (True, [0, 1, 2, 3, 4])
    assert set(record.metrics) == {"broken"}
    assert np.isnan(record.metrics["broken"]).all()
    assert np.isnan(record.epochs[0]["late"])
    assert sum("'broken' is not a number (RuntimeError)" in text for text in warned) == 1
    assert len(warned) == 5  # once each
    assert len(record.meta["notes"]) == 5


def test_settings_are_told_whole():
    adam = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(0.0123456789, 1000, alpha=0.25, name="n" * 150),
        beta_2=0.98765,
        epsilon=1e-5,
        clipnorm=0.5,
    )
    model = small(adam, keras.losses.Huber(delta=0.375))
    described, failures = describe(model)
    assert failures == []
    told = flat(described)
    for name, value in adam.get_config().items():
        if name not in ("name", "learning_rate"):
            assert told[f"optimizers[0].{name}"] == value
    assert told["optimizers[0].learning_rate.class_name"] == "CosineDecay"
    for name, value in adam.get_config()["learning_rate"]["config"].items():
        assert told[f"optimizers[0].learning_rate.{name}"] == value
    assert told["loss"] == "Huber"
    assert told["loss_config.delta"] == 0.375


def functional(last):
    inputs = keras.Input((3,))
    return keras.Model(inputs, last(layers.Dense(3)(inputs)))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: functional(layers.Dense(2, "softmax")), ([None, 2], "softmax")),
        (lambda: functional(layers.Softmax()), ([None, 3], "softmax")),
        (lambda: functional(layers.Activation("sigmoid")), ([None, 3], "sigmoid")),
        (lambda: functional(layers.Dropout(0.5)), ([None, 3], None)),
        (lambda: functional(small()), ([None, 1], "linear")),
        (lambda: keras.Sequential([keras.Input((3,)), small()]), ([None, 1], "linear")),
        (small, ([None, 1], "linear")),
    ],
)
def test_the_output_is_told_by_shape_and_activation(make, said):
    output = describe(make())[0]["output"]
    assert (output["shape"], output["activation"]) == said


def test_an_output_that_is_not_known_is_none():
    class Own(keras.Model):
        def call(self, x):
            return x

    model = Own()
    model.compile("sgd", "mse")
    assert describe(model)[0]["output"] is None
