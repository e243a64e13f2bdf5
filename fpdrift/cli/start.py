"""Start the command: handle what a terminal may do to it before anything slow is imported."""

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

#: Replacements for characters that the terminal's encoding lacks; all others are escaped.
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
    heeds = previous is not signal.SIG_IGN  # under nohup and the like it is still ignored
    if heeds:
        signal.signal(signal.SIGINT, _leave)
    codecs.register_error("fpdrift", _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="fpdrift")
    from fpdrift.cli.main import main as run

    code = run(argv, loaded=lambda: heeds and signal.signal(signal.SIGINT, previous))
    if heeds:  # nothing is left to do but to close
        signal.signal(signal.SIGINT, _leave)
    return code


def _leave(*_: object) -> NoReturn:
    """End at once: an exception in the middle of an import may print anything."""
    os.write(2, b"fpdrift: interrupted\n")
    os._exit(INTERRUPTED)


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Write in ASCII what the encoding lacks, so that no text ever stops a command."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return missing.translate(_PLAIN).encode("ascii", "backslashreplace").decode(), error.end
