"""Train a network under a condition, in a process of its own, and get the record of the run.

Afterwards look inside a step: where two runs part, and what of their distance it made.
"""

from fpdrift.training import ensemble
from fpdrift.training.condition import Condition
from fpdrift.training.explained import Repeated, StepDifference, StepExplained, StepSplit
from fpdrift.training.gated import Gate, Gates, LayerGates
from fpdrift.training.gates import compare_gates, find_gates
from fpdrift.training.judged import Judged, Measure
from fpdrift.training.kept import explain_kept, keep_step
from fpdrift.training.mathematics import judge_runs, judge_step
from fpdrift.training.replay import explain_step, split_steps
from fpdrift.training.run import train
from fpdrift.training.stepping import compare_step, state_of

__all__ = [
    "Condition",
    "Gate",
    "Gates",
    "Judged",
    "LayerGates",
    "Measure",
    "Repeated",
    "StepDifference",
    "StepExplained",
    "StepSplit",
    "compare_gates",
    "compare_step",
    "ensemble",
    "explain_kept",
    "explain_step",
    "find_gates",
    "judge_runs",
    "judge_step",
    "keep_step",
    "split_steps",
    "state_of",
    "train",
]
