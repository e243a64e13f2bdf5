"""What revealing gives: a verdict, the plan where there is one, and the evidence for both."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import short_repr
from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._judge_orders import judge_orders
from fpdrift.serialization import Result

#: The verdicts of `Revealed`, and what each says.
VERDICTS = {
    "confirmed": "the plan, or an algorithm that is named, gives the function's own bits",
    "confirmed, subnormals flushed": "the plan gives them with zeros for subnormal numbers, but "
    "for the signs of such zeros",
    "confirmed at one alignment": "the plan gives them where the numbers start at a multiple of 64 "
    "bytes; elsewhere the bits differ",
    "order-independent": "the bits do not depend on the order of the inputs",
    "inconsistent": "the answers fit no tree",
    "not reproduced": "a tree fits the probes, but its plan does not give the function's bits",
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Evidence(Result):
    """What a verdict rests on, and what it could have missed."""

    _renamed = MappingProxyType({"box_gave": "observed", "replay_gave": "expected"})

    #: in one or two plain sentences, what decided
    why: str
    #: calls that repeated an earlier input, whose bits were compared
    repeats: int
    #: were a call to go astray with this probability, the repeats would have missed it in 5 of
    #: 100 cases; None where a repeat did go astray, or none was made
    missed_rate: float | None
    #: calls with the same numbers in another order, whose bits were compared
    permutations: int
    #: probes that were not used to find the tree and were predicted by it
    fresh: int
    #: inputs that the plan was replayed on
    replayed: int
    #: on how many of these the replay gave the function's bits, with the best accumulator
    agreed: int
    #: the accumulators tried, the narrowest first
    accumulators: tuple[str, ...]
    #: whether the function treats subnormal numbers as zeros: a replay that does gave its bits
    flushes_subnormals: bool
    #: how well the inputs tell other ways of adding from this plan
    power: str
    #: (n,) an input that decided against, or None
    counterexample: npt.NDArray[Any] | None
    #: what the function gave for it, of the dtype
    observed: np.generic | None
    #: what else was expected: the replay's sum, or what the function gave for it another time
    expected: np.generic | None
    #: which subnormal numbers count as zeros: of "inputs", "partial sums", "result"
    flushed: tuple[str, ...] = ()
    #: distances in bytes from a multiple of 64 at which the numbers were put, too
    offsets: tuple[int, ...] = ()
    #: those of them at which the function gave different bits
    offsets_that_differ: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"Evidence({short_repr(self.why)})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Revealed(Result):
    """The order in which a function adds, or why there is none to be seen."""

    name: str
    #: number of inputs
    n: int
    #: of the inputs and the sum: float16, bfloat16, float32 or float64
    dtype: str
    #: one of `VERDICTS`
    verdict: str
    #: the tree found; None where the verdict is order-independent or inconsistent, or where
    #: `algorithms` give the bits
    plan: Plan | None
    #: what the nodes round to: None for the dtype itself, else the name of a wider one
    accumulator: str | None
    #: calls of the function to find the tree
    probes: int
    #: all calls of the function, validation included
    calls: int
    evidence: Evidence
    #: what becomes of a mean's sum, such as "divided by n"; None for a sum or a product
    finish: str | None = None
    #: names of the compensated or exact sums that gave the function's bits on all inputs
    algorithms: tuple[str, ...] = ()
    #: (n,) whether each product is added as it is, without being rounded before (a fused
    #: multiply-add, or a wider accumulator); None for a sum, or where it was not found
    unrounded: npt.NDArray[np.bool_] | None = None

    @property
    def confirmed(self) -> bool:
        """Whether the plan, or an algorithm that is named, gives the function's own bits."""
        return self.verdict == "confirmed"

    @property
    def products(self) -> str | None:
        """How products are added: "rounded", "fused" or "exact"; None for a sum, or if unknown.

        Of fused ones those that start a chain are rounded; exact ones are all added as they are.
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
    """Whether two functions add in the same order, and where they do not."""

    _computed = ("why",)

    n: int
    dtype: str
    #: True or False; None where the order of one of them is not known
    same: bool | None
    first: Revealed
    second: Revealed
    #: how many sets of inputs both add up on their way
    shared: int
    #: the smallest sets of inputs that only one of them adds up, a few of each
    only_first: tuple[tuple[int, ...], ...]
    only_second: tuple[tuple[int, ...], ...]
    #: (n,) an input for which their bits differ, if one was met
    example: npt.NDArray[Any] | None
    #: what they gave for it
    first_gave: np.generic | None
    second_gave: np.generic | None
    #: (n,) by which that input was multiplied, of two products; None where by ones
    example_factors: npt.NDArray[Any] | None = None

    @property
    def why(self) -> str:
        """What `same` follows from, in a sentence."""
        return judge_orders(self.first, self.second, differs=self.example is not None)[1]

    @property
    def answer(self) -> str:
        """In a few words: whether the orders are the same, and whether all else is."""
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
