"""A path that cannot be used, to read or to write, is refused in one short line."""

import os
import shutil

import numpy as np
import pytest
from sample_record import write_sample

from fpdrift.errors import FpdriftError, RecordError, short_repr
from fpdrift.records import RecordWriter, Tensor, _sandbox, check_place, open_record

#: how to use a path
USES = {
    "open": open_record,
    "check": lambda path: check_place(path, overwrite=False),
    "replace": lambda path: check_place(path, overwrite=True),
}


def refusal(use, path, kind=RecordError):
    with pytest.raises(kind) as caught:
        use(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 200
    return message


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_is_no_path(use):
    for path in (7, None, "a\0b", "\ud800", np.eye(3), list(range(9999)), 9999 * "a\0"):
        assert "not a path: " in refusal(use, path)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("path", ["", b""])
def test_an_empty_path_is_not_the_current_folder(use, path):
    assert refusal(use, path).startswith("the path is empty; pass a file name")


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_name_too_long_for_the_disk(use, tmp_path):
    message = refusal(use, tmp_path / (5000 * "x"))
    assert "File name too long" in message
    assert "already exists" not in message


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_name_of_two_lines(use, tmp_path):
    path = tmp_path / ("two\nlines" + 200 * "x")
    path.write_text("no record")
    assert r"'two\nlines" in refusal(use, path)


def test_bytes_are_a_path(tmp_path):
    path = tmp_path / "a.fpdrift"
    write_sample(path)
    assert open_record(str(path).encode()).name == "a.fpdrift"
    assert "already exists; choose" in refusal(USES["check"], str(path).encode())
    assert USES["replace"](str(path).encode()) == path


@pytest.mark.parametrize(
    "max_bytes", ["a", None, 1e9, True, 0, -1, np.eye(3), -(10**5000)], ids=short_repr
)
def test_max_bytes_is_a_whole_number(max_bytes, tmp_path):
    path = tmp_path / "a.fpdrift"
    write_sample(path)
    message = refusal(lambda p: open_record(p, max_bytes=max_bytes), path, FpdriftError)
    assert "max_bytes must be a whole number above 0, not " in message
    assert open_record(path, max_bytes=path.stat().st_size).steps.size


def test_a_system_without_unix_flags_reads_byte_for_byte(tmp_path, monkeypatch):
    telling = b"\n\x1a\r\n"  # what Windows would change, or end at, in a file of text
    values = np.frombuffer(telling, np.float32)
    path = tmp_path / "a.fpdrift"
    writer = RecordWriter(path, [Tensor("w", "weight", (1,), "float32", "whole")])
    writer.add_step(0, [1], 0.5, {}, {0: values})
    writer.close()
    journal = tmp_path / "a.fpdrift-journal"
    journal.write_bytes(telling)
    opens, asked = os.open, []

    def spying(file, flags, *args, **named):
        asked.append(flags)
        return opens(file, flags & ~binary, *args, **named)

    binary = 1 << 27  # a bit of no other flag
    for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_NOFOLLOW"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(shutil, "_use_fd_functions", False)
    monkeypatch.setattr(os, "O_BINARY", binary, raising=False)
    monkeypatch.setattr(os, "open", spying)
    copy = tmp_path / "copy"
    _sandbox._copy(path, copy, 1 << 20)
    assert telling in copy.read_bytes() == path.read_bytes()
    assert (tmp_path / "copy-journal").read_bytes() == telling
    assert asked == [os.O_RDONLY | binary] * 2
    journal.unlink()
    assert open_record(path).kept[0].tolist() == [values.astype(float).tolist()]
    assert check_place(path, overwrite=True) == path
