"""The command ``fpdrift``; exit codes: 0 success, 1 a step failed, 2 bad input, 130 interrupted."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import fpdrift
from fpdrift.cli import (
    BAD_INPUT,
    FINE,
    INTERRUPTED,
    batch,
    class_report,
    compare,
    demo,
    doctor,
    ensemble,
    experiment,
    export,
    gpu,
    lessons,
    lint,
    reveal,
    show,
    slides,
    sums,
    threads,
    train,
)
from fpdrift.cli.options import flush
from fpdrift.cli.parser import CommandParser, PrintCompletion
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: In the order in which the help lists them. These modules import nothing slow: what a command
#: computes with, its `run` imports.
_COMMANDS = (
    *(demo, reveal, sums, threads, batch, gpu, experiment, train, ensemble),
    *(compare, show, export, class_report, slides, lessons, lint, doctor),
)


def parser() -> CommandParser:
    """Build the parser of all commands."""
    top = CommandParser(
        prog="fpdrift",
        description="See floating-point drift on your own machine.",
        examples=("fpdrift demo", "fpdrift train --help"),
    )
    top.add_argument(
        "--version",
        action="version",
        version=f"fpdrift {fpdrift.__version__}",
        help="show the version and exit",
    )
    top.add_argument(
        "--print-completion",
        action=PrintCompletion,
        default=argparse.SUPPRESS,
        help="print the completion script for a shell and exit (default: none)",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in _COMMANDS:
        command.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None, *, loaded: Callable[[], object] = bool) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of this process by default.
    loaded : callable, optional
        Called when the arguments are read and most modules imported, before the command runs.

    Returns
    -------
    int
        The exit code.
    """
    # A library's notices would appear between our lines; set this variable to see them.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return _run(argv, loaded)
    except FpdriftError as error:
        return _complain(str(error), BAD_INPUT)
    except MemoryError:
        return _complain("not enough memory for so many numbers; choose fewer", BAD_INPUT)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and error.filename is None:
            _discard_unwritable()
            return FINE  # the reader has exited (| head): that is not a failure
        place = error.filename or "the output"
        why = error.strerror or error
        return _complain(f"cannot write {place}: {why}; choose another place", BAD_INPUT)


def _run(argv: Sequence[str] | None, loaded: Callable[[], object]) -> int:
    try:
        arguments = parser().parse_args(argv)
        import_module("fpdrift.cli.screens")  # brings NumPy and most of fpdrift
        loaded()
        code: int = arguments.run(arguments)
    except SystemExit as done:  # --help and --version have printed
        code = int(done.code or FINE)
    flush()
    return code


def _complain(message: str, code: int) -> int:
    _discard_unwritable()
    line = " ".join(message.split())
    with suppress(BrokenPipeError):
        print(f"fpdrift: {line}", file=sys.stderr, flush=True)
    _discard_unwritable()
    return code


def _discard_unwritable() -> None:
    """Discard output that cannot be written: Python would try again at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
