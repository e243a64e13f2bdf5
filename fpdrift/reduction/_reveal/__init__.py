"""Reveal the order in which a function adds, by probing it, and confirm it by replay."""

from fpdrift.reduction._reveal._products_and_means import (
    reveal_dot,
    reveal_matmul,
    reveal_mean,
    sum_of_dot,
    sum_of_matmul,
    sum_of_mean,
)
from fpdrift.reduction._reveal._results import VERDICTS, Evidence, Revealed, SameOrder
from fpdrift.reduction._reveal._reveal import reveal
from fpdrift.reduction._reveal._same_order import same_order

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
