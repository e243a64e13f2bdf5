"""Finished runs are not repeated, half ones are, and what is neither is left alone."""

import dataclasses
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from made_records import made

from fpdrift.ensembles import _remote as room
from fpdrift.ensembles import _run_key
from fpdrift.ensembles._ensemble import LOCK, ensemble
from fpdrift.errors import FpdriftError
from fpdrift.records import open_record
from fpdrift.serialization import Result
from fpdrift.training import Condition

CONDITIONS = [Condition(intra_op_threads=k) for k in (1, 2, 3)]


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_finished_runs_are_not_repeated(trained, tmp_path):
    first = ensemble(CONDITIONS[:2], steps=3, directory=tmp_path / "new" / "runs")
    assert trained == CONDITIONS[:2]
    before = content(tmp_path / "new" / "runs")
    told = []
    again = ensemble(
        CONDITIONS,
        steps=3,
        directory=tmp_path / "new" / "runs",
        progress=lambda *at: told.append(at),
    )
    assert trained == CONDITIONS
    assert before.items() <= content(tmp_path / "new" / "runs").items()
    assert sorted(before) == sorted([*first.names, LOCK])
    assert again.names[:2] == first.names
    assert told[0] == ("run 1 of 3, threads=1", 3, 3)
    assert told[2:] == [("run 3 of 3, threads=3", k, 3) for k in (1, 2, 3)]
    records = list(again.records(tmp_path / "new" / "runs"))
    assert [record.meta["condition"]["intra_op_threads"] for record in records] == [1, 2, 3]
    assert Result.from_json(again.to_json()) == again


@pytest.mark.parametrize(
    "other",
    [{"network": "question"}, {"data": "digits"}, {"labels": "multi-hot"}, {"steps": 4}],
)
def test_another_definition_is_another_run(trained, tmp_path, other):
    ensemble(CONDITIONS[:1], **({"steps": 3} | other), directory=tmp_path)
    ensemble(CONDITIONS[:1], steps=3, directory=tmp_path)
    assert len(trained) == 2
    assert len(list(tmp_path.glob("threads-1-*.fpdrift"))) == 2


@pytest.mark.parametrize("field", ["code", "cpu", "packages"])
def test_another_code_or_machine_is_another_run(trained, tmp_path, monkeypatch, field):
    first = ensemble(CONDITIONS[:1], steps=2, directory=tmp_path)
    if field == "code":
        monkeypatch.setattr(_run_key, "training_code", lambda: "other")
    else:
        other = {"packages": {"numpy": "0"}}.get(field, "other")
        machine = dataclasses.replace(_run_key.current(), **{field: other})
        monkeypatch.setattr(_run_key, "current", lambda: machine)
    # the records that `made` writes still name the machine that this is
    with pytest.raises(FpdriftError, match=rf"{field} changed during training; start again"):
        ensemble(CONDITIONS[:1], steps=2, directory=tmp_path)
    assert len(trained) == 2
    assert sorted(content(tmp_path)) == sorted([LOCK, *first.names])


def test_code_that_decides_no_training_makes_no_other_run(trained, tmp_path, monkeypatch):
    ensemble(CONDITIONS[:1], steps=2, directory=tmp_path)
    machine = dataclasses.replace(_run_key.current(), code="other", fpdrift="9.9")
    monkeypatch.setattr(_run_key, "current", lambda: machine)
    ensemble(CONDITIONS[:1], steps=2, directory=tmp_path)
    assert trained == CONDITIONS[:1]


def test_a_condition_given_twice_is_run_twice(trained, tmp_path):
    result = ensemble([CONDITIONS[0]] * 3, steps=2, directory=tmp_path)
    assert trained == [CONDITIONS[0]] * 3
    assert len(set(result.names)) == 3
    ensemble([CONDITIONS[0]] * 3, steps=2, directory=tmp_path)
    assert len(trained) == 3


