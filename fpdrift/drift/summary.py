"""What one record is: of which run, from where, whether it is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.drift.circumstances import flat_facts
from fpdrift.drift.stages import NonFinite, RunPhase, non_finite, phases
from fpdrift.results import Result

if TYPE_CHECKING:
    from fpdrift.records.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordSummary(Result):
    """One record in short."""

    name: str
    #: of the file, in bytes
    size: int
    complete: bool
    #: number of recorded steps, and the first and last of them; None where there is none
    steps: int
    first_step: int | None
    last_step: int | None
    #: steps at which values or sketches were kept
    sketched: int
    #: role -> number of tensors, and of their elements
    tensors: dict[str, tuple[int, int]]
    #: loss and metrics at the last step
    metrics: dict[str, float]
    #: all that it says of its run and of the machine: name -> value; learning rates and seeds first
    facts: dict[str, str]
    #: whether the state before the first recorded update was seen
    start_seen: bool = True
    #: parts of the run with other tensors, another optimiser or other settings, at least one
    phases: tuple[RunPhase, ...] = ()
    #: None if all numbers that were looked at are finite
    non_finite: NonFinite | None = None

    def __repr__(self) -> str:
        state = "complete" if self.complete else "incomplete"
        return f"RecordSummary({self.name!r}, {self.steps} steps, {state})"


def summary(record: Record, size: int) -> RecordSummary:
    """Tell what a record holds.

    Parameters
    ----------
    record : Record
    size : int
        Of its file, in bytes.

    Returns
    -------
    RecordSummary
    """
    roles = dict.fromkeys(tensor.role for tensor in record.tensors)
    there = len(record.steps) > 0
    metrics = {"loss": record.loss, **record.metrics} if there else {}
    return RecordSummary(
        name=record.name,
        size=size,
        complete=record.complete,
        steps=len(record.steps),
        first_step=int(record.steps[0]) if there else None,
        last_step=int(record.steps[-1]) if there else None,
        sketched=len(record.sketch_steps),
        tensors={
            role: (
                sum(tensor.role == role for tensor in record.tensors),
                sum(tensor.size for tensor in record.tensors if tensor.role == role),
            )
            for role in roles
        },
        metrics={name.lstrip("$"): float(values[-1]) for name, values in metrics.items()},
        facts=flat_facts(record),
        start_seen=record.start_seen,
        phases=phases(record),
        non_finite=non_finite(record),
    )
