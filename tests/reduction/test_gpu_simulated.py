"""Simulated sums: their plans' bits, their variability, their label, and what they are not."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from fpdrift import gpu_sums, load_recorded
from fpdrift.errors import FpdriftError
from fpdrift.recorded import read_recorded, recorded_names
from fpdrift.reduction import error_bounds, plans, run_plan
from fpdrift.reduction.gpu import GpuKernel, GpuRecording, _gpu_sums, trees
from fpdrift.reduction.gpu._results import Inputs, validation
from fpdrift.reduction.gpu._variability import (
    count_variability,
    mean_relative_variation,
    scalar_variability,
)
from fpdrift.serialization import Result

SMALL = GpuKernel(threads_per_block=16, elements_per_thread=3, warp_size=8)
DTYPES = ("float16", "bfloat16", "float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("resident", [None, 3])
def test_each_try_is_a_plan(dtype, resident):
    kernel = replace(SMALL, resident_blocks=resident)
    result = gpu_sums(
        sizes=(1, 200), tries=5, dtype=dtype, distribution="normal", seed=7, kernel=kernel
    )
    for n in (1, 200):
        values = Inputs.checked(n, dtype, "normal", 7).draw(n)
        rng = np.random.default_rng([7, n])
        orders = trees.finishing_orders(trees.blocks(n, kernel), 5, rng, resident)
        single = trees.finishing_orders(n, 5, rng, resident and resident * 16)
        one, atomic = (
            next(r for r in result.of(k) if r.n == n) for k in ("one-pass", "atomic sum")
        )
        two = next(r for r in result.of("two-pass", deterministic=True) if r.n == n)
        expected = [run_plan(trees.one_pass(n, order, kernel), values) for order in orders]
        assert one.values.tobytes() == np.array(expected).tobytes()
        expected = [run_plan(plans.in_order(order), values) for order in single]
        assert atomic.values.tobytes() == np.array(expected).tobytes()
        assert one.reference == two.reference == run_plan(trees.two_pass(n, kernel), values)
        assert two.distinct == 1
        assert not two.v_s.any()


def test_the_same_seed_gives_the_same_bits():
    first, again = (gpu_sums(sizes=(3000, 50), tries=4, seed=3) for _ in range(2))
    assert first.to_json() == again.to_json()
    assert Result.from_json(first.to_json()).to_json() == first.to_json()
    assert first.sizes == (50, 3000)
    assert gpu_sums(sizes=50, tries=4, seed=4).of("one-pass")[0].reference != (
        first.of("one-pass")[0].reference
    )


def test_every_order_is_within_the_bound():
    result = gpu_sums(sizes=500, tries=50, distribution="normal", kernel=SMALL)
    values = Inputs.checked(500, "float32", "normal", 1).draw(500)
    problem = error_bounds.Problem.of(values)
    for run in result.runs:
        for value in run.values:
            assert abs(Fraction(float(value)) - problem.total) <= error_bounds.recursive_bound(
                problem
            )


def test_numbers_are_the_same_ones_everywhere():
    inputs = Inputs.checked((100, 10), "float32", "uniform", 5)
    assert (inputs.draw(100)[:10] == inputs.draw(10)).all()
    assert inputs.draw(100).min() >= 0
    assert 9 < inputs.draw(100).max() <= 10


def test_a_simulation_says_what_it_is():
    result = gpu_sums(sizes=(10, 2**20), tries=100)
    assert (result.origin, result.label) == ("simulated", "simulated GPU")
    assert not result.on_gpu
    assert result.costs == ()
    assert result.kernel == GpuKernel()
    assert result.operations == ("one-pass", "two-pass", "atomic sum")
    assert list(result.skipped) == ["atomic sum, n = 1,048,576"]
    if not recorded_names("GpuRecording"):
        assert result.validation.startswith("not validated against a real GPU")
    with pytest.raises(FpdriftError, match="no runs of 'sum'"):
        result.of("sum")


def test_variability_is_as_defined():
    assert scalar_variability(np.float32(3), np.float32(4)) == 0.25
    assert scalar_variability(-5.0, 4.0) == -0.25
    assert scalar_variability(0.0, 0.0) == 0
    assert scalar_variability(1.0, 0.0) == -np.inf
    one = np.float64(1)
    near = np.nextafter(one, 2)
    assert scalar_variability(near, one) == -(2.0**-52)
    result, reference = np.array([1, 2, 3, 0.0]), np.array([1, 4, 3, -0.0])
    assert count_variability(result, reference) == 0.5  # minus zero has other bits
    assert mean_relative_variation(result, reference) == 0.125
    assert mean_relative_variation([np.nan, 1], [np.nan, 1]) == 0
    assert count_variability(np.float32([np.nan]), np.float32([np.nan])) == 0


def test_ulps_and_spread_count_floats():
    run = gpu_sums(sizes=2000, tries=2, kernel=SMALL).of("one-pass")[0]
    above, below = np.float32(1) + np.float32(2) ** -22, np.nextafter(np.float32(1), np.float32(0))
    run = replace(run, reference=np.float32(1), values=np.array([above, below]))
    assert run.ulps.tolist() == [2.0, -0.5]
    assert run.spread == 3
    assert replace(run, values=np.float32([np.nan, 1])).spread is None
    assert replace(run, reference=np.float32(np.inf)).ulps is None
    assert replace(run, values=None, v_s=None).ulps is None


def test_growth_is_a_power_law():
    base = gpu_sums(sizes=(10, 100, 1000), tries=2)
    planted = [
        replace(run, v_s=np.array([-(2.0**-20) * run.n**0.75, 0.0])) for run in base.of("one-pass")
    ]
    alpha, beta = replace(base, runs=tuple(planted)).growth("one-pass")
    assert alpha == pytest.approx(0.75)
    assert beta == pytest.approx(2.0**-20)
    still = tuple(replace(run, v_s=np.zeros(2)) for run in planted)
    assert replace(base, runs=still).growth("one-pass") is None


def recording(sums):
    real = replace(sums, origin="live", device="Planted", on_gpu=True, library="none 1")
    return GpuRecording(
        origin="live",
        device="Planted",
        on_gpu=True,
        library="none 1",
        fast=True,
        sums=real,
        trees=(),
        skipped={},
    )


def test_a_simulation_is_compared_with_the_same_sums_of_a_gpu():
    simulation = gpu_sums(sizes=5000, tries=200, distribution="normal")
    planted = read_recorded(recording(simulation).to_json())
    assert (planted.origin, planted.sums.origin) == ("recorded", "recorded")
    assert planted.label == "recorded: Planted, none 1"
    told = validation(simulation, (planted,))
    assert "one-pass, n = 5,000, against recorded: Planted, none 1: D = 0.00 (p = 1)" in told
    assert "two-pass, n = 5,000, against recorded: Planted, none 1: the same bits" in told
    wide = tuple(
        replace(run, values=run.values + np.float32(1), reference=run.reference + np.float32(1))
        if run.deterministic
        else replace(run, values=run.values * 2)
        for run in simulation.runs
    )
    other = replace(planted, sums=replace(planted.sums, runs=wide))
    told = validation(simulation, (other,))
    assert "D = 1.00" in told
    assert "the same bits" not in told
    for elsewhere in ({"seed": 2}, {"dtype": "float64"}, {"on_gpu": False}):
        other = replace(planted, sums=replace(planted.sums, **elsewhere))
        assert validation(simulation, (other,)).startswith("not validated")
    other_shape = gpu_sums(sizes=5000, tries=3, distribution="normal", kernel=SMALL)
    told = validation(other_shape, (planted,))
    assert "pass" not in told
    assert "atomic sum" in told


def test_nothing_is_invented():
    for name in recorded_names("GpuRecording"):
        found = load_recorded(name)
        assert found.origin == "recorded"
        assert found.on_gpu
        assert found.provenance.device == found.device
    for wrong in (None, "gpu-none", 3, "../secret"):
        with pytest.raises(FpdriftError, match="fpdrift record-gpu") as caught:
            load_recorded(wrong)
        assert ("nothing has been recorded yet" in str(caught.value)) == (not recorded_names())
        with pytest.raises(FpdriftError, match="fpdrift record-gpu"):
            gpu_sums("recorded", name=wrong)
    for text in ("{", "[]", json.dumps({"fpdrift": 1})):
        with pytest.raises(FpdriftError, match="not a "):
            read_recorded(text)


def test_recorded_sums_are_those_of_the_recording(monkeypatch):
    known = {"gpu-planted": recording(gpu_sums(sizes=10, tries=2)), "other": GpuKernel()}
    monkeypatch.setattr(_gpu_sums, "load_recorded", known.get)
    assert gpu_sums("recorded", name="gpu-planted") is known["gpu-planted"].sums
    with pytest.raises(FpdriftError, match="'other' is a GpuKernel, not a GPU recording"):
        gpu_sums("recorded", name="other")
    monkeypatch.undo()
    with pytest.raises(FpdriftError, match="no name given"):
        gpu_sums("recorded")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"origin": "real"}, "unknown origin 'real'"),
        ({"sizes": 0}, "a size is 0"),
        ({"sizes": ()}, "sizes is"),
        ({"sizes": "many"}, "a size is 'many'"),
        ({"sizes": None}, "a size is None"),
        ({"tries": 0}, "tries is 0"),
        ({"dtype": "int8"}, "int8"),
        ({"distribution": "cauchy"}, "unknown distribution"),
        ({"seed": -1}, "seed is -1"),
        ({"kernel": 256}, "kernel is 256"),
        ({"progress": 3}, "progress is 3"),
        ({"origin": "live", "device": "tpu"}, "unknown device"),
        ({"origin": "live", "library": "mxnet"}, "unknown library"),
    ],
)
def test_bad_arguments_are_refused(arguments, named):
    with pytest.raises(FpdriftError, match=named):
        gpu_sums(**arguments)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_no_sum_of_the_float32_inputs_is_subnormal(distribution):
    """A GPU's atomicAdd takes these for zeros; here it need not be simulated."""
    for seed in range(5):
        values = Inputs.checked(2**16, "float32", distribution, seed).draw(2**16)
        # Each sum is a whole multiple of the smallest input's ulp.
        assert np.spacing(np.abs(values[values != 0]).min()) >= np.finfo(np.float32).tiny


def test_the_screen_of_a_simulation_says_what_it_leaves_out():
    from fpdrift.cli.screens import screen
    from fpdrift.reduction.gpu import LIMITS

    result = gpu_sums(sizes=(50,), tries=2)
    text = " ".join(" ".join(screen(result)).split())
    assert all(limit in text for limit in LIMITS)
    assert "not how often a GPU" in text
    live = " ".join(
        " ".join(screen(replace(result, origin="live", device="CPU", library="x"))).split()
    )
    assert not any(limit in live for limit in LIMITS)
