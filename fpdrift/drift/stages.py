"""What happens in the course of one run: its phases, and its first number that is not finite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.results import Result

if TYPE_CHECKING:
    from fpdrift.records.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPhase(Result):
    """A part of a run in which model, optimiser and settings stay as they are."""

    #: updates done before its first one
    step: int
    #: what changed since the phase before, a sentence each, as the recorder wrote it down; empty
    #: for the first
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NonFinite(Result):
    """The first number of a run that is infinite or NaN, among those that were looked at."""

    #: updates done by then
    step: int
    #: whether every step before it was looked at; records of format version 1 know of some alone
    exact: bool
    #: "loss", or the name of a metric or of a tensor
    name: str

    def __str__(self) -> str:
        return f"{self.name} at step {self.step}{'' if self.exact else ' or before'}"


def phases(record: Record) -> tuple[RunPhase, ...]:
    """Give a run's phases; a run without a seam has one."""
    return tuple(RunPhase(step=phase.step, changes=phase.changes) for phase in record.phases)


def non_finite(record: Record) -> NonFinite | None:
    """Give the first number that is not finite; None if all that were looked at are."""
    if record.first_non_finite is None:
        return None
    step, name = record.first_non_finite
    exact = isinstance(record.meta.get("recorder"), dict)
    return NonFinite(step=step, name=name, exact=exact)
