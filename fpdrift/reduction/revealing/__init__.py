"""The order in which a black box adds, found by asking it, and checked by replay."""

from fpdrift.reduction.revealing.adapters import (
    reveal_dot,
    reveal_matmul,
    reveal_mean,
    sum_of_dot,
    sum_of_matmul,
    sum_of_mean,
)
from fpdrift.reduction.revealing.alike import same_order
from fpdrift.reduction.revealing.decide import reveal
from fpdrift.reduction.revealing.revealed import VERDICTS, Evidence, Revealed, SameOrder

__all__ = [
    "VERDICTS",
    "Evidence",
    "Revealed",
    "SameOrder",
    "reveal",
    "reveal_dot",
    "reveal_matmul",
    "reveal_mean",
    "same_order",
    "sum_of_dot",
    "sum_of_matmul",
    "sum_of_mean",
]
