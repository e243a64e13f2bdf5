"""Build a tree from probes, each of which counts the inputs added before two of them meet.

The masks are those of FPRev (Xie et al. 2025, "FPRev: Revealing the Order of Floating-Point
Summation", USENIX ATC): huge at i and -huge at j hide the units of all inputs that are added before
the two meet. The choice of pivots differs. One input is probed against all others of a set, which
splits the set into the subtrees along its path to the root. With the inputs in a random order, no
tree is a worst case; and in a large set, the pivot is one of the two inputs, out of twelve, that
meet first, so that few inputs remain on the deep side.

A node with more than two children shows in one of two ways. If it adds exactly, only the two
children with the huge numbers lose their units; if it aligns and truncates, all of them do.
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
from fpdrift.reduction._reveal._probing import Mask, ProbedFunction

#: From this size on, the pivot of a set is chosen among several.
_LARGE = 128
_DRAWN = 12
#: In smaller sets, one candidate is drawn per this many members.
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
    #: size of each child, if the node is known to add exactly
    size: float | None
    #: the answer for two inputs of different children
    across: float
    #: an input of another child, or None
    witness: int | None


class Search:
    """Find the tree of a function under test."""

    def __init__(self, function: ProbedFunction, mask: Mask, shares: int = 1) -> None:
        self._function = function
        self._mask = mask
        self._huge = function.fmt.dtype.type(mask.huge)
        self._scale = shares / mask.unit
        self._rounded = shares > 1
        self._whole = function.n - 2 <= mask.most

    def tree(self, order: Sequence[int]) -> Plan:
        """Probe until the tree is known; `order` is a random permutation of the inputs.

        Raises
        ------
        ContradictionError
            If the answers fit no tree.
        """
        if self._whole:
            self._function.fill(self._mask.unit)
        root = Node()
        to_do = [_Set(list(order), root, None, len(order) + 1, None)]
        while to_do:
            subset = to_do.pop()
            if subset.size == 1:  # an exact node's children, each an input
                subset.parent.children += subset.members
            elif len(subset.members) == 1:
                subset.parent.children.append(subset.members[0])
            else:
                self._split(subset, to_do)
        if len(root.children) > 1:
            raise ContradictionError(order[0], order[1:])
        return _plan(len(order), root.children[0])

    def _split(self, subset: _Set, to_do: list[_Set]) -> None:
        """Find the path from a pivot to the root of its child; queue the sets beside the path."""
        members = subset.members
        pivot = members[0] if len(members) < _LARGE else self._choose_pivot(subset)
        others = [other for other in members if other != pivot]
        beside = defaultdict(list)
        for other, size in zip(others, self._common_sizes(pivot, others, subset), strict=True):
            beside[size].append(other)
        if [*beside] == [self._function.n] and self._units_vanish(pivot, others):
            subset.parent.children.append(Node(members, aligned=True))
            return
        rest = beside.pop(subset.across, [])
        child, size = self._climb(pivot, beside, to_do)
        if subset.size not in (None, size):
            raise ContradictionError(pivot, others)
        subset.parent.children.append(child)
        if rest:
            subset.parent.aligned |= subset.size is None
            to_do.append(_Set(rest, subset.parent, subset.size, subset.across, subset.witness))

    def _climb(
        self, pivot: int, beside: dict[float, list[int]], to_do: list[_Set]
    ) -> tuple[Any, int]:
        """Return the last node on the path, and its size."""
        node: Any = pivot
        first, size = 1, 1  # of the child on the path, and of the node so far
        last: list[int] = []
        for answer in sorted(beside):
            group = beside[answer]
            closes = answer > size and len(group) % (answer - size) == 0
            continues = bool(last) and answer > first and len(group) % (answer - first) == 0
            if closes and continues:
                closes = not self._unit_survives(pivot, group[0], last[0])
            if not closes and not continues:
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

    def _choose_pivot(self, subset: _Set) -> int:
        """Return one of the two inputs that meet first, out of a few; fewer in a small set."""
        drawn = subset.members[: min(_DRAWN, len(subset.members) // _WORTH)]
        pairs = []
        for k, one in enumerate(drawn[:-1]):
            sizes = self._common_sizes(one, drawn[k + 1 :], subset)
            pairs.append((min(sizes), one))
        return min(pairs)[1]

    def _common_sizes(self, pivot: int, others: list[int], subset: _Set) -> list[float]:
        """Return the size of the smallest common subtree of the pivot and each of the others."""
        total: float = self._function.n
        if self._whole:
            answers = self._function.masked_sums(self._huge, pivot, others)
            sizes = [total - float(answer) * self._scale for answer in answers]
        else:
            total, sizes = self._sizes_in_parts(pivot, others, subset)
        if not all(map(isfinite, sizes)):
            raise ContradictionError(pivot, others)
        if self._rounded:
            sizes = [float(round(size)) for size in sizes]
        for size in set(sizes):
            if size != size // 1 or not 2 <= size <= total:
                raise ContradictionError(pivot, others)
        return sizes

    def _sizes_in_parts(
        self, pivot: int, others: list[int], subset: _Set
    ) -> tuple[float, list[float]]:
        """Probe with few units at a time: those of the set, and of one input outside it.

        A node that truncates hides the latter's unit as well.
        """
        inside = len(subset.members)
        places = subset.members if subset.witness is None else [*subset.members, subset.witness]
        sizes = np.full(len(others), len(places), np.float64)
        for begin in range(0, len(places), self._mask.most):
            self._function.fill(self._mask.unit, places[begin : begin + self._mask.most])
            answers = self._function.masked_sums(self._huge, pivot, others)
            units = np.array(answers, np.float64) * self._scale
            sizes -= np.round(units) if self._rounded else units
        return max(inside, subset.across), np.where(sizes > inside, subset.across, sizes).tolist()

    def _units_vanish(self, pivot: int, others: list[int]) -> bool:
        """Return whether units vanish even without a huge number, for example if flushed to zero.

        Then every pair would give the same answer as the pivot's, and a large set has too many
        pairs to probe.
        """
        if not _LARGE <= len(others) + 1 == self._function.n:
            return False
        if not self._whole:
            self._function.fill(self._mask.unit, others[1 : self._mask.most])
        (answer,) = self._function.masked_sums(self._huge * 0, pivot, others[:1])
        return float(answer) == 0

    def _unit_survives(self, one: int, other: int, unit: int) -> bool:
        """Return whether a unit survives the meeting of two huge numbers."""
        self._function.fill(self._mask.unit, [unit])
        (answer,) = self._function.masked_sums(self._huge, one, [other])
        if self._whole:
            self._function.fill(self._mask.unit)
        return float(answer) != 0


def _plan(n: int, root: Any) -> Plan:
    """Make the plan; it numbers the nodes, children before their parents."""
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
