"""Rounding and different computation are told apart on pairs where it is known which it is."""

import numpy as np
import pytest
from helpers import cases, require
from judged_pairs import PLANTED, REORDERED, batch_for, maker, planted, reordered, trained

from fpdrift.errors import FpdriftError
from fpdrift.perturbation import Perturbation
from fpdrift.serialization import Result
from fpdrift.step_debug import diagnose_runs, diagnose_step, state_of
from fpdrift.step_debug._trace_file import TracedTensor
from fpdrift.training import Condition, train

pytestmark = pytest.mark.slow

#: What of each planted case is the first that rounding cannot explain.
FIRST = {
    "labels": "backward dense/output",
    "adam epsilon": "after conv/kernel",
    "norm epsilon": "forward norm/output",
    "dropout seed": "before seed_generator/seed_generator_state",
    "dropout under XLA": "forward drop/output",
    "halves with batch norm": "loss loss",
    "initialiser": "before conv/kernel",
    "sample": "forward conv/output",
    "label": "loss loss",
    "momentum": "after sgd/conv/kernel/momentum",
    "learning rate": "before sgd/learning_rate",
}


@pytest.fixture(autouse=True)
def fresh_keras():
    require("tensorflow")
    keras = require("keras")
    yield
    keras.backend.clear_session(free_memory=False)


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_formula_is_a_different_computation(kind):
    make_a, make_b, batch, batch_b, state = planted(kind, 1)
    found = diagnose_step(make_a, make_b, batch, state, batch_b=batch_b)
    assert found.verdict == "different computation"
    assert found.first == FIRST[kind]
    assert Result.from_json(found.to_json()) == found


@pytest.mark.parametrize("kind", REORDERED)
@pytest.mark.parametrize("seed", cases(range(1, 11), [1]))
def test_another_order_of_sums_is_not_a_different_computation(kind, seed):
    make_a, make_b, batch, batch_b = reordered(kind, seed)
    found = diagnose_step(make_a, make_b, batch, batch_b=batch_b)
    differs = any(measure.distance for measure in found.measures)
    assert found.verdict == ("rounding" if differs else "identical")
    assert found.first is None


def test_settings_that_differ_are_named():
    make_a, make_b, batch, _, state = planted("momentum", 1)
    found = diagnose_step(make_a, make_b, batch, state)
    assert found.settings == ("optimizer momentum: 0.9, 0.9000001",)
    assert found["gradient"].distance == 0
    low, high = found["update of momentum"], found["update of momentum"].distance64
    assert not low.beyond  # as small as rounding: float64 alone tells
    assert low.stays
    assert 1e-8 < high < 1e-5
    with pytest.raises(KeyError, match="'update of velocity'"):
        found["update of velocity"]


def dense(optimizer, factor=None, loss=1.0, **options):
    """Make a maker of a tiny network whose loss is a multiple of the mean square."""

    def make():
        import keras

        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((5,)), *layers])
        kind = getattr(keras.optimizers, optimizer)
        model.compile(
            kind(0.1, loss_scale_factor=factor, **options),
            lambda y, p: loss * keras.ops.mean(keras.ops.square(y - p), -1),
            jit_compile=False,
        )
        return model

    return make


@pytest.mark.parametrize(
    ("make_a", "make_b", "verdict"),
    [
        (dense("SGD"), dense("SGD", 100.0), "rounding"),
        (dense("SGD", 1.0), dense("SGD", 1024.0), "identical"),
        (dense("Adam", 3.0), dense("Adam", 0.1), "rounding"),
        (dense("Adam"), dense("Adam", 100.0, epsilon=1e-5), "different computation"),
        (dense("SGD"), dense("SGD", 100.0, 1.0001), "different computation"),
        (dense("SGD"), dense("SGD", 100.0, 0.01), "different computation"),
        (dense("SGD"), dense("SGD", loss=100.0), "different computation"),
    ],
)
def test_a_factor_that_the_optimiser_takes_off_the_loss_is_not_a_different_computation(
    make_a, make_b, verdict
):
    rng = np.random.default_rng(1)
    batch = tuple(rng.standard_normal((16, width)).astype(np.float32) for width in (5, 1))
    found = diagnose_step(make_a, make_b, batch)
    assert found.verdict == verdict
    if verdict == "identical":
        assert found["loss"].distance == found["gradient"].distance == 0


