"""Train a network under a condition, in a fresh process, and return the record of the run."""

from fpdrift._deprecated import renamed
from fpdrift.training._condition import Condition
from fpdrift.training._train import train

__all__ = [
    "Condition",
    "train",
]

__getattr__ = renamed(
    __name__,
    {
        "explain_kept": "fpdrift.step_debug:explain_kept",
        "explain_step": "fpdrift.step_debug:explain_step",
        "find_gates": "fpdrift.step_debug:find_gates",
        "compare_gates": "fpdrift.step_debug:compare_gates",
        "compare_step": "fpdrift.step_debug:compare_step",
        "keep_step": "fpdrift.step_debug:keep_step",
        "split_steps": "fpdrift.step_debug:split_steps",
        "state_of": "fpdrift.step_debug:state_of",
        "Gate": "fpdrift.step_debug:Gate",
        "Gates": "fpdrift.step_debug:Gates",
        "LayerGates": "fpdrift.step_debug:LayerGates",
        "Measure": "fpdrift.step_debug:Measure",
        "StepDifference": "fpdrift.step_debug:StepDifference",
        "StepExplained": "fpdrift.step_debug:StepExplained",
        "StepSplit": "fpdrift.step_debug:StepSplit",
        "judge_step": "fpdrift.step_debug:diagnose_step",
        "judge_runs": "fpdrift.step_debug:diagnose_runs",
        "Judged": "fpdrift.step_debug:Diagnosis",
        "Repeated": "fpdrift.step_debug:RerunCheck",
        "ensemble": "fpdrift.ensembles",
    },
)
