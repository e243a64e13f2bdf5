"""Two runs that round differently, and the ReLU that causes their largest jump."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fpdrift.comparison import compare, growth
from fpdrift.experiments._experiment import as_study
from fpdrift.experiments._study import (
    EPOCH,
    WORDS,
    Study,
    Words,
    apart,
    at_most,
    plain,
    run_study,
    size_of,
    with_look,
)
from fpdrift.experiments._thread_counts import count_of
from fpdrift.serialization import Result
from fpdrift.step_debug import find_gates
from fpdrift.training import Condition

if TYPE_CHECKING:
    from fpdrift.experiments._runs import Settings
    from fpdrift.records import Record
    from fpdrift.step_debug import Gate, Gates

STEPS = {"quick": 30, "full": EPOCH}
CLAIM = (
    "Batches of 64, 60,000 samples and 20 epochs make 18,750 iterations, which greatly amplify "
    "a small difference."
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OneGate(Result):
    """Two runs, and the ReLU gates at their largest jump."""

    study: Study
    #: None if the runs have equal bits or no step is a jump
    gates: Gates | None

    @property
    def finding(self) -> str:
        """The result in words."""
        return with_look(_tell(self.study, self.gates), self.study)

    def __repr__(self) -> str:
        return f"OneGate({self.study!r}, {self.gates})"


@as_study("gate", ("C09",), "09", "the one ReLU behind the largest jump")
def one_gate(settings: Settings) -> OneGate:
    """Train with 1 and with 2 threads, then rerun and inspect the step of the largest jump.

    Finished runs in the folder ``gate`` of `settings.out` are not trained again.
    """
    one = Condition(intra_op_threads=1, seed=settings.seed)
    study, records = run_study(
        "gate",
        settings,
        {count_of(1): one, count_of(2): replace(one, intra_op_threads=2)},
        {count_of(2): count_of(1)},
        steps=STEPS[size_of(settings)],
    )
    return OneGate(study=study, gates=_largest_jump(settings, *records))


def _largest_jump(settings: Settings, a: Record, b: Record) -> Gates | None:
    if not growth(compare(a, b), (a, b)).jumps:
        return None
    return find_gates(a, b, progress=settings.progress)


def _tell(study: Study, gates: Gates | None) -> str:
    between = f"1 and 2 threads gave {apart(study.distances)} ({study.steps} steps)"
    if gates is None:
        return f"{between}; no step is a jump, so there is no gate to show."
    factor = (gates.distance[1:] / gates.distance[:-1]).max()
    jump = f"{between}. Step {gates.step} alone multiplied the distance by {factor:.1f}"
    gate = gates.gate
    # a traced step that is not bit-identical need not show what happened in the runs
    doubt = "" if gates.exact else " The traced step is not bit-identical to that of the runs."
    if gate is None or gates.share is None:
        return f"{jump}; no gate of the unit that diverged most had changed.{doubt}"
    return (
        f"{jump}. {_where(gates.unit_changed, gate)} The unit accounts for all but "
        f"{plain(100 * (1 - gates.share))} % of its layer's squared distance after the step.{doubt}"
    )


def _where(changed: int, gate: Gate) -> str:
    """Describe the number of images or pixels, and how close to zero the inputs of the gate are."""
    if gate.pixel:  # several may belong to one image
        place = "At one pixel of one image" if changed == 1 else f"At {changed:,} pixels"
    else:
        place = "For one image" if changed == 1 else f"For {changed:,} images"
    inputs = "its inputs" if changed == 1 else "the inputs of the one with the largest gradient"
    return (
        f"{place}, unit {gate.unit} of {gate.layer} is open in one run and closed in the other; "
        f"{inputs} are within {at_most(gate.from_zero)} of zero."
    )


WORDS["gate"] = Words("The ReLU behind the largest jump", CLAIM)
