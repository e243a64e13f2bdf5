"""One row in many batches: what is planted is found, and equal bits form classes."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from helpers import require
from row_functions import fixed

from fpdrift.cli.screens import screen
from fpdrift.errors import FpdriftError
from fpdrift.floats import ulp_distance
from fpdrift.reduction import batch_classes
from fpdrift.reduction.batch import BatchClasses
from fpdrift.reduction.batch._operations import OPERATIONS, draw, placements, resolve, row_results
from fpdrift.reduction.batch._results import equality
from fpdrift.serialization import Result

BATCHES = (1, 2, 3, 8, 64)


@pytest.fixture(scope="module")
def numpys():
    """All of NumPy's operations and one with a planted difference, in one fresh process."""
    names = (*OPERATIONS, "row_functions:fixed", "row_functions:by_size", "row_functions:noisy")
    return batch_classes(names, batches=BATCHES, libraries=("numpy",), seed=7)


def run_of(result, name):
    return next(run for run in result.runs if run.operation == name)


def is_equivalence(found):
    """Same class, and only then: no element differs; and both matrices are distances."""
    classes = np.array(found.classes)
    same = classes[:, None] == classes
    assert ((found.differing == 0) == same).all()
    assert (found.ulps[same] == 0).all()
    assert (found.ulps == found.ulps.T).all()
    assert (found.differing == found.differing.T).all()
    assert sorted(set(found.classes)) == list(range(len(set(found.classes))))
    assert [label for group in found.groups for label in group] == [
        label
        for one in sorted(set(found.classes))
        for label in np.array(found.labels)[classes == one]
    ]


def test_every_operation_gives_classes(numpys):
    assert [run.operation for run in numpys.runs[:3]] == list(OPERATIONS)
    assert numpys.skipped == {}
    assert numpys.reports[0].found["NumPy"] == np.__version__
    for run in numpys.runs:
        is_equivalence(run.equality)
        assert run.batches == (1, 2, 2, 3, 3, 8, 8, 64, 64)
        assert run.places == ("alone", *("first", "last") * 4)
        assert run.equality.labels[:3] == ("1", "2 first", "2 last")
        assert sorted(size for sizes in run.sizes for size in sizes) == list(BATCHES)


def test_a_fixed_order_gives_one_class(numpys):
    run = run_of(numpys, "row_functions:fixed")
    assert run.sizes == (BATCHES,)
    assert run.place_matters == ()
    assert run.equality.most_ulps == 0


def test_planted_orders_are_found(numpys):
    run = run_of(numpys, "row_functions:by_size")
    assert run.equality.classes == (0, 0, 0, 0, 0, 1, 1, 2, 1)
    assert run.sizes == ((1, 2, 3), (8,), (64,))
    assert run.place_matters == (64,)
    assert run.equality.elements == 1
    rows = draw("row_functions:by_size", 7, 64)[0]
    there, back = fixed(rows[:1]), fixed(rows[:1, ::-1])
    assert run.equality.ulps[0, 5] == ulp_distance(there, back)
    assert run.equality.differing[0, 5] == 1
    sizes = np.maximum(np.abs(there), np.abs(back)).astype(float)
    assert run.equality.relative[0, 5] == (np.abs(there.astype(float) - back) / sizes).item()


@pytest.fixture(scope="module")
def causes():
    names = ("by_place", "by_size", "centred", "scaled", "drawn", "rarely_drawn", "fixed")
    found = batch_classes(
        [f"row_functions:{name}" for name in names], batches=(1, 2, 8), libraries=("numpy",)
    )
    return {run.operation.partition(":")[2]: run for run in found.runs}


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("fixed", None),
        ("by_size", "size"),
        ("by_place", "place"),
        ("centred", "neighbours"),
        ("scaled", "neighbours"),
        ("drawn", "nondeterminism"),
        ("rarely_drawn", "nondeterminism"),
    ],
)
def test_the_cause_is_told_apart(causes, name, cause):
    run = causes[name]
    assert run.cause == cause
    assert run.repeats == (3 if name == "fixed" else 20)
    assert run.place_matters == ((2, 8) if name == "by_place" else ())
    assert run.neighbours_matter == ((2, 8) if cause == "neighbours" else ())
    assert run.unsteady == {"drawn": (1, 2, 8), "rarely_drawn": (8,)}.get(name, ())
    text = " ".join(" ".join(screen(run)).split())
    assert ("row's place in the batch matters" in text) == (cause == "place")
    assert ("values of the other rows enter" in text) == (cause == "neighbours")
    assert ("nondeterministic" in text) == (cause == "nondeterminism")


