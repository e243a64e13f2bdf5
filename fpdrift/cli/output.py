"""Where one command's result goes: the screen, a JSON file, a picture."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift.cli.screens import screen
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    from fpdrift.results import Result

#: What a picture's name may end in.
_PICTURES = (".png", ".svg", ".pdf")


def add_output(command: argparse.ArgumentParser) -> None:
    """Add the options that every command with a result has."""
    add_json(command)
    command.add_argument("--plot", metavar="FILE", help=f"save its picture, {', '.join(_PICTURES)}")


def add_json(command: argparse.ArgumentParser) -> None:
    """Add the option that saves or prints a result as it is."""
    command.add_argument(
        "--json", metavar="FILE", help="save the result, exact to the bit; - prints it instead"
    )


def add_trust(command: argparse.ArgumentParser) -> None:
    """Add the option for records that are no stranger's."""
    command.add_argument(
        "--trust",
        action="store_true",
        help="you know who made the records: read them however large they are and long it takes",
    )


def check_output(arguments: argparse.Namespace) -> None:
    """Refuse places that cannot be written, before anything is computed.

    Raises
    ------
    FpdriftError
    """
    if arguments.plot is not None:
        if not arguments.plot.endswith(_PICTURES):
            message = f"--plot {arguments.plot} ends in none of {', '.join(_PICTURES)}"
            raise FpdriftError(message)
        try_file(Path(arguments.plot))
    if arguments.json == "":
        message = "--json needs the name of a file, or - to print"
        raise FpdriftError(message)
    if arguments.json not in (None, "-"):
        try_file(Path(arguments.json))


def deliver(result: Result, arguments: argparse.Namespace) -> int:
    """Show a result and save it where the arguments say; give the exit code."""
    text = result.to_json()
    if arguments.json == "-":
        print(text)
    else:
        for line in screen(result):
            print(line)
    saved = []
    if arguments.json not in (None, "-"):
        replace(Path(arguments.json), text)
        saved.append(arguments.json)
    if arguments.plot is not None:
        from fpdrift.plotting import save_picture

        save_picture(result, arguments.plot)
        saved.append(arguments.plot)
    if saved:
        sys.stdout.flush()
        print(f"Saved: {', '.join(saved)}", file=sys.stderr)
    return 0


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, so that an old one is never half lost."""
    draft = path.with_suffix(".part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def make_folder(out: Path) -> None:
    """Make the folder and try it, before anything is computed.

    Raises
    ------
    FpdriftError
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        try_folder(out)
    except OSError as error:
        message = f"cannot write to {out}: {error.strerror}; choose another folder with --out"
        raise FpdriftError(message) from None


def try_folder(folder: Path) -> None:
    """Write to a folder and leave nothing behind.

    Raises
    ------
    OSError
    """
    with tempfile.TemporaryFile(dir=folder) as trial:
        trial.write(b"0" * 4096)
        trial.flush()
        os.fsync(trial.fileno())


def try_file(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed.

    Raises
    ------
    FpdriftError
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        try_folder(path.parent)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}; choose another place"
        raise FpdriftError(message) from None
