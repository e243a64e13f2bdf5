"""Distances against the norm of all values, which the tests have in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_record import make_record

from fpdrift.comparison import compare


def true_distance(a, b, names=None):
    """Plain float64 norms over the named tensors."""
    names = names or list(a)
    flat = [np.concatenate([s[n].ravel().astype(np.float64) for n in names]) for s in (a, b)]
    return np.linalg.norm(flat[0] - flat[1]) / np.linalg.norm(flat[0])


def draw(rng, **sizes):
    return {name: rng.normal(size=size).astype(np.float32) for name, size in sizes.items()}


def test_small_tensors_are_exact_and_certain():
    rng = np.random.default_rng(1)
    a, b = ([draw(rng, kernel=40, bias=4) for _ in range(3)] for _ in "ab")
    found = compare(make_record(a), make_record(b))
    truth = [true_distance(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(found.distance, truth, rtol=1e-14)
    assert found.standard_error.tolist() == [0.0] * 3


@pytest.mark.parametrize("spread", ["even", "one column", "one element"])
def test_sketched_distances_lie_within_four_standard_errors(spread):
    rng = np.random.default_rng(2)
    a = [draw(rng, kernel=(600, 64), bias=64) for _ in range(40)]
    b = [dict(state) for state in a]
    for state in b:
        change = (1e-4 * rng.normal(size=(600, 64))).astype(np.float32)
        if spread != "even":
            change[:, 1:] = 0
        if spread == "one element":
            change[1:] = 0
        state["kernel"] = state["kernel"] + change
        state["bias"] = state["bias"] + np.float32(1e-5)
    found = compare(make_record(a), make_record(b))
    truth = np.array([true_distance(x, y) for x, y in zip(a, b, strict=True)])
    error = np.abs(found.distance - truth) / found.standard_error
    assert error.max() < 4
    # a standard error that is stated too large would hide everything: even changes fill it
    assert spread != "even" or np.sqrt(np.mean(error**2)) > 0.5
    assert (found.standard_error < 0.03 * truth).all()


def test_the_standard_error_covers_float64_weights_an_ulp_apart():
    rng = np.random.default_rng(3)
    a = [{"kernel": rng.normal(size=200_000)} for _ in range(5)]
    b = [{"kernel": np.nextafter(s["kernel"], rng.choice([-9, 9], 200_000))} for s in a]
    found = compare(make_record(a), make_record(b))
    truth = np.array([true_distance(x, y) for x, y in zip(a, b, strict=True)])
    assert (np.abs(found.distance - truth) < 4 * found.standard_error).all()


def test_tensors_with_equal_hashes_add_nothing_to_a_sketched_distance():
    rng = np.random.default_rng(4)
    a = [draw(rng, large=5000, small=5)]
    b = [a[0] | {"small": a[0]["small"] + np.float32(1e-3)}]
    found = compare(make_record(a), make_record(b))
    np.testing.assert_allclose(found.distance, [true_distance(a[0], b[0])], rtol=1e-12)
    assert found.standard_error.tolist() == [0.0]
    assert found.distance_by_weight[0].tolist() == [0.0]


def test_the_parts_add_up_to_the_whole():
    rng = np.random.default_rng(5)
    a, b = ([draw(rng, large=5000, small=5, bias=2) for _ in range(2)] for _ in "ab")
    found = compare(make_record(a), make_record(b))
    assert found.weights == ("large", "small", "bias")
    np.testing.assert_allclose(
        np.sqrt(np.square(found.distance_by_weight).sum(axis=0)), found.distance, rtol=1e-14
    )


def test_only_weights_are_counted():
    rng = np.random.default_rng(6)
    a = [draw(rng, kernel=5, mean=5)]
    b = [a[0] | {"mean": a[0]["mean"] + np.float32(1)}]
    roles = {"mean": "statistic"}
    found = compare(make_record(a, roles=roles), make_record(b, roles=roles))
    assert found.first_difference.tensors[0].role == "statistic"
    assert found.distance.tolist() == [0.0]
    assert found.weights == ("kernel",)


@pytest.mark.parametrize(("known_a", "known_b"), [(True, True), (True, None), (None, True)])
def test_weights_that_only_gather_rounding_can_be_left_out(known_a, known_b):
    rng = np.random.default_rng(7)
    a, b = ([draw(rng, kernel=9, bias=3, gamma=3)] for _ in "ab")
    flags = ({"bias": known_a}, {"bias": known_b})
    found = compare(*(make_record(s, zero_gradient=f) for s, f in zip((a, b), flags, strict=True)))
    np.testing.assert_allclose(found.distance, [true_distance(a[0], b[0])], rtol=1e-14)
    np.testing.assert_allclose(
        found.distance_without_zero_gradient,
        [true_distance(a[0], b[0], ["kernel", "gamma"])],
        rtol=1e-14,
    )


def test_unknown_zero_gradients_give_no_second_distance():
    a, b = (make_record([draw(np.random.default_rng(s), kernel=9)]) for s in (0, 1))
    assert compare(a, b).distance_without_zero_gradient is None


def test_steps_are_those_that_both_sketched():
    rng = np.random.default_rng(8)
    a, b = ([draw(rng, kernel=90) for _ in range(9)] for _ in "ab")
    found = compare(
        make_record(a, sketch_steps=[0, 2, 4, 8]), make_record(b, sketch_steps=[2, 3, 8])
    )
    assert found.steps.tolist() == [2, 8]
    for i, step in enumerate(found.steps):
        truth = true_distance(a[step], b[step])
        assert abs(found.distance[i] - truth) < 4 * found.standard_error[i]


def test_runs_that_kept_no_values_have_bits_but_no_distances():
    rng = np.random.default_rng(9)
    a, b = (make_record([draw(rng, kernel=90)], sketch_steps=[]) for _ in "ab")
    found = compare(a, b)
    assert found.steps.size == found.distance.size == 0
    assert repr(found) == "Comparison(first difference before step 1 in kernel)"


@pytest.mark.parametrize("size", [4, 400])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_run_that_blew_up_has_no_number_for_its_distance(size, bad):
    a = [{"kernel": np.ones(size, np.float32)}] * 3
    b = [*a[:1], {"kernel": np.full(size, bad, np.float32)}, *a[2:]]
    for pair in [(a, b), (b, a)]:
        found = compare(*map(make_record, pair))
        assert found.distance[[0, 2]].tolist() == [0.0, 0.0]
        assert not np.isfinite(found.distance[1])
        assert "distance" in repr(found)
        assert found.to_json() == type(found).from_json(found.to_json()).to_json()


def test_the_same_nan_everywhere_is_no_difference():
    a = [{"kernel": np.full(4, np.nan, np.float32)}]
    found = compare(make_record(a), make_record(a))
    assert found.first_difference is None
    assert found.distance.tolist() == [0.0]


def test_distances_from_zero_are_infinite_and_zeros_of_both_signs_are_not_apart():
    zero, one = ({"kernel": np.full(4, value, np.float32)} for value in (0, 1))
    minus = {"kernel": np.full(4, -0.0, np.float32)}
    a, b = make_record([zero, zero]), make_record([one, minus])
    found = compare(a, b)
    assert found.distance.tolist() == [np.inf, 0.0]
    assert found.differing.tolist() == [1, 1]


def test_a_weight_kept_as_a_hash_alone_leaves_the_distance_unknown_where_it_differs():
    rng = np.random.default_rng(10)
    a = [draw(rng, kernel=4, table=4)] * 2
    b = [a[0], a[0] | {"table": a[0]["table"] + np.float32(1)}]

    def hashed(states):
        from dataclasses import replace

        record = make_record(states)
        tensors = (record.tensors[0], replace(record.tensors[1], kept="hash"))
        return replace(record, tensors=tensors, kept={0: record.kept[0]}, squared_norms={})

    found = compare(hashed(a), hashed(b))
    assert found.distance[0] == 0
    assert np.isnan(found.distance[1])


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=9), st.randoms())
def test_whole_distances_hold_for_any_values(values, random):
    a = np.array(values, np.float32)
    b = np.array(random.sample(values, len(values)), np.float32)
    found = compare(make_record([{"w": a}]), make_record([{"w": b}]))
    x, y = a.astype(np.float64), b.astype(np.float64)
    if np.square(x - y).sum() == 0:
        assert found.distance.tolist() == [0.0]
    else:
        want = np.sqrt(np.square(x - y).sum()) / np.sqrt(np.square(x).sum())
        np.testing.assert_allclose(found.distance, [want], rtol=1e-12)
