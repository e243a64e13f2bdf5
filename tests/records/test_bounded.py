"""What a stranger's file may cost before it is refused, and what a disk may do to one of ours."""

import itertools
import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import bomb_records
import numpy as np
import pytest
from sample_record import add_step, hashes_of, values_at, write_sample

from fpdrift.errors import RecordError
from fpdrift.records import RecordWriter, Tensor, _format, _sandbox, open_own, open_record
from fpdrift.records._codec import MAX_NAMES, Columns

#: The cheapest of each kind to make, and why each is refused; `make faults` has all.
SAMPLE = {
    "10 GB of nothing": "more than max_bytes=268435456",
    "data of 200 MB": "too big",
    "a start of empty objects": "more than 200000 lists and objects",
    "a start of axes": "at most 64 sizes",
}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_bomb_is_refused_in_512_mb(name, tmp_path):
    *_, megabytes, outcome = bomb_records.measure(bomb_records.BOMBS[name], tmp_path)
    assert megabytes < bomb_records.MEGABYTES, outcome
    assert SAMPLE[name] in outcome


@pytest.mark.parametrize("name", [name for name in bomb_records.BOMBS if "tables" in name])
def test_a_small_file_stays_small_in_memory(name, tmp_path):
    """Of 6 MB, whose tables of little but gaps would take hundreds or thousands of them."""
    *_, megabytes, outcome = bomb_records.measure(bomb_records.BOMBS[name], tmp_path)
    assert megabytes < 150, outcome
    assert "mostly gaps" in outcome


def test_reading_ends_when_its_time_is_over(tmp_path, monkeypatch):
    path = tmp_path / "a.fpdrift"
    write_sample(path, steps=400)
    monkeypatch.setattr(_sandbox.time, "thread_time", lambda: float(next(asked)))
    for looks in (1, 4):  # before the first entry, and between two
        asked = itertools.chain([0.0] * looks, [1.9], itertools.repeat(0.0))
        with pytest.raises(
            RecordError, match=r"cannot be opened: it takes longer than 2 s.*--trust"
        ):
            open_record(path)
    asked = itertools.count()  # a second passes at each look: it is one's own
    assert open_own(path).complete
    assert next(asked) > 4


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.fpdrift"
    write_sample(path, steps=3)
    size = path.stat().st_size
    real = _sandbox._check_header

    def and_grow(header):
        real(header)
        with path.open("ab") as file:
            file.write(bytes(5000))

    monkeypatch.setattr(_sandbox, "_check_header", and_grow)
    with pytest.raises(RecordError, match=f"grew beyond max_bytes={size}"):
        open_record(path, max_bytes=size)


@pytest.mark.parametrize(("version", "way_out"), [(3, "update fpdrift"), (0, "has ever written")])
def test_another_version_is_refused_with_what_to_do(tmp_path, version, way_out):
    path = tmp_path / "a.fpdrift"
    write_sample(path, steps=3)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(RecordError, match=f"format version {version}.*{way_out}"):
        open_record(path)


def test_what_a_reader_refuses_no_writer_writes(tmp_path):
    writer = write_sample(tmp_path / "a.fpdrift", steps=3, finish=False)
    hashes = hashes_of(values_at(4))
    many = {f"m{i}": 1.0 for i in range(MAX_NAMES + 1)}
    with pytest.raises(RecordError, match="at most 1000 metrics, not 100"):
        writer.add_step(4, hashes, 1.0, many)
    with pytest.raises(RecordError, match="in one entry"):
        writer.add_predictions(4, np.zeros((1, _format.MAX_DATA + 1), np.int8))
    with pytest.raises(RecordError, match="lists and objects"):
        writer.add_note([[]] * 200_001)
    writer.close()
    assert open_record(tmp_path / "a.fpdrift").steps.tolist() == [0, 1, 2, 3]
    deep = Tensor("a", "weight", (1,) * 65, "float32", "hash")
    with pytest.raises(RecordError, match="at most 64 sizes"):
        RecordWriter(tmp_path / "deep.fpdrift", [deep])
    assert not (tmp_path / "deep.fpdrift").exists()


def test_texts_of_all_entries_are_counted(tmp_path, monkeypatch):
    write_sample(tmp_path / "a.fpdrift", steps=3)
    connection = sqlite3.connect(tmp_path / "a.fpdrift")
    query = "SELECT sum(length(text)) FROM entry WHERE kind <> 'step'"
    [total] = connection.execute(query).fetchone()
    connection.close()
    monkeypatch.setattr(_format, "MAX_ALL_TEXT", total)
    assert open_record(tmp_path / "a.fpdrift").complete
    writer = write_sample(tmp_path / "b.fpdrift", steps=999, finish=False)  # a long training
    assert open_record(tmp_path / "b.fpdrift").steps[-1] == 999
    with pytest.raises(RecordError, match="characters of text outside steps"):
        writer.add_note("x" * total)
    writer.close()
    monkeypatch.setattr(_format, "MAX_ALL_TEXT", total - 1)
    with pytest.raises(RecordError, match=r"characters of text outside steps.* are too many"):
        open_record(tmp_path / "a.fpdrift")


