"""Two kinds of result that hold anything."""

from dataclasses import dataclass
from typing import Any

from fpdrift.serialization import Result


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Box(Result):
    """A result that holds anything."""

    held: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Other(Result):
    """Another kind."""

    held: Any = None
