"""A traced step in float64 from end to end, and where it cannot be."""

import numpy as np
import pytest
from helpers import require

pytestmark = pytest.mark.slow

X = np.random.default_rng(2).standard_normal((8, 6)).astype(np.float32)
Y = np.random.default_rng(3).integers(0, 3, 8)


@pytest.fixture(autouse=True)
def fresh_keras():
    require("tensorflow")
    keras = require("keras")
    yield
    keras.backend.clear_session(free_memory=False)


def maker(*layers, loss=None, cast=None, jit=False):
    """Give a maker of a model with these functions or layers between two dense ones."""

    def make():
        import keras

        keras.utils.set_random_seed(4)
        inputs = hidden = keras.Input((6,))
        hidden = keras.layers.Dense(5, "tanh", name="first")(hidden)
        for layer in layers:
            hidden = layer()(hidden)
        outputs = keras.layers.Dense(3, name="last", dtype=cast)(hidden)
        model = keras.Model(inputs, outputs)
        entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss or entropy, jit_compile=jit)
        return model

    return make


def function(compute):
    """Give a maker of a layer that computes this."""
    import keras

    class Computed(keras.layers.Layer):
        def call(self, x):
            return compute(x)

    return lambda: Computed(name="computed")


def after(make):
    """Do a step in float64, from the start in float32; give it with all that it computed."""
    from fpdrift.step_debug._compare_models import prepare_step
    from fpdrift.step_debug._float64_step import float64_policy, float64_step, to_float64

    step = float64_step(make, (X, Y))
    _, [start] = prepare_step(make, {})
    with float64_policy():
        step.restore([to_float64(values) for values in start])
        seen = step.trace(to_float64((X, Y)))
    return step, {(item.stage, item.name): item.values for item in seen}


def test_one_made_with_float32_in_it_computes_what_one_made_in_float64_does():
    import keras
    from keras import ops

    shared = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    _, wanted = after(maker())
    casts = function(lambda x: ops.cast(ops.cast(x, "float32"), x.dtype))
    for make in (
        maker(cast="float32"),
        maker(cast="mixed_bfloat16"),
        maker(casts),
        maker(loss=shared),
        maker(cast="float32", jit=True),
    ):
        step, found = after(make)
        assert step.narrow == ()
        for key, values in wanted.items():
            assert found[key].dtype == values.dtype
            # the optimiser's settings were rounded once to the dtype of that layer's weights
            near = 2**-24 if key[0] == "after" and "last/" in key[1] else 1e-13
            np.testing.assert_allclose(found[key], values, rtol=near, atol=1e-15)


def test_a_step_starts_from_what_it_is_given_each_time():
    step, found = after(maker(cast="float32"))
    before = step.read()
    moved = [values + 1 if values.dtype.kind == "f" else values for values in before]
    step.restore(moved)
    for values, wanted in zip(step.read(), moved, strict=True):
        np.testing.assert_array_equal(values, wanted)
    assert not np.array_equal(before[0], moved[0])
    assert found["after", "first/kernel"].dtype == np.float64


def test_beside_a_loop_what_stays_in_float32_is_named():
    import keras

    def recurrent():
        return keras.layers.RNN(keras.layers.SimpleRNNCell(5), name="rnn")

    reshaped = lambda: keras.layers.Reshape((5, 1))  # noqa: E731
    step, _ = after(maker(reshaped, recurrent, cast="float32"))
    assert any("last" in name for name in step.narrow)
    step, _ = after(maker(reshaped, recurrent))
    assert step.narrow == ()


def test_constants_rounded_to_float32_are_found_and_plain_ones_are_not():
    from keras import ops

    third = np.float32(1 / 3)
    step, _ = after(maker(function(lambda x: x * third)))
    assert [np.frombuffer(value)[0] for value in step.constants] == [third]
    assert "computed" in next(iter(step.constants.values()))
    step, _ = after(maker(function(lambda x: x / 3 * 0.5 + 0.1)))
    assert step.constants == {}
    step, _ = after(maker(function(lambda x: ops.cast(ops.cast(x, "float32"), x.dtype))))
    assert step.constants == {}  # nor Keras' own, where the weights are float64
    step, _ = after(maker(cast="float32"))
    assert all(name.startswith("adam") for name in step.constants.values())
    assert step.constants


@pytest.mark.parametrize(
    ("value", "odd"),
    [(0.1, False), (np.float32(0.1), True), (0.5, False), (3, False), (np.inf, False), (0, False)],
)
def test_a_number_is_rounded_if_it_is_a_long_float32(value, odd):
    from fpdrift.backends.float64_graph import rounded

    assert rounded(np.array([value], np.float64)).tolist() == [odd]
    assert rounded(np.array([7])).tolist() == [False]
