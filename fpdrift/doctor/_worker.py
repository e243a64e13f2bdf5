"""Run a script once, as it is, in a process of its own, and report what its trainings did.

Only the standard library is imported before the script begins: a script may set environment
variables that NumPy, TensorFlow and Keras read when they are imported.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from fpdrift.doctor._draws import Ledger
from fpdrift.doctor._interventions import intervene
from fpdrift.doctor._observer import Observer
from fpdrift.doctor._resume_hooks import ResumeHooks
from fpdrift.doctor._twice_hooks import TwiceHooks
from fpdrift.subprocesses import Message, Report, serve

#: Longest text of an error that is reported.
_LONGEST = 300


def run_script(task: Message, report: Report) -> Message:
    """Run the script.

    Parameters
    ----------
    task : dict
        ``script``, ``arguments``, ``folder`` (for records), ``working``, ``interventions``,
        ``pinned``, ``steps``; ``resume`` or ``twice`` for a run of such a check.
    report : callable
        Called once with the process group, so that what the script starts can be ended with it.

    Returns
    -------
    dict
        ``ended``, ``line`` of an error, ``events``, ``draws``, whether ``keras`` was imported,
        ``digest`` and ``steps`` of all trainings.
    """
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
        report({"group": os.getpid()})
    os.chdir(task["working"])
    script = task["script"]
    sys.argv = [script, *task["arguments"]]
    root = str(Path(script).parent)
    sys.path.insert(0, root)
    ledger = Ledger()
    observer = _observer(task, ledger, root)
    intervene(task["interventions"], task["pinned"])
    ledger.install(root)
    observer.install()
    namespace: dict[str, Any] | None = {} if task.get("twice") else None
    ended, line = _run(script, namespace)
    if namespace is not None and isinstance(observer, TwiceHooks) and ended == "finished":
        observer.begin_second(namespace)
        ended, line = _run(script, namespace)
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    done = {"ended": ended, "line": line, "draws": ledger.entries, "keras": "keras" in sys.modules}
    return done | observer.finish()


def _observer(task: Message, ledger: Ledger, root: str) -> Observer | ResumeHooks | TwiceHooks:
    """Return what observes the trainings of the script."""
    if "twice" in task:
        return TwiceHooks(task["twice"] or {"fresh": []}, ledger, root)
    if "resume" in task:
        return ResumeHooks(task["resume"], ledger)
    nudged = "one ulp" in task["interventions"]
    return Observer(ledger, task["folder"], task["steps"], nudged=nudged)


def _run(script: str, namespace: dict[str, Any] | None) -> tuple[str, int]:
    """Run the script as the main program; return how it ended, and the line of an error.

    If there is a `namespace`, the script starts with its variables, and leaves its own there.
    """
    import runpy

    try:
        if script.endswith(".ipynb"):
            from fpdrift.doctor._notebook import run_notebook

            run_notebook(script, namespace)
        else:
            left = runpy.run_path(script, namespace, run_name="__main__")
            if namespace is not None:
                namespace.update(left)
    except SystemExit as error:
        if error.code in (None, 0):
            return "finished", 0
        return f"called sys.exit({str(error.code)[:_LONGEST]!r})", _line(script, error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a script may raise anything
        text = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
        return f"raised {text}", _line(script, error)
    return "finished", 0


def _line(script: str, error: BaseException) -> int:
    """Return the last line of the script itself that led to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    lines: list[Any] = [frame.lineno for frame in frames if frame.filename == script]
    if isinstance(error, SyntaxError) and error.filename == script:
        lines.append(error.lineno)
    return lines[-1] if lines else 0


if __name__ == "__main__":
    serve(run_script)
