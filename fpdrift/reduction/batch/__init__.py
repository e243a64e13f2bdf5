"""The bits of one row: what its batch, its instruction set and its threads do to them."""

from fpdrift.reduction.batch.equality import Equality
from fpdrift.reduction.batch.outcomes import (
    BatchClasses,
    BatchCondition,
    BatchRun,
    ConditionMatrix,
    ConditionReport,
    ConditionRun,
)

__all__ = [
    "BatchClasses",
    "BatchCondition",
    "BatchRun",
    "ConditionMatrix",
    "ConditionReport",
    "ConditionRun",
    "Equality",
]
