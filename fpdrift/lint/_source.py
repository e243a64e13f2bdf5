"""Scripts, notebooks and folders as Python text, with the way back to a place in them."""

from __future__ import annotations

import ast
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift.errors import FpdriftError, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SUFFIXES = {".py", ".ipynb"}
#: Folders that hold other people's code.
_SKIPPED = {"venv", "env", "node_modules", "site-packages", "__pycache__", "build", "dist"}
_NOQA = re.compile(r"#\s*noqa(?::\s*(?P<codes>[A-Z]+\d*(?:[,\s]+[A-Z]+\d*)*))?", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """The Python text of one file."""

    path: str
    text: str
    #: For each line of `text`, the cell and the line in it; empty for a script.
    cells: tuple[tuple[int, int], ...] = ()

    @cached_property
    def lines(self) -> list[str]:
        """The lines, as Python's parser counts them."""
        return re.split(r"\r\n|\r|\n", self.text)

    def parse(self) -> ast.Module:
        """Parse the text.

        Returns
        -------
        ast.Module
            The syntax tree.

        Raises
        ------
        FpdriftError
            If the text is not Python; the message names file and line.
        """
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            place = self.place(error.lineno or 1)
            raise FpdriftError(f"{self.path}, {place}: not Python: {error.msg}") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise FpdriftError(f"{self.path}, line 1: not Python: {error}") from None

    def place(self, line: int) -> str:
        """Return ``"line 7"``, or ``"cell 3, line 2"`` in a notebook."""
        if not self.cells:
            return f"line {line}"
        cell, inside = self.cells[min(line, len(self.cells)) - 1]
        return f"cell {cell}, line {inside}"

    def column(self, line: int, offset: int) -> int:
        """Return the column of a place that `ast` counts in bytes of UTF-8."""
        return len(self.lines[line - 1].encode()[:offset].decode(errors="ignore"))

    def is_silenced(self, line: int, code: str) -> bool:
        """Return whether a ``# noqa`` on a line names this code, or none."""
        comment = _NOQA.search(self.lines[line - 1]) if line <= len(self.lines) else None
        if comment is None:
            return False
        return not comment["codes"] or code in re.split(r"[,\s]+", comment["codes"].upper())


def find_files(paths: Iterable[str | Path]) -> Iterator[Path]:
    """Yield the scripts and notebooks that paths name; folders recursively, each file once.

    Parameters
    ----------
    paths : iterable of str or Path
        Files and folders. Hidden folders and virtual environments inside a folder are skipped.

    Yields
    ------
    Path
        A ``.py`` or ``.ipynb`` file.

    Raises
    ------
    FpdriftError
        If a path does not exist or is another kind of file.
    """
    seen = set()
    for path in map(Path, paths):
        if not path.exists():
            raise FpdriftError(f"{short_repr(str(path))} does not exist; name a script or a folder")
        if not path.is_dir() and path.suffix not in _SUFFIXES:
            raise FpdriftError(f"{short_repr(str(path))} is neither a .py nor an .ipynb file")
        for file in _walk(path) if path.is_dir() else [path]:
            if (key := file.resolve()) not in seen:
                seen.add(key)
                yield file


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _SKIPPED
            and not (here / name / "pyvenv.cfg").exists()
        )
        yield from (here / name for name in sorted(files) if Path(name).suffix in _SUFFIXES)


def read(path: Path) -> Source:
    """Read a script or a notebook.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Source
        Its Python text.

    Raises
    ------
    FpdriftError
        If it is not text or not a notebook.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _read_notebook(path, text) if path.suffix == ".ipynb" else Source(str(path), text)
    except UnicodeDecodeError:
        raise FpdriftError(f"{path}, line 1: not UTF-8 text") from None
    except OSError as error:
        raise FpdriftError(f"{path}: cannot be read: {error.strerror}") from None


def _read_notebook(path: Path, text: str) -> Source:
    try:
        cells = [
            "".join(cell["source"]) if cell["cell_type"] == "code" else ""
            for cell in json.loads(text)["cells"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FpdriftError(f"{path}, line 1: not a notebook of format 4") from None
    lines, places = [], []
    for number, cell in enumerate(cells, 1):
        for inside, line in enumerate(_without_magics(cell), 1):
            lines.append(line)
            places.append((number, inside))
    return Source(str(path), "\n".join(lines) + "\n", tuple(places))


def _without_magics(cell: str) -> list[str]:
    """Return the lines of a cell, with ``pass`` in place of what only IPython understands."""
    lines = cell.splitlines()
    if cell.lstrip().startswith("%%"):
        magic = cell.split(maxsplit=1)[0]
        keep = magic in {"%%time", "%%timeit", "%%capture"}
        return ["", *(_without_magics("\n".join(lines[1:])) if keep else [""] * (len(lines) - 1))]
    return [
        re.sub(r"^(\s*).*", r"\1pass", line)
        if re.match(r"\s*((?:%\w|!)|\?\w|[\w.]+\?{1,2}\s*$|\w+\s*=\s*[!%])", line)
        else line
        for line in lines
    ]
