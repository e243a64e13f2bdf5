"""Why two runs differ: the first line of a comparison."""

import numpy as np
import pytest
from make_record import make_record

from fpdrift.comparison import compare

FLOAT32 = {"keras": {"dtype_policy": "float32", "seed": 1}}


def run(*weights, loss=None, meta=FLOAT32, **fields):
    """Make a record whose one weight has the given values, one for each step from 0 on."""
    states = [{"dense/kernel": np.float32([value, 1.0])} for value in weights]
    losses = np.full(len(states), 2.0) if loss is None else np.array(loss, float)
    return make_record(states, loss=losses, meta=meta, **fields)


def kind_of(a, b):
    return compare(a, b).verdict.kind


def test_equal_runs_are_identical():
    assert kind_of(run(1, 2, 3), run(1, 2, 3)) == "identical"


def test_losses_that_differ_over_equal_weights_are_mentioned():
    found = compare(run(1, 2), run(1, 2, loss=(2, 2.5))).verdict
    assert (found.kind, "losses differ" in found.reason) == ("identical", True)


def test_an_unseeded_pair_started_from_different_weights():
    unseeded = {"keras": {"dtype_policy": "float32", "seed": None}}
    found = compare(run(1, 2, meta=unseeded), run(3, 4, meta=unseeded)).verdict
    assert found.kind == "different start"
    assert "dense/kernel" in found.reason
    assert "neither run called keras.utils.set_random_seed" in found.reason
    assert "set_random_seed" in found.remedy


def test_two_seeds_are_named_once():
    other = {"keras": {"dtype_policy": "float32", "seed": 2}, "seed": 2}
    found = compare(run(1, 2, meta=FLOAT32 | {"seed": 1}), run(3, 4, meta=other)).verdict
    assert found.reason.count("seed 1 in a, 2 in b") == 1


def test_a_seed_is_blamed_only_where_more_than_rounding_differs():
    seeded = [FLOAT32 | {"condition": {"order_seed": seed}} for seed in (1, 2)]
    a, b = (run(1, 2 + 1e-6 * i, meta=meta) for i, meta in enumerate(seeded))
    assert kind_of(a, b) == "consistent with rounding"
    a, b = (run(1, 2 + i, loss=(2, 2 + i), meta=meta) for i, meta in enumerate(seeded))
    found = compare(a, b).verdict
    assert found.kind == "different computation"
    assert "order_seed 1 in a, 2 in b" in found.reason


def digests(**values):
    return {"digests": {name: np.array(found, np.uint64) for name, found in values.items()}}


@pytest.mark.parametrize("meta", [FLOAT32, {"keras": {"dtype_policy": "mixed_float16"}}])
@pytest.mark.parametrize("gap", [1e-6, 1])
def test_batches_that_differ_are_the_reason(meta, gap):
    a = run(1, 2, 3, meta=meta, **digests(batch=[0, 5, 6]))
    b = run(1, 2, 3 + gap, meta=meta, **digests(batch=[0, 5, 7]))
    found = compare(a, b).verdict
    assert (found.kind, found.reason) == ("different computation", "the batches of step 2 differ")
    assert not found.may_be_rounding
    later = run(1, 2, 3 + gap, meta=meta, **digests(batch=[0, 9, 6]))
    assert compare(a, later).verdict.reason == (
        "the batches of step 1 differ, and the states from step 2 on"
    )


def test_batches_that_differ_after_the_first_difference_are_not_blamed():
    a = run(1, 2, 3, **digests(batch=[0, 5, 6]))
    b = run(1, 2 + 1e-6, 3, **digests(batch=[0, 5, 7]))
    found = compare(a, b).verdict
    assert found.kind == "consistent with rounding"
    assert found.reason.endswith("; the batches are equal")


def test_equal_batches_leave_fewer_things_to_check():
    a, b = (run(1, 2 + i, loss=(2, 2 + i), **digests(batch=[0, 5])) for i in range(2))
    found = compare(a, b).verdict
    assert "the batches are equal" in found.reason
    assert found.remedy == "check for different dropout mask, or loss"
    one_only = compare(a, run(1, 3, loss=(2, 3))).verdict
    assert "batches" not in one_only.reason
    assert "different data" in one_only.remedy


def test_batches_that_differ_over_equal_weights_are_mentioned():
    a, b = (run(1, 2, **digests(batch=[0, 5 + i])) for i in range(2))
    found = compare(a, b).verdict
    assert (found.kind, found.reason.partition("; ")[2]) == (
        "identical",
        "the batches of step 1 differ",
    )


def test_generators_are_named_only_where_more_than_rounding_differs():
    a, b = (run(1, 2 + 1e-6 * i, **digests(numpy=[3, 4 + i], python=[1, 1])) for i in range(2))
    pair = compare(a, b)
    assert (pair.verdict.kind, "NumPy" in pair.verdict.reason) == (
        "consistent with rounding",
        False,
    )
    assert [tensor.name for tensor in pair.first_difference.tensors] == ["dense/kernel"]
    a, b = (run(1, 2 + i, **digests(numpy=[3, 4 + i], python=[1 + i, 1])) for i in range(2))
    reason = compare(a, b).verdict.reason
    assert "the states of NumPy's global generator differ from step 1 on" in reason
    assert "the states of Python's random differ from the start" in reason
    a, b = (run(1 + i, 2, **digests(numpy=[3 + i, 4])) for i in range(2))
    found = compare(a, b).verdict
    assert found.kind == "different start"
    assert "the states of NumPy's global generator differ from the start" in found.reason


