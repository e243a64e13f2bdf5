"""Many runs in 80 columns: classes of equal bits, and which diverged from which.

Many runs by machine: which processor, how many threads, and in which classes its runs are.

An ensemble in 80 columns: what was trained, and under which conditions.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from fpdrift.cli.screens.screen import WIDTH, count, screen, wrapped
from fpdrift.cli.screens.settings import change, setting
from fpdrift.cli.screens.settings import plain as whole
from fpdrift.comparison import ManyRuns, RecordSummary
from fpdrift.comparison._branches import letter
from fpdrift.comparison._metadata import UNKNOWN
from fpdrift.ensembles._ensemble import Ensemble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.comparison._branches import Branch

#: What tells machines and settings apart, by the record's name for it -> a column's head; where
#: there is no room for all, the last ones are dropped.
_COLUMNS = {
    "condition.intra_op_threads": "threads",
    "cpu": "processor",
    "condition.instruction_set": "at most",
    "condition.onednn": "oneDNN",
    "condition.dtype_policy": "dtype",
    "condition.seed": "seed",
    "system": "system",
    "cores": "cores",
    "backend": "backend",
}
_MOST_ROWS, _LONGEST_MACHINES = 20, 20


def plain(value: Any, most: int = _LONGEST_MACHINES) -> str:
    """Write what a stranger's record says, who may have put anything into a text."""
    text = "default" if value is None else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def machine_table(result: ManyRuns) -> list[str]:
    """Return a line for each kind of machine and setting; none where no record tells them apart."""
    names = [name for name in _COLUMNS if name in result.differs]
    lines: list[str] = []
    while names:
        heads = [*(_COLUMNS[name] for name in names), "runs", "of class"]
        rows = _rows(result, names)
        lines = _lined_up([heads, *rows[:_MOST_ROWS]])
        if len(rows) > _MOST_ROWS:
            lines.append(f"  and {count(len(rows) - _MOST_ROWS, 'kind')} more")
        if len(names) == 1 or max(map(len, lines)) <= WIDTH:
            break
        names.pop()
    return [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines]


def _rows(result: ManyRuns, names: list[str]) -> list[list[str]]:
    home = {run: number for number, runs in enumerate(result.classes) for run in runs}
    kinds: dict[tuple[str, ...], Counter[int]] = {}
    for run in range(len(result.names)):
        kind = tuple(plain(result.differs[name][run]) for name in names)
        kinds.setdefault(kind, Counter())[home[run]] += 1
    return [
        [*kind, str(classes.total()), _of_class(classes)]
        for kind, classes in sorted(kinds.items(), key=lambda item: _by_number(item[0]))
    ]


def _of_class(classes: Counter[int]) -> str:
    if len(classes) == 1:
        return letter(*classes)
    return ", ".join(f"{classes[number]} {letter(number)}" for number in sorted(classes))


def _by_number(kind: tuple[str, ...]) -> list[tuple[bool, int, str]]:
    """Sort 2 before 10, and texts behind numbers."""
    return [(not text.isdigit(), int(text) if text.isdigit() else 0, text) for text in kind]


def _lined_up(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


#: Facts that are told of a class, and characters of each, and names of its runs.
_MOST_FACTS, _LONGEST_MANY, _MOST_NAMES = 6, 40, 4
#: Names of tensors that are not compared.
_MOST_TENSORS = 3
#: Facts of one record that are told.
_ALL_FACTS = 100

#: Facts that the condition tells, or that no reader can read.
_UNTOLD = ("switches.", "dtype of ", "starting weights", "training_code", "recorder.")
#: Values that say nothing of a class.
_USUAL = (None, UNKNOWN)


@screen.register
def _many(result: ManyRuns) -> list[str]:
    runs, classes = count(len(result.names), "run"), len(result.classes)
    found = "one class" if classes == 1 else f"{classes} classes"
    lines = wrapped(f"{runs} in {found} of equal bits, {count(len(result.steps), 'step')} compared")
    if len(result.names) == 1:
        lines += wrapped("There is no other run to compare it with.")
    elif classes == 1:
        lines += wrapped("No drift seen; a single differing bit would have been detected.")
    if result.not_compared:
        names = ", ".join(map(_plain, result.not_compared[:_MOST_TENSORS]))
        more = len(result.not_compared) - _MOST_TENSORS
        lines += wrapped(
            f"Compared: the {count(result.compared or 0, 'tensor')} that all runs have. Some runs "
            f"lack: {names}{f' and {more} more' if more > 0 else ''}"
        )
    for number, branch in enumerate(result.branches):
        lines += ["", *_class(result, number, branch)]
    table = machine_table(result) if classes > 1 else []
    lines += ["", *table] if table else []
    return [*lines, "", *_spreads(result), *left_out(result.left_out)]


def left_out(files: dict[str, str]) -> Iterator[str]:
    """Name the files that are not in a comparison, and why."""
    for name, why in files.items():
        text = _plain(why, 300)
        yield from wrapped(
            f"Left out: {text if _plain(name) in text else f'{_plain(name)}: {text}'}"
        )


def _class(result: ManyRuns, number: int, branch: Branch) -> Iterator[str]:
    """Tell a class: how many runs, what they have in common, where they diverged from which."""
    head = f"  {letter(number):3}"
    for text in (_members(result, branch), _left(result, branch), _common(result, branch)):
        if text:
            yield from textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * 5)
            head = " " * 5


