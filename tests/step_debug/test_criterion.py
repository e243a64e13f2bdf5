"""Verdicts on made figures: each rule alone, without a network."""

import dataclasses
import json
import math

import ml_dtypes
import numpy as np
import pytest

from fpdrift.step_debug import Diagnosis, Measure, RerunCheck
from fpdrift.step_debug._criterion import (
    LUCK,
    MARGIN,
    ONCE,
    SIZE,
    STARTS,
    Decision,
    decide,
    decide_start,
    same_batch,
    start_distances,
)
from fpdrift.step_debug._quantities import (
    Side,
    distances,
    distances_by_kind,
    kinds_of,
    noise_of,
    read,
    relative_distance,
    starts_of,
    tensors_of,
    write,
)
from fpdrift.step_debug._trace_file import TracedTensor

U32, U64 = 2.0**-23, 2.0**-52
MEASURE = Measure(what="gradient", distance=1e-3, explained=1e-5, distance64=None, explained64=None)


def step(gradient=0.0, update=0.0, start=0.0, *, batch=0.0, key=7, dtype=np.float32):
    """Make a step of two weights, a momentum, a learning rate and a generator's key."""

    def array(*values):
        return np.array(values, dtype)

    w = array(2 + start, 0)
    return [
        TracedTensor("before", "batch/0", "", array(1 + batch, 1)),
        TracedTensor("before", "dense/kernel", "", w),
        TracedTensor("before", "sgd/dense/kernel/momentum", "", array(1, 1)),
        TracedTensor("before", "sgd/learning_rate", "", array(0.01)),
        TracedTensor("before", "drop/key", "", np.array([key])),
        TracedTensor("forward", "dense/output", "dense", array(1 + gradient)),
        TracedTensor("loss", "loss", "", array(5)),
        TracedTensor("backward", "dense/output", "", array(1 + gradient)),
        TracedTensor("backward", "dense/kernel", "dense", array(3 + gradient, 4)),
        TracedTensor("after", "dense/kernel", "", w + array(4 + update, 3)),
        TracedTensor("after", "sgd/dense/kernel/momentum", "", array(2, 1)),
        TracedTensor("after", "sgd/learning_rate", "", array(0.01)),
        TracedTensor("after", "drop/key", "", np.array([key + 1])),
    ]


def side(*arguments, spread=None, dtype=np.float32, about=None, **more):
    seen = step(*arguments, dtype=dtype, **more)
    return Side(seen, spread or {}, U64 if dtype == np.float64 else U32, **about or {})


def verdict(low, high=None, spread=None, about=None):
    """Judge a step against the same with gradient and update moved, in float32 and in float64."""
    wide = [None, None]
    if high:
        wide = [side(dtype=np.float64), side(*high, dtype=np.float64, about=about)]
    return decide(side(spread=spread), side(*low), *wide)


def judged(decided):
    """Make a result of what was decided."""
    nothing = {"step": None, "start": {}, "settings": (), "run_a": None, "run_b": None}
    return Diagnosis(**decided._asdict(), **nothing)


def reason(decided):
    return judged(decided).reason


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
    assert tensors["after"]["dense/kernel"].tolist() == [4.25, 3]
    assert tensors["backward"]["dense/output"].tolist() == [1.5]
    assert "drop/key" not in tensors["after"]


def test_distances_are_relative_each_or_pooled():
    a = {"k": {"x": np.array([3.0, 0]), "y": np.array([4.0]), "z": np.ones(2)}}
    b = {"k": {"x": np.array([3.0, 1]), "y": np.array([4.0]), "z": np.ones(3)}}
    assert distances_by_kind(a, b) == {"k": 0.2}
    assert distances_by_kind(a, {}) == {"k": 0}
    assert distances(a, b) == {("k", "x"): pytest.approx(1 / 3), ("k", "y"): 0}
    noise = {"x": np.array([False, True])}
    assert distances(a, b, noise)["k", "x"] == 0
    slot = {"update of m": {"sgd/x/m": np.array([3.0, 0])}}
    assert distances(slot, {"update of m": {"sgd/x/m": np.array([3.0, 1])}}, noise) == {
        ("update of m", "sgd/x/m"): 0
    }


