"""Growth of curves whose law, jumps, floor and plateau were planted."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from growth_families import FAMILIES, draw, is_false_law, remembering, verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from make_record import make_record

from fpdrift.comparison import Growth, Horizon, _growth, compare, growth, growth_of, horizon
from fpdrift.comparison._growth_fit import estimate
from fpdrift.comparison._growth_law import decade_slopes, fit_trend, too_few_runs
from fpdrift.comparison._jumps import find_jumps, find_tensor, find_unit
from fpdrift.comparison._results import NonFinite
from fpdrift.errors import FpdriftError

STEPS = np.array([*range(33), *range(40, 105, 8)])
SINCE = np.array([*range(1, 33), *range(40, 105, 8)])
SEED = 4


@pytest.fixture(scope="module")
def sample():
    """A few curves of each family of the sweep, and what growth is told of them."""
    curves = [
        draw(np.random.default_rng([SEED, i]), FAMILIES[i % len(FAMILIES)])
        for i in range(4 * len(FAMILIES))
    ]
    return [(curve, growth_of(curve.steps, curve.distances)) for curve in curves]


def curve_with_noise(logs, seed=1, steps=STEPS):
    noise = remembering(np.random.default_rng(seed), steps.astype(float), 3.0)
    return np.exp(logs + 0.01 * noise)


def test_nine_in_ten_are_right_or_cannot_be_told(sample):
    verdicts = Counter(verdict(curve, found) for curve, found in sample)
    assert verdicts["wrong"] <= 0.1 * len(sample), verdicts
    assert verdicts["right"] >= 0.5 * len(sample), verdicts


def test_no_law_is_named_of_curves_that_follow_none(sample):
    assert sum(is_false_law(curve, found) for curve, found in sample) <= 0.05 * len(sample)


def test_jumps_are_found_where_they_were_planted_and_nowhere_else():
    planted = found = 0
    for i in range(150):
        curve = draw(np.random.default_rng([SEED, i]), FAMILIES[i % len(FAMILIES)])
        since, logs = curve.steps.astype(float), np.log(curve.distances)
        named = {int(curve.steps[place]): excess for place, excess in find_jumps(since, logs)}
        assert not set(named) - set(curve.jumps)
        planted += len(curve.jumps)
        found += sum(
            step in named and abs(named[step] - np.log(factor)) < np.log(2)
            for step, factor in curve.jumps.items()
        )
    assert planted > 30
    assert found >= 0.9 * planted


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("end", [1e9, 50, 37, 44])
def test_wider_spacing_makes_no_jump_of_a_smooth_exponential(rate, end):
    """Not where it goes on, and not where it ends within a wide gap or beside one."""
    found = growth_of(SINCE, np.exp(rate * np.minimum(SINCE, end) - 18))
    assert found.jumps == ()
    assert found.kind in ("exponential", "cannot tell")
    if found.trend.rate is not None:
        assert found.trend.rate == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("exponent", [0.5, 1, 3])
def test_wider_spacing_makes_no_jump_of_a_power(exponent):
    found = growth_of(SINCE, 1e-8 * SINCE**exponent)
    assert found.jumps == ()
    assert (found.kind, found.trend.rate) == ("power law", pytest.approx(exponent))


def test_a_jump_over_a_wide_gap_is_one_beside_a_smooth_exponential():
    distance = np.exp(0.1 * SINCE - 18) * np.where(SINCE >= 40, 30, 1)
    found = growth_of(SINCE, distance)
    assert [(jump.previous, jump.step) for jump in found.jumps] == [(32, 40)]
    jump = found.jumps[0]
    assert jump.factor == pytest.approx(30 * np.exp(0.8))
    # the steepest rate around counts, so never less than the true one
    assert 0.99 * np.exp(0.8) < jump.expected < 1.5 * np.exp(0.8)


def coverage(draw_logs, true, axis, tries=40):
    """Give how many intervals there are, and how many hold the true rate."""
    found = [
        growth_of(SINCE, np.exp(draw_logs(np.random.default_rng([seed, 7]))))
        for seed in range(tries)
    ]
    given = [each.trend for each in found if each.trend.low is not None]
    assert all(trend.kind == axis for trend in given)
    return len(given), sum(trend.low <= true <= trend.high for trend in given)


@pytest.mark.parametrize("memory", [0.0, 10.0])
def test_intervals_hold_the_true_rate_as_often_as_they_say(memory):
    """Under noise that remembers; taken for independent, it would leave many out."""

    def noisy(rng):
        noise = remembering(rng, SINCE.astype(float), memory)
        return 2 * np.log(SINCE) - 18 + 0.05 * noise

    given, held = coverage(noisy, 2, "power law")
    assert given >= 12  # the longer the memory, the fewer
    assert held >= 0.85 * given  # 95 % of so few, less two standard errors


def test_a_rate_beside_a_floor_has_no_interval():
    """What joins floor and growth decides more than noise does; no interval could hold that."""

    def floored(rng):
        noise = remembering(rng, SINCE.astype(float), 3.0)
        return np.logaddexp(3 * np.log(SINCE), 3 * np.log(10)) - 18 + 0.02 * noise

    given, _ = coverage(floored, 3, "power law", tries=12)
    assert given == 0


def test_an_interval_is_that_of_students_t_where_noise_has_no_memory():
    """Against scipy's own regression, whose noise is independent."""
    from scipy.stats import linregress, t

    rng = np.random.default_rng(3)
    x = np.arange(200.0)
    y = 0.3 * x + rng.normal(size=200)
    line = linregress(x, y)
    found = estimate(x + 1, y, np.array([np.ones(200), x]))
    margin = t.ppf(0.975, 198) * line.stderr
    assert found.value == pytest.approx(line.slope, rel=1e-3)
    assert (found.high - found.low) / 2 == pytest.approx(margin, rel=0.15)


