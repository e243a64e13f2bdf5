"""Bad arguments are refused at once; a bad probe is said in one line, and training goes on."""

import keras
import numpy as np
import pytest
from keras import layers
from observed_models import again, bits, cnn, images

from fpdrift.errors import FpdriftError, FpdriftWarning
from fpdrift.recorder import DriftRecorder
from fpdrift.records import open_record

BAD_PROBE = (
    "the model cannot take the probe of shape (3, 5); pass probe=x[:256], as the model expects it"
)


def fit(make, *recorders):
    model, x, y = again(make)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=list(recorders))
    return bits(model.variables), bits(model.optimizer.variables), model.history.history


class Counting(keras.Model):
    """Counts its calls, in inference too, before it finds out that a probe is bad."""

    def __init__(self):
        super().__init__()
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.flatten, self.dense = layers.Flatten(), layers.Dense(3, "softmax")

    def call(self, x):
        self.calls.assign(self.calls + 1)
        return self.dense(self.flatten(x))


def counting():
    model = Counting()
    x, y = images()
    model(x)
    model.compile("adam", "categorical_crossentropy")
    return model, x, y


@pytest.mark.parametrize("make", [cnn, counting])
def test_bad_probe_is_said_once_in_a_line_and_training_is_not_touched(make, tmp_path):
    plain = fit(make)
    with pytest.warns(FpdriftWarning) as caught:
        recorded = fit(make, DriftRecorder(tmp_path / "a.fpdrift", probe=np.zeros((3, 5))))
    (warning,) = caught
    assert str(warning.message) == f"{BAD_PROBE}. Training continues; predictions are not recorded."
    assert str(warning.message).isprintable()
    assert recorded == plain
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, record.steps.tolist()) == (True, list(range(11)))
    assert record.predictions == {}


def test_bad_probe_stops_at_once_where_strict(tmp_path):
    recorder = DriftRecorder(tmp_path / "a.fpdrift", probe=np.zeros((3, 5)), strict=True)
    with pytest.raises(FpdriftError) as caught:
        fit(cnn, recorder)
    assert str(caught.value) == BAD_PROBE
    assert open_record(tmp_path / "a.fpdrift").steps.tolist() == [0]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"strict": "no"}, "strict is 'no'; choose True or False"),
        ({"strict": None}, "strict is None; choose True or False"),
        ({"overwrite": "no"}, "overwrite is 'no'; choose True or False"),
        ({"overwrite": 1}, "overwrite is 1; choose True or False"),
        ({"on_step": 3}, "on_step is 3; pass a function or None"),
    ],
)
def test_bad_arguments_are_refused_at_once(given, text, tmp_path):
    path = tmp_path / "a.fpdrift"
    path.write_text("a thesis")
    with pytest.raises(FpdriftError) as caught:
        DriftRecorder(path, **given)
    assert str(caught.value) == text
    assert path.read_text() == "a thesis"


def test_repr_is_short(tmp_path):
    assert repr(DriftRecorder(tmp_path / "a.fpdrift")) == "DriftRecorder('a.fpdrift')"
