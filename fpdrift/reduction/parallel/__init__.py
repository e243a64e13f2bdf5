"""Add with real threads, record the order, and compare strategies for reproducible bits."""

from fpdrift.reduction.parallel._order_spread import order_spread, spread_growth
from fpdrift.reduction.parallel._results import (
    GrowthPoint,
    OperationRun,
    OrderSpread,
    SpreadGrowth,
    Strategies,
    Strategy,
    ThreadOperation,
    ThreadRun,
    ThreadSums,
)
from fpdrift.reduction.parallel._strategies import strategies
from fpdrift.reduction.parallel._thread_sums import replay, thread_operation, thread_sums

__all__ = [
    "GrowthPoint",
    "OperationRun",
    "OrderSpread",
    "SpreadGrowth",
    "Strategies",
    "Strategy",
    "ThreadOperation",
    "ThreadRun",
    "ThreadSums",
    "order_spread",
    "replay",
    "spread_growth",
    "strategies",
    "thread_operation",
    "thread_sums",
]
