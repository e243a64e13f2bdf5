"""The rounding ledger: what each step of an order should have given, gave, and lost."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from fpdrift.arithmetic.tree import OPERATIONS, Node, finite, unrounded
from fpdrift.results import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.floats import Format


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounding(Result):
    """One operation of the machine: exact on its two operands, then rounded."""

    #: the part of the expression that this step computes, such as ``"2/9"``
    text: str
    #: ``"+"``, ``"-"``, ``"*"`` or ``"/"``
    operation: str
    #: the two scalars that the machine operates on, themselves rounded before
    operands: tuple[Any, Any]
    #: exact value of the operation on these (None: an operand is not finite, or a division by zero)
    exact: Fraction | None
    #: what the machine gives, a NumPy scalar
    rounded: Any
    #: exact - rounded (None: one of them is not finite)
    lost: Fraction | None

    def __repr__(self) -> str:
        left, right = self.operands
        step = f"{left!s} {self.operation} {right!s} = {self.rounded!s}"
        return f"Rounding({step}, lost {self.lost})"


def ledger_of(node: Node, fmt: Format) -> Iterator[Rounding]:
    """Give the roundings of a tree in the order in which Python would do them."""
    for part in node.parts:
        yield from ledger_of(part, fmt)
    if node.kind not in OPERATIONS:
        return
    left, right = (part.value for part in node.parts)
    exact = unrounded(node.kind, [finite(left, fmt), finite(right, fmt)])
    rounded = finite(node.value, fmt)
    yield Rounding(
        text=node.text,
        operation=node.kind,
        operands=(left, right),
        exact=exact,
        rounded=node.value,
        lost=None if exact is None or rounded is None else exact - rounded,
    )
