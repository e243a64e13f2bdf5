"""A run's last step is kept whatever its number, so that its end can be compared."""

import numpy as np
import pytest
from sample_record import TENSORS, values_at, write_sample

from fpdrift.errors import RecordError
from fpdrift.records import RecordWriter, open_record


def kept_at(step):
    return dict(enumerate(values_at(step)))


def test_the_last_step_is_kept_exactly(tmp_path):
    path = tmp_path / "a.fpdrift"
    writer = write_sample(path, steps=35, finish=False)
    writer.add_values(35, kept_at(35))
    writer.finish()
    record = open_record(path)
    assert record.sketch_steps[-2:].tolist() == [32, 35]
    bias = TENSORS.index(next(t for t in TENSORS if t.name == "conv2d/bias"))
    assert np.array_equal(record.kept[bias][-1], values_at(35)[bias])
    assert record.steps[-1] == 35
    assert record.complete


@pytest.mark.parametrize("step", [34, 36])
def test_values_of_another_step_are_damage(tmp_path, step):
    path = tmp_path / "a.fpdrift"
    writer = write_sample(path, steps=35, finish=False)
    writer.add_values(step, kept_at(step))
    writer.finish()
    with pytest.raises(RecordError, match=f"values of step {step}"):
        open_record(path)


def test_values_kept_twice_are_damage(tmp_path):
    path = tmp_path / "a.fpdrift"
    writer = write_sample(path, steps=32, finish=False)
    writer.add_values(32, kept_at(32))
    writer.finish()
    with pytest.raises(RecordError, match="there twice"):
        open_record(path)


def test_values_before_any_step_are_damage(tmp_path):
    path = tmp_path / "a.fpdrift"
    writer = RecordWriter(path, TENSORS)
    writer.add_values(0, kept_at(0))
    writer.finish()
    with pytest.raises(RecordError, match="values of step 0"):
        open_record(path)
