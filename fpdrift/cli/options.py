"""Read what an argument says; argparse names the option in front of each complaint.

Where one command's result goes: the screen, a JSON file, a picture.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift import atomic
from fpdrift.cli.screens import show
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    from fpdrift.serialization import Result

#: Of a whole number; what is longer, Python takes for a number or not by its own limit.
_MOST_DIGITS = 40


def whole(text: str) -> int:
    """Read a whole number."""
    if len(text) > _MOST_DIGITS:
        message = f"{text[:_MOST_DIGITS]!r}... has {len(text):,} characters, too many"
        raise argparse.ArgumentTypeError(message)
    try:
        return int(text)
    except ValueError:
        message = f"{text[:40]!r} is no whole number"
        raise argparse.ArgumentTypeError(message) from None


def wholes(text: str) -> tuple[int, ...]:
    """Read whole numbers with commas between them, such as ``1,2,8``."""
    return tuple(whole(part) for part in text.split(","))


def numbers(text: str) -> tuple[float, ...]:
    """Read numbers with commas between them, such as ``1e2,1e6``."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        message = f"{text[:40]!r} is not numbers with commas between, such as 1e2,1e6"
        raise argparse.ArgumentTypeError(message) from None


def words(text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(part.strip() for part in text.split(","))


def folder(text: str) -> Path:
    """Read the name of a folder."""
    if not text:
        message = "name a folder, not nothing"
        raise argparse.ArgumentTypeError(message)
    return Path(text)


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
    try:
        if arguments.json == "-":
            print(_json(result))
        else:
            show(result)
        flush()
    finally:  # also where whoever reads the screen has gone away (| head)
        _save(result, arguments)
    return 0


def _json(result: Result) -> str:
    """Write a result so that standard output can hold it without replacing a character."""
    text = result.to_json()
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(json.loads(text))
    return text


def _save(result: Result, arguments: argparse.Namespace) -> None:
    saved = []
    if arguments.json not in (None, "-"):
        atomic.write(arguments.json, result.to_json())
        saved.append(arguments.json)
    if arguments.plot is not None:
        from fpdrift.plotting import save_picture

        save_picture(result, arguments.plot)
        saved.append(arguments.plot)
    if saved:
        print(f"Saved: {', '.join(saved)}", file=sys.stderr)


def flush() -> None:
    """Hand over what has been printed; a closed standard output (>&-) is None."""
    if sys.stdout is not None:
        sys.stdout.flush()


def make_folder(out: Path) -> None:
    """Make the folder and try it, before anything is computed.

    Raises
    ------
    FpdriftError
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        atomic.try_folder(out)
    except OSError as error:
        message = f"cannot write to {out}: {error.strerror}; choose another folder with --out"
        raise FpdriftError(message) from None


def try_file(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is computed.

    Raises
    ------
    FpdriftError
    """
    try:
        atomic.try_writing(path)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}; choose another place"
        raise FpdriftError(message) from None
