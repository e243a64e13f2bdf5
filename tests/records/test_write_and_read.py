import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sample_record import TENSORS, add_step, hashes_of, values_at, write_sample

from fpdrift.errors import RecordError
from fpdrift.provenance import current
from fpdrift.records import RecordWriter, Tensor, open_record, sketch, to_text


def test_everything_comes_back(tmp_path):
    write_sample(tmp_path / "a.fpdrift", steps=41)
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.name, record.complete, record.tensors) == ("a.fpdrift", True, TENSORS)
    assert record.steps.tolist() == list(range(42))
    assert record.sketch_steps.tolist() == [*range(33), 40]
    expected = np.array([hashes_of(values_at(step)) for step in range(42)])
    assert np.array_equal(record.hashes, expected)
    assert np.isnan(record.loss[0])
    assert record.loss[1:].tolist() == [1 / (step + 1) for step in range(1, 42)]
    assert record.metrics["accuracy"][1:].tolist() == [step / 100 for step in range(1, 42)]
    assert np.isnan(record.metrics["accuracy"][0])
    assert list(record.predictions) == [0, 41]
    assert np.array_equal(record.predictions[41], np.full((4, 3), 41, np.float32))
    assert record.epochs[0] == {"loss": 0.5, "val_loss": np.inf}
    assert np.isnan(record.epochs[1]["val_loss"])
    assert record.meta == {"condition": "plain", "notes": ["first", "second"]}
    assert record.provenance == current()
    assert record.loss_kind == "step"


def test_kept_values_are_exact_and_sketches_those_of_the_values(tmp_path):
    write_sample(tmp_path / "a.fpdrift", steps=9)
    record = open_record(tmp_path / "a.fpdrift")
    assert sorted(record.kept) == [i for i, t in enumerate(TENSORS) if t.kept != "hash"]
    for index, tensor in enumerate(TENSORS):
        for row, step in enumerate(record.sketch_steps):
            flat = values_at(step)[index].ravel().astype(np.float64)
            if tensor.kept == "whole":
                assert np.array_equal(record.kept[index][row], flat)
            elif tensor.kept == "sketch":
                assert np.array_equal(record.kept[index][row], sketch(flat))
            if tensor.kept != "hash":
                assert record.squared_norms[index][row] == pytest.approx(flat @ flat, rel=1e-14)


def test_nothing_can_be_written_to(tmp_path):
    write_sample(tmp_path / "a.fpdrift")
    record = open_record(tmp_path / "a.fpdrift")
    columns = (record.metrics, record.kept, record.squared_norms, record.predictions)
    arrays = [record.steps, record.hashes, record.loss, record.sketch_steps]
    arrays += [array for column in columns for array in column.values()]
    assert not any(array.flags.writeable for array in arrays)


def test_unfinished_record_opens_and_says_so(tmp_path):
    writer = write_sample(tmp_path / "a.fpdrift", steps=5, finish=False)
    assert not open_record(tmp_path / "a.fpdrift").complete  # while it is being written
    writer.close()
    record = open_record(tmp_path / "a.fpdrift")
    assert not record.complete
    assert record.steps.tolist() == list(range(6))
    assert "incomplete" in repr(record)


def test_a_record_without_steps(tmp_path):
    RecordWriter(tmp_path / "a.fpdrift", TENSORS).close()
    record = open_record(tmp_path / "a.fpdrift")
    assert record.hashes.shape == (0, len(TENSORS))
    assert (record.kept, record.metrics, record.epochs, record.complete) == ({}, {}, (), False)
    assert "last step None" in repr(record)


def test_goes_on_after_the_end(tmp_path):
    writer = write_sample(tmp_path / "a.fpdrift", steps=5)
    add_step(writer, 6)
    assert not open_record(tmp_path / "a.fpdrift").complete
    writer.finish()
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, int(record.steps[-1])) == (True, 6)


def test_does_not_go_on_in_a_record_that_was_changed(tmp_path):
    path = tmp_path / "a.fpdrift"
    writer = write_sample(path, steps=5)
    path.unlink()
    write_sample(path, steps=7)
    with pytest.raises(RecordError, match=r"cannot be written: (another file has|it was changed)"):
        add_step(writer, 6)
    assert int(open_record(path).steps[-1]) == 7


