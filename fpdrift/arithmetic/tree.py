"""Our own small tree of an expression: a node knows its text and what the machine makes of it."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from fpdrift.floats import to_bits, to_fraction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fpdrift.floats import Format

#: The four operations; on two scalars of a dtype each rounds once, on two fractions never.
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

#: How tightly Python binds: sums, products, a minus sign, a single operand.
_SUM, _PRODUCT, _SIGN, _OPERAND = range(4)
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


class Node(NamedTuple):
    """An operand, the negative of a node, or an operation on two."""

    #: one of + - * /, "negative" or "operand"
    kind: str
    parts: tuple[Node, ...]
    #: the expression, with no more parentheses than Python needs
    text: str
    binding: int
    #: what the machine makes of it, a scalar of the dtype
    value: Any
    #: place of its first operand in the user's text; infinite if none stands there
    first: float
    #: equal for nodes that differ by swapped operands of + or *, or by their sign
    key: int
    #: the sign that `key` leaves out: 1 or -1
    sign: int


class Builder:
    """Makes nodes in one format and evaluates them as it goes."""

    def __init__(self, fmt: Format) -> None:
        self.fmt = fmt
        self._keys: dict[tuple[Any, ...], int] = {}
        self.one = self.operand("1", fmt.dtype.type(1), math.inf)

    def operand(self, text: str, value: Any, first: float) -> Node:
        """Make a leaf; `first` is its place in the user's text."""
        key = self._key("operand", to_bits(value, self.fmt))
        return Node("operand", (), text, _OPERAND, value, first, key, 1)

    def negative(self, of: Node) -> Node:
        """Negate a node, which rounds nothing."""
        text = f"-{_wrap(of, of.binding < _OPERAND)}"
        return Node("negative", (of,), text, _SIGN, -of.value, of.first, of.key, -of.sign)

    def apply(self, kind: str, left: Node, right: Node) -> Node:
        """Operate on two nodes; where they commute the one met first in the text stands first."""
        if kind in "+*" and right.first < left.first:
            left, right = right, left
        binding = _BINDING[kind]
        loose = right.binding <= binding or right.text.startswith("-")
        text = _wrap(left, left.binding < binding) + kind + _wrap(right, loose)
        value = OPERATIONS[kind](left.value, right.value)
        key, sign = self._fold(kind, left, right)
        first = min(left.first, right.first)
        return Node(kind, (left, right), text, binding, value, first, key, sign)

    def opposite(self, of: Node) -> Node:
        """Negate a node as far left as it goes: -a*b, not -(a*b)."""
        if of.kind in ("*", "/", "+"):
            left, right = of.parts
            return self.apply("-" if of.kind == "+" else of.kind, self.opposite(left), right)
        return self.negative(of)

    def _fold(self, kind: str, left: Node, right: Node) -> tuple[int, int]:
        """Give the key and the sign of an operation: a-b and b-a share a key."""
        sign = left.sign * right.sign
        if kind == "/":
            return self._key(kind, left.key, right.key), sign
        low, high = sorted((left, right), key=operator.attrgetter("key"))
        if kind == "*":
            return self._key(kind, low.key, high.key), sign
        if kind == "-":
            sign = -sign
        outer = -low.sign if kind == "-" and low is right else low.sign
        return self._key("+" if sign > 0 else "-", low.key, high.key), outer

    def _key(self, *shape: Any) -> int:
        return self._keys.setdefault(shape, len(self._keys))


def operands(node: Node) -> Iterator[Node]:
    """Give the leaves from left to right."""
    if node.kind == "operand":
        yield node
    for part in node.parts:
        yield from operands(part)


def on_paper(node: Node, fmt: Format) -> Fraction | None:
    """Evaluate without rounding; None where an operand is not finite or a divisor is zero."""
    if node.kind == "operand":
        return finite(node.value, fmt)
    return unrounded(node.kind, [on_paper(part, fmt) for part in node.parts])


def unrounded(kind: str, parts: list[Fraction | None]) -> Fraction | None:
    """Carry one operation out exactly, where that means anything."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or (kind == "/" and not known[1]):
        return None
    return -known[0] if kind == "negative" else Fraction(OPERATIONS[kind](*known))


def finite(value: Any, fmt: Format) -> Fraction | None:
    """Give the exact value of a scalar; None for an infinity or a NaN."""
    size = to_bits(value, fmt) & ~fmt.sign_bit
    return None if size >= fmt.infinity_bits else to_fraction(value, fmt)


def _wrap(node: Node, needed: bool) -> str:
    return f"({node.text})" if needed else node.text
