"""Write files atomically.

The bytes go to a new file with an unpredictable name in the same folder. Once they are on disk,
that file replaces the old one. A device, a pipe or a terminal cannot be replaced, so it is written
to directly.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file for writing that replaces the one at `path` when the block succeeds.

    A symbolic link is kept and its target is replaced; the new file keeps the permissions of the
    old one. Anything but a regular file (a device, a pipe) is written to directly.

    Parameters
    ----------
    path : str or os.PathLike
        The file to write.

    Yields
    ------
    binary file
        Open for writing.

    Raises
    ------
    OSError
        If it cannot be written; its ``filename`` is `path`, and the old file is unchanged.
    """
    with _naming(path):
        target = _replaceable(path)
        if target is None:
            with _open_directly(path) as file:
                yield file
            return
        draft = target.with_name(f".fpdrift-{secrets.token_hex(8)}.part")
        try:
            with draft.open("xb") as file:
                with suppress(FileNotFoundError):
                    draft.chmod(stat.S_IMODE(target.stat().st_mode))
                yield file
            put_in_place(draft, target)
        finally:
            draft.unlink(missing_ok=True)


def put_in_place(draft: Path, target: Path) -> None:
    """Let a finished file take the name of another one in its folder, once the disk has it.

    A name must not outlive a cut of power without its content.

    Raises
    ------
    OSError
        If the disk does not take it.
    """
    _to_disk(draft, os.O_WRONLY)  # Windows flushes only what may be written
    draft.replace(target)
    with suppress(OSError):  # not every system opens or flushes a folder
        _to_disk(target.parent, os.O_RDONLY)


def write(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Write a file atomically, text as UTF-8; see `writing`.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with writing(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def try_writing(path: str | os.PathLike[str]) -> None:
    """Check that a file can be written later, without changing anything.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with _naming(path):
        target = _replaceable(path)
        if target is not None:
            try_folder(target.parent)


def try_folder(folder: Path) -> None:
    """Check that a folder is writable, and leave nothing behind.

    Raises
    ------
    OSError
        If nothing can be written there.
    """
    with tempfile.TemporaryFile(dir=folder) as trial:
        trial.write(b"0" * 4096)
        trial.flush()
        os.fsync(trial.fileno())


def _to_disk(place: Path, flags: int) -> None:
    descriptor = os.open(place, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replaceable(path: str | os.PathLike[str]) -> Path | None:
    """Return the file to replace, links resolved; None if it is not a regular file."""
    target = Path(os.path.realpath(path))
    try:
        found = Path(path).stat()
    except FileNotFoundError:  # no such file, or a dangling link
        return target
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(21, "it is a folder")
    if not os.access(path, os.W_OK):
        raise PermissionError(13, "it is read-only")
    # a descriptor in /dev/fd or /proc may refer to a file that has no name any more
    named = target.exists() and os.path.samestat(found, target.stat())
    regular = stat.S_ISREG(found.st_mode) and named and _own_output(found) is None
    return target if regular else None


def _open_directly(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open what cannot be replaced; our own output (/dev/stdout) keeps its position."""
    own = _own_output(Path(path).stat())
    return Path(path).open("wb") if own is None else os.fdopen(os.dup(own), "wb")


def _own_output(found: os.stat_result) -> int | None:
    """Return 1 or 2 if a file is this process's stdout or stderr, otherwise None."""
    for number in (1, 2):
        with suppress(OSError):  # closed
            if os.path.samestat(found, os.fstat(number)):
                return number
    return None


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Make an OSError name the caller's file, not the temporary one."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = os.fspath(path), None
        raise
