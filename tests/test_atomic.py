"""A file is written whole or not at all, and what is not a regular file stays what it is."""

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from fpdrift import atomic

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["out.json", "out.part", "out", ".hidden", "a.b.part"])
def test_a_name_of_any_ending_is_written_and_nothing_else(tmp_path, name):
    (tmp_path / "out.part.part").write_text("another's")
    atomic.write(tmp_path / name, "é\n")
    assert (tmp_path / name).read_bytes() == "é\n".encode()
    assert names(tmp_path) == sorted([name, "out.part.part"])


def test_a_neighbour_of_a_likely_name_stays(tmp_path):
    (tmp_path / "notes.part").write_text("mine")
    atomic.write(tmp_path / "notes.json", b"{}")
    assert (tmp_path / "notes.part").read_text() == "mine"


def test_a_block_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "kept"
    path.write_text("old")
    with pytest.raises(TypeError), atomic.writing(path) as file:
        file.write("half")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["kept"]


def test_no_reader_ever_sees_half(tmp_path):
    path = tmp_path / "whole"
    path.write_bytes(b"a" * 10)
    with atomic.writing(path) as file:
        file.write(b"b" * 5)
        file.flush()
        assert path.read_bytes() == b"a" * 10
        [draft] = set(names(tmp_path)) - {"whole"}
        with pytest.raises(FileExistsError):
            (tmp_path / draft).open("xb")
    assert path.read_bytes() == b"b" * 5


def test_two_drafts_have_two_names(tmp_path):
    with atomic.writing(tmp_path / "a") as a, atomic.writing(tmp_path / "a") as b:
        assert a.name != b.name


@POSIX
def test_the_new_file_is_on_disk_before_it_takes_the_place(tmp_path, monkeypatch):
    done = []
    real_sync, real_replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append("sync"), real_sync(fd))[1])
    monkeypatch.setattr(
        Path, "replace", lambda a, b: (done.append(a.read_bytes()), real_replace(a, b))[1]
    )
    atomic.write(tmp_path / "a", b"data")
    assert done == ["sync", b"data", "sync"]  # the folder's new name, too


@POSIX
@pytest.mark.parametrize("mode", [0o640, 0o600, 0o755])
def test_the_permissions_stay(tmp_path, mode):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(mode)
    atomic.write(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@POSIX
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "any").write_text("")
    atomic.write(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "any").stat().st_mode


@POSIX
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_file_is_written(tmp_path, there):
    target = tmp_path / "elsewhere" / "target"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link = tmp_path / "link"
    link.symlink_to("elsewhere/target")
    atomic.try_writing(link)
    atomic.write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert names(target.parent) == ["target"]


@POSIX
def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    atomic.try_writing(pipe)
    atomic.write(pipe, b"through")
    reader.join(30)
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


@pytest.fixture
def device(tmp_path):
    """Make a null device of our own: root could lose the machine's to a fault that we look for."""
    path = tmp_path / "device"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, Path(os.devnull).stat().st_rdev)
        path.write_bytes(b"")
    except (OSError, AttributeError):
        pytest.skip("only root makes devices, and not everywhere")
    return path


def test_a_device_is_written_to(device, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(device)
    before = device.stat().st_ino
    for place in (device, link):
        atomic.try_writing(place)
        atomic.write(place, b"nothing")
    assert stat.S_ISCHR(device.stat().st_mode)
    assert device.stat().st_ino == before
    assert names(tmp_path) == ["device", "link"]


@POSIX
def test_our_own_output_goes_on_where_it_is(tmp_path):
    path, saved = tmp_path / "out", os.dup(1)
    with path.open("wb") as file:
        file.write(b"before ")
        file.flush()
        os.dup2(file.fileno(), 1)
        try:
            atomic.write(path, b"between ")
            os.write(1, b"after")
        finally:
            os.dup2(saved, 1)
            os.close(saved)
    assert path.read_bytes() == b"before between after"


@POSIX
@pytest.mark.parametrize("how", ["folder", "loop", "no folder", "no room"])
def test_an_error_names_the_place_that_was_asked_for(tmp_path, how, monkeypatch):
    path = tmp_path / "place"
    if how == "folder":
        path.mkdir()
    elif how == "loop":
        path.symlink_to(path)
    elif how == "no folder":
        path = path / "in"
    else:

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
    before = names(tmp_path)
    for act in (atomic.try_writing, lambda where: atomic.write(where, b"x")):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its name is what counts
            act(path)
        assert caught.value.filename == str(path)
    assert names(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_read_only_file_is_refused(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        atomic.write(path, b"new")
    assert path.read_text() == "old"
