"""The settings of two runs: what differs, what only one records, and what neither does."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from fpdrift.comparison._metadata import UNKNOWN
from fpdrift.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Settings that are written out, and characters of one value.
_MOST, _LONGEST = 20, 1_000
#: What a setting that neither record holds means for the reader.
_UNRECORDED = {
    "condition": "thread count and op determinism",
    "data": "the data, their order and augmentation",
    "network": "the network's code",
    "seed": "the seeds",
    "starting weights": "the starting weights",
}
#: How a list or dict begins that a record holds as text.
_BRACKETS = ("[", "{", "(")
#: In lines of their own: start, what is not compared, incomplete, churn.
_OWN_LINE = ("starting weights", "complete", "first step", "last step", "recorder.")
#: A number with more digits than any float32 needs.
_DIGITS = re.compile(r"(?<![\w.])-?\d+\.\d{9,}(?:e[+-]?\d\d)?(?![\w.])")
#: Settings of the records themselves, not of the runs.
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
            yield f"recorded only in {'ab'[run]}: {_grouped(names)}"
    if not any(not name.startswith(_OF_RECORDS) for name in both) and not one_sided:
        yield "recorded settings: identical"


def unrecorded(differs: dict[str, tuple[Any, Any]]) -> str:
    """Name what neither record holds, which may be the cause of a difference."""
    names = [name for name, pair in differs.items() if pair == (UNKNOWN, UNKNOWN)]
    parts = [_UNRECORDED.get(name, plain(name)) for name in names]
    if not parts:
        return ""
    batches = ""
    if "data" in names:
        batches = " (fpdrift.step_debug.keep_step keeps batches for a comparison)"
    return f"{'; '.join(parts)}. Any of these may differ{batches}."


def value(one: Any, other: Any = None) -> str:
    """Write a setting whole; of a float, the digits that distinguish it from the other."""
    if isinstance(one, float):
        short = f"{one:.7g}"
        return short if not isinstance(other, float) or short != f"{other:.7g}" else repr(one)
    short = setting(one)
    return plain(one) if other is not None and short == setting(other) else short


def change(text: str) -> str:
    """Write a setting that changed: ``name: before -> after``."""
    short = setting(text)
    before, _, after = short.partition(" -> ")
    return plain(text) if after and before.endswith(f": {after}") else short


def setting(value: Any) -> str:
    """Write a setting with the digits that it needs: those of a float32 in place of a float64's.

    Keras keeps a learning rate of 0.01 in float32, and Python writes that as 0.009999999776482582.
    """
    return _DIGITS.sub(_shortest, plain(_items(_parsed(value))))


def _parsed(value: Any) -> Any:
    """Return the list that a record holds as text, such as ``"['Dense']"``; others as they are."""
    if isinstance(value, str) and value[:1] in _BRACKETS and len(value) <= _LONGEST:
        not_a_list = suppress(ValueError, SyntaxError, RecursionError, MemoryError)
        with not_a_list, warnings.catch_warnings():  # a stranger's text may hold an odd escape
            warnings.simplefilter("ignore")
            return ast.literal_eval(value)
    return value


def _items(value: Any) -> Any:
    """Write the items of a list, or the settings of an object, with commas between."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_items(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(_items(item)) for item in value) or "none"
    return value


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
    """Name settings by the group that they belong to, with how many there are of each."""
    groups = Counter(name.rpartition(".")[0] or name for name in names)
    parts = [
        plain(name) if name in names else f"{plain(name)} ({plural(number, 'setting')})"
        for name, number in groups.most_common(_MOST)
    ]
    more = [f"{len(groups) - _MOST} more"] if len(groups) > _MOST else []
    return ", ".join(parts + more)
