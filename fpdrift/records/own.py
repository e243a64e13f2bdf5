"""Read a record that was made for whoever reads it: its size is no reason to refuse it.

`open_record` takes any file for a stranger's, and gives up on one that is large or takes long. A
run that trained for hours must not be lost because it was long.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from fpdrift.records.read import open_record
from fpdrift.records.record import Record


def opener(*, trust: bool) -> Callable[[str | os.PathLike[str]], Record]:
    """Give `open_own` for files of which it is known who made them, else `open_record`."""
    return open_own if trust else open_record


def open_own(path: str | os.PathLike[str]) -> Record:
    """Read a record of a run that was asked for here, however large; else it is checked as any.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    Record

    Raises
    ------
    RecordError
        As `open_record`.
    """
    return open_record(path, max_bytes=sys.maxsize)
