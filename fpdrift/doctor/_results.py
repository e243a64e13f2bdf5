"""What the doctor finds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from fpdrift.doctor._remedies import CHANGES, REMEDIES, changes
from fpdrift.serialization import Result
from fpdrift.text import plural

Kind = Literal[
    "unseeded generator",
    "varying seed",
    "hash order",
    "parallel data",
    "thread race",
    "outside input",
    "left-over file",
    "nondeterministic operation",
]
Conclusion = Literal["repeats", "cause found", "cause not found", "nothing trained", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvenCause(Result):
    """One reason why the runs of a script differ, proven by runs without it."""

    kind: Kind
    #: what is to blame, such as a function or a generator
    subject: str
    #: the script's file as in the script's folder, or ``notebook.ipynb:cell 3``; the line from 1
    file: str
    line: int
    #: other places, ``file:line``, at which the same generator draws
    also: tuple[str, ...]
    #: what was done to take the cause away
    interventions: tuple[str, ...]
    #: runs with it that differ, and runs without it that are equal
    with_it: tuple[int, int]
    without_it: tuple[int, int]
    #: CPU time of the trainings without it, as a multiple of that with it
    time_ratio: float

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def remedy(self) -> str:
        """What to change in the script."""
        return REMEDIES[self.kind][1]

    @property
    def explanation(self) -> str:
        """How the cause makes runs differ."""
        return REMEDIES[self.kind][0]

    @property
    def proof(self) -> str:
        """The runs that show it."""
        with_it, without = (f"{a} and {b}" for a, b in (self.with_it, self.without_it))
        if self.kind == "left-over file":
            return (
                f"runs {with_it}, in one folder, differ; runs {without}, each in its own, are equal"
            )
        return (
            f"runs {with_it} differ; runs {without}, with {changes(self.interventions)}, have the "
            f"same bits, in {self.time_ratio:.2g} times the CPU time"
        )

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.subject}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptRun(Result):
    """One run of the script."""

    number: int
    interventions: tuple[str, ...]
    seconds: float
    ended: str
    #: line of the error with which it ended, or 0
    line: int
    #: digest of all trained variables; empty if nothing was trained
    digest: str
    #: steps of all optimizers
    steps: int

    @property
    def changes(self) -> str:
        """What was changed from outside the script."""
        return changes(self.interventions) or "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect(Result):
    """What reading shows, such as a finding of ``fpdrift lint``; the runs need not depend on it."""

    code: str
    file: str
    place: str
    line: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDifference(Result):
    """How far two runs are apart, and where they begin to differ."""

    #: relative distance of the final weights; NaN if they have different shapes
    distance: float
    #: kind and reason of the comparison of the first training whose records differ, if any
    verdict: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptDiagnosis(Result):
    """Why the runs of a script differ."""

    script: str
    arguments: tuple[str, ...]
    conclusion: Conclusion
    runs: tuple[ScriptRun, ...]
    causes: tuple[ProvenCause, ...]
    suspects: tuple[Suspect, ...]
    #: between the first two runs; None if they are equal
    difference: RunDifference | None
    #: interventions that were tried without success
    tried: tuple[str, ...]
    #: size of other differences on this script: what was changed -> relative distance
    scale: dict[str, float]
    #: how the script starts other programs, if it trains nothing itself
    started: tuple[str, ...]
    #: the library in which nothing was trained: whether Keras was imported
    imports_keras: bool

    @property
    def finding(self) -> str:
        """The answer in a sentence."""
        return _SENTENCES[self.conclusion](self)

    @property
    def remarks(self) -> tuple[str, ...]:
        """How large the difference is, where it begins, and what it compares with."""
        found, remarks = self.difference, []
        if found is not None and not math.isnan(found.distance):
            remarks.append(
                f"The final weights of runs 1 and 2 differ by {found.distance:.1e} of their size."
            )
        if found is not None and found.verdict:
            remarks.append(f"Comparison of their first training: {found.verdict}; {found.reason}.")
        if self.scale:
            sizes = "; ".join(f"{CHANGES[name]} {size:.1e}" for name, size in self.scale.items())
            remarks.append(f"For scale, with the causes taken away: {sizes}.")
        return tuple(remarks)

    @property
    def tested(self) -> str:
        """What the runs covered, and what they did not."""
        return (
            f"{plural(len(self.runs), 'run')} on this machine, in fresh processes and in copies "
            "of the current folder. Equal results: the same bits in all trained variables. Another "
            "machine, another version of a library, or a GPU may add causes that were not tested."
        )


#: Articles of the kinds that take one.
_ARTICLES = {
    "unseeded generator": "an ",
    "varying seed": "a ",
    "thread race": "a ",
    "left-over file": "a ",
    "nondeterministic operation": "a ",
}


def _repeats(found: ScriptDiagnosis) -> str:
    # those with something changed, for the scale, are not among the equal ones
    runs = plural(sum(not run.interventions for run in found.runs), "run")
    steps = plural(found.runs[0].steps, "step")
    return f"{found.script} repeats: {runs} ended with the same bits after {steps}."


def _cause_found(found: ScriptDiagnosis) -> str:
    kinds = dict.fromkeys(f"{_ARTICLES.get(c.kind, '')}{c.kind}" for c in found.causes)
    return f"The runs of {found.script} differ because of {' and '.join(kinds)}."


def _not_found(found: ScriptDiagnosis) -> str:
    return (
        f"The runs of {found.script} differ, and the cause was not found in "
        f"{plural(len(found.runs), 'run')}. They still differ with {changes(found.tried)}."
    )


def _nothing_trained(found: ScriptDiagnosis) -> str:
    if found.started:
        return (
            f"The script trains nothing in its own process; it starts other programs in "
            f"{', '.join(found.started)}. Run the doctor on the script that trains."
        )
    if not found.imports_keras:
        return "The script trains nothing that can be observed: it does not import Keras."
    return "The script imports Keras, but no optimizer of Keras updates anything in it."


def _failed(found: ScriptDiagnosis) -> str:
    run = next(run for run in found.runs if run.ended != "finished")
    where = f" in line {run.line}" if run.line else ""
    return f"Run {run.number} did not finish: it {run.ended}{where}."


_SENTENCES = {
    "repeats": _repeats,
    "cause found": _cause_found,
    "cause not found": _not_found,
    "nothing trained": _nothing_trained,
    "failed": _failed,
}
