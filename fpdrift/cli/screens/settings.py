"""The settings of two runs in 80 columns: what differs, what one records, what neither does."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.cli.screens.screen import count
from fpdrift.comparison._metadata import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Settings that are written out, and characters of one value.
_MOST, _LONGEST = 20, 1_000
#: What it means for the reader that no record says something.
_UNRECORDED = {
    "condition": "thread count and op determinism",
    "data": "the data, their order and augmentation",
    "network": "the network's code",
    "seed": "the seeds",
    "starting weights": "the starting weights",
}
#: In lines of their own: start, what is not compared, incomplete, churn.
_OWN_LINE = ("starting weights", "complete", "first step", "last step", "recorder.")
#: A number with more digits than any float32 needs.
_DIGITS = re.compile(r"(?<![\w.])-?\d+\.\d{9,}(?:e[+-]?\d\d)?(?![\w.])")
#: Settings that no run has without the other's knowledge: of the records themselves.
_OF_RECORDS = ("loss kind", "training_code", "dtype of ")


def differing(differs: dict[str, tuple[Any, Any]]) -> Iterator[str]:
    """Describe which recorded settings of two runs differ: ``name: a's | b's``."""
    differs = {name: pair for name, pair in differs.items() if not name.startswith(_OWN_LINE)}
    both = {name: pair for name, pair in differs.items() if UNKNOWN not in pair}
    for name, (ours, others) in list(both.items())[:_MOST]:
        yield f"{plain(name)}: {value(ours, others)} | {value(others, ours)}"
    if len(both) > _MOST:
        yield f"and {len(both) - _MOST} more; --json has all"
    one_sided = False
    for run, other in ((0, 1), (1, 0)):
        names = [n for n, pair in differs.items() if pair[other] == UNKNOWN != pair[run]]
        one_sided |= bool(names)
        if names:
            yield f"recorded in {'ab'[run]} alone: {_grouped(names)}"
    if not any(not name.startswith(_OF_RECORDS) for name in both) and not one_sided:
        yield "recorded settings: identical"


def unrecorded(differs: dict[str, tuple[Any, Any]]) -> str:
    """Describe what neither record says, so that it may be the cause of a difference."""
    names = [name for name, pair in differs.items() if pair == (UNKNOWN, UNKNOWN)]
    told = [_UNRECORDED.get(name, plain(name)) for name in names]
    if not told:
        return ""
    batches = " (fpdrift.step_debug.keep_step keeps batches to compare)" if "data" in names else ""
    return f"{'; '.join(told)}. Any of these may differ{batches}."


def value(one: Any, other: Any = None) -> str:
    """Write a setting whole; digits of a float only as far as they tell it from the other."""
    if isinstance(one, float):
        short = f"{one:.7g}"
        return short if not isinstance(other, float) or short != f"{other:.7g}" else repr(one)
    short = setting(one)
    return plain(one) if other is not None and short == setting(other) else short


def change(text: str) -> str:
    """Write what a recorder says of a setting that changed: ``name: before -> after``."""
    short = setting(text)
    before, _, after = short.partition(" -> ")
    return plain(text) if after and before.endswith(f": {after}") else short


def setting(value: Any) -> str:
    """Write a setting with the digits that it needs: those of a float32 in place of a float64's.

    Keras keeps a learning rate of 0.01 in float32, and Python writes that as 0.009999999776482582.
    """
    return _DIGITS.sub(_shortest, plain(value))


def _shortest(found: re.Match[str]) -> str:
    with np.errstate(over="ignore"):
        narrow = np.float32(found[0])
    return repr(float(str(narrow))) if float(narrow) == float(found[0]) else found[0]


def plain(value: Any) -> str:
    """Write a value of a stranger's record, who may have put anything into a text."""
    text = "default" if value is None else str(value)
    text = "".join(c if c.isprintable() else " " for c in text)
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… ({len(text):,} characters; --json has all)"


def _grouped(names: list[str]) -> str:
    """Name settings by what they are part of, with how many there are of each."""
    groups = Counter(name.rpartition(".")[0] or name for name in names)
    told = [
        plain(name) if name in names else f"{plain(name)} ({count(number, 'setting')})"
        for name, number in groups.most_common(_MOST)
    ]
    more = [f"{len(groups) - _MOST} more"] if len(groups) > _MOST else []
    return ", ".join(told + more)