def test_runs_of_one_sign_that_are_too_long_are_not_noise():
    assert too_few_runs(np.sin(np.arange(60) / 5))
    assert not too_few_runs(np.random.default_rng(1).normal(size=60))
    assert not too_few_runs((-1.0) ** np.arange(60))
    assert not too_few_runs(np.zeros(5))


def test_a_curve_that_bends_names_no_law_but_its_slopes():
    """Exponents 3, then 1, over two decades each."""
    steps = np.unique(np.geomspace(1, 10_000, 400).astype(int))
    x = np.log(steps / 100)
    found = growth_of(steps, 1e-4 * np.exp(np.where(x < 0, 3 * x, x)))
    assert found.kind == "bends"
    assert found.trend.rate is None
    assert found.floor is found.plateau is None
    assert [part.slope for part in found.slopes] == pytest.approx([3, 3, 1, 1])
    assert (found.slopes[0].first, found.slopes[0].last) == (1, 10)
    assert "no simple law: it bends, exponents by decade 3, 3, 1, 1" in str(found)
    assert found.bend_seen


def test_a_bend_that_the_slopes_do_not_show_is_told_by_what_the_law_misses():
    """A wave about a power law has the same slope in each decade."""
    steps = np.array([*range(1, 33), *range(40, 1001, 8)])
    wave = 0.15 * np.sin(4 * np.pi * np.log10(steps))
    found = growth_of(steps, 1e-7 * np.exp(0.5 * np.log(steps) + wave))
    assert (found.kind, found.bend_seen, found.trend.nearest) == ("bends", False, "power law")
    misses = (
        f"deviates from a smooth curve by up to {100 * (found.trend.missed - 1):.0f} %, exponent"
    )
    assert f"no simple law: the best power law {misses}" in str(found)
    assert 1.15 < found.trend.missed < 1.35
    assert "bends" not in str(found)


def test_a_decade_with_too_few_points_has_no_slope():
    since = np.array([1.0, 2, 3, 4, 10, 100, 150, 160, 170, 180])
    found = decade_slopes(since.astype(int) + 5, since, 2 * np.log(since), [])
    assert [(part.first, part.last) for part in found] == [(6, 15), (105, 185)]
    assert [part.slope for part in found] == pytest.approx([2, 2])


