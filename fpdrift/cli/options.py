"""Values of arguments, and where a command's result goes: screen, JSON file, picture.

argparse puts the name of the option before each complaint.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift.cli.progress import waiting
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    from fpdrift.serialization import Result

#: Longest whole number; beyond that Python has limits of its own.
_MOST_DIGITS = 40


def whole(text: str) -> int:
    """Read a whole number."""
    if len(text) > _MOST_DIGITS:
        message = (
            f"{text[:_MOST_DIGITS]!r}... has {len(text):,} characters; choose a shorter number"
        )
        raise argparse.ArgumentTypeError(message)
    try:
        return int(text)
    except ValueError:
        message = f"{text[:40]!r} is not a whole number"
        raise argparse.ArgumentTypeError(message) from None


def wholes(text: str) -> tuple[int, ...]:
    """Read whole numbers with commas between them, such as ``1,2,8``."""
    return tuple(whole(part) for part in text.split(","))


def numbers(text: str) -> tuple[float, ...]:
    """Read numbers with commas between them, such as ``1e2,1e6``."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        message = f"{text[:40]!r} is not a list of numbers such as 1e2,1e6"
        raise argparse.ArgumentTypeError(message) from None


def words(text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(part.strip() for part in text.split(","))


def folder(text: str) -> Path:
    """Read the name of a folder."""
    if not text:
        message = "the name is empty; name a folder"
        raise argparse.ArgumentTypeError(message)
    return Path(text)


#: Endings of a picture's name.
_PICTURES = (".png", ".svg", ".pdf")


def add_output(command: argparse.ArgumentParser) -> None:
    """Add the options of every command with a result."""
    add_json(command)
    command.add_argument(
        "--plot", metavar="FILE", help=f"save its picture, {', '.join(_PICTURES)} (default: none)"
    )


def add_json(command: argparse.ArgumentParser) -> None:
    """Add the option that saves or prints the result as JSON."""
    command.add_argument(
        "--json",
        metavar="FILE",
        help="save the result, bit for bit; - prints it instead (default: print a summary)",
    )


def add_trust(command: argparse.ArgumentParser) -> None:
    """Add the option for records from a known source."""
    command.add_argument(
        "--trust", action="store_true", help="lift the size and time limits for untrusted files"
    )


def check_output(arguments: argparse.Namespace) -> None:
    """Check that the output can be written, before anything is computed.

    Raises
    ------
    FpdriftError
        If it cannot.
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
    """Show a result and save it where the arguments ask; return the exit code."""
    from fpdrift.cli.screens import show

    try:
        if arguments.json == "-":
            print(_json(result))
        else:
            show(result)
        flush()
    finally:  # also if the reader of the screen has exited (| head)
        _save(result, arguments)
    return 0


def _json(result: Result) -> str:
    """Return JSON that standard output can encode without replacing a character."""
    text = result.to_json()
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        import json

        return json.dumps(json.loads(text))
    return text


def _save(result: Result, arguments: argparse.Namespace) -> None:
    from fpdrift import atomic

    saved = []
    if arguments.json not in (None, "-"):
        atomic.write(arguments.json, result.to_json())
        saved.append(arguments.json)
    if arguments.plot is not None:
        with waiting("drawing"):
            from fpdrift.plotting import save_picture

            save_picture(result, arguments.plot)
        saved.append(arguments.plot)
    if saved:
        print(f"Saved: {', '.join(saved)}", file=sys.stderr)


def flush() -> None:
    """Flush standard output; it is None where the shell closed it (>&-)."""
    if sys.stdout is not None:
        sys.stdout.flush()


def make_folder(out: Path) -> None:
    """Make the folder and check that it is writable, before anything is computed.

    Raises
    ------
    FpdriftError
        If it is not.
    """
    from fpdrift import atomic

    try:
        out.mkdir(parents=True, exist_ok=True)
        atomic.try_folder(out)
    except OSError as error:
        message = f"cannot write to {out}: {error.strerror}; choose another folder with --out"
        raise FpdriftError(message) from None


def try_file(path: Path) -> None:
    """Check that a file can be written, before anything is computed.

    Raises
    ------
    FpdriftError
        If it cannot.
    """
    from fpdrift import atomic

    try:
        atomic.try_writing(path)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}; choose another place"
        raise FpdriftError(message) from None