def test_nothing_that_was_saved_is_lost(tmp_path):
    path = tmp_path / "a.fpdrift"
    write_sample(path, steps=5)
    before = path.read_bytes()
    with pytest.raises(RecordError, match=r"overwrite=True \(in a shell --overwrite\)$"):
        RecordWriter(path, TENSORS)
    assert path.read_bytes() == before
    write_sample(path, steps=2, overwrite=True)
    assert int(open_record(path).steps[-1]) == 2


@pytest.mark.parametrize("kind", ["text", "empty", "sqlite", "folder", "pipe", "dangling link"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_only_a_record_is_ever_replaced(tmp_path, kind, overwrite):
    path = tmp_path / "a.fpdrift"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        header = b"SQLite format 3\x00" + bytes(84)
        path.write_bytes({"text": b"thesis", "empty": b"", "sqlite": header}[kind])
    with pytest.raises(RecordError, match="is not a record"):
        RecordWriter(path, TENSORS, overwrite=overwrite)
    assert os.path.lexists(path)


def test_unwritable_places(tmp_path):
    with pytest.raises(RecordError, match="cannot be written: No such file"):
        RecordWriter(tmp_path / "gone" / "a.fpdrift", TENSORS)
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match="cannot be written: Not a directory"):
        RecordWriter(tmp_path / "file" / "a.fpdrift", TENSORS)
    for bad in (7, None, "a\0b"):
        with pytest.raises(RecordError, match="not a path"):
            RecordWriter(bad, TENSORS)


def test_folder_that_goes_away_is_noticed_and_what_was_committed_stays(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    writer = RecordWriter(folder / "a.fpdrift", TENSORS)
    add_step(writer, 0)
    folder.rename(tmp_path / "moved")
    with pytest.raises(RecordError, match="cannot be written"):
        add_step(writer, 1)
    writer.close()
    assert open_record(tmp_path / "moved" / "a.fpdrift").steps.tolist() == [0]


@pytest.mark.parametrize(
    "meta", [{"a": float("nan")}, {"a": {1, 2}}, {1: 2}, {"a": "\x1b[2J"}, {"a": "x" * (9 << 20)}]
)
def test_meta_that_is_no_plain_json_is_refused_before_a_file_is_made(tmp_path, meta):
    with pytest.raises(RecordError, match="cannot store this"):
        RecordWriter(tmp_path / "a.fpdrift", TENSORS, meta=meta)
    assert not list(tmp_path.iterdir())


def test_deep_meta_is_refused():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RecordError, match="nested"):
        to_text(deep)


def test_wrong_number_of_hashes_and_strange_predictions_are_refused(tmp_path):
    writer = RecordWriter(tmp_path / "a.fpdrift", TENSORS)
    with pytest.raises(RecordError, match="expected 9 hashes, one per tensor, not 2"):
        writer.add_step(0, [1, 2])
    with pytest.raises(RecordError, match="dtype complex128"):
        writer.add_predictions(0, np.ones((2, 2), complex))
    add_step(writer, 0)
    writer.finish()
    assert open_record(tmp_path / "a.fpdrift").complete


def test_same_run_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_sample(tmp_path / name)
    first, second = (
        hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a", "b")
    )
    assert first == second


def test_no_user_host_or_path_in_a_record(tmp_path, monkeypatch):
    for name in ("USER", "LOGNAME", "HOSTNAME", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "/home/quokka")
    monkeypatch.setattr(platform, "node", lambda: "quokka")
    current.cache_clear()
    write_sample(tmp_path / "secretname.fpdrift")
    current.cache_clear()
    content = (tmp_path / "secretname.fpdrift").read_bytes()
    private = {"quokka", "secretname", str(tmp_path), str(Path.home()), str(Path.cwd()), sys.prefix}
    assert [text for text in private if text.encode() in content] == []


def test_light():
    code = "import sys, fpdrift.records; print([m for m in sys.modules if m in ('keras', 'scipy')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_sizes_of_kept_tensors():
    limit = [Tensor("a", "weight", (n,), "float32", "hash") for n in (2048, 2049)]
    from fpdrift.records import how_kept

    assert [how_kept(t.role, t.size, t.dtype) for t in limit] == ["whole", "sketch"]
    assert how_kept("slot", 4, "float32") == how_kept("weight", 4, "int32") == "hash"
