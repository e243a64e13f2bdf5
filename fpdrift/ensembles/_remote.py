"""Functions that run on a worker: train one run there, and send back the bytes of its record.

The worker may be a thread of this process, another process, or one on another machine: the function
and its arguments can be pickled, and no shared disk is needed. Training still takes place in a
fresh process, so a crash, a hang or a lack of memory does not end the worker.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import process
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fpdrift.ensembles._run_key import Run
from fpdrift.errors import ChildError, RecordError
from fpdrift.records import Record
from fpdrift.training import train

#: Tickets of cancelled jobs. Threads see them; other processes do not.
_cancelled: set[str] = set()
#: Folders of the jobs running in this process.
_folders: set[str] = set()


def train_remotely(run: Run, timeout: float | None, ticket: str) -> bytes:
    """Train a run in a temporary folder on the worker's machine, and return its record.

    Parameters
    ----------
    run : Run
    timeout : float or None
        Time limit in seconds for the training itself, from when the worker starts.
    ticket : str
        Different for each try, so that a cluster does not mistake a second try for the first; see
        `cancel`.

    Returns
    -------
    bytes
        Contents of the record file.

    Raises
    ------
    ChildError
        If the process fails, is killed or exceeds the time limit, or the record cannot be written.
    FpdriftError
        If the run is not possible on this machine at all.
    """
    _follow_parent()
    try:
        with TemporaryDirectory(prefix="fpdrift-run-") as folder:
            _folders.add(folder)
            try:
                raise_if_cancelled(ticket)
                path = Path(folder, "run.fpdrift")
                train_at(path, run, timeout, lambda *_: raise_if_cancelled(ticket))
                return path.read_bytes()
            finally:
                _folders.discard(folder)
    except RecordError as error:  # such as a full disk on the worker: another try may succeed
        raise ChildError(str(error)) from None


def cancel(ticket: str) -> None:
    """Cancel a job in a thread of this process; it ends at its next step."""
    _cancelled.add(ticket)


def train_at(
    path: Path, run: Run, timeout: float | None, progress: Callable[[int, int], None]
) -> Record:
    """Train a run, writing its record to `path`."""
    return train(
        run.condition,
        run.network,
        run.data,
        steps=run.steps,
        labels=run.labels,
        backend=run.backend,
        path=path,
        timeout=timeout,
        progress=progress,
    )


def raise_if_cancelled(ticket: str) -> None:
    """Raise ChildError if a job was cancelled.

    Raises
    ------
    ChildError
    """
    if ticket in _cancelled:
        message = "the job was cancelled"
        raise ChildError(message)


@cache
def _follow_parent() -> None:
    """Make a pool's process end when its parent dies, and ignore Ctrl-C, which the parent handles.

    The effect is permanent: a worker that waits for its next job must end, too, and without a
    traceback. Only processes of a ``ProcessPoolExecutor`` are changed.
    """
    parent = multiprocessing.parent_process()
    if parent is None or not _is_pool_worker():
        return

    def follow() -> None:
        parent.join()
        for folder in tuple(_folders):
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    # a function, since SIG_IGN would be inherited by the training process
    signal.signal(signal.SIGINT, lambda *_: None)


def _is_pool_worker() -> bool:
    """Return whether the caller is the main thread of a ``ProcessPoolExecutor`` process."""
    callers = (frame.f_globals.get("__name__") for frame, _ in traceback.walk_stack(None))
    return process.__name__ in callers