@pytest.mark.parametrize(
    ("a", "b", "far"),
    [
        ([0, 0], [0, 0], 0),
        ([0, 0], [1, 0], math.inf),
        ([3, math.nan], [3, math.nan], 0),
        ([4, math.inf], [5, math.inf], 0.25),
        ([math.inf, 1], [-math.inf, 1], math.nan),
        ([1, 2], [1, math.nan], math.nan),
    ],
)
def test_what_is_not_finite_in_one_place_is_equal(a, b, far):
    assert relative_distance(*(np.array(x, float) for x in (a, b))) == pytest.approx(
        far, nan_ok=True
    )


def test_elements_that_nudges_bring_near_zero_are_noise():
    def kinds(*values):
        return {"gradient": {"w": np.array(values, float)}}

    found = noise_of(
        kinds(1, 1e-9, 0, 0), [kinds(1, 2e-9, 0, 1e-12), kinds(1 + 1e-7, 0, 0, 0)], 100
    )
    assert found["w"].tolist() == [False, True, False, True]


def blown(seen):
    """Make a step's loss, gradient and update NaN, as a NaN in its batch does."""
    lost = ("loss", "backward", "after")
    return [
        item._replace(values=np.full_like(item.values, math.nan))
        if item.stage in lost and item.values.dtype.kind == "f"
        else item
        for item in seen
    ]


def test_what_is_not_finite_hides_a_difference_and_makes_none():
    def judged(moved, moved64):
        low, other = side(), side(moved)
        wide, other64 = side(dtype=np.float64), side(moved64, dtype=np.float64)
        return decide(*(s._replace(seen=blown(s.seen)) for s in (low, other, wide, other64)))

    assert judged(0, 0).verdict == "identical"
    assert judged(1e-7, 1e-16).verdict == "identical"  # of what is judged; the rest is rounding
    found = judged(0.1, 0.1)
    assert (found.verdict, found.cause) == ("cannot tell", "hidden by NaN")
    assert found.names == ("forward dense/output",)


def test_what_stays_in_float64_is_a_different_computation_however_small():
    found = verdict((0, 2e-6), (0, 2e-6))
    assert found.verdict == "different computation"
    assert found.first == "after dense/kernel"
    (low,) = [m for m in found.measures if m.what == "update"]
    assert low.stays
    assert not low.beyond
    assert low.tensor == "dense/kernel"
    assert low.explained == MARGIN * U32
    assert low.explained64 == LUCK * low.distance * U64 / U32 > MARGIN * U64


def test_what_shrinks_as_rounding_does_is_rounding_however_large():
    """An ill-conditioned formula: the factor between both precisions tells, not the size."""
    assert verdict((0.2,), (0.2 * U64 / U32,)).verdict == "rounding"
    assert verdict((0.2,), (100 * 0.2 * U64 / U32,)).verdict == "rounding"
    assert verdict((0.2,), (1e5 * 0.2 * U64 / U32,)).verdict == "different computation"
    assert verdict((2e-6,), (1e-15,)).verdict == "rounding"
    assert verdict((2e-6,), (1e-15,)).first is None


def test_a_single_number_that_is_equal_by_luck_is_not_a_different_computation():
    """Held against what is usual among the tensors: here they are all far apart but the loss."""
    pairs = []
    for dtype, by in ((np.float32, 0.1), (np.float64, 1e-10)):
        moved = [
            s._replace(values=s.values * (1 + (by if s.name != "loss" or by < 0.01 else 0)))
            if s.stage in ("loss", "backward", "after") and s.name != "drop/key"
            else s
            for s in step(dtype=dtype)
        ]
        pairs += [side(dtype=dtype), side(dtype=dtype)._replace(seen=moved)]
    found = decide(*pairs)
    assert found.verdict == "rounding"
    (loss,) = [m for m in found.measures if m.what == "loss"]
    assert (loss.distance, loss.distance64 > MARGIN * U64) == (0, True)


def test_what_shrinks_by_far_more_than_rounding_cannot_be_told():
    assert verdict((2e-2,), (1e-17,)).verdict == "cannot tell"
    spread = {("gradient", "dense/kernel"): 1e-4}
    assert verdict((2e-2,), (1e-17,), spread).verdict == "rounding"


