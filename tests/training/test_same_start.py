"""Every condition of a seed starts from the same weights, drops the same units, sees one order."""

import importlib.util
import itertools
import json
import math
import os

import numpy as np
import pytest
from helpers import require

from fpdrift.experiments import Settings, experiment
from fpdrift.experiments._demo import conditions
from fpdrift.perturbation import Perturbation
from fpdrift.records import open_record
from fpdrift.subprocesses import run_module
from fpdrift.training._condition import Condition
from fpdrift.training._datasets import Data
from fpdrift.training._hash_rng import digest
from fpdrift.training._networks import SHAPES, build, initial_weights
from fpdrift.training._train import environment

pytestmark = pytest.mark.slow

CONDITIONS = [
    Condition(),
    Condition(intra_op_threads=1, onednn=False),
    Condition(intra_op_threads=2, op_determinism=True),
    Condition(jit=True, instruction_set="AVX2"),
    Condition(dtype_policy="float64"),
    Condition(dtype_policy="mixed_bfloat16", jit=True),
    *(Condition(backend=name) for name in ("jax", "torch") if importlib.util.find_spec(name)),
]
#: As far as one condition is from the default, which is that of the tests' own process.
FAR = Condition(intra_op_threads=1, onednn=False, jit=True, dtype_policy="float64")
TABLE = [
    ("image", "InputLayer", (28, 28, 1), 0),
    ("conv1", "Conv2D", (26, 26, 32), 320),
    ("norm1", "BatchNormalization", (26, 26, 32), 128),
    ("relu1", "ReLU", (26, 26, 32), 0),
    ("conv2", "Conv2D", (24, 24, 32), 9_248),
    ("norm2", "BatchNormalization", (24, 24, 32), 128),
    ("relu2", "ReLU", (24, 24, 32), 0),
    ("pool", "MaxPooling2D", (12, 12, 32), 0),
    ("dropout1", "HashDropout", (12, 12, 32), 0),
    ("flatten", "Flatten", (4_608,), 0),
    ("dense1", "Dense", (512,), 2_359_808),
    ("norm3", "BatchNormalization", (512,), 2_048),
    ("relu3", "ReLU", (512,), 0),
    ("dropout2", "HashDropout", (512,), 0),
    ("dense2", "Dense", (10,), 5_130),
]


@pytest.fixture(scope="module")
def keras():
    require("tensorflow")
    return require("keras")


