"""Multiply by a quotient 1e8 times: the two loops that one sentence can mean, and their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.arithmetic import Chain, chain
from fpdrift.results import Result

if TYPE_CHECKING:
    from decimal import Decimal

    from fpdrift.experiments.settings import Settings

#: The source's own: two orders of one expression, and how often it multiplies by their ratio.
A, B = 2 / 9 * 11, 2 * 11 / 9
COUNT = 10**8


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoLoops(Result):
    """The same step on paper, rounded once and rounded twice."""

    #: ``one *= A / B``: the quotient is rounded before the loop, the product in each step
    quotient: Chain
    #: ``one *= A; one /= B``: both are rounded in each step
    pair: Chain

    @property
    def exact(self) -> Decimal | None:
        """What exact arithmetic leaves with these A and B, their ratio unrounded."""
        return self.pair.exact()

    def __repr__(self) -> str:
        return f"TwoLoops(quotient={self.quotient!r}, pair={self.pair!r})"


def two_loops(settings: Settings) -> TwoLoops:  # noqa: ARG001 - nothing here to choose
    """Run both loops."""
    return TwoLoops(
        quotient=chain(1.0, A / B, COUNT),
        pair=chain(1.0, [("multiply", A), ("divide", B)], COUNT),
    )
