"""Ways to the same bits give them at every thread count; spreads stay inside their bounds."""

import math
import time
from fractions import Fraction

import numpy as np
import pytest

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, floor_log2, round_fraction, ulp_at
from fpdrift.reduction import (
    OrderSpread,
    SpreadGrowth,
    Strategies,
    order_spread,
    spread_growth,
    strategies,
    thread_operation,
    thread_sums,
)
from fpdrift.reduction.parallel import _order_spread, _strategies
from fpdrift.reduction.parallel._operations import OPERATIONS, Task
from fpdrift.reduction.parallel._order_spread import random_orders
from fpdrift.reduction.parallel._thread_pool import Tries

COUNTS = (1, 2, 3, 5, 8)
SMALL = {"n": 600, "chunks": 12, "threads": COUNTS, "tries": 2, "rounds": 2}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_strategies_keep_their_promise_at_every_thread_count(operation, dtype):
    found = strategies(operation, **SMALL, dtype=dtype, seed=5)
    names = ["order of arrival", "fixed order", "float64 accumulator", "reproducible"]
    if dtype == "float64":
        names.remove("float64 accumulator")
    assert [row.name for row in found.rows] == names
    assert [row.name for row in found.rows if row.same_bits] == ["fixed order", "reproducible"]
    for row in found.rows:
        assert 1 <= row.results <= 20
        assert row.times_arrival > 0
        if row.same_bits:
            assert (row.results, row.spread) == (1, 0)
    assert found.row("order of arrival").times_arrival == 1
    assert found.row("reproducible").error <= (0.5 if dtype == "float32" else 1)
    assert Strategies.from_json(found.to_json()) == found


def ways(operation, dtype="float32"):
    task = Task(operation, 600, 12, 5, dtype)
    chunks, _ = task.draw()
    return task, chunks, _strategies._strategies_of(task, chunks)


