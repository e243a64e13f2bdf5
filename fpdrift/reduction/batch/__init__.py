"""The bits of one row: what its batch, its instruction set and its threads do to them."""

from fpdrift.reduction.batch.conditions import known_conditions
from fpdrift.reduction.batch.equality import Equality
from fpdrift.reduction.batch.outcomes import (
    BatchClasses,
    BatchCondition,
    BatchRun,
    ConditionMatrix,
    ConditionReport,
    ConditionRun,
)
from fpdrift.reduction.batch.study import batch_classes, condition_matrix

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
