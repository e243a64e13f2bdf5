"""Verdicts on made figures: each rule alone, without a network."""

import dataclasses
import json
import math

import ml_dtypes
import numpy as np
import pytest

from fpdrift.training import Judged, Measure, Repeated
from fpdrift.training.deciding import (
    MARGIN,
    STARTS,
    decide,
    same_batch,
    start_decided,
    start_distances,
)
from fpdrift.training.dumps import Seen
from fpdrift.training.kinds import Side, distances, kinds_of, starts_of, tensors_of

U32, U64 = 2.0**-23, 2.0**-52


def step(gradient=0.0, update=0.0, start=0.0, *, batch=0.0, key=7, dtype=np.float32):
    """Make a step of two weights, a momentum, a learning rate and a generator's key."""

    def array(*values):
        return np.array(values, dtype)

    w = array(2 + start, 0)
    return [
        Seen("before", "batch/0", "", array(1 + batch, 1)),
        Seen("before", "dense/kernel", "", w),
        Seen("before", "sgd/dense/kernel/momentum", "", array(1, 1)),
        Seen("before", "sgd/learning_rate", "", array(0.01)),
        Seen("before", "drop/key", "", np.array([key])),
        Seen("forward", "dense/output", "dense", array(1 + gradient)),
        Seen("loss", "loss", "", array(5)),
        Seen("backward", "dense/output", "", array(1 + gradient)),
        Seen("backward", "dense/kernel", "dense", array(3 + gradient, 4)),
        Seen("after", "dense/kernel", "", w + array(4 + update, 3)),
        Seen("after", "sgd/dense/kernel/momentum", "", array(2, 1)),
        Seen("after", "sgd/learning_rate", "", array(0.01)),
        Seen("after", "drop/key", "", np.array([key + 1])),
    ]


def side(*arguments, spread=None, dtype=np.float32, **more):
    seen = step(*arguments, dtype=dtype, **more)
    return Side(seen, spread or {}, U64 if dtype == np.float64 else U32)


def verdict(low, high=None, spread=None):
    wide = [side(dtype=np.float64), side(*high, dtype=np.float64)] if high else [None, None]
    return decide(side(spread=spread), side(*low), *wide)


def test_kinds_are_what_a_step_adds():
    kinds = kinds_of(step(0.5, 0.25))
    assert set(kinds) == {"loss", "gradient", "update", "update of momentum"}
    assert list(kinds["gradient"]) == ["dense/kernel"]  # of the weights alone
    assert kinds["gradient"]["dense/kernel"].tolist() == [3.5, 4]
    assert kinds["update"]["dense/kernel"].tolist() == [4.25, 3]
    assert kinds["update of momentum"]["sgd/dense/kernel/momentum"].tolist() == [1, 0]
    starts = starts_of(step())
    assert list(starts) == ["batch/0", "weights", "momentum", "learning_rate", "key"]
    tensors = tensors_of(step(0.5, 0.25))
    assert tensors["after dense/kernel"][""].tolist() == [4.25, 3]
    assert tensors["backward dense/output"][""].tolist() == [1.5]
    assert "after drop/key" not in tensors


def test_distances_are_pooled_and_relative():
    a = {"k": {"x": np.array([3.0, 0]), "y": np.array([4.0]), "z": np.ones(2)}}
    b = {"k": {"x": np.array([3.0, 1]), "y": np.array([4.0]), "z": np.ones(3)}}
    assert distances(a, b) == {"k": 0.2}
    zero, one = {"k": {"x": np.zeros(1)}}, {"k": {"x": np.ones(1)}}
    assert distances(zero, zero) == {"k": 0}
    assert distances(zero, one) == {"k": math.inf}
    assert math.isnan(distances(one, {"k": {"x": np.array([math.nan])}})["k"])


def test_what_stays_in_float64_is_other_mathematics_however_small():
    found = verdict((0, 2e-6), (0, 2e-6))
    assert found.verdict == "other mathematics"
    assert found.first == "after dense/kernel"
    (low,) = [m for m in found.measures if m.what == "update"]
    assert low.stays
    assert not low.beyond
    assert low.explained == MARGIN * U32
    assert low.explained64 == MARGIN * U64


def test_what_shrinks_is_rounding_unless_nudges_gave_less():
    assert verdict((2e-6,), (1e-15,)).verdict == "rounding"
    assert verdict((2e-2,), (1e-15,)).verdict == "cannot tell"
    spread = {"gradient": 1e-4, "forward dense/output": 1e-3}
    assert verdict((2e-2,), (1e-15,), spread).verdict == "rounding"
    assert verdict((2e-6,), (1e-15,)).first is None


