"""Comparing what records hold: where two runs part, how far they get, what it does to the answers.

Nothing here trains or replays.
"""

from fpdrift.drift.comparison import Comparison, Comparisons, FirstDifference, TensorDifference
from fpdrift.drift.parting import compare

__all__ = ["Comparison", "Comparisons", "FirstDifference", "TensorDifference", "compare"]
