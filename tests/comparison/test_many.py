"""Many runs held against each other, beside what comparing each pair gives."""

import dataclasses
import itertools
import math
import os
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_record import make_record

from fpdrift.comparison import compare, compare_many, tensor_matrix
from fpdrift.comparison._branches import branches
from fpdrift.comparison._many import reduce_record
from fpdrift.errors import FpdriftError
from fpdrift.records import RecordWriter
from fpdrift.records._record import Tensor
from fpdrift.serialization import Result


def run(values, name="a.fpdrift", **fields):
    """Make a run of two weights, one sketched, from a digit for each step."""
    states = [
        {"small": np.array([int(v), 1], np.float32), "large": np.full(100, int(v) + 1, np.float32)}
        for v in values
    ]
    return make_record(states, name=name, **fields)


def runs_of(*texts):
    return [run(text, f"{i}.fpdrift") for i, text in enumerate(texts)]


def test_classes_and_splits_say_who_parted_from_whom():
    many = compare_many(runs_of("1111", "1122", "1112", "1122", "3111"))
    assert many.classes == ((1, 3), (0,), (2,), (4,))
    told = [(s.step, s.last_equal, s.classes) for s in many.splits]
    assert told == [
        (0, None, ((0, 1, 2, 3), (4,))),
        (2, 1, ((0, 2), (1, 3))),
        (3, 2, ((0,), (2,))),
    ]
    assert many.splits[0].tensors == ("small", "large")
    assert "Split(step 2: 0 2 | 1 3)" in repr(many.splits)


def test_branches_lead_back_to_the_largest_class():
    many = compare_many(runs_of("1111", "1122", "1112", "1122", "3111", "1123"))
    # 1, 3 and 5 leave 0, 2 at step 2, being more: so 0 and 2 are the branch
    assert many.classes == ((1, 3), (0,), (2,), (4,), (5,))
    told = [(b.runs, b.step, b.parent) for b in many.branches]
    assert told == [
        ((1, 3), None, None),
        ((0,), 2, 0),
        ((2,), 3, 1),
        ((4,), 0, 0),
        ((5,), 3, 0),
    ]


@given(st.lists(st.text("12", min_size=4, max_size=4), min_size=2, max_size=6))
def test_every_branch_but_the_first_leaves_another(texts):
    many = compare_many(runs_of(*texts))
    roots = [branch for branch in many.branches if branch.parent is None]
    assert len(roots) == 1
    for branch in many.branches:
        steps = [branch.step]
        while branch.parent is not None:
            branch = many.branches[branch.parent]
            steps.append(branch.step)
        assert all(a >= b for a, b in itertools.pairwise(s for s in steps if s is not None))


def test_only_the_tensors_that_differ_are_named():
    one, other = run("11"), run("11", "b.fpdrift")
    hashes = other.hashes.copy()
    hashes[1, 1] += 1
    many = compare_many([one, dataclasses.replace(other, hashes=hashes)])
    assert [split.tensors for split in many.splits] == [("large",)]


def test_a_tensor_that_differs_in_one_class_alone_is_named():
    runs = [run("11", name) for name in "abc"]
    for place in (0, 1):
        hashes = runs[place].hashes.copy()
        hashes[1, place] += 1
        runs[place] = dataclasses.replace(runs[place], hashes=hashes)
    assert [split.tensors for split in compare_many(runs).splits] == [("small", "large")]


def test_runs_that_come_back_to_equal_bits_stay_apart():
    assert compare_many(runs_of("111", "121")).classes == ((0,), (1,))


@given(st.lists(st.text("12", min_size=4, max_size=4), min_size=2, max_size=6))
def test_as_comparing_each_pair(texts):
    runs = runs_of(*texts)
    many = compare_many(runs)
    home = {run: number for number, runs in enumerate(many.classes) for run in runs}
    for a, b in itertools.permutations(range(len(runs)), 2):
        pair = compare(runs[a], runs[b])
        first = pair.first_difference
        assert (first is None) == (home[a] == home[b])
        if first is not None:
            parted = [s for s in many.splits if _apart(s, a, b)]
            assert [s.step for s in parted] == [first.step]
        assert many.distance[a, b] == pytest.approx(pair.distance[-1], rel=1e-12)
    assert many.distance_step == 3


def _apart(split, a, b):
    where = {run: number for number, runs in enumerate(split.classes) for run in runs}
    return a in where and b in where and where[a] != where[b]


