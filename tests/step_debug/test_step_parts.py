"""The parts that a step is repeated and taken apart with, each alone."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import require

from fpdrift.errors import FpdriftError
from fpdrift.records import Tensor, content_hash

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def keras():
    require("tensorflow")
    keras = require("keras")
    yield keras
    keras.backend.clear_session(free_memory=False)


def model_of(keras, optimizer="adam"):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, name="first"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5, seed=1, name="drop"),
            keras.layers.Dense(2, name="last"),
        ]
    )
    model.compile(optimizer, "mse", jit_compile=False)
    return model


def test_a_layer_gets_its_own_call_back(keras):
    """One that its maker has put in place, and the class's elsewhere."""
    from fpdrift.step_debug._trace import Taps

    model = model_of(keras)
    mine = lambda x: x + 1  # noqa: E731 - a plain attribute, as a maker sets it
    model.get_layer("last").call = mine
    taps = Taps(model)
    with taps.open():
        assert all("call" in vars(layer) for layer in taps.layers)
    assert [vars(layer).get("call") for layer in taps.layers] == [None, None, None, mine]


def test_a_step_is_told_in_the_order_in_which_it_is_computed(keras):
    """Slots take the gradient, weights the slots; gradients come from the last layer on."""
    from fpdrift.step_debug._trace import Step

    step = Step(model_of(keras))
    rng = np.random.default_rng(1)
    seen = step.trace((rng.standard_normal((8, 3), np.float32), np.ones((8, 2), np.float32)))
    roles = {tensor.name: tensor.role for tensor in step.state.tensors}
    for stage in ("before", "after"):
        told = [roles[s.name] for s in seen if s.stage == stage and s.name in roles]
        assert list(dict.fromkeys(told)) == ["slot", "weight", "statistic", "seed"]
        assert len(told) == len(roles)
    stages = ("before", "forward", "loss", "backward", "after")
    assert list(dict.fromkeys(s.stage for s in seen)) == list(stages)
    assert [s.name for s in seen if s.stage == "backward"] == [
        "last/output",
        "last/kernel",
        "last/bias",
        "drop/output",
        "norm/output",
        "norm/gamma",
        "norm/beta",
        "first/output",
        "first/kernel",
        "first/bias",
    ]


def test_gradients_are_those_of_the_formula(keras):
    """Of a linear layer, by hand: the loss's slope for the weights and for what is tapped."""
    from fpdrift.step_debug._trace import Step

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal((5, size), np.float32) for size in (3, 2))
    kernel = np.asarray(model.get_layer("dense").kernel).astype(np.float64)
    step = Step(model)
    # twice: traced once, the step takes a batch of another size
    for rows in (slice(0, 5), slice(0, 2)):
        model.get_layer("dense").kernel.assign(kernel)
        model.get_layer("dense").bias.assign(np.zeros(2))
        seen = {(s.stage, s.name): s.values for s in step.trace((x[rows], y[rows]))}
        apart = x[rows] @ kernel - y[rows]
        slope = 2 * apart / apart.size
        expected = {
            ("forward", "dense/output"): x[rows] @ kernel,
            ("loss", "loss"): np.mean(apart**2),
            ("backward", "dense/output"): slope,
            ("backward", "dense/kernel"): x[rows].T @ slope,
            ("backward", "dense/bias"): slope.sum(axis=0),
            ("after", "dense/kernel"): kernel - 0.5 * (x[rows].T @ slope),
            ("after", "dense/bias"): -0.5 * slope.sum(axis=0),
        }
        for place, values in expected.items():
            np.testing.assert_allclose(seen[place], values, rtol=1e-5, atol=1e-6)


def test_gradients_of_an_embedding_add_up_its_rows_and_integers_have_none():
    """Rows that are taken twice get both gradients, and those that are not taken none."""
    tf = require("tensorflow")
    from fpdrift.backends import autodiff

    table = tf.Variable(np.ones((4, 2), np.float32))
    places = tf.constant([1, 3, 1])
    factors = tf.constant([[2.0, 3.0], [5.0, 7.0], [11.0, 13.0]])

    def forward():
        rows = tf.nn.embedding_lookup(table, places)
        return tf.reduce_sum(rows * factors), [places, rows]

    loss, tapped, of_tapped, (of_table,) = autodiff.tensorflow(forward, [table])
    assert float(loss) == 41
    assert [tensor.dtype.name for tensor in tapped] == ["int32", "float32"]
    assert of_tapped[0] is None
    np.testing.assert_array_equal(of_tapped[1], factors)
    whole = autodiff.dense(of_table)
    np.testing.assert_array_equal(whole, [[0, 0], [13, 16], [0, 0], [5, 7]])
    assert autodiff.dense(whole) is whole


