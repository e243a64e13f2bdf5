"""Trees in pictures: nothing crosses, names are right, and what differs is marked."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from reduction_results import batch_run, compared, gpu_run, gpu_sums, revealed, same_order

from fpdrift.cli.screens import screen
from fpdrift.errors import FpdriftError
from fpdrift.plotting import plot
from fpdrift.plotting._trees import branches, lay_out
from fpdrift.reduction import plans

PLANS = [
    plans.sequential(1),
    plans.sequential(9),
    plans.numpy_like(300),
    plans.fused(40, 8),
    *(plans.random(50, np.random.default_rng(seed)) for seed in range(5)),
]


def below(plan):
    """Give the inputs below each number."""
    sets = [{i} for i in range(plan.n)]
    for begin, end in zip(plan.starts[:-1], plan.starts[1:], strict=True):
        sets.append(set().union(*(sets[k] for k in plan.children[begin:end])))
    return sets


@pytest.mark.parametrize("plan", PLANS, ids=repr)
def test_each_branch_stands_side_by_side_and_under_its_addition(plan):
    layout = lay_out(plan)
    assert sorted(layout.inputs.tolist()) == list(range(plan.n))
    for number, inputs in enumerate(below(plan)):
        first, size = layout.first[number], layout.size[number]
        assert set(layout.inputs[first : first + size].tolist()) == inputs
        assert first <= layout.x[number] <= first + size - 1
    for node, terms in enumerate(layout.terms, start=plan.n):
        assert layout.y[node] == 1 + max(layout.y[kid] for kid in terms)
        assert list(layout.x[terms]) == sorted(layout.x[terms])


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (plans.sequential(100), ["0 … 99"]),
        (plans.pairwise(1024), [f"{128 * i} … {128 * i + 127}" for i in range(8)]),
        (plans.strided(800, 4), [f"{i}, {i + 4} … {796 + i}" for i in range(4)]),
        (plans.numpy_like(1000), ["0 … 119", "120 … 247", "248 … 367", "368 … 495"]),
        (plans.random(500, np.random.default_rng(3)), []),
    ],
)
def test_branches_are_named_by_their_inputs(plan, names):
    found = [name for _, name in branches(lay_out(plan), 8)]
    assert found[: len(names)] == names
    assert len(found) <= 8
    if not names:
        assert found == []


def colors(ax):
    """Count the filled and blue additions, and the open and orange ones."""
    counts = {}
    for line in ax.lines:
        if line.get_marker() in ("o", "s", "D") and len(line.get_xdata()):
            color = line.get_color()
            counts[color] = counts.get(color, 0) + len(line.get_xdata())
    return counts


def test_two_trees_mark_what_only_one_adds_up():
    one, other = plans.pairwise(8), plans.sequential(8)
    ax = plot(same_order(one, other), ax=Figure().add_subplot())
    sets = [{frozenset(s) for s in below(plan)[plan.n :]} for plan in (one, other)]
    shared = len(sets[0] & sets[1])
    assert shared == 3
    assert colors(ax) == {"C0": 2 * shared, "C1": 14 - 2 * shared}
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["partial sums in both", "only in this one"]
    assert {"planted:one", "planted:other"} <= {text.get_text() for text in ax.texts}
    assert ax.get_title(loc="left") + ax.get_title() == "8 float32 numbers: different orders"


def test_equal_trees_mark_nothing():
    plan = plans.numpy_like(16)
    ax = plot(same_order(plan, plan, same=True), ax=Figure().add_subplot())
    assert list(colors(ax).values()) == [30]
    assert ax.get_legend() is None


def test_the_title_tells_the_verdict_and_the_accumulator():
    ax = plot(revealed(plans.pairwise(8), accumulator="float64"), ax=Figure().add_subplot())
    title = ax.get_title(loc="left") + ax.get_title()
    assert title == "planted:sum adds 8 float32 in float64, at most 3 in a row: confirmed"


def test_every_input_of_a_small_tree_has_its_number():
    for n in (1, 8, 32, 64):
        ax = plot(plans.numpy_like(n), ax=Figure().add_subplot())
        assert sorted(int(text.get_text()) for text in ax.texts) == list(range(n))


def test_a_tree_too_large_to_be_drawn_is_refused():
    with pytest.raises(FpdriftError, match="a tree of 16,385 inputs is too large"):
        plot(plans.sequential(2**14 + 1), ax=Figure().add_subplot())


def test_a_matrix_holds_each_pair_once_and_classes_side_by_side():
    ax = plot(compared(("a", "b", "c"), (0, 7, 0)), ax=Figure().add_subplot())
    cells = [text.get_text() for text in ax.texts]
    assert cells == ["=", "=", "7", "=", "=", "7", "7", "7", "="]
    assert [label.get_text().split() for label in ax.get_yticklabels()] == [
        ["a", "A"],
        ["c", "A"],
        ["b", "B"],
    ]


def test_batches_show_the_class_of_each():
    ax = plot(batch_run(), ax=Figure().add_subplot())
    assert ax.get_title(loc="left") + ax.get_title() == (
        "numpy matmul, by batch: 4 classes of equal bits"
    )


@pytest.mark.parametrize("origin", ["live", "recorded"])
def test_a_gpu_picture_says_where_it_comes_from(origin):
    result = gpu_sums(gpu_run(n=100), gpu_run(), origin=origin)
    ax = plot(result, ax=Figure().add_subplot())
    assert ax.get_title(loc="left") == f"One-pass: 4 results in 20 tries\n{result.label}"
    assert result.label.startswith(origin)


def test_a_simulated_gpu_s_orders_are_no_frequencies():
    """Drawn orders say what results there can be: on the picture and on the screen."""
    result = gpu_sums(gpu_run(n=100), gpu_run())
    title = plot(result, ax=Figure().add_subplot()).get_title(loc="left")
    assert title == (
        "One-pass: 4 results of 20 random orders\n"
        "simulated GPU: possible results, not their frequency on a GPU"
    )
    said = "which results are possible, not how often a GPU produces them."
    assert said in " ".join(line.strip() for line in screen(result))
    live = gpu_sums(gpu_run(), origin="live")
    told = " ".join(line.strip() for line in screen(live))
    assert said not in told
    assert "2.00 times the time (median of 3 pairs, 1.50 to 2.50)." in told


def test_five_sizes_tell_no_exponent_and_six_do():
    """A line through a few points always fits."""
    runs = [gpu_run(n=10**k) for k in range(2, 8)]
    for few, legend in ((5, "one-pass"), (6, "one-pass:\ngrows as n^")):
        told = any("to the power" in line for line in screen(gpu_sums(*runs[:few])))
        assert told == (few == 6)
        ax = plot(gpu_sums(*runs[:few]), ax=Figure().add_subplot())
        (text,) = ax.get_legend().get_texts()
        assert text.get_text().rstrip("-0.123456789") == legend
    assert ax.get_ylabel() == "|1 - sum / reference|"
