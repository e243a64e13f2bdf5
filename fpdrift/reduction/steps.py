"""From a plan to a short list of steps, each of which NumPy takes in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from fpdrift.reduction.canonical import Ints
from fpdrift.reduction.plan import Plan


@dataclass(frozen=True, slots=True)
class Step:
    """Additions that do not depend on each other; each column of terms is one."""

    how: Literal["in sequence", "exact", "aligned"]
    #: (k, w) numbers of inputs and nodes
    terms: Ints
    #: (w,) where the sums go
    to: Ints


@dataclass(frozen=True, slots=True)
class Forest:
    """Plans over the same inputs, written as one, with the numbers of their roots."""

    n: int
    children: Ints
    starts: Ints
    aligned: npt.NDArray[np.bool_]
    levels: Ints
    extra_bits: int
    roots: Ints


def forest(plans: Sequence[Plan]) -> Forest:
    """Write plans over the same inputs, with the same extra bits, as one, level by level."""
    n = plans[0].n
    children = np.concatenate([plan.children for plan in plans])
    aligned = np.concatenate([plan.aligned for plan in plans])
    arity = _steps_up([plan.starts for plan in plans])
    nodes = np.array([plan.nodes for plan in plans])
    depths = np.array([plan.depth for plan in plans])
    within = np.arange(depths.sum()) - np.repeat(np.cumsum(depths) - depths, depths)
    heights = np.repeat(within, _steps_up([plan.levels for plan in plans]))
    order = np.argsort(heights, kind="stable")
    number = np.empty_like(order)
    number[order] = np.arange(n, n + len(order))
    ends = np.cumsum(nodes)
    before = np.repeat(ends - nodes, [len(plan.children) for plan in plans])
    inner = children >= n
    children[inner] = number[(children + before - n)[inner]]
    edges = np.argsort(np.repeat(heights, arity), kind="stable")
    return Forest(
        n=n,
        children=children[edges],
        starts=np.concatenate([[0], np.cumsum(arity[order])]),
        aligned=aligned[order],
        levels=np.concatenate([[0], np.cumsum(np.bincount(heights))]),
        extra_bits=plans[0].extra_bits,
        roots=number[ends - 1] if n > 1 else np.zeros_like(ends),
    )


def _steps_up(arrays: Sequence[Ints]) -> Ints:
    """Give the differences within each of some arrays that start from 0."""
    jumps = np.diff(np.concatenate(arrays))
    ends = np.cumsum([len(array) for array in arrays])[:-1]
    return np.delete(jumps, ends - 1)


def steps(tree: Plan | Forest) -> Iterator[Step]:
    """Give the steps in order.

    A level goes on from the one below where each node adds one number to the node at its own
    place there. Levels that go on become one step, added in sequence.
    """
    if not len(tree.aligned):
        return
    levels, widths = tree.levels, np.diff(tree.levels)
    plain = (np.diff(tree.starts) == 2) & ~tree.aligned
    first, second = tree.children[tree.starts[:-1]], tree.children[tree.starts[:-1] + 1]
    numbers = tree.n + np.arange(len(plain))
    below = numbers - np.repeat(widths, widths)
    other = np.where(first == below, second, first)
    follows = np.logical_and.reduceat(plain & ((first == below) | (second == below)), levels[:-1])
    follows &= np.diff(widths, prepend=0) == 0
    ends = np.flatnonzero(np.append(~follows, True))
    for head, end in pairwise(ends.tolist()):
        here = slice(levels[head], levels[head + 1])
        if plain[here].all():
            rows = np.stack([first[here], second[here]])
        else:
            yield from _mixed(tree, here)
            rows = numbers[here][None]
        more = other[levels[head + 1] : levels[end]].reshape(-1, widths[head])
        if len(rows) + len(more) > 1:
            to = numbers[levels[end - 1] : levels[end]]
            yield Step("in sequence", np.concatenate([rows, more]), to)


def _mixed(tree: Plan | Forest, here: slice) -> Iterator[Step]:
    """Take a level's nodes of each kind together."""
    arity, begins = np.diff(tree.starts)[here], tree.starts[:-1][here]
    for k, aligned in sorted(set(zip(arity.tolist(), tree.aligned[here].tolist(), strict=True))):
        which = np.flatnonzero((arity == k) & (tree.aligned[here] == aligned))
        terms = tree.children[begins[which] + np.arange(k)[:, None]]
        yield Step("aligned" if aligned else "exact", terms, tree.n + here.start + which)
