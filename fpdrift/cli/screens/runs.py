"""Runs: classes of equal bits and their machines, one record, and an ensemble."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fpdrift.cli.screens.blocks import (
    Blocks,
    Fit,
    columns,
    detail,
    heading,
    headline,
    marked,
    paragraph,
    table,
)
from fpdrift.cli.screens.screen import layout
from fpdrift.cli.screens.settings import change, setting
from fpdrift.cli.screens.settings import plain as whole
from fpdrift.comparison import ManyRuns, RecordSummary
from fpdrift.comparison._branches import letter
from fpdrift.comparison._metadata import UNKNOWN
from fpdrift.ensembles._ensemble import Ensemble
from fpdrift.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from fpdrift.comparison._branches import Branch

#: What distinguishes machines and settings: the record's name for it -> the head of a column;
#: the last ones are dropped where there is no room.
_COLUMNS = {
    "condition.intra_op_threads": "threads",
    "cpu": "processor",
    "condition.instruction_set": "instructions",
    "condition.onednn": "oneDNN",
    "condition.dtype_policy": "dtype",
    "condition.seed": "seed",
    "system": "system",
    "cores": "cores",
    "backend": "backend",
}
_MOST_ROWS, _LONGEST_MACHINES = 20, 20


def plain(value: Any, most: int = _LONGEST_MACHINES) -> str:
    """Write a value of a stranger's record, in which a text may hold anything."""
    text = "default" if value is None else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def machines(result: ManyRuns) -> Blocks:
    """Return a table with a row for each kind of machine and setting, if the records differ.

    Where the screen is too narrow for all columns, the last ones are dropped.
    """
    names = [name for name in _COLUMNS if name in result.differs]
    if names:
        yield ""
        shown = [names[:last] for last in range(len(names), 0, -1)]
        yield Fit(
            *(_machine_table(result, some, columns) for some in shown),
            _machine_table(result, names[:1], table),
        )


def _machine_table(
    result: ManyRuns, names: list[str], laid_out: Callable[..., RenderableType]
) -> RenderableType:
    from rich.console import Group

    heads = [f">{_COLUMNS[name]}" if _numbers(result, name) else _COLUMNS[name] for name in names]
    rows = _rows(result, names)
    made = laid_out([*heads, ">runs", "class"], rows[:_MOST_ROWS])
    if len(rows) <= _MOST_ROWS:
        return made
    return Group(made, paragraph(f"and {plural(len(rows) - _MOST_ROWS, 'more row')}"))


def _numbers(result: ManyRuns, name: str) -> bool:
    return all(plain(value).isdigit() for value in result.differs[name])


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


#: Facts that are shown of a class, characters of each, and names of its runs.
_MOST_FACTS, _LONGEST_MANY, _MOST_NAMES = 6, 40, 4
#: Names of tensors that are not compared.
_MOST_TENSORS = 3
#: Facts of one record that are shown.
_ALL_FACTS = 100

#: Facts that the condition implies, or that mean nothing to a reader.
_HIDDEN = ("switches.", "dtype of ", "starting weights", "training_code", "recorder.")
#: Values that do not distinguish a class.
_USUAL = (None, UNKNOWN)


@layout.register
def _many(result: ManyRuns) -> Blocks:
    runs, classes = plural(len(result.names), "run"), len(result.classes)
    steps = f"{plural(len(result.steps), 'step')} compared"
    if len(result.names) == 1:
        yield headline("1 run, and no other run to compare it with.")
    elif classes == 1:
        yield headline(f"No drift seen: {runs} have the same bits; {steps}.")
        yield paragraph("A single differing bit would have been detected.")
    else:
        yield headline(f"{runs} fall into {classes} classes of equal bits; {steps}.")
    if result.not_compared:
        names = ", ".join(map(_plain, result.not_compared[:_MOST_TENSORS]))
        more = len(result.not_compared) - _MOST_TENSORS
        yield paragraph(
            f"Compared: the {plural(result.compared or 0, 'tensor')} that all runs have. Missing "
            f"in some runs: {names}{f' and {more} more' if more > 0 else ''}."
        )
    for number, branch in enumerate(result.branches):
        texts = (_members(result, branch), _left(result, branch), _common(result, branch))
        yield ""
        yield marked(f"{letter(number):2}", "\n".join(filter(None, texts)))
    if classes > 1:
        yield from machines(result)
    yield ""
    yield from _spreads(result)
    yield from left_out(result.left_out)


