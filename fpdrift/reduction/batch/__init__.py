"""Study how batch size, instruction set, thread count and memory address change bits."""

from fpdrift.reduction.batch._alignment import alignment_table
from fpdrift.reduction.batch._conditions import known_conditions
from fpdrift.reduction.batch._results import (
    AlignmentRun,
    AlignmentTable,
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
    "AlignmentRun",
    "AlignmentTable",
    "BatchClasses",
    "BatchCondition",
    "BatchRun",
    "ConditionMatrix",
    "ConditionReport",
    "ConditionRun",
    "Equality",
    "alignment_table",
    "batch_classes",
    "condition_matrix",
    "known_conditions",
]
