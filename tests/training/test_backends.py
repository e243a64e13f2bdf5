"""One network on TensorFlow, JAX and PyTorch: which of them computes is a condition like others."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers import require

import fpdrift
from fpdrift.backends.jax import configure
from fpdrift.ensembles._run_key import Run
from fpdrift.records import RecordWriter, Tensor
from fpdrift.training import Condition

OTHERS = ["jax", "torch"]
STEPS = 2


def trained(backend, folder):
    require(backend)
    condition = Condition(backend=backend)
    return fpdrift.train(condition, steps=STEPS, path=folder / f"{backend}.fpdrift")


@pytest.fixture(scope="module")
def tensorflow(tmp_path_factory):
    return trained("tensorflow", tmp_path_factory.mktemp("tensorflow"))


@pytest.mark.check
@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHERS)
def test_backends_differ_in_rounding_alone(backend, tensorflow, tmp_path):
    other = trained(backend, tmp_path)
    assert (other.complete, other.steps.tolist()) == (True, list(range(STEPS + 1)))
    assert other.meta["backend"] == other.meta["condition"]["backend"] == backend
    same = ("initial_weights", "data", "probe")
    assert [other.meta[name] for name in same] == [tensorflow.meta[name] for name in same]
    # equal bits before the first step: weights, statistics, slots and the counters of the masks
    np.testing.assert_array_equal(other.hashes[0], tensorflow.hashes[0])
    # counters agree at each step, in whatever whole numbers a backend counts
    counts = [i for i, t in enumerate(other.tensors) if t.hashed_as == "int64"]
    assert len(counts) == 3
    np.testing.assert_array_equal(other.hashes[:, counts], tensorflow.hashes[:, counts])
    pair = fpdrift.compare(tensorflow, other)
    assert pair.differs["condition.backend"] == ("tensorflow", backend)
    assert pair.first_difference is None or pair.first_difference.step > 0
    # the same batches and masks: the losses agree to far more digits than other ones would leave
    np.testing.assert_allclose(pair.loss[1, 1:], pair.loss[0, 1:], rtol=1e-4)
    assert pair.distance[-1] < 1e-3
    many = fpdrift.compare_many([tensorflow, other])
    assert not many.left_out
    assert many.differs["condition.backend"] == ("tensorflow", backend)


def test_jax_has_the_width_of_the_policy_whatever_the_shell_says():
    jax = require("jax")
    before = jax.config.jax_enable_x64
    try:
        for float64 in (True, False, True):
            configure(float64=float64)
            assert str(jax.numpy.zeros(1, float).dtype) == f"float{64 if float64 else 32}"
    finally:
        jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_a_count_is_the_same_in_another_whole_number(dtype, tmp_path):
    require("keras")
    from fpdrift.recorder._state import hashes

    counts, weights = np.array([[3, 2**31 - 1], [4, 5]]), np.ones(2, np.float32)
    for name, kind in (("wide", "int64"), ("narrow", dtype), ("float", "float32")):
        tensors = [
            Tensor("count", "slot", (2,), kind, "hash"),
            Tensor("w", "weight", (2,), "float32", "hash"),  # without one nothing is compared
        ]
        writer = RecordWriter(tmp_path / name, tensors)
        for step, values in enumerate(counts):
            writer.add_step(step, hashes([values.astype(kind), weights]))
        writer.finish()
    wide, narrow, real = (fpdrift.open_record(tmp_path / n) for n in ("wide", "narrow", "float"))
    assert fpdrift.compare(wide, narrow).first_difference is None
    assert fpdrift.compare(wide, real).first_difference.step == 0
    assert len(fpdrift.compare_many([wide, narrow, real]).classes) == 2
    changed = dataclasses.replace(narrow, hashes=narrow.hashes[::-1])
    assert fpdrift.compare(wide, changed).first_difference.step == 0


def test_a_run_is_named_by_the_backend_that_trains_it():
    def run(condition, shell):
        return Run(condition, "answer", "noise", "one-hot", 5, shell, 1)

    left_open = run(Condition(), "tensorflow")
    assert "backend" not in left_open.definition["condition"]
    assert left_open.stem != run(Condition(), "jax").stem
    chosen = run(Condition(backend="jax"), "tensorflow")
    assert chosen.definition["backend"] == "jax"
    assert chosen.stem == run(Condition(backend="jax"), "torch").stem


#: A stranger's model, on the backend that the environment names.
_OWN_MODEL = """
import sys
import keras, numpy as np
from keras import layers
from fpdrift import DriftRecorder

def run(path):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32)
    y = np.arange(40) % 3
    model = keras.Sequential([keras.Input((6,)), layers.Dense(5), layers.BatchNormalization(),
                              layers.Dropout(0.5), layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    recorder = [] if path is None else [DriftRecorder(path, probe=x[:7], strict=True)]
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=recorder)
    weights = [keras.ops.convert_to_numpy(w) for w in model.weights]
    return history.history, weights

plain, observed = run(None), run(sys.argv[1])
assert plain[0] == observed[0], (plain[0], observed[0])
for one, other in zip(plain[1], observed[1], strict=True):
    assert one.tobytes() == other.tobytes()
np.savez(sys.argv[2], *observed[1])
"""


@pytest.mark.check
@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHERS)
def test_a_recorder_changes_nothing_and_sees_the_last_bit(backend, tmp_path):
    require(backend)
    subprocess.run(
        [sys.executable, "-c", _OWN_MODEL, tmp_path / "a.fpdrift", tmp_path / "w.npz"],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
    )
    record = fpdrift.open_record(tmp_path / "a.fpdrift")
    assert (record.complete, record.steps.tolist()) == (True, list(range(7)))
    assert record.loss_kind == "step"
    assert record.meta["keras"]["backend"] == backend
    assert sorted(record.predictions) == [0, 3, 6]
    with np.load(tmp_path / "w.npz") as saved:
        weights = [saved[name] for name in saved.files]
    seen = [i for i, t in enumerate(record.tensors) if t.role in ("weight", "statistic")]
    assert len(seen) == len(weights) == 8
    by_size = {record.tensors[i].name: record.kept[i][-1] for i in seen}
    for values in weights:
        assert any(np.array_equal(values.astype(float).ravel(), kept) for kept in by_size.values())


#: A step is kept of a model whose dropout draws from PyTorch's own generator.
_KEPT = """
import keras, numpy as np
from keras import layers
from fpdrift.step_debug import keep_step

x = np.random.default_rng(1).normal(size=(48, 6)).astype(np.float32)
y = np.arange(48) % 3

def batches():
    while True:
        yield from ((x[i : i + 16], y[i : i + 16]) for i in (0, 16, 32))

def run(*keepers):
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(5, "relu"), layers.Dropout(0.5),
                              layers.BatchNormalization(), layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    data = keepers[0].batches(batches()) if keepers else batches()
    model.fit(data, steps_per_epoch=3, shuffle=False, verbose=0, callbacks=keepers)
    return [keras.ops.convert_to_numpy(weight).tobytes() for weight in model.weights]

assert run() == run(keep_step("a.npz", 2)) == run(keep_step("b.npz", 2))
"""


@pytest.mark.check
@pytest.mark.slow
def test_a_step_kept_on_torch_changes_nothing_and_is_the_run_s_own(tmp_path):
    require("torch")
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _KEPT],
        cwd=tmp_path,
        env=os.environ | {"KERAS_BACKEND": "torch", "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
    )
    found = fpdrift.step_debug.explain_kept(tmp_path / "a.npz", tmp_path / "b.npz")
    assert found.exact
    assert found.compared > 50
    assert (found.differences, found.unmatched) == ((), ())
