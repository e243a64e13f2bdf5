"""Kaplan-Meier and Greenwood against calculations made another way."""

import itertools
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_record import make_record
from scipy.stats import CensoredData, ecdf

from fpdrift.comparison import Survival, lasting, survival_curve
from fpdrift.errors import FpdriftError

#: weeks in remission under 6-MP of 21 patients (Freireich and others, 1963)
REMISSION = [6, 6, 6, 7, 10, 13, 16, 22, 23]
STILL_IN_REMISSION = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
#: share of them as textbooks print it, with Greenwood's standard error
PRINTED = {
    6: (0.857, 0.0764),
    7: (0.807, 0.0869),
    10: (0.753, 0.0963),
    13: (0.690, 0.1068),
    16: (0.627, 0.1141),
    22: (0.538, 0.1282),
    23: (0.448, 0.1346),
}

PAIRS = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40)


def by_redistribution(pairs):
    """Efron's way: whoever leaves hands a weight on to all who stay; exact, without a product."""
    order = sorted(pairs, key=lambda pair: (pair[0], not pair[1]))
    weights = [Fraction(1, len(order))] * len(order)
    left, share = {}, Fraction(1)
    for i, (duration, event) in enumerate(order):
        if event:
            share -= weights[i]
            left[duration] = share
        elif i + 1 < len(order):
            part = weights[i] / (len(order) - i - 1)
            weights[i + 1 :] = [weight + part for weight in weights[i + 1 :]]
    return left


def test_a_printed_example():
    events = [True] * len(REMISSION) + [False] * len(STILL_IN_REMISSION)
    found = survival_curve(REMISSION + STILL_IN_REMISSION, events)
    assert dict(zip(found.steps.tolist(), found.share.round(3).tolist(), strict=True)) == {
        step: share for step, (share, _) in PRINTED.items()
    }
    for i, (share, error) in enumerate(PRINTED.values()):
        log_log = error / (share * -math.log(share))
        ends = [share ** math.exp(sign * 1.96 * log_log) for sign in (1, -1)]
        assert [found.low[i], found.high[i]] == pytest.approx(ends, abs=1e-3)
    assert (found.n, found.events, found.median, len(found.censored)) == (21, 9, 23, 12)
    assert found.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]


@given(PAIRS)
def test_the_share_is_that_of_handing_weights_on(pairs):
    found = survival_curve(*zip(*pairs, strict=True))
    expected = by_redistribution(pairs)
    assert found.steps.tolist() == list(expected)
    assert found.share == pytest.approx([float(share) for share in expected.values()], abs=1e-12)
    assert found.events + len(found.censored) == found.n == len(pairs)
    if len(pairs) < 6:  # too few for an interval
        assert np.isnan([*found.low, *found.high]).all()
        return
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()


@given(PAIRS)
def test_the_median_is_that_of_exact_shares(pairs):
    """Rounded shares may miss one half by an ulp; the product of fractions does not."""
    exact = by_redistribution(pairs)
    halved = [step for step, share in exact.items() if share <= Fraction(1, 2)]
    assert survival_curve(*zip(*pairs, strict=True)).median == (halved[0] if halved else None)


def test_a_half_that_rounding_misses():
    """Shares 7/9, 5/9, 4/9 and so on, over ways to half: found where floats say more than half."""
    missed = 0
    for parts in itertools.product(range(1, 6), repeat=4):
        lasts = np.repeat(np.arange(1, 5), parts)
        found = survival_curve(np.append(lasts, [9] * sum(parts)), [True] * (2 * sum(parts)))
        missed += found.share[3] > 0.5
        assert found.median == 4
    assert missed  # or this test tests nothing


@pytest.mark.parametrize("seed", range(8))
def test_the_band_is_that_of_scipy(seed):
    """Another program for the same formula; it has no ends where none are left."""
    rng = np.random.default_rng(seed)
    durations, events = rng.integers(1, 12, 20), rng.random(20) < 0.6
    found = survival_curve(durations, events)
    theirs = ecdf(CensoredData(uncensored=durations[events], right=durations[~events])).sf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ends = theirs.confidence_interval(method="log-log")
    for step in found.steps[found.share > 0]:
        low, high = (float(end.evaluate(step)) for end in (ends.low, ends.high))
        assert found.band(int(step)) == pytest.approx((low, high), abs=1e-12)


