"""Many runs by machine: which processor, how many threads, and in which classes its runs are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fpdrift.cli.screens.screen import WIDTH, count
from fpdrift.drift.splits import letter

if TYPE_CHECKING:
    from fpdrift.drift import ManyRuns

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
_MOST_ROWS, _LONGEST = 20, 20


def plain(value: Any, most: int = _LONGEST) -> str:
    """Write what a stranger's record says, who may have put anything into a text."""
    text = "default" if value is None else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def machine_table(result: ManyRuns) -> list[str]:
    """Give a line for each kind of machine and setting; none where no record tells them apart."""
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
