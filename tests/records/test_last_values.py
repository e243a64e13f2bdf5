"""A run's last step is kept whatever its number, so that its end can be compared."""

import numpy as np
import pytest
from sample_record import TENSORS, let_lie, values_at, write_sample

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


@pytest.mark.parametrize(
    ("steps", "step", "text"),
    [
        (35, 34, "values of step 34 are not of the last step"),
        (35, 36, "values of step 36 are not of the last step"),
        (32, 32, "values of step 32 are .* or duplicated"),
        (-1, 0, "values of step 0 are not of the last step"),
    ],
)
def test_values_of_another_step_are_written_by_nobody_and_read_as_damage(
    tmp_path, monkeypatch, steps, step, text
):
    path = tmp_path / "a.fpdrift"
    writer = start(path, steps)
    with pytest.raises(RecordError, match=f"cannot be written: {text}"):
        writer.add_values(step, kept_at(step))
    be_honest = let_lie(monkeypatch)
    writer.add_values(step, kept_at(step))
    writer.finish()
    be_honest()
    with pytest.raises(RecordError, match=f"is damaged: {text}"):
        open_record(path)


def start(path, steps):
    return write_sample(path, steps, finish=False) if steps >= 0 else RecordWriter(path, TENSORS)
