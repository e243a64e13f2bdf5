"""An ensemble written down: a TOML file that names network, data, steps and conditions."""

from __future__ import annotations

import itertools
import math
import tomllib
from typing import TYPE_CHECKING, Any

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.training import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

#: What a file may say besides its conditions; `fpdrift.training.ensemble` says what each means.
KEYS = ("network", "data", "labels", "steps", "directory", "timeout", "tries")
MOST_RUNS = 100_000


def read_plan(path: Path) -> dict[str, Any]:
    """Read what `ensemble` is to be called with.

    Each ``[[condition]]`` has keys of `Condition`. A list is one run for each of its values, and
    several lists are all their combinations; ``{from = 1, to = 100}`` is the list of these whole
    numbers. ``repeat = 3`` is each of them three times. A file without a directory names one: its
    own name without its ending.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict
        Arguments by name.

    Raises
    ------
    FpdriftError
        If it cannot be read, is no TOML, or has a key or a value that is refused.
    """
    try:
        plan = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}; give a TOML file"
        raise FpdriftError(message) from None
    except (ValueError, RecursionError) as error:  # also what is no UTF-8
        message = f"{path} is no TOML: {error}"
        raise FpdriftError(message) from None
    _known(path.name, plan, (*KEYS, "condition"))
    tables = plan.pop("condition", None)
    if not tables or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        message = f"{path.name} has no [[condition]]; write one, with keys such as seed = [1, 2, 3]"
        raise FpdriftError(message)
    conditions: list[Condition] = []
    for number, table in enumerate(tables, 1):
        where = f"{path.name}, condition {number}"
        conditions += _conditions(where, table, MOST_RUNS - len(conditions))
    return {"directory": path.stem} | plan | {"conditions": conditions}


def _conditions(where: str, table: dict[str, Any], most: int) -> list[Condition]:
    _known(where, table, ("repeat", *Condition.__dataclass_fields__))
    try:
        repeat = whole("repeat", table.pop("repeat", 1), 1, MOST_RUNS)
        lists = [_values(name, value) for name, value in table.items()]
        runs = repeat * math.prod(map(len, lists))
        if runs > most:
            message = f"more than {MOST_RUNS:,} runs; make its lists shorter"
            raise FpdriftError(message)
        return [
            Condition.from_dict(dict(zip(table, values, strict=True)))
            for values in itertools.product(*lists)
            for _ in range(repeat)
        ]
    except FpdriftError as error:
        message = f"{where}: {error}"
        raise FpdriftError(message) from None


def _values(name: str, value: Any) -> Sequence[Any]:
    """Give the values that a key stands for."""
    if isinstance(value, dict) and name != "perturbation":
        if set(value) != {"from", "to"}:
            message = f"{name} is {shown(value)}; choose a value, a list, or {{from = 1, to = 9}}"
            raise FpdriftError(message)
        first = whole(f"{name}: from", value["from"], 0, 2**32 - 1)
        last = whole(f"{name}: to", value["to"], first, 2**32 - 1)
        return range(first, last + 1)
    if isinstance(value, list) and not value:
        message = f"{name} is an empty list; give a value, or leave it out"
        raise FpdriftError(message)
    return value if isinstance(value, list) else [value]


def _known(where: str, table: Iterable[str], keys: tuple[str, ...]) -> None:
    unknown = (key for key in table if key not in keys)
    for key in unknown:
        message = f"{where}: unknown key {shown(key)}; choose one of {', '.join(keys)}"
        raise FpdriftError(message)
