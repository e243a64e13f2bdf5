import keras
import numpy as np
import pytest
from keras import layers

from fpdrift.recorder._zero_gradient import zero_gradients


class Own(layers.Dense):
    """Somebody's own layer: nobody knows what it does."""


def graph(layer, *after, shape=(8, 8, 2), training=None, also=None):
    inputs = keras.Input(shape)
    y = x = layer(inputs)
    for following in after:
        y = following(y, training=training) if training is not None else following(y)
    outputs = [y] if also is None else [y, also(x)]
    return keras.Model(inputs, outputs)


def bias_flag(model, layer):
    return zero_gradients(model).get(id(layer.bias))


BN = layers.BatchNormalization
CASES = [
    (lambda: layers.Dense(3), lambda: [BN()], {}, True),
    (lambda: layers.Conv2D(3, 2), lambda: [BN()], {}, True),
    (lambda: layers.Conv2DTranspose(3, 2), lambda: [BN()], {}, True),
    (lambda: layers.DepthwiseConv2D(2), lambda: [BN()], {}, True),
    (lambda: layers.SeparableConv2D(3, 2), lambda: [BN()], {}, True),
    (lambda: layers.Conv2D(3, 2), lambda: [BN(), layers.ReLU()], {}, True),
    (lambda: layers.Dense(3), lambda: [BN()], {"training": True}, True),
    (lambda: layers.Dense(3), lambda: [BN()], {"also": lambda x: BN()(x)}, True),
    (lambda: layers.Dense(3), list, {}, False),
    (lambda: layers.Dense(3), lambda: [layers.ReLU(), BN()], {}, False),
    (lambda: layers.Dense(3, activation="relu"), lambda: [BN()], {}, False),
    (lambda: layers.Dense(3, bias_regularizer="l2"), lambda: [BN()], {}, False),
    (lambda: layers.Dense(3, activity_regularizer="l2"), lambda: [BN()], {}, False),
    (lambda: layers.Dense(3), lambda: [BN(axis=1)], {}, False),
    (lambda: layers.Dense(3), lambda: [BN(trainable=False)], {}, False),
    (lambda: layers.Dense(3), lambda: [BN()], {"training": False}, False),
    (lambda: layers.Dense(3), lambda: [BN()], {"also": lambda x: layers.ReLU()(x)}, False),
    (lambda: layers.Dense(3), lambda: [BN()], {"also": lambda x: x}, False),
    (lambda: layers.Dense(3), lambda: [layers.LayerNormalization()], {}, False),
    (lambda: Own(3), lambda: [BN()], {}, None),
]


@pytest.mark.parametrize(("make", "after", "more", "expected"), CASES)
def test_bias_in_a_graph(make, after, more, expected):
    layer = make()
    assert bias_flag(graph(layer, *after(), **more), layer) is expected


@pytest.mark.parametrize(("make", "after", "more", "expected"), CASES[:11])
def test_the_gradient_itself_agrees(make, after, more, expected):
    """What is computed is zero up to rounding where the flag says so, and is not elsewhere."""
    import tensorflow as tf

    keras.utils.set_random_seed(4)
    layer = make()
    model = graph(layer, *after(), **more)
    x = np.random.default_rng(0).standard_normal((16, 8, 8, 2)).astype(np.float32)
    with tf.GradientTape() as tape:
        outputs = model(x, training=True)
        loss = sum(keras.ops.sum(keras.ops.sin(y) ** 3) for y in keras.tree.flatten(outputs))
    gradients = tape.gradient(loss, [layer.bias.value, layer.trainable_variables[0].value])
    size = float(tf.norm(gradients[0]) / tf.norm(gradients[1]))
    assert (size < 1e-4) == expected


def test_everything_else_in_a_graph_is_known_not_to_be_zero():
    layer = layers.Dense(3)
    model = graph(layer, BN(), layers.Flatten(), layers.Dense(1))
    flags = zero_gradients(model)
    assert [flags[id(v)] for v in model.trainable_variables] == [False, True] + [False] * 4


def test_sequential():
    dense = layers.Dense(3)
    model = keras.Sequential([keras.Input((4,)), dense, BN(), layers.ReLU(), layers.Dense(1)])
    assert bias_flag(model, dense) is True
    last = layers.Dense(2)
    assert bias_flag(keras.Sequential([keras.Input((4,)), BN(), last]), last) is False


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own
def test_a_sequential_from_a_file_is_known_as_well_as_the_one_that_was_saved(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), BN(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    flags = [[zero_gradients(m)[id(v)] for v in m.trainable_variables] for m in (model, loaded)]
    assert flags == [[False, True, False, False, False, False]] * 2


def test_without_a_bias():
    layer = layers.Dense(3, use_bias=False)
    assert list(zero_gradients(graph(layer, BN())).values()) == [False] * 3


def test_where_a_layer_is_called_twice_nothing_is_claimed():
    inputs, shared = keras.Input((4,)), layers.Dense(4)
    model = keras.Model(inputs, [BN()(shared(inputs)), layers.ReLU()(shared(inputs))])
    assert zero_gradients(model) == {}


def test_a_layer_that_came_from_another_model_is_not_known():
    layer = layers.Dense(4)
    graph(layer, BN(), shape=(4,))
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.ReLU()(layer(inputs)))
    assert id(layer.bias) not in zero_gradients(model)


def test_inside_a_nested_model_nothing_is_claimed():
    dense = layers.Dense(3)
    inner = keras.Sequential([keras.Input((4,)), dense])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, BN()(inner(inputs)))
    assert id(dense.bias) not in zero_gradients(model)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.norm = layers.Dense(3), BN()

    def call(self, x):
        return self.norm(self.dense(x))


def test_of_a_subclassed_model_nothing_is_known():
    model = Subclassed()
    model(np.zeros((2, 3), np.float32))
    assert zero_gradients(model) == {}
