"""The gate that makes a jump is named, from made steps, from models and from recorded runs."""

import dataclasses

import numpy as np
import pytest
from helpers import require

from fpdrift.comparison._jumps import Jump
from fpdrift.errors import FpdriftError
from fpdrift.records import Tensor
from fpdrift.serialization import Result
from fpdrift.step_debug import Gates, RerunCheck, compare_gates, state_of
from fpdrift.step_debug._relu_gates import (
    MOST_STEPS,
    counted_weights,
    find_largest_growth,
    inspect_gates,
    window_of,
)
from fpdrift.step_debug._trace_file import TracedTensor

COUNTED = {"conv/kernel", "norm/gamma", "dense/kernel"}
RELUS = {"relu": "input", "dense": "output"}


def made_steps(place=(1, 2, 0, 3), unit=3):
    """One step of two runs: a gate of `relu` shuts in B, and its unit's weights part."""
    rng = np.random.default_rng(1)
    values = rng.uniform(1, 2, (2, 3, 3, 4)).astype(np.float32)
    values[0] *= -1
    values[place] = 1e-6
    values_b = values.copy()
    values_b[place] = -2e-6
    kernel = rng.normal(size=(3, 3, 1, 4))
    kernel_b = kernel + 1e-7
    moved = kernel_b.copy()
    moved[..., unit] += 1e-3
    gradient = np.full(values.shape, 1e-3)
    gradient[place] = -0.5

    def step(values, kernel, after):
        return [
            TracedTensor("before", "batch/0", "", np.ones(3)),
            TracedTensor("before", "conv/kernel", "", kernel),
            TracedTensor("before", "norm/gamma", "", np.ones(4)),
            TracedTensor("before", "dense/kernel", "", np.ones((5, 2))),
            TracedTensor("forward", "conv/output", "conv", values * 7),
            TracedTensor("forward", "norm/output", "norm", values),
            TracedTensor("forward", "relu/output", "relu", np.maximum(values, 0)),
            TracedTensor("forward", "dense/output", "dense", np.array([[1.0, 0.0]])),
            TracedTensor("backward", "relu/output", "dense", gradient.copy()),
            TracedTensor("backward", "norm/output", "relu", gradient * (values > 0)),
            TracedTensor("backward", "norm/gamma", "norm", np.ones(4)),
            TracedTensor("backward", "conv/output", "norm", gradient),
            TracedTensor("after", "conv/kernel", "", after),
            TracedTensor("after", "conv/bias", "", rng.normal(size=4)),
            TracedTensor("after", "norm/gamma", "", np.ones(4)),
            TracedTensor("after", "dense/kernel", "", np.ones((5, 2))),
        ]

    return step(values, kernel, kernel), step(values_b, kernel_b, moved)


def test_gate_of_the_unit_that_moved_is_found():
    found = inspect_gates(made_steps(), RELUS, COUNTED)
    assert [(g.layer, g.gates, g.changed) for g in found["layers"]] == [
        ("relu", 72, 1),
        ("dense", 2, 0),
    ]
    assert (found["layer"], found["unit"], found["unit_changed"]) == ("relu", 3, 1)
    assert found["weights"] == ("conv/kernel", "norm/gamma")
    assert found["moved_share"] == pytest.approx(1)
    shares = np.array([1e-7, 1e-7, 1e-7, 1e-3 + 1e-7]) ** 2
    np.testing.assert_allclose(found["shares"], shares / shares.sum(), rtol=1e-6)
    gate = found["gate"]
    assert (gate.sample, gate.pixel, gate.unit) == (1, (2, 0), 3)
    assert (gate.value_a, gate.value_b) == (np.float32(1e-6), np.float32(-2e-6))
    assert (gate.gradient_a, gate.gradient_b, gate.open_in) == (-0.5, -0.5, "a")
    assert gate.from_zero == np.float32(2e-6)
    values = made_steps()[0][5].values[..., 3].astype(float)
    assert gate.spread == pytest.approx(np.std(values))
    assert gate.ulp == np.spacing(np.float32(gate.spread))
    assert gate.ulps_from_zero == gate.from_zero / gate.ulp
    assert "relu unit 3, sample 1, pixel (2, 0): 1e-06 against -2e-06" in str(gate)


