"""Tensors by steps and runs' losses: tables and pictures hold what the records do."""

from dataclasses import replace

import numpy as np
import pytest
from make_record import make_record
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fpdrift import FpdriftError
from fpdrift.comparison import compare, run_curves, tensor_matrix
from fpdrift.plotting import plot, save
from fpdrift.serialization import Result

ROLES = {"moving": "statistic", "adam/kernel": "slot"}


def states(steps, *changed):
    """A model's states; `changed` are (step, name, change) that last from that step on."""
    found = []
    for step in range(steps):
        state = {
            "moving": np.full(3, 2, np.float32),
            "adam/kernel": np.full(4, 1, np.float32),
            "kernel": np.full((2, 2), 1 + step, np.float32),
            "large": np.full(100, 1, np.float32),
            "bias": np.zeros(2, np.float32),
        }
        for since, name, change in changed:
            if step >= since:
                state[name] = state[name] + np.float32(change)
        found.append(state)
    return found


def records(steps, *changed, **fields):
    first = make_record(states(steps), roles=ROLES, **fields)
    return first, make_record(states(steps, *changed), roles=ROLES, name="b.fpdrift", **fields)


def matrix(steps, *changed, **fields):
    return tensor_matrix(*records(steps, *changed, **fields))


def test_each_tensor_s_own_distance_stands_at_its_row_and_column():
    found = matrix(3, (1, "kernel", 0.5), (2, "moving", -1), (2, "bias", 1))
    assert found.tensors == ("kernel", "large", "bias", "moving", "adam/kernel")
    assert found.roles == ("weight",) * 3 + ("statistic", "slot")
    assert found.steps.tolist() == [0, 1, 2]
    assert found.recorded == 3
    assert found.distance.tolist() == [
        [0, 0.25, 0.5 / 3],
        [0, 0, 0],
        [0, 0, np.inf],  # from all zeros any way is infinitely far
        [0, 0, 0.5],
        [0, 0, 0],
    ]
    assert (found.differs == (found.distance > 0)).all()
    assert (found.first_step, found.first_tensors) == (1, ("kernel",))


def test_a_slot_has_bits_and_no_distance():
    found = matrix(2, (1, "adam/kernel", 1))
    assert found.differs[4].tolist() == [False, True]
    assert np.isnan(found.distance[4, 1])
    assert found.first_tensors == ("adam/kernel",)


def test_a_sketched_tensor_s_distance_is_near():
    found = matrix(2, (1, "large", 0.01))
    assert found.distance[1, 1] == pytest.approx(0.01, rel=0.3)


def test_what_happened_between_columns_shows_in_the_next_one():
    first, other = records(9, (3, "kernel", 1), sketch_steps=[0, 8])
    hashes = other.hashes.copy()
    hashes[5:] = first.hashes[5:]  # re-merged before values are kept again
    hashes[7, 0] += 1
    found = tensor_matrix(first, replace(other, hashes=hashes))
    assert found.steps.tolist() == [0, 3, 8]
    kernel, moving = found.tensors.index("kernel"), found.tensors.index("moving")
    assert found.differs[kernel].tolist() == [False, True, True]
    assert found.differs[moving].tolist() == [False, False, True]
    # not kept at step 3; the bits of step 8 are equal
    assert np.isnan(found.distance[kernel, 1])
    assert found.distance[kernel, 2] == found.distance[moving, 2] == 0


def test_the_first_difference_is_that_of_the_comparison():
    pair = records(40, (17, "kernel", 1), (17, "bias", 1), sketch_steps=range(0, 40, 8))
    first = compare(*pair).first_difference
    found = tensor_matrix(*pair)
    assert (found.first_step, set(found.first_tensors)) == (17, {t.name for t in first.tensors})
    assert found.steps.tolist() == [0, 8, 16, 17, 24, 32, 39]


def test_equal_runs_and_runs_that_start_apart():
    equal = matrix(3)
    assert (equal.first_step, equal.first_tensors) == (None, ())
    assert not equal.differs.any()
    apart = matrix(1, (0, "kernel", 1))
    assert (apart.first_step, apart.steps.tolist()) == (0, [0])
    assert apart.differs.tolist() == [[True], [False], [False], [False], [False]]


def test_other_models_are_refused_as_compare_does():
    with pytest.raises(FpdriftError, match="different models"):
        tensor_matrix(make_record(states(1)), make_record([{"kernel": np.ones(2, np.float32)}]))


def curves(**fields):
    losses = np.array([np.nan, 3.0, 2.0]), np.array([np.nan, 3.0, 1.0])
    runs = [
        make_record(states(3), name=name, loss=loss, metrics={"mse": loss, "accuracy": loss / 10})
        for name, loss in zip(("a.fpdrift", "b.fpdrift"), losses, strict=True)
    ]
    return run_curves(runs, **fields)


