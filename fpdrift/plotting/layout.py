"""Where a plan's inputs and additions stand in a picture, and which inputs a branch holds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from fpdrift.reduction import Plan

#: A branch with less than this share of all inputs has no name of its own.
_SMALLEST_BRANCH = 1 / 16


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of inputs (0 to n - 1) and additions (from n on); no two lines cross."""

    #: (n + nodes,) 0 to n - 1 from left to right; an addition stands over the middle of its terms
    x: npt.NDArray[np.float64]
    #: (n + nodes,) 0 for an input, else the additions on the longest way up to here
    y: npt.NDArray[np.int64]
    #: (n,) the inputs from left to right
    inputs: npt.NDArray[np.int64]
    #: (n + nodes,) first place of those below, and how many there are
    first: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    #: the numbers below each addition, from left to right
    terms: tuple[list[int], ...]


def lay_out(plan: Plan) -> Layout:
    """Place a plan's inputs so that each branch's stand side by side."""
    n, total = plan.n, plan.n + plan.nodes
    kids = plan.children.tolist()
    terms = tuple(kids[begin:end] for begin, end in pairwise(plan.starts.tolist()))
    size = [1] * n
    for mine in terms:
        size.append(sum(size[kid] for kid in mine))
    first = [0] * total
    for node in range(total - 1, n - 1, -1):
        place = first[node]
        for kid in terms[node - n]:
            first[kid] = place
            place += size[kid]
    x: list[float] = [float(place) for place in first[:n]]
    for mine in terms:
        x.append((x[mine[0]] + x[mine[-1]]) / 2)
    heights = np.repeat(np.arange(1, len(plan.levels)), np.diff(plan.levels))
    return Layout(
        x=np.array(x),
        y=np.concatenate([np.zeros(n, np.int64), heights]),
        inputs=np.argsort(first[:n]),
        first=np.array(first),
        size=np.array(size),
        terms=terms,
    )


def branches(layout: Layout, most: int) -> list[tuple[float, str]]:
    """Name the largest branches whose inputs can be named: (middle place, ``"0 ... 127"``)."""
    n = len(layout.inputs)
    whole: list[int] = [n + len(layout.terms) - 1]
    while (splittable := _largest_fork(layout, whole, most)) is not None:
        node, large = splittable
        place = whole.index(node)
        whole[place : place + 1] = large
    named = (_branch(layout, node) for node in whole)
    return [(place, name) for place, name in named if name]


def _largest_fork(layout: Layout, nodes: list[int], most: int) -> tuple[int, list[int]] | None:
    """Find the largest of some nodes that adds two or more large branches."""
    n = len(layout.inputs)
    for node in sorted(nodes, key=lambda k: -layout.size[k]):
        large = _large_below(layout, node)
        if len(large) > 1 and len(nodes) + len(large) - 1 <= most:
            return node, large
        if layout.size[node] < 2 * n * _SMALLEST_BRANCH:
            break
    return None


def _large_below(layout: Layout, node: int) -> list[int]:
    """Give the large terms of a node, past additions of one large branch and a few inputs."""
    n = len(layout.inputs)
    while node >= n:
        large = [k for k in layout.terms[node - n] if layout.size[k] >= n * _SMALLEST_BRANCH]
        if len(large) != 1:
            return large
        node = large[0]
    return []


def _branch(layout: Layout, node: int) -> tuple[float, str]:
    start, size = int(layout.first[node]), int(layout.size[node])
    return start + (size - 1) / 2, _named(np.sort(layout.inputs[start : start + size]))


def _named(inputs: npt.NDArray[Any]) -> str:
    """Write inputs that lie evenly as a range, others not at all."""
    steps = np.unique(np.diff(inputs))
    if len(steps) > 1:
        return ""
    if len(inputs) < 3:
        return ", ".join(str(i) for i in inputs)
    start = str(inputs[0]) if steps[0] == 1 else f"{inputs[0]}, {inputs[1]}"
    return f"{start} … {inputs[-1]}"