def test_a_small_gradient_in_half_precision_is_still_there_without_its_factor():
    from types import SimpleNamespace

    from fpdrift.step_debug._sensitivity import remove_loss_scale

    seen = [
        TracedTensor(stage, "x", "", np.array([6e-8], np.float16))
        for stage in ("backward", "after")
    ]

    def model(factor):
        return SimpleNamespace(optimizer=SimpleNamespace(loss_scale_factor=factor))

    found = remove_loss_scale(seen, model(1024.0))
    assert found[0].values == np.float32(np.float16(6e-8)) / 1024
    assert found[1] is seen[1]
    assert remove_loss_scale(seen, model(None)) == remove_loss_scale(seen, object()) == seen


def test_batches_are_compared_and_a_rounded_one_is_the_same():
    make, (x, y) = maker(1), batch_for(1)
    rounded = np.nextafter(x, np.float32(9))
    found = diagnose_step(make, make, (x, y), batch_b=(rounded, y))
    assert found.verdict == "rounding"
    assert list(found.start) == ["batch/0"]
    assert 0 < found.start["batch/0"] < 2**-22


def test_weights_an_ulp_apart_are_rounding():
    make, batch = maker(1), batch_for(1)
    base = state_of(make())["dense/kernel"]

    def moved():
        model = make()
        model.get_layer("dense").kernel.assign(np.nextafter(base, np.float32(9)))
        return model

    found = diagnose_step(make, moved, batch)
    assert found.verdict == "rounding"
    assert 0 < found.start["weights"] < 2**-22


def kept_in_float32(dtype="float32", **about):
    """Give a maker of a model with a layer that no dtype policy moves, unless its dtype is None."""
    make = maker(1, optimizer="momentum", **about)

    def make_fixed():
        import keras

        model = make()
        inputs = keras.Input((8, 8, 1), dtype="float32")
        kept = keras.layers.Activation("linear", dtype=dtype, name="kept")
        whole = keras.Model(inputs, kept(model(inputs)))
        whole.compile(keras.optimizers.SGD(0.01), "categorical_crossentropy", jit_compile=False)
        return whole

    return make_fixed


def test_a_layer_that_stays_in_float32_is_widened_in_the_graph():
    make, (x, y) = kept_in_float32(), batch_for(1)
    order = np.arange(len(x))[::-1]
    found = diagnose_step(make, make, (x, y), batch_b=(x[order], y[order]))
    assert found.verdict == "rounding"
    assert max(measure.distance64 for measure in found.measures) < 1e-11
    found = diagnose_step(make, kept_in_float32(norm_epsilon=1.001e-3), (x, y))
    assert (found.verdict, found.first) == (
        "different computation",
        "forward functional/norm/output",
    )


def test_what_cannot_be_widened_is_judged_by_its_size_and_named(monkeypatch):
    from fpdrift.backends import float64_graph

    def refused(*_):
        raise NotImplementedError

    monkeypatch.setattr(float64_graph, "Widened", refused)
    make, (x, y) = kept_in_float32(), batch_for(1)
    turned = x[::-1].copy(), y[::-1].copy()  # so that some bits differ in float32, too
    found = diagnose_step(make, kept_in_float32(dtype=None), (x, y), batch_b=turned)
    assert found.verdict == "cannot tell"
    assert "in the float64 step A still uses float32, in functional" in found.reason
    found = diagnose_step(make, kept_in_float32(norm_epsilon=0.1), (x, y))
    assert found.verdict == "different computation"


def test_a_maker_that_refuses_float64_is_judged_by_its_size():
    import keras

    dtype = keras.losses.Loss.dtype

    def make():
        if keras.config.floatx() != "float32":
            raise NotImplementedError
        return maker(1)()

    x, y = batch_for(1)
    found = diagnose_step(make, make, (x, y), batch_b=(x[::-1].copy(), y[::-1].copy()))
    assert found.verdict == "cannot tell"
    assert found.measures[0].distance64 is None
    assert keras.config.floatx() == "float32"
    assert keras.config.dtype_policy().name == "float32"
    assert keras.losses.Loss.dtype is dtype


def test_equal_steps_are_identical_a_nan_included():
    x, y = batch_for(1)
    make = maker(1, optimizer="momentum")
    found = diagnose_step(make, make, (x, y))
    assert found.verdict == "identical"
    assert found.start == {}
    x[0, 0, 0, 0] = np.nan
    assert diagnose_step(make, make, (x, y)).verdict == "identical"
    found = diagnose_step(make, maker(1, optimizer="momentum", activation="tanh"), (x, y))
    assert (found.verdict, found.cause) == ("cannot tell", "hidden by NaN")


