"""Look inside a training step: where two runs diverge, and what one step adds to their distance."""

from fpdrift._deprecated import renamed
from fpdrift.step_debug._capture import explain_kept, keep_step
from fpdrift.step_debug._compare_models import compare_step, state_of
from fpdrift.step_debug._diagnose import diagnose_runs, diagnose_step
from fpdrift.step_debug._relu_gates import compare_gates, find_gates
from fpdrift.step_debug._rerun import explain_step, split_steps
from fpdrift.step_debug._results import (
    Diagnosis,
    Gate,
    Gates,
    LayerGates,
    Measure,
    RerunCheck,
    StepDifference,
    StepExplained,
    StepSplit,
)

__all__ = [
    "Diagnosis",
    "Gate",
    "Gates",
    "LayerGates",
    "Measure",
    "RerunCheck",
    "StepDifference",
    "StepExplained",
    "StepSplit",
    "compare_gates",
    "compare_step",
    "diagnose_runs",
    "diagnose_step",
    "explain_kept",
    "explain_step",
    "find_gates",
    "keep_step",
    "split_steps",
    "state_of",
]

__getattr__ = renamed(
    __name__,
    {
        "judge_step": "fpdrift.step_debug:diagnose_step",
        "judge_runs": "fpdrift.step_debug:diagnose_runs",
        "Judged": "fpdrift.step_debug:Diagnosis",
    },
)