def test_of_two_gates_the_one_with_more_gradient_where_it_is_open():
    a, b = made_steps()
    values = {"a": a[5].values, "b": b[5].values}
    values["a"][1, 0, 0, 3], values["b"][1, 0, 0, 3] = -1e-6, 1e-6
    b[8].values[1, 0, 0, 3] = 0.9
    a[8].values[1, 2, 2, 3] = 9  # a gate that did not change
    gate = inspect_gates((a, b), RELUS, COUNTED)["gate"]
    assert (gate.pixel, gate.open_in, gate.gradient_b) == ((0, 0), "b", 0.9)


def test_no_gate_is_named_where_none_of_the_unit_changed():
    found = inspect_gates(made_steps(unit=1), RELUS, COUNTED)
    assert (found["unit"], found["unit_changed"], found["gate"]) == (1, 0, None)
    assert found["layers"][0].changed == 1
    a, _ = made_steps()
    still = inspect_gates((a, a), RELUS, COUNTED)
    assert (still["layer"], still["unit"], still["gate"]) == (None, None, None)
    assert inspect_gates((a, a), {}, COUNTED)["layers"] == ()


def test_what_goes_into_a_layer_that_ends_in_its_relu_is_seen_where_it_is_open():
    a, b = made_steps()
    a[7].values[0, 1] = 3e-5
    b[15].values[:, 1] += 1
    gate = inspect_gates((a, b), RELUS, COUNTED)["gate"]
    assert (gate.layer, gate.unit, gate.sample, gate.pixel) == ("dense", 1, 0, ())
    assert (gate.value_a, gate.value_b, gate.from_zero) == (3e-5, None, 3e-5)
    assert str(gate) == "dense unit 1, sample 0: 3e-05 against closed"


def test_unit_that_moved_is_not_the_one_that_was_far_apart_before():
    """Far apart all along is no movement; the walk back ends at the kernel in front."""
    a, b = made_steps()
    for item in (b[1], b[12]):
        item.values[..., 0] += 5
    found = inspect_gates((a, b), RELUS, COUNTED)
    assert (found["unit"], found["moved_share"]) == (3, pytest.approx(1))
    assert found["shares"][0] > 0.99
    before = TracedTensor("backward", "early/output", "conv", np.ones(4))
    kernels = [TracedTensor(s, "early/kernel", "", np.ones((2, 4))) for s in ("before", "after")]
    steps = ([*a, before, *kernels], [*b, before, *kernels])
    assert inspect_gates(steps, RELUS, COUNTED | {"early/kernel"})["weights"] == found["weights"]


def test_the_step_that_multiplied_the_distance_most_is_chosen():
    """Of steps between two sketches, not the first one and not the last."""
    sizes = {4: (1e-7, 2e-7), 5: (2e-7, 1e-4), 6: (1e-4, 3e-4)}

    class Steps:
        def tensors(self, step):
            before, after = sizes[step]
            ends = (("before", before), ("after", after))
            return tuple(
                [TracedTensor(stage, "w", "", np.array([1 + size * side])) for stage, size in ends]
                for side in (0, 1)
            )

    steps, distance, chosen = find_largest_growth(Steps(), [4, 5, 6], {"w"})
    assert (list(steps), chosen) == ([3, 4, 5, 6], 5)
    np.testing.assert_allclose(distance, [1e-7, 2e-7, 1e-4, 3e-4], rtol=1e-6)


def test_a_jump_between_two_sketches_is_looked_for_in_all_its_steps():
    jumps = [
        Jump(step=5, previous=4, factor=10.0, expected=1.0),
        Jump(step=40, previous=32, factor=30.0, expected=1.0),
        Jump(step=48, previous=40, factor=20.0, expected=1.0),
    ]
    assert window_of(jumps) == [33, 34, 35, 36, 37, 38, 39, 40]
    assert window_of(jumps[:1]) == [5]
    far = Jump(step=100, previous=50, factor=2.0, expected=1.0)
    assert window_of([far]) == list(range(100 - MOST_STEPS + 1, 101))


def test_weights_whose_true_gradient_is_zero_do_not_count():
    tensors = [
        Tensor("kernel", "weight", (2,), "float32", "whole", zero_gradient=False),
        Tensor("free", "weight", (2,), "float32", "whole", zero_gradient=None),
        Tensor("bias", "weight", (2,), "float32", "whole", zero_gradient=True),
        Tensor("moving_mean", "statistic", (2,), "float32", "whole"),
    ]
    assert counted_weights(tensors) == {"kernel", "free"}


