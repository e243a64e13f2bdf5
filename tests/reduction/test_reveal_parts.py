"""The parts of revealing: calls that are checked, masks, searches, data, and what is refused."""

import math

import ml_dtypes
import numpy as np
import pytest

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS
from fpdrift.reduction import Revealed, plans, reveal, run_plan
from fpdrift.reduction._reveal._probe_inputs import (
    fresh_probes,
    mixture,
    order_matters,
    whole_numbers,
    wide_ties,
)
from fpdrift.reduction._reveal._probing import ProbedFunction, mask_of
from fpdrift.reduction._reveal._search import ContradictionError, Search
from fpdrift.reduction._rounding import round_array
from fpdrift.reduction.algorithms import exact_sum, neumaier_sum


def alters(x):
    x.sort()
    return x.sum()


def fails_late(x):
    if np.abs(x).max() == 2.0**127:
        message = "too huge"
        raise ValueError(message)
    return x.sum()


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (alters, "modifies its input"),
        (fails_late, "raised ValueError: 'too huge'"),
        (lambda x: x, r"returned an array of shape \(9,\)"),
        (lambda x: x.sum(keepdims=True), r"returned an array of shape \(1,\)"),
        (lambda x: float(x.sum()), "returned float64"),
        (lambda x: x.astype(np.float64).sum(), "returned float64"),
        (lambda _: None, "returned object"),
        (lambda _: np.float32(math.nan), "returned nan"),
        (lambda _: np.float32(math.inf), "returned inf"),
        (7, "sum_function is 7"),
    ],
)
def test_what_is_no_sum_is_refused_in_one_line(function, told):
    with pytest.raises(FpdriftError, match=told) as caught:
        reveal(function, 9)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [{"n": 0}, {"n": 2.5}, {"n": -1}, {"n": None}])
def test_a_wrong_n_is_refused(settings):
    with pytest.raises(FpdriftError, match="n is"):
        reveal(np.sum, **settings)


@pytest.mark.parametrize("settings", [{"rng": 1}, {"max_probes": 0}, {"dtype": "int8"}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(FpdriftError, match=f"{next(iter(settings))} "):
        reveal(np.sum, 9, **settings)


def test_too_few_probes_allowed_is_said():
    with pytest.raises(FpdriftError, match="max_probes"):
        reveal(np.sum, 100, max_probes=50)
    assert reveal(np.sum, 100, max_probes=2000).confirmed


def test_an_input_altered_between_checks_is_found():
    calls = []

    def now_and_then(x):
        total = np.add.accumulate(x)[-1]
        calls.append(1)
        if len(calls) == 700:
            x[0] += 1
        return total

    with pytest.raises(FpdriftError, match="modifies its input"):
        reveal(now_and_then, 200)


@pytest.mark.parametrize("dtype", FORMATS)
def test_each_accumulator_hides_as_many_units_as_a_mask_holds(dtype):
    mask, fmt = mask_of(FORMATS[dtype]), FORMATS[dtype]
    assert fmt.dtype.type(mask.huge) == mask.huge
    assert fmt.dtype.type(mask.unit) == mask.unit
    count = min(mask.most, 5000)
    assert float(fmt.dtype.type(count * mask.unit)) == count * mask.unit
    x = np.full(count + 2, mask.unit)
    x[0], x[-1] = mask.huge, -mask.huge
    apart = plans.sequential(1)
    together = plans.nest(plans.sequential(3), [apart, plans.pairwise(count), apart])
    for acc in {"float16": ("float16", "float32")}.get(dtype, (dtype, "float32", "float64")):
        if FORMATS[acc].bits >= fmt.bits:
            for plan in (together, plans.sequential(len(x)), plans.reversed_(len(x))):
                for signed in (x, x[::-1]):
                    assert run_plan(plan, signed.astype(fmt.dtype), dtype, acc) == 0


@pytest.mark.parametrize("n", [2, 9, 100, 1000, 4000, 8192])
def test_a_mean_of_halves_can_be_counted(n):
    mask = mask_of(FORMATS["float16"], n)
    shares = np.arange(mask.most + 1) * mask.unit / n
    assert len(np.unique(shares.astype(np.float16))) == mask.most + 1


def test_a_mean_of_too_many_halves_is_refused():
    with pytest.raises(FpdriftError, match="8192"):
        mask_of(FORMATS["float16"], 2**14)


def searched(function, n, dtype="float32", seed=0):
    box = ProbedFunction(function, n, FORMATS[dtype], "a sum")
    order = np.random.default_rng(seed).permutation(n).tolist()
    return Search(box, mask_of(box.fmt)).tree(order), box.calls


def shape(plan):
    return plan.n, plan.children.tolist(), plan.starts.tolist()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("aligned", [False, True])
def test_random_trees_of_nodes_of_many_children_are_found(seed, dtype, aligned):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 30))
    there, kids, starts = list(range(n)), [], [0]
    while len(there) > 1:
        terms = min(int(rng.integers(2, 5)), len(there))
        kids += [there.pop(int(rng.integers(len(there)))) for _ in range(terms)]
        starts.append(len(kids))
        there.append(n + len(starts) - 2)
    plan = plans.Plan(n=n, children=np.array(kids), starts=np.array(starts), aligned=aligned)
    found, _ = searched(lambda x: run_plan(plan, x), n, dtype, seed)
    assert shape(found) == shape(plan)
    of_many = np.diff(plan.starts) > 2
    assert found.aligned.tolist() == (plan.aligned & of_many).tolist()


