"""Two records made in memory, with differences planted where the test says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_record import make_record

from fpdrift.comparison import Comparison, Comparisons, compare, growth
from fpdrift.errors import FpdriftError
from fpdrift.records import RecordWriter, open_record

ROLES = {"dense/kernel": "weight", "bn/mean": "statistic", "adam/m": "slot", "dropout/seed": "seed"}


def run(steps=6, seed=0):
    """Some training: weights that move, a statistic, a slot and a generator's state."""
    rng = np.random.default_rng(seed)
    shapes = {"adam/m": (4, 3), "bn/mean": (3,), "dense/kernel": (4, 3), "dropout/seed": (2,)}
    return [
        {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
        for _ in range(steps)
    ]


def touched(states, step, *names, until=None):
    """Move one element of each named tensor by one ulp, from `step` on."""
    new = [dict(state) for state in states]
    for state in new[step:until]:
        for name in names:
            state[name] = state[name].copy()
            state[name].flat[1] = np.nextafter(state[name].flat[1], np.float32(np.inf))
    return new


def records(before, after, **fields):
    return make_record(before, roles=ROLES), make_record(after, roles=ROLES, **fields)


def test_equal_runs_have_no_difference_at_all():
    found = compare(*records(run(), run()))
    assert found.first_difference is None
    assert found.distance.tolist() == found.standard_error.tolist() == [0.0] * 6
    assert found.differing.tolist() == [0] * 6
    assert found.re_merged.tolist() == []
    assert repr(found) == "Comparison(no difference in 5 steps)"


@given(st.integers(0, 5), st.sets(st.sampled_from(sorted(ROLES)), min_size=1))
def test_a_planted_ulp_is_named_by_step_and_tensor(step, names):
    found = compare(*records(run(), touched(run(), step, *names)))
    first = found.first_difference
    assert (first.step, first.last_equal) == (step, step - 1 if step else None)
    assert {t.name for t in first.tensors} == names
    assert all(t.role == ROLES[t.name] for t in first.tensors)
    assert first.tensors[0].name == next(name for name in ROLES if name in names)
    assert found.differing.tolist() == [0] * step + [len(names)] * (6 - step)


def test_only_the_first_step_counts_but_re_merging_is_told():
    later = touched(touched(run(), 1, "adam/m", until=3), 4, "dense/kernel", until=5)
    found = compare(*records(run(), later))
    assert found.first_difference.step == 1
    assert [t.name for t in found.first_difference.tensors] == ["adam/m"]
    assert found.re_merged.tolist() == [3, 5]


def test_runs_of_other_lengths_are_compared_where_both_were_recorded():
    long, short = records(run(), run()[:4])
    found = compare(long, short)
    assert found.recorded_steps.tolist() == [0, 1, 2, 3]
    assert (found.only_a.tolist(), found.only_b.tolist()) == ([4, 5], [])
    assert compare(short, long).only_b.tolist() == [4, 5]
    assert found.differs["last step"] == (5, 3)
    assert repr(found) == "Comparison(no difference in 3 steps, 2 steps recorded by only one run)"


def test_steps_recorded_now_and_then_bracket_the_first_difference():
    states = touched(run(), 3, "bn/mean")
    every_second = make_record(states[::2], roles=ROLES, steps=[0, 2, 4])
    first = compare(make_record(run(), roles=ROLES), every_second).first_difference
    assert (first.last_equal, first.step) == (2, 4)
    every_third = compare(*(make_record(run()[::3], roles=ROLES, steps=[0, 3]) for _ in "ab"))
    assert repr(every_third) == "Comparison(no difference in 3 steps, 2 of them recorded)"


def test_no_step_in_common_is_refused_with_both_spans():
    a = make_record(run(2), roles=ROLES, steps=[0, 1])
    b = make_record(run(2), roles=ROLES, steps=[2, 3])
    with pytest.raises(FpdriftError, match=r"steps 0 to 1; steps 2 to 3"):
        compare(a, b)
    empty = replace(a, steps=a.steps[:0], hashes=a.hashes[:0])
    with pytest.raises(FpdriftError, match="no steps"):
        compare(a, empty)


@pytest.mark.parametrize("change", [{"name": "conv/kernel"}, {"shape": (3, 4)}])
def test_models_that_share_no_weight_are_refused(change):
    a, b = records(run(), run())
    ours, others = (
        replace(
            r, tensors=tuple(t for t in r.tensors if t.name != "bn/mean"), hashes=r.hashes[:, 1:]
        )
        for r in (a, b)
    )
    other = [replace(t, **change) if t.name == "dense/kernel" else t for t in others.tensors]
    with pytest.raises(FpdriftError, match=r"different models that share no weight .*'dense/kern"):
        compare(ours, replace(others, tensors=tuple(other)))


@pytest.mark.parametrize("change", [{"name": "conv/kernel"}, {"shape": (3, 4)}])
def test_what_two_models_share_is_compared_and_the_rest_named(change):
    a, b = records(run(), touched(run(), 2, "bn/mean"))
    other = [replace(t, **change) if t.name == "dense/kernel" else t for t in b.tensors]
    found = compare(a, replace(b, tensors=tuple(other)))
    assert found.only_in_a == ("dense/kernel",)
    assert found.only_in_b == (change.get("name", "dense/kernel"),)
    assert (found.first_difference.step, found.first_difference.last_equal) == (2, 1)
    assert [t.name for t in found.first_difference.tensors] == ["bn/mean"]
    assert np.isnan(found.distance).all()  # no trainable weight is shared
    assert Comparison.from_json(found.to_json()).to_json() == found.to_json()


def test_tensors_of_one_run_alone_are_named_and_left_out():
    """Another optimiser has other slots, in another place among the tensors."""
    a, b = records(run(), touched(run(), 3, "dense/kernel"))
    more = [{"adam/v": np.zeros(2, np.float32), **state} for state in touched(run(), 3, "adam/m")]
    c = make_record(more, roles=ROLES | {"adam/v": "slot"})
    found = compare(a, c)
    assert (found.only_in_a, found.only_in_b) == ((), ("adam/v",))
    assert found.first_difference == compare(a, make_record(more, roles=ROLES)).first_difference
    assert [t.name for t in found.first_difference.tensors] == ["adam/m"]
    assert repr(found).endswith("1 tensors in only one run)")
    back = compare(c, b)
    assert (back.only_in_a, back.only_in_b) == (("adam/v",), ())
    assert back.first_difference.step == 3
    np.testing.assert_array_equal(back.distance[3:], compare(a, b).distance[3:])


def test_a_layer_that_is_frozen_in_one_run_is_compared():
    frozen = ROLES | {"dense/kernel": "statistic"}
    other = touched(run(), 2, "dense/kernel")
    for roles in ((ROLES, frozen), (frozen, ROLES), (ROLES, ROLES)):
        a, b = (make_record(s, roles=r) for s, r in zip((run(), other), roles, strict=True))
        found = compare(a, b)
        assert [(t.name, t.role) for t in found.first_difference.tensors] == [
            ("dense/kernel", "weight")
        ]
        assert found.distance[2] > 0
        assert "starting weights" not in found.differs
        assert found.weights == ("dense/kernel",)
    both = compare(*(make_record(s, roles=frozen) for s in (run(), other)))
    assert [t.role for t in both.first_difference.tensors] == ["statistic"]
    assert np.isnan(both.distance).all()


def test_tensors_are_compared_where_both_runs_have_them():
    """A layer that a run gains in its second phase differs from nothing in the first."""
    a, b = records(run(), touched(run(), 0, "adam/m"))
    there = np.ones(a.hashes.shape, bool)
    there[:3, [t.name for t in a.tensors].index("adam/m")] = False
    for pair in ((a, replace(b, present=there)), (replace(a, present=there), b)):
        found = compare(*pair)
        assert (found.first_difference.step, found.first_difference.last_equal) == (3, 2)
        assert found.differing.tolist() == [0, 0, 0, 1, 1, 1]
        assert found.distance.tolist() == [0] * 6


def test_a_resumed_run_is_lined_up_with_the_straight_one():
    states = run(8)
    half = make_record(states[4:], roles=ROLES, steps=[4, 5, 6, 7])
    found = compare(make_record(states, roles=ROLES), half)
    assert (found.first_difference, found.start) == (None, "later")
    assert found.recorded_steps.tolist() == [4, 5, 6, 7]
    assert repr(found).startswith("Comparison(no difference in steps 4 to 7, 4 steps recorded by")
    assert "starting weights" not in found.differs
    other = make_record(touched(states, 4, "adam/m")[4:], roles=ROLES, steps=[4, 5, 6, 7])
    first = compare(make_record(states, roles=ROLES), other).first_difference
    assert (first.step, first.last_equal) == (4, None)
    assert str(first) == "at step 4, the first that both recorded, in adam/m"


def test_a_start_that_was_not_seen_is_said():
    later = [
        make_record(s[1:], roles=ROLES, steps=[1, 2, 3, 4, 5], start_seen=False)
        for s in (run(), touched(run(), 0, "dense/kernel"))
    ]
    found = compare(*later)
    assert (found.start, found.start_seen) == ("not seen", (False, False))
    assert repr(found).startswith(
        "Comparison(start not recorded, first difference at step 1, the first that both recorded, "
    )
    assert compare(later[0], later[0]).start == "not seen"
    assert compare(*records(run(), run())).start == "equal"
    assert compare(*records(run(), touched(run(), 0, "bn/mean"))).start == "different"
    assert compare(*records(run(), touched(run(), 1, "bn/mean"))).start == "equal"


def optimizer(name, rate):
    return {"keras": {"optimizers": [{"name": name, "learning_rate": rate}]}}


def test_weights_too_far_apart_for_one_step_started_differently():
    """Two runs of small steps: 0.7 apart after the first one, and then as far as training moves."""
    rng = np.random.default_rng(3)
    start, move = rng.normal(size=(2, 40)), 1e-3 * rng.normal(size=(5, 40))
    runs = [np.cumsum([x, *move], axis=0).astype(np.float32) for x in (start[0], start[1])]
    moved = [np.linalg.norm(r[2] - r[1]) / np.linalg.norm(r[1]) for r in runs]
    unseen = {"steps": [1, 2, 3, 4, 5], "start_seen": False, "meta": optimizer("SGD", 0.01)}
    a, b = (make_record([{"k": x} for x in r[1:]], **unseen) for r in runs)
    found = compare(a, b)
    np.testing.assert_allclose(found.first_move, moved, rtol=1e-6)
    assert found.different_weights
    assert repr(found).startswith("Comparison(start not recorded, different starting weights, fi")
    close = make_record([{"k": x + np.float32(1e-3)} for x in runs[0][1:]], **unseen)
    assert not compare(a, close).different_weights
    assert not compare(a, a).different_weights
    blown = make_record([{"k": x * np.float32(np.inf)} for x in runs[0][1:]], **unseen)
    assert not compare(a, blown).different_weights
    for one, other in (
        ({}, {}),
        (optimizer("SGD", 0.01), optimizer("SGD", 0.1)),
        *[(meta, meta) for meta in UNSTEADY],
    ):  # how far the first step moved is not known
        late = compare(replace(a, meta=one), replace(b, meta=other))
        assert (late.start, late.different_weights) == ("not seen", False)
    scaled = {"keras": {"optimizers": [{"name": "Scale", "inner_optimizer": STEADY}]}}
    assert compare(replace(a, meta=scaled), replace(b, meta=scaled)).different_weights
    later = [
        replace(record, steps=record.steps + 1, sketch_steps=record.steps + 1) for record in (a, b)
    ]
    assert not compare(*later).different_weights
    still = [make_record([{"k": r[0]}] * 5, **unseen) for r in runs]
    assert not compare(*still).different_weights
    for times, sure in ((2.9, False), (3.1, True)):  # as far apart as so many moves of both
        away = np.float32(times * 2 * np.linalg.norm(runs[0][2] - runs[0][1]) / np.sqrt(40))
        shifted = make_record([{"k": x + away} for x in runs[0][1:]], **unseen)
        assert compare(a, shifted).different_weights == sure
    seen = [make_record([{"k": x} for x in r[:3]]) for r in runs]
    assert compare(*seen).different_weights
    assert not compare(*records(run(), touched(run(), 0, "adam/m"))).different_weights


STEADY = {"name": "SGD", "learning_rate": 0.01}
UNSTEADY = (
    optimizer("Ftrl", 0.01),
    optimizer("SGD", {"class_name": "ExponentialDecay"}),
    {"keras": {"optimizers": []}},
    {"keras": {"optimizers": ["Adam"]}},
    {"keras": {"optimizers": [{"name": "Scale", "inner_optimizer": None}]}},
    {
        "keras": {
            "optimizers": [{"inner_optimizer": {**STEADY, "name": "ftrl", "class_name": "Ftrl"}}]
        }
    },
)


def test_runs_that_are_far_apart_from_the_start_have_no_law_of_growth():
    """Other starting weights are no small difference that grows, whatever their distance does."""
    rng = np.random.default_rng(1)
    a = [{"k": rng.normal(size=50).astype(np.float32)} for _ in range(40)]
    near = [{"k": s["k"] * np.float32(1 + 1e-6 * 1.3**i)} for i, s in enumerate(a)]
    far = [{"k": s["k"] * np.float32(1.02 * 1.1**i)} for i, s in enumerate(a)]
    growths = [growth(compare(make_record(a), make_record(b))) for b in (near, far)]
    assert [found.far_from_the_start for found in growths] == [False, True]
    assert (growths[1].kind, growths[1].jumps, growths[1].floor) == ("cannot tell", (), None)
    assert np.isnan(growths[1].fitted).all()


def accumulating(states, batches, **fields):
    optimizer = {"name": "SGD", "gradient_accumulation_steps": batches}
    meta = {"keras": {"optimizers": [optimizer], "loss": "categorical_crossentropy"}}
    return make_record(states, roles=ROLES, meta=meta, **fields)


def test_a_run_that_accumulates_gradients_is_compared_after_each_update():
    """Two batches an update: every second state is one of the run with larger batches."""
    states = run(13)
    loss, probe = np.array([np.nan, *np.arange(12.0)]), {12: np.eye(2), 11: np.eye(2)}
    means = np.array([np.nan, 0.5, 2.5, 4.5, 6.5, 8.5, 10.5])
    other = accumulating(states, 2, loss=loss, predictions=probe, metrics={"m": loss})
    straight = touched(states[::2], 4, "dense/kernel")
    one = make_record(
        straight, roles=ROLES, loss=means, predictions={6: np.eye(2)}, metrics={"m": loss[::2]}
    )
    for pair, batches in (((one, other), (1, 2)), ((other, one), (2, 1))):
        found = compare(*pair)
        assert found.recorded_steps.tolist() == [0, 1, 2, 3, 4, 5, 6]
        assert (found.first_difference.step, found.batches) == (4, batches)
        assert (found.only_a.tolist(), found.only_b.tolist()) == ([], [])
        assert (found.distance[:4] == 0).all()
        assert (found.distance[4:] > 0).all()
        assert (found.churn, found.churn_step) == (0, 6)
        np.testing.assert_array_equal(*found.loss)
        np.testing.assert_array_equal(*found.metrics["m"])
        assert growth(found, pair).steps.tolist() == found.steps.tolist()
    three = accumulating(states, 3)
    assert compare(other, three).recorded_steps.tolist() == [0, 1, 2, 3, 4]
    both = compare(other, accumulating(states, 2))
    assert (both.recorded_steps.size, both.first_difference) == (13, None)


def test_the_first_number_that_is_not_finite_is_named():
    a, b = records(run(), run())
    b = replace(b, first_non_finite=(3, "loss"), meta={"recorder": {}})
    found = compare(a, b)
    assert found.non_finite[0] is None
    assert str(found.non_finite[1]) == "loss at step 3"
    assert (
        repr(found)
        == "Comparison(no difference in 5 steps, b: first non-finite value in loss at step 3)"
    )
    assert str(compare(a, replace(b, meta={})).non_finite[1]) == "loss at step 3 or before"
    assert Comparison.from_json(found.to_json()).non_finite == found.non_finite


def test_a_comparison_saved_by_an_older_version_is_read():
    found = compare(*records(run(), touched(run(), 2, "dense/kernel")))
    document = json.loads(found.to_json())
    for name in (
        "answers",
        "only_in_a",
        "only_in_b",
        "of_two_dtypes",
        "start_seen",
        "start_steps",
        "first_move",
        "alike_updates",
        "batches",
        "phases",
        "non_finite",
    ):
        del document["result"][name]
    old = Comparison.from_json(json.dumps(document))
    assert (old.start, old.answers, repr(old)) == ("equal", None, repr(found))


def test_other_dtypes_count_as_differing_and_have_their_distance():
    half = [state | {"dense/kernel": state["dense/kernel"].astype(np.float16)} for state in run()]
    found = compare(*records(run(), half))
    assert [t.name for t in found.first_difference.tensors] == ["dense/kernel"]
    assert found.differs["dtype of dense/kernel"] == ("float32", "float16")
    assert found.of_two_dtypes == ("dense/kernel",)
    a, b = (s[0]["dense/kernel"].astype(np.float64) for s in (run(), half))
    np.testing.assert_allclose(found.distance[0], np.linalg.norm(a - b) / np.linalg.norm(a))


def written(path, states):
    record = make_record(states, roles=ROLES)
    writer = RecordWriter(path, record.tensors)
    for step, state in enumerate(states):
        kept = {i: state[t.name] for i, t in enumerate(record.tensors) if t.kept != "hash"}
        writer.add_step(step, record.hashes[step], values=kept)
    writer.finish()
    return path


def test_files_are_compared_as_opened_records_are(tmp_path):
    later = touched(run(), 2, "dense/kernel", "adam/m")
    a = written(tmp_path / "a.fpdrift", run())
    b = written(tmp_path / "b.fpdrift", later)
    found = compare(a, str(b))
    assert (found.name_a, found.name_b) == ("a.fpdrift", "b.fpdrift")
    assert found.first_difference.step == 2
    assert compare(open_record(a), b).to_json() == found.to_json()
    in_memory = compare(*records(run(), later)).distance
    np.testing.assert_allclose(found.distance, in_memory, rtol=1e-15)


def test_a_file_that_is_no_record_is_refused(tmp_path):
    path = tmp_path / "a.fpdrift"
    with pytest.raises(FpdriftError, match=r"a\.fpdrift"):
        compare(path, path)
    path.write_text("not a record")
    with pytest.raises(FpdriftError, match=r"a\.fpdrift"):
        compare(make_record(run()), path)


@pytest.mark.parametrize("source", [3, None, b"a.fpdrift", np.eye(3), list(range(9999))], ids=type)
def test_what_is_no_record_is_refused_in_one_short_line(source):
    with pytest.raises(FpdriftError, match="is neither a record nor a path") as caught:
        compare(make_record(run(), roles=ROLES), source)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_records_of_odd_names_are_refused_in_one_short_line():
    name = "two\nlines" + 200 * "x"
    with pytest.raises(FpdriftError, match="belong to different models") as caught:
        compare(make_record(run(), name=name), make_record([{499 * "y": np.ones((1,) * 40)}]))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_losses_and_metrics_stand_side_by_side_over_the_common_steps():
    a = make_record(
        run(3),
        roles=ROLES,
        loss=np.array([np.nan, 2.0, 1.0]),
        metrics={"accuracy": np.array([np.nan, 0.5, 0.6]), "only here": np.zeros(3)},
    )
    b = make_record(
        run(2),
        roles=ROLES,
        steps=[0, 2],
        loss=np.array([np.nan, 1.5]),
        metrics={"accuracy": np.array([np.nan, 0.7])},
    )
    found = compare(a, b)
    np.testing.assert_array_equal(found.loss, [[np.nan, 1.0], [np.nan, 1.5]])
    assert list(found.metrics) == ["accuracy"]
    np.testing.assert_array_equal(found.metrics["accuracy"], [[np.nan, 0.6], [np.nan, 0.7]])


def test_json_keeps_every_bit():
    probe = {5: np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)}
    a, b = records(run(), touched(run(), 2, "dense/kernel", "adam/m"), predictions=probe)
    found = compare(replace(a, predictions=probe), b)
    back = Comparison.from_json(found.to_json())
    assert back.to_json() == found.to_json()
    assert back.first_difference == found.first_difference
    assert back.distance.tobytes() == found.distance.tobytes()
    both = Comparisons(labels=("one", "two"), comparisons=(found, found))
    assert Comparisons.from_json(both.to_json()).to_json() == both.to_json()


def test_arrays_of_the_result_cannot_be_written_to():
    found = compare(*records(run(), touched(run(), 1, "dense/kernel")))
    for name in ("distance", "steps", "loss", "recorded_steps", "distance_by_weight"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(found, name)[...] = 1


def test_the_repr_reads_as_a_sentence():
    other = touched(run(), 1, "dense/kernel", "adam/m")
    other[5]["dense/kernel"] = other[5]["dense/kernel"] * np.float32(1.5)
    found = compare(*records(run(), other))
    start = f"{found.distance[1]:.1e}"
    text = f"first difference at step 1 in dense/kernel (+1), distance {start} at step 1 -> "
    assert repr(found) == f"Comparison({text}5.0e-01 at step 5)"
    assert repr(replace(found, churn=0.0625)).endswith("at step 5, churn 6.2 %)")


def test_labels_and_comparisons_go_together():
    found = compare(*records(run(), run()))
    both = Comparisons(labels=("again",), comparisons=(found,))
    assert repr(both) == "Comparisons(again: Comparison(no difference in 5 steps))"
    with pytest.raises(FpdriftError, match="2 labels for 1 comparisons"):
        Comparisons(labels=("again", "once more"), comparisons=(found,))