def test_slopes_leave_the_jumps_out():
    found = growth_of(SINCE, 1e-8 * SINCE**2.0 * np.where(SINCE >= 5, 1e4, 1))
    assert [part.slope for part in found.slopes] == pytest.approx([2, 2])


@pytest.mark.parametrize("seed", range(6))
def test_a_plateau_lies_at_its_own_first_points(seed):
    """And a floor at its last: those that the growth lifts are no part of it."""
    logs = -np.logaddexp(-2 * np.log(SINCE), -2 * np.log(50))
    found = growth_of(SINCE, curve_with_noise(logs, seed, SINCE))
    if found.plateau is not None:
        at = found.distance[found.steps == found.plateau.first][0]
        assert at == pytest.approx(found.plateau.distance, rel=0.15)
        assert found.plateau.distance == pytest.approx(50, rel=0.1)


def test_what_an_older_version_concluded_is_concluded_anew():
    """A saved growth holds its curve; the law that it was told of then is not believed."""
    found = growth_of(SINCE, np.exp(np.sqrt(SINCE) - 9))
    document = json.loads(found.to_json())
    assert not {"trend", "fitted", "floor", "plateau", "slopes"} & set(document["result"])
    level = {"$result": "Level", "distance": 1.0, "first": 50, "last": 104}
    trend = {"$result": "Trend", "kind": "power law", "rate": 1.5, "low": 1.4, "high": 1.6}
    document["result"] |= {"trend": trend | {"evidence": {}}, "plateau": level, "fitted": None}
    again = Growth.from_json(json.dumps(document))
    assert repr(again) == repr(found)
    assert again.kind == "bends"


@pytest.mark.parametrize(
    ("name", "value"), [("distance", [1.0]), ("steps", [2, 1]), ("origin", "a"), ("jumps", [3])]
)
def test_a_damaged_file_is_refused_in_one_line(name, value):
    document = json.loads(growth_of([1, 2], [1.0, 2.0]).to_json())
    document["result"][name] = value
    with pytest.raises(FpdriftError) as caught:
        Growth.from_json(json.dumps(document))
    assert "\n" not in str(caught.value)


def test_the_recorded_long_run_bends():
    import fpdrift

    found = fpdrift.load_recorded("long").growth
    assert (found.kind, found.plateau) == ("bends", None)
    slopes = [part.slope for part in found.slopes]
    assert slopes == sorted(slopes, reverse=True)
    assert slopes[0] > 5 * slopes[-1]


def test_a_floor_a_jump_and_a_plateau():
    since = np.maximum(STEPS, 1)
    logs = np.log(1e-7 * np.hypot(1, (since / 12) ** 3))
    logs = np.minimum(logs, np.log(1e-7 * (64 / 12) ** 3)) + np.log(20) * (STEPS >= 20)
    found = growth_of(STEPS, curve_with_noise(logs))
    assert found.kind == "power law"
    assert found.trend.rate == pytest.approx(3, rel=0.1)
    assert found.floor.distance == pytest.approx(1e-7, rel=0.1)
    assert 8 <= found.floor.last <= 16
    assert 56 <= found.plateau.first <= 72
    assert [(j.step, j.previous) for j in found.jumps] == [(20, 19)]
    assert found.jumps[0].factor / found.jumps[0].expected == pytest.approx(20, rel=0.2)
    assert np.isnan(found.fitted[0])
    assert found.fitted[1:] == pytest.approx(found.distance[1:], rel=0.2)
    text = str(found)
    assert text.startswith("floor ")
    assert all(word in text for word in ("power law, exponent", "at step 20", "plateau"))


def test_a_jump_between_sparse_steps_says_between_which():
    logs = 2 * np.log(np.maximum(STEPS, 1)) + np.log(50) * (STEPS >= 64)
    (jump,) = growth_of(STEPS, curve_with_noise(logs)).jumps
    assert (jump.previous, jump.step) == (56, 64)
    assert "at steps 57 to 64" in str(jump)


