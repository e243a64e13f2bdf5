"""Compare records: where runs diverge, how far apart they get, and whether predictions change.

This package reads records only; it never trains or reruns anything.
"""

from fpdrift.comparison._branches import Split
from fpdrift.comparison._churn import Churn
from fpdrift.comparison._compare import compare
from fpdrift.comparison._growth import Growth, growth, growth_of
from fpdrift.comparison._growth_law import DecadeSlope, Level, Trend
from fpdrift.comparison._horizon import Horizon, horizon
from fpdrift.comparison._intervals import Interval, median_interval, share_interval
from fpdrift.comparison._jumps import Jump
from fpdrift.comparison._many import ManyRuns, Spread, compare_many
from fpdrift.comparison._results import (
    Comparison,
    Comparisons,
    FirstDifference,
    NonFinite,
    RunPhase,
    TensorDifference,
)
from fpdrift.comparison._survival import Survival, lasting, survival_curve
from fpdrift.comparison._tables import (
    RecordSummary,
    RunCurves,
    TensorMatrix,
    run_curves,
    summary,
    tensor_matrix,
)
from fpdrift.comparison._verdict import RunVerdict

__all__ = [
    "Churn",
    "Comparison",
    "Comparisons",
    "DecadeSlope",
    "FirstDifference",
    "Growth",
    "Horizon",
    "Interval",
    "Jump",
    "Level",
    "ManyRuns",
    "NonFinite",
    "RecordSummary",
    "RunCurves",
    "RunPhase",
    "RunVerdict",
    "Split",
    "Spread",
    "Survival",
    "TensorDifference",
    "TensorMatrix",
    "Trend",
    "compare",
    "compare_many",
    "growth",
    "growth_of",
    "horizon",
    "lasting",
    "median_interval",
    "run_curves",
    "share_interval",
    "summary",
    "survival_curve",
    "tensor_matrix",
]
