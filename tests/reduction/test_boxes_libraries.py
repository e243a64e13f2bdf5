"""What libraries add: NumPy's own tree, and no verdict that other numbers refute."""

import numpy as np
import pytest
from helpers import require
from telling_data import mixture
from tree_loops import tree_of

from fpdrift.backends.summing_functions import box
from fpdrift.floats import FORMATS
from fpdrift.reduction import plans, reveal, run_plans

NATIVE = ("float16", "float32", "float64")
SIZES = (1, 2, 3, 7, 8, 9, 31, 33, 100)
#: NumPy's own sums -> the tree of the dtypes that NumPy knows, and what float16 is added in
NUMPY = {
    "numpy:sum": ("NumPy's loop", "float32"),
    "numpy:add.reduce": ("NumPy's loop", "float32"),
    "numpy:add.reduce.axis1": ("NumPy's loop", "float32"),
    "numpy:add.reduce.axis0": ("sequential", None),
}


def bits(values):
    return np.asarray(values).tobytes()


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", NUMPY)
def test_numpys_sums_follow_numpys_loops(name, dtype):
    loop, half = NUMPY[name]
    if dtype == "bfloat16":  # which is not NumPy's own
        loop, half = "sequential", None
    for n in (*SIZES, 257):
        found = reveal(box(name).call, n, dtype)
        wider = half if dtype == "float16" and n > 2 else None
        assert (found.verdict, found.accumulator) == ("confirmed", wider), (n, found.evidence.why)
        assert found.plan == tree_of(loop, n).plan, n


def test_more_units_than_a_half_can_hide_or_count_are_asked_in_parts():
    found = reveal(np.sum, 5000, "float16")
    assert (found.verdict, found.plan) == ("confirmed", plans.numpy_like(5000))


@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("n", [31, 1000])
def test_numpys_tree_gives_numpys_bits_on_a_thousand_rows(n, dtype):
    found = reveal(np.sum, n, dtype)
    rows = mixture(n, dtype, np.random.default_rng(n), 1000)
    sums = np.array([np.sum(row) for row in rows])
    assert bits(run_plans(found.plan, rows, dtype, found.accumulator)) == bits(sums)


@pytest.mark.parametrize(
    "name", ["numpy:einsum", "tensorflow:reduce_sum", "math:fsum", "jax:sum", "torch:sum"]
)
def test_a_librarys_tree_gives_its_bits_on_numbers_never_seen(name):
    require(name.partition(":")[0])
    known = box(name)
    for dtype in known.dtypes:
        for n in SIZES if name in ("numpy:einsum", "math:fsum") else (2, 3, 33):
            found = reveal(known.call, n, dtype)
            if found.verdict == "confirmed":
                rows = mixture(n, dtype, np.random.default_rng(n), 200)
                assert agrees(known.call, found, rows, found.accumulator), (n, dtype)
            elif found.verdict == "confirmed, subnormals flushed":
                # The numbers of these rows are whole: no sum of them is subnormal.
                whole = mixture(n, dtype, np.random.default_rng(n), 200)[7::8]
                assert agrees(known.call, found, whole, found.accumulator)
            else:
                assert found.verdict == verdict_of(name, n)


def verdict_of(name, n):
    return "order-independent" if name == "math:fsum" and n > 2 else "not reproduced"


def agrees(call, found, rows, accumulator):
    rows = rows[(rows != 0).any(axis=1)]  # what zeros alone give says where a loop starts
    sums = np.array([call(row) for row in rows])
    return bits(sums) == bits(run_plans(found.plan, rows, found.dtype, accumulator))
