"""Results that were measured once on machines that most people lack, kept as JSON.

Each file is what a committed command wrote, with the machine's own provenance; nobody edits one by
hand. What was live when it was measured is marked as recorded when it is read here.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from fpdrift.errors import FpdriftError, shown
from fpdrift.results import Result

_HOW = "on a machine with a GPU, type: fpdrift record-gpu FILE"


def recorded_names() -> tuple[str, ...]:
    """Name what has been recorded; empty where nothing has."""
    names = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


def load_recorded(name: str | None = None) -> Any:
    """Read a recorded result.

    Parameters
    ----------
    name : str
        One of those that the error names if there is none of this name, such as ``"gpu-h100"``.

    Returns
    -------
    Result
        With ``origin`` "recorded", and the provenance of the machine that made it.

    Raises
    ------
    FpdriftError
        If nothing has been recorded under that name; it says what has, and how to record.
    """
    names = recorded_names()
    if not isinstance(name, str) or name not in names:
        there = f"there is {', '.join(names)}" if names else "nothing has been recorded yet"
        wanted = "no name given" if name is None else f"nothing recorded as {shown(name)}"
        message = f"{wanted}: {there}; {_HOW}"
        raise FpdriftError(message)
    return read_recorded(files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))


def read_recorded(text: str) -> Any:
    """Read the text of a recording from anywhere, and mark it as one.

    Raises
    ------
    FpdriftError
        If it is no saved result.
    """
    try:
        document = json.loads(text, object_hook=_marked)
    except ValueError as error:
        message = f"not a recording ({shown(str(error))}); give what fpdrift record-gpu wrote"
        raise FpdriftError(message) from None
    return Result.from_json(json.dumps(document))


def _marked(value: dict[str, Any]) -> dict[str, Any]:
    live = "$result" in value and value.get("origin") == "live"
    return value | {"origin": "recorded"} if live else value
