"""Files that anybody may have made: each opens right, or gives one clear line, quickly."""

import os
import shutil
import sqlite3
import tempfile

import mutate_records
import numpy as np
import pytest
from sample_record import write_sample

from fpdrift.errors import RecordError
from fpdrift.records import _codec, _format, open_record

COUNT = len(mutate_records.SQL) + len(mutate_records.LIES) + 160


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return mutate_records.Bench(tmp_path_factory.mktemp("bench"))


def test_a_sample_of_damaged_records(bench):
    results = [mutate_records.check(bench, number, seed=1) for number in range(COUNT)]
    assert [(what, complaint) for what, _, _, complaint in results if complaint] == []
    outcomes = [outcome for _, outcome, _, _ in results]
    assert 5 < outcomes.count("opened") < len(outcomes) / 2  # the sample has both kinds


def test_every_lie_but_those_that_say_so_is_refused(bench):
    first = len(mutate_records.SQL)
    numbers = range(first, first + len(mutate_records.LIES))
    opened = [n - first for n in numbers if mutate_records.check(bench, n, 1)[1] == "opened"]
    harmless = {'"loss":"inf"', "more"}  # an infinite metric; bytes where none are read
    assert len(opened) == len(harmless)


def test_a_killed_writers_record_opens_with_every_committed_step(bench):
    main, journal = bench.hot
    bench.lay_out(main, journal)
    record = open_record(bench.path)
    assert not record.complete
    assert record.steps.tolist() == list(range(21))
    assert np.array_equal(record.hashes, bench.content.hashes[:21])
    assert (bench.path.read_bytes(), bench.journal.read_bytes()) == (main, journal)
    bench.lay_out(main)  # without its journal it is in pieces
    with pytest.raises(RecordError, match="is damaged"):
        open_record(bench.path)


def test_a_journal_cannot_have_another_file_deleted(bench):
    """SQLite looks up and deletes what a journal names as the journal above it."""
    main, journal = bench.hot
    name = str(bench.victim).encode()
    page = (0x40000001).to_bytes(4, "big")
    ends = len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big")
    evil = journal + page + name + ends + mutate_records.JOURNAL_MAGIC
    bench.lay_out(main, evil)
    with pytest.raises(RecordError, match="names another journal"):
        open_record(bench.path)
    assert bench.victim.exists()


def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", "/dev/zero", "/dev/tty"):
        with pytest.raises(RecordError, match=r"not a regular file|cannot be read"):
            open_record(path)


@pytest.mark.parametrize("beside", ["wal", "pipe", "link", "folder"])
def test_what_lies_beside_it(tmp_path, beside):
    path = tmp_path / "a.fpdrift"
    write_sample(path, steps=3)
    journal = tmp_path / "a.fpdrift-journal"
    if beside == "wal":
        (tmp_path / "a.fpdrift-wal").write_bytes(b"")
    elif beside == "pipe":
        os.mkfifo(journal)
    elif beside == "link":
        journal.symlink_to("/dev/zero")
    else:
        journal.mkdir()
    with pytest.raises(RecordError, match=r"write-ahead log|not a regular file"):
        open_record(path)


def test_a_link_to_a_record_opens_with_the_records_journal(bench, tmp_path):
    bench.lay_out(*bench.hot)
    link = tmp_path / "link.fpdrift"
    link.symlink_to(bench.path)
    assert int(open_record(link).steps[-1]) == 20


def test_too_large(tmp_path):
    write_sample(tmp_path / "a.fpdrift", steps=3)
    size = (tmp_path / "a.fpdrift").stat().st_size
    assert open_record(tmp_path / "a.fpdrift", max_bytes=size).complete
    with pytest.raises(RecordError, match=f"more than max_bytes={size - 1}"):
        open_record(tmp_path / "a.fpdrift", max_bytes=size - 1)


@pytest.mark.parametrize("bad", [7, None, b"\0", "a\0b", "no/such\nfile", "", "~"])
def test_paths_that_lead_nowhere_give_one_line(bad, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecordError) as caught:
        open_record(bad)
    assert "\n" not in str(caught.value)


def test_nothing_stays_behind_and_the_file_is_untouched(tmp_path, monkeypatch, bench):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    bench.lay_out(bench.sound)
    before = bench.path.stat()
    open_record(bench.path)
    bench.lay_out(bench.sound[:5000])
    with pytest.raises(RecordError):
        open_record(bench.path)
    assert list(tmp_path.iterdir()) == []
    bench.lay_out(bench.sound)
    open_record(bench.path)
    assert bench.path.stat().st_size == before.st_size


def test_a_read_only_record_in_a_read_only_folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    write_sample(folder / "a.fpdrift", steps=3)
    (folder / "a.fpdrift").chmod(0o400)
    folder.chmod(0o500)
    try:
        assert open_record(folder / "a.fpdrift").complete
    finally:
        folder.chmod(0o700)


def test_endless_queries_are_cut_off(tmp_path, monkeypatch):
    """The clock stands in every query, whatever a file makes SQLite do."""
    from fpdrift.records import _sandbox

    write_sample(tmp_path / "a.fpdrift", steps=3)
    times = iter(range(0, 10**9, 1000))
    monkeypatch.setattr(_sandbox.time, "thread_time", lambda: next(times))
    with _sandbox.open_copy(tmp_path / "a.fpdrift", 1 << 28) as copy:
        copy.connection.setlimit(sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 9)
        endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n FROM c) SELECT max(n) FROM c"
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            copy.connection.execute(endless)


def test_a_record_that_is_rewritten_while_it_is_read_is_tried_again(tmp_path, monkeypatch):
    from fpdrift.records import _sandbox

    path = tmp_path / "a.fpdrift"
    write_sample(path, steps=3)
    sound = path.read_bytes()
    real, calls = _sandbox._copy, []

    def torn_at_first(place, copy, max_bytes):
        size = real(place, copy, max_bytes)
        calls.append(size)
        if len(calls) == 1:
            copy.write_bytes(sound[:9000])
            path.write_bytes(sound)
        return size

    monkeypatch.setattr(_sandbox, "_copy", torn_at_first)
    assert open_record(path).complete
    assert len(calls) == 2


def test_our_mark_alone_makes_no_record(tmp_path):
    path = tmp_path / "a.fpdrift"
    header = bytearray(_format.MAGIC.ljust(100, b"\0"))
    header[68:72] = _format.APPLICATION_ID.to_bytes(4, "big")
    header[63] = 1
    header[18:20] = b"\1\1"
    for tail in (b"", bytes(4000), os.urandom(100_000)):
        path.write_bytes(bytes(header) + tail)
        with pytest.raises(RecordError, match="is damaged"):
            open_record(path)
    shutil.copy(__file__, path)
    with pytest.raises(RecordError, match="it is not a record"):
        open_record(path)


@pytest.mark.parametrize(
    "text", ['{"\\u001b":1}', '"\\u009b"', '"\x9b"', '["\u2028"]', "[" * 34 + "]" * 34], ids=repr
)
def test_no_short_way_past_what_a_text_may_hold(text):
    with pytest.raises(ValueError, match=r"control character|nested more than 32 deep"):
        _codec.from_text(text)
    assert _codec.from_text("[" * 32 + "]" * 32)
    assert _codec.from_text('["\\t", "é"]') == ["\t", "é"]