def test_a_reader_gives_the_values_of_now_also_once_it_is_traced():
    tf = require("tensorflow")
    from fpdrift.backends import tensorflow

    variables = [tf.Variable(np.arange(i, i + 2, dtype=np.float32)) for i in range(20)]
    read = tensorflow.reader(variables)
    for number in range(tensorflow._READS + 3):
        variables[7].assign([number, -number])
        found = read()
        assert found[7].tolist() == [number, -number]
    assert [values.tolist() for values in found[8:]] == [[i, i + 1] for i in range(8, 20)]


@pytest.mark.parametrize("jit", [False, True])
def test_a_compiled_function_takes_any_number_of_samples(jit):
    tf = require("tensorflow")
    from fpdrift.backends import autodiff

    traced = autodiff.compiled(lambda x: tf.reduce_mean(x), (np.ones((4, 3), np.float32),), jit=jit)
    assert float(traced(tf.ones((2, 3)))) == 1
    assert traced.input_signature[0].shape.as_list() == [None, 3]
    assert traced.get_concrete_function().function_def.attr["_XlaMustCompile"].b == jit


def two_tensors():
    return [
        Tensor("k", "weight", (2,), "float32", "whole"),
        Tensor("b", "weight", (2,), "float32", "whole"),
    ]


def rerun(expected, keep, last):
    """Make a rerun of a step whose weights count the steps."""
    from fpdrift.step_debug._rerun_worker import Rerun

    arrays = [np.zeros(2, np.float32), np.ones(2, np.float32)]
    state = SimpleNamespace(tensors=two_tensors(), read=lambda: arrays)
    told = []
    found = Rerun(SimpleNamespace(state=state), expected, keep, last, told.append)
    found.set_model(SimpleNamespace(stop_training=False))
    return found, arrays, told


def test_a_rerun_stops_at_its_last_step_and_keeps_states_as_they_were():
    found, arrays, told = rerun({}, {1, 2}, last=3)
    for batch in range(3):
        assert not found.model.stop_training
        arrays[0] += 1
        found.on_train_batch_end(batch)
    assert found.model.stop_training
    assert told == [{"step": 1}, {"step": 2}, {"step": 3}]
    assert {at: state[0].tolist() for at, state in found.states.items()} == {1: [1, 1], 2: [2, 2]}
    assert found.checked == 0
    assert [found.hashes[at][0] for at in range(4)] == [
        content_hash(np.full(2, at, np.float32)) for at in range(4)
    ]


def test_the_first_step_that_is_not_the_record_s_is_told():
    right = [content_hash(np.full(2, at, np.float32)) for at in (0, 1, 2, 3)]
    same = content_hash(np.ones(2, np.float32))
    expected = {
        0: np.array([right[0], same], np.uint64),
        2: np.array([right[2], same + 1], np.uint64),
        3: np.array([right[3] + 1, same + 1], np.uint64),
    }
    found, arrays, _ = rerun(expected, set(), last=3)
    for batch in range(3):
        arrays[0] += 1
        found.on_train_batch_end(batch)
    assert found.checked == 3
    assert found.mismatch == (2, ["b"])


def test_a_record_of_other_tensors_or_another_dtype_is_refused(tmp_path):
    from fpdrift.step_debug._rerun_worker import _expected, _read_state
    from fpdrift.step_debug._trace_file import TracedTensor, save

    step = SimpleNamespace(state=SimpleNamespace(tensors=two_tensors()))
    table = np.arange(4, dtype=np.uint64).reshape(2, 2)

    def hashes(*names):
        np.savez(tmp_path / "h.npz", names=np.array(names), steps=[0, 8], hashes=table)
        return _expected(tmp_path / "h.npz", step)

    assert {at: row.tolist() for at, row in hashes("k", "b").items()} == {0: [0, 1], 8: [2, 3]}
    for names, odd in ((("k", "c"), "'[bc]'"), (("b", "k"), "their order")):
        with pytest.raises(FpdriftError, match=f"not those of the network that it names: .*{odd}"):
            hashes(*names)

    def state(dtype):
        values = np.arange(2, dtype=dtype)
        save(
            tmp_path / "s.npz",
            [TracedTensor("", name, "", values) for name in ("k", "b", "0", "1")],
        )
        return _read_state(tmp_path / "s.npz", step)

    arrays, batch = state("float32")
    assert (len(arrays), len(batch)) == (2, 2)
    with pytest.raises(FpdriftError, match="k is float32 in one run and float64 in the other"):
        state("float64")


