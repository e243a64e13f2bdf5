"""Results that were measured once, and need a GPU, a machine like it, or time; kept as JSON.

Each file is what a committed command wrote, with the machine's own provenance; nobody edits one by
hand. What kind of result it holds tells recordings apart. What was live when it was measured is
marked as recorded when it is read here.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.serialization import Result

_HOW = (
    "to record a GPU's sums, type: fpdrift record-gpu FILE; "
    "a study: fpdrift experiment NAME --full --json FILE"
)


def recorded_kinds() -> dict[str, str]:
    """Report of each recording what kind of result it holds, such as ``"GpuRecording"``."""
    found = {}
    for entry in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".json"):
            document = json.loads(entry.read_text(encoding="utf-8"))
            found[entry.name.removesuffix(".json")] = document["result"]["$result"]
    return found


def recorded_names(kind: str | None = None) -> tuple[str, ...]:
    """Name what has been recorded, of any kind or of one; empty where nothing has."""
    return tuple(name for name, held in recorded_kinds().items() if kind in (None, held))


def load_recorded(name: str | None = None) -> Any:
    """Read a recorded result.

    Parameters
    ----------
    name : str
        One of those that the error names if there is none of this name, such as ``"five-runs"``.

    Returns
    -------
    Result
        With the provenance of the machine that made it, and ``origin`` "recorded" where that was
        "live".

    Raises
    ------
    FpdriftError
        If nothing has been recorded under that name; it says what has, and how to record.
    """
    kinds = recorded_kinds()
    if not isinstance(name, str) or name not in kinds:
        listed = ", ".join(f"{known} ({kind})" for known, kind in kinds.items())
        there = f"there is {listed}" if listed else "nothing has been recorded yet"
        wanted = "no name given" if name is None else f"nothing recorded as {short_repr(name)}"
        message = f"{wanted}: {there}; {_HOW}"
        raise FpdriftError(message)
    return read_recorded(files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))


def read_recorded(text: str) -> Any:
    """Read the text of a recording from anywhere, and mark it as one.

    Raises
    ------
    FpdriftError
        If it is not a saved result.
    """
    try:
        document = json.loads(text, object_hook=_marked)
    except ValueError as error:
        message = f"not a recording ({short_repr(str(error))}); give what fpdrift wrote as JSON"
        raise FpdriftError(message) from None
    return Result.from_json(json.dumps(document))


def _marked(value: dict[str, Any]) -> dict[str, Any]:
    live = "$result" in value and value.get("origin") == "live"
    return value | {"origin": "recorded"} if live else value