def test_without_float64_only_what_is_large_is_told():
    assert verdict((2e-6,)).verdict == "cannot tell"
    found = verdict((2e-2,))
    assert (found.verdict, found.first) == ("other mathematics", "forward dense/output")
    assert verdict((math.nan,)).verdict == "other mathematics"


def test_the_larger_spread_of_either_side_counts():
    a, b = side(), side(2e-2, spread={"gradient": 1e-3, "forward dense/output": 1e-3})
    assert decide(a, b, None, None).verdict == "cannot tell"


def test_equal_steps_are_no_finding():
    assert verdict((0,), (0,)).verdict == "cannot tell"


@pytest.mark.parametrize(
    ("other", "first"),
    [
        ({"start": 8e-6}, "before dense/kernel"),
        ({"key": 8}, "before drop/key"),
        ({"start": 1e-6}, None),
        ({"batch": 1.0}, None),
    ],
)
def test_other_starts_are_told_from_rounded_ones(other, first):
    a, b = step(), step(**other)
    start = start_distances(a, b)
    assert len(start) == 1
    found = start_decided(a, b, start)
    assert (found and found.first) == first
    assert same_batch(a, b, start) == ("batch" not in other)


@pytest.mark.parametrize(
    ("size", "told"), [(0.0, "bias, zeros or not finite in one"), (1.0, "bias, 1.0e-05 apart")]
)
def test_a_small_tensor_is_held_against_its_own_size(size, told):
    """A bias that starts otherwise is hardly anything among all weights, and yet no rounding."""
    pair = []
    for bias in (size * 1e-4, size * 1e-4 + 1e-9):
        bias = Seen("before", "dense/bias", "", np.array([bias], np.float32))
        pair.append([bias, Seen("backward", "dense/bias", "dense", np.ones(1)), *step()])
    start = start_distances(*pair)
    assert start["weights"] < 2**-30
    found = start_decided(*pair, start)
    assert (found.verdict, found.first) == ("other mathematics", "before dense/bias")
    assert found.reason.endswith(told)


def test_a_learning_rate_is_never_rounded():
    a, b = step(), step()
    b[3] = b[3]._replace(values=np.nextafter(b[3].values, np.float32(1)))
    found = start_decided(a, b, start_distances(a, b))
    assert (found.verdict, found.first) == ("other mathematics", "before sgd/learning_rate")


def test_the_coarser_dtype_of_the_two_says_what_rounding_is():
    assert STARTS * 2**-7 > 0.01
    a, b = step(), step(start=0.02, dtype=ml_dtypes.bfloat16)
    assert start_decided(a, b, {"weights": 0.01}) is None
    assert start_decided(a, step(start=0.02), {"weights": 0.01}) is not None


def test_a_verdict_is_told_in_a_line_and_kept_exactly():
    measure = Measure(
        what="gradient", distance=1e-3, explained=1e-5, distance64=None, explained64=None
    )
    assert not measure.stays
    assert str(measure) == "gradient: 1.0e-03 (rounding can give 1.0e-05)"
    judged = Judged(
        verdict="other mathematics",
        reason="so",
        step=3,
        measures=(measure,),
        first=None,
        start={"weights": math.inf},
        settings=(),
        run_a=None,
        run_b=None,
    )
    assert str(judged) == "step 3: other mathematics: so"
    assert Judged.from_json(judged.to_json()) == judged
    assert judged["gradient"] is measure
    with pytest.raises(KeyError):
        judged["update"]
    assert json.loads(judged.to_json())["result"]


def test_a_verdict_on_other_bits_than_the_runs_own_says_so():
    def run(name, *unfaithful):
        return Repeated(
            name=name, checked=2, mismatch=None, mismatch_tensors=(), unfaithful=unfaithful
        )

    judged = Judged(
        verdict="rounding",
        reason="so",
        step=1,
        measures=(),
        first=None,
        start={},
        settings=(),
        run_a=run("a"),
        run_b=run("b"),
    )
    assert judged.exact
    assert str(judged) == "step 1: rounding: so"
    beware = dataclasses.replace(judged, run_b=run("b", "dense/kernel"))
    assert not beware.exact
    assert str(beware).startswith("step 1: rounding: so; b: taken apart, the step ends with other")
