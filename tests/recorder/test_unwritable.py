"""A record that cannot be written is said once; training goes on, or stops at once."""

import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from observed_models import again, bits, cnn

from fpdrift.errors import FpdriftError, FpdriftWarning, RecordError
from fpdrift.recorder import DriftRecorder
from fpdrift.records import open_record


class FailingConnection:
    """A disk that is full after so many rows."""

    def __init__(self, real, rows):
        self.real, self.rows = real, rows

    def execute(self, statement, *arguments):
        if statement.startswith("INSERT"):
            self.rows[0] -= 1
            if self.rows[0] < 0:
                raise sqlite3.OperationalError("database or disk is full")
        return self.real.execute(statement, *arguments)

    def __getattr__(self, name):
        return getattr(self.real, name)


@pytest.fixture
def full_after(monkeypatch):
    from fpdrift.records import _writer

    def set_rows(count):
        rows = [count]
        monkeypatch.setattr(
            _writer.sqlite3,
            "connect",
            lambda *a, real=sqlite3.connect, **k: FailingConnection(real(*a, **k), rows),
        )

    return set_rows


def fit(recorder):
    model, x, y = again(cnn)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[recorder] if recorder else [])
    return bits(model.variables), model.history.history


def test_full_disk_warns_once_and_training_is_not_touched(tmp_path, full_after):
    plain = fit(None)
    full_after(5)  # the start, and steps 0 to 3
    with pytest.warns(FpdriftWarning, match="disk is full") as caught:
        recorded = fit(DriftRecorder(tmp_path / "a.fpdrift"))
    assert len(caught) == 1
    assert "nothing is recorded from step 4 on" in str(caught[0].message)
    assert recorded == plain
    record = open_record(tmp_path / "a.fpdrift")
    assert (record.complete, record.steps.tolist()) == (False, [0, 1, 2, 3])


def test_strict_stops_at_once(tmp_path, full_after):
    full_after(5)
    heard = []
    recorder = DriftRecorder(
        tmp_path / "a.fpdrift", strict=True, on_step=lambda *told: heard.append(told[0])
    )
    with pytest.raises(RecordError, match="disk is full"):
        fit(recorder)
    assert heard == [1, 2, 3]
    assert open_record(tmp_path / "a.fpdrift").steps.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_can_be_written_at_all(tmp_path, full_after, rows):
    full_after(rows)
    with pytest.warns(FpdriftWarning, match="from step 0 on"):
        fit(DriftRecorder(tmp_path / "a.fpdrift"))


def test_folder_gone_before_training(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    recorders = [DriftRecorder(folder / "a.fpdrift", strict=strict) for strict in (False, True)]
    folder.rmdir()
    with pytest.warns(FpdriftWarning, match="No such file"):
        fit(recorders[0])
    with pytest.raises(RecordError, match="No such file"):
        fit(recorders[1])


@pytest.mark.parametrize("parts", [("gone",), ("gone", "deeper"), ("a_file",)])
def test_a_folder_that_does_not_exist_is_refused_at_once(parts, tmp_path):
    (tmp_path / "a_file").write_text("")
    with pytest.raises(RecordError) as caught:
        DriftRecorder(tmp_path.joinpath(*parts, "a.fpdrift"))
    assert str(caught.value) == (
        f"'a.fpdrift' cannot be written: the folder {parts[-1]!r} does not exist; create it first"
    )


def test_folder_gone_during_training(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()

    def move(step, loss):
        if step == 3:
            folder.rename(tmp_path / "moved")

    with pytest.warns(FpdriftWarning, match="from step 4 on"):
        fit(DriftRecorder(folder / "a.fpdrift", on_step=move))
    assert open_record(tmp_path / "moved" / "a.fpdrift").steps.tolist() == [0, 1, 2, 3]


def test_a_record_that_is_there_is_refused_before_training(tmp_path):
    path = tmp_path / "a.fpdrift"
    fit(DriftRecorder(path))
    before = path.read_bytes()
    with pytest.raises(RecordError, match="overwrite=True"):
        DriftRecorder(path)
    late = DriftRecorder(tmp_path / "b.fpdrift")
    path.rename(tmp_path / "b.fpdrift")
    with pytest.raises(RecordError, match="overwrite=True"):  # though not strict
        fit(late)
    assert (tmp_path / "b.fpdrift").read_bytes() == before
    fit(DriftRecorder(tmp_path / "b.fpdrift", overwrite=True, meta={"second": True}))
    assert open_record(tmp_path / "b.fpdrift").meta["second"]


@pytest.mark.parametrize("meta", [{"a": object()}, {"a": float("inf")}, 7, [1]])
def test_meta_that_cannot_be_kept_is_refused_at_once(tmp_path, meta):
    with pytest.raises(FpdriftError):
        DriftRecorder(tmp_path / "a.fpdrift", meta=meta)


FULL_DISK = """
import resource, signal, sys, warnings
sys.path[:0] = {paths!r}
import keras
from observed_models import cnn
from fpdrift.recorder import DriftRecorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
keras.utils.set_random_seed(1)
model, x, y = cnn()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.fit(x, y, batch_size=16, epochs=8, verbose=0, callbacks=[DriftRecorder({path!r})])
print([str(w.message) for w in caught if "nothing is recorded" in str(w.message)])
"""


@pytest.mark.check
@pytest.mark.slow
def test_a_limit_of_the_system_itself(tmp_path):
    path = str(tmp_path / "a.fpdrift")
    code = FULL_DISK.format(paths=[str(Path(__file__).parent)], path=path)
    with warnings.catch_warnings():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nothing is recorded from step") == 1
    record = open_record(path)
    assert not record.complete
    assert record.steps.tolist() == list(range(len(record.steps)))
    assert f"from step {len(record.steps)} on" in done.stdout
