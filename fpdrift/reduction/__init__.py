"""Sums and their order: seen, recorded, replayed, fixed by a plan, or made not to matter."""

from fpdrift.reduction import bounds, makers, sums
from fpdrift.reduction.bins import Bins
from fpdrift.reduction.conditioned import ill_conditioned
from fpdrift.reduction.plan import Plan
from fpdrift.reduction.pricing import SumRow, SumTable, sum_table
from fpdrift.reduction.running import run_plan, run_plans
from fpdrift.reduction.threads import (
    OrderSpread,
    SpreadGrowth,
    Strategies,
    ThreadOperation,
    ThreadRun,
    ThreadSums,
    replay,
    thread_operation,
    thread_sums,
)

__all__ = [
    "Bins",
    "OrderSpread",
    "Plan",
    "SpreadGrowth",
    "Strategies",
    "SumRow",
    "SumTable",
    "ThreadOperation",
    "ThreadRun",
    "ThreadSums",
    "bounds",
    "ill_conditioned",
    "makers",
    "replay",
    "run_plan",
    "run_plans",
    "sum_table",
    "sums",
    "thread_operation",
    "thread_sums",
]
