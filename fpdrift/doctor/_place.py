"""Tell the user's code from that of libraries, while it runs."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from types import FrameType

_PATHS = sysconfig.get_paths()
_PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"
#: Beginnings of the names of files that are not the user's: libraries, and this package.
NOT_USERS = (
    *(f"{_PATHS[name]}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    _PACKAGE,
    "<frozen",
)


def is_users(file: str) -> bool:
    """Return whether a file is the user's; code in a string belongs to whoever runs it."""
    return not file.startswith(NOT_USERS) and file != "<string>"


def is_ours(file: str) -> bool:
    """Return whether a file belongs to this package."""
    return file.startswith(_PACKAGE)


def called_by_user() -> bool:
    """Return whether the function that asks was called by the user's code itself.

    What this package wraps around that function does not count.
    """
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the way that is documented
    while frame is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and is_users(frame.f_code.co_filename)