def test_curves_are_the_records_own():
    found = curves()
    assert (found.labels, found.metric) == (("a.fpdrift", "b.fpdrift"), "accuracy")
    np.testing.assert_array_equal(found.loss[1], [np.nan, 3, 1])
    np.testing.assert_array_equal(found.values[0], [np.nan, 0.3, 0.2])
    assert curves(metric="mse").metric == "mse"
    alone = run_curves([make_record(states(2))])
    assert (alone.metric, alone.values) == (None, ())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([],), "is not a sequence of records"),
        ((["a.fpdrift"],), "is not a sequence of records"),
        (([make_record(states(1))], ["a", "b"]), "2 labels for 1 records"),
        (([make_record(states(1))], None, "f1"), "unknown metric 'f1'"),
    ],
)
def test_bad_input_is_refused(arguments, words):
    with pytest.raises(FpdriftError, match=words):
        run_curves(*arguments)


CHANGED = (1, "kernel", 0.5), (2, "adam/kernel", 1), (3, "moving", 0.25)
RESULTS = {
    "matrix": matrix(5, *CHANGED),
    "equal": matrix(5),
    "bits alone": matrix(5, *CHANGED, sketch_steps=[]),
    "one step": matrix(1, (0, "kernel", 1)),
    "blown up": matrix(3, (1, "kernel", np.nan), (2, "bias", np.inf)),
    "curves": curves(),
    "loss alone": run_curves([make_record(states(3), loss=np.array([np.nan, 2, 1]))]),
    "no loss": run_curves([make_record(states(3))], ["$odd^name"]),
    "many": run_curves([make_record(states(3), loss=np.arange(3.0))] * 30),
}


def drawn(result):
    figure = Figure()
    ax = plot(result, ax=figure.add_subplot())
    figure.draw_without_rendering()
    return ax


@pytest.mark.parametrize("name", RESULTS)
def test_each_is_the_same_after_json(name):
    text = RESULTS[name].to_json()
    assert Result.from_json(text).to_json() == text


#: A picture of each kind; `make check` has each case.
SAMPLE = ("matrix", "curves")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in SAMPLE else pytest.mark.check) for n in RESULTS]
)
def test_the_same_picture_is_the_same_bytes_after_json_too(name, tmp_path):
    result = RESULTS[name]
    first = save(result, tmp_path / "first")
    second = save(Result.from_json(result.to_json()), tmp_path / "second")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("name", RESULTS)
def test_each_is_drawn(name):
    assert drawn(RESULTS[name]).get_title("left")


def test_the_picture_of_tensors_has_its_bits_its_distances_and_its_rings():
    result = RESULTS["matrix"]
    ax = drawn(result)
    bits, shades = ax.collections[:2]
    np.testing.assert_array_equal(bits.get_array(), result.differs)
    colours = [to_hex(bits.cmap(value)) for value in (0, 1)]
    legend = {text.get_text(): text for text in ax.get_legend().get_texts()}
    patches = dict(zip(legend, ax.get_legend().legend_handles, strict=True))
    assert colours == [
        to_hex(patches[name].get_facecolor())
        for name in ("same bits", "different bits, distance unknown")
    ]
    np.testing.assert_array_equal(
        shades.get_array().filled(0), np.where(result.distance > 0, result.distance, 0)
    )
    ring = next(line for line in ax.lines if line.get_marker() == "o")
    assert ring.get_xydata().tolist() == [[1, 0.5]]
    title = ax.get_title("left")
    assert title == "Bits first differ at step 1, in 1 of 5 tensors\nAt the end they differ in 3"
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ax.yaxis_inverted()  # the first tensor stands on top
    assert labels == ["kernel", "large", "bias", "1 statistic", "1 slot"]


def test_the_picture_says_where_nothing_differs_or_no_distance_is_known():
    assert "no bit differs" in drawn(RESULTS["equal"]).get_title("left")
    assert "different bits" not in str(drawn(RESULTS["equal"]).get_legend().get_texts())
    assert len(drawn(RESULTS["bits alone"]).collections) == 1
    assert "before step 1" in drawn(RESULTS["one step"]).get_title("left")


def test_more_tensors_than_fit_are_named_as_far_as_they_do():
    model = [{f"layer{i}/kernel": np.ones(2, np.float32) for i in range(200)}] * 2
    ax = drawn(tensor_matrix(make_record(model), make_record(model)))
    places = ax.get_yticks()
    assert 10 < len(places) <= 29
    assert (np.diff(places) >= 200 / 28).all()


def test_lines_are_thin_and_the_metric_stands_below():
    result = RESULTS["curves"]
    upper, lower = drawn(result).child_axes
    for ax, values in ((upper, result.loss), (lower, result.values)):
        for line, y in zip(ax.lines, values, strict=True):
            assert line.get_xydata().tolist() == [[1, y[1]], [2, y[2]]]
            assert line.get_linewidth() <= 1.5
    assert lower.get_ylabel() == "accuracy"
    assert [text.get_text() for text in upper.get_legend().get_texts()] == [*result.labels]
    assert upper.get_ylabel() == "loss of the step"
    mixed = replace(result, loss_kinds=("step", "running mean"))
    assert drawn(mixed).child_axes[0].get_ylabel() == "loss (running mean, step)"
    assert drawn(RESULTS["many"]).get_legend() is None
    assert drawn(RESULTS["no loss"]).texts[0].get_text() == "no loss was recorded"