def test_a_run_that_ended_early_takes_nothing_from_the_others():
    many = compare_many([*runs_of("11111", "11112", "11"), run("21", "3.fpdrift")])
    assert many.steps.tolist() == [0, 1, 2, 3, 4]
    assert many.classes == ((0, 2), (1,), (3,))
    assert many.last_steps == (4, 4, 1, 1)
    # all four kept values at steps 0 and 1
    assert many.distance_step == 1
    assert many.distance[0].tolist()[:3] == [0, 0, 0]
    assert many.spread_step == 1


def test_of_a_long_run_values_of_doubling_steps_and_of_the_last_are_held():
    kept = reduce_record(run("0123456789" * 2, sketch_steps=range(20)))
    assert kept.kept_steps.tolist() == [0, 1, 2, 4, 8, 16, 19]
    digits = (0, 1, 2, 4, 8, 6, 9)
    assert kept.kept[0].tolist() == [[v, 1] for v in digits]
    assert kept.kept[1].shape == (7, 1024)
    norms = [(v**2 + 1 + 100 * (v + 1) ** 2) ** 0.5 for v in digits]
    found = [kept.weights_at(step) for step in kept.kept_steps]
    assert [norm for _, norm in found] == pytest.approx(norms)
    assert [len(values) for values, _ in found] == [2 + 1024] * 7
    assert reduce_record(run("012", sketch_steps=[0, 2])).kept_steps.tolist() == [0, 2]


def test_a_run_is_held_against_one_that_ended_elsewhere():
    many = compare_many(
        [run("1234567890", "a"), run("12345", "b"), run("1234562", "c", sketch_steps=[0, 4, 6])]
    )
    assert many.distance_step == 4
    assert many.distance.tolist() == [[0] * 3] * 3


def test_steps_that_a_run_skips_are_not_compared():
    thin = run("12", "thin.fpdrift", steps=[0, 2])
    many = compare_many([run("172", "a"), thin])
    assert many.steps.tolist() == [0, 2]
    assert many.classes == ((0, 1),)


def test_what_cannot_be_compared_is_left_out_and_named(tmp_path):
    hostile = tmp_path / "hostile.fpdrift"
    hostile.write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    other = make_record([{"else": np.ones(2, np.float32)}] * 2, name="other.fpdrift")
    many = compare_many([other, *runs_of("11", "12"), hostile, tmp_path / "gone.fpdrift"])
    assert many.names == ("0.fpdrift", "1.fpdrift")
    assert set(many.left_out) == {"other.fpdrift", "hostile.fpdrift", "gone.fpdrift"}
    assert "belongs to a different model than most" in many.left_out["other.fpdrift"]
    assert str(tmp_path) not in str(many.left_out)


def test_values_of_two_dtypes_have_no_bits_to_compare():
    one = run("11")
    tensors = tuple(dataclasses.replace(t, dtype="float64") for t in one.tensors)
    many = compare_many([one, dataclasses.replace(one, name="b", tensors=tensors)])
    assert many.classes == ((0,), (1,))
    assert many.distance[0, 1] == 0


def test_a_weight_known_by_its_hash_alone_has_no_distance():
    one = run("11")
    tensors = tuple(dataclasses.replace(t, kept="hash") for t in one.tensors)
    blind = dataclasses.replace(one, name="b", tensors=tensors, kept={}, squared_norms={})
    many = compare_many([one, *runs_of("11"), blind])
    assert many.distance[0, 1] == 0
    assert np.isnan(many.distance[2]).all()
    assert compare_many([blind]).distance_step is None


def test_spread_is_that_of_the_last_common_step():
    values = [1.0, 2.0, 4.0]
    runs = [
        dataclasses.replace(
            r, loss=np.array([math.nan, v]), metrics={"acc": np.array([math.nan, v / 8])}
        )
        for r, v in zip(runs_of("11", "12", "13"), values, strict=True)
    ]
    many = compare_many(runs)
    loss = many.spread["loss"]
    assert (loss.runs, loss.least, loss.largest) == (3, 1, 4)
    assert loss.mean == pytest.approx(statistics.mean(values))
    assert loss.standard_deviation == pytest.approx(statistics.stdev(values))
    assert not hasattr(loss, "low")  # such runs are no independent sample: the mean has no interval
    assert many.spread["acc"].mean == pytest.approx(7 / 24)
    assert Result.from_json(many.to_json()).spread == many.spread


def test_what_is_not_the_same_in_all_runs_is_told_run_by_run():
    metas = [{"condition": {"seed": 1, "threads": k}} for k in (1, 2, 2)]
    many = compare_many([dataclasses.replace(run("1"), meta=meta) for meta in metas])
    assert many.differs == {"condition.threads": (1, 2, 2)}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "no records to compare"),
        ("a.fpdrift", "records is 'a.fpdrift'; pass several records"),
        ([3], "3 is neither a record nor a path"),
        (7, "records is 7; pass several"),
    ],
)
def test_bad_input_is_refused(given, why):
    with pytest.raises(FpdriftError, match=why):
        compare_many(given)