def test_columns_are_what_dicts_would_be():
    rows = [{}, {"a": 1.0}, {"b": 2.0, "a": np.inf}, {"a": np.nan}]
    columns = Columns()
    for row in rows:
        columns.add(row)
    assert [str(row) for row in columns.rows()] == [str(row) for row in rows]
    found = columns.columns()
    assert list(found) == ["a", "b"]
    for name, values in found.items():
        assert np.array_equal(values, [row.get(name, np.nan) for row in rows], equal_nan=True)
    assert Columns().columns() == {}
    with pytest.raises(ValueError, match="more than 1000"):
        Columns().add({str(number): 1.0 for number in range(MAX_NAMES + 1)})
    sparse = Columns()
    for number in range(9):
        sparse.add({str(number): 1.0})
    assert np.nansum(list(sparse.columns().values())) == 9


#: Writes to a disk of one megabyte that only this process sees; it goes when the process ends.
ON_A_SMALL_DISK = """
import itertools, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from sample_record import TENSORS, add_step
from fpdrift.errors import RecordError
from fpdrift.records import RecordWriter, open_record
path = Path(sys.argv[1], "a.fpdrift")
writer = RecordWriter(path, TENSORS)
for step in itertools.count():
    try:
        add_step(writer, step)
    except RecordError as error:
        told = str(error)
        break
writer.close()
record = open_record(path)
print(json.dumps([step, record.steps.tolist(), record.complete, told]))
"""


def test_a_full_disk_costs_no_finished_step(tmp_path):
    mount = 'mount -t tmpfs -o size=1m tmpfs "$0" || exit 77; exec "$@"'
    code = [sys.executable, "-c", ON_A_SMALL_DISK, str(tmp_path), str(Path(__file__).parent)]
    command = ["unshare", "--mount", "sh", "-c", mount, str(tmp_path), *code]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no unshare command here")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    count, steps, complete, told = json.loads(done.stdout)
    assert count > 20
    assert (steps, complete) == (list(range(count)), False)
    assert "'a.fpdrift' cannot be written: " in told
    assert "full" in told
    assert list(tmp_path.iterdir()) == []


#: Says in one line why nothing can be written; root may write everywhere, so it becomes nobody.
AS_NOBODY = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sample_record import TENSORS
from fpdrift.errors import RecordError
from fpdrift.provenance import current
from fpdrift.records import RecordWriter
os.chdir(sys.argv[2])
current()  # it imports what may lie where nobody cannot look
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    RecordWriter(Path("a.fpdrift"), TENSORS)
except RecordError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs rights of folders")
def test_a_read_only_folder_is_one_line():
    with TemporaryDirectory() as folder:  # pytest's own is closed to nobody
        Path(folder).chmod(0o555)
        code = [sys.executable, "-c", AS_NOBODY, str(Path(__file__).parent), folder]
        done = subprocess.run(code, capture_output=True, text=True, check=False)
        assert list(Path(folder).iterdir()) == []
        Path(folder).chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("'a.fpdrift' cannot be written: Permission denied; check the")
    assert done.stdout.count("\n") == 1


def test_a_clock_that_jumps_back_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.fpdrift"
    now = iter(range(10**9, 0, -1000))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    writer = write_sample(path, steps=5, finish=False)
    os.utime(path, (2**31, 2**31))
    for step in (6, 7):
        add_step(writer, step)
        os.utime(path, (0, 0))
    writer.finish()
    record = open_record(path)
    assert record.complete
    assert record.steps.tolist() == list(range(8))


def test_of_two_writers_one_is_told_and_nothing_is_mixed(tmp_path):
    path = tmp_path / "a.fpdrift"
    first = write_sample(path, steps=3, finish=False)
    with pytest.raises(RecordError, match="already exists"):
        write_sample(path)
    write_sample(path, steps=7, overwrite=True)
    with pytest.raises(RecordError, match="another file has replaced it"):
        add_step(first, 4)
    first.close()
    record = open_record(path)
    assert record.complete
    assert record.steps.tolist() == list(range(8))


def race(path, meta, told):
    """Write whole records to one path, over and over; count what came of it."""
    outcomes = []
    for _ in range(25):
        try:
            write_sample(path, steps=5, overwrite=True, meta={"who": meta})
            outcomes.append("written")
        except RecordError:
            outcomes.append("refused")
    told.put(outcomes)


def test_two_processes_that_write_one_file_leave_one_whole_record(tmp_path):
    path = tmp_path / "a.fpdrift"
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    writers = [context.Process(target=race, args=(path, who, told)) for who in "ab"]
    for writer in writers:
        writer.start()
    outcomes = [told.get(timeout=120) for _ in writers]
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert sum(outcome.count("written") for outcome in outcomes) >= 1
    if sum(outcome[-1] == "written" for outcome in outcomes) == 0:
        return  # both were told that the other one stood in the way at the end
    record = open_record(path)
    assert record.meta["who"] in ("a", "b")
    assert record.steps.tolist() == list(range(len(record.steps)))
    assert len(record.steps) == 6 or not record.complete
