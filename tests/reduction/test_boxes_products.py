"""Dot products, matrix products and means: known ones, and libraries' own."""

import numpy as np
import pytest
from black_boxes import function_of
from helpers import require
from telling_data import mixture
from tree_loops import tree_of

from fpdrift.backends.summing_functions import box, known
from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, round_fraction, to_fraction
from fpdrift.reduction import reveal_dot, reveal_matmul, reveal_mean, run_plans

REVEAL = {"dot": reveal_dot, "matmul": reveal_matmul, "mean": reveal_mean}
SIZES = (1, 2, 3, 5, 8, 9, 33)


def fused(x, y):
    """A chain of fused multiply-adds: products are not rounded, each sum is, once."""
    fmt = FORMATS[x.dtype.name]
    total = x.dtype.type(0)
    for a, b in zip(x, y, strict=True):
        exact = to_fraction(a, fmt) * to_fraction(b, fmt) + to_fraction(total, fmt)
        total = round_fraction(exact, fmt) if exact else x.dtype.type(0)
    return total


def known_dot(add):
    return lambda x, y: add(x * y)


def known_matmul(add):
    return lambda a, b: np.array([[add(row * column) for column in b.T] for row in a])


def known_mean(add):
    return lambda x: x.dtype.type(add(x) / x.dtype.type(len(x)))


KNOWN = {"dot": known_dot, "matmul": known_matmul, "mean": known_mean}


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.parametrize("name", ["sequential", "halves", "8 lanes", "random tree 1"])
def test_the_tree_of_a_known_product_or_mean_is_found(kind, name):
    for dtype in FORMATS:
        for n in SIZES:
            add = function_of(tree_of(name, n), dtype)
            found = REVEAL[kind](KNOWN[kind](add), n, dtype)
            assert (found.verdict, found.accumulator) == ("confirmed", None), (n, dtype)
            assert found.plan == tree_of(name, n).plan, (n, dtype)


@pytest.mark.parametrize("dtype", FORMATS)
def test_fused_multiply_adds_add_in_sequence(dtype):
    for n in (3, 8, 20):
        found = reveal_dot(fused, n, dtype)
        assert (found.verdict, found.accumulator) == ("confirmed", None)
        assert found.plan == tree_of("sequential", n).plan
        assert found.unrounded.tolist() == [False] + [True] * (n - 1)


def test_each_element_of_a_product_has_its_own_tree():
    first = function_of(tree_of("reversed", 9), "float32")
    other = function_of(tree_of("folded", 9), "float32")

    def multiply(a, b):
        product = [[other(row * column) for column in b.T] for row in a]
        product[1][2] = first(a[1] * b[:, 2])
        return np.array(product)

    for element, name in {(1, 2): "reversed", (0, 0): "folded"}.items():
        found = reveal_matmul(multiply, 9, shape=(2, 3), element=element)
        assert found.plan == tree_of(name, 9).plan


def libraries():
    there = {entry.name.partition(":")[0] for entry in known() if entry.missing is None}
    for entry in known():
        if entry.kind in REVEAL:
            package = entry.name.partition(":")[0]
            why = "" if package in there else entry.missing
            # Not an extra of ours: a test cannot ask for it.
            marks = [pytest.mark.skip(reason=why)] if why and package != "tensorflow" else []
            yield pytest.param(entry.name, marks=marks, id=entry.name)


@pytest.mark.parametrize("name", list(libraries()))
def test_a_librarys_tree_gives_its_bits_on_numbers_never_seen(name):
    require(name.partition(":")[0])
    found = box(name)
    for dtype in found.dtypes:
        for n in (2, 5, 33):
            revealed = REVEAL[found.kind](found.call, n, dtype)
            if revealed.verdict in ("confirmed", "confirmed, subnormals flushed"):
                rows = mixture(n, dtype, np.random.default_rng(n), 100)
                if revealed.evidence.flushes_subnormals:
                    rows = rows[7::8]  # whole numbers: no sum of these is subnormal
                check_bits(found, revealed, rows[(rows != 0).any(axis=1)])
            else:
                # one alignment promises nothing of rows that lie anywhere in memory
                rest = ("confirmed at one alignment", "not reproduced", "order-independent")
                assert revealed.verdict in rest


def check_bits(found, revealed, rows):
    n, wide = revealed.n, revealed.accumulator or revealed.dtype
    ones = np.ones(n, rows.dtype)
    asked = {
        "mean": found.call,
        "dot": lambda x: found.call(x, ones),
        "matmul": lambda x: found.call(np.stack([x, ones]), np.stack([ones, ones], axis=1))[0, 0],
    }[found.kind]
    given = np.array([asked(row) for row in rows])
    sums = run_plans(revealed.plan, rows.astype(FORMATS[wide].dtype))
    finished = means(sums, n, rows.dtype) if found.kind == "mean" else [sums.astype(rows.dtype)]
    assert given.tobytes() in [each.tobytes() for each in finished], (n, revealed.dtype)


def means(sums, n, dtype):
    """A sum divided, or multiplied, by n, before and after it is rounded."""
    for total in (sums, sums.astype(dtype)):
        yield (total / total.dtype.type(n)).astype(dtype)
        yield (total * (total.dtype.type(1) / total.dtype.type(n))).astype(dtype)


def test_a_mean_that_is_no_mean_is_not_confirmed():
    assert reveal_mean(lambda x: np.sum(x) / np.float32(8), 9).verdict != "confirmed"


def test_a_product_of_another_shape_is_refused():
    with pytest.raises(FpdriftError, match="shape"):
        reveal_matmul(lambda a, b: (a @ b)[0], 4)
