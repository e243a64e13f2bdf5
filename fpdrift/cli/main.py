"""The command ``fpdrift``; it exits with 0 fine, 1 a step failed, 2 bad input, 130 interrupted."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import fpdrift
from fpdrift.cli import (
    INTERRUPTED,
    batch,
    class_report,
    compare,
    demo,
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
from fpdrift.errors import FpdriftError

if TYPE_CHECKING:
    from collections.abc import Sequence

FINE, FAILED, BAD_INPUT = 0, 1, 2


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, without the usage text."""

    def error(self, message: str) -> NoReturn:
        raise FpdriftError(f"{message} (see: {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    top = _Parser(
        prog="fpdrift",
        description="See floating-point drift on your own machine.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"fpdrift {fpdrift.__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    demo.add_to(commands)
    reveal.add_to(commands)
    sums.add_to(commands)
    threads.add_to(commands)
    batch.add_to(commands)
    gpu.add_to(commands)
    experiment.add_to(commands)
    train.add_to(commands)
    ensemble.add_to(commands)
    compare.add_to(commands)
    show.add_to(commands)
    export.add_to(commands)
    class_report.add_to(commands)
    slides.add_to(commands)
    lessons.add_to(commands)
    lint.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of this process by default.

    Returns
    -------
    int
        The exit code.
    """
    # A library's notices would stand between our lines; whoever wants them sets this.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return _run(argv)
    except FpdriftError as error:
        return _complain(str(error), BAD_INPUT)
    except MemoryError:
        return _complain("no memory for so many numbers; choose fewer", BAD_INPUT)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and error.filename is None:
            _discard_unwritable()
            return FINE  # the reader went away (| head): that is not a failure
        place = error.filename or "the output"
        why = error.strerror or error
        return _complain(f"cannot write {place}: {why}; choose another place", BAD_INPUT)


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = parser().parse_args(argv)
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
    """Throw away what cannot be written any more: at exit Python would try again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