def test_no_place_is_blamed_where_neighbours_matter_or_repeats_differ(causes):
    run = causes["by_place"]
    assert run.place_matters == (2, 8)
    assert replace(run, neighbours_matter=(8,)).place_matters == ()
    assert replace(run, unsteady=(2,)).place_matters == ()


def test_a_threaded_forest_is_not_blamed_on_the_place(monkeypatch, tmp_path):
    require("sklearn")
    source = """
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
_rng = np.random.default_rng(5)
_x = _rng.normal(size=(300, 6))
_trees = ExtraTreesRegressor(30, random_state=0, n_jobs=2).fit(_x, _x[:, 0] * _x[:, 1])
def predict(rows): return _trees.predict(rows[:, :6])
"""
    (tmp_path / "own_forest.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = batch_classes(("own_forest:predict",), batches=(1, 64), libraries=("numpy",))
    (run,) = found.runs
    assert run.cause in (None, "nondeterminism")
    assert run.place_matters == ()


def test_a_result_recorded_before_repeats_were_made_can_be_read(numpys):
    saved = json.loads(numpys.to_json())
    kept = ("repeats", "unsteady", "neighbours_matter")
    text = json.dumps(without(saved, kept))
    run = Result.from_json(text).runs[4]
    assert (run.repeats, run.unsteady, run.place_matters) == (0, (), (64,))


def without(value, names):
    if isinstance(value, list):
        return [without(item, names) for item in value]
    if isinstance(value, dict):
        return {key: without(item, names) for key, item in value.items() if key not in names}
    return value


def test_a_function_cannot_spoil_the_row(numpys):
    assert run_of(numpys, "row_functions:noisy").equality.most_ulps == 0


def test_nothing_is_printed(capfd):
    result = batch_classes(("row_functions:noisy",), batches=(2, 1, 2), libraries="numpy")
    assert result.batches == (2, 1)  # each size once
    assert capfd.readouterr() == ("", "")


def test_the_same_call_gives_the_same_bits(numpys):
    again = batch_classes(OPERATIONS, batches=BATCHES, libraries=("numpy",), seed=7)
    for name in OPERATIONS:
        assert (run_of(again, name).equality.ulps == run_of(numpys, name).equality.ulps).all()


def test_json_round_trip(numpys):
    text = numpys.to_json()
    read = Result.from_json(text)
    assert isinstance(read, BatchClasses)
    assert read.to_json() == text
    assert (read.runs[0].equality.ulps == numpys.runs[0].equality.ulps).all()
    assert not read.runs[0].equality.ulps.flags.writeable


def test_reprs_are_short(numpys):
    assert "row_functions:by_size: batches 1 2 3 | 8 | 64" in repr(numpys.runs[4])
    assert repr(numpys.runs[4].equality).startswith("Equality(9 results of 1 elements: 3 classes")
    assert repr(numpys).startswith("BatchClasses(seed=7: ")


@pytest.mark.parametrize("name", OPERATIONS)
def test_numpys_operations_are_right(name):
    rows, *weights = (array.astype(np.float64) for array in draw(name, 3, 2))
    exact = {
        "matmul": lambda: np.einsum("bi,io->bo", rows, *weights),
        "softmax": lambda: np.exp(rows) / np.exp(rows).sum(1)[:, None],
        "convolution": lambda: slow_convolution(rows, *weights),
    }[name]()
    given = resolve("numpy", name)(*draw(name, 3, 2))
    assert given.dtype == np.float32
    assert given.shape == exact.shape
    np.testing.assert_allclose(given, exact, rtol=1e-3, atol=1e-4 * np.abs(exact).max())


def slow_convolution(images, kernels):
    result = np.zeros((len(images), 26, 26, 32))
    for y, x, c in itertools.product(range(3), range(3), range(1)):
        result += images[:, y : y + 26, x : x + 26, c, None] * kernels[y, x, c]
    return result


@pytest.mark.parametrize("name", [*OPERATIONS, "some:function"])
def test_neither_batch_nor_company_changes_the_numbers(name):
    rows, *weights = draw(name, 5, 2)
    more, *same = draw(name, 5, 9)
    assert (more[:2] == rows).all()
    assert all((a == b).all() for a, b in zip(weights, same, strict=True))
    others = [draw(other, 5, 2)[0].ravel()[:9] for other in (*OPERATIONS, "some:function")]
    assert len({other.tobytes() for other in others}) == 4
    assert (draw(name, 6, 2)[0] != rows).any()


def test_the_row_stands_first_and_last():
    def company(rows):
        return np.stack([rows[:, 0], np.arange(len(rows), dtype=np.float32)], axis=1)

    data = (np.arange(10, 18, dtype=np.float32)[:, None],)
    places = placements((1, 2, 8))
    assert places == ((1, "alone"), (2, "first"), (2, "last"), (8, "first"), (8, "last"))
    seen = row_results(company, data, (1, 2, 8), "company").values
    assert seen[:, 0].tolist() == [10] * 5
    assert seen[:, 1].tolist() == [0, 0, 1, 0, 7]


def test_signed_zeros_are_other_bits_and_no_ulps():
    found = equality(["a", "b"], [np.float32([0.0, 1]), np.float32([-0.0, 1])])
    assert found.classes == (0, 1)
    assert found.differing.tolist() == [[0, 1], [1, 0]]
    assert found.most_ulps == 0
    assert found.relative.tolist() == [[0, 0], [0, 0]]


def test_results_of_nothing_are_equal():
    found = equality(["a", "b"], [np.zeros((3, 0), np.float16)] * 2)
    assert found.classes == (0, 0)
    assert found.elements == found.most_ulps == 0


def test_other_shapes_and_dtypes_do_not_compare():
    for other in (np.zeros(2, np.float64), np.zeros(3, np.float32)):
        with pytest.raises(
            FpdriftError, match=r"b returned float.* of shape .*, a float32 of shape"
        ):
            equality(["a", "b"], [np.zeros(2, np.float32), other])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("one_short", r"returned shape \(0, 512\) for a batch of 1; return one result per row"),
        ("one_number", r"returned shape \(\) for a batch of 1"),
        ("words", "unknown dtype"),
        ("infinite", "returned NaN or infinity for a batch of 3"),
        ("widening", "returned float64 for a batch of 3, float32 before"),
        ("reshaping", r"returned shape \(2, 2\) for a batch of 2"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")  # an infinite result is planted
def test_a_function_that_gives_no_rows_is_named(name, text):
    own = resolve("numpy", f"row_functions:{name}")
    with pytest.raises(FpdriftError, match=text):
        row_results(own, draw("", 1, 3), (1, 2, 3), name)


def test_a_missing_function_is_a_reason_in_one_line():
    result = batch_classes(("no_such_module:f",), batches=(1,), libraries="numpy")
    assert result.runs == ()
    assert "cannot import 'no_such_module:f'" in result.skipped["numpy: default"]
    with pytest.raises(FpdriftError, match="not_a_function is 3; use the name of a function"):
        resolve("numpy", "row_functions:not_a_function")
    with pytest.raises(FpdriftError, match="cannot import 'row_functions:absent'"):
        resolve("numpy", "row_functions:absent")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"operations": "sum"}, "unknown operation 'sum'; choose from matmul"),
        ({"operations": ()}, "operations is (); choose from matmul"),
        ({"operations": (3,)}, "operations is (3,); choose from"),
        ({"operations": 3}, "operations is 3; choose from"),
        ({"operations": "a:b:c"}, "unknown operation 'a:b:c'"),
        ({"batches": ()}, "batches is (); pass several"),
        ({"batches": 8}, "batches is 8; pass several"),
        ({"batches": (1, 0)}, "batches is 0; choose a whole number from 1 to 4096"),
        ({"batches": (1e3,)}, "batches is 1000.0; choose"),
        ({"libraries": "jax"}, "unknown library 'jax'; choose one of numpy, tensorflow"),
        ({"libraries": ()}, "libraries is (); choose from"),
        ({"libraries": 3}, "libraries is 3; choose from"),
        ({"libraries": ([],)}, "libraries is ([],); choose from"),
        ({"seed": -1}, "seed is -1"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0"),
        ({"progress": 3}, "progress is 3; pass a function or None"),
    ],
)
def test_bad_arguments_are_refused(arguments, text):
    with pytest.raises(FpdriftError) as caught:
        batch_classes(**arguments)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
