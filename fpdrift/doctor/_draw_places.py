"""Whose code a frame runs, and the line of the script that led there."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

#: Whose code a file holds. TEXT was compiled from a string, such as a dataclass's methods.
USER, TEXT, LIBRARY, STANDARD, OURS = range(5)
_IMPORT = "<frozen importlib._bootstrap>"

#: File and line.
Place = tuple[str, int]


class Places:
    """Whose code a frame runs, and the script's line that led there.

    Parameters
    ----------
    root : str or None
        Files in this folder are named relative to it.
    """

    def __init__(self, root: str | None) -> None:
        self.root = _folder(Path(root).resolve()) if root else None
        self._kinds: dict[str, int] = {}
        self._names: dict[str, str] = {}
        paths = sysconfig.get_paths()
        self._ours = (_folder(Path(__file__).parents[1]),)
        self._standard = tuple(_folder(Path(paths[k])) for k in ("stdlib", "platstdlib"))
        self._site = tuple(_folder(Path(paths[k])) for k in ("purelib", "platlib"))

    def kind(self, file: str) -> int:
        """Return whose code a file holds: USER, TEXT, LIBRARY, STANDARD or OURS."""
        try:
            return self._kinds[file]
        except KeyError:
            self._kinds[file] = kind = self._kind(file)
            return kind

    def _kind(self, file: str) -> int:
        if file.startswith("<"):
            if file.startswith("<ipython"):
                return USER
            inside = file.startswith("<__array_function__")
            return STANDARD if file.startswith("<frozen") else LIBRARY if inside else TEXT
        if file.startswith(self._ours):
            return OURS
        slashed = file.replace(os.sep, "/")
        # AutoGraph compiles the script's functions again, into files with names of chance.
        generated = "/__autograph_generated_file" in slashed
        packages = "/site-packages/" in slashed or "/dist-packages/" in slashed
        if file.startswith(self._site) or packages or generated:
            return LIBRARY
        return STANDARD if file.startswith(self._standard) else USER

    def of_call(self, frame: FrameType) -> tuple[str, int, str | None]:
        """Return place and library of a call from a frame; the file is "" if there is no place."""
        file = frame.f_code.co_filename
        if self.kind(file) == USER:
            return self._name(file), frame.f_lineno, None
        return (*(self.of(frame) or ("", 0)), self.library(frame))

    def of(self, frame: FrameType | None) -> Place | None:
        """Return file and line of the nearest frame of the script, from here outwards.

        None if there is none, as in a library's own thread, or if a library is only now being
        imported: what it draws for itself is nothing of the script's.
        """
        text = None
        while frame is not None:
            file = frame.f_code.co_filename
            kind = self.kind(file)
            if kind == USER:
                return self._name(file), frame.f_lineno
            if file == _IMPORT:
                return None
            if kind == TEXT and text is None:
                text = (file, frame.f_lineno)
            frame = frame.f_back
        return text

    def library(self, frame: FrameType) -> str | None:
        """Return the name of the library whose code a frame runs; None for the script's."""
        if self.kind(frame.f_code.co_filename) != LIBRARY:
            return None
        name = frame.f_globals.get("__name__") or ""
        return str(name).partition(".")[0] or None

    def _name(self, file: str) -> str:
        try:
            return self._names[file]
        except KeyError:
            self._names[file] = name = self._relative(Path(file))
            return name

    def _relative(self, file: Path) -> str:
        if file.parent.name.startswith("ipykernel_"):  # a notebook's cell, in a process's folder
            return file.name
        whole = str(file.resolve()) if file.is_absolute() else str(file)
        if self.root is not None and whole.startswith(self.root):
            file = Path(whole[len(self.root) :])
        return file.as_posix()


def _folder(path: Path) -> str:
    """Return what the names of all files in a folder begin with."""
    return f"{path}{os.sep}"
