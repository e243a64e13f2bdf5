"""How lessons name the machine of a recording: a figure without its origin says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdrift.results import Result


def machine(recorded: Result) -> str:
    """Name the processor and the cores that a recorded result comes from."""
    made_by = recorded.provenance
    return f"{made_by.cpu}, {made_by.cores} cores"
