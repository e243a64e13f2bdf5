"""Reveal, record, replay and fix the order of sums, or use sums that do not depend on it."""

from fpdrift._deprecated import renamed
from fpdrift.reduction import algorithms, error_bounds, plans
from fpdrift.reduction._executor import run_plan, run_plans
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal import (
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
from fpdrift.reduction._table import (
    SumGrowth,
    SumRow,
    SumTable,
    ill_conditioned,
    sum_growth,
    sum_table,
)
from fpdrift.reduction.algorithms import Bins
from fpdrift.reduction.batch import (
    AlignmentTable,
    BatchClasses,
    BatchCondition,
    ConditionMatrix,
    alignment_table,
    batch_classes,
    condition_matrix,
    known_conditions,
)
from fpdrift.reduction.gpu import GpuKernel, GpuRecording, GpuRun, GpuSums, gpu_sums
from fpdrift.reduction.parallel import (
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
    "AlignmentTable",
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
    "algorithms",
    "alignment_table",
    "batch_classes",
    "condition_matrix",
    "error_bounds",
    "gpu_sums",
    "ill_conditioned",
    "known_conditions",
    "order_spread",
    "plans",
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
    "thread_operation",
    "thread_sums",
]

__getattr__ = renamed(
    __name__,
    {
        "bounds": "fpdrift.reduction.error_bounds",
        "makers": "fpdrift.reduction.plans",
        "sums": "fpdrift.reduction.algorithms",
    },
)
