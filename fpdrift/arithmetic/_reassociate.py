"""Enumerate the mathematically equal orders of an expression.

A chain of + and - is a group of signed terms; a chain of * and / is a group of factors, some of
them inverted. A group may be split into two parts in any way, and each part again: this is what
commutativity and associativity allow. A sum among factors is one factor with orders of its own;
products are not expanded. A sign costs no rounding, so each part is computed without the sign that
all of its terms share.
"""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fpdrift.arithmetic._parser import Builder, Node

#: Set of members, as bits -> every order of them.
_Parts: TypeAlias = "dict[int, list[Node]]"


class _Member(NamedTuple):
    """One term of a sum or one factor of a product, in each of its own orders."""

    orders: list[Node]
    negative: bool
    inverted: bool = False


def every_order(root: Node, builder: Builder, *, reciprocals: bool = False) -> list[Node]:
    """Return each order once: the one as written, then the others by number of parentheses.

    Parameters
    ----------
    root : Node
        The expression as the user wrote it.
    builder : Builder
        The builder that made it.
    reciprocals : bool
        Whether division may also become multiplication by the rounded 1/x.

    Returns
    -------
    list of Node
        No two differ only by swapped operands of one + or *.
    """
    negative, orders = _Orders(builder, reciprocals).of(root)
    if negative:
        orders = [builder.opposite(node) for node in orders]
    orders.sort(key=lambda node: node.text.count("("))
    return [root, *(node for node in orders if node.key != root.key)]


class _Orders:
    def __init__(self, builder: Builder, reciprocals: bool) -> None:
        self.builder = builder
        self.reciprocals = reciprocals

    def of(self, node: Node) -> tuple[bool, list[Node]]:
        """Return the sign that all orders of a node share, and the orders without it."""
        if node.kind == "operand":
            return False, [node]
        if node.kind in ("*", "/"):
            return self._product(list(self._factors(node)))
        return self._sum(list(self._terms(node)))

    def _terms(self, node: Node, negative: bool = False) -> Iterator[_Member]:
        if node.kind in ("+", "-", "negative"):
            *first, last = node.parts
            for part in first:
                yield from self._terms(part, negative)
            yield from self._terms(last, negative ^ (node.kind != "+"))
        else:
            minus, orders = self.of(node)
            yield _Member(orders, negative ^ minus)

    def _factors(self, node: Node, inverted: bool = False) -> Iterator[_Member]:
        if node.kind in ("*", "/"):
            left, right = node.parts
            yield from self._factors(left, inverted)
            yield from self._factors(right, inverted ^ (node.kind == "/"))
        elif node.kind == "negative":
            first, *others = self._factors(node.parts[0], inverted)
            yield first._replace(negative=not first.negative)
            yield from others
        else:
            minus, orders = self.of(node)
            yield _Member(orders, minus, inverted)

    def _sum(self, terms: list[_Member]) -> tuple[bool, list[Node]]:
        orders = {1 << i: term.orders for i, term in enumerate(terms)}
        minus = sum(1 << i for i, term in enumerate(terms) if term.negative)
        for whole in range(1, 1 << len(terms)):
            if whole not in orders:
                orders[whole] = _distinct(self._sums(orders, minus, whole))
        return whole == whole & minus, orders[whole]

    def _sums(self, orders: _Parts, minus: int, whole: int) -> Iterator[Node]:
        for left, right in _splits(whole):
            one, other = (part == part & minus for part in (left, right))
            if one == other:
                yield from self._apply("+", orders[left], orders[right])
            elif other:
                yield from self._apply("-", orders[left], orders[right])
            else:
                yield from self._apply("-", orders[right], orders[left])

    def _product(self, factors: list[_Member]) -> tuple[bool, list[Node]]:
        up = {1 << i: [] if f.inverted else f.orders for i, f in enumerate(factors)}
        down = {1 << i: f.orders if f.inverted else [] for i, f in enumerate(factors)}
        over = dict(up)  # possible divisors: no reciprocals, since a/(1/b) is a*b
        below = sum(1 << i for i, factor in enumerate(factors) if factor.inverted)
        for whole in range(1, 1 << len(factors)):
            if whole not in up:
                up[whole] = _distinct(self._quotients(up, down, whole))
                down[whole] = _distinct(self._quotients(down, over, whole))
                over[whole] = [] if whole == whole & below else up[whole]
            if self.reciprocals and whole == whole & below:
                inverses = self._apply("/", [self.builder.one], down[whole])
                up[whole] = _distinct(chain(up[whole], inverses))
        negative = sum(factor.negative for factor in factors) % 2 == 1
        return negative, up[whole]

    def _quotients(self, top: _Parts, bottom: _Parts, whole: int) -> Iterator[Node]:
        """Yield a part as a product, or as a quotient by the inverse of one of its halves."""
        for left, right in _splits(whole):
            yield from self._apply("*", top[left], top[right])
            yield from self._apply("/", top[left], bottom[right])
            yield from self._apply("/", top[right], bottom[left])

    def _apply(self, kind: str, lefts: list[Node], rights: list[Node]) -> Iterator[Node]:
        for left, right in product(lefts, rights):
            yield self.builder.apply(kind, left, right)


def _distinct(nodes: Iterable[Node]) -> list[Node]:
    found: dict[int, Node] = {}
    for node in nodes:
        found.setdefault(node.key, node)
    return list(found.values())


def _splits(whole: int) -> Iterator[tuple[int, int]]:
    """Yield every split of a set of bits in two; the lowest bit goes to the left."""
    others = part = whole & (whole - 1)
    while part:
        yield whole ^ part, part
        part = (part - 1) & others
