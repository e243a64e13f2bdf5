"""Find why the runs of a script differ: run it twice, take the most likely cause away, repeat."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fpdrift.doctor._evidence import GLOBAL_SEEDS, Candidate, candidates, difference, distance
from fpdrift.doctor._notebook import cell_file, code_cells
from fpdrift.doctor._results import Conclusion, ProvenCause, ScriptDiagnosis, ScriptRun, Suspect
from fpdrift.doctor._run import Runner, Trace
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.provenance import available_cores
from fpdrift.subprocesses import check_timeout

#: Kinds of cause under which two runs may be equal by chance.
_RACES = ("parallel data", "thread race", "nondeterministic operation", "hash order")
#: Runs after which the search ends.
MOST_RUNS = 15


def diagnose_script(
    script: str | Path,
    arguments: Sequence[str] = (),
    *,
    steps: int | None = None,
    timeout: float | None = 600.0,
    scale: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> ScriptDiagnosis:
    """Find out why the results of a training script differ from run to run.

    The script is run unchanged, twice, in fresh processes and in copies of the current folder. If
    the two runs differ, what differs first decides which source of differences is taken away from
    outside in the next two runs, until two runs have equal bits.

    Parameters
    ----------
    script : str or Path
        A Python script or a notebook.
    arguments : sequence of str
        Its command line.
    steps : int, optional
        Steps after which each call of `fit` ends; by default none is cut short.
    timeout : float, optional
        Seconds after which a run is killed; None for no limit.
    scale : bool
        Run three more times, to compare the difference with that of one ulp, of another number of
        threads, and of another seed.
    progress : callable
        Called with a sentence about each run that begins.

    Returns
    -------
    ScriptDiagnosis

    Raises
    ------
    FpdriftError
        If the script does not exist or is no Python file, or an argument has the wrong type.
    """
    path = check_script(script, steps, timeout)
    with tempfile.TemporaryDirectory(prefix="fpdrift-doctor-") as scratch:
        runner = Runner(
            path,
            arguments,
            Path(scratch).resolve(),
            steps=steps,
            timeout=timeout,
            progress=progress,
            workers=min(2, available_cores()),
        )
        search = _Search(runner, _suspects(path), hashes=_hashing_lines(path))
        search.run()
        if scale and search.conclusion in ("repeats", "cause found"):
            search.measure_scale()
        return search.result(str(script), tuple(arguments))


def check_script(script: str | Path, steps: int | None, timeout: float | None) -> Path:
    path = Path(script)
    if not path.is_file():
        raise FpdriftError(f"there is no file {short_repr(str(script))}; give a script or notebook")
    if path.suffix not in (".py", ".ipynb"):
        raise FpdriftError(f"{short_repr(str(script))} is neither a .py file nor a notebook")
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise FpdriftError(f"steps must be a positive integer, not {short_repr(steps)}")
    check_timeout(timeout)
    return path.resolve()


def _suspects(path: Path) -> tuple[Suspect, ...]:
    """Return what the linter finds, under the names of files that the runs use."""
    from fpdrift.lint import lint

    report = lint([path])
    if report.errors:
        raise FpdriftError(report.errors[0])
    return tuple(
        Suspect(
            code=finding.code,
            file=_file(path, finding.place),
            place=finding.place,
            line=int(finding.place.rpartition("line ")[2]),
            message=finding.message,
        )
        for finding in report.findings
    )


def _hashing_lines(path: Path) -> tuple[tuple[str, int], ...]:
    """Return the lines of a script that make a set or call `hash`, as (file, line)."""
    notebook = path.suffix == ".ipynb"
    texts = code_cells(str(path)) if notebook else [path.read_text("utf-8")]
    found = []
    for number, text in enumerate(texts, 1):
        file = Path(cell_file(str(path), number)).name if notebook else path.name
        nodes: Iterator[Any] = filter(_hashes, ast.walk(ast.parse(text)))
        lines = {node.lineno for node in nodes}
        found += [(file, line) for line in sorted(lines)]
    return tuple(found)


def _hashes(node: Any) -> bool:
    """Return whether an expression makes a set, or calls something whose order hashes decide."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    name = getattr(node, "id", getattr(node, "attr", ""))
    return name in {"set", "frozenset", "hash", "intersection", "symmetric_difference"}


