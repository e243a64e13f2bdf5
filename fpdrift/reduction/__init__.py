"""Sums and their order: seen, recorded, replayed, fixed by a plan, or made not to matter."""

from fpdrift.reduction import bounds, makers, sums
from fpdrift.reduction.batch import (
    BatchClasses,
    BatchCondition,
    ConditionMatrix,
    batch_classes,
    condition_matrix,
    known_conditions,
)
from fpdrift.reduction.bins import Bins
from fpdrift.reduction.conditioned import ill_conditioned
from fpdrift.reduction.gpu import GpuKernel, GpuRecording, GpuRun, GpuSums, gpu_sums
from fpdrift.reduction.lengths import SumGrowth, sum_growth
from fpdrift.reduction.plan import Plan
from fpdrift.reduction.pricing import SumRow, SumTable, sum_table
from fpdrift.reduction.revealing import (
    Evidence,
    Revealed,
    SameOrder,
    reveal,
    reveal_dot,
    reveal_matmul,
    reveal_mean,
    same_order,
    sum_of_dot,
    sum_of_matmul,
    sum_of_mean,
)
from fpdrift.reduction.running import run_plan, run_plans
from fpdrift.reduction.threads import (
    OrderSpread,
    SpreadGrowth,
    Strategies,
    ThreadOperation,
    ThreadRun,
    ThreadSums,
    order_spread,
    replay,
    spread_growth,
    strategies,
    thread_operation,
    thread_sums,
)

__all__ = [
    "BatchClasses",
    "BatchCondition",
    "Bins",
    "ConditionMatrix",
    "Evidence",
    "GpuKernel",
    "GpuRecording",
    "GpuRun",
    "GpuSums",
    "OrderSpread",
    "Plan",
    "Revealed",
    "SameOrder",
    "SpreadGrowth",
    "Strategies",
    "SumGrowth",
    "SumRow",
    "SumTable",
    "ThreadOperation",
    "ThreadRun",
    "ThreadSums",
    "batch_classes",
    "bounds",
    "condition_matrix",
    "gpu_sums",
    "ill_conditioned",
    "known_conditions",
    "makers",
    "order_spread",
    "replay",
    "reveal",
    "reveal_dot",
    "reveal_matmul",
    "reveal_mean",
    "run_plan",
    "run_plans",
    "same_order",
    "spread_growth",
    "strategies",
    "sum_growth",
    "sum_of_dot",
    "sum_of_matmul",
    "sum_of_mean",
    "sum_table",
    "sums",
    "thread_operation",
    "thread_sums",
]
