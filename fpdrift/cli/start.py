"""Start the command: what a terminal may do to it is met before anything slow is imported."""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys

from fpdrift.cli import INTERRUPTED

TYPE_CHECKING = False  # `typing` takes milliseconds in which a Ctrl-C would be a traceback
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

#: What stands for a character that the terminal's encoding lacks; all others are escaped.
_PLAIN = str.maketrans({"…": "...", "×": "x", "−": "-", "→": "->", "’": "'"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command as `fpdrift.cli.main.main` does, from a terminal.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of this process by default.

    Returns
    -------
    int
        The exit code.
    """
    previous = signal.getsignal(signal.SIGINT)
    heeds = previous is not signal.SIG_IGN  # under nohup and the like it goes on ignoring it
    if heeds:
        signal.signal(signal.SIGINT, _leave)
    codecs.register_error("fpdrift", _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="fpdrift")
    from fpdrift.cli.main import main as run

    if heeds:
        signal.signal(signal.SIGINT, previous)
    code = run(argv)
    if heeds:  # nothing is left to do but to close
        signal.signal(signal.SIGINT, _leave)
    return code


def _leave(*_: object) -> NoReturn:
    """End at once: an import that an exception breaks off says whatever it likes."""
    os.write(2, b"fpdrift: interrupted\n")
    os._exit(INTERRUPTED)


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks in ASCII, so that no text ever stops a command."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return missing.translate(_PLAIN).encode("ascii", "backslashreplace").decode(), error.end
