"""A run in phases: tensors come and go, and one table holds them all."""

import numpy as np
import pytest
from sample_record import TENSORS, add_step, values_at, write_sample

from fpdrift.errors import RecordError
from fpdrift.records import Phase, RecordWriter, Tensor, content_hash, open_record

FROZEN = (
    Tensor("base/kernel", "statistic", (3,), "float32", "whole", zero_gradient=True),
    Tensor("head/kernel", "weight", (2,), "float32", "whole", zero_gradient=False),
    Tensor("adam/head/kernel/momentum", "slot", (2,), "float32", "hash"),
)
THAWED = (
    Tensor("head/kernel", "weight", (4,), "float32", "whole"),
    Tensor("base/kernel", "weight", (3,), "float32", "whole", zero_gradient=False),
    Tensor("sgd/base/kernel/momentum", "slot", (3,), "float32", "hash"),
)


def state(tensors, step):
    rng = np.random.default_rng(step)
    return [rng.standard_normal(t.shape).astype(np.float32) for t in tensors]


def row(tensors, step):
    values = state(tensors, step)
    return [content_hash(v) for v in values], dict(enumerate(values))


def two_phases(path, seam, not_finite=(), *, last_kept=True):
    writer = RecordWriter(path, FROZEN)
    for step in range(3):
        hashes, values = row(FROZEN, step)
        writer.add_step(step, hashes, 0.5, None, values if step < 2 or last_kept else None)
    hashes, values = row(THAWED, 100)
    writer.add_phase(seam, THAWED, ["optimizer: Adam -> SGD"], hashes, values)
    for step in (seam + 1, seam + 2):
        hashes, values = row(THAWED, step)
        writer.add_step(step, hashes, 0.25, None, values, not_finite)
    writer.finish()
    return open_record(path)


def test_tensors_of_all_phases_stand_in_one_table(tmp_path):
    record = two_phases(tmp_path / "a.fpdrift", 2)
    assert [t.name for t in record.tensors] == [
        "base/kernel",
        "head/kernel",
        "adam/head/kernel/momentum",
        "head/kernel@2",
        "sgd/base/kernel/momentum",
    ]
    base = record.tensors[0]
    assert (base.role, base.zero_gradient) == ("weight", False)
    assert record.phases == (Phase(0), Phase(2, ("optimizer: Adam -> SGD",)))
    assert record.steps.tolist() == [0, 1, 2, 3, 4]
    expected = [[1, 1, 1, 0, 0]] * 2 + [[1, 1, 1, 1, 1]] + [[1, 0, 0, 1, 1]] * 2
    assert record.present.tolist() == np.array(expected, bool).tolist()
    assert not record.present.flags.writeable
    assert (record.hashes[~record.present] == 0).all()
    # of a step that both saw, the earlier phase counts where it has the tensor
    for at, tensors, step, places in (
        (1, FROZEN, 1, [0, 1, 2]),
        (2, FROZEN, 2, [0, 1, 2]),
        (4, THAWED, 4, [3, 0, 4]),
    ):
        assert record.hashes[at, places].tolist() == row(tensors, step)[0]
    assert record.hashes[2, [3, 4]].tolist() == [row(THAWED, 100)[0][i] for i in (0, 2)]


def test_values_stand_where_their_tensor_was_and_nan_elsewhere(tmp_path):
    record = two_phases(tmp_path / "a.fpdrift", 2)
    assert record.sketch_steps.tolist() == [0, 1, 2, 3, 4]
    assert list(record.kept) == [0, 1, 3]
    expected = [state(FROZEN, step)[0] for step in (0, 1, 2)]
    expected += [state(THAWED, step)[1] for step in (3, 4)]
    assert np.array_equal(record.kept[0], expected)
    assert np.isnan(record.kept[1][3:]).all()
    assert np.isfinite(record.kept[1][:3]).all()
    assert np.array_equal(record.kept[3][2], state(THAWED, 100)[0])
    assert np.isnan(record.squared_norms[3][:2]).all()
    assert record.first_non_finite is None  # what is not there is not NaN


