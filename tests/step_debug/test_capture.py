"""A step of a stranger's own training is written down where it happens, and changes nothing."""

import errno
import os

import numpy as np
import pytest
from helpers import require

from fpdrift.errors import FpdriftError, FpdriftWarning
from fpdrift.records import open_record
from fpdrift.step_debug import compare_step, explain_kept, keep_step

pytestmark = pytest.mark.slow

NUDGE = np.float32(1 + 2**-23)
STEPS = 7


@pytest.fixture(autouse=True)
def fresh_keras():
    require("tensorflow")
    keras = require("keras")
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)
    keras.backend.clear_session(free_memory=False)


def two_and_two(*, eager=False):
    """Two inputs, two outputs, models inside models, dropout, attention, a recurrent layer."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    words, numbers = keras.Input((5,), dtype="int32", name="words"), keras.Input((4,), name="n")
    inner = keras.Sequential(
        [
            keras.Input((5, 4)),
            layers.LSTM(3, name="lstm"),
            keras.Sequential([keras.Input((3,)), layers.Dense(4, name="deep")], name="deeper"),
        ],
        name="inner",
    )
    x = layers.Embedding(7, 4, name="embedding")(words)
    x = inner(layers.MultiHeadAttention(2, 2, name="attention")(x, x))
    x = layers.BatchNormalization(name="norm")(layers.Add(name="add")([x, numbers]))
    x = layers.Dropout(0.5, seed=3, name="drop")(x)
    outputs = {
        "kind": layers.Dense(3, activation="softmax", name="kind")(x),
        "size": layers.Dense(1, name="size")(x),
    }
    model = keras.Model({"words": words, "n": numbers}, outputs)
    model.compile(
        keras.optimizers.Adam(0.01),
        {"kind": "categorical_crossentropy", "size": "mse"},
        metrics={"size": ["mae"]},
        jit_compile=False,
        run_eagerly=eager,
    )
    return model


def eager():
    """The same without a trace, which takes longer than its few steps."""
    return two_and_two(eager=True)


def mixed():
    """Float16 inside, float32 weights, a scaled loss."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, activation="relu", name="hidden"),
            layers.Dense(1, dtype="float32", name="out"),
        ]
    )
    keras.config.set_dtype_policy("float32")
    model.compile("adam", "mse", jit_compile=False)
    return model


def data_for(make):
    rng = np.random.default_rng(1)
    found = []
    for size in (8, 8, 8, 5):
        numbers = rng.standard_normal((size, 4), np.float32)
        one = rng.standard_normal((size, 1), np.float32)
        x, y = numbers, one
        if make is not mixed:
            x = {"words": rng.integers(0, 7, (size, 5), np.int32), "n": numbers}
            y = {"kind": np.eye(3, dtype=np.float32)[rng.integers(0, 3, size)], "size": one}
        found.append((x, y))
    return found


def fit(model, data, *callbacks, steps=STEPS):
    keepers = [c for c in callbacks if hasattr(c, "batches")]
    for keeper in keepers:
        data = keeper.batches(data)
    if not keepers:
        data = (batch for batch in [*data, *data])
    return model.fit(
        data, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False, callbacks=list(callbacks)
    )


def planted(make, name):
    """Let one layer round its outputs otherwise."""
    model = make()
    layer = model
    for part in name.split("/"):
        layer = layer.get_layer(part)
    call = layer.call
    layer.call = lambda *args, **kwargs: call(*args, **kwargs) * NUDGE
    return model


def ulp_after(step, variable):
    """Make a callback that moves an element by an ulp after a step."""
    import keras

    def plant(batch, logs):
        if batch == step - 1:
            values = np.asarray(variable).copy()
            values.flat[0] = np.nextafter(values.flat[0], np.float32(np.inf))
            variable.assign(values)

    return keras.callbacks.LambdaCallback(on_train_batch_end=plant)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """Keep the first step of a network's plain run, once."""
    folder = tmp_path_factory.mktemp("untouched")

    def kept(make):
        path = folder / f"{make.__name__}.npz"
        if not path.exists():
            fit(make(), data_for(make), keep_step(path, 1), steps=2)
        return path

    return kept


