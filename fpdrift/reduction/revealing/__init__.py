"""The order in which a black box adds, found by asking it, and checked by replay."""

from fpdrift.reduction.revealing.decide import reveal
from fpdrift.reduction.revealing.revealed import VERDICTS, Evidence, Revealed, SameOrder

__all__ = ["VERDICTS", "Evidence", "Revealed", "SameOrder", "reveal"]
