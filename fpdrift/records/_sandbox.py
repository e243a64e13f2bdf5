"""Copy a stranger's record to where SQLite may recover it, and open it with every guard up.

SQLite finishes what a killed writer left behind by writing to the file, so it only ever sees a
copy, journal included. Two things in such files would reach beyond the copy and are refused: a
write-ahead log, and a journal that names a second journal, which SQLite would look up and delete.

Where a record is, or may be made.
"""

from __future__ import annotations

import math
import os
import sqlite3
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from fpdrift.errors import RecordError, short_repr
from fpdrift.records import _format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def absolute(path: str | os.PathLike[str]) -> Path:
    """Read a path that a caller gave.

    Raises
    ------
    RecordError
        If it is no path, or empty, which Python would take for the current folder.
    """
    try:
        name = os.fsencode(path)
    except (TypeError, ValueError):  # text that no file system holds is a ValueError
        name = b"\0"
    if b"\0" in name:
        message = f"not a path: {short_repr(path)}"
        raise RecordError(message)
    if not name:
        message = "the path is empty; name a file, such as run.fpdrift"
        raise RecordError(message)
    return Path(os.fsdecode(name)).absolute()


def text_of(name: str | bytes) -> str:
    """Return a file's name as text that can be printed and saved.

    A file system takes any bytes for a name; those that are not UTF-8 become escapes.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def open_bytes(path: Path, *more: str) -> int:
    """Open a file to read its bytes as they are, without ever waiting at a pipe.

    Windows has none of these flags but ``O_BINARY``, which no other system has.

    Parameters
    ----------
    path : pathlib.Path
    more : str
        Names of further flags, left out where the system lacks them.

    Returns
    -------
    int
        The descriptor.
    """
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", *more):
        flags |= getattr(os, name, 0)
    return os.open(path, flags)


def check_place(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Refuse a place where a new record would cost something that is there.

    Returns
    -------
    pathlib.Path
        Absolute.

    Raises
    ------
    RecordError
        If `path` is no path, holds something and `overwrite` is False, holds something that is no
        record, or can hold nothing.
    """
    place = absolute(path)
    try:
        with os.fdopen(open_bytes(place), "rb") as file:
            is_record = _format.is_record_header(file.read(_format.HEADER_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        if not place.is_symlink():  # a link to nowhere is something, too
            return place
        is_record = False
    except OSError as error:
        if not os.path.lexists(place):
            why = error.strerror or str(error)
            message = f"{short_repr(place.name)} cannot be written: {why}; choose another path"
            raise RecordError(message) from None
        is_record = False
    if not is_record:
        message = f"{short_repr(place.name)} is there and is no record; choose another name"
        raise RecordError(message)
    if not overwrite:
        message = (
            f"{short_repr(place.name)} is there; choose another name, or say overwrite=True "
            "(in a shell --overwrite)"
        )
        raise RecordError(message)
    return place


#: First bytes of a journal, and the last ones of a journal that names another.
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_PIECE = 1 << 20
#: What is left of the seconds when the copy still has to be taken away.
_SECONDS = 0.9 * _format.MAX_SECONDS

#: Instructions of SQLite between two looks at the clock: some seven entries, each of which may hold
#: a text of a megabyte. (A look takes as long as reading a small entry.)
_LOOK = 50

#: What to do about a file that is too large or takes too long.
IF_TRUSTED = "if you know who made it, say --trust, or open_record(path, max_bytes=...) in Python"
TOO_LONG = f"it takes longer than {_format.MAX_SECONDS:g} s to read; {IF_TRUSTED}"

_LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_COLUMN: 8,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 1,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 8,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 4,
    sqlite3.SQLITE_LIMIT_LENGTH: _format.MAX_START_TEXT + _format.MAX_DATA,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 8,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 4,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 1000,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


class RefusedError(ValueError):
    """What is wrong with a file, as half a sentence."""


class Copy(NamedTuple):
    """A private copy of a file, open."""

    connection: sqlite3.Connection
    #: bytes that were copied, journal included
    size: int
    #: raises RefusedError when the time is over
    look_at_clock: Callable[[], None]


@contextmanager
def opened(path: Path, max_bytes: int) -> Iterator[Copy]:
    """Return a guarded connection to a private copy of the file at `path`.

    A query is interrupted when reading has taken more of the processor's time than a stranger's
    file may; whoever takes larger files than a stranger's may be has the time for them.

    Raises
    ------
    RefusedError
        If it is no regular file, too large, no record by its header, or has an unsafe journal.
    OSError, sqlite3.Error
        If it cannot be read.
    """
    began = time.thread_time()
    with TemporaryDirectory(prefix="fpdrift-") as folder:
        copy = Path(folder, "record")
        size = _copy(path, copy, max_bytes)
        connection = sqlite3.connect(copy, isolation_level=None)
        seconds = _SECONDS if max_bytes <= _format.MAX_BYTES else math.inf

        def is_over() -> bool:
            return time.thread_time() > began + seconds

        def look_at_clock() -> None:
            if is_over():
                raise RefusedError(TOO_LONG)

        try:
            _guard(connection, is_over)
            yield Copy(connection, size, look_at_clock)
        finally:
            connection.close()


def identity(path: Path) -> tuple[tuple[int, ...] | None, ...]:
    """Describe which file, how long and how old, for the record and its journal."""
    return tuple(_identity(place) for place in (path, _beside(path, "-journal")))


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _beside(path: Path, suffix: str) -> Path:
    """Where SQLite keeps a file's journal: beside the file itself, not beside a link to it."""
    return Path(f"{os.path.realpath(path)}{suffix}")  # which ends in a loop of links, too


def _copy(path: Path, copy: Path, max_bytes: int) -> int:
    """Copy a record and its journal, and give their size together."""
    if os.path.lexists(_beside(path, "-wal")):
        message = "a write-ahead log (-wal) lies beside it, which fpdrift never writes"
        raise RefusedError(message)
    with _regular(path, max_bytes) as file:
        header = file.read(_format.HEADER_BYTES)
        _check_header(header)
        size = _copy_bytes(file, copy, header, max_bytes)
    journal = _beside(path, "-journal")
    if os.path.lexists(journal):
        with _regular(journal, max_bytes, follow=False) as file:
            size += _copy_bytes(file, Path(f"{copy}-journal"), b"", max_bytes)
            file.seek(max(file.tell() - len(_JOURNAL_MAGIC), 0))
            if file.read() == _JOURNAL_MAGIC:
                message = "its journal names another journal, which fpdrift never writes"
                raise RefusedError(message)
    return size


@contextmanager
def _regular(path: Path, max_bytes: int, *, follow: bool = True) -> Iterator[BinaryIO]:
    """Open a regular file of bearable size, without ever waiting at a pipe or waking a device."""
    if not stat.S_ISREG(path.stat(follow_symlinks=follow).st_mode):
        message = "it is no regular file"
        raise RefusedError(message)
    descriptor = open_bytes(path, *(() if follow else ("O_NOFOLLOW",)))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            message = "it is no regular file"
            raise RefusedError(message)
        if found.st_size > max_bytes:
            message = f"it has {found.st_size} bytes, more than max_bytes={max_bytes}; {IF_TRUSTED}"
            raise RefusedError(message)
        yield file


def _check_header(header: bytes) -> None:
    if not _format.is_record_header(header):
        message = "it is no record"
        raise RefusedError(message)
    version = int.from_bytes(header[60:64], "big")
    if version not in _format.READ_VERSIONS:
        newer = version > _format.FORMAT_VERSION
        known = " and ".join(map(str, _format.READ_VERSIONS))
        message = f"it has format version {version}, this fpdrift reads {known}; " + (
            "update fpdrift to read it" if newer else "no fpdrift ever wrote such a one"
        )
        raise RefusedError(message)
    if header[18:20] != b"\x01\x01":
        message = "it wants a write-ahead log, which fpdrift never writes"
        raise RefusedError(message)


def _copy_bytes(file: BinaryIO, copy: Path, start: bytes, max_bytes: int) -> int:
    size = len(start)
    with copy.open("xb") as out:
        out.write(start)
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > max_bytes:
                message = f"it grows beyond max_bytes={max_bytes}"
                raise RefusedError(message)
            out.write(piece)
    return size


def _guard(connection: sqlite3.Connection, is_over: Callable[[], bool]) -> None:
    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    connection.set_progress_handler(is_over, _LOOK)
    for name, value in (
        ("trusted_schema", "OFF"),
        ("cell_size_check", "ON"),
        ("mmap_size", "0"),
        ("temp_store", "MEMORY"),
        ("query_only", "ON"),
    ):
        connection.execute(f"PRAGMA {name} = {value}")