def test_a_seam_behind_updates_that_nobody_saw_is_a_step_of_its_own(tmp_path):
    record = two_phases(tmp_path / "a.fpdrift", 9)
    assert record.steps.tolist() == [0, 1, 2, 9, 10, 11]
    assert record.phases[1].step == 9
    assert record.hashes[3, [3, 0, 4]].tolist() == row(THAWED, 100)[0]
    assert np.isnan(record.loss[3])
    assert record.present[3].tolist() == [True, False, False, True, True]


@pytest.mark.parametrize("last_kept", [True, False])
@pytest.mark.parametrize("seam", [2, 9])
def test_values_and_hash_of_a_step_are_of_one_state(tmp_path, seam, last_kept):
    """The seam shares its step with the last one: its values must not stand by the older hash."""
    record = two_phases(tmp_path / "a.fpdrift", seam, last_kept=last_kept)
    assert (2 in record.sketch_steps) is last_kept
    assert record.first_non_finite is None
    for place, tensor in enumerate(record.tensors):
        if tensor.kept == "whole":
            for at, step in enumerate(record.sketch_steps):
                row_of = record.steps.tolist().index(step)
                values = record.kept[place][at].astype(np.float32)
                if record.present[row_of, place] and not np.isnan(values).any():
                    assert content_hash(values) == record.hashes[row_of, place]


def test_a_phase_that_no_reader_takes_is_not_written(tmp_path):
    writer = write_sample(tmp_path / "a.fpdrift", steps=3, finish=False)
    hashes, values = row(FROZEN, 1)
    for step, tensors, changes in (
        (2, FROZEN, []),  # before the last step
        (3, FROZEN[:1] * 2, []),  # two of one name
        (3, FROZEN, [7]),
    ):
        with pytest.raises(RecordError):
            writer.add_phase(step, tensors, changes, hashes[: len(tensors)], values)
    assert writer.tensors == TENSORS
    add_step(writer, 4)
    writer.finish()
    record = open_record(tmp_path / "a.fpdrift")
    assert (len(record.phases), record.steps.tolist()) == (1, [0, 1, 2, 3, 4])


def test_not_finite_is_the_first_that_was_seen(tmp_path):
    record = two_phases(tmp_path / "a.fpdrift", 2, ["loss", "base/kernel"])
    assert record.first_non_finite == (3, "loss")


def test_without_a_word_of_the_writer_what_is_kept_tells(tmp_path):
    writer = RecordWriter(tmp_path / "a.fpdrift", TENSORS)
    add_step(writer, 0)
    values = values_at(1)
    values[0][0, 0, 0, 1] = np.inf
    values[5][:] = 1e200  # finite, though its square is not
    for step in (1, 2):
        hashes = [content_hash(array) for array in values]
        writer.add_step(step, hashes, -np.inf if step == 2 else 1, None, dict(enumerate(values)))
    writer.finish()
    record = open_record(tmp_path / "a.fpdrift")
    assert record.first_non_finite == (1, "conv2d/kernel")
    assert np.isinf(record.squared_norms[5][1])


@pytest.mark.parametrize(
    ("meta", "first", "seen"),
    [
        ({}, 0, True),
        ({}, 1, False),
        ({"recorder": {"start_seen": True}}, 7, True),
        ({"recorder": {"start_seen": False}}, 8, False),
        ({"recorder": 3}, 1, False),
    ],
)
def test_whether_the_start_was_seen(tmp_path, meta, first, seen):
    writer = RecordWriter(tmp_path / "a.fpdrift", TENSORS, meta=meta)
    add_step(writer, first)
    writer.finish()
    record = open_record(tmp_path / "a.fpdrift")
    assert record.start_seen is seen
    assert record.phases == (Phase(first),)
