"""A tree from probes: how many inputs are added before two of them meet.

The masks are those of FPRev (Xie et al. 2025, "FPRev: Revealing the Order of Floating-Point
Summation", USENIX ATC): huge at i and -huge at j hide the units of all inputs that are added before
the two meet. Ours differs in its pivots. One input is probed against all others of a set, which
splits the set into the subtrees beside its way to the root. With the inputs in a random order no
tree is a worst case; and in a large set the pivot is one of the two, among twelve, that meet first,
so that few inputs are left on the deep side.

A node of more than two children shows in one of two ways. If it adds exactly, only the two children
with the huge numbers lose their units; if it aligns and truncates, all do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from math import isfinite
from typing import Any

import numpy as np

from fpdrift.reduction._plan import Plan
from fpdrift.reduction._reveal._probing import BlackBox, Mask

#: From this size on a set's pivot is chosen with care.
_LARGE = 128
_DRAWN = 12
#: In smaller sets so many members bring one of these.
_WORTH = 32


class ContradictionError(Exception):
    """The answers fit no tree."""

    def __init__(self, place: int, others: Sequence[int]) -> None:
        super().__init__(place, others)
        self.place = place
        self.others = others


@dataclass(slots=True, eq=False)
class Node:
    """A node under construction."""

    children: list[Any] = field(default_factory=list)
    aligned: bool = False


@dataclass(frozen=True, slots=True)
class _Set:
    """Inputs that are all the inputs of one or more children of a node."""

    members: list[int]
    parent: Node
    #: size of each child, where the node is known to add exactly
    size: float | None
    #: what two inputs of different children answer
    across: float
    #: an input of another child, or None
    witness: int | None


class Search:
    """Finds the tree of a black box, with the inputs taken in the order given (a random one)."""

    def __init__(self, box: BlackBox, mask: Mask, shares: int = 1) -> None:
        self._box = box
        self._mask = mask
        self._huge = box.fmt.dtype.type(mask.huge)
        self._scale = shares / mask.unit
        self._rounded = shares > 1
        self._whole = box.n - 2 <= mask.most

    def tree(self, order: Sequence[int]) -> Plan:
        """Probe until the tree is known.

        Raises
        ------
        ContradictionError
            If there is none.
        """
        if self._whole:
            self._box.fill(self._mask.unit)
        root = Node()
        to_do = [_Set(list(order), root, None, len(order) + 1, None)]
        while to_do:
            some = to_do.pop()
            if some.size == 1:  # an exact node's children, each an input
                some.parent.children += some.members
            elif len(some.members) == 1:
                some.parent.children.append(some.members[0])
            else:
                self._split(some, to_do)
        if len(root.children) > 1:
            raise ContradictionError(order[0], order[1:])
        return _plan(len(order), root.children[0])

    def _split(self, some: _Set, to_do: list[_Set]) -> None:
        """Go from a pivot to the root of its child of the node; put off what is beside the way."""
        members = some.members
        pivot = members[0] if len(members) < _LARGE else self._deep(some)
        others = [other for other in members if other != pivot]
        beside = defaultdict(list)
        for other, size in zip(others, self._common(pivot, others, some), strict=True):
            beside[size].append(other)
        if [*beside] == [self._box.n] and self._vanish(pivot, others):
            some.parent.children.append(Node(members, aligned=True))
            return
        rest = beside.pop(some.across, [])
        child, size = self._way_up(pivot, beside, to_do)
        if some.size not in (None, size):
            raise ContradictionError(pivot, others)
        some.parent.children.append(child)
        if rest:
            some.parent.aligned |= some.size is None
            to_do.append(_Set(rest, some.parent, some.size, some.across, some.witness))

    def _way_up(
        self, pivot: int, beside: dict[float, list[int]], to_do: list[_Set]
    ) -> tuple[Any, int]:
        """Return the last node on the way, and its size."""
        node: Any = pivot
        first, size = 1, 1  # of the child on the way, and of the node so far
        last: list[int] = []
        for answer in sorted(beside):
            group = beside[answer]
            closes = answer > size and len(group) % (answer - size) == 0
            goes_on = bool(last) and answer > first and len(group) % (answer - first) == 0
            if closes and goes_on:
                closes = not self._survives(pivot, group[0], last[0])
            if not closes and not goes_on:
                raise ContradictionError(pivot, group)
            if closes:
                first, node = size, Node([node])
            each = answer - first
            known = each if len(group) > each else None
            across = answer if known is None else 2 * each
            to_do.append(_Set(group, node, known, across, pivot))
            size += len(group)
            last = group
        return node, size

    def _deep(self, some: _Set) -> int:
        """Of the first few, take one of the two that meet first; a small set is worth few."""
        drawn = some.members[: min(_DRAWN, len(some.members) // _WORTH)]
        pairs = []
        for k, one in enumerate(drawn[:-1]):
            sizes = self._common(one, drawn[k + 1 :], some)
            pairs.append((min(sizes), one))
        return min(pairs)[1]

    def _common(self, pivot: int, others: list[int], some: _Set) -> list[float]:
        """Return the size of the smallest common subtree of the pivot and each of the others."""
        total: float = self._box.n
        if self._whole:
            answers = self._box.masked(self._huge, pivot, others)
            sizes = [total - float(answer) * self._scale for answer in answers]
        else:
            total, sizes = self._in_parts(pivot, others, some)
        if not all(map(isfinite, sizes)):
            raise ContradictionError(pivot, others)
        if self._rounded:
            sizes = [float(round(size)) for size in sizes]
        for size in set(sizes):
            if size != size // 1 or not 2 <= size <= total:
                raise ContradictionError(pivot, others)
        return sizes

    def _in_parts(self, pivot: int, others: list[int], some: _Set) -> tuple[float, list[float]]:
        """Ask with few units at a time: those of the set, and of one input beside it.

        A node that truncates hides the latter's, too.
        """
        inside = len(some.members)
        places = some.members if some.witness is None else [*some.members, some.witness]
        sizes = np.full(len(others), len(places), np.float64)
        for begin in range(0, len(places), self._mask.most):
            self._box.fill(self._mask.unit, places[begin : begin + self._mask.most])
            answers = self._box.masked(self._huge, pivot, others)
            units = np.array(answers, np.float64) * self._scale
            sizes -= np.round(units) if self._rounded else units
        return max(inside, some.across), np.where(sizes > inside, some.across, sizes).tolist()

    def _vanish(self, pivot: int, others: list[int]) -> bool:
        """Whether units add up to nothing where no huge number hides them: flushed, for one.

        Then each pair would answer as the pivot's do, and a large set has too many pairs to ask.
        """
        if not _LARGE <= len(others) + 1 == self._box.n:
            return False
        if not self._whole:
            self._box.fill(self._mask.unit, others[1 : self._mask.most])
        (answer,) = self._box.masked(self._huge * 0, pivot, others[:1])
        return float(answer) == 0

    def _survives(self, one: int, other: int, unit: int) -> bool:
        """Whether a unit is still there once two huge numbers have met."""
        self._box.fill(self._mask.unit, [unit])
        (answer,) = self._box.masked(self._huge, one, [other])
        if self._whole:
            self._box.fill(self._mask.unit)
        return float(answer) != 0


def _plan(n: int, root: Any) -> Plan:
    """Return nodes numbers, children before their parents."""
    nodes, to_do = [], [root]
    while to_do:
        node = to_do.pop()
        if isinstance(node, Node):
            nodes.append(node)
            to_do += node.children
    nodes.reverse()
    number = {id(node): n + k for k, node in enumerate(nodes)}
    children = [
        number[id(child)] if isinstance(child, Node) else child
        for child in chain.from_iterable(node.children for node in nodes)
    ]
    starts = list(accumulate((len(node.children) for node in nodes), initial=0))
    return Plan(
        n=n,
        children=np.array(children, np.int64),
        starts=np.array(starts, np.int64),
        aligned=np.array([node.aligned for node in nodes], np.bool_),
    )
