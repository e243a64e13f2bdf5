"""Two records made in memory, with differences planted where the test says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_record import make_record

from fpdrift.drift import Comparison, Comparisons, compare
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
    assert repr(found) == "Comparison(no difference in 3 steps, 2 steps recorded by one run alone)"


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


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "conv/kernel"}, "weight 'dense/kernel' .* against weight 'conv/kernel'"),
        ({"shape": (3, 4)}, r"of shape \(4, 3\) against .* of shape \(3, 4\)"),
        ({"role": "statistic"}, "weight 'dense/kernel' .* against statistic 'dense/kernel'"),
    ],
)
def test_another_model_is_refused_and_the_first_mismatch_named(change, text):
    a, b = records(run(), run())
    other = [replace(t, **change) if t.name == "dense/kernel" else t for t in b.tensors]
    with pytest.raises(FpdriftError, match=text):
        compare(a, replace(b, tensors=tuple(other)))


def test_a_tensor_more_is_another_model():
    a, b = records(run(), run())
    shorter = replace(b, tensors=b.tensors[:-1], hashes=b.hashes[:, :-1])
    for pair in [(a, shorter), (shorter, a)]:
        with pytest.raises(FpdriftError, match=r"seed 'dropout/seed' of shape .* is in one alone"):
            compare(*pair)


def test_other_dtypes_count_as_differing_and_have_their_distance():
    half = [state | {"dense/kernel": state["dense/kernel"].astype(np.float16)} for state in run()]
    found = compare(*records(run(), half))
    assert [t.name for t in found.first_difference.tensors] == ["dense/kernel"]
    assert found.differs["dtype of dense/kernel"] == ("float32", "float16")
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
    with pytest.raises(FpdriftError, match="not a record or its path") as caught:
        compare(make_record(run(), roles=ROLES), source)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_records_of_odd_names_are_refused_in_one_short_line():
    name = "two\nlines" + 200 * "x"
    with pytest.raises(FpdriftError, match="of different models") as caught:
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
