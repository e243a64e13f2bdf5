"""The boxes are what they say: three ways of adding agree, and the trees are the makers'."""

import numpy as np
import pytest
from black_boxes import added_in_floats, added_in_integers, function_of
from plan_oracle import run_scalar
from telling_data import mixture
from tree_loops import MULTI_TERM, TREES, tree_of

from fpdrift.floats import FORMATS
from fpdrift.reduction import plans as makers
from fpdrift.reduction import run_plans

PAIRS = [
    *((name, name) for name in FORMATS),
    *(("float16", "float32"), ("bfloat16", "float32"), ("float32", "float64")),
    *(("float16", "float64"), ("bfloat16", "float64")),
]
NAMES = [*TREES, *MULTI_TERM, "aligned: 4 terms", "aligned: 8 terms", "aligned: random of 2 to 5"]
SIZES = (1, 2, 3, 7, 9, 33, 100)


def bits(values):
    return np.asarray(values).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_box_gives_the_bits_of_its_plan_run_by_levels(name):
    for at, (dtype, accumulator) in enumerate(PAIRS):
        for n in SIZES:
            rows = mixture(n, dtype, np.random.default_rng([at, n]), 16)
            box = function_of(tree_of(name, n), dtype, accumulator)
            one_by_one = np.array([box(row) for row in rows], rows.dtype)
            at_once = run_plans(tree_of(name, n).plan, rows, dtype, accumulator)
            assert bits(one_by_one) == bits(at_once), (dtype, accumulator, n)


@pytest.mark.parametrize(("dtype", "accumulator"), PAIRS)
def test_floats_integers_and_fractions_add_alike(dtype, accumulator):
    fmt, acc = FORMATS[dtype], FORMATS[accumulator]
    for name in ("sequential", "NumPy's loop", "random tree 1"):
        tree = tree_of(name, 9)
        for row in mixture(9, dtype, np.random.default_rng(7), 40):
            with np.errstate(all="ignore"):
                in_floats = added_in_floats(tree, row, fmt, acc)
            assert bits(in_floats) == bits(added_in_integers(tree, row, fmt, acc))
            assert bits(in_floats) == bits(run_scalar(tree.plan, row, dtype, accumulator))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("sequential", makers.sequential),
        ("reversed", makers.reversed_),
        ("halves", makers.pairwise),
        ("halves of 8", lambda n: makers.pairwise(n, 8)),
        ("blocks of 8", lambda n: makers.blocked(n, 8)),
        ("NumPy's loop", makers.numpy_like),
        ("8 lanes", lambda n: makers.strided(n, 8)),
        ("4 terms", lambda n: makers.fused(n, 4)),
        ("aligned: 8 terms", lambda n: makers.fused(n, 8, aligned=True)),
        ("permutation 1", lambda n: makers.in_order(np.random.default_rng([1, n]).permutation(n))),
    ],
)
def test_a_loop_and_a_maker_of_one_name_are_one_tree(name, make):
    for n in (*range(1, 40), 100, 257, 1000):
        assert tree_of(name, n).plan == make(n), n


def test_trees_of_different_names_differ():
    plans = {name: tree_of(name, 1000).plan for name in NAMES}
    assert len(set(plans.values())) == len(plans)


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_mixture_tells_neighbouring_trees_apart(dtype):
    one, other = tree_of("random tree 1", 33).plan, tree_of("random tree 2", 33).plan
    rows = mixture(33, dtype, np.random.default_rng(1), 200)
    assert np.isfinite(rows.astype(np.float64)).all()
    first, second = run_plans(one, rows, dtype), run_plans(other, rows, dtype)
    assert np.isfinite(first.astype(np.float64)).all()
    assert (first != second).mean() > 0.3


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("n", [1, 2, 33, 1000])
def test_no_sum_of_the_mixture_overflows_in_any_order(dtype, n):
    rows = mixture(n, dtype, np.random.default_rng(n), 40).astype(np.float64)
    shares = np.ldexp(np.abs(rows), -FORMATS[dtype].emax - 1)
    assert (shares.sum(axis=1) < 0.75).all()