def test_runs_without_the_first_step_are_left_out_and_named():
    apart = [
        run("11", "a", steps=[0, 2]),
        run("11", "b", steps=[1, 2]),
        run("11", "c", steps=[1, 3]),
    ]
    many = compare_many(apart)
    assert many.names == ("b", "c")
    assert many.left_out == {"a": "starts at a different step than most: no step 1"}
    assert many.steps.tolist() == [1, 3]


def test_what_was_kept_otherwise_has_no_distance():
    one = run("11")
    tensors = tuple(dataclasses.replace(t, kept="whole") for t in one.tensors)
    kept = {0: one.kept[0], 1: np.ones((2, 100))}
    whole = dataclasses.replace(one, name="b", tensors=tensors, kept=kept)
    many = compare_many([one, *runs_of("11"), whole])
    assert many.distance[0, 1] == 0
    assert np.isnan(many.distance[2]).all()


def test_two_files_of_one_name_are_both_named(tmp_path):
    gone = [tmp_path / folder / "x.fpdrift" for folder in "ab"]
    many = compare_many([*runs_of("11"), *gone])
    assert set(many.left_out) == {"x.fpdrift", "x.fpdrift (2)"}


def test_of_three_classes_at_one_step_each_is_told_against_the_one_it_left():
    runs = [run("11", name) for name in ("a", "b", "c", "d")]
    for place, column in ((2, 0), (3, 1)):  # a and b go on; c changes one tensor, d the other
        hashes = runs[place].hashes.copy()
        hashes[1, column] += 1
        runs[place] = dataclasses.replace(runs[place], hashes=hashes)
    many = compare_many(runs)
    assert many.splits[0].tensors == ("small", "large")
    told = [(b.runs, b.parent, b.tensors) for b in many.branches]
    assert told == [((0, 1), None, ()), ((2,), 0, ("small",)), ((3,), 0, ("large",))]
    back = Result.from_json(many.to_json())
    assert back.branches == many.branches
    old = dataclasses.replace(many.splits[0], tensors_by_class=())
    assert branches(many.classes, [old])[1].tensors == ("small", "large")


@given(st.lists(st.text("12", min_size=8, max_size=8), min_size=2, max_size=6))
def test_the_tensors_of_a_branch_are_those_in_which_it_differs_from_its_parent(texts):
    """Against comparing the first runs of the two classes, tensor by tensor."""
    runs = []
    for i, text in enumerate(texts):
        one = run("1111", f"{i}.fpdrift")
        digits = np.array([int(digit) for digit in text], np.uint64).reshape(4, 2)
        runs.append(dataclasses.replace(one, hashes=digits))
    many = compare_many(runs)
    for branch in (b for b in many.branches if b.parent is not None):
        split = next(s for s in many.splits if s.step == branch.step and _holds(s, branch.runs[0]))
        ours = next(part for part in split.classes if branch.runs[0] in part)
        row = int(np.searchsorted(many.steps, branch.step))
        apart = runs[ours[0]].hashes[row] != runs[split.classes[0][0]].hashes[row]
        assert branch.tensors == tuple(np.array(["small", "large"])[apart])


def _holds(split, run):
    return any(run in part for part in split.classes)


def test_frozen_models_are_compared_by_their_bits():
    """Without a trainable weight there is no distance, and no reason to leave a run out."""
    roles = {"small": "statistic", "large": "statistic"}
    runs = [
        run(text, name, roles=roles) for name, text in zip("abc", ("11", "11", "12"), strict=True)
    ]
    many = compare_many(runs)
    assert many.classes == ((0, 1), (2,))
    assert many.distance_step is None
    assert np.isnan(many.distance).all()
    assert many.left_out == {}
    assert np.isnan(compare(runs[0], runs[2]).distance).all()


def with_slots(record, *names, frozen=()):
    """Give a run some slots, and freeze some of its weights; a slot's hash counts the steps."""
    slots = tuple(Tensor(name, "slot", (2,), "float32", "hash") for name in names)
    hashes = np.tile(np.arange(len(record.steps), dtype=np.uint64)[:, None], len(slots))
    tensors = tuple(
        dataclasses.replace(t, role="statistic") if t.name in frozen else t for t in record.tensors
    )
    hashes = np.hstack([hashes, record.hashes])  # so that no tensor keeps its place
    kept, norms = (
        {i + len(slots): values for i, values in found.items()}
        for found in (record.kept, record.squared_norms)
    )
    there = np.ones(hashes.shape, bool)
    return dataclasses.replace(
        record,
        tensors=slots + tensors,
        hashes=hashes,
        present=there,
        kept=kept,
        squared_norms=norms,
    )


