"""Whatever a writer accepts a reader reads; records of format version 1 are still read."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_record import TENSORS, hashes_of, values_at

from fpdrift.errors import RecordError
from fpdrift.records import RecordWriter, Tensor, open_record

NAMES = st.text(max_size=3) | st.sampled_from(["loss", "acc", "x" * 501])
NUMBERS = st.floats(allow_nan=True) | st.integers(-5, 5)
ROWS = st.dictionaries(NAMES, NUMBERS, max_size=4)
STEPS = st.integers(-1, 6)
DIGESTS = st.dictionaries(NAMES, st.integers(-1, 2**64), max_size=3)
ACTIONS = st.one_of(
    st.tuples(st.just("step"), STEPS, ROWS, st.booleans(), DIGESTS),
    st.tuples(st.just("values"), STEPS),
    st.tuples(st.just("epoch"), ROWS),
    st.tuples(st.just("note"), st.text(max_size=5) | st.integers()),
    st.tuples(st.just("prediction"), STEPS, st.sampled_from([(), (0,), (2, 3)])),
    st.tuples(st.just("phase"), STEPS, st.integers(0, 9), st.lists(st.text(max_size=4))),
)


def act(writer, kind, *given):
    """Do one thing with a writer, sound or not."""
    kept = dict(enumerate(values_at(1)))
    if kind == "step":
        step, row, sketched, digests = given
        hashes = hashes_of(values_at(1))[: len(writer.tensors)]
        loss, values = row.get("loss", 1.0), kept if sketched else None
        writer.add_step(step, hashes, loss, row, values, digests=digests)
    elif kind == "values":
        writer.add_values(given[0], kept)
    elif kind == "epoch":
        writer.add_epoch(given[0])
    elif kind == "note":
        writer.add_note(given[0])
    elif kind == "prediction":
        writer.add_predictions(given[0], np.ones(given[1], np.float32))
    else:
        step, count, changes = given
        hashes = hashes_of(values_at(1))[:count]
        writer.add_phase(step, TENSORS[:count], changes, hashes, kept)


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=8))
def test_whatever_a_writer_accepts_a_reader_reads(actions):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.fpdrift")
        writer = RecordWriter(path, TENSORS)
        accepted = []
        for action in actions:
            try:
                act(writer, *action)
            except RecordError:
                continue
            accepted.append(action[0])
        writer.finish()
        record = open_record(path)
        assert record.complete
        assert len(record.phases) == 1 + accepted.count("phase")
        assert len(record.epochs) == accepted.count("epoch")
        assert len(record.steps) >= accepted.count("step")


def test_a_metric_that_comes_every_20th_step_is_read(tmp_path):
    writer = RecordWriter(tmp_path / "a.fpdrift", [Tensor("w", "weight", (1,), "float32", "hash")])
    for step in range(101):
        writer.add_step(step, [1], 0.5, {"rare": step} if step % 20 == 0 else {})
    writer.finish()
    rare = open_record(tmp_path / "a.fpdrift").metrics["rare"]
    assert np.flatnonzero(~np.isnan(rare)).tolist() == [0, 20, 40, 60, 80, 100]


def one_tensor(path):
    return RecordWriter(path, [Tensor("w", "weight", (1,), "float32", "hash")])


def test_digests_come_at_some_steps_and_are_read(tmp_path):
    writer = one_tensor(tmp_path / "a.fpdrift")
    given = [{}, {"numpy": 1, "batch": 2**64 - 1}, {"numpy": 3}]
    for step, digests in enumerate(given):
        writer.add_step(step, [1], digests=digests)
    writer.finish()
    found = open_record(tmp_path / "a.fpdrift").digests
    assert {name: values.tolist() for name, values in found.items()} == {
        "numpy": [0, 1, 3],
        "batch": [0, 2**64 - 1, 0],
    }
    assert not found["numpy"].flags.writeable


@pytest.mark.parametrize(
    "digests", [{"a": -1}, {"a": 2**64}, {"": 1}, {str(i): 1 for i in range(17)}]
)
def test_digests_that_break_a_rule_are_refused(digests, tmp_path):
    writer = one_tensor(tmp_path / "a.fpdrift")
    with pytest.raises(RecordError):
        writer.add_step(0, [1], digests=digests)
    writer.add_step(0, [1], digests={"a": 1})
    writer.finish()
    assert open_record(tmp_path / "a.fpdrift").digests["a"].tolist() == [1]


def test_a_record_of_version_1_is_read():
    path = Path(__file__).with_name("version_1.fpdrift")
    assert path.read_bytes()[63] == 1
    record = open_record(path)
    assert (record.complete, record.steps.tolist()) == (True, [0, 1, 2, 3])
    assert record.tensors == TENSORS
    assert record.hashes[2].tolist() == hashes_of(values_at(2)).tolist()
    assert record.present.all()
    assert record.start_seen


def test_pages_that_entries_share_are_refused(tmp_path, monkeypatch):
    """A file may name one page in many entries: what they hold is bounded by its size."""
    from fpdrift.records import _sandbox

    path = tmp_path / "a.fpdrift"
    writer = RecordWriter(path, TENSORS)
    writer.add_note("x" * 9000)
    writer.finish()
    assert open_record(path).complete
    real = _sandbox._copy
    monkeypatch.setattr(_sandbox, "_copy", lambda *a: real(*a) and 9000)
    with pytest.raises(RecordError, match="more than the file's 9000 bytes"):
        open_record(path)


def test_tables_of_little_but_gaps_are_refused(tmp_path, monkeypatch):
    from fpdrift.records import _rules

    monkeypatch.setattr(_rules, "ALLOWANCE", 0)
    writer = RecordWriter(tmp_path / "a.fpdrift", TENSORS[:1], meta={})
    hashes = hashes_of(values_at(0))[:1]

    def write_until_refused():
        for step in range(1000):
            writer.add_step(step, hashes, 1.0, {f"m{step}": 1.0})

    with pytest.raises(RecordError, match="too many different metrics"):
        write_until_refused()
    writer.finish()
    assert len(open_record(tmp_path / "a.fpdrift").metrics) > 10