def test_two_trees_that_a_pivot_cannot_tell_apart_are_told_apart():
    # Adding exactly, ((0+1)+2+3) and (0+1+(2+3)) answer each pair of inputs alike.
    one = plans.Plan(n=4, children=np.array([0, 1, 4, 2, 3]), starts=np.array([0, 2, 5]))
    other = plans.Plan(n=4, children=np.array([2, 3, 0, 1, 4]), starts=np.array([0, 2, 5]))
    for plan in (one, other):
        for seed in range(24):
            assert searched(lambda x, p=plan: run_plan(p, x), 4, seed=seed)[0] == plan


def test_more_units_than_a_probe_may_hold_are_asked_in_parts():
    plan = plans.fused(300, 50, aligned=True)
    found, _ = searched(lambda x: run_plan(plan, x), 300, "bfloat16")
    assert shape(found) == shape(plan)
    assert searched(lambda x: np.add.accumulate(x)[-1], 700, "bfloat16")[0] == plans.sequential(700)


@pytest.mark.parametrize("n", [127, 128, 2060])
def test_units_that_vanish_need_not_be_asked_for_pair_by_pair(n):
    def flushing(x):
        return np.add.accumulate(np.where(np.abs(x) < np.float16(2.0**-14), x * 0, x))[-1]

    found, calls = searched(flushing, n, "float16")
    assert found == plans.fused(n, n, aligned=True)
    assert calls < 6 * n or n == 127


def test_units_that_a_truncating_node_hides_have_not_vanished():
    def truncating(x):
        terms = np.append(x[2:], x[0] + x[1])
        return np.where(np.abs(terms) < np.abs(terms).max() * 2.0**-24, 0, terms).sum()

    found, _ = searched(truncating, 130)
    assert shape(found) == (130, [*range(2), *(130, *range(2, 130))], [0, 2, 131])
    assert found.aligned.tolist() == [False, True]


@pytest.mark.slow
def test_a_sequential_tree_of_16384_inputs_needs_no_recursion():
    found, calls = searched(lambda x: np.add.accumulate(x)[-1], 16384)
    assert found == plans.sequential(16384)
    assert calls < 2 * 16384


def test_answers_that_fit_no_tree_are_a_contradiction():
    rng = np.random.default_rng(0)
    with pytest.raises(ContradictionError):
        searched(lambda x: np.add.accumulate(rng.permutation(x))[-1], 50)
    with pytest.raises(ContradictionError):
        searched(lambda x: x.dtype.type(0.5), 50)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 100, 3000])
def test_no_order_overflows_and_zeros_are_never_all_negative(dtype, n):
    fmt, rng = FORMATS[dtype], np.random.default_rng(n)
    rows = np.concatenate([mixture(n, fmt, 4, rng), order_matters(n, fmt, 4, rng)])
    assert rows.dtype == fmt.dtype
    sizes = np.abs(rows.astype(np.longdouble)).sum(axis=1)
    assert (sizes <= float(ml_dtypes.finfo(fmt.dtype).max) / 2).all()
    nothing = (rows == 0).all(axis=1)
    assert not np.signbit(rows[nothing].astype(np.float64)).all(axis=1).any()


@pytest.mark.parametrize("n", [3, 4, 30])
@pytest.mark.parametrize(
    ("dtype", "wider"),
    [
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("bfloat16", "float64"),
        ("float32", "float64"),
    ],
)
def test_wide_ties_show_a_sum_that_is_rounded_twice_whatever_the_draw(dtype, wider, n):
    """Of four numbers, they tell it from a compensated sum in the wider format as well."""
    fmt, acc = FORMATS[dtype], FORMATS[wider]
    for seed in range(20):
        rows = wide_ties(n, fmt, acc, 32, np.random.default_rng(seed))
        wide = rows.astype(acc.dtype)
        once = np.array([exact_sum(row) for row in rows])
        twice = round_array(np.array([exact_sum(row) for row in wide]), fmt)
        compensated = round_array(np.array([neumaier_sum(row) for row in wide]), fmt)
        assert (once != twice).any()
        if n > 3 and dtype != "float16":  # which has no place for a rest of a rest
            assert (compensated != twice).any()


@pytest.mark.parametrize("dtype", FORMATS)
def test_whole_numbers_are_exact_in_every_order(dtype):
    rows = whole_numbers(50, FORMATS[dtype], 20, np.random.default_rng(0)).astype(np.float64)
    assert (rows == np.round(rows)).all()
    assert (np.abs(rows).sum(axis=1) <= 256).all()
    assert rows.any(axis=1).all()


@pytest.mark.parametrize("dtype", FORMATS)
def test_fresh_probes_have_pairs_that_cancel(dtype):
    fmt = FORMATS[dtype]
    mask = mask_of(fmt)
    rows = fresh_probes(40, fmt, mask, 50, np.random.default_rng(0)).astype(np.float64)
    huge = np.where(np.abs(rows) > mask.unit, rows, 0)
    assert (np.count_nonzero(huge, axis=1) >= 2).all()
    assert (huge.sum(axis=1) == 0).all()
    assert set(np.count_nonzero(huge, axis=1).tolist()) == {2, 4}


def test_a_result_survives_json_and_says_what_it_could_have_missed():
    found = reveal(np.sum, 9)
    again = Revealed.from_json(found.to_json())
    assert (again.plan, again.verdict, again.probes) == (found.plan, "confirmed", found.probes)
    evidence = found.evidence
    assert evidence.repeats >= 256
    assert (1 - evidence.missed_rate) ** evidence.repeats == pytest.approx(0.05)
    assert evidence.agreed == evidence.replayed > 100