def test_a_small_tensor_is_not_lost_among_large_ones():
    """What one tensor's nudges allow is not allowed to another."""
    spread = {
        ("update", "dense/bias"): 10.0,
        ("update of momentum", "sgd/dense/kernel/momentum"): 10.0,
    }
    found = verdict((0, 2e-2), (0, 2e-2), spread)
    assert (found.verdict, found.first) == ("different computation", "after dense/kernel")


def test_without_float64_only_what_is_very_large_is_told():
    assert verdict((2e-6,)).verdict == "cannot tell"
    edge = SIZE * MARGIN * U32 * 5  # the size of the gradient
    assert verdict((0.9 * edge,)).verdict == "cannot tell"
    found = verdict((1.1 * edge,))
    assert (found.verdict, found.first) == ("different computation", "forward dense/output")
    assert verdict((math.nan,)).verdict == "different computation"


@pytest.mark.parametrize(
    ("about", "says", "share"),
    [
        ({"narrow": ("last/Cast",)}, "in the float64 step B still uses float32, in last/Cast", 1),
        ({"constants": {b"c": "mul/y"}}, "B uses a constant rounded to float32", ONCE),
    ],
)
def test_where_float32_remains_no_small_difference_is_told(about, says, share):
    found = verdict((2e-6,), (1e-8,), about=about)
    assert found.verdict == "cannot tell"
    assert says in reason(found)
    assert verdict((2e-6,), (1e-15,), about=about).verdict == "rounding"  # it shrinks all the same
    edge = share * MARGIN * U32 * 5  # the size of the gradient
    assert verdict((edge,), (0.9 * edge,), about=about).verdict == "cannot tell"
    assert verdict((edge,), (2 * edge,), about=about).verdict == "different computation"


def test_a_constant_of_both_is_no_excuse():
    wide = [
        side(*far, dtype=np.float64, about={"constants": {b"c": "mul/y"}}) for far in ((), (1e-8,))
    ]
    assert decide(side(), side(2e-6), *wide).verdict == "different computation"


def test_a_step_that_does_not_repeat_itself_is_not_judged():
    not_repeatable = side(about={"not_repeatable": "forward noise/output"})
    for pair, name in (((not_repeatable, side(0.5)), "A"), ((side(0.5), not_repeatable), "B")):
        found = decide(*pair, None, None)
        assert found.verdict == "cannot tell"
        assert f"{name}'s step is not repeatable" in reason(found)
        assert "forward noise/output" in reason(found)


def test_numbers_whose_sign_is_noise_say_nothing():
    noise = {"noise": {"dense/kernel": np.array([True, False])}}
    low = side(about=noise), side(0, 0.5)
    wide = side(dtype=np.float64, about=noise), side(0, 0.5, dtype=np.float64)
    shrunk = side(0, 1e-16, dtype=np.float64)
    assert decide(*low, wide[0], shrunk).verdict == "rounding"
    found = decide(*low, *wide)
    assert found.verdict == "cannot tell"
    assert "sign is rounding noise, such as in dense/kernel" in reason(found)


def test_a_gradient_that_rounding_turns_round_says_nothing_of_the_step_in_float32():
    """As in an ill-conditioned network under Lion; in float64 all is told."""

    def turned(by, update, dtype):
        seen = step(dtype=dtype)
        moved = {
            ("backward", "dense/kernel"): [by, 4.0],
            ("after", "dense/kernel"): [2 + update, 3.0],
        }
        return [
            item._replace(values=np.asarray(moved.get((item.stage, item.name), item.values), dtype))
            for item in seen
        ]

    def sides(far, dtype):
        seen = turned(1e-3, 1.0, dtype), turned(1e-3 - far, 1.0 if far < 1e-3 else -1.0, dtype)
        return [side(dtype=dtype)._replace(seen=items) for items in seen]

    low = sides(2e-3, np.float32)
    assert decide(*low, *sides(2e-3 * U64 / U32, np.float64)).verdict == "rounding"
    assert decide(*low, *sides(2e-3, np.float64)).verdict == "different computation"


