"""Check whether a training resumes to the same bits: all of it, against two halves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from fpdrift.doctor._examine import check_script, script_run
from fpdrift.doctor._resume_results import LostState, ResumeCheck, ResumeConclusion, StateKind
from fpdrift.doctor._run import Runner, Trace
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.provenance import available_cores
from fpdrift.subprocesses import Message

#: Kinds of state that decide whether two runs of the first half are equal.
_OF_MODEL: tuple[StateKind, ...] = ("weights", "optimizer slots", "iterations", "learning rate")
_SAVES = ("model", "weights")


def check_resume(
    script: str | Path,
    arguments: Sequence[str] = (),
    *,
    save: str = "model",
    timeout: float | None = 600.0,
    progress: Callable[[str], None] = lambda _: None,
) -> ResumeCheck:
    """Check whether a training that is saved, loaded in a new process and resumed is the same.

    The script runs unchanged, up to the end of its first call of `fit` with two epochs or more:
    once as it is, once for the first half of the epochs, after which the model is saved, and once
    in a new process for the second half, with the saved model loaded. What differs between the
    first and the third run at the middle was lost. Another run, with that state restored, proves
    it.

    Parameters
    ----------
    script : str or Path
        A Python script or a notebook.
    arguments : sequence of str
        Its command line.
    save : {"model", "weights"}
        Save with ``model.save("x.keras")`` or ``model.save_weights("x.weights.h5")``.
    timeout : float, optional
        Seconds after which a run is killed; None for no limit.
    progress : callable
        Called with a sentence about the runs that begin.

    Returns
    -------
    ResumeCheck

    Raises
    ------
    FpdriftError
        If the script does not exist or is no Python file, or an argument has the wrong type.
    """
    path = check_script(script, None, timeout)
    if save not in _SAVES:
        raise FpdriftError(f"save must be 'model' or 'weights', not {short_repr(save)}")
    with tempfile.TemporaryDirectory(prefix="fpdrift-resume-") as scratch:
        folder = Path(scratch).resolve()
        runner = Runner(
            path,
            arguments,
            folder,
            timeout=timeout,
            progress=progress,
            workers=min(2, available_cores()),
        )
        check = _Check(runner, folder, save)
        conclusion = check.run()
        return check.result(str(script), tuple(arguments), conclusion)


class _Check:
    """The runs so far, and what they have shown."""

    def __init__(self, runner: Runner, folder: Path, save: str) -> None:
        self._runner, self._folder, self._save = runner, folder, save
        self._lost: tuple[LostState, ...] = ()
        self._differ: dict[StateKind, tuple[str, ...]] = {}

    def run(self) -> ResumeConclusion:
        """Run the script in its phases; return the conclusion."""
        full, first = self._runner.phases(
            [self._task("full"), self._task("first")], "all of the training, and its first half"
        )
        if any(trace.ended != "finished" for trace in (full, first)):
            return "failed"
        if not full.resume:
            return "no training"
        if "middle" not in full.resume or "middle" not in first.resume:
            return "failed"
        if _different(full, first, _OF_MODEL):
            return "does not repeat"
        (second,) = self._runner.phases([self._task("second")], "its second half, resumed")
        if second.ended != "finished" or "middle" not in second.resume:
            return "failed"
        self._differ = _different(full, second, get_args(StateKind))
        if second.digest == full.digest:
            return "resumes"
        self._lost = self._prove(full)
        return "state lost"

    def _task(self, phase: str, restore: Sequence[str] = ()) -> Message:
        shared = self._folder / "shared"
        shared.mkdir(exist_ok=True)
        common = {"shared": str(shared), "save": self._save}
        return {"resume": {"phase": phase, "restore": list(restore), **common}}

    def _prove(self, full: Trace) -> tuple[LostState, ...]:
        """Resume with the lost state restored: the end is the same, or something else is lost."""
        equal = False
        if self._differ:
            task = self._task("second", tuple(self._differ))
            (again,) = self._runner.phases([task], "its second half, with lost state restored")
            equal = again.digest == full.digest
        lost = [LostState(kind=k, parts=p, proven=equal) for k, p in self._differ.items()]
        if not equal:
            data = (str(full.resume["data"]),)
            lost.append(LostState(kind="position in the data", parts=data, proven=False))
        return tuple(lost)

    def result(
        self, script: str, arguments: tuple[str, ...], conclusion: ResumeConclusion
    ) -> ResumeCheck:
        """Return what was found."""
        traces = self._runner.traces
        seen = traces[0].resume
        file, line = seen.get("place", ("", 0))
        return ResumeCheck(
            script=script,
            arguments=arguments,
            save=self._save,
            conclusion=conclusion,
            runs=tuple(map(script_run, traces)),
            epochs=seen.get("epochs", 0),
            first_half=seen.get("cut", 0),
            place=f"{file}:{line}" if line else file,
            lost=self._lost,
            without_effect=tuple(self._differ) if conclusion == "resumes" else (),
        )


def _different(a: Trace, b: Trace, kinds: Sequence[StateKind]) -> dict[StateKind, tuple[str, ...]]:
    """Return the parts of the state at the middle that differ between two runs."""
    found = {}
    for kind in kinds:
        ours, others = (trace.resume["middle"].get(kind, {}) for trace in (a, b))
        names = dict.fromkeys([*ours, *others])
        parts = tuple(_plain(name) for name in names if ours.get(name) != others.get(name))
        if parts:
            found[kind] = parts
    return found


def _plain(name: str) -> str:
    """Leave out the number in front of a part's name."""
    number, _, rest = name.partition(" ")
    return rest if number.isdigit() else name
