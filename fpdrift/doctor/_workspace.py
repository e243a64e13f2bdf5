"""A private copy of the folder in which a script runs, so that its runs do not meet.

A script writes into its folder: checkpoints, logs, caches. Each run gets a copy of its own. Large
files are linked, not copied, and so is everything in a folder too large to copy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

#: Folders that a script does not read: version control, environments, caches.
_SKIPPED = {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".tox"}
#: Files that are copied at most, bytes of one file, and bytes in all.
_FILES, _ONE, _ALL = 5_000, 1 << 24, 1 << 28


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder.

    Parameters
    ----------
    source : Path
        The folder in which the script would run.
    target : Path
        A folder that does not exist yet.
    """
    target.mkdir(parents=True)
    files = _files(source)
    if files is None:
        for entry in sorted(source.iterdir()):
            if entry.name not in _SKIPPED:
                (target / entry.name).symlink_to(entry)
        return
    for file, size in files:
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if size > _ONE:
            place.symlink_to(file)
        else:
            shutil.copy2(file, place)


def _files(folder: Path) -> list[tuple[Path, int]] | None:
    """List the files of a folder with their sizes; None if they are too many or too large."""
    found, total = [], 0
    for file in _walk(folder):
        try:
            size = file.stat().st_size
        except OSError:  # a dangling link
            continue
        total += min(size, _ONE)
        found.append((file, size))
        if len(found) > _FILES or total > _ALL:
            return None
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in sorted(files):
            file = Path(root, name)
            if file.is_file():  # neither a pipe nor a socket
                yield file


def files_in(folder: Path) -> set[Path]:
    """Return the files in a folder, at any depth."""
    return set(_walk(folder))
