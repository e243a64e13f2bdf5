"""Threads multiply and count in an order of their own; each try is bounded and replayable."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import xxhash

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, round_fraction
from fpdrift.reduction import (
    ThreadOperation,
    plans,
    replay,
    run_plan,
    thread_operation,
    thread_sums,
)
from fpdrift.reduction.parallel._operations import OPERATIONS, two_product

DTYPES = ("float32", "float64")
SMALL = {"n": 3000, "chunks": 30, "tries": 12, "threads": (1, 2, 5)}


def arrays(result):
    """Draw the numbers as the docstring says."""
    rng, n = np.random.default_rng(result.seed), result.n
    if result.operation == "positive sum":
        return (rng.random(n, np.dtype(result.dtype)),)
    if result.operation in ("histogram", "scatter-add"):
        return rng.random(n), rng.standard_normal(n, np.dtype(result.dtype))
    shapes = {"sum": [()], "dot": [(), ()], "matmul": [(8,), (8,)]}[result.operation]
    return tuple(rng.standard_normal((n, *s), np.dtype(result.dtype)) for s in shapes)


def elements(result):
    """The factors of each element's terms, and their places among the n."""
    first, *second = arrays(result)
    everywhere = np.arange(result.n)
    if not second:
        return [(everywhere, first, np.ones_like(first))]
    if result.operation == "dot":
        return [(everywhere, first, second[0])]
    if result.operation == "matmul":
        return [(everywhere, a, b) for a in first.T for b in second[0].T]
    bins = [np.flatnonzero((first >= k / 64) & (first < (k + 1) / 64)) for k in range(64)]
    return [(where, second[0][where], np.ones_like(second[0][where])) for where in bins]


def exactly(one, other):
    return [Fraction(x) * Fraction(y) for x, y in zip(one.tolist(), other.tolist(), strict=True)]


@pytest.fixture(scope="module", params=[(o, d) for o in OPERATIONS for d in DTYPES])
def result(request):
    operation, dtype = request.param
    return thread_operation(operation, **SMALL, dtype=dtype, seed=3)


def test_every_try_replays_to_its_bits(result):
    again = ThreadOperation.from_json(result.to_json())
    for run in result.runs:
        assert run.values.dtype == result.dtype
        assert run.values.shape == (12, *OPERATIONS[result.operation].shape)
        assert (np.sort(run.arrivals, axis=1) == np.arange(30)).all()
        for index, value in enumerate(run.values):
            replayed = replay(again, index, threads=run.threads)
            assert replayed.dtype == result.dtype
            assert replayed.tobytes() == value.tobytes()


def test_replay_follows_the_arrivals_and_no_other_order(result):
    orders = [np.random.default_rng(k).permutation(30) for k in range(12)]
    run = replace(result.run(1), arrivals=np.array(orders, np.uint8))
    planted = replace(result, runs=(run,))
    got = [replay(planted, k) for k in range(12)]
    assert len({value.tobytes() for value in got}) > 1
    sizes = np.array([len(part) for part in np.array_split(np.arange(result.n), 30)])
    ends = np.cumsum(sizes)
    for order, value in zip(orders[:3], got, strict=False):
        places = np.concatenate([np.arange(ends[k] - sizes[k], ends[k]) for k in order])
        for (where, one, other), element in zip(elements(result), np.ravel(value), strict=True):
            assert element == by_hand(result, order, places, where, one * other)


def by_hand(result, order, places, where, products):
    """Add one element's rounded terms, in plain code or by a plan."""
    if result.operation in ("sum", "positive sum", "dot"):
        return run_plan(plans.from_arrivals(order, result.n), products)
    if result.operation == "matmul":
        return run_plan(plans.from_arrivals(order, result.n, plans.sequential), products)
    term = dict(zip(where.tolist(), products, strict=True))
    total = part = products.dtype.type(0)
    for step, place in enumerate(places.tolist()):
        if result.operation == "scatter-add":
            total = total + term.get(place, part)
            continue
        part = part + term.get(place, products.dtype.type(0))
        if (step + 1) % 100 == 0:
            total, part = total + part, products.dtype.type(0)
    return total


def test_the_highest_thread_count_is_replayed_where_none_is_named():
    result = thread_operation("dot", **SMALL, seed=3)
    orders = {count: np.random.default_rng(count).permutation(30) for count in (5, 1, 2)}
    runs = tuple(
        replace(result.run(1), threads=count, arrivals=np.array([order], np.uint8))
        for count, order in orders.items()
    )
    planted = replace(result, runs=runs)
    results = [replay(planted, 0, threads=count) for count in orders]
    assert replay(planted, 0) == results[0] not in results[1:]


