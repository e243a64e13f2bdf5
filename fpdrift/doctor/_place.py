"""Tell the user's code from that of libraries, while it runs."""

from __future__ import annotations

import sys
import sysconfig
from os.path import dirname, join
from types import FrameType

_PATHS = sysconfig.get_paths()
_PACKAGE = join(dirname(dirname(__file__)), "")
#: Beginnings of the names of files that are not the user's: libraries, and this package.
NOT_USERS = (
    *(join(_PATHS[name], "") for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    _PACKAGE,
    "<frozen",
)


def is_users(file: str) -> bool:
    """Return whether a file is the user's; code in a string belongs to whoever runs it."""
    return not file.startswith(NOT_USERS) and file != "<string>"


def called_by_user() -> bool:
    """Return whether the function that asks was called by the user's code itself.

    What this package wraps around that function does not count.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame is not None and is_users(frame.f_code.co_filename)