def in_order(way, order):
    shared = Tries(way, len(order), 1, 1)
    for chunk in order:
        shared.add(0, chunk, way.part(chunk))
    return shared.totals[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", ["dot", "matmul", "histogram", "scatter-add"])
def test_promises_hold_in_every_order_of_arrival(operation, dtype):
    rng = np.random.default_rng(6)
    task, chunks, found = ways(operation, dtype)
    fixed = thread_operation(operation, 600, chunks=12, tries=1, threads=1, seed=5, dtype=dtype)
    exact, _ = task.exact_and_bound(chunks)
    nearest = [round_fraction(Fraction(x), FORMATS[dtype]) for x in exact.flat]
    for _ in range(8):
        order = rng.permutation(12)
        assert in_order(found["fixed order"], order).tobytes() == fixed.fixed.tobytes()
        binned = in_order(found["reproducible"], order)
        assert (binned.shape, binned.dtype) == (exact.shape, dtype)
        assert binned.ravel().tolist() == nearest


def test_a_sum_in_bins_is_the_same_over_1000_permutations():
    _, _, found = ways("sum")
    rng = np.random.default_rng(7)
    way = found["reproducible"]
    results = {in_order(way, rng.permutation(12)).tobytes() for _ in range(1000)}
    assert len(results) == 1


def test_a_float64_accumulator_works_in_float64():
    for operation in OPERATIONS:
        task, chunks, found = ways(operation)
        way = found["float64 accumulator"]
        assert way.begin().dtype == np.float64
        part = way.part(0)[1] if operation == "scatter-add" else way.part(0)
        assert part.dtype == np.float64
        total = in_order(way, range(12))
        assert total.dtype == np.float32
        exact, _ = task.exact_and_bound(chunks)
        assert np.array_equal(total, exact.astype(np.float32))


def test_times_are_of_the_last_thread_count_relative_to_arrival(monkeypatch):
    clock = iter(range(10**6))
    lasted = {1: 0, 3: 0}

    def run(way, chunks, threads, tries, report):
        lasted[threads] += 1
        for _ in range({1: 50, 3: lasted[threads]}[threads]):
            next(clock)
        return [np.zeros((), np.float32)] * tries, None

    monkeypatch.setattr(_strategies, "run_tries", run)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    found = strategies("sum", 64, threads=(1, 3), tries=1, rounds=1)
    assert [row.times_arrival for row in found.rows] == [1, 3 / 2, 4 / 2, 5 / 2]


def test_each_round_starts_with_another_strategy():
    turns = _strategies._turns(["a", "b", "c"], (1, 2), 4)
    rounds = ["abcabc", "bcabca", "cabcab", "abcabc"]
    assert "".join(name for _, name in turns) == "".join(rounds)
    assert [count for count, _ in turns] == [1, 1, 1, 2, 2, 2] * 4


def test_what_differs_shows_in_the_row():
    values = np.array([1, 1 + 2.0**-22, 1], np.float32)
    row = _strategies._row(
        "order of arrival", values, np.array(1 + 2.0**-24), [4.0, 9.0], [2.0, 3.0]
    )
    assert (row.results, row.spread, row.same_bits) == (2, 2, False)
    assert row.error == 1.5
    assert row.times_arrival == 2.5


@pytest.mark.parametrize("operation", ["positive sum", "sum", "dot"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_growth_of_spreads(operation, dtype):
    found = spread_growth(
        (50, 900), (1, 7, 64), operation=operation, tries=5, drawn=60, threads=3, dtype=dtype
    )
    assert [(p.n, p.chunks) for p in found.points] == [
        (50, 1),
        (50, 7),
        (900, 1),
        (900, 7),
        (900, 64),
    ]
    u = Fraction(1, 2 ** FORMATS[dtype].precision)
    for point in found.points:
        one = thread_operation(
            operation, point.n, chunks=point.chunks, tries=1, threads=1, dtype=dtype
        )
        assert point.exact == one.exact
        assert point.ulp == abs(np.spacing(one.exact.astype(dtype)))
        k = point.chunks - 1
        assert 0 <= point.threads_spread <= point.bound
        assert 0 <= point.drawn_spread <= point.bound
        assert 1 <= point.threads_results <= min(5, point.threads_orders)
        assert 1 <= point.drawn_results <= 60
        if k:
            assert math.isclose(point.law / point.bound, math.sqrt(k) / (k / (1 - k * u)))
        else:
            assert point.law == point.bound == point.drawn_spread == 0
    assert SpreadGrowth.from_json(found.to_json()) == found


def test_the_bound_is_that_of_thread_sums():
    point = spread_growth((900,), (64,), operation="sum", tries=1, drawn=1).points[0]
    sums = thread_sums(900, chunks=64, tries=1, threads=1)
    assert math.isclose(point.bound * point.ulp, sums.spread_bound, rel_tol=1e-9)
    assert point.ulp == sums.runs[0].ulp


def test_spreads_are_counted_in_ulps_and_orders_as_they_arrived(monkeypatch):
    def run(way, chunks, threads, tries, report):
        totals = [np.array(x, np.float32) for x in (3, 3.5, 2, 3.5)]
        return totals, np.array([[0, 1], [1, 0], [0, 1], [0, 1]])

    def drawn(partials, orders, rng):
        return np.array([1, 5, 2, 2], np.float32)

    monkeypatch.setattr(_order_spread, "run_tries", run)
    monkeypatch.setattr(_order_spread, "random_orders", drawn)
    point = spread_growth((50,), (2,), tries=4).points[0]
    assert (point.threads_spread, point.drawn_spread) == (1.5 / point.ulp, 4 / point.ulp)
    assert (point.threads_results, point.drawn_results, point.threads_orders) == (3, 3, 2)


def test_drawn_orders_depend_on_the_seed_alone():
    one, other = (spread_growth((900,), (64,), tries=k, drawn=50).points[0] for k in (1, 2))
    assert one.drawn_spread == other.drawn_spread
    assert one.drawn_results == other.drawn_results


def test_random_orders_are_orders(monkeypatch):
    monkeypatch.setattr(_order_spread, "_BLOCK", 100)
    powers = np.exp2(np.arange(20))  # each order adds each of them once: all sums are exact
    assert random_orders(powers, 33, np.random.default_rng(1)).tolist() == [2.0**20 - 1] * 33
    seen = []
    monkeypatch.setattr(
        _order_spread, "run_plans", lambda orders, _values: seen.append(orders) or orders[:, 0]
    )
    random_orders(np.ones(20), 33, np.random.default_rng(1))
    orders = np.concatenate(seen)
    assert [len(block) for block in seen] == [5] * 6 + [3]
    assert (np.sort(orders, axis=1) == np.arange(20)).all()
    assert len({order.tobytes() for order in orders}) == 33


def in_halves(values):
    half = len(values) // 2
    return in_halves(values[:half]) + in_halves(values[half:]) if half else values[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_set_of_numbers_in_many_orders(dtype):
    found = order_spread(300, orders=200, chunks=10, threads=(1, 3), tries=5, seed=2, dtype=dtype)
    values = np.random.default_rng(2).standard_normal(300, np.dtype(dtype))
    total = sum(map(Fraction, values.tolist()))
    assert found.exact == float(total)
    assert found.ulp == abs(np.spacing(np.array(total, float).astype(dtype)))
    assert found.marks["in turn"].tolist() == [np.add.accumulate(values)[-1]]
    assert found.marks["from the end"].tolist() == [np.add.accumulate(values[::-1])[-1]]
    assert found.marks["pairwise"].tolist() == [in_halves(values)]
    assert found.marks["numpy.sum"].tolist() == [np.sum(values)]
    real = thread_sums(300, chunks=10, threads=1, tries=1, seed=2, dtype=dtype)
    assert found.marks["1 thread"].tolist() == [real.runs[0].values[0]]
    assert list(found.marks) == [
        *("in turn", "from the end", "pairwise", "numpy.sum", "1 thread", "3 threads")
    ]
    assert found.values.shape == (200,)
    u = Fraction(1, 2 ** FORMATS[dtype].precision)
    sizes = sum(abs(Fraction(x)) for x in values.tolist())
    assert math.isclose(found.bound, 299 * u / (1 - 299 * u) * sizes, rel_tol=1e-9)
    assert math.isclose(found.law, math.sqrt(299) * u * sizes, rel_tol=1e-9)
    for mark in (found.values, *found.marks.values()):
        assert mark.dtype == dtype
        assert (np.abs(found.in_ulps(mark)) * found.ulp <= found.bound).all()
    unit = Fraction(found.ulp)
    first = (Fraction(float(found.values[0])) - total) / unit
    assert math.isclose(found.ulps[0], first, abs_tol=1e-6 if dtype == "float32" else 1)
    again = OrderSpread.from_json(found.to_json())
    assert again.values.tobytes() == found.values.tobytes()
    assert list(again.marks) == list(found.marks)
    assert found.distinct == len(set(found.values.tolist()))


def test_one_number_has_one_order():
    found = order_spread(1, orders=3, tries=2, threads=2)
    assert found.distinct == 1
    assert found.ulps.tolist() == [0, 0, 0]
    assert found.law == found.bound == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_spacing_of_floats(dtype):
    fmt = FORMATS[dtype]
    exact = [1, -1, 1.5, 2, 3e-5, 1e30, math.nextafter(2, 0)]  # float32 would round the last to 2
    wanted = [2.0 ** (floor_log2(abs(Fraction(x))) - fmt.fraction_bits) for x in exact]
    assert ulp_at(exact, dtype).tolist() == wanted
    tiny = 2.0 ** (fmt.emin - fmt.fraction_bits)
    assert ulp_at([0.0, tiny, tiny * 8], dtype).tolist() == [tiny] * 3


def test_reprs():
    growth = spread_growth((64,), (1,), tries=1, drawn=1)
    assert repr(growth) == (
        "SpreadGrowth(positive sum in float32, 1 point: up to 0 ulps at 64 in 1 chunk)"
    )
    found = strategies("sum", 64, tries=1, rounds=1, threads=1, dtype="float64")
    assert repr(found).startswith("Strategies(sum, 64 float64; order of arrival: 1 result, 1 times")
    spread = order_spread(1, orders=3, tries=2, threads=2)
    assert repr(spread) == (
        "OrderSpread(1 float32, 3 orders: 1 result from 0.0 to 0.0 ulps; "
        "in turn, from the end, pairwise, numpy.sum, 2 threads)"
    )


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: strategies("product"), "unknown operation 'product'"),
        (lambda: strategies(rounds=0), "rounds is 0"),
        (
            lambda: strategies(n=9, chunks=3, tries=1, rounds=1, dtype="float64").row("wider"),
            "unknown strategy 'wider'; choose one of order of arrival, fixed order, reproducible",
        ),
        (lambda: strategies(tries=10**6), "tries is 1000000"),
        (lambda: strategies(progress=1), "progress is 1"),
        (
            lambda: spread_growth(operation="matmul"),
            "unknown operation 'matmul'; choose one of pos",
        ),
        (lambda: spread_growth(ns=4), "ns is 4; pass several"),
        (lambda: spread_growth(ns=()), r"ns is \(\); pass several"),
        (lambda: spread_growth(chunks="64"), "chunks is '64'; pass several"),
        (lambda: spread_growth(ns=("a",)), "ns is 'a'"),
        (lambda: spread_growth(chunks=(0,)), "chunks is 0"),
        (
            lambda: spread_growth((5,), (6, 7)),
            r"no number of chunks in \(6, 7\) is at most an n in",
        ),
        (lambda: spread_growth(drawn=0), "drawn is 0"),
        (lambda: spread_growth(threads=(1, 2)), r"threads is \(1, 2\)"),
        (lambda: spread_growth(progress=1), "progress is 1"),
        (lambda: order_spread(0), "n is 0"),
        (lambda: order_spread(2**21), "n is 2097152"),
        (lambda: order_spread(orders=0), "orders is 0"),
        (lambda: order_spread(chunks="x"), "chunks is 'x'"),
        (lambda: order_spread(dtype="float16"), "dtype is float16"),
    ],
)
def test_bad_arguments_are_named(call, part):
    with pytest.raises(FpdriftError, match=part):
        call()


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("_strategies", lambda: strategies(n=100)),
        ("_order_spread", lambda: spread_growth((100,), (2,))),
    ],
)
def test_no_memory_is_an_error(monkeypatch, module, call):
    def refuse(*args):
        raise MemoryError

    monkeypatch.setattr(f"fpdrift.reduction.parallel.{module}.run_tries", refuse)
    with pytest.raises(FpdriftError, match="not enough memory for 100 numbers"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda told: strategies(n=100, tries=2, rounds=2, threads=1, progress=told),
        lambda told: spread_growth((100,), (2, 4), tries=4, drawn=1, progress=told),
        lambda told: order_spread(100, orders=1, tries=8, threads=2, progress=told),
    ],
)
def test_progress_is_told_to_the_end(call):
    told = []
    call(lambda *at: told.append(at))
    assert told == sorted(told)
    done, total = told[-1]
    assert done == total > 0
