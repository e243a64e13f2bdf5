"""Intervals: what is given, from how many runs, against exact counts, and how often they hold."""

import itertools
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interval_coverage import (
    LAWS,
    SIZES,
    of_bands,
    of_medians,
    of_shared_run,
    of_shares,
    wilson,
)

from fpdrift.comparison._intervals import Interval, leader, median_interval, share_interval
from fpdrift.errors import FpdriftError
from fpdrift.serialization import Result

ROOT = Path(__file__).parents[2]


def tail(n, most):
    """Give the chance of at most so many heads in n throws."""
    return Fraction(sum(math.comb(n, k) for k in range(most + 1)), 2**n)


@given(st.lists(st.floats(-9, 9), min_size=6, max_size=60))
def test_the_median_lies_between_order_statistics_that_rarely_miss_it(values):
    """Both ends are as far inside as 2.5 % on each side allows, by exact counting."""
    n, found = len(values), median_interval(values)
    cut = max(k for k in range(n) if tail(n, k) <= Fraction(1, 40))
    assert (found.low, found.high) == (sorted(values)[cut], sorted(values)[n - 1 - cut])
    assert found.method == "order statistics of the median"


@pytest.mark.parametrize("n", range(6))
def test_fewer_than_six_have_no_interval(n):
    assert tail(5, 0) > Fraction(1, 40)  # not even from the smallest to the largest
    found = median_interval([1.0] * n)
    assert not found
    assert math.isnan(found.low)
    assert found.method is None
    assert f"{n} runs; an interval needs 6" in found.reason
    assert n == 0 or not share_interval(0, n)


def test_pairs_that_share_a_run_are_not_taken_as_independent():
    values, alone = list(range(9)), [(f"a{i}", f"b{i}") for i in range(9)]
    assert median_interval(values, alone) == median_interval(values)
    found = median_interval(values, [("a0", b) for _, b in alone])
    assert not found
    assert found.reason == "a0 is in several pairs, so they are not independent"
    assert not median_interval(values, [*alone[:8], ("a3", "c")])
    assert median_interval([*values, 9.0], [*alone, ("c", "c")])  # a run and itself


def test_what_is_no_number_has_no_interval():
    assert median_interval([1.0] * 8 + [math.nan]).reason == "a value is not finite"
    assert median_interval([1.0] * 11 + [math.inf]).high == 1.0


@pytest.mark.parametrize(("count", "n"), [(0, 9), (2, 9), (9, 9), (56, 90)])
def test_a_share_s_ends_are_where_what_was_seen_gets_rare(count, n):
    """The chance of so many or more at the lower end, of so few or fewer at the upper: 2.5 %."""
    found = share_interval(count, n)
    chances = [
        sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in counts)
        for p, counts in ((found.low, range(count, n + 1)), (found.high, range(count + 1)))
    ]
    expected = [0.025 if count else 1, 0.025 if count < n else 1]
    assert chances == pytest.approx(expected, rel=1e-9)
    assert found.low <= count / n <= found.high


@pytest.mark.parametrize(("count", "n"), [(1, 0), (-1, 3), (4, 3)])
def test_no_share_is_refused(count, n):
    with pytest.raises(FpdriftError, match="is not a share"):
        share_interval(count, n)


def test_an_interval_survives_json():
    for found in (share_interval(2, 9), share_interval(2, 3)):
        assert repr(Result.from_json(found.to_json())) == repr(found)
    assert repr(share_interval(2, 3)) == "Interval(3 cases; an interval needs 6)"
    assert isinstance(found, Interval)


@pytest.mark.parametrize("law", LAWS)
def test_medians_are_covered(law):
    rng = np.random.default_rng(5)
    assert all(of_medians(LAWS[law], n, 1000, rng) >= 0.93 for n in (6, 10, 24))


def test_shares_are_covered_whatever_they_are():
    assert all(of_shares(n) >= 0.95 for n in (6, 24, 60))
    assert of_shares(10, lambda *_: Interval(low=0, high=0.5, method="one that misses")) < 0.5


@pytest.mark.parametrize("n", [6, 24])
def test_what_is_left_is_covered_at_each_step(n):
    assert of_bands(n, (30, 30), 400, np.random.default_rng(5)).min() >= 0.9


def test_the_page_has_the_table_of_the_sweep():
    page = (ROOT / "docs" / "intervals.md").read_text(encoding="utf-8")
    given, others = page.split("What fpdrift does not give")
    for name, interval, part in (
        ("share, the worst of 999", share_interval, given),
        ("share by Wilson, the worst of 999", wilson, others),
    ):
        covers = " | ".join(f"{100 * of_shares(n, interval):.1f}" for n in SIZES)
        assert f"| {name} | {covers} |" in part
    rows = re.findall(r"^\| (?:median|share|survival)[^|]*\|([0-9. |]+)\|$", given, re.MULTILINE)
    assert len(rows) == len(LAWS) + 3
    assert all(float(cell) >= 90 for row in rows for cell in row.split("|"))


def test_pairs_that_share_a_run_would_not_be_covered():
    assert of_shared_run(50, 400, np.random.default_rng(5)) < 0.75


def test_a_leader_is_ahead_of_each_other_one_in_nearly_every_row():
    rows = range(8)
    low, high = [1.0 + i for i in rows], [1.5 + i for i in rows]
    assert leader([low, high]) == 1
    assert leader([high, low, [0.0] * 8]) == 0
    assert leader([low[:6], high[:6]]) == 1
    assert leader([low[:5], high[:5]]) is None  # five heads in a row: one of 16
    assert leader([[*low[:7], 99.0], low]) is None  # equal in seven rows
    assert leader([high, low, [high[0] + 1, high[1] + 1, *low[2:]]]) is None  # ahead in 6 of 8
    assert leader([low]) is None
    assert leader([low, [math.nan] * 8]) is None


def test_of_columns_alike_few_are_named():
    rng = np.random.default_rng(2)
    for columns, n in itertools.product((2, 5), (6, 9, 20)):
        named = [leader(rng.lognormal(0, 3, (columns, n))) is not None for _ in range(400)]
        assert sum(named) <= 0.07 * 400