def left_out(files: dict[str, str]) -> Blocks:
    """Name the files that are not in a comparison, and why."""
    for name, why in files.items():
        text = _plain(why, 300)
        file = _plain(name)
        yield paragraph(f"Skipped: {text if file in text else f'{file}: {text}'}")


def _members(result: ManyRuns, branch: Branch) -> str:
    names = [_plain(result.names[run]) for run in branch.runs]
    short = [run for run in branch.runs if not result.complete[run]]
    last = max(result.last_steps)
    ended = [run for run in branch.runs if result.last_steps[run] < last]
    some = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    cut = "; incomplete: " + ", ".join(_plain(result.names[run]) for run in short) if short else ""
    cut += "".join(
        f"; {_plain(result.names[run])} ended at step {result.last_steps[run]}" for run in ended
    )
    return f"{plural(len(names), 'run')}: {some}{cut}"


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
    facts = []
    for name, values in result.differs.items():
        value = values[branch.runs[0]]
        if name.startswith(_HIDDEN):
            continue
        if len({repr(values[run]) for run in branch.runs}) == 1 and value not in _USUAL:
            facts.append(f"{_plain(name.removeprefix('condition.'))} {_plain(setting(value))}")
    return "; ".join([*facts[:_MOST_FACTS], *(["..."] if len(facts) > _MOST_FACTS else [])])


def _spreads(result: ManyRuns) -> Blocks:
    for name, spread in result.spread.items():
        yield paragraph(
            f"{_plain(name)} at step {result.spread_step}: {spread.least:.6g} to "
            f"{spread.largest:.6g}, mean {spread.mean:.6g} in {plural(spread.runs, 'run')}"
        )


@layout.register
def _summary(result: RecordSummary) -> Blocks:
    name = _plain(result.name, 200)
    steps = plural(result.steps, "step")
    if result.steps:
        steps += f" ({result.first_step} to {result.last_step})"
    if result.complete:
        yield headline(f"{name} is a complete record of {steps}.")
    else:
        yield headline(f"{name} is an incomplete record of {steps}.")
        yield paragraph("The run was interrupted or is still running.")
    kept = f"; values or sketches at {plural(result.sketched, 'step')}" if result.steps else ""
    yield detail(f"{plural(result.size, 'byte')}{kept}.")
    yield from _course(result)
    if result.tensors:
        yield ""
        rows = [
            (role, f"{tensors:,}", f"{elements:,}")
            for role, (tensors, elements) in result.tensors.items()
        ]
        yield table(("role", ">tensors", ">elements"), rows)
    yield ""
    for metric, value in result.metrics.items():
        yield paragraph(f"{_plain(metric)} {value:.6g} at step {result.last_step}")
    facts = [fact for fact in result.facts.items() if not _is_internal(fact[0])]
    yield ""
    yield heading("Settings and machine, as recorded")
    shown = [(whole(name), setting(text)) for name, text in facts[:_ALL_FACTS]]
    yield table(("setting", "value"), shown)
    if len(facts) > _ALL_FACTS:
        yield paragraph(f"and {len(facts) - _ALL_FACTS} more; --json has all", 4)


def _is_internal(name: str) -> bool:
    """Return whether a fact is a mark of how fpdrift saves a result."""
    return any(part.startswith("$") for part in name.split("."))


def _course(result: RecordSummary) -> Blocks:
    """Describe what a reader has to know of a run's start, phases and numbers."""
    if not result.start_seen:
        yield paragraph(
            "The start is not recorded: a model without an Input creates its weights in the first "
            "step."
        )
    for phase in result.phases[1:]:
        changes = "; ".join(map(change, phase.changes)) or "training resumed"
        yield paragraph(f"New phase after step {phase.step}: {changes}")
    if result.non_finite is not None:
        yield paragraph(f"First infinite or NaN: {whole(result.non_finite)}")


def _plain(value: Any, most: int = _LONGEST_MANY) -> str:
    return plain(value, most)


#: Conditions that are listed.
_MOST = 20


@layout.register
def _ensemble(result: Ensemble) -> Blocks:
    times = Counter(condition.name for condition in result.conditions)
    yield headline(
        f"{plural(len(result.names), 'run')} of {plural(result.steps, 'step')} finished, under "
        f"{plural(len(times), 'condition')}."
    )
    yield detail(f"Network {result.network}, data {result.data}, {result.labels} labels.")
    yield ""
    rows = [(name, f"{runs:,}") for name, runs in list(times.items())[:_MOST]]
    yield table(("condition", ">runs"), rows)
    if len(times) > _MOST:
        yield paragraph(f"and {len(times) - _MOST} more")