@pytest.fixture(scope="module", params=["one", pytest.param("all", marks=pytest.mark.check)])
def seen(request):
    """Each condition, and what its process saw while the shell asks for something else."""
    require("tensorflow")
    conditions = CONDITIONS if request.param == "all" else [FAR]
    shell = {"TF_NUM_INTRAOP_THREADS": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONHASHSEED": "7"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in shell.items():
            patch.setenv(name, value)
        return [
            (
                condition,
                run_module(
                    "training_child",
                    condition.to_dict(),
                    env=environment(condition, "noise", condition.backend or "tensorflow"),
                    timeout=300,
                ),
            )
            for condition in conditions
        ]


def test_weights_are_the_same_bits_before_and_after_the_cast(seen):
    for condition, result in seen:
        assert result["drawn"] == result["given"] == "11b7b752ca034617"
        assert result["dtype"] == condition.weight_dtype
    assert list(initial_weights(SHAPES, "glorot", 1)) == list(SHAPES)


def test_masks_are_the_same_bits_under_every_condition(keras, seen):
    from fpdrift.training._hash_dropout import HashDropout

    layer, ones = HashDropout(0.25, 1, 1), np.ones((48, 12, 12, 32), np.float32)
    drawn = (keras.ops.convert_to_numpy(layer(ones, training=True)) for _ in range(3))
    masks = [digest(values == 0) for values in drawn]
    assert len(set(masks)) == 3
    assert all(result["masks"] == masks for _, result in seen)


def test_condition_reaches_its_process_and_the_shell_does_not(seen):
    for condition, result in seen:
        assert result["threads"] == (condition.intra_op_threads or 0)
        assert result["switches"] == condition.environment()
    assert os.environ.get("PYTHONHASHSEED") != "7"


@pytest.mark.parametrize("name", ["answer", "question"])
def test_layers_and_parameters(keras, name):
    model = build(name, 1)
    table = [
        (layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
    ]
    assert table == TABLE
    assert model.count_params() == 2_376_810
    assert sum(math.prod(v.shape) for v in model.trainable_variables) == 2_375_658
    assert {v.path: tuple(v.shape) for v in model.weights} == SHAPES
    assert [v.path for v in model.weights] == list(SHAPES)
    assert model.get_layer("dense2").activation is keras.activations.softmax
    assert model.get_layer("dense1").activation is keras.activations.linear
    assert model.get_layer("pool").pool_size == (2, 2)
    assert [model.get_layer(f"dropout{i}").rate for i in (1, 2)] == [0.25, 0.5]


def mix32(x):
    x ^= x >> 16
    x = x * 0x21F0AAAD % 2**32
    x ^= x >> 15
    x = x * 0x735A2D97 % 2**32
    return x ^ x >> 15


@pytest.mark.parametrize(("key", "step"), [(0, 0), (1, 1), (2**31 - 1, 18_760), (123_456, 2**20)])
def test_hash_against_whole_numbers(keras, key, step):
    from fpdrift.training._hash_dropout import hash32

    found = keras.ops.convert_to_numpy(hash32((5, 3, 2), keras.ops.array([key, step], "int64")))
    expected = [mix32(mix32(i) ^ mix32(key ^ mix32(step))) for i in range(30)]
    assert found.ravel().tolist() == expected
    assert found.shape == (5, 3, 2)


def test_dropout_drops_its_share_and_scales_the_rest(keras):
    from fpdrift.training._hash_dropout import HashDropout

    x = np.full((64, 4608), 3, np.float32)
    layers = [HashDropout(0.25, 1, 1), HashDropout(0.25, 1, 2), HashDropout(0.25, 2, 1)]
    assert (keras.ops.convert_to_numpy(layers[0](x)) == 3).all()
    drawn = [keras.ops.convert_to_numpy(la(x, training=True)) for la in layers for _ in range(2)]
    for values in drawn:
        assert set(np.unique(values)) == {0, 4}
        assert abs((values == 0).mean() - 0.25) < 5 * math.sqrt(0.25 * 0.75 / x.size)
    for a, b in itertools.combinations(drawn, 2):
        # two independent masks agree in 5 places of 8
        agree = ((a == 0) == (b == 0)).mean()
        assert abs(agree - 0.625) < 5 * math.sqrt(0.625 * 0.375 / x.size)
    again = HashDropout.from_config(layers[0].get_config())
    assert (keras.ops.convert_to_numpy(again(x, training=True)) == drawn[0]).all()


def tiny_data():
    rng = np.random.default_rng(3)
    return Data(
        name="tiny",
        labels="one-hot",
        train_images=rng.standard_normal((100, 28, 28, 1), np.float32),
        train_labels=np.eye(10, dtype=np.float32)[rng.integers(0, 10, 100)],
        validation_images=rng.standard_normal((3, 28, 28, 1), np.float32),
        validation_labels=np.eye(10, dtype=np.float32)[[1, 2, 3]],
    )


def test_batches_are_a_permutation_every_epoch():
    from fpdrift.training._worker import batches

    data = tiny_data()
    five = list(itertools.islice(batches(data, 1), 5))
    assert [len(images) for images, _ in five] == [64, 36, 64, 36, 64]
    place = {image.tobytes(): i for i, image in enumerate(data.train_images)}
    orders = [[place[image.tobytes()] for image in images] for images, _ in five]
    first, second = orders[0] + orders[1], orders[2] + orders[3]
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second
    for order, (_, labels) in zip(orders, five, strict=True):
        assert (labels == data.train_labels[order]).all()


def test_fit_takes_the_batches_in_order_and_stops_within_an_epoch(keras, tmp_path, monkeypatch):
    from fpdrift.training import _worker

    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")

    def model():
        keras.utils.set_random_seed(1)
        return keras.Sequential(
            [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
        )

    data, told = tiny_data(), []
    task = {"path": str(tmp_path / "a.fpdrift"), "steps": 5, "overwrite": False}
    recorded = model()
    _worker.prepare(recorded, jit=False)
    _worker.fit(recorded, data, task, {"seed": 1}, told.append, order=1)
    record = open_record(task["path"])
    assert record.complete
    assert record.steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert told == [{"step": step} for step in range(1, 6)]
    assert len(record.epochs) == 3
    assert record.meta["seed"] == 1

    other = model()
    other.compile(keras.optimizers.Adam(1e-3), loss="categorical_crossentropy")
    losses = []
    for images, labels in itertools.islice(_worker.batches(data, 1), 5):
        right = (other.predict_on_batch(images) * labels).sum(axis=1)
        losses.append(-np.log(right).mean())
        other.train_on_batch(images, labels)
    np.testing.assert_allclose(record.loss[1:], losses, rtol=1e-4)


@pytest.mark.parametrize(
    ("nudge", "changed"),
    [
        (Perturbation(kind="ulp", tensor="norm2/moving_mean", index=3, steps=2), 1),
        (Perturbation(kind="noise", size=1e-3), 2_375_658 // 2),
    ],
)
def test_nudge_is_applied_to_the_start_and_accounted_for(keras, nudge, changed):
    from fpdrift.training import _worker

    model = build("answer", 1)
    about = _worker.start(model, "answer", Condition(perturbation=nudge))
    assert about["initial_weights"] == "f7669ea82082199d"
    old = initial_weights(SHAPES, "he", 1)
    new = {v.path: v.numpy() for v in model.weights}
    moved = {name: int((old[name] != new[name]).sum()) for name in SHAPES}
    assert {t["name"]: t["changed"] for t in about["nudge"]["tensors"]}.items() <= moved.items()
    assert sum(moved.values()) == pytest.approx(changed, rel=0.02)
    if nudge.kind == "ulp":
        assert moved["norm2/moving_mean"] == 1
    else:
        assert moved["norm2/moving_mean"] == 0
    json.dumps(about, allow_nan=False)


def test_the_demo_shows_the_very_nudge_that_it_trains_with(keras):
    """Its fourth step, without TensorFlow, is that of the run in its fifth."""
    from fpdrift.training import _worker

    about = _worker.start(build("answer", 1), "answer", conditions(1)["nudged"])
    account = experiment("nudge").run(Settings(seed=1))
    assert about["nudge"] == json.loads(account.to_json())["result"]