@pytest.mark.parametrize("how", ["frozen", "without gradient"])
def test_a_weight_that_one_step_alone_trains_is_a_different_computation(how):
    keras = require("keras")

    def make(trains):
        def made():
            keras.utils.set_random_seed(1)
            inputs = keras.Input((4,))
            first = keras.layers.Dense(3, name="first", trainable=trains or how != "frozen")
            kept = first(inputs)
            if not trains and how != "frozen":
                kept = keras.layers.Lambda(keras.ops.stop_gradient)(kept)
            model = keras.Model(inputs, keras.layers.Dense(1, name="last")(kept))
            model.compile(keras.optimizers.SGD(0.1), "mse")
            return model

        return made

    x = np.random.default_rng(1).normal(size=(8, 4)).astype("float32")
    found = diagnose_step(make(trains=True), make(trains=False), (x, x[:, :1]))
    assert found.verdict == "different computation"
    assert any("first/" in measure.tensor for measure in found.measures if measure.stays)


def test_the_verdict_is_about_one_step():
    """A momentum has no effect before there is one; the setting is named all the same."""
    makers = [maker(1, optimizer="momentum", setting={"momentum": m}) for m in (0.9, 0.9001)]
    found = diagnose_step(*makers, batch_for(1))
    assert found.verdict == "identical"
    assert found.settings == ("optimizer momentum: 0.9, 0.9001",)
    state = trained(1, optimizer="momentum", setting={"momentum": 0.9})
    found = diagnose_step(*makers, batch_for(1), state)
    assert found.verdict == "different computation"
    assert "momentum" in found.first


def test_sample_weights_of_one_step_are_named():
    x, y = batch_for(1)
    weights = np.linspace(1, 2, len(x)).astype(np.float32)
    make = maker(1, optimizer="momentum")
    found = diagnose_step(make, make, (x, y), batch_b=(x, y, weights))
    assert found.verdict == "different computation"
    assert found.reason.startswith("only B has sample weights")
    assert found.start == {"batch/2": np.inf}
    found = diagnose_step(make, make, (x, y, np.ones_like(weights)), batch_b=(x, y))
    assert found.verdict in ("identical", "rounding")
    assert found.reason.startswith("only A has sample weights")


def test_a_step_with_a_state_of_its_own_is_not_judged():
    """The layer's states are none of the model's variables."""

    def make():
        import keras

        keras.utils.set_random_seed(1)
        inputs = keras.Input(batch_shape=(4, 3, 2))
        hidden = keras.layers.SimpleRNN(3, stateful=True, name="kept")(inputs)
        model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
        model.compile("sgd", "mse", jit_compile=False)
        return model

    batch = np.ones((4, 3, 2), np.float32), np.ones((4, 1), np.float32)
    found = diagnose_step(make, make, batch)
    assert found.verdict == "cannot tell"
    assert "A's step is not repeatable" in found.reason
    assert "kept/output" in found.reason


def test_given_state_is_both_sides_start():
    make_a, make_b = maker(1), maker(1, start=2)
    batch = batch_for(1)
    state = trained(1)
    assert diagnose_step(make_a, make_b, batch, state).verdict == "identical"
    faster = maker(1, setting={"learning_rate": 0.02})  # each keeps its own
    assert diagnose_step(make_a, faster, batch, state).first == "before adam/learning_rate"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((None, maker(1), batch_for(1)), "make_a is None"),
        ((maker(1), 3, batch_for(1)), "make_b is 3"),
        ((maker(1), maker(1), 3), "batch is 3"),
        (
            (maker(1), maker(1, norm=False), batch_for(1)),
            "only one model has .*norm/beta .*and 7 more.*compare",
        ),
        ((maker(1), maker(1), batch_for(1), {"other": 1}), "state has 'other'"),
    ],
)
def test_what_is_no_step_is_refused(arguments, says):
    with pytest.raises(FpdriftError, match=says):
        diagnose_step(*arguments)


@pytest.fixture(scope="module")
def run_of(tmp_path_factory, residents):
    """Train one step of the smallest network; each condition once."""
    require("tensorflow")
    folder, runs = tmp_path_factory.mktemp("runs"), {}

    def run(**settings):
        condition = Condition(intra_op_threads=1, **settings)
        if condition not in runs:
            path = folder / f"{len(runs)}.fpdrift"
            with residents.instead():
                runs[condition] = train(
                    condition, "answer-narrow", steps=1, labels="multi-hot", path=path
                )
        return runs[condition]

    return run