def test_a_judged_step_starts_from_one_file_s_state_and_another_s_batch(tmp_path):
    from fpdrift.step_debug._sensitivity_worker import _start
    from fpdrift.step_debug._trace_file import TracedTensor, save

    for name, size in (("a", 1.0), ("b", 10.0)):
        seen = [
            TracedTensor(stage, place, "", np.float32(size * number))
            for stage, place, number in (
                ("before", "batch/1", 2),
                ("before", "batch/0", 1),
                ("before", "k", 3),
                ("before", "b", 4),
                ("after", "k", 5),
            )
        ]
        save(tmp_path / f"{name}.npz", seen)
    start, batch = _start(str(tmp_path / "a.npz"), str(tmp_path / "b.npz"), ["b", "k"])
    assert ([float(x) for x in start], [float(x) for x in batch]) == ([4, 3], [10, 20])


def two_starts(keras, tmp_path):
    """Make a step, and the states and batches of two runs of its model."""
    from fpdrift.step_debug._trace import Step

    step = Step(model_of(keras, "sgd"))
    rng = np.random.default_rng(1)
    batches = [
        (rng.standard_normal((6, 3), np.float32), rng.standard_normal((6, 2), np.float32))
        for _ in "ab"
    ]
    states = []
    for batch in batches:
        step.advance(batch)
        states.append([np.array(values) for values in step.state.read()])
    return step, states, batches


def test_a_step_crosses_to_the_other_run_s_state_and_batch(keras, tmp_path):
    from fpdrift.step_debug._rerun_worker import cross, save_state

    step, states, batches = two_starts(keras, tmp_path)
    save_state(tmp_path / "b.npz", step, states[1], batches[1])
    step.restore(states[1])
    step.advance(batches[1])
    expected = [np.array(values) for values in step.state.read()]
    step.restore(states[0])
    cross(step, tmp_path / "b.npz")
    for found, right in zip(step.state.read(), expected, strict=True):
        np.testing.assert_array_equal(found, right)


def test_one_side_is_nudged_from_its_own_start_and_done_in_float64_from_a_common_one(
    keras, tmp_path
):
    from fpdrift.step_debug._quantities import read
    from fpdrift.step_debug._sensitivity_worker import measure_both
    from fpdrift.step_debug._trace_file import save

    step, states, batches = two_starts(keras, tmp_path)
    for name, state, batch in zip("ab", states, batches, strict=True):
        step.restore(state)
        save(tmp_path / f"{name}.npz", step.trace(batch))
    task = {
        name: str(tmp_path / f"{place}.npz")
        for name, place in zip(("own", "state", "batch", "low", "high"), "bablh", strict=True)
    }
    assert measure_both(lambda: model_of(keras, "sgd"), task) == {"wide": True}
    low, high = (read(tmp_path / f"{place}.npz") for place in "lh")
    assert [side.spacing for side in (low, high)] == [2.0**-23, 2.0**-52]
    key = "gradient", "last/kernel"
    assert 2**-26 < low.spread[key] < 2**-12
    assert 2**-55 < high.spread[key] < 2**-41
    own = {(s.stage, s.name): s.values for s in low.seen}
    for tensor, values in zip(step.state.tensors, states[1], strict=True):
        np.testing.assert_array_equal(own["before", tensor.name], values)
    wide = {(s.stage, s.name): s.values for s in high.seen}
    for tensor, values in zip(step.state.tensors, states[0], strict=True):
        np.testing.assert_array_equal(wide["before", tensor.name], values)
    np.testing.assert_array_equal(wide["before", "batch/0"], batches[1][0])
    assert wide["backward", "last/kernel"].dtype == np.float64