def test_what_is_there_is_looked_up_once_for_all_runs(trained, tmp_path, monkeypatch):
    """Neither the folder nor the conditions are gone through again for each of many runs."""
    ensemble(CONDITIONS, steps=2, directory=tmp_path)
    calls = []
    listed, same = Path.iterdir, Condition.__eq__
    monkeypatch.setattr(Path, "iterdir", lambda path: calls.append("list") or listed(path))
    monkeypatch.setattr(Condition, "__eq__", lambda a, b: calls.append("==") or same(a, b))
    many = [Condition(seed=k) for k in range(100)]
    with pytest.raises(FpdriftError, match="executor is 3"):  # after all was read
        ensemble(many, steps=2, directory=tmp_path, executor=3)
    assert calls.count("==") <= len(many)
    ensemble(CONDITIONS, steps=2, directory=tmp_path)
    assert calls.count("list") == 1
    assert len(trained) == 3


def test_what_was_done_stays_after_ctrl_c(trained, tmp_path, monkeypatch):
    fake = room.train

    def train(condition, *args, **named):
        if condition == CONDITIONS[1]:
            fake(condition, *args, **named, end=False)
            raise KeyboardInterrupt
        return fake(condition, *args, **named)

    monkeypatch.setattr(room, "train", train)
    with pytest.raises(KeyboardInterrupt):
        ensemble(CONDITIONS, steps=2, directory=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2  # the first record, and the lock
    monkeypatch.setattr(room, "train", fake)
    trained.clear()
    ensemble(CONDITIONS, steps=2, directory=tmp_path)
    assert trained == CONDITIONS[1:]


def test_half_a_run_is_started_again_and_its_rest_is_taken_away(trained, tmp_path):
    name = ensemble(CONDITIONS[:1], steps=2, directory=tmp_path).names[0]
    place = tmp_path / name
    place.unlink()
    made(CONDITIONS[0], "answer", "noise", steps=2, labels="one-hot", path=place, end=False)
    asked, _, _machine = place.stem.rpartition("-")
    left = tmp_path / f"{asked}.unfinished-0123abcd"
    other = tmp_path / "mine.unfinished-0123abcd"
    for path in (left, Path(f"{left}-journal"), other):
        path.write_text("half")
    ensemble(CONDITIONS[:1], steps=2, directory=tmp_path)
    assert len(trained) == 2
    assert open_record(place).complete
    assert sorted(content(tmp_path)) == sorted([LOCK, name, other.name])


def damaged(place):
    data = bytearray(place.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    place.write_bytes(data)


def another(place):
    place.unlink()
    made(CONDITIONS[1], "answer", "noise", steps=2, labels="one-hot", path=place)


def another_half(place):
    place.unlink()
    made(CONDITIONS[1], "answer", "noise", steps=2, labels="one-hot", path=place, end=False)


def no_meta(place):
    place.unlink()
    meta = {"condition": None, "data": [], "network": 3}
    made(CONDITIONS[0], "answer", "noise", steps=2, labels="one-hot", path=place, meta=meta)


def thesis(place):
    place.write_text("a thesis")


def nothing(place):
    place.write_bytes(b"")


def folder(place):
    place.unlink()
    place.mkdir()


@pytest.mark.parametrize(
    ("put", "text"),
    [
        (damaged, "is damaged"),
        (another, "is the record of a different run (condition: not as in its name)"),
        (another_half, "is the record of a different run (condition"),
        (no_meta, "is the record of a different run (condition, network, data"),
        (thesis, "it is not a record"),
        (nothing, "it is not a record"),
        (folder, "it is not a regular file"),
    ],
)
def test_what_is_no_such_record_is_named_and_left_alone(trained, tmp_path, put, text):
    name = ensemble(CONDITIONS[:1], steps=2, directory=tmp_path).names[0]
    put(tmp_path / name)
    before = content(tmp_path)
    trained.clear()
    with pytest.raises(FpdriftError, match=re.escape(text)) as caught:
        ensemble([CONDITIONS[2], CONDITIONS[0]], steps=2, directory=tmp_path)
    assert "\n" not in str(caught.value)
    assert f"out of '{tmp_path.name}'" in str(caught.value)
    assert trained == []
    assert content(tmp_path) == before


def test_a_file_that_comes_meanwhile_is_left_alone(trained, tmp_path, monkeypatch):
    name = ensemble(CONDITIONS[:1], steps=2, directory=tmp_path).names[0]
    (tmp_path / name).unlink()
    fake = room.train

    def train(*args, **named):
        (tmp_path / name).write_text("a thesis")
        return fake(*args, **named)

    monkeypatch.setattr(room, "train", train)
    with pytest.raises(FpdriftError, match="it is not a record"):
        ensemble(CONDITIONS[:1], steps=2, directory=tmp_path)
    assert (tmp_path / name).read_text() == "a thesis"


def test_two_in_one_directory(trained, tmp_path):
    lock = sqlite3.connect(tmp_path / LOCK, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(FpdriftError, match=r"another ensemble is running in '.*'; wait until"):
        ensemble(CONDITIONS, steps=2, directory=tmp_path)
    assert trained == []
    ensemble(CONDITIONS[:1], steps=2, directory=tmp_path / "other")
    lock.close()
    ensemble(CONDITIONS[:1], steps=2, directory=tmp_path)
    assert len(trained) == 2


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"conditions": []}, "conditions is []; pass several fpdrift.Condition"),
        ({"conditions": CONDITIONS[0]}, "conditions is Cond"),
        ({"conditions": 3}, "conditions is 3; pass several"),
        ({"conditions": [CONDITIONS[0], "x"]}, "pass several fpdrift.Condition"),
        ({"network": "resnet"}, "unknown network 'resnet'"),
        ({"data": "cats"}, "unknown data 'cats'"),
        ({"labels": "soft"}, "unknown labels for noise 'soft'"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 10**12}, "steps is 1000000000000"),
        ({"progress": 3}, "progress is 3"),
        ({"tries": 0}, "tries is 0"),
        ({"tries": 101}, "tries is 101"),
        ({"executor": 3}, "executor is 3; pass a concurrent.futures.Executor"),
        ({"timeout": -1}, "timeout must be a number of seconds above 0"),
        ({"directory": ""}, "the path is empty"),
        ({"directory": 3}, "not a path: 3"),
        ({"directory": "file.txt"}, "cannot create the folder"),
        ({"directory": "file.txt/runs"}, "cannot create the folder"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(trained, tmp_path, monkeypatch, given, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("a thesis")
    named = {"conditions": CONDITIONS, "directory": "runs", "steps": 2} | given
    with pytest.raises(FpdriftError) as caught:
        ensemble(named.pop("conditions"), **named)
    assert text in str(caught.value)
    assert trained == []
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_a_lock_that_cannot_be_had_is_named(trained, tmp_path):
    (tmp_path / LOCK).write_text("no lock of ours " * 100)
    with pytest.raises(FpdriftError, match=rf"'{LOCK}' in '.*' cannot be locked: file is not a"):
        ensemble(CONDITIONS, steps=2, directory=tmp_path)
    assert trained == []
    assert (tmp_path / LOCK).read_text() == "no lock of ours " * 100


@pytest.mark.skipif(os.name != "posix", reason="flushes a folder")
def test_a_record_is_on_the_disk_before_it_has_its_name(trained, tmp_path, monkeypatch):
    flushed = []

    def fsync(descriptor):
        named = len(list(tmp_path.glob("*.fpdrift")))
        flushed.append((os.fstat(descriptor).st_ino, named))

    monkeypatch.setattr(os, "fsync", fsync)
    [name] = ensemble(CONDITIONS[:1], steps=2, directory=tmp_path).names
    assert flushed == [((tmp_path / name).stat().st_ino, 0), (tmp_path.stat().st_ino, 1)]


def test_an_error_of_the_callers_own_database_is_no_lock(trained, tmp_path):
    def into_a_database(*_at):
        raise sqlite3.OperationalError("no such table: mine")

    with pytest.raises(sqlite3.OperationalError, match="no such table: mine"):
        ensemble(CONDITIONS[:1], steps=2, directory=tmp_path, progress=into_a_database)
    ensemble(CONDITIONS[:1], steps=2, directory=tmp_path)  # and the lock is given back


KILL = Path(__file__).parents[1] / "faults" / "kill_ensemble.py"


@pytest.mark.check
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for orphans in /proc")
def test_interrupted_and_killed_at_random_moments():
    argv = [sys.executable, KILL, "--made", "--ints=1", "--kills=2"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 signals to ")