def test_a_spike_that_is_over_at_once_is_no_jump():
    logs = 2 * np.log(np.maximum(STEPS, 1)) + np.log(50) * (STEPS == 15)
    assert growth_of(STEPS, curve_with_noise(logs)).jumps == ()


def test_powers_count_from_where_the_runs_were_equal():
    steps = np.arange(101)
    late = np.where(steps > 40, 1e-6 * np.maximum(steps - 40, 1) ** 1.5, 0)
    found = growth_of(steps, late)
    assert found.origin == 40
    assert (found.kind, found.trend.rate) == ("power law", pytest.approx(1.5, abs=1e-6))


def test_laws_without_noise_are_named_to_the_digit():
    found = growth_of(STEPS, 1e-8 * np.exp(0.07 * STEPS))
    assert (found.kind, found.trend.rate) == ("exponential", pytest.approx(0.07, abs=1e-6))
    assert growth_of(STEPS, np.full(len(STEPS), 1e-5)).kind == "flat"
    falling = growth_of(STEPS, 1e-3 * np.exp(-0.07 * STEPS))
    assert (falling.kind, falling.trend.rate) == ("exponential", pytest.approx(-0.07, abs=1e-6))
    assert falling.floor is falling.plateau is None


@pytest.mark.parametrize("kind", ["power law", "exponential"])
def test_too_few_or_too_noisy_distances_cannot_tell(kind):
    short = growth_of([0, 1, 2, 3, 4, 5], [0, 1e-6, 2e-6, 3e-6, 4e-6, 5e-6])
    assert short.kind == "cannot tell"
    wild = np.exp(np.random.default_rng(2).normal(size=len(STEPS)) * 3)
    assert growth_of(STEPS, wild).kind == "cannot tell"


@given(
    st.lists(
        st.one_of(st.just(0.0), st.floats(0), st.just(np.nan), st.floats(1e-300, 1e300)),
        min_size=1,
        max_size=30,
    ),
    st.integers(-5, 1000),
)
@settings(deadline=None, max_examples=60)
def test_any_distances_give_a_result_that_json_keeps(distances, first):
    steps = np.arange(first, first + len(distances))
    found = growth_of(steps, distances)
    again = Growth.from_json(found.to_json())
    assert repr(again) == repr(found)
    np.testing.assert_array_equal(again.fitted, found.fitted)
    positive = [d for d in distances if 0 < d < np.inf]
    assert (found.kind == "none") == (not positive)
    assert not found.distance.flags.writeable


@pytest.mark.parametrize(
    ("steps", "distances"),
    [
        ([], []),
        ([1, 2], [1.0]),
        ([2, 1], [1.0, 1.0]),
        ([1, 1], [1.0, 1.0]),
        ([1.5], [1.0]),
        ([1], [-1.0]),
        (["a"], [1.0]),
        ([2**70], [1.0]),
        (None, None),
        ([[1]], [[1.0]]),
    ],
)
def test_arrays_that_are_none_are_refused_in_one_line(steps, distances):
    with pytest.raises(FpdriftError) as caught:
        growth_of(steps, distances)
    assert "\n" not in str(caught.value)


# ---- from comparisons


def two_runs(steps=40, at=20, unit=3, size=1e-3):
    """Two records that drift as a power law in one kernel; a unit of another jumps apart."""
    rng = np.random.default_rng(1)
    shapes = {"conv/kernel": (3, 8), "conv/bias": (8,), "dense/kernel": (32, 5), "norm/beta": (5,)}
    base = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    states, moved = [], []
    for step in range(steps):
        other = {name: values.copy() for name, values in base.items()}
        other["conv/kernel"] += 1e-8 * step**2
        other["conv/bias"] += 1.0 * (step > 0)  # noise that means nothing
        if step >= at:
            other["dense/kernel"][:, unit] += size
            other["norm/beta"][unit] += size
        states.append(base)
        moved.append(other)
    flags = {"zero_gradient": dict.fromkeys(shapes, False) | {"conv/bias": True}}
    return make_record(states, **flags), make_record(moved, name="b.fpdrift", **flags)