def test_the_digest_is_that_of_all_numbers(result):
    numbers = b"".join(array.tobytes() for array in arrays(result))
    assert result.digest == xxhash.xxh3_64_hexdigest(numbers)


def test_the_exact_result_and_its_bound(result):
    u = Fraction(1, 2 ** FORMATS[result.dtype].precision)
    found = zip(elements(result), result.exact.flat, result.bound.flat, strict=True)
    for at, ((_, one, other), exact, bound) in enumerate(found):
        terms = exactly(one, other)
        total = sum(terms, Fraction(0))
        assert exact == round_fraction(total, FORMATS["float64"])
        products = result.operation in ("dot", "matmul")
        k = len(terms) if products else max(len(terms) - 1, 0)
        assert math.isclose(bound, k * u / (1 - k * u) * sum(map(abs, terms)), rel_tol=1e-9)
        for run in result.runs:
            for value in run.values.reshape(12, -1)[:, at].tolist():
                assert abs(Fraction(value) - total) <= bound


def test_a_fixed_order_is_that_of_one_thread(result):
    assert result.fixed.tobytes() == result.run(1).values[0].tobytes()
    assert (result.run(1).arrivals == np.arange(30)).all()
    run = result.run(1)
    assert (run.orders, run.distinct, run.spread, run.changing) == (1, 1, 0, 0)


def test_what_changed_is_counted_by_element():
    run = thread_operation("histogram", **SMALL).run(2)
    values = np.tile(run.values[:1], (4, 1))
    values[1, 5] = np.nextafter(values[1, 5], np.float32(np.inf))
    values[2, 5] = np.nextafter(values[2, 5], np.float32(-np.inf))
    values[3, 9] = np.nextafter(values[3, 9], np.float32(np.inf))
    planted = replace(run, values=values)
    assert (planted.distinct, planted.spread, planted.changing) == (4, 2, 2)
    assert planted.spreads.tolist() == [2 if k == 5 else k == 9 for k in range(64)]
    assert "4 tries: 4 results within 2 ulps" in repr(planted)


def test_a_sum_is_that_of_thread_sums():
    plain = thread_sums(**SMALL)
    named = thread_operation("sum", **SMALL)
    assert named.exact == plain.exact
    assert named.bound == plain.bound
    assert named.digest == plain.digest
    assert named.fixed == plain.run(5).fixed[0]
    assert named.errors(2).shape == (12,)
    assert named.errors(1)[0] == plain.run(1).errors[0]


def test_products_of_float64_lose_nothing():
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((2, 500)) * np.exp2(rng.integers(-200, 200, (2, 500)))
    for pair, product in zip(two_product(a, b).tolist(), exactly(a, b), strict=True):
        assert sum(map(Fraction, pair)) == product
        assert pair[0] == float(product)


def test_repr():
    text = repr(thread_operation("matmul", 10, chunks=2, tries=1, threads=1))
    assert text == "ThreadOperation(matmul to 8x8, 10 float32 in 2 chunks; 1 thread: 1 result)"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"operation": "product"}, "unknown operation 'product'; choose one of sum, positive sum"),
        ({"operation": None}, "unknown operation None"),
        ({"n": 0}, "n is 0"),
        ({"operation": "matmul", "n": 2**22}, "n is 4194304; choose a whole number from 1 to 2097"),
        ({"n": 10}, "chunks is 64; choose a whole number from 1 to 10"),
        ({"threads": 0}, "threads is 0"),
        (
            {"operation": "histogram", "chunks": 1, "tries": 10**6},
            "tries is 1000000; choose .* 781",
        ),
        ({"seed": -1}, "seed is -1"),
        ({"dtype": "bfloat16"}, "dtype is bfloat16"),
        ({"progress": 3}, "progress is 3"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(FpdriftError, match=part):
        thread_operation(**arguments)


def test_no_memory_is_an_error(monkeypatch):
    def refuse(*args):
        raise MemoryError

    monkeypatch.setattr("fpdrift.reduction.parallel._thread_sums.run_tries", refuse)
    with pytest.raises(FpdriftError, match="not enough memory for 100 numbers"):
        thread_operation("dot", 100, chunks=2)


def test_replaying_what_cannot_be():
    result = thread_operation("dot", **SMALL)
    with pytest.raises(FpdriftError, match="draws different numbers"):
        replay(replace(result, digest="0"), 0)
    with pytest.raises(FpdriftError, match="no run with 3 threads; choose from 1, 2, 5"):
        replay(result, 0, threads=3)
    with pytest.raises(FpdriftError, match="unknown operation"):
        replay(replace(result, operation="?"), 0)
    spoilt = replace(result.run(5), arrivals=result.run(5).arrivals // 2)
    with pytest.raises(FpdriftError, match="each of the 30 chunks once"):
        replay(replace(result, runs=(spoilt,)), 0)