def _members(result: ManyRuns, branch: Branch) -> str:
    names = [_plain(result.names[run]) for run in branch.runs]
    short = [run for run in branch.runs if not result.complete[run]]
    last = max(result.last_steps)
    ended = [run for run in branch.runs if result.last_steps[run] < last]
    told = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    cut = "; incomplete: " + ", ".join(_plain(result.names[run]) for run in short) if short else ""
    cut += "".join(
        f"; {_plain(result.names[run])} ended at step {result.last_steps[run]}" for run in ended
    )
    return f"{count(len(names), 'run')}: {told}{cut}"


def _left(result: ManyRuns, branch: Branch) -> str:
    if branch.step is None or branch.parent is None:
        return ""
    when = f"at step {branch.step}" if branch.step else "before step 1"
    if branch.step and branch.step == result.steps[0]:
        when += ", the first compared"
    more = f" and {len(branch.tensors) - 1} more" if len(branch.tensors) > 1 else ""
    first = f", in {_plain(branch.tensors[0])}{more}" if branch.tensors else ""
    return f"diverged from {letter(branch.parent)} {when}{first}"


def _common(result: ManyRuns, branch: Branch) -> str:
    """Describe what all runs of a class share and others do not."""
    told = []
    for name, values in result.differs.items():
        value = values[branch.runs[0]]
        if name.startswith(_UNTOLD):
            continue
        if len({repr(values[run]) for run in branch.runs}) == 1 and value not in _USUAL:
            told.append(f"{_plain(name.removeprefix('condition.'))} {_plain(setting(value))}")
    return "; ".join([*told[:_MOST_FACTS], *(["..."] if len(told) > _MOST_FACTS else [])])


def _spreads(result: ManyRuns) -> Iterator[str]:
    for name, spread in result.spread.items():
        yield from wrapped(
            f"{_plain(name)} at step {result.spread_step}: {spread.least:.6g} to "
            f"{spread.largest:.6g}, mean {spread.mean:.6g} in {count(spread.runs, 'run')}"
        )


@screen.register
def _summary(result: RecordSummary) -> list[str]:
    state = "complete" if result.complete else "incomplete: the run was ended, or goes on"
    lines = wrapped(f"{_plain(result.name, 200)}, {result.size:,} bytes, {state}")
    if result.steps:
        span = f"{result.first_step} to {result.last_step}"
        lines += wrapped(
            f"{count(result.steps, 'step')} ({span}), values or sketches at {result.sketched}"
        )
    lines += list(_course(result))
    for role, (tensors, elements) in result.tensors.items():
        lines += wrapped(f"{count(tensors, f'{role} tensor')}, {count(elements, 'number')}", 4)
    for name, value in result.metrics.items():
        lines += wrapped(f"{_plain(name)} {value:.6g} at step {result.last_step}", 4)
    lines += ["", "  Settings and machine, as recorded:"]
    for name, text in list(result.facts.items())[:_ALL_FACTS]:
        lines += wrapped(f"{whole(name)}: {setting(text)}", 4)
    if len(result.facts) > _ALL_FACTS:
        lines += wrapped(f"and {len(result.facts) - _ALL_FACTS} more; --json has all", 4)
    return lines


def _course(result: RecordSummary) -> Iterator[str]:
    """Describe what happened in the course of a run that a reader has to know."""
    if not result.start_seen:
        yield from wrapped(
            "The start was not seen: a model without an Input makes its weights in the first step."
        )
    for phase in result.phases[1:]:
        changes = "; ".join(map(change, phase.changes)) or "training resumed"
        yield from wrapped(f"New phase after step {phase.step}: {changes}")
    if result.non_finite is not None:
        yield from wrapped(f"First infinite or NaN: {whole(result.non_finite)}")


def _plain(value: Any, most: int = _LONGEST_MANY) -> str:
    return plain(value, most)


#: Conditions that are listed.
_MOST = 20


@screen.register
def _ensemble(result: Ensemble) -> list[str]:
    times = Counter(condition.name for condition in result.conditions)
    runs = f"{count(len(result.names), 'run')} of {count(result.steps, 'step')}"
    lines = wrapped(
        f"{runs} of the {result.network}'s network on {result.data}, {result.labels} labels, are "
        f"done, under {count(len(times), 'condition')}:"
    )
    for name, runs_of_it in list(times.items())[:_MOST]:
        again = f" ({count(runs_of_it, 'run')})" if runs_of_it > 1 else ""
        lines += wrapped(f"{name}{again}", 4)
    if len(times) > _MOST:
        lines += wrapped(f"and {len(times) - _MOST} more", 4)
    return lines