def test_what_is_told_of_gates_is_what_was_found():
    """A unit's share is its own, not the largest."""
    a, b = made_steps()
    for item in (b[1], b[12]):
        item.values[..., 0] += 5
    run = RerunCheck(name="a", checked=0, mismatch=None, mismatch_tensors=(), unfaithful=())
    found = Gates(
        step=7,
        run_a=run,
        run_b=run,
        steps=[6, 7],
        distance=[0, 1],
        **inspect_gates((a, b), RELUS, COUNTED),
    )
    assert found.share == found.shares[3] < found.shares[0]
    assert str(found).startswith(
        "step 7: 1 of 74 gates changed; relu unit 3 accounts for 0.0% of its"
    )
    assert found.exact
    other = dataclasses.replace(run, unfaithful=("w",))
    assert not dataclasses.replace(found, run_b=other).exact


def test_two_batches_have_no_gates_in_common():
    a, b = made_steps()
    b[0].values[1] = 5
    with pytest.raises(FpdriftError, match="different batches at this step"):
        inspect_gates((a, b), RELUS, COUNTED)


# ---- models


@pytest.fixture
def keras():
    require("tensorflow")
    keras = require("keras")
    yield keras
    keras.backend.clear_session(free_memory=False)


def make():
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, name="first"),
            layers.Activation("relu", name="alone"),
            layers.Dense(5, activation="relu", name="fused"),
            layers.Dense(5, activation="tanh", name="smooth"),
            layers.ReLU(name="last"),
            layers.ReLU(max_value=6.0, name="capped"),
            layers.Dense(2, name="out"),
        ]
    )
    model.compile("adam", "mse", jit_compile=False)
    return model


@pytest.mark.slow
def test_planted_gate_of_a_model_is_found(keras, monkeypatch):
    from fpdrift.step_debug._trace import Step

    rng = np.random.default_rng(1)
    batch = rng.standard_normal((6, 4), np.float32), rng.standard_normal((6, 2), np.float32)
    model = make()
    state = state_of(model)
    inside = batch[0] @ state["first/kernel"]
    shut = np.flatnonzero((inside < 0).all(axis=0))
    unit = int(shut[0]) if len(shut) else 2
    sample = int(np.argmax(inside[:, unit]))
    bias = np.zeros(5, np.float32)
    bias[unit] = -inside[sample, unit]
    states = [
        state | {"first/bias": bias + np.float32(shift) * (np.arange(5) == unit)}
        for shift in (1e-5, -1e-5)
    ]
    found = compare_gates(make, batch, *states)
    assert [layer.layer for layer in found.layers] == ["alone", "fused", "last"]
    assert [layer.changed for layer in found.layers] == [1, 0, 0]
    assert (found.gate.layer, found.gate.unit, found.gate.sample) == ("alone", unit, sample)
    assert found.gate.value_a == pytest.approx(1e-5, rel=0.1)
    assert found.gate.value_b == pytest.approx(-1e-5, rel=0.1)
    assert found.weights == ("first/kernel", "first/bias")
    assert found.share > 0.9
    assert found.distance[1] > 10 * found.distance[0]
    assert (found.step, found.exact) == (None, True)
    assert repr(Result.from_json(found.to_json())) == repr(found)
    honest = Step.advance
    monkeypatch.setattr(Step, "advance", lambda self, batch: honest(self, (-batch[0], batch[1])))
    other = compare_gates(make, batch, *states)
    assert not other.exact
    assert "first/kernel" in other.run_b.unfaithful
    assert "the traced step is not bit-identical to the run's own step" in str(other)
    with pytest.raises(FpdriftError, match="no such variable"):
        compare_gates(make, batch, {"x": np.ones(1)}, {})
    with pytest.raises(FpdriftError, match="make_model is None"):
        compare_gates(None, batch, {}, {})
    with pytest.raises(FpdriftError, match="batch is 3"):
        compare_gates(make, 3, {}, {})


@pytest.mark.slow
def test_layers_of_a_model_inside_the_model_are_seen(keras):
    """Their outputs are tapped, and their gates: a model inside a model has no tap of its own."""
    from fpdrift.step_debug._trace import Step

    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="deep"), keras.layers.ReLU(name="gate")],
        name="inner",
    )
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2, name="out")])
    model.compile("sgd", "mse", jit_compile=False)
    step = Step(model)
    assert step.relus == {"inner/gate": "input"}
    rng = np.random.default_rng(1)
    seen = step.trace((rng.standard_normal((5, 4), np.float32), np.ones((5, 2), np.float32)))
    forward = [item.name for item in seen if item.stage == "forward"]
    assert forward == ["inner/deep/output", "inner/gate/output", "out/output"]
