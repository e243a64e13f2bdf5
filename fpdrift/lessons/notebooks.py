"""Find the notebooks, list them, and copy them for students."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import fpdrift
from fpdrift.errors import FpdriftError

#: The teacher's guide, in the same folder as the notebooks.
_GUIDE = "TEACHING.md"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson."""

    #: two digits
    number: str
    #: first heading of the notebook
    title: str
    #: the question quoted at its top
    question: str
    notebook: Path
    solution: Path


def folder() -> Path:
    """Find the notebooks in the installed package or, failing that, in the checkout around it.

    Raises
    ------
    FpdriftError
        If neither contains notebooks.
    """
    package = Path(fpdrift.__file__).parent
    for place in (package / "lessons" / "notebooks", package.parent / "lessons"):
        if any(place.glob("[0-9][0-9]_*.ipynb")):
            return place
    message = "the lessons were not found; reinstall fpdrift, or run 'make lessons' in a checkout"
    raise FpdriftError(message)


def lessons() -> tuple[Lesson, ...]:
    """List all lessons in order."""
    place = folder()
    return tuple(
        Lesson(path.name[:2], *_top(path), path, place / "solutions" / path.name)
        for path in sorted(place.glob("[0-9][0-9]_*.ipynb"))
    )


def find_lesson(number: str) -> Lesson:
    """Find a lesson by its number; ``"1"`` is ``"01"``.

    Raises
    ------
    FpdriftError
        If the lesson does not exist.
    """
    known = lessons()
    for lesson in known:
        if lesson.number == number.zfill(2):
            return lesson
    message = f"no lesson {number!r}; choose one of: {', '.join(item.number for item in known)}"
    raise FpdriftError(message)


def copy_lessons(directory: Path) -> tuple[Path, ...]:
    """Copy lessons, solutions and the teacher's guide into a folder, creating it if needed.

    Raises
    ------
    FpdriftError
        If a file already exists; nothing is copied then.
    """
    if directory.exists() and not directory.is_dir():
        message = f"{directory} is a file; name a folder"
        raise FpdriftError(message)
    pairs = [(item.notebook, directory / item.notebook.name) for item in lessons()]
    pairs += [(item.solution, directory / "solutions" / item.solution.name) for item in lessons()]
    pairs.append((folder() / _GUIDE, directory / _GUIDE))
    for _, target in pairs:
        if target.exists():
            message = f"{target} already exists and may contain answers; choose another folder"
            raise FpdriftError(message)
    for source, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return tuple(target for _, target in pairs)


def copy_lesson(lesson: Lesson, directory: Path) -> Path:
    """Copy one lesson for a student, keeping an existing copy; return its path."""
    target = directory / lesson.notebook.name
    if not target.exists():
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(lesson.notebook, target)
    return target


def _top(path: Path) -> tuple[str, str]:
    """Read a notebook's first heading and the question quoted under it."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    lines = "".join(notebook["cells"][0]["source"]).splitlines()
    title = next((line.removeprefix("# ") for line in lines if line.startswith("# ")), path.stem)
    quoted = " ".join(line.removeprefix("> ") for line in lines if line.startswith("> "))
    return title.strip(), quoted.replace("`", "").strip('*"')
