"""Open a private copy of an untrusted record with SQLite's safeguards, and check paths.

SQLite recovers the file of a killed writer by writing to it, so it only gets a copy, including the
journal. Two things in such files would reach beyond the copy and are rejected: a write-ahead log,
and a journal that names a second journal, which SQLite would look up and delete.
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
    """Return an absolute path.

    Raises
    ------
    RecordError
        If it is not a path, or empty, which Python would read as the current folder.
    """
    try:
        name = os.fsencode(path)
    except (TypeError, ValueError):  # ValueError: text that is not valid in a file system
        name = b"\0"
    if b"\0" in name:
        message = f"not a path: {short_repr(path)}"
        raise RecordError(message)
    if not name:
        message = "the path is empty; pass a file name, such as run.fpdrift"
        raise RecordError(message)
    return Path(os.fsdecode(name)).absolute()


def text_of(name: str | bytes) -> str:
    """Return a file's name as text that can be printed and saved.

    A file name may contain any bytes; those that are not UTF-8 are escaped.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def open_bytes(path: Path, *more: str) -> int:
    """Open a file to read its raw bytes, without blocking on a pipe.

    Of these flags, Windows has only ``O_BINARY``, which no other system has.

    Parameters
    ----------
    path : pathlib.Path
    more : str
        Names of additional flags, ignored if the system lacks them.

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
    """Check that a new record at a path would not destroy another file.

    Returns
    -------
    pathlib.Path
        The absolute path.

    Raises
    ------
    RecordError
        If `path` is not a path, exists and `overwrite` is False, exists and is not a record, or
        cannot be written.
    """
    place = absolute(path)
    try:
        with os.fdopen(open_bytes(place), "rb") as file:
            is_record = _format.is_record_header(file.read(_format.HEADER_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        if not place.is_symlink():  # a dangling link exists, too
            return place
        is_record = False
    except OSError as error:
        if not os.path.lexists(place):
            why = error.strerror or str(error)
            message = f"{short_repr(place.name)} cannot be written: {why}; choose another path"
            raise RecordError(message) from None
        is_record = False
    if not is_record:
        message = (
            f"{short_repr(place.name)} already exists and is not a record; choose another name"
        )
        raise RecordError(message)
    if not overwrite:
        message = (
            f"{short_repr(place.name)} already exists; choose another name, or use overwrite=True "
            "(in a shell --overwrite)"
        )
        raise RecordError(message)
    return place


#: First bytes of a journal, and last bytes of a journal that names another one.
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_PIECE = 1 << 20
#: Seconds for reading; the rest is left for removing the copy.
_SECONDS = 0.9 * _format.MAX_SECONDS

#: SQLite instructions between two checks of the clock: about seven entries, each of which may have
#: a text of a megabyte. (A check takes as long as reading a small entry.)
_LOOK = 50

#: What to do about a file that is too large or takes too long.
IF_TRUSTED = "if you trust it, use --trust, or open_record(path, max_bytes=...) in Python"
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
    """The reason why a file is rejected, as part of a sentence."""


class Copy(NamedTuple):
    """An open private copy of a file."""

    connection: sqlite3.Connection
    #: bytes that were copied, including the journal
    size: int
    #: raises RefusedError once the time limit is exceeded
    check_clock: Callable[[], None]


@contextmanager
def open_copy(path: Path, max_bytes: int) -> Iterator[Copy]:
    """Open a guarded connection to a private copy of the file at `path`.

    A query is interrupted once reading has exceeded the CPU time limit for untrusted files. There
    is no limit if `max_bytes` is above that for untrusted files.

    Raises
    ------
    RefusedError
        If it is not a regular file, too large, has no record header, or has an unsafe journal.
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

        def check_clock() -> None:
            if is_over():
                raise RefusedError(TOO_LONG)

        try:
            _guard(connection, is_over)
            yield Copy(connection, size, check_clock)
        finally:
            connection.close()


def identity(path: Path) -> tuple[tuple[int, ...] | None, ...]:
    """Return identity, size and modification time of the record and its journal."""
    return tuple(_identity(place) for place in (path, _sibling(path, "-journal")))


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _sibling(path: Path, suffix: str) -> Path:
    """Return the path of SQLite's journal: next to the file itself, not next to a link to it."""
    return Path(f"{os.path.realpath(path)}{suffix}")  # which also handles a loop of links


def _copy(path: Path, copy: Path, max_bytes: int) -> int:
    """Copy a record and its journal, and return their total size."""
    if os.path.lexists(_sibling(path, "-wal")):
        message = "it has a write-ahead log (-wal), which fpdrift never writes"
        raise RefusedError(message)
    with _regular(path, max_bytes) as file:
        header = file.read(_format.HEADER_BYTES)
        _check_header(header)
        size = _copy_bytes(file, copy, header, max_bytes)
    journal = _sibling(path, "-journal")
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
    """Open a regular file within the size limit, without blocking on a pipe or opening a device."""
    if not stat.S_ISREG(path.stat(follow_symlinks=follow).st_mode):
        message = "it is not a regular file"
        raise RefusedError(message)
    descriptor = open_bytes(path, *(() if follow else ("O_NOFOLLOW",)))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            message = "it is not a regular file"
            raise RefusedError(message)
        if found.st_size > max_bytes:
            message = f"it has {found.st_size} bytes, more than max_bytes={max_bytes}; {IF_TRUSTED}"
            raise RefusedError(message)
        yield file


def _check_header(header: bytes) -> None:
    if not _format.is_record_header(header):
        message = "it is not a record"
        raise RefusedError(message)
    version = int.from_bytes(header[60:64], "big")
    if version not in _format.READ_VERSIONS:
        newer = version > _format.FORMAT_VERSION
        known = " and ".join(map(str, _format.READ_VERSIONS))
        message = f"it has format version {version}, but this fpdrift reads {known}; " + (
            "update fpdrift to read it" if newer else "no fpdrift has ever written this version"
        )
        raise RefusedError(message)
    if header[18:20] != b"\x01\x01":
        message = "it uses a write-ahead log, which fpdrift never writes"
        raise RefusedError(message)


def _copy_bytes(file: BinaryIO, copy: Path, start: bytes, max_bytes: int) -> int:
    size = len(start)
    with copy.open("xb") as out:
        out.write(start)
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > max_bytes:
                message = f"it grew beyond max_bytes={max_bytes} while it was copied"
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
