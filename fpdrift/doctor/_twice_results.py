"""What a script's first run leaves to a second one in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fpdrift.doctor._results import ScriptRun
from fpdrift.serialization import Result

LeftoverKind = Literal["script variables", "modules", "Keras' settings"]
TwiceConclusion = Literal["same", "left over", "does not repeat", "nothing trained", "failed"]

#: Kind of leftover -> how it changes the second run, and what to do.
LEFTOVERS: dict[str, tuple[str, str]] = {
    "script variables": (
        "Variables of the first run still exist when the script or the cells begin again.",
        "Create everything that the script changes, such as the model, without testing whether "
        "it exists.",
    ),
    "modules": (
        "Python imports a module once: what it does at import, such as seeding, does not happen "
        "again, and its variables keep their values.",
        "Seed and initialize in a function that the script calls.",
    ),
    "Keras' settings": (
        "Settings of Keras hold for the process: dtype policy, floatx, counters of names.",
        "Begin with keras.backend.clear_session() and set the policy before the model is made.",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover(Result):
    """One kind of state without which the second run equals the first."""

    kind: LeftoverKind
    #: what was left, such as names of modules or changed settings
    parts: tuple[str, ...]

    @property
    def explanation(self) -> str:
        """How it changes the second run."""
        return LEFTOVERS[self.kind][0]

    @property
    def remedy(self) -> str:
        """What to change in the script."""
        return LEFTOVERS[self.kind][1]


@dataclass(frozen=True, kw_only=True, slots=True)
class TwiceCheck(Result):
    """Whether a script's second run in one process equals a run in a fresh process."""

    script: str
    arguments: tuple[str, ...]
    conclusion: TwiceConclusion
    #: of each process, its first run
    runs: tuple[ScriptRun, ...]
    #: of each process, the digest of its second run; empty where there was none
    second: tuple[str, ...]
    #: of each process, what was taken away before its second run
    taken_away: tuple[tuple[LeftoverKind, ...], ...]
    leftovers: tuple[Leftover, ...]
    #: the first random draw in which the two runs of a process differ; empty if there is none
    first_draw: str

    @property
    def finding(self) -> str:
        """The answer in a sentence."""
        return _SENTENCES[self.conclusion](self)


def _same(found: TwiceCheck) -> str:
    return (
        f"A second run of {found.script} in the same process ends with the bits of a run in a "
        "fresh process."
    )


def _left_over(found: TwiceCheck) -> str:
    kinds = " or ".join(leftover.kind for leftover in found.leftovers)
    cause = f"Left over: {kinds}." if kinds else "What was left over was not found."
    run = found.runs[0]
    where = f" in line {run.line}" if run.line else ""
    ends = "ends with different bits than the first"
    how = ends if run.ended == "finished" else f"{run.ended}{where}; the first finished"
    return f"A second run of {found.script} in the same process {how}. {cause}"


def _does_not_repeat(found: TwiceCheck) -> str:
    return (
        f"Two runs of {found.script} in fresh processes already differ; run fpdrift doctor "
        f"{found.script} first."
    )


def _nothing_trained(_: TwiceCheck) -> str:
    return "The script trains nothing that can be observed: no optimizer of Keras updates anything."


def _failed(found: TwiceCheck) -> str:
    run = next(run for run in found.runs if run.ended != "finished")
    where = f" in line {run.line}" if run.line else ""
    return f"Run {run.number} did not finish: it {run.ended}{where}."


_SENTENCES = {
    "same": _same,
    "left over": _left_over,
    "does not repeat": _does_not_repeat,
    "nothing trained": _nothing_trained,
    "failed": _failed,
}