def test_runs_with_other_slots_or_frozen_layers_are_compared_in_what_all_have():
    plain, adam, frozen, other = runs_of("1111", "1111", "1122", "1112")
    runs = [
        with_slots(plain, "sgd/large/momentum"),
        with_slots(adam, "adam/m", "sgd/large/momentum"),
        with_slots(frozen, "sgd/large/momentum", frozen=["large"]),
        other,
    ]
    many = compare_many(runs)
    assert many.left_out == {}
    assert many.classes == ((0, 1), (2,), (3,))
    assert many.splits[0].tensors == ("small", "large")
    assert (many.compared, many.not_compared) == (2, ("sgd/large/momentum", "adam/m"))
    for a, b in itertools.permutations(range(4), 2):
        assert many.distance[a, b] == pytest.approx(compare(runs[a], runs[b]).distance[-1])
    assert Result.from_json(many.to_json()).not_compared == many.not_compared
    shared_slot = compare_many(runs[:3])
    assert (shared_slot.compared, shared_slot.not_compared) == (3, ("adam/m",))
    assert compare_many(runs[:1] * 2).not_compared == ()
    assert compare_many(runs[2:3] * 2).distance.tolist() == [[0, 0], [0, 0]]


def test_all_frozen_and_all_trainable_are_one_model():
    """What trains in one run counts as a weight in all, also where the first one froze it."""
    frozen = with_slots(run("11", "a"), frozen=["small", "large"])
    many = compare_many([frozen, run("12", "b")])
    assert many.classes == ((0,), (1,))
    assert many.distance[1, 0] == compare(run("12"), run("11")).distance[-1] > 0


def test_records_of_hashes_alone_are_compared():
    """A run that ended before anything was kept declares tensors of which no value is there."""
    bare = [
        dataclasses.replace(one, kept={}, squared_norms={}, sketch_steps=np.array([], np.int64))
        for one in runs_of("11", "12")
    ]
    many = compare_many(bare)
    assert (many.classes, many.distance_step) == (((0,), (1,)), None)
    pair = compare(*bare)
    assert pair.first_difference.step == 1
    assert pair.distance.size == 0
    assert compare(bare[0], run("12")).distance.size == 0
    matrix = tensor_matrix(*bare)
    assert np.isnan(matrix.distance[:, -1]).all()


def test_one_bad_file_of_any_kind_stops_no_other(tmp_path):
    """Each is listed with a reason, and what is listed can be printed and saved."""
    good = [tmp_path / name for name in ("a.fpdrift", "$b.fpdrift")]
    for path in good:
        record = run("11")
        writer = RecordWriter(path, record.tensors)
        for step in (0, 1):
            kept = {i: values[step] for i, values in record.kept.items() if i == 0}
            writer.add_step(step, record.hashes[step], values=kept | {1: np.ones(100, np.float32)})
        writer.finish()
    odd = tmp_path / os.fsdecode(b"\xff\xfe.fpdrift")
    odd.write_bytes(b"no record")
    bad = [
        odd,
        *(tmp_path / f"{name}.fpdrift" for name in (*BAD, "$", "x" * 240, "a\nb", "\x1b[2J")),
    ]
    (tmp_path / "loop.fpdrift").symlink_to(tmp_path / "loop.fpdrift")
    (tmp_path / "ring.fpdrift").symlink_to(tmp_path / "link.fpdrift")
    (tmp_path / "link.fpdrift").symlink_to(tmp_path / "ring.fpdrift")
    (tmp_path / "nowhere.fpdrift").symlink_to(tmp_path / "gone")
    (tmp_path / "folder.fpdrift").mkdir()
    os.mkfifo(tmp_path / "pipe.fpdrift")
    (tmp_path / "empty.fpdrift").touch()
    for name in ("$", "x" * 240, "a\nb", "\x1b[2J"):
        (tmp_path / f"{name}.fpdrift").write_bytes(b"no record")
    many = compare_many([*good, *bad])
    assert many.names == ("a.fpdrift", "$b.fpdrift")
    assert len(many.left_out) == len(bad)
    assert all(why and str(tmp_path) not in why for why in many.left_out.values())
    assert {"./$.fpdrift", "\\xff\\xfe.fpdrift", "loop.fpdrift"} <= many.left_out.keys()
    assert Result.from_json(many.to_json().encode()).left_out == many.left_out


BAD = ("loop", "ring", "link", "nowhere", "folder", "pipe", "empty")
