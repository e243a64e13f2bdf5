"""Where a record is, or may be made."""

from __future__ import annotations

import os
from pathlib import Path

from fpdrift.errors import RecordError, shown
from fpdrift.records import schema


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
        message = f"not a path: {shown(path)}"
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
            is_record = schema.is_record_header(file.read(schema.HEADER_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        if not place.is_symlink():  # a link to nowhere is something, too
            return place
        is_record = False
    except OSError as error:
        if not os.path.lexists(place):
            why = error.strerror or str(error)
            message = f"{shown(place.name)} cannot be written: {why}; choose another path"
            raise RecordError(message) from None
        is_record = False
    if not is_record:
        message = f"{shown(place.name)} is there and is no record; choose another name"
        raise RecordError(message)
    if not overwrite:
        message = (
            f"{shown(place.name)} is there; choose another name, or say overwrite=True "
            "(in a shell --overwrite)"
        )
        raise RecordError(message)
    return place
