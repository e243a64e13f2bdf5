"""Let real threads add, record in which order, and compare ways to the same bits."""

from fpdrift.reduction.threads.comparing import strategies
from fpdrift.reduction.threads.found import (
    GrowthPoint,
    OrderSpread,
    SpreadGrowth,
    Strategies,
    Strategy,
)
from fpdrift.reduction.threads.growing import spread_growth
from fpdrift.reduction.threads.operated import OperationRun, ThreadOperation
from fpdrift.reduction.threads.operating import thread_operation
from fpdrift.reduction.threads.replaying import replay
from fpdrift.reduction.threads.spreading import order_spread
from fpdrift.reduction.threads.summing import thread_sums
from fpdrift.reduction.threads.threadsums import ThreadRun, ThreadSums

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
