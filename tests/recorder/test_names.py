import keras
import numpy as np
import pytest
from keras import layers
from observed_models import subclassed

from fpdrift.recorder._state import State, renumber, slot_names, sublayers, unique

CLASSES = {"Dense", "BatchNormalization", "LSTMCell", "LSTM"}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["dense_7/kernel", "dense_7/bias"], ["dense/kernel", "dense/bias"]),
        (["dense_9/kernel", "dense_10/kernel"], ["dense/kernel", "dense_1/kernel"]),
        (["dense/kernel", "dense_4/kernel"], ["dense/kernel", "dense_1/kernel"]),
        (["mine_3/kernel", "block_2/kernel"], ["mine_3/kernel", "block_2/kernel"]),
        (["batch_normalization_3/gamma"], ["batch_normalization/gamma"]),
        (["lstm_2/lstm_cell/kernel"], ["lstm/lstm_cell/kernel"]),
        (["a/dense_4/kernel", "b/dense_5/kernel"], ["a/dense/kernel", "b/dense/kernel"]),
        (["scale", "dense_2"], ["scale", "dense_2"]),
        ([], []),
    ],
)
def test_renumbered(paths, expected):
    assert renumber(paths, CLASSES) == expected


def test_a_slot_without_a_name_is_named_alike_in_every_model():
    """As in Nadam; Keras numbers such variables through, over all models of a process."""
    for paths in (["nadam/variable", "nadam/k_m"], ["nadam/variable_7", "nadam/k_m"]):
        assert slot_names(paths, [("k", "k")]) == ["nadam/variable", "nadam/k/m"]


def test_slot_names_take_the_longest_weight_that_fits():
    weights = [("m/dense/kernel", "dense/kernel"), ("m/dense/kernel_m", "dense/kernel_m")]
    paths = ["adam/m_dense_kernel_m_velocity", "adam/m_dense_kernel_momentum", "adam/iteration"]
    assert slot_names(paths, weights) == [
        "adam/dense/kernel_m/velocity",
        "adam/dense/kernel/momentum",
        "adam/iteration",
    ]


def test_unique():
    assert unique(["a", "b", "a", "a"]) == ["a", "b", "a#2", "a#3"]


def test_sublayers_are_found_however_they_are_held():
    model = subclassed()[0]
    classes = [type(layer).__name__ for layer in sublayers(model)]
    assert sorted(classes) == sorted(
        ["Subclassed", "GaussianNoise", *["Block", "BatchNormalization", "Dropout"] * 2]
        + ["Dense"] * 3
    )


def names(model):
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return [tensor.name for tensor in State(model).tensors]


def nested():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    inputs = keras.Input((4,))
    x = layers.Dense(4, name="dense_77")(inputs)
    return keras.Model(inputs, layers.Dense(1, name="head")(inner(x)))


def test_names_of_nested_models_do_not_depend_on_what_was_made_before():
    first, second = names(nested()), names(nested())
    assert first == second
    assert "head/kernel" in first
    assert "sequential/dense/kernel" in first
    assert "adam/sequential/dense_1/kernel/momentum" in first
    assert len(set(first)) == len(first)


class TwoOfOneName(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Dense(2, name="same")
        self.b = layers.Dense(2, name="same")

    def call(self, x):
        return self.b(self.a(x))


def test_equal_names_get_a_number():
    model = TwoOfOneName()
    model(np.zeros((1, 2), np.float32))
    found = names(model)
    assert found[:4] == ["same/kernel", "same/bias", "same/kernel#2", "same/bias#2"]
    assert len(set(found)) == len(found)


def test_frozen_layers_are_statistics_and_seeds_are_seeds():
    frozen = layers.Dense(3, trainable=False)
    model = keras.Sequential([keras.Input((4,)), frozen, layers.Dropout(0.5), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    roles = {tensor.name: tensor.role for tensor in State(model).tensors}
    assert roles == {
        "dense/kernel": "statistic",
        "dense/bias": "statistic",
        "seed_generator/seed_generator_state": "seed",
        "dense_1/kernel": "weight",
        "dense_1/bias": "weight",
        "sgd/iteration": "slot",
        "sgd/learning_rate": "slot",
    }
