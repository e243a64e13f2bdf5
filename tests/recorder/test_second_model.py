"""A recorder continues its model's record, and refuses another model."""

import keras
import numpy as np
import pytest
from keras import layers

import fpdrift
from fpdrift.errors import FpdriftError
from fpdrift.recorder import DriftRecorder
from fpdrift.records import open_record

# Keras' own
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

REFUSED = (
    "'a.fpdrift' already contains the training of another model; record each model in its own file"
)


def network(units=3, *, seed=1):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(units), layers.Dense(2)])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def recorder(tmp_path):
    return DriftRecorder(tmp_path / "a.fpdrift")  # not strict: even so another model is refused


def fit(model, recorder):
    x, y = np.ones((32, 4), np.float32), np.ones((32, 2), np.float32)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[recorder])
    return open_record(recorder._recording.path)


def unbuilt():
    model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize(
    "second",
    [network, lambda: network(seed=2), lambda: network(5), unbuilt],
    ids=["the same start", "another start", "another shape", "unbuilt"],
)
def test_a_second_model_is_refused_before_it_trains(second, recorder):
    before = fit(network(), recorder)
    model = second()
    start = [np.array(v) for v in model.variables]
    with pytest.raises(FpdriftError) as caught:
        fit(model, recorder)
    assert str(caught.value) == REFUSED
    for old, variable in zip(start, model.variables, strict=False):
        np.testing.assert_array_equal(variable, old)
    after = open_record(recorder._recording.path)
    assert (after.complete, after.steps.tolist()) == (before.complete, before.steps.tolist())


@pytest.mark.parametrize("with_optimizer", [True, False])
def test_a_loaded_model_continues(with_optimizer, recorder, tmp_path):
    model = network()
    fit(model, recorder)
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras", compile=with_optimizer)
    if not with_optimizer:
        loaded.compile("sgd", "mse")
    record = fit(loaded, recorder)
    assert record.steps.tolist() == [0, 1, 2, 3, 4]
    assert not any("changed between" in text for p in record.phases for text in p.changes)


def test_an_earlier_checkpoint_continues(recorder, tmp_path):
    model = network()
    fit(model, recorder)
    model.save_weights(tmp_path / "a.weights.h5")
    fit(model, recorder)
    earlier = network(seed=3)
    earlier.optimizer.build(earlier.trainable_variables)
    earlier.load_weights(tmp_path / "a.weights.h5")
    record = fit(earlier, recorder)
    assert any("changed between" in text for text in record.phases[-1].changes)


def test_a_model_around_the_recorded_one_continues(recorder):
    base = network()
    fit(base, recorder)
    larger = keras.Sequential([keras.Input((4,)), base, layers.Dense(2)])
    larger.compile("sgd", "mse")
    assert len(fit(larger, recorder).phases) == 2


class WithAnOptimizer(keras.Model):
    """Not compiled; holds the optimiser of its own loop."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)
        self.own = keras.optimizers.SGD(0.1)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize("make", [WithAnOptimizer, lambda: keras.Sequential([layers.Dense(2)])])
@pytest.mark.parametrize("built", [True, False])
def test_a_model_that_is_not_compiled_stops_no_training(make, built, tmp_path):
    """The hooks are called by hand: `fit` takes compiled models only."""
    x = np.ones((8, 4), np.float32)
    model, recorder = make(), DriftRecorder(tmp_path / "a.fpdrift", probe=x)
    if built:
        model(x)
    hooks = keras.callbacks.CallbackList([recorder], model=model)
    hooks.on_train_begin()
    for step in range(2):
        hooks.on_train_batch_begin(step)
        model(x)
        for variable in model.trainable_variables:
            variable.assign_add(keras.ops.ones_like(variable))
        hooks.on_train_batch_end(step, {"loss": 1.0})
        hooks.on_epoch_end(step, {"loss": 1.0})
    hooks.on_train_end()
    record = open_record(tmp_path / "a.fpdrift")
    # an optimiser that the loop has not built is not known to train the weights
    first = 0 if built and not hasattr(model, "own") else 1
    assert (record.complete, record.steps.tolist()) == (True, [*range(first, 3)])
    assert record.loss_kind == "reported"
    assert record.predictions


def test_a_second_block_with_another_model_is_refused(tmp_path):
    with fpdrift.record(tmp_path / "a.fpdrift", network()) as record:
        record.step(1.0)
    with (
        pytest.raises(FpdriftError, match="already exists"),
        fpdrift.record(tmp_path / "a.fpdrift", network()),
    ):
        pass