@pytest.mark.parametrize(
    ("make", "layer"),
    [
        (eager, "attention"),
        (eager, "inner/lstm"),
        (eager, "inner/deeper/deep"),
        (eager, "size"),
        (mixed, "out"),
    ],
)
def test_planted_operation_is_named_in_two_runs(make, layer, untouched, tmp_path):
    fit(planted(make, layer), data_for(make), keep_step(tmp_path / "b.npz", 1), steps=2)
    found = explain_kept(untouched(make), tmp_path / "b.npz")
    assert (found.step, found.first.stage, found.first.name) == (1, "forward", f"{layer}/output")
    assert found.run_a.exact
    assert not found.unmatched


def test_difference_before_the_step_is_named_as_such(tmp_path):
    step = 6  # in the second time through four batches
    files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path, touched in zip(files, (False, True), strict=True):
        model = eager()
        before = [ulp_after(step - 1, model.get_layer("size").kernel)] if touched else []
        fit(model, data_for(eager), *before, keep_step(path, step))
    found = explain_kept(*files)
    assert (found.first.stage, found.first.name) == ("before", "size/kernel")
    assert (found.first.differing, found.first.largest_ulps) == (1, 1)
    assert "own" not in {difference.stage for difference in found.differences}
    assert found.exact


def test_full_disk_costs_the_step_and_nothing_else(tmp_path, monkeypatch):
    from fpdrift.step_debug import _capture_callback

    def half(file, seen):
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(_capture_callback, "save", half)
    place = tmp_path / "a.npz"
    place.write_bytes(b"kept before")
    keeper = keep_step(place, 1, overwrite=True)
    with pytest.warns(
        FpdriftWarning, match=r"cannot write 'a.npz': No space.*continues without it"
    ):
        fit(mixed(), data_for(mixed), keeper)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]
    assert place.read_bytes() == b"kept before"


def test_step_that_ended_otherwise_is_not_passed_off(untouched, tmp_path):
    ends = []
    for keepers in ([], [keep_step(tmp_path / "b.npz", 1)]):
        model = mixed()
        touching = ulp_after(1, model.get_layer("hidden").kernel)
        fit(model, data_for(mixed), touching, *keepers)
        ends.append([values.tobytes() for values in model.get_weights()])
    assert ends[0] == ends[1]
    found = explain_kept(untouched(mixed), tmp_path / "b.npz")
    assert (found.first, found.exact) == (None, False)
    assert (found.run_a.unfaithful, found.run_b.unfaithful) == ((), ("hidden/kernel",))


def test_training_goes_on_with_the_same_bits(tmp_path):
    from fpdrift.recorder import DriftRecorder

    histories, records = [], []
    for name, keepers in (("plain", []), ("kept", [keep_step(tmp_path / "a.npz", 4)])):
        recorder = DriftRecorder(tmp_path / f"{name}.fpdrift", strict=True)
        trained = fit(two_and_two(), data_for(two_and_two), recorder, *keepers)
        histories.append(trained.history)
        records.append(open_record(tmp_path / f"{name}.fpdrift"))
    assert (tmp_path / "a.npz").is_file()
    np.testing.assert_array_equal(records[0].hashes, records[1].hashes)
    np.testing.assert_array_equal(records[0].loss, records[1].loss)
    assert histories[0] == histories[1]
    assert "kind_loss" in histories[0]


@pytest.mark.parametrize("make", [two_and_two, mixed])
def test_step_of_a_strangers_model_is_the_same_step(make):
    model = make()  # one for both: Keras' own step is traced once
    found = compare_step(lambda: model, lambda: model, data_for(make)[0])
    assert found.first is None
    assert found.exact