def test_a_jump_of_a_comparison_names_tensor_and_unit():
    records = two_runs()
    found = growth(compare(*records), records)
    (jump,) = found.jumps
    assert (jump.step, jump.tensor, jump.unit) == (20, "dense/kernel", 3)
    assert jump.tensor_share > 0.95
    assert jump.unit_share == pytest.approx(1)
    assert found.without_zero_gradient
    assert "in dense/kernel, unit 3" in str(found)
    (unplaced,) = growth(compare(*records)).jumps
    assert (unplaced.tensor, unplaced.unit) == ("dense/kernel", None)


def test_a_kernel_kept_whole_tells_its_unit_itself():
    rng = np.random.default_rng(1)
    base = rng.normal(size=(3, 8))
    moved = [base + 1e-8 * s**2 + 1e-3 * (s >= 15) * (np.arange(8) == 6) for s in range(30)]
    a, b = make_record([{"kernel": base}] * 30), make_record([{"kernel": m} for m in moved])
    (jump,) = growth(compare(a, b), (a, b)).jumps
    assert (jump.step, jump.tensor, jump.unit) == (15, "kernel", 6)


def test_a_jump_of_all_units_alike_names_none():
    base = np.ones((3, 8))
    moved = [base + 1e-8 * s**2 + 1e-3 * (s >= 15) for s in range(30)]
    a, b = make_record([{"kernel": base}] * 30), make_record([{"kernel": m} for m in moved])
    (jump,) = growth(compare(a, b), (a, b)).jumps
    assert (jump.tensor, jump.unit, jump.unit_share) == ("kernel", None, None)


def test_weights_with_a_gradient_of_zero_count_on_request():
    found = growth(compare(*two_runs()), zero_gradient=True)
    assert not found.without_zero_gradient
    assert found.kind == "flat"
    assert found.jumps == ()


def test_equal_runs_show_none():
    a = make_record([{"kernel": np.ones(3)}] * 12)
    found = growth(compare(a, a))
    assert (found.kind, found.first_difference, found.jumps) == ("none", None, ())
    assert str(found).startswith("none: no difference up to step 11")


def test_bits_that_differ_outside_the_weights_are_not_no_difference():
    states = [{"kernel": np.ones(3), "adam/m": np.full(3, float(i))} for i in range(5)]
    roles = {"adam/m": "slot"}
    others = [state | {"adam/m": state["adam/m"] + (i > 2)} for i, state in enumerate(states)]
    found = growth(compare(make_record(states, roles=roles), make_record(others, roles=roles)))
    assert found.kind == "none"
    assert "bits differ at step 3" in str(found)


def with_losses(a, b, **metrics):
    states = [{"kernel": np.ones(3)}] * len(a)
    return compare(
        make_record(
            states, loss=np.array(a), metrics={k: np.array(v[0]) for k, v in metrics.items()}
        ),
        make_record(
            states, loss=np.array(b), metrics={k: np.array(v[1]) for k, v in metrics.items()}
        ),
    )


def test_the_horizon_is_the_first_step_beyond_the_tolerance():
    nan, inf = np.nan, np.inf
    pair = with_losses(
        [nan, 2.0, 2.0, 2.0, nan],
        [nan, 2.0, 2.01, 2.03, nan],
        accuracy=([0.5] * 5, [0.5, 0.5, 0.5, 0.5, 0.6]),
        same=([inf, 0.0, 1.0, 1.0, 1.0],) * 2,
    )
    assert (horizon(pair).step, horizon(pair).until) == (3, 3)
    assert horizon(pair, 0.02).step is None
    assert horizon(pair, 0).step == 2
    assert horizon(pair, metric="accuracy").step == 4
    assert horizon(pair, 0, "same").step is None
    assert growth(pair, tolerance=0.5).horizon == horizon(pair, 0.5)
    assert str(horizon(pair)) == "loss differs by more than 1 % at step 3"
    blown = with_losses([1.0, 1.0, 1.0], [1.0, inf, 1.0])
    assert horizon(blown).step == 1
    assert horizon(with_losses([nan], [nan])).until is None


