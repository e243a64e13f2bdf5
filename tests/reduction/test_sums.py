"""Sums keep to their papers' loops and bounds; two of them give one result in every order."""

import itertools
import math
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sum_loops import LOOPS

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, floor_log2, round_fraction, to_bits, to_fraction
from fpdrift.reduction import (
    Bins,
    SumGrowth,
    SumTable,
    _table,
    algorithms,
    columnwise,
    ill_conditioned,
    sum_growth,
    sum_table,
)
from fpdrift.reduction._table import METHODS
from fpdrift.reduction.error_bounds import Problem

WIDEST = {"float16": 60, "bfloat16": 1e3, "float32": 1e7, "float64": 1e16}
BY_NAME = {method.name: method for method in METHODS}


def drawn(seed, dtype):
    """Numbers with a condition number anywhere up to the widest."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 40))
    return ill_conditioned(n, WIDEST[dtype] ** rng.random(), rng, dtype)


@pytest.mark.parametrize("dtype", FORMATS)
@settings(max_examples=300)
@given(st.integers(0, 2**32))
def test_errors_stay_inside_their_bounds(dtype, seed):
    values = drawn(seed, dtype)
    problem = Problem.of(values)
    for method in METHODS:
        error = abs(to_fraction(method.add(values), FORMATS[dtype]) - problem.total)
        assert error <= method.bound(problem), method.name


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", LOOPS)
def test_vectors_give_the_bits_of_the_papers_loop(name, dtype):
    for seed in range(30):
        values = drawn(seed, dtype)
        for n in (1, 2, 3, len(values)):
            got = BY_NAME[name].add(values[:n])
            assert got.dtype == values.dtype
            assert to_bits(got, FORMATS[dtype]) == to_bits(LOOPS[name](values[:n]), FORMATS[dtype])


COLUMNS = {
    "recursive": columnwise.recursive,
    "pairwise": columnwise.pairwise,
    "Kahan": columnwise.kahan,
    "Neumaier": columnwise.neumaier,
    "Klein": columnwise.klein,
    "Sum2": columnwise.sum_k,
    "Sum3": partial(columnwise.sum_k, k=3),
    "double-double": columnwise.double_double,
    "exact": columnwise.exact,
}


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", COLUMNS)
def test_a_columns_sum_has_the_bits_of_its_numbers_alone(name, dtype):
    rng = np.random.default_rng(8)
    for n in (1, 2, 3, 8, 33):
        columns = np.stack([ill_conditioned(40, WIDEST[dtype], rng, dtype) for _ in range(n)])
        together = COLUMNS[name](columns)
        alone = [BY_NAME[name].add(column) for column in columns.T]
        assert together.dtype == columns.dtype
        assert together.tobytes() == np.array(alone, columns.dtype).tobytes()


@pytest.mark.parametrize("dtype", FORMATS)
def test_exact_is_the_nearest_float(dtype):
    for seed in range(50):
        values = drawn(seed, dtype)
        wanted = round_fraction(sum(map(Fraction, values.tolist()), Fraction(0)), FORMATS[dtype])
        assert algorithms.exact_sum(values) == wanted
        if dtype == "float64":
            assert algorithms.exact_sum(values) == math.fsum(values)


@pytest.mark.parametrize("name", ["exact", "reproducible"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_order_does_not_matter(name, dtype):
    rng = np.random.default_rng(4)
    wide = np.exp2(rng.integers(-120, 120, 200)) * rng.standard_normal(200)
    values = np.concatenate([ill_conditioned(200, 1e7, rng, dtype), wide.astype(dtype)])
    results = {BY_NAME[name].add(rng.permutation(values)).tobytes() for _ in range(1000)}
    assert len(results) == 1


@pytest.mark.parametrize("dtype", FORMATS)
@given(st.data())
def test_bins_do_not_care_how_numbers_are_split(dtype, data):
    fmt = FORMATS[dtype]
    bits = data.draw(st.lists(st.integers(0, 2**fmt.bits - 1), min_size=1, max_size=30))
    values = np.array(bits, fmt.uint).view(fmt.dtype)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=5)))
    parts = data.draw(st.permutations(np.split(values, cuts)))
    one = Bins.of(values).total(dtype)
    other = sum(map(Bins.of, parts), Bins()).total(dtype)
    assert np.isnan(one) == np.isnan(other)
    assert np.isnan(one) or to_bits(one, fmt) == to_bits(other, fmt)


@pytest.mark.parametrize("dtype", FORMATS)
@given(st.data())
def test_bins_hold_each_numbers_own_digits(dtype, data):
    fmt = FORMATS[dtype]
    biased = data.draw(st.integers(0, fmt.infinity_bits - 1))  # and numbers not far from it
    below = data.draw(st.lists(st.integers(0, 90 << fmt.fraction_bits), max_size=8))
    bits = [biased, *(max(biased - b, b % 1000) for b in below)]
    signs = data.draw(st.lists(st.booleans(), min_size=9, max_size=9))
    bits = [b | fmt.sign_bit * sign for b, sign in zip(bits, signs, strict=False)]
    values = np.array(bits, fmt.uint).view(fmt.dtype)
    exact = [to_fraction(x, fmt) for x in values]
    found = Bins.of(values)
    if not any(exact):
        assert found == Bins()
        return
    assert found.top == floor_log2(max(map(abs, exact))) // 32
    for place, total in zip(range(found.top, found.top - 3, -1), found.sums, strict=True):
        digits = [math.trunc(x / Fraction(2) ** (32 * place)) for x in exact]
        exact = [x - d * Fraction(2) ** (32 * place) for x, d in zip(exact, digits, strict=True)]
        assert total == sum(digits)


def test_full_blocks_of_the_largest_digits_add_up_exactly():
    values = np.full(2**15, 2.0**53 - 1)
    assert Bins.of(values).sums == (2**15 * (2**21 - 1), 2**15 * (2**32 - 1), 0)
    assert Bins.of(values + 0.0) == Bins.of(values[: 2**14]) + Bins.of(values[2**14 :])


@pytest.mark.parametrize("dtype", FORMATS)
def test_bins_keep_quiet_about_signalling_nans(dtype):
    fmt = FORMATS[dtype]
    values = np.array([fmt.infinity_bits + 1, 0], fmt.uint).view(fmt.dtype)
    assert np.isnan(Bins.of(values).total(dtype))


def test_blocks_of_bins_join_without_a_seam(monkeypatch):
    values = np.array([1e30, 3, -1e30, 2.0**-20, 7, 1e-9, 5e20, -5e20, 0.1])
    whole = Bins.of(values)
    monkeypatch.setattr(algorithms, "_BLOCK", 2)
    assert Bins.of(values) == whole
    assert Bins.of(values[:0]) == Bins()


def test_bins_filled_by_threads_give_one_result():
    values = np.random.default_rng(5).standard_normal(40_000).astype(np.float32)
    results = set()
    for threads in (1, 2, 3, 5, 8):
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(Bins.of, np.array_split(values, threads)))
        results.add(sum(parts[::-1], Bins()).total("float32").tobytes())
    assert results == {algorithms.reproducible_sum(values).tobytes()}


def test_bins_keep_what_one_place_cannot():
    values = np.array([1e16, 1.0, -1e16, 2.0**-30, 2.0**-40])
    assert Bins.of(values).total("float64") == 1 + 2.0**-30
    assert Bins.of(np.array([np.inf, 1.0])).total("float64") == np.inf
    assert np.isnan(Bins.of(np.array([np.inf, -np.inf])).total("float64"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_condition_numbers_come_out_as_asked_for(dtype):
    rng = np.random.default_rng(6)
    for power in range(1, 20):
        values = ill_conditioned(50, 10.0**power, rng, dtype)
        assert values.dtype == dtype
        assert 0.5 < Problem.of(values).condition / 10.0**power < 2


def test_condition_numbers_go_as_far_as_the_dtype_holds():
    rng = np.random.default_rng(7)
    assert np.isfinite(np.abs(ill_conditioned(50, 64, rng, "float16")).sum(dtype=np.float16))
    with pytest.raises(FpdriftError, match="condition is 65; choose 1 to 64 for 50 float16"):
        ill_conditioned(50, 65, rng, "float16")


def test_ill_conditioned_numbers_are_shuffled():
    places = {
        int(np.argmax(np.abs(ill_conditioned(50, 1e6, np.random.default_rng(seed)))))
        for seed in range(30)
    }
    assert len(places) > 10


def first_of(values):
    return values[0]


def test_a_row_holds_the_first_value_and_the_largest_error():
    values = np.array([1, 2, 4], np.float32)
    method = _table.Method("first", first_of, lambda p: 3 * p.u * abs(p.total), True)
    shuffled = [values, values[::-1], values, values[[1, 0, 2]]]
    row = _table._row(method, shuffled, Problem.of(values), FORMATS["float32"], 0)
    assert (row.value, row.results, row.bound, row.condition) == (1, 3, 3, 1)
    assert row.error == float(Fraction(6, 7) * 2**24)


def test_each_method_sums_each_order_once(monkeypatch):
    seen = []
    method = _table.Method("first", lambda x: seen.append(x) or x[0], METHODS[0].bound, True)
    monkeypatch.setattr(_table, "METHODS", (method,))
    sum_table(20, (10.0, 100.0), orders=5)
    assert len(seen) == 10
    for orders in (seen[:5], seen[5:]):
        assert len({x.tobytes() for x in orders}) == 5
        assert len({np.sort(x).tobytes() for x in orders}) == 1


def test_times_are_relative_to_numpy(monkeypatch):
    clock = iter([0, 2, 8, 10, 14, 16])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    assert _table._times_numpy(METHODS[0], np.ones(3), 2) == (6 / 2 + 2 / 4) / 2


def test_the_table_holds_every_method_and_survives_json():
    table = sum_table(60, (1e2, 1e7), orders=30, seed=3)
    assert [row.name for row in table.rows] == [method.name for method in METHODS] * 2
    for row in table.rows:
        assert row.error <= row.bound
        assert row.order_matters or row.results == 1
        assert row.order_matters == (row.name not in ("exact", "reproducible"))
        assert row.times_numpy is None
    assert max(row.results for row in table.rows) > 1
    assert SumTable.from_json(table.to_json()) == table
    assert repr(table) == "SumTable(60 float32, 10 methods, condition numbers 1.0e+02, 1.0e+07)"
    timed = sum_table(60, (10.0,), orders=1, repeats=1)
    assert all(row.times_numpy > 0 for row in timed.rows)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: algorithms.kahan_sum([]), "values is"),
        (lambda: algorithms.exact_sum([1, 2]), "values is"),
        (lambda: algorithms.klein_sum([[1.0]]), "values is"),
        (lambda: algorithms.sum_k([1.0], 1), "k is 1"),
        (lambda: sum_table(5), "n is 5"),
        (lambda: sum_table(conditions=3), "conditions is 3"),
        (lambda: sum_table(conditions=(0.5,)), "condition is 0.5"),
        (lambda: sum_table(conditions=(math.nan,)), "condition is nan"),
        (lambda: sum_table(dtype="float16", conditions=(1e9,)), "condition is"),
        (lambda: sum_table(dtype="int8"), "unknown dtype"),
        (lambda: ill_conditioned(9, "x", np.random.default_rng(1)), "condition is"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(FpdriftError, match=message):
        call()


def test_growth_is_a_table_for_each_n():
    grown = sum_growth((8, 50), 10.0, orders=3, seed=3)
    assert [table.n for table in grown.tables] == [8, 50]
    assert grown.tables[1] == sum_table(50, (10.0,), orders=3, seed=3)
    assert SumGrowth.from_json(grown.to_json()) == grown
    assert repr(grown) == "SumGrowth(8, 50 numbers)"
    for table in grown.tables:
        assert all(row.error <= row.bound for row in table.rows)


@pytest.mark.parametrize("ns", [(), 8, "8", (5,)])
def test_growth_needs_several_sizes(ns):
    with pytest.raises(FpdriftError, match=r"ns? is "):
        sum_growth(ns)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("add", [algorithms.reproducible_sum, algorithms.exact_sum])
def test_nans_of_two_signs_have_one_result_in_every_order(add, dtype):
    kind = FORMATS[dtype].dtype.type
    numbers = np.array([np.nan, -np.nan, np.inf, -np.inf, 1, -0.0], kind)
    numbers[1] = -numbers[0]
    seen = {add(numbers[list(order)]).tobytes() for order in itertools.permutations(range(6))}
    seen |= {add(numbers[:1]).tobytes(), add(numbers[1:2]).tobytes(), add(numbers[2:4]).tobytes()}
    assert seen == {kind(np.nan).tobytes()}


def test_bins_of_parts_have_one_nan():
    parts = [Bins.of(np.array(part)) for part in ([-np.nan, 1.0], [np.nan], [np.inf], [-np.inf])]
    totals = [sum(order, Bins()) for order in itertools.permutations(parts)]
    assert len({total.total("float64").tobytes() for total in totals}) == 1
    assert len({total.to_json() for total in totals}) == 1
