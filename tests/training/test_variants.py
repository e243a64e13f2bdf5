"""Variants of the answer's network: their tensors as Keras makes them, and how each is trained."""

from __future__ import annotations

import pytest
from helpers import require

from fpdrift.training._networks import (
    NETWORKS,
    SHAPES,
    build,
    initial_weights,
    shapes_of,
    starting_weights,
)

VARIANTS = [name for name in NETWORKS if name.startswith("answer-")]


def test_the_two_networks_have_the_same_tensors():
    assert shapes_of("answer") == shapes_of("question") == SHAPES


def test_the_tensors_of_the_deep_variant():
    kernels = {
        name.removesuffix("/kernel"): shape
        for name, shape in shapes_of("answer-deep").items()
        if name.endswith("/kernel")
    }
    assert kernels == {
        "conv1": (3, 3, 1, 32),
        "conv2": (3, 3, 32, 32),
        "conv2_1": (3, 3, 32, 32),
        "conv2_2": (3, 3, 32, 32),
        "dense1": (12 * 12 * 32, 512),
        "dense2": (512, 10),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_what_its_row_says(name, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    keras = require("keras")
    from fpdrift.training import _worker

    model, row = build(name, 1), NETWORKS[name]
    assert [(v.path, tuple(v.shape)) for v in model.weights] == list(shapes_of(name).items())
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("BatchNormalization") == (3 + row.extra if row.normalised else 0)
    assert kinds.count("Conv2D") == 2 + row.extra
    bent = [layer.activation for layer in model.layers if type(layer).__name__ == "Activation"]
    assert len(bent) == (3 if row.activation == "gelu" else 0)
    assert all(bend is keras.activations.gelu for bend in bent)
    assert kinds.count("ReLU") == (3 + row.extra if row.activation == "relu" else 0)
    _worker.prepare(model, name, jit=False)
    assert type(model.optimizer).__name__.lower() == row.optimizer
    assert float(model.optimizer.learning_rate) == pytest.approx(row.learning_rate, rel=1e-6)


@pytest.mark.parametrize("name", ["answer-gelu", "answer-sgd", "answer-slow", "answer-fast"])
def test_a_variant_of_the_same_tensors_starts_from_the_same_bits(name):
    own, answer = starting_weights(name, 3), starting_weights("answer", 3)
    assert list(own) == list(answer)
    assert all(own[tensor].tobytes() == answer[tensor].tobytes() for tensor in own)


@pytest.mark.parametrize(("name", "start"), [("answer", "he"), ("question", "glorot")])
def test_starting_weights_are_the_networks_own(name, start):
    kernel = starting_weights(name, 3)["dense1/kernel"]
    assert kernel.tobytes() == initial_weights(SHAPES, start, 3)["dense1/kernel"].tobytes()


def test_each_variant_differs_from_the_answer():
    rows = list(NETWORKS.values())
    assert len(set(rows)) == len(rows)