def test_runs_an_ulp_apart_are_rounding(run_of, residents):
    """Planted, so that they differ on any machine: what is amplified is one rounding.

    A's processes are fresh ones, as the library starts them; nowhere else are they.
    """
    ulp = Perturbation(kind="ulp", tensor="conv2/kernel", index=0)
    runs = run_of(), run_of(perturbation=ulp)
    with residents.instead(
        but=("fpdrift.step_debug._rerun_worker", "fpdrift.step_debug._sensitivity_worker")
    ):
        found = diagnose_runs(*runs)
    assert (found.verdict, found.first, found.step) == ("rounding", None, 1)
    assert 0 < found.start["weights"] < 2**-24
    assert found.settings == (f"perturbation: None, {ulp.to_dict()}",)
    gradient = found["gradient"]
    assert 0 < gradient.distance <= gradient.explained < 0.1
    assert gradient.distance64 <= gradient.explained64 < 1e-9
    assert gradient.tensor
    assert found.exact


@pytest.mark.usefixtures("shared_processes")
def test_two_paths_of_one_loss_are_a_different_computation_between_records(run_of):
    runs = run_of(), run_of(op_determinism=True)
    found = diagnose_runs(*runs)
    gradient = found["gradient"]
    if gradient.distance64 < 1e-6:
        pytest.skip("this TensorFlow's fused gradient is right for labels that do not sum to 1")
    assert found.verdict == "different computation"
    assert found.step == 1
    assert found.run_a.exact
    assert found.run_b.exact
    assert found.settings == ("op_determinism: False, True",)
    assert gradient.distance > 0.1
    assert gradient.distance64 > 0.1
    with pytest.raises(FpdriftError, match="are identical for all"):
        diagnose_runs(runs[0], runs[0])


class Watched:
    """Stands for a step: keeps what it starts from, and gives one loss after another."""

    def __init__(self, model, losses):
        self.model = model
        self.losses = iter(losses)
        self.starts = []

    def restore(self, start):
        self.starts.append(list(start))

    def trace(self, batch):
        self.starts[-1] += batch
        return [TracedTensor("loss", "loss", "", np.array(next(self.losses)))]


def test_one_rounding_is_measured_by_moving_all_numbers_by_an_ulp():
    import keras

    from fpdrift.step_debug._sensitivity import measure_side

    dense = [keras.layers.Dense(1, dtype=dtype) for dtype in ("float16", "float32")]
    step = Watched(keras.Sequential([keras.Input((2,)), *dense]), [1.0, 1.0, 1.5, 3.0, 2.0])
    drawn = np.random.default_rng(1).standard_normal(64)
    given = [np.append(drawn, 0), np.arange(3), drawn.astype(np.float32), np.eye(2, dtype=int)]
    found = measure_side(step, given[:2], given[2:])
    assert found.spacing == 2.0**-10  # of the coarsest dtype that it computes in
    assert found.seen[0].values == 1.0
    assert found.spread["loss", "loss"] == 2.0  # the largest of three
    assert found.not_repeatable is None
    plain, again, *moved = step.starts
    assert len(moved) == 3
    for values in zip(given, plain, again, strict=True):
        np.testing.assert_array_equal(*values[:2])
        np.testing.assert_array_equal(*values[1:])
    for weights, counter, images, labels in moved:
        assert (weights[-1], images.dtype) == (0, np.float32)
        np.testing.assert_array_equal(counter, given[1])
        np.testing.assert_array_equal(labels, given[3])
        for values in (weights[:-1], images):
            by = (values / drawn - 1) * 2**10
            assert np.allclose(np.abs(by), 1, atol=1e-3)
            assert 8 < (by > 0).sum() < 56
    assert not np.array_equal(moved[0][0], moved[1][0])


def test_a_step_that_does_not_repeat_itself_is_noticed():
    import keras

    from fpdrift.step_debug._sensitivity import measure_side

    step = Watched(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), range(1, 9))
    assert measure_side(step, [np.ones(2, np.float32)], []).not_repeatable == "loss loss"


def test_a_float32_that_the_graph_does_not_show_is_seen_among_the_tensors(monkeypatch):
    from fpdrift.step_debug import _sensitivity
    from fpdrift.step_debug._float64_step import float64_step

    made = []

    def make():
        import keras

        made.append((keras.config.floatx(), keras.config.dtype_policy().name))
        return maker(1)()

    start, batch = list(state_of(maker(1)()).values()), batch_for(1)
    step = float64_step(make, batch)
    whole = _sensitivity.measure_float64_side(step, start, batch)
    assert made == [("float64", "float64")]
    assert (whole.spacing, whole.narrow) == (2.0**-52, ())
    honest = _sensitivity.Step.trace

    def hiding(step, batch):
        return [*honest(step, batch), TracedTensor("forward", "kept", "", np.ones(2, np.float32))]

    monkeypatch.setattr(_sensitivity.Step, "trace", hiding)
    assert _sensitivity.measure_float64_side(step, start, batch).narrow == ("forward kept",)
    assert _sensitivity.measure_float64_side(None, start, batch) is None