def own_step():
    import keras

    class Own(keras.Sequential):
        def train_step(self, _):
            return {}

    model = Own([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def unbuilt():
    import keras

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def many_at_once():
    model = mixed()
    model.compile("sgd", "mse", steps_per_execution=2)
    return model


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (own_step, "Own has a custom train_step"),
        (unbuilt, "Sequential is not built; call it once"),
        (many_at_once, "steps_per_execution is above 1"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused_before_training(make, text, tmp_path):
    with pytest.raises(FpdriftError, match=text):
        fit(make(), data_for(make), keep_step(tmp_path / "a.npz", 1))


def classifier():
    import keras

    keras.utils.set_random_seed(1)
    layers = [keras.Input((4,)), keras.layers.Dense(3, activation="softmax", name="out")]
    model = keras.Sequential(layers)
    model.compile("sgd", "categorical_crossentropy", jit_compile=False)
    return model


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_of_classes_are_those_that_fit_makes(sparse, tmp_path):
    rng = np.random.default_rng(1)
    x, classes = rng.standard_normal((24, 4), np.float32), rng.integers(0, 3, 24)
    y = classes[:, None] if sparse else np.eye(3, dtype=np.float32)[classes]
    weights, ends = {0: 1.0, 1: 5.0}, []
    keeper = keep_step(tmp_path / "a.npz", 2)
    data = keeper.batches([(x[i : i + 8], y[i : i + 8]) for i in (0, 8, 16)], class_weight=weights)
    settings = {"verbose": 0, "shuffle": False}
    for own in (True, False):
        model = classifier()
        if sparse:
            model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
        if own:
            model.fit(x, y, batch_size=8, class_weight=weights, **settings)
        else:
            model.fit(data, steps_per_epoch=3, callbacks=[keeper], **settings)
        ends.append([values.tobytes() for values in model.get_weights()])
    assert ends[0] == ends[1]
    assert explain_kept(tmp_path / "a.npz", tmp_path / "a.npz").exact


def test_weights_of_classes_that_no_batch_can_have_are_refused(tmp_path):
    keeper, ones = keep_step(tmp_path / "a.npz", 1), np.ones(3)
    with pytest.raises(
        FpdriftError, match=r"class_weight is \[1, 2\]; pass a mapping of class numbers"
    ):
        keeper.batches([(ones, ones)], class_weight=[1, 2])
    for batch, what in (
        ((ones, ones, ones), "sample weights"),
        ((ones, [ones]), "labels for several"),
    ):
        with pytest.raises(FpdriftError, match=f"a batch that has {what}.*leave class_weight out"):
            next(keeper.batches([batch], class_weight={0: 2.0}))


@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")  # Keras' own
def test_batches_that_would_never_end_are_refused(tmp_path):
    import keras

    x = np.random.default_rng(1).standard_normal((24, 4), np.float32)
    y = np.eye(3, dtype=np.float32)[np.arange(24) % 3]
    batches = [(x[i : i + 8], y[i : i + 8]) for i in (0, 8, 16)]

    class Sequence(keras.utils.PyDataset):
        def __len__(self):
            return len(batches)

        def __getitem__(self, index):
            return batches[index % 3]  # as by slices, no index is out of range

    model, settings = classifier(), {"verbose": 0, "shuffle": False}
    for number, data in enumerate((batches, Sequence())):
        keeper = keep_step(tmp_path / f"{number}.npz", 4)
        with pytest.raises(FpdriftError, match="fit would not end; pass steps_per_epoch to fit"):
            model.fit(keeper.batches(data), callbacks=[keeper], **settings)
        model.fit(keeper.batches(data), steps_per_epoch=5, callbacks=[keeper], **settings)
        assert (tmp_path / f"{number}.npz").exists()
    keeper = keep_step(tmp_path / "c.npz", 2)  # a generator ends by itself
    model.fit(keeper.batches(batch for batch in batches), callbacks=[keeper], **settings)
    assert (tmp_path / "c.npz").exists()


def test_batches_that_were_not_passed_on_are_missed(tmp_path):
    keeper = keep_step(tmp_path / "a.npz", 1)
    keeper.batches = lambda data: (batch for batch in [*data, *data])
    with pytest.raises(
        FpdriftError, match=r"the batch of step 1 did not pass through .*batches\(data\)"
    ):
        fit(mixed(), data_for(mixed), keeper)


@pytest.mark.parametrize(
    ("name", "step", "text"),
    [
        ("a.fpdrift", 1, r"does not end in .npz"),
        ("there.npz", 1, "already exists; choose another name"),
        ("no/a.npz", 1, "folder .* does not exist"),
        ("a.npz", 0, "step is 0"),
    ],
)
def test_bad_places_and_steps_are_refused(name, step, text, tmp_path):
    (tmp_path / "there.npz").write_text("mine")
    with pytest.raises(FpdriftError, match=text):
        keep_step(tmp_path / name, step)
    assert (tmp_path / "there.npz").read_text() == "mine"


def test_other_files_and_other_steps_are_refused(untouched, tmp_path):
    fit(mixed(), data_for(mixed), keep_step(tmp_path / "b.npz", 2))
    (tmp_path / "text.npz").write_text("no step")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(FpdriftError, match="one file holds step 1, the other step 2"):
        explain_kept(untouched(mixed), tmp_path / "b.npz")
    for other in ("text.npz", "other.npz", "none.npz"):
        with pytest.raises(FpdriftError, match="is not a file written by keep_step"):
            explain_kept(untouched(mixed), tmp_path / other)
