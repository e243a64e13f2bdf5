"""Study how batch size, instruction set and thread count change the bits of one row."""

from fpdrift.reduction.batch._conditions import known_conditions
from fpdrift.reduction.batch._results import (
    BatchClasses,
    BatchCondition,
    BatchRun,
    ConditionMatrix,
    ConditionReport,
    ConditionRun,
    Equality,
)
from fpdrift.reduction.batch._study import batch_classes, condition_matrix

__all__ = [
    "BatchClasses",
    "BatchCondition",
    "BatchRun",
    "ConditionMatrix",
    "ConditionReport",
    "ConditionRun",
    "Equality",
    "batch_classes",
    "condition_matrix",
    "known_conditions",
]