@pytest.mark.parametrize("tolerance", [-1, np.nan, np.inf, "a", None, True, 10**400, 1j])
def test_a_tolerance_that_is_none_is_refused(tolerance):
    with pytest.raises(FpdriftError, match="tolerance"):
        horizon(with_losses([1.0], [1.0]), tolerance)


def test_other_things_than_a_comparison_and_its_records_are_refused():
    records = two_runs()
    pair = compare(*records)
    for wrong in (None, 3, records[0]):
        with pytest.raises(FpdriftError, match="is not a Comparison"):
            growth(wrong)
        with pytest.raises(FpdriftError, match="is not a Comparison"):
            horizon(wrong)
    for wrong in ("a", (records[1], records[0]), records[:1], (1, 2), list(records)):
        with pytest.raises(FpdriftError, match="not the two"):
            growth(pair, wrong)
    with pytest.raises(FpdriftError, match="metric"):
        growth(pair, metric="accuracy")
    with pytest.raises(FpdriftError, match="zero_gradient"):
        growth(pair, zero_gradient=1)


def test_a_gain_counts_from_what_was_there_before():
    """A kernel far apart all along gains nothing when another one jumps."""
    rng = np.random.default_rng(1)
    base = {"far": rng.normal(size=(3, 4)), "near": rng.normal(size=(3, 4))}
    moved = [
        {"far": base["far"] + 1e-3, "near": base["near"] + 1e-8 * s**2 + 3.0 * (s >= 15)}
        for s in range(30)
    ]
    a, b = make_record([base] * 30), make_record(moved)
    (jump,) = growth(compare(a, b), (a, b)).jumps
    assert (jump.step, jump.tensor) == (15, "near")
    assert jump.tensor_share == pytest.approx(1)
    apart = [{"far": m["far"] + 10, "near": m["near"]} for m in moved]
    pair = compare(a, make_record(apart))
    counted = np.ones(2, bool)
    assert find_tensor(pair, counted, 14, 15) == ("near", pytest.approx(1))


def test_a_weight_without_a_gradient_does_not_tell_the_unit():
    """Behind a sketched kernel, noise in a bias of zero gradient names no unit."""
    rng = np.random.default_rng(1)
    base = {
        "dense/kernel": rng.normal(size=(32, 5)),
        "dense/bias": np.zeros(5),
        "norm/beta": np.zeros(5),
    }
    flags = {"zero_gradient": dict.fromkeys(base, False) | {"dense/bias": True}}
    moved = {name: values.copy() for name, values in base.items()}
    moved["dense/kernel"][:, 3] += 1e-3
    moved["norm/beta"][3] += 1e-3
    moved["dense/bias"][1] += 1.0
    records = make_record([base] * 2, **flags), make_record([base, moved], **flags)
    assert find_unit(records, "dense/kernel", 0, 1) == (3, pytest.approx(1))


def test_the_horizon_ends_where_a_metric_is_infinite_or_not_a_number():
    nan, inf = np.nan, np.inf
    equal = [nan, 2.0, 2.0, inf, 2.0]
    blown = horizon(with_losses(equal, equal))
    assert (blown.step, blown.until, blown.not_finite) == (None, 2, 3)
    assert str(blown) == "loss within 1 % up to step 2, infinite or NaN at step 3"
    assert Horizon.from_json(blown.to_json()) == blown
    one = horizon(with_losses([nan, 2.0, 2.0, 2.0], [nan, 2.0, 2.0, inf]))
    assert (one.step, one.until, one.not_finite) == (3, 2, 3)
    assert str(one) == "loss within 1 % up to step 2, infinite or NaN in one run at step 3"
    before = horizon(with_losses([nan, 2.0, 2.0, inf], [nan, 2.0, 3.0, inf]))
    assert str(before) == "loss differs by more than 1 % at step 2"
    at_once = horizon(with_losses([nan, inf], [nan, inf]))
    assert str(at_once) == "loss infinite or NaN at step 1"


