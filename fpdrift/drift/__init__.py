"""Comparing what records hold: where two runs diverge, how far, and whether answers change.

Nothing here trains or replays.
"""

from fpdrift.drift.churn import Churn
from fpdrift.drift.comparison import Comparison, Comparisons, FirstDifference, TensorDifference
from fpdrift.drift.curves import RunCurves, run_curves
from fpdrift.drift.grow import Growth, growth, growth_of
from fpdrift.drift.horizons import Horizon, horizon
from fpdrift.drift.intervals import Interval, median_interval, share_interval
from fpdrift.drift.jumps import Jump
from fpdrift.drift.many import ManyRuns, compare_many
from fpdrift.drift.matrix import TensorMatrix, tensor_matrix
from fpdrift.drift.parting import compare
from fpdrift.drift.slopes import DecadeSlope
from fpdrift.drift.splits import Split
from fpdrift.drift.spread import Spread
from fpdrift.drift.stages import NonFinite, RunPhase
from fpdrift.drift.summary import RecordSummary, summary
from fpdrift.drift.survival import Survival, lasting, survival_curve
from fpdrift.drift.trend import Level, Trend

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