def test_equal_steps_are_identical():
    for high in ((0,), (1e-16,)):
        found = verdict((0,), high)
        assert (found.verdict, found.first) == ("identical", None)
    assert verdict((0,), (1e-9,)).verdict == "different computation"  # float32 hides it


def test_a_side_is_kept_in_a_file(tmp_path):
    given = side(
        0.5,
        spread={("gradient", "dense/kernel"): math.inf, ("loss", "loss"): 0.1},
        about={
            "noise": {"dense/kernel": np.array([True, False])},
            "not_repeatable": "loss loss",
            "narrow": ("a/b",),
            "constants": {b"\x00c": "d"},
        },
    )
    write(tmp_path / "side.npz", given)
    found = read(tmp_path / "side.npz")
    for name in ("spread", "spacing", "not_repeatable", "narrow", "constants"):
        assert getattr(found, name) == getattr(given, name)
    assert found.noise["dense/kernel"].tolist() == [True, False]
    for ours, theirs in zip(found.seen, given.seen, strict=True):
        assert ours[:3] == theirs[:3]
        np.testing.assert_array_equal(ours.values, theirs.values)


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
    found = decide_start(a, b, start)
    assert (found and found.first) == first
    assert same_batch(a, b, start) == ("batch" not in other)


@pytest.mark.parametrize(
    ("by", "same"), [(2**-23, True), (2e-5, False), (math.inf, False), (math.nan, False)]
)
def test_one_number_of_a_batch_is_not_lost_among_all(by, same):
    """Held against what is usual in the batch, not against the norm of all of it."""
    images = np.random.default_rng(1).random((512, 784)).astype(np.float32)
    images[0, 0] = math.nan  # in both
    other = images.copy()
    other[3, 4] += np.float32(by)
    a, b = ([TracedTensor("before", "batch/0", "", x), *step()[1:]] for x in (images, other))
    assert same_batch(a, b, start_distances(a, b)) == same


def test_a_batch_of_another_size_is_a_difference():
    a = step()
    b = [TracedTensor("before", "batch/0", "", np.ones(1, np.float32)), *step()[1:]]
    assert start_distances(a, b) == {"batch/0": math.inf}
    assert not same_batch(a, b, start_distances(a, b))


def test_sample_weights_of_one_alone_are_a_difference():
    a = step()
    b = [*step(), TracedTensor("before", "batch/2", "", np.ones(2, np.float32))]
    for pair in ((a, b), (b, a)):
        start = start_distances(*pair)
        assert start == {"batch/2": math.inf}
        assert decide_start(*pair, start) is None
        assert not same_batch(*pair, start)


@pytest.mark.parametrize(
    ("size", "told"),
    [(0.0, "bias, zero or not finite on one side"), (1.0, "bias, relative distance 1.0e-05")],
)
def test_a_small_tensor_is_held_against_its_own_size(size, told):
    """A bias that starts otherwise is hardly anything among all weights, and yet no rounding."""
    pair = []
    for bias in (size * 1e-4, size * 1e-4 + 1e-9):
        bias = TracedTensor("before", "dense/bias", "", np.array([bias], np.float32))
        pair.append([bias, TracedTensor("backward", "dense/bias", "dense", np.ones(1)), *step()])
    start = start_distances(*pair)
    assert start["weights"] < 2**-30
    found = decide_start(*pair, start)
    assert (found.verdict, found.first) == ("different computation", "before dense/bias")
    assert reason(found).endswith(told)
    assert found.by.explained == STARTS * U32


def test_a_learning_rate_is_never_rounded():
    a, b = step(), step()
    b[3] = b[3]._replace(values=np.nextafter(b[3].values, np.float32(1)))
    found = decide_start(a, b, start_distances(a, b))
    assert (found.verdict, found.first) == ("different computation", "before sgd/learning_rate")


def test_the_coarser_dtype_of_the_two_says_what_rounding_is():
    assert STARTS * 2**-7 > 0.01
    a, b = step(), step(start=0.02, dtype=ml_dtypes.bfloat16)
    assert decide_start(a, b, {"weights": 0.01}) is None
    assert decide_start(a, step(start=0.02), {"weights": 0.01}) is not None


