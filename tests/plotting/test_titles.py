"""A picture's title says what was found, whatever that is."""

import dataclasses

import numpy as np
import pytest
from long_results import a_question, long_results
from make_record import make_record
from matplotlib.figure import Figure
from study_results import study_results

from fpdrift.comparison import tensor_matrix
from fpdrift.experiments import Settings, experiment
from fpdrift.floats import anatomy
from fpdrift.plotting import plot
from fpdrift.plotting._style import capital
from fpdrift.reduction import spread_growth, sum_growth

RESULTS = dict(long_results()) | dict(study_results())
PARTED = a_question(5)
AGAIN, *OTHERS = PARTED.distances
SAME = dataclasses.replace(AGAIN, first_step=None, churn=0.0)
REPEATED = dataclasses.replace(PARTED, distances=(SAME, *OTHERS))
COURSES = RESULTS["courses"]
WIDE = dataclasses.replace(COURSES, distance=COURSES.distance[:, 2:], steps=COURSES.steps[2:])


def drawn(result):
    return plot(result, ax=Figure().add_subplot())


def test_the_trap_s_bars_begin_at_one_rounding_and_end_at_their_distance():
    """A log axis has no zero: a distance of nothing is a bar that ends at one rounding."""
    ax = drawn(RESULTS["trap"])
    assert [bar.get_width() for bar in ax.patches] == [2.0**-24, 0.037]
    same, apart, _ = ax.texts
    assert (same.get_text(), same.xy) == ("the same bits", (2.0**-24, 0))
    assert (apart.get_text(), apart.xy) == ("3.7e-02: different computation", (0.037, 1))


@pytest.mark.parametrize(
    ("result", "finding"),
    [
        (anatomy("0.1", "float32"), "0.1 in float32 is 0.100000001490116119384765625"),
        (anatomy("0.5"), "0.5 in float64: 64 bits, normal"),
        (anatomy("3"), "3.0 in float64: 64 bits, normal"),
        (anatomy("nan"), "nan in float64: 64 bits, nan"),
        (experiment("chain").run(Settings()), "(errors: 22 % and 1.1e-06 %)"),
        (REPEATED, "2 threads changed 5 % of the predictions, another seed 5 %"),
        (REPEATED, "One run each on fashion-mnist-split"),
        (PARTED, "(5 of at most 200 epochs)"),
        (dataclasses.replace(PARTED, distances=(SAME,)), "No bit differs"),
        (RESULTS["long"], "2 threads against 1 thread, one pair: 12 % of predictions differ"),
        (RESULTS["trap"], "One-hot: the same bits; multi-hot: different computation"),
        (
            RESULTS["sources"],
            "Rounding: 3.3e-7 to 2e-4; new seed: 0.4 to 2.4",
        ),
        (RESULTS["sources-equal"], "No drift from rounding was observed"),
        (WIDE, "One draw each: final distance from the plain run 1e-3 to 2e-3"),
        (
            dataclasses.replace(WIDE, name="amplifiers"),
            "One nudge each in 2 networks grew ",
        ),
        (RESULTS["courses-equal"], "No pair has a known distance at every step"),
        (RESULTS["no-seeds"], "Losses differ by up to 1 without seeds, 1 with one seed"),
        (RESULTS["metric"], "3 runs: losses vary by 0.01 %, accuracies by 1 %"),
        (RESULTS["hash-seed"], "1 of 2 ways fix Python's hash; same bits in 2 of 2 trainings"),
        (RESULTS["ulp-survival"], "2 of 4 nudges absorbed within 5 steps"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_title_says_what_was_found(result, finding):
    assert any(line.startswith(finding) for line in drawn(result).get_title("left").split("\n"))


def test_a_run_that_does_not_repeat_is_named_first():
    first, second, *_ = drawn(PARTED).get_title("left").split("\n")
    assert first == "A rerun changed 5 % of the predictions"
    assert second == "2 threads changed 5 % of the predictions, another seed 5 %"


def test_the_only_epoch_is_number_1():
    low, high = (ax := drawn(a_question(1))).get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]


def test_a_matrix_says_where_bits_differ_first_and_at_the_end():
    states = [{name: np.zeros(1, np.float32) for name in "abc"}]
    states += [states[0] | {"a": np.ones(1, np.float32)}]
    states += [states[1] | {"b": np.ones(1, np.float32)}]
    one, other = make_record(states[:1] * 3), make_record(states)
    title = drawn(tensor_matrix(one, other)).get_title("left")
    assert title == "Bits first differ at step 1, in 1 of 3 tensors\nAt the end they differ in 2"
    title = drawn(tensor_matrix(one, one)).get_title("left")
    assert title == "3 tensors at 3 steps: no bit differs"


def test_a_legend_lists_the_line_that_ends_highest_first():
    legend = drawn(COURSES).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["1e-08", "1e-12"]


def test_sources_of_equal_bits_share_a_row():
    control = RESULTS["sources"].rows[0]
    result = dataclasses.replace(RESULTS["sources"], rows=(control, *RESULTS["sources"].rows))
    names = [text.get_text() for text in drawn(result).get_yticklabels()]
    assert names == ["same bits: 2 sources", "threads (2)", "all seeds (7)", "XLA (1)"]


def test_one_source_of_equal_bits_is_named_and_stands_at_no_distance():
    ax = drawn(RESULTS["sources"])
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["the same again (1)", "threads (2)", "all seeds (7)", "XLA (1)"]
    same = ax.lines[0].get_xdata()[0]
    assert (ax.get_xticks()[0], ax.get_xticklabels()[0].get_text()) == (same, "same\nbits")
    assert same < ax.lines[-1].get_xdata()[0] < 1e-6


def test_a_title_starts_with_a_capital_where_it_is_no_functions_name():
    assert capital("positive sum") == "Positive sum"
    assert capital("index_add") == "index_add"


def test_a_growing_spread_has_its_upper_bound_named():
    ax = drawn(spread_growth((64,), (4, 16), threads=1, tries=2, drawn=20))
    assert ax.get_title("left").startswith("Positive sum of 16 chunks: ")
    assert [text.get_text() for text in ax.texts] == ["upper bound", "√chunks"]


def test_the_unit_of_an_error_is_explained():
    ax = drawn(sum_growth((6,), orders=2))
    assert ax.get_ylabel() == "largest relative error\nin u (half an ulp of 1)"