@given(PAIRS)
def test_greenwoods_variance_in_exact_numbers(pairs):
    found = survival_curve(*zip(*pairs, strict=True))
    if len(pairs) < 6:
        return
    total = Fraction(0)
    for i, step in enumerate(found.steps):
        risk = sum(duration >= step for duration, _ in pairs)
        gone = sum(duration == step and event for duration, event in pairs)
        if gone == risk:
            assert (found.share[i], found.low[i], found.high[i]) == (0, 0, 1)
            return
        total += Fraction(gone, risk * (risk - gone))
        share = float(found.share[i])
        error = math.sqrt(total) / -math.log(share)
        # 1.959963984540054: 97.5 % of the normal distribution
        ends = [math.exp(-math.exp(math.log(-math.log(share)) + s * 1.959963984540054 * error))
                for s in (1, -1)]  # fmt: skip
        assert [found.low[i], found.high[i]] == pytest.approx(ends, rel=1e-9)


def test_intervals_hold_what_they_should():
    """Waiting times with a known law: about 95 % of the intervals at step 10 hold the truth."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        ends, watched = rng.geometric(0.1, 60), rng.integers(1, 40, 60)
        found = survival_curve(np.minimum(ends, watched), ends <= watched)
        i = np.searchsorted(found.steps, 10, side="right") - 1
        held += found.low[i] <= 0.9**10 <= found.high[i]
    assert 0.92 * 400 <= held <= 0.98 * 400


def test_nothing_absorbed_and_all_absorbed_at_once():
    lasting = survival_curve([5, 7], [False, False])
    assert (lasting.steps.size, lasting.median, lasting.events) == (0, None, 0)
    assert str(lasting) == "0 of 2 absorbed, more than half survive"
    assert np.isnan(lasting.band(3)).all()
    told = str(survival_curve([7] * 24, [False] * 24))
    assert told == "0 of 24 absorbed (0% to 14%, 95 % Clopper-Pearson), more than half survive"
    gone = survival_curve([0, 0], [True, True])
    assert (gone.steps.tolist(), gone.share.tolist(), gone.median) == ([0], [0.0], 0)


def test_json_keeps_every_bit():
    found = survival_curve([3, 4, 4, 9, 9, 9], [True, False, True, False, True, False])
    again = Survival.from_json(found.to_json())
    assert repr(again) == repr(found)
    for name in ("share", "low", "high", "censored"):
        assert getattr(again, name).tolist() == getattr(found, name).tolist()
        assert not getattr(again, name).flags.writeable


@pytest.mark.parametrize(
    ("durations", "events"),
    [
        ([], []),
        ([1, 2], [True]),
        ([1.5], [True]),
        ([-1], [True]),
        ([1], [1]),
        ([True], [True]),
        (["a"], [True]),
        (None, None),
        ([2**70], [True]),
        ([2**60], [True]),
        ([[1], [2, 3]], [True]),
        ([[1]], [[True]]),
    ],
)
def test_no_pairs_are_refused_in_one_line(durations, events):
    with pytest.raises(FpdriftError, match="duration") as caught:
        survival_curve(durations, events)
    assert "\n" not in str(caught.value)


def test_before_the_first_is_absorbed_the_band_is_that_of_none():
    """Of those that were watched until then: two of twelve were no longer."""
    found = survival_curve([1, 1, 5, *[9] * 9], [False, False, True, *[False] * 9])
    assert found.band(4) == pytest.approx((0.025 ** (1 / 10), 1))
    assert found.band(5) == (found.low[0], found.high[0])
    assert np.isnan(survival_curve([*[1] * 9, 5], [*[False] * 9, True]).band(4)).all()


def test_two_runs_last_until_all_bits_stay_equal():
    zeros, ones = {"w": np.zeros(3)}, {"w": np.ones(3)}
    still = make_record([zeros] * 6)
    assert lasting(still, still) == (0, True)
    assert lasting(still, make_record([ones, ones, zeros, zeros, zeros, zeros])) == (2, True)
    assert lasting(still, make_record([ones, zeros, zeros, ones, zeros, zeros])) == (4, True)
    assert lasting(still, make_record([ones] * 6)) == (5, False)
    assert lasting(still, make_record([zeros] * 5 + [ones])) == (5, False)
    sparse = make_record([ones, ones, zeros], steps=[1, 3, 5])
    assert lasting(still, sparse) == (4, True)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (make_record([{"v": np.zeros(3)}]), "different models"),
        (make_record([{"w": np.zeros(3)}], steps=[9]), "no recorded step in common"),
        ("none.fpdrift", "none.fpdrift"),
    ],
)
def test_runs_that_cannot_be_held_against_each_other_do_not_last(other, words):
    with pytest.raises(FpdriftError, match=words):
        lasting(make_record([{"w": np.zeros(3)}]), other)


def test_half_left_is_the_median():
    assert survival_curve([1, 2, 3, 3], [True, True, False, False]).median == 2
    assert survival_curve([1, 2, 3], [True, False, False]).median is None