def test_a_verdict_is_told_in_a_line_and_kept_exactly():
    measure = MEASURE
    assert not measure.stays
    assert str(measure) == "gradient: 1.0e-03 (rounding explains up to 1.0e-05)"
    named = dataclasses.replace(measure, tensor="dense/kernel")
    assert str(named) == "gradient of dense/kernel: 1.0e-03 (rounding explains up to 1.0e-05)"
    judged = Diagnosis(
        verdict="different computation",
        cause="stays",
        by=named,
        step=3,
        measures=(measure,),
        first=None,
        start={"weights": math.inf},
        settings=(),
        run_a=None,
        run_b=None,
    )
    assert (
        str(judged) == f"step 3: different computation: the difference remains in float64: {named}"
    )
    assert Diagnosis.from_json(judged.to_json()) == judged
    assert judged["gradient"] is measure
    with pytest.raises(KeyError):
        judged["update"]
    assert json.loads(judged.to_json())["result"]


OLDER = "nothing of it is left in float64"
NO_FLOAT64 = "rounding can give as much, but"


@pytest.mark.parametrize(
    ("told", "cause", "named"),
    [
        ("no bit of what the step computes differs", "same bits", None),
        ("no bit of what the step computes differs, although batch/0 does", "same bits", None),
        (f"{OLDER}: gradient: 1.0e-03 (rounding can give 1.0e-05)", "shrinks", "gradient"),
        (f"{OLDER}, yet rounding gave less: gradient: 1.0e-03 (", "shrinks too far", "gradient"),
        ("it stays in float64: gradient: 1.0e-03 (rounding", "stays", "gradient"),
        ("it is more than rounding can give: gradient: 1.0e-03 (", "large", "gradient"),
        ("the two start from other values: a/key, 2.0e-03 apart", "other start", "start"),
        ("the two start from other values: a/key, zeros or not", "other start", "start"),
        ("rounding can give as much, but the step could not be repeated in", "not known", None),
        (f"{NO_FLOAT64} the step could not be repeated in float64", "no float64", None),
        ("it stays in float64: gone: 1.0e-03 (", "not known", None),
        ("nothing that the step computes differs, in float64 neither", "not known", None),
    ],
)
def test_the_cause_is_read_from_the_sentence_that_an_older_file_stores(told, cause, named):
    found = judged(Decision("rounding", "stays", by=MEASURE, measures=(MEASURE,)))
    document = json.loads(found.to_json())
    older = document["result"]
    assert "reason" not in older
    for name in ("cause", "names", "by", "weighted"):
        del older[name]
    older["reason"] = told
    read_again = Diagnosis.from_json(json.dumps(document))
    assert read_again.cause == cause
    assert (read_again.by and read_again.by.what) == named
    if named == "gradient":
        assert read_again.reason.endswith(str(MEASURE))
    if cause == "other start":
        assert "start from different values: a/key" in read_again.reason


def test_what_is_not_finite_in_one_alone_is_beyond_rounding():
    odd = dataclasses.replace(MEASURE, distance=math.nan, distance64=math.nan, explained64=1.0)
    assert odd.beyond
    assert odd.stays
    assert not dataclasses.replace(odd, distance=MEASURE.explained).beyond


def test_a_verdict_on_other_bits_than_the_runs_own_says_so():
    def run(name, *unfaithful):
        return RerunCheck(
            name=name, checked=2, mismatch=None, mismatch_tensors=(), unfaithful=unfaithful
        )

    judged = Diagnosis(
        verdict="rounding",
        cause="shrinks",
        by=MEASURE,
        step=1,
        measures=(),
        first=None,
        start={},
        settings=(),
        run_a=run("a"),
        run_b=run("b"),
    )
    assert judged.exact
    shrinks = f"the difference shrinks in float64 as rounding does: {MEASURE}"
    assert str(judged) == f"step 1: rounding: {shrinks}"
    beware = dataclasses.replace(judged, run_b=run("b", "dense/kernel"))
    assert not beware.exact
    assert str(beware).startswith(
        f"step 1: rounding: {shrinks}; b: the traced step is not bit-identical "
    )
