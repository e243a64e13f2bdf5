"""What is shipped to a worker: train one run there, and send the record's bytes back.

The worker may be a thread of this process, another process, or one on another machine: the function
and all it is given can be pickled, and no disk is shared. The training has a fresh process of its
own all the same, so that a crash, a hang or a lack of memory there leaves the worker alive.
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

#: Tickets of jobs that nobody waits for any more. Threads see them; other processes do not.
_given_up: set[str] = set()
#: Folders of the jobs under way in this process.
_folders: set[str] = set()


def train_remotely(run: Run, timeout: float | None, ticket: str) -> bytes:
    """Train in a folder of the worker's machine, and give the record.

    Parameters
    ----------
    run : Run
    timeout : float or None
        Seconds for the training itself, from when the worker begins.
    ticket : str
        Another one each time, so that no cluster takes a second try for the first; see `give_up`.

    Returns
    -------
    bytes
        The file, whole.

    Raises
    ------
    ChildError
        If the process fails, is killed or takes too long, or the record cannot be written here.
    FpdriftError
        If the run cannot be had here at all.
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
    except RecordError as error:  # a full disk of the worker's, which is no refusal of the run
        raise ChildError(str(error)) from None


def cancel(ticket: str) -> None:
    """Let a job in a thread of this process end at its next step."""
    _given_up.add(ticket)


def train_at(
    path: Path, run: Run, timeout: float | None, progress: Callable[[int, int], None]
) -> Record:
    """Train what a run asks for; its record is made at `path`."""
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
    """End a job that was given up.

    Raises
    ------
    ChildError
    """
    if ticket in _given_up:
        message = "nobody waits for it any more"
        raise ChildError(message)


@cache
def _follow_parent() -> None:
    """End a process of a pool when its parent has died; let only the parent answer to Ctrl-C.

    Both for good: a worker that waits for its next job has to end, too, and without a traceback. So
    a process that somebody else has started, with work of its own, is left as it is.
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
    # A function, since what is ignored would be ignored by the training process, too.
    signal.signal(signal.SIGINT, lambda *_: None)


def _is_pool_worker() -> bool:
    """Tell whether it is a ``ProcessPoolExecutor``'s process that called us, in its main thread."""
    callers = (frame.f_globals.get("__name__") for frame, _ in traceback.walk_stack(None))
    return process.__name__ in callers