def test_data_that_were_watched_are_not_called_unknown():
    watched = run(1, 2, **digests(batch=[0, 5]))
    assert "data" not in compare(watched, watched).differs
    assert compare(watched, run(1, 2)).differs["data"] == ("unknown", "unknown")


def test_arrays_that_differ_are_different_settings():
    a, b = (run(1, 2 + i, meta=FLOAT32 | {"recorder": {"data": str(i)}}) for i in range(2))
    found = compare(a, b).verdict
    assert (found.kind, "data 0 in a, 1 in b" in found.reason) == (
        "different settings",
        True,
    )


def test_digests_survive_json():
    a, b = (run(1, 2, **digests(batch=[0, 5 + i])) for i in range(2))
    pair = compare(a, b)
    again = type(pair).from_json(pair.to_json())
    np.testing.assert_array_equal(again.same_digests["batch"], [np.nan, 0])
    assert again.verdict == pair.verdict


def test_a_perturbation_needs_no_seed():
    asked = FLOAT32 | {"condition": {"perturbation": {"kind": "noise", "eps": 1e-8}}}
    found = compare(run(1, 2), run(1.00001, 2, meta=asked)).verdict
    assert (found.kind, found.remedy) == ("different start", "")


def test_a_setting_that_decides_what_is_computed_is_named():
    rates = [
        {"keras": {"dtype_policy": "float32", "optimizers": [{"learning_rate": rate}]}}
        for rate in (0.01, 0.02)
    ]
    found = compare(*(run(1, 2 + i, meta=meta) for i, meta in enumerate(rates))).verdict
    assert found.kind == "different settings"
    assert "learning_rate 0.01 in a, 0.02 in b" in found.reason


def test_a_setting_that_changes_rounding_alone_is_not_blamed():
    threads = [FLOAT32 | {"condition": {"intra_op_threads": n}} for n in (1, 2)]
    a, b = (run(1, 2 + 1e-6 * i, meta=meta) for i, meta in enumerate(threads))
    assert kind_of(a, b) == "consistent with rounding"


def test_a_generator_s_state_is_a_start_too():
    a, b = (
        make_record(
            [{"w": np.float32([i]), "generator": np.uint32([seed, 0])} for i in (1, 2)],
            roles={"generator": "seed"},
            meta=FLOAT32,
        )
        for seed in (1, 2)
    )
    found = compare(a, b).verdict
    assert found.kind == "different start"
    assert "generator" in found.reason


@pytest.mark.parametrize(
    ("gap", "moved", "kind"),
    [
        (0.0, 3e-7, "consistent with rounding"),
        (5e-6, 1e-4, "consistent with rounding"),
        (3e-5, 1e-4, "cannot tell"),
        (1e-3, 1e-7, "different computation"),
        (0.0, 0.02, "cannot tell"),
        (0.0, 0.9, "different computation"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_first_update_from_equal_states_decides(gap, moved, kind, sign):
    """The weight moves by 1, so that `moved` is a share of the step."""
    a = run(1, 2, 3, loss=(np.nan, sign * 2, 1))
    b = run(1, 2 - moved, 4, loss=(np.nan, sign * 2 * (1 + gap), 1))
    assert kind_of(a, b) == kind


def test_a_later_update_decides_likewise():
    a, b = run(1, 2, 3, 4), run(1, 2, 3, 5, loss=(2, 2, 2, 2.5))
    found = compare(a, b).verdict
    assert found.kind == "different computation"
    assert found.reason.startswith("step 3 ")


def test_losses_of_two_signs_are_not_equal():
    a, b = run(1, 2, loss=(np.nan, 2)), run(1, 2.0000002, loss=(np.nan, -2))
    assert kind_of(a, b) == "different computation"


def test_steps_that_nobody_recorded_leave_it_open():
    steps = (0, 10, 20)
    a, b = run(1, 2, 3, steps=steps), run(1, 2.1, 3, steps=steps)
    found = compare(a, b).verdict
    assert (found.kind, found.remedy) == ("cannot tell", "record every step up to step 10")


@pytest.mark.parametrize(
    "fields",
    [
        {"loss": (np.nan, np.nan)},
        {"loss": (np.nan, 1e-5)},
        {"loss_kind": "running mean"},
        {"loss_kind": "execution"},
        {"meta": {"keras": {"dtype_policy": "mixed_float16", "seed": 1}}},
        {"meta": {}},
    ],
)
def test_without_a_loss_or_a_bound_it_is_left_open(fields):
    found = compare(run(1, 2, **fields), run(1, 2.0000002, **fields)).verdict
    assert found.kind == "cannot tell"
    assert found.remedy


def test_a_start_that_nobody_saw_is_left_open():
    a, b = (run(w, w + 1, steps=(1, 2), start_seen=False) for w in (1, 1.0001))
    found = compare(a, b).verdict
    assert (found.kind, "Input" in found.remedy) == ("cannot tell", True)


def test_a_run_that_resumes_elsewhere_is_left_open():
    a, b = run(1, 2, 3, 4), run(3.5, 4, steps=(2, 3))
    found = compare(a, b).verdict
    assert (found.kind, "at step 2" in found.reason) == ("cannot tell", True)


@pytest.mark.slow
def test_planted_pairs_are_told_right_or_left_open():
    """A sample of `tests/faults/sweep_verdicts.py`: nothing is called what it is not."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("sklearn")
    from equal_starts import ROUNDING, pairs

    found = [
        (variant in ROUNDING, compare(a, b).verdict.kind)
        for variant, _, a, b in pairs(np.random.default_rng(3), 4)
    ]
    assert (True, "different computation") not in found
    assert (False, "consistent with rounding") not in found
    assert found.count((True, "consistent with rounding")) > 5
    assert found.count((False, "different computation")) > 10