@pytest.mark.parametrize("where", ["loss", "kernel"])
def test_a_loss_that_is_nan_is_told_from_one_that_is_missing(where):
    nan = np.nan
    pair = with_losses([nan, 2.0, 2.0, nan, 2.0], [nan, 2.0, 2.0, 2.0, 2.0])
    assert str(horizon(pair)) == "loss within 1 % up to step 4"
    found = NonFinite(step=3, exact=True, name=where)
    one = horizon(replace(pair, non_finite=(found, None)))
    assert str(one) == "loss within 1 % up to step 2, infinite or NaN in one run at step 3"
    none = replace(with_losses([nan] * 5, [nan] * 5), non_finite=(found, found))
    told = {"loss": "loss infinite or NaN at step 3", "kernel": "no step has a loss in both runs"}
    assert str(horizon(none)) == told[where]


def test_the_horizon_is_beyond_the_tolerance_not_at_it_and_knows_what_both_report():
    nan = np.nan
    pair = with_losses([nan, 2.0, 2.0, 2.0], [nan, 2.0, 2.5, 3.0])
    assert horizon(pair, 0.25).step == 3
    assert horizon(with_losses([nan, 1.0, 1.0], [nan, 1.0, nan])).until == 1
    assert horizon(with_losses([nan, 1.0, 1.0], [nan, 1.0, nan])).step is None


def test_a_level_distance_has_no_rate_and_a_noisy_one_no_law():
    flat = growth_of(STEPS, np.full(len(STEPS), 1e-5))
    assert (flat.trend.rate, flat.trend.low, flat.trend.high) == (None, None, None)
    rng = np.random.default_rng(3)
    wild = growth_of(STEPS, np.exp(0.2 * STEPS + rng.normal(size=len(STEPS))))
    assert wild.trend.evidence["exponential"] > 0.9  # the best law, and yet it misses too much
    assert wild.kind == "cannot tell"


def test_a_weight_that_does_not_count_is_no_place_of_a_jump():
    base = {"dense/kernel": np.zeros((3, 4)), "dense/bias": np.zeros(4)}
    moved = [
        {
            "dense/kernel": base["dense/kernel"] + 1e-8 * s**2 + 1e-3 * (s >= 15),
            "dense/bias": base["dense/bias"] + 9.0 * (s >= 15),
        }
        for s in range(30)
    ]
    base["dense/kernel"] = base["dense/kernel"] + 1.0
    moved = [m | {"dense/kernel": m["dense/kernel"] + 1.0} for m in moved]
    flags = {"zero_gradient": {"dense/kernel": False, "dense/bias": True}}
    found = growth(compare(make_record([base] * 30, **flags), make_record(moved, **flags)))
    assert [(j.step, j.tensor) for j in found.jumps] == [(15, "dense/kernel")]


def test_conclusions_wait_until_they_are_asked_for(monkeypatch):
    """Reading a result costs no fit, and asking twice costs one."""
    asked = []

    def fit(*given):
        asked.append(given)
        return fit_trend(*given)

    monkeypatch.setattr(_growth, "fit_trend", fit)
    found = growth_of(SINCE, 1e-9 * np.exp(0.1 * SINCE))
    assert not asked
    assert (found.kind, found.trend.kind, found.floor) == ("exponential", "exponential", None)
    assert (len(asked), found.jumps, found.plateau) == (1, (), None)
    with pytest.raises(AttributeError, match="no colour"):
        _ = found.colour


def test_what_was_far_apart_from_the_start_is_not_called_free_of_jumps():
    found = Growth(steps=SINCE, distance=0.5 * SINCE, origin=0, far_from_the_start=True)
    assert str(found) == "cannot tell: far apart from the start"
