"""An operation that rounds otherwise is named, and what cannot be taken apart is refused."""

from itertools import product

import numpy as np
import pytest
from helpers import cases, require

from fpdrift.errors import FpdriftError
from fpdrift.serialization import Result
from fpdrift.step_debug import StepExplained, compare_step, state_of

pytestmark = pytest.mark.slow

#: Times this, every normal float32 rounds to another one, at most two ulps away.
NUDGE = np.float32(1 + 2**-23)
CLASSES = 4


@pytest.fixture(autouse=True)
def fresh_keras():
    require("tensorflow")
    keras = require("keras")
    keras.utils.set_random_seed(1)
    yield
    keras.backend.clear_session(free_memory=False)


def images():
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.25, seed=1),
            layers.Dense(CLASSES, name="dense"),
        ]
    )
    return compiled(model, keras.optimizers.Adam(0.01))


def words():
    import keras
    from keras import layers

    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(9, 5, name="embedding")(inputs)
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.LSTM(4, name="lstm")(x)
    outputs = layers.Dense(CLASSES, name="dense")(x)
    return compiled(
        keras.Model(inputs, outputs), keras.optimizers.SGD(0.1, momentum=0.9), eager=True
    )


def compiled(model, optimizer, *, eager=False):
    import keras

    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=False, run_eagerly=eager)
    return model


def batch_for(make):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((7, 8, 8, 1), np.float32)
    if make is words:
        x = rng.integers(0, 9, (7, 6), np.int32)
    return x, np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, 7)]


def planted(make, name, direction):
    """Let one layer of the model round every element to a neighbour, forward or backward."""
    import tensorflow as tf

    @tf.custom_gradient
    def nudge(x):
        if direction == "forward":
            return x * NUDGE, lambda upstream: upstream
        return tf.identity(x), lambda upstream: upstream * NUDGE

    def make_planted():
        model = make()
        layer = model.get_layer(name)
        call = layer.call
        layer.call = lambda *args, **kwargs: nudge(call(*args, **kwargs))
        return model

    return make_planted


#: What of a layer's backward pass comes first: its own weights' gradient, or its inputs'.
CASES = [
    (images, "conv", "conv/kernel"),
    (images, "norm", "norm/gamma"),
    (images, "relu", "norm/output"),
    (images, "pool", "relu/output"),
    (images, "dense", "dense/kernel"),
    (words, "embedding", "embedding/embeddings"),
    (words, "attention", "attention/query/kernel"),
    (words, "norm", "norm/gamma"),
    (words, "lstm", "lstm/lstm_cell/kernel"),
    (words, "dense", "dense/kernel"),
]


DIRECTIONS = ("forward", "backward")
#: Each layer in one direction, in turn.
SAMPLE = [(case, DIRECTIONS[i % 2]) for i, case in enumerate(CASES)]


@pytest.fixture(scope="module")
def trained():
    """Train each network once; give its model, which is compiled then, and its state."""
    require("tensorflow")
    made = {}

    def training(make):
        if make not in made:
            require("keras").utils.set_random_seed(1)
            model = make()
            model.fit(*batch_for(make), epochs=2, verbose=0)
            made[make] = model, state_of(model)
        return made[make]

    return training


@pytest.mark.parametrize(
    ("case", "direction"),
    cases(product(CASES, DIRECTIONS), SAMPLE),
    ids=lambda part: part[2] if isinstance(part, tuple) else part,
)
def test_planted_operation_is_named(case, direction, trained):
    make, layer, backward = case
    batch, (model, state) = batch_for(make), trained(make)
    found = compare_step(lambda: model, planted(make, layer, direction), batch, state)
    assert (found.first.stage, found.first.layer) == (direction, layer)
    assert found.first.name == (f"{layer}/output" if direction == "forward" else backward)
    assert found.first.differing > 0
    assert not found.unmatched
    assert found.run_a.exact  # B's may not be: a compiler joins the nudge to what is next to it
    assert Result.from_json(found.to_json()) == found
    if direction == "forward":
        assert found.first.largest_ulps in (1, 2)  # 2 where a mantissa is nearly 2
        assert 2**-25 < found.first.relative < 2**-22


@pytest.mark.parametrize("make", [images, words])
def test_step_from_one_state_is_the_same_step(make):
    found = compare_step(make, make, batch_for(make))
    assert found.first is None
    assert isinstance(found, StepExplained)
    assert found.compared > 30
    assert found.exact
    assert str(found).startswith("one state: no tensor differs; 0 of")


def test_gradients_are_those_of_the_loss():
    """A gradient is the loss's slope: seen from both sides of a weight."""
    import keras

    from fpdrift.step_debug._trace import Step

    def loss_at(value):
        model = make()
        kernel = model.get_layer("dense").kernel
        changed = kernel.numpy().copy()
        changed[1, 2] += value
        kernel.assign(changed)
        seen = {(s.stage, s.name): s.values for s in Step(model).trace(batch)}
        return seen["loss", "loss"], seen["backward", "dense/kernel"][1, 2]

    def make():
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [keras.Input((3,)), keras.layers.Dense(CLASSES, activation="tanh", name="dense")]
        )
        model.compile("sgd", "mse")
        return model

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        rng = np.random.default_rng(1)
        batch = rng.standard_normal((5, 3)), rng.standard_normal((5, CLASSES))
        (high, _), (low, _), (_, slope) = loss_at(0.01), loss_at(-0.01), loss_at(0)
    finally:
        keras.config.set_dtype_policy(policy)
    assert (high - low) / 0.02 == pytest.approx(slope, rel=1e-2)  # the loss is a float32


def test_step_that_keras_rounds_otherwise_is_not_passed_off(monkeypatch):
    """A loss that is scaled in one of the two ways alone ends in other bits, and that is said."""
    from fpdrift.step_debug._trace import Step

    honest = Step.advance
    monkeypatch.setattr(Step, "advance", lambda self, batch: honest(self, (-batch[0], batch[1])))
    found = compare_step(images, images, batch_for(images))
    assert not found.exact
    assert "conv/kernel" in found.run_a.unfaithful
    assert "the traced step is not bit-identical to the run's own step" in str(found)


def own_step():
    import keras

    class Own(keras.Sequential):
        def train_step(self, _):
            return {}

    return compiled(Own([keras.Input((3,)), keras.layers.Dense(2)]), "sgd")


def unbuilt():
    import keras

    return compiled(keras.Sequential([keras.layers.Dense(2)]), "sgd")


def uncompiled():
    import keras

    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"make_a": own_step}, "Own has a custom train_step"),
        ({"make_b": unbuilt}, "Sequential is not built; call it once"),
        ({"make_b": uncompiled}, "call model.compile first"),
        ({"make_a": lambda: 3}, "call model.compile first"),
        ({"make_a": None}, "make_a is None; pass a function"),
        ({"make_b": 3}, "make_b is 3; pass a function"),
        ({"make_b": words}, "only one model has "),
        ({"batch": 3}, r"batch is 3; pass \(inputs, labels\)"),
        ({"state": 3}, "state is 3; pass the result of state_of"),
        ({"state": {"x": np.ones(1)}}, "state has 'x' of shape"),
        ({"state": {"dense/bias": np.ones(1)}}, "state has 'dense/bias' of shape"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(given, text):
    right = {"make_a": images, "make_b": images, "batch": batch_for(images)}
    with pytest.raises(FpdriftError, match=text) as caught:
        compare_step(**(right | given))
    assert "\n" not in str(caught.value)