def _file(path: Path, place: str) -> str:
    cell, _, _ = place.rpartition(", line")
    return f"{path.name}:{cell}" if cell else path.name


@dataclass
class _Search:
    """The runs so far, and what they have shown."""

    runner: Runner
    suspects: tuple[Suspect, ...]
    conclusion: Conclusion = "failed"
    #: what was taken away, in this order, and the pair of runs after each
    steps: list[tuple[tuple[Candidate, ...], tuple[Trace, Trace]]] = field(default_factory=list)
    causes: list[ProvenCause] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    scale: dict[str, float] = field(default_factory=dict)
    pinned: list[Any] = field(default_factory=list)
    #: file and line of each set, or call of `hash`
    hashes: tuple[tuple[str, int], ...] = ()
    #: interventions under which the script does not finish
    dropped: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Run the script until two runs are equal, or nothing is left to try."""
        pair = natural = self._natural()
        if any(trace.failed for trace in pair):
            return
        if not any(trace.digest for trace in pair):
            self.conclusion = "nothing trained"
            return
        self.pinned = pair[0].seeds()
        active: list[Candidate] = []
        while _differ(pair):
            found = self._next(pair, active)
            if not found or len(self.runner.traces) + 2 > MOST_RUNS:
                self.conclusion = "cause not found"
                self.tried = [c.intervention for c in active] + sorted(self.dropped)
                return
            active += found
            pair = self._pair(active)
            if any(trace.ended != natural[0].ended for trace in pair):
                # it does not run like this: go on without
                active = [candidate for candidate in active if candidate not in found]
                self.dropped |= {candidate.intervention for candidate in found}
                pair = self.steps[-1][1] if self.steps else natural
                continue
            pair = self._confirmed(active, pair)
            self.steps.append((tuple(found), pair))
        needed = self._needed(active)
        self.causes = [self._cause(candidate, natural, pair) for candidate in needed]
        self._left_over(pair)
        self.conclusion = "cause found" if self.causes else "repeats"

    def _natural(self) -> tuple[Trace, Trace]:
        """Run the script as it is: twice, and twice more where two runs may be equal by chance."""
        first = self.runner.pair(())
        events = {event["event"] for trace in first for event in trace.events}
        by_chance = self.hashes or events & {"parallel", "thread", "arrival"}
        if _differ(first) or not by_chance or any(trace.failed for trace in first):
            return first
        for other in self.runner.pair(()):
            if other.outcome != first[0].outcome:
                return first[0], other
        return first

    def _confirmed(
        self, active: Sequence[Candidate], pair: tuple[Trace, Trace]
    ) -> tuple[Trace, Trace]:
        """Run a third time where a race may have ended alike by chance."""
        if _differ(pair) or not any(candidate.kind in _RACES for candidate in active):
            return pair
        third = self.runner.one(pair[0].interventions, self.pinned)
        return (pair[0], third) if third.outcome != pair[0].outcome else pair

    def _pair(self, active: Sequence[Candidate]) -> tuple[Trace, Trace]:
        names = tuple(dict.fromkeys(candidate.intervention for candidate in active))
        return self.runner.pair(names, self.pinned)

    def _next(self, pair: tuple[Trace, Trace], active: list[Candidate]) -> list[Candidate]:
        """Return what to take away next: all generators whose draws differ, or else one thing."""
        done = {c.intervention for c in active} | self.dropped
        named = candidates(*pair, self.suspects, hashes=self.hashes)
        left = [candidate for candidate in named if candidate.intervention not in done]
        seeds = [c for c in left if c.kind in ("unseeded generator", "varying seed")]
        drawn = [c for c in seeds if c.intervention != "fixed entropy"]
        return drawn or left[:1]

    def _needed(self, active: list[Candidate]) -> list[Candidate]:
        """Leave out each intervention without which two runs are equal as well."""
        groups = _groups(active)
        for group in list(groups)[:-1] if len(groups) > 1 else []:
            if len(self.runner.traces) + 2 > MOST_RUNS:
                break
            rest = [c for other in groups for c in other if other is not group]
            without = self._confirmed(active, self._pair(rest))
            if not _differ(without) and not any(trace.failed for trace in without):
                groups = [other for other in groups if other is not group]
        return [candidate for group in groups for candidate in group]

    def _cause(
        self, candidate: Candidate, before: tuple[Trace, Trace], after: tuple[Trace, Trace]
    ) -> ProvenCause:
        return ProvenCause(
            kind=candidate.kind,
            subject=candidate.subject,
            file=candidate.file,
            line=candidate.line,
            also=candidate.also,
            interventions=after[0].interventions,
            with_it=(before[0].number, before[1].number),
            without_it=(after[0].number, after[1].number),
            time_ratio=sum(t.cpu for t in after) / max(sum(t.cpu for t in before), 1e-9),
        )

    def _left_over(self, pair: tuple[Trace, Trace]) -> None:
        """Run once more in the folder of an equal run, if it has left files there."""
        first = pair[0]
        if not first.left or len(self.runner.traces) >= MOST_RUNS:
            return
        again = self.runner.again(first, self.pinned)
        if again.failed or again.outcome == first.outcome:
            return
        files = {str(again.folder.parent / first.folder.name / "work" / f): f for f in first.left}
        read = [e for e in again.events if e["event"] == "file" and e["path"] in files]
        file, line, name = self.runner.script.name, 0, ", ".join(map(str, sorted(first.left)[:3]))
        if read:
            file, line, name = read[0]["file"], read[0]["line"], str(files[read[0]["path"]])
        found = Candidate("left-over file", name, file, line, "")
        self.causes.append(self._cause(found, (first, again), pair))

    def measure_scale(self) -> None:
        """Measure how far one ulp, another number of threads and another seed lead."""
        steady = self.steps[-1][1][0] if self.steps else self.runner.traces[0]
        for name in ("one ulp", "one thread", "another seed"):
            other = self.runner.one((*steady.interventions, name))
            if not other.failed:
                self.scale[name] = distance(steady, other)

    def result(self, script: str, arguments: tuple[str, ...]) -> ScriptDiagnosis:
        """Return what was found."""
        traces = self.runner.traces
        a, b = traces[:2]
        events = [event for trace in traces for event in trace.events]
        proven = {(cause.file, cause.line) for cause in self.causes}
        return ScriptDiagnosis(
            script=script,
            arguments=arguments,
            conclusion=self.conclusion,
            runs=tuple(script_run(trace) for trace in traces),
            causes=tuple(self.causes),
            suspects=tuple(
                suspect
                for suspect in (*self.suspects, *_improper_labels(a))
                if (suspect.file, suspect.line) not in proven
            ),
            difference=difference(a, b) if _differ((a, b)) and a.digest and b.digest else None,
            tried=tuple(dict.fromkeys(self.tried)),
            scale=self.scale,
            started=tuple(
                dict.fromkeys(f"{e['file']}:{e['line']}" for e in events if e["event"] == "process")
            ),
            imports_keras=any(trace.keras for trace in traces),
        )


def _improper_labels(trace: Trace) -> Iterator[Suspect]:
    """Yield each training whose labels do not sum to 1, for a loss that relies on it."""
    for event in trace.events:
        if event["event"] == "fit" and event["improper_labels"]:
            file, line = event["compiled"] or (event["file"], event["line"])
            yield Suspect(
                code="label trap",
                file=file,
                place=f"line {line}",
                line=line,
                message="labels for categorical cross-entropy do not sum to 1, so the gradient "
                "depends on how the loss is computed",
            )


def _groups(active: list[Candidate]) -> list[list[Candidate]]:
    """Group what one remedy takes away: the seeds of the global generators are one."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in active:
        name = candidate.intervention
        groups.setdefault("global" if name in GLOBAL_SEEDS else name, []).append(candidate)
    return list(groups.values())


def _differ(pair: tuple[Trace, Trace]) -> bool:
    return pair[0].outcome != pair[1].outcome


def script_run(trace: Trace) -> ScriptRun:
    """Return what a result holds of a run."""
    return ScriptRun(
        number=trace.number,
        interventions=trace.interventions,
        seconds=trace.seconds,
        ended=trace.ended,
        line=trace.line,
        digest=trace.digest,
        steps=trace.steps,
    )
