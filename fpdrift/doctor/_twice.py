"""Compare a script's second run in one process with a run in a fresh one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from fpdrift.doctor._examine import check_script, script_run
from fpdrift.doctor._first_draw import first_difference
from fpdrift.doctor._run import Runner, Trace
from fpdrift.doctor._twice_results import Leftover, LeftoverKind, TwiceCheck, TwiceConclusion
from fpdrift.provenance import available_cores
from fpdrift.subprocesses import Message

#: Kind of leftover -> under which name a run reports its parts.
_PARTS = {"script variables": "variables", "modules": "modules", "Keras' settings": "settings"}


def check_twice(
    script: str | Path,
    arguments: Sequence[str] = (),
    *,
    timeout: float | None = 600.0,
    progress: Callable[[str], None] = lambda _: None,
) -> TwiceCheck:
    """Check whether a second run of a script in the same process equals one in a fresh process.

    This is what happens if all cells of a notebook are run again: variables, modules and settings
    are left over from the first run. If the second run differs, more processes run the script
    twice, each with one of them taken away in between, to find out which it is.

    Parameters
    ----------
    script : str or Path
        A Python script or a notebook.
    arguments : sequence of str
        Its command line.
    timeout : float, optional
        Seconds after which a process is killed; None for no limit.
    progress : callable
        Called with a sentence about the processes that begin.

    Returns
    -------
    TwiceCheck

    Raises
    ------
    FpdriftError
        If the script does not exist or is no Python file, or an argument has the wrong type.
    """
    path = check_script(script, None, timeout)
    with tempfile.TemporaryDirectory(prefix="fpdrift-twice-") as scratch:
        runner = Runner(
            path,
            arguments,
            Path(scratch).resolve(),
            timeout=timeout,
            progress=progress,
            workers=min(2, available_cores()),
        )
        conclusion, leftovers = _search(runner)
        traces = runner.traces
        return TwiceCheck(
            script=str(script),
            arguments=tuple(arguments),
            conclusion=conclusion,
            runs=tuple(map(script_run, traces)),
            second=tuple(trace.twice.get("digest", "") for trace in traces),
            taken_away=((), (), *((kind,) for kind in get_args(LeftoverKind)))[: len(traces)],
            leftovers=leftovers,
            first_draw=_first_draw(traces[0]),
        )


def _search(runner: Any) -> tuple[TwiceConclusion, tuple[Leftover, ...]]:
    """Run the script twice in one process, and once in another; then without each leftover."""
    both, fresh = runner.phases([_task(), {"twice": None}], "twice in one process, once in another")
    if not both.twice or fresh.ended != "finished":  # not even the first run ended well
        return "failed", ()
    if not both.digest:
        return "nothing trained", ()
    if both.outcome != fresh.outcome:
        return "does not repeat", ()
    if _equal(both):
        return "same", ()
    kinds = get_args(LeftoverKind)
    traces = runner.phases([_task(kind) for kind in kinds], "twice, with one leftover taken away")
    return "left over", tuple(
        Leftover(kind=kind, parts=tuple(both.twice[_PARTS[kind]]))
        for kind, trace in zip(kinds, traces, strict=True)
        if trace.outcome == both.outcome and _equal(trace)
    )


def _task(*fresh: LeftoverKind) -> Message:
    return {"twice": {"fresh": list(fresh)}}


def _equal(trace: Trace) -> bool:
    """Return whether both runs of a process ended well and with the same bits."""
    second = trace.twice.get("digest", ""), trace.twice.get("steps", 0)
    return trace.ended == "finished" and second == trace.outcome


def _first_draw(trace: Trace) -> str:
    """Describe the first draw in which the two runs of a process differ."""
    if not trace.twice:
        return ""
    at = trace.twice["draws"]
    first = first_difference(trace.draws[:at], trace.draws[at + 1 :])
    return first.sentence if first else ""
