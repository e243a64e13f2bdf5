"""The results of `reveal` and `same_order`: verdict, plan, and the evidence for both."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import short_repr
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._decide_order import decide_order
from fpdrift.serialization import Result

#: The verdicts of `Revealed` and their meaning.
VERDICTS = {
    "confirmed": "the plan, or a named algorithm, reproduces the function's bits",
    "confirmed, subnormals flushed": "the plan reproduces them if subnormal numbers are flushed to "
    "zero, except for the signs of such zeros",
    "confirmed at one alignment": "the plan reproduces them if the numbers start at a multiple of "
    "64 bytes; at other offsets the bits differ",
    "order-independent": "the bits do not depend on the order of the inputs",
    "inconsistent": "the answers fit no tree",
    "not reproduced": "a tree fits the probes, but its plan does not reproduce the function's bits",
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Evidence(Result):
    """The evidence for a verdict, and what it could have missed."""

    _renamed = MappingProxyType({"box_gave": "observed", "replay_gave": "expected"})

    #: the reason for the verdict, in one or two sentences
    why: str
    #: calls with an earlier input, whose bits were compared
    repeats: int
    #: if a call had this probability of different bits, the repeats would have missed it in 5 of
    #: 100 cases; None if a repeat did differ, or none was made
    missed_rate: float | None
    #: calls with the same numbers in another order, whose bits were compared
    permutations: int
    #: probes that were not used to find the tree, compared with its predictions
    fresh: int
    #: inputs that the plan was replayed on
    replayed: int
    #: inputs on which the replay in the best accumulator was bit-identical to the function
    agreed: int
    #: the accumulators tried, the narrowest first
    accumulators: tuple[str, ...]
    #: whether the function flushes subnormal numbers: a replay that does is bit-identical
    flushes_subnormals: bool
    #: how well the inputs distinguish other methods of summation from this plan
    power: str
    #: (n,) an input that contradicts, or None
    counterexample: npt.NDArray[Any] | None
    #: the function's value for it, of the dtype
    observed: np.generic | None
    #: the expected value: the replay's sum, or the function's value in an earlier call
    expected: np.generic | None
    #: which subnormal numbers are flushed: "inputs", "partial sums", "result"
    flushed: tuple[str, ...] = ()
    #: other distances in bytes from a multiple of 64 at which the numbers were placed
    offsets: tuple[int, ...] = ()
    #: the ones at which the function gave different bits
    offsets_that_differ: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"Evidence({short_repr(self.why)})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Revealed(Result):
    """The order in which a function adds, or the reason why none was found."""

    name: str
    #: number of inputs
    n: int
    #: dtype of the inputs and the sum: float16, bfloat16, float32 or float64
    dtype: str
    #: one of `VERDICTS`
    verdict: str
    #: the tree found; None if the verdict is order-independent or inconsistent, or if
    #: `algorithms` are bit-identical to the function
    plan: Plan | None
    #: the dtype that nodes round to, if it is wider than `dtype`; otherwise None
    accumulator: str | None
    #: calls of the function that searched for the tree
    probes: int
    #: all calls of the function, including validation
    calls: int
    evidence: Evidence
    #: the last step of a mean, such as "divided by n"; None for a sum or a product
    finish: str | None = None
    #: names of the compensated or exact sums that are bit-identical to it on all inputs
    algorithms: tuple[str, ...] = ()
    #: (n,) whether each product is added without being rounded first (by a fused multiply-add or
    #: in a wider accumulator); None for a sum, or if it was not determined
    unrounded: npt.NDArray[np.bool_] | None = None

    @property
    def confirmed(self) -> bool:
        """Whether the plan, or a named algorithm, reproduces the function's bits."""
        return self.verdict == "confirmed"

    @property
    def products(self) -> str | None:
        """How products are added: "rounded", "fused" or "exact"; None for a sum, or if unknown.

        Of fused products, those that start a chain are rounded; of exact products, none is.
        """
        if self.unrounded is None:
            return None
        if self.unrounded.all():
            return "exact"
        return "fused" if self.unrounded.any() else "rounded"

    def __str__(self) -> str:
        tree = f"\n{self.plan}" if self.plan is not None and self.n > 1 else ""
        return f"{self.name}: {self.verdict}. {self.evidence.why}{tree}"

    def __repr__(self) -> str:
        wider = f" in {self.accumulator}" if self.accumulator else ""
        size = f"n = {self.n:,}, {self.dtype}{wider}"
        return f"Revealed({self.name}, {size}: {self.verdict}, {self.probes:,} probes)"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SameOrder(Result):
    """Whether two functions add in the same order, and where their trees differ."""

    _computed = ("why",)

    n: int
    dtype: str
    #: True or False; None if the order of one of them is not known
    same: bool | None
    first: Revealed
    second: Revealed
    #: number of sets of inputs whose partial sum both compute
    shared: int
    #: the smallest sets of inputs whose partial sum only one of them computes, a few of each
    only_first: tuple[tuple[int, ...], ...]
    only_second: tuple[tuple[int, ...], ...]
    #: (n,) an input for which their bits differ, if one was found
    example: npt.NDArray[Any] | None
    #: their values for it
    first_gave: np.generic | None
    second_gave: np.generic | None
    #: (n,) the factors of that input, for two products; None if all are one
    example_factors: npt.NDArray[Any] | None = None

    @property
    def why(self) -> str:
        """What `same` follows from, in a sentence."""
        return decide_order(self.first, self.second, differs=self.example is not None)[1]

    @property
    def answer(self) -> str:
        """Whether the orders and the rounding are the same, in a few words."""
        if self.same is None:
            return "cannot tell"
        if self.same:
            return "the same order"
        one, other = self.first.plan, self.second.plan
        alike = one is not None and one == other
        return "the same order, different rounding" if alike else "different orders"

    def __repr__(self) -> str:
        names = f"{self.first.name}, {self.second.name}"
        return f"SameOrder({names}, n = {self.n:,}, {self.dtype}: {self.answer})"
