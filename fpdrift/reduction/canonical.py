"""One way of writing each tree down, so that equal trees have equal arrays.

A node's height is one more than its highest child's, and its first input is the smallest below it.
Nodes of one height share no inputs, so (height, first input) orders all nodes; the first input
orders a node's children.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, shown

Ints = npt.NDArray[Any]

#: Inputs and nodes are numbered by int32.
LARGEST_N = 2**30


def checked(n: int, children: npt.ArrayLike, starts: npt.ArrayLike) -> tuple[Ints, Ints]:
    """Give both arrays as int32, if they are a tree over n inputs, children before parents."""
    kids, begins = _ints("children", children), _ints("starts", starts)
    arity = np.diff(begins)
    if begins[:1].tolist() != [0] or begins[-1] != len(kids) or (arity < 2).any():
        message = "starts must rise from 0 to the number of children, by 2 or more a node"
        raise FpdriftError(message)
    total = n + len(arity)
    if len(kids) != total - 1:  # before an array is made as long as a stranger's file says
        message = (
            f"{len(kids)} children for {n} inputs and {len(arity)} nodes; "
            f"each but the last is one: {total - 1}"
        )
        raise FpdriftError(message)
    parents = n + np.repeat(np.arange(len(arity)), arity)
    wrong = np.flatnonzero((kids < 0) | (kids >= parents))
    if len(wrong):
        edge = wrong[0]
        message = f"node {parents[edge]} adds {kids[edge]}; it can add 0 to {parents[edge] - 1}"
        raise FpdriftError(message)
    uses = np.bincount(kids, minlength=total)[: total - 1]
    if (uses != 1).any():
        which = int(np.flatnonzero(uses != 1)[0])
        message = f"{which} is added {uses[which]} times; each input and node but the last is once"
        raise FpdriftError(message)
    return kids, begins


def canonical(
    n: int, children: Ints, starts: Ints, aligned: npt.NDArray[np.bool_]
) -> tuple[Ints, Ints, npt.NDArray[np.bool_], Ints]:
    """Renumber nodes by (height, first input), order children by first input; give the levels."""
    heights, firsts = _heights_and_firsts(n, children, starts)
    order = np.lexsort((firsts[n:], heights[n:]))
    number = np.arange(n + len(order), dtype=np.int32)
    number[n + order] = np.arange(n, n + len(order))
    owner = np.repeat(number[n:], np.diff(starts))
    edges = np.lexsort((firsts[children], owner))
    new_starts = np.concatenate([[0], np.cumsum(np.diff(starts)[order])]).astype(np.int32)
    levels = np.concatenate([[0], np.cumsum(np.bincount(heights[n:])[1:])]).astype(np.int32)
    return number[children[edges]], new_starts, aligned[order], levels


def _heights_and_firsts(n: int, children: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """Walk up the nodes, children before parents (a loop: a chain has as many levels as nodes)."""
    kids = children.tolist()
    heights, firsts = [0] * n, list(range(n))
    for begin, end in pairwise(starts.tolist()):
        mine = kids[begin:end]
        heights.append(1 + max([heights[kid] for kid in mine]))
        firsts.append(min([firsts[kid] for kid in mine]))
    return np.array(heights, np.int32), np.array(firsts, np.int32)


def _ints(name: str, values: Any) -> Ints:
    try:
        array = np.asarray(values)
        whole = array.dtype.kind in "iu"
        fits = array.size == 0 or (whole and -1 <= int(array.min()) <= int(array.max()) < 2**31)
    except (TypeError, ValueError):
        fits = False
    if not fits or array.ndim != 1:
        message = f"{name} is {shown(values)}; give a flat array of whole numbers"
        raise FpdriftError(message)
    return array.astype(np.int32)
