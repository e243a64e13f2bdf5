"""One ulp planted in a running training, in any kind of tensor, is found where it was planted."""

import os

import numpy as np
import pytest
from helpers import require

from fpdrift.drift import compare
from fpdrift.errors import FpdriftError

pytestmark = pytest.mark.slow

#: steps of an epoch; two are trained
STEPS = 5


def fit(path, *, units=48, optimiser="adam", before=()):
    """Train a small network with every kind of tensor; record it after the callbacks `before`."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    keras = require("keras")
    from fpdrift.recorder import DriftRecorder

    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((48,)),
            keras.layers.Dense(units, name="hidden", activation="relu"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5, name="drop"),
            keras.layers.Dense(3, name="out"),
        ]
    )
    model.compile(optimiser, "mse", metrics=["mae"])
    rng = np.random.default_rng(3)
    x, y = (rng.normal(size=(8 * STEPS, n)).astype(np.float32) for n in (48, 3))
    recorder = DriftRecorder(path, probe=x[:16], strict=True)
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=[*before, recorder])
    return path


def planting(step, name):
    """Make a callback that moves the last element of one tensor by an ulp after `step` updates."""
    import keras

    class Planting(keras.callbacks.Callback):
        done = 0

        def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 - Keras gives them
            self.done += 1
            if self.done == step:
                variables = [*self.model.variables, *self.model.optimizer.variables]
                (found,) = (v for v in variables if v.path.endswith(name))
                values = np.asarray(found).copy()
                values.flat[-1] = np.nextafter(values.flat[-1], np.float32(np.inf))
                found.assign(values)

    return Planting()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    require("tensorflow")
    return fit(tmp_path_factory.mktemp("untouched") / "untouched.fpdrift")


PLANTED = {
    "hidden/kernel": ("hidden/kernel", "weight"),
    "out/bias": ("out/bias", "weight"),
    "norm/moving_mean": ("norm/moving_mean", "statistic"),
    "norm/moving_variance": ("norm/moving_variance", "statistic"),
    "hidden_kernel_momentum": ("adam/hidden/kernel/momentum", "slot"),
    "norm_gamma_velocity": ("adam/norm/gamma/velocity", "slot"),
}


@pytest.mark.parametrize("step", [1, 4, 7])
@pytest.mark.parametrize("where", PLANTED)
def test_a_planted_ulp_is_named_by_step_tensor_and_role(where, step, untouched, tmp_path):
    touched = fit(tmp_path / "touched.fpdrift", before=[planting(step, where)])
    first = compare(untouched, touched).first_difference
    assert (first.step, first.last_equal) == (step, step - 1)
    assert [(t.name, t.role) for t in first.tensors] == [PLANTED[where]]


def test_nothing_planted_is_nothing_found(untouched, tmp_path):
    found = compare(untouched, fit(tmp_path / "again.fpdrift"))
    assert found.first_difference is None
    assert found.recorded_steps.tolist() == list(range(2 * STEPS + 1))
    assert (found.churn, found.churn_step) == (0.0, 2 * STEPS)
    np.testing.assert_array_equal(found.loss[0], found.loss[1])
    np.testing.assert_array_equal(*found.metrics["mae"])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"units": 40}, r"weight 'hidden/kernel' of shape \(48, 48\) against .* \(48, 40\)"),
        ({"optimiser": "sgd"}, "different models: .*adam"),
    ],
)
def test_other_models_are_refused(change, text, untouched, tmp_path):
    with pytest.raises(FpdriftError, match=text):
        compare(untouched, fit(tmp_path / "other.fpdrift", **change))
