"""Noise on weights: the sums are right, the counts are right, and nothing else is touched."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, floor_log2, from_bits, round_fraction, to_bits, to_fraction
from fpdrift.perturbation import NudgeAccount, nudge

DTYPES = sorted(FORMATS)


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@st.composite
def tensors(draw):
    """Any bits of any dtype: subnormals, zeros, infinities and NaN included."""
    fmt = FORMATS[draw(st.sampled_from(DTYPES))]
    bits = draw(st.lists(st.integers(0, 2**fmt.bits - 1), max_size=12))
    near = draw(st.lists(st.floats(-4, 4), max_size=12))
    planted = [fmt.dtype.type(x) for x in near]
    return np.array([*(from_bits(b, fmt) for b in bits), *planted], fmt.dtype)


@given(tensors(), st.sampled_from([0.0, 1e-300, 1e-8, 1e-3, 1.0, 1e30]), st.integers(0, 2**32))
def test_each_sum_is_exact_and_rounded_once(weights, size, seed):
    fmt = FORMATS[weights.dtype.name]
    # Zeros with the same NaN and infinities draw the same places and show the noise itself.
    zeros = np.where(np.isfinite(weights), fmt.dtype.type(0), weights)
    noise, _ = nudge(zeros, size=size, fraction=0.7, seed=seed)
    new, account = nudge(weights, size=size, fraction=0.7, seed=seed)
    for w, e, n in zip(weights, noise, new, strict=True):
        if not np.isfinite(w):
            assert to_bits(n, fmt) == to_bits(w, fmt)
            continue
        assert abs(to_fraction(e, fmt)) <= Fraction(size)
        want = round_fraction(to_fraction(w, fmt) + to_fraction(e, fmt), fmt)
        assert to_bits(n, fmt) == to_bits(w if want == w else want, fmt)
    check_books(weights, new, account, size, 0.7)


def check_books(old, new, account, size, fraction):
    """Count again, one weight at a time."""
    fmt = FORMATS[old.dtype.name]
    pairs = list(zip(old, new, strict=True))
    finite = [(a, b) for a, b in pairs if np.isfinite(a)]
    changed = [(a, b) for a, b in finite if to_bits(a, fmt) != to_bits(b, fmt)]
    (tensor,) = account.tensors
    assert tensor.count == len(old)
    assert tensor.nonfinite == len(old) - len(finite)
    assert tensor.meant == account.meant == round(fraction * len(finite))
    assert tensor.changed == account.changed == len(changed)
    assert tensor.absorbed == account.absorbed == tensor.meant - len(changed)
    assert tensor.small == sum(abs(to_fraction(a, fmt)) <= Fraction(size) for a, _ in finite)
    assert tensor.zeros == account.zeros == sum(to_fraction(a, fmt) == 0 for a, _ in finite)
    moves = [abs(float(b) - float(a)) for a, b in changed]
    assert tensor.largest_change == account.largest_change == max(moves, default=0.0)
    by_binade = {}
    for a, _ in changed:
        place = floor_log2(abs(to_fraction(a, fmt))) if a else None
        by_binade[place] = by_binade.get(place, 0) + 1
    assert account.zeros_changed == by_binade.pop(None, 0)
    assert {b.exponent: b.changed for b in account.binades if b.changed} == by_binade
    assert sum(b.meant for b in account.binades) + account.zeros_meant == account.meant
    exponents = [b.exponent for b in account.binades]
    assert exponents == sorted(set(exponents))


def test_binades_count_what_was_meant():
    weights = np.array([0, 1, 1.5, 2, 3.99, 0.125, 2**-149, 1e-45, -1], np.float32)
    _, account = nudge(weights, fraction=1)
    assert {b.exponent: b.meant for b in account.binades} == {-149: 2, -3: 1, 0: 3, 1: 2}
    assert account.zeros_meant == account.zeros_changed == 1


def test_a_nudge_below_half_an_ulp_is_absorbed():
    weights = np.full((30, 100), 0.2, np.float32)  # half an ulp is 7.5e-9
    new, account = nudge(weights, size=5e-9)
    assert same_bits(new, weights)
    assert (account.meant, account.changed, account.absorbed) == (1500, 0, 1500)
    assert account.largest_change == 0


def test_a_power_of_two_moves_down_more_easily_than_up():
    weights = np.full(4000, 0.125, np.float32)  # half an ulp: 7.5e-9 above, 3.7e-9 below
    new, account = nudge(weights, size=5e-9)
    assert (new <= weights).all()
    assert 0 < account.changed == np.count_nonzero(new < weights)


def test_weights_smaller_than_the_nudge_are_counted():
    weights = np.array([0, 1e-9, -1e-8, 1.01e-8, 1, np.nan], np.float64)
    _, account = nudge(weights, size=1e-8)
    assert account.tensors[0].small == account.small == 3
    assert account.tensors[0].zeros == account.zeros == 1
    assert account.share_small == account.tensors[0].share_small == 0.5


def test_noise_is_a_clipped_normal():
    noise, account = nudge(np.zeros(100_000), size=3.0, fraction=1)
    assert np.abs(noise).max() == 3 == account.largest_change
    clipped = np.count_nonzero(np.abs(noise) == 3) / noise.size
    assert clipped == pytest.approx(math.erfc(1 / math.sqrt(2)), abs=0.006)
    inside = noise[np.abs(noise) < 3] / 3
    half = math.erf(0.5 / math.sqrt(2)) / math.erf(1 / math.sqrt(2))
    assert np.mean(np.abs(inside) < 0.5) == pytest.approx(half, abs=0.008)
    assert abs(np.mean(noise)) < 0.05


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_noise_is_larger_than_asked_in_any_dtype(dtype):
    size = 0.1  # float32's nearest number to it is larger
    noise, _ = nudge(np.zeros(1000, FORMATS[dtype].dtype), size=size, fraction=1)
    assert Fraction(9, 100) < max(Fraction(float(x)) for x in noise) <= Fraction(size)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e-8, 1e-3, 0.3, 5.0])
def test_half_ulp_exponent_is_the_first_binade_where_all_is_absorbed(dtype, size):
    fmt = FORMATS[dtype]
    (exponent,) = nudge(np.zeros(1, fmt.dtype), size=size)[1].half_ulp_exponents.values()
    for e, absorbed in ((exponent, True), (exponent - 1, False)):
        if not fmt.quantum <= e <= fmt.emax:
            continue
        weights = np.full(4000, np.ldexp(1.0, e) * (1.5 if e > fmt.quantum else 1), fmt.dtype)
        _, account = nudge(weights, size=size, fraction=1)
        assert (account.changed == 0) == absorbed


@pytest.mark.parametrize("fraction", [0, 1, 0.5, 0.3])
def test_the_fraction_holds_in_every_tensor(fraction):
    weights = {"a": np.zeros((7, 9)), "b": np.zeros(10), "c": np.zeros(()), "d": np.zeros((0, 3))}
    new, account = nudge(weights, size=1, fraction=fraction)
    for tensor in account.tensors:
        want = round(fraction * weights[tensor.name].size)
        assert tensor.meant == tensor.changed == want
        assert np.count_nonzero(new[tensor.name]) == want


def test_a_tensors_noise_does_not_hang_on_the_others():
    a, b = np.zeros(50), np.ones(80)
    alone = nudge([np.zeros(3), b])[0][1]
    beside = nudge([a, b])[0][1]
    assert same_bits(alone, beside)
    first, second = nudge([a, a])[0]
    assert not same_bits(first, second)


def test_the_seed_decides_everything():
    weights = {"w": np.linspace(-1, 1, 1000, dtype=np.float32)}
    one, again, other = (nudge(weights, seed=s)[0]["w"] for s in (1, 1, 2))
    assert same_bits(one, again)
    assert not same_bits(one, other)


def test_originals_and_integers_stay_as_they_are():
    weights = [np.linspace(0, 1, 100), np.arange(5, dtype=np.uint32), np.array([True])]
    kept = [w.copy() for w in weights]
    new, account = nudge(weights, size=1)
    assert all(same_bits(w, k) for w, k in zip(weights, kept, strict=True))
    assert same_bits(new[1], weights[1])
    assert same_bits(new[2], weights[2])
    assert not any(np.shares_memory(n, w) for n, w in zip(new, weights, strict=True))
    assert [t.meant for t in account.tensors] == [50, 0, 0]
    assert [t.dtype for t in account.tensors] == ["float64", "uint32", "bool"]


def test_weights_come_back_in_the_shape_they_came_in():
    array = np.zeros((2, 3), np.float32)
    assert isinstance(nudge({"x": array})[0], dict)
    assert isinstance(nudge((array, array))[0], list)
    assert nudge(array)[0].shape == (2, 3)
    assert nudge(np.float32(1))[0].shape == ()
    assert nudge({})[0] == {}
    assert nudge([[0.0, 1.0]])[0][0].dtype == np.float64


@pytest.mark.parametrize("layout", [lambda x: x.T, lambda x: x[::2], lambda x: x.astype(">f4")])
def test_any_layout_of_memory_gives_the_same(layout):
    weights = layout(np.arange(48, dtype=np.float32).reshape(6, 8) / 48)
    plain = np.ascontiguousarray(weights, np.float32)
    assert same_bits(nudge(weights)[0], nudge(plain)[0])


def test_a_nudge_of_nothing_keeps_every_bit():
    odd = np.array([0x80000000, 0x7FC01234, 0xFF800000, 1], np.uint32).view(np.float32)
    new, account = nudge(odd, size=0, fraction=1)
    assert same_bits(new, odd)
    assert (account.meant, account.changed, account.tensors[0].nonfinite) == (2, 0, 2)
    assert account.half_ulp_exponents == {}


def test_overflow_is_what_the_addition_gives():
    new, account = nudge(np.full(200, 6e4, np.float16), size=6e4, fraction=1)
    assert np.isinf(new).any()
    assert account.largest_change == math.inf


def test_account_survives_json():
    weights = {"a": np.array([1.0, np.nan, 0]), "b": np.zeros(0, np.float16)}
    _, account = nudge(weights, size=1e-3, seed=9)
    assert NudgeAccount.from_json(account.to_json()) == account
    assert (
        repr(account)
        == "NudgeAccount(nudge 0.001 on 0.5, seed 9; 1 selected: 1 changed, 0 absorbed)"
    )


def test_zeros_are_counted_over_all_tensors_meant_or_not():
    weights = {"a": np.array([0.0, -0.0, 1]), "b": np.zeros(2, np.float16), "c": np.zeros(9, int)}
    _, account = nudge(weights, size=0, fraction=0)
    assert [t.zeros for t in account.tensors] == [2, 2, 0]
    assert (account.zeros, account.small, account.zeros_meant) == (4, 4, 0)


def test_reprs_are_short():
    _, account = nudge({"a": np.ones(4, np.float32)}, size=1e-3, fraction=1)
    assert repr(account.tensors[0]) == "TensorNudge(a, float32: 4 weights, 4 selected, 4 changed)"
    assert repr(account.binades[0]) == "Binade(2**0: 4 selected, 4 changed)"
    assert repr(account.perturbation) == "Perturbation('nudge 0.001 on 1.0')"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"size": -1e-8}, "size is -1e-08"),
        ({"size": math.nan}, "size is nan"),
        ({"size": math.inf}, "size is inf"),
        ({"size": "1e-8"}, "size is '1e-8'"),
        ({"size": 10**5000}, "size is an integer of thousands of digits; choose a number"),
        ({"fraction": 1.5}, "fraction is 1.5"),
        ({"fraction": -0.1}, "fraction is -0.1"),
        ({"fraction": None}, "fraction is None"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.0}, "seed is 1.0"),
        ({"seed": True}, "seed is True"),
        ({"seed": 10**5000}, "seed is an integer of thousands of digits; choose a whole number"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(FpdriftError, match=part) as caught:
        nudge(np.zeros(3), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "weights",
    [None, 3, "abc", [np.array(["x"])], [np.zeros(3, complex)], {1: np.zeros(3)}, [[[1], [1, 2]]]],
)
def test_what_are_no_weights_is_refused(weights):
    with pytest.raises(FpdriftError):
        nudge(weights)
