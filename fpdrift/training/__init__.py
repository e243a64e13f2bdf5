"""Train a network under a condition, in a process of its own, and get the record of the run.

Afterwards look inside a step: where two runs part, and what of their distance it made.
"""

from fpdrift.training.condition import Condition
from fpdrift.training.explained import Repeated, StepDifference, StepExplained, StepSplit
from fpdrift.training.replay import explain_step, split_steps
from fpdrift.training.run import train

__all__ = [
    "Condition",
    "Repeated",
    "StepDifference",
    "StepExplained",
    "StepSplit",
    "explain_step",
    "split_steps",
    "train",
]
