"""Loops that add, each run once on inputs' numbers to see which tree it is.

A loop takes how many inputs there are, and `add`; it adds numbers of inputs and of earlier sums.
"""

from functools import cache, reduce
from itertools import accumulate, chain
from itertools import pairwise as pairs

import numpy as np

from fpdrift.reduction import Plan


class Tree:
    """What a loop adds: nodes as tuples of inputs (below n) and earlier nodes (n and on)."""

    def __init__(self, loop, n, *, aligned=False, extra_bits=0):
        self.n, self.nodes = n, []
        last = loop(n, self._add)
        assert last == (n + len(self.nodes) - 1 if self.nodes else 0)
        self.aligned, self.extra_bits = aligned and n > 1, extra_bits

    @classmethod
    def of(cls, plan):
        """Give a plan's tree, for adding it one node at a time."""
        tree = cls(lambda *_: 0, 1, extra_bits=plan.extra_bits)
        ends = pairs(plan.starts.tolist())
        tree.n, tree.nodes = plan.n, [tuple(plan.children[b:e].tolist()) for b, e in ends]
        tree.aligned = bool(plan.aligned.any())
        return tree

    def _add(self, *terms):
        self.nodes.append(terms)
        return self.n + len(self.nodes) - 1

    @property
    def plan(self):
        return Plan(
            n=self.n,
            children=np.array([*chain(*self.nodes)], np.int64),
            starts=np.array([0, *accumulate(map(len, self.nodes))]),
            aligned=self.aligned,
            extra_bits=self.extra_bits,
        )

    @property
    def binary(self):
        return not self.aligned and all(len(terms) == 2 for terms in self.nodes)

    @property
    def one_node(self):
        return len(self.nodes) == 1


def in_order(order):
    return lambda n, add: reduce(add, order(n))


def inside_out(n):
    left, right = list(range(n // 2))[::-1], list(range(n // 2, n))
    return [i for pair in zip(right, left, strict=False) for i in pair] + right[len(left) :]


def outside_in(n):
    return inside_out(n)[::-1]


def evens_then_odds(n):
    return [*range(0, n, 2), *range(1, n, 2)]


def permuted(seed):
    return in_order(lambda n: np.random.default_rng([seed, n]).permutation(n).tolist())


def pairwise(block):
    def loop(n, add):
        def half(first, size):
            if size <= block:
                return reduce(add, range(first, first + size))
            return add(half(first, size // 2), half(first + size // 2, size - size // 2))

        return half(0, n)

    return loop


def neighbours(n, add):
    sums = list(range(n))
    while len(sums) > 1:
        sums = [
            add(*sums[i : i + 2]) if i + 1 < len(sums) else sums[i] for i in range(0, len(sums), 2)
        ]
    return sums[0]


def folded(n, add):
    """As lanes of a warp: the lower half adds the upper half to itself."""
    sums = list(range(n))
    while len(sums) > 1:
        half = (len(sums) + 1) // 2
        sums = [
            add(sums[i], sums[i + half]) if i + half < len(sums) else sums[i] for i in range(half)
        ]
    return sums[0]


def strided(lanes, combine):
    def loop(n, add):
        sums = list(range(min(lanes, n)))
        for i in range(lanes, n):
            sums[i % lanes] = add(sums[i % lanes], i)
        return _over(sums, combine, add)

    return loop


def _over(parts, loop, add):
    """Run a loop over parts instead of inputs."""
    known = list(parts)

    def add_parts(*ids):
        known.append(add(*(known[i] for i in ids)))
        return len(known) - 1

    return known[loop(len(parts), add_parts)]


def blocked(block, combine=None):
    def loop(n, add):
        sums = [reduce(add, range(i, min(i + block, n))) for i in range(0, n, block)]
        return _over(sums, combine or in_order(range), add)

    return loop


def numpy_pairwise(n, add):
    """NumPy's loop, as its source has it: 8 accumulators, blocks of 128, halves."""

    def part(first, size):
        if size < 8:
            return reduce(add, range(first, first + size))
        if size <= 128:
            r = list(range(first, first + 8))
            for i in range(8, size - size % 8, 8):
                r = [add(r[j], first + i + j) for j in range(8)]
            total = add(
                add(add(r[0], r[1]), add(r[2], r[3])), add(add(r[4], r[5]), add(r[6], r[7]))
            )
            return reduce(add, range(first + size - size % 8, first + size), total)
        half = size // 2
        half -= half % 8
        return add(part(first, half), part(first + half, size - half))

    return part(0, n)


def two_chains(n, add):
    """One from each end, until they meet."""
    if n == 1:
        return 0
    middle = n // 2
    return add(reduce(add, range(middle)), reduce(add, range(n - 1, middle - 1, -1)))


def random_tree(seed, most=2):
    """Add two (or up to `most`) of what is there, drawn at random."""

    def loop(n, add):
        rng = np.random.default_rng([seed, n, most])
        there = list(range(n))
        while len(there) > 1:
            terms = min(int(rng.integers(2, most + 1)), len(there))
            there.append(add(*(there.pop(int(rng.integers(len(there)))) for _ in range(terms))))
        return there[0]

    return loop


def random_splits(seed, most=2):
    """Split a shuffled list anywhere, again and again."""

    def loop(n, add):
        rng = np.random.default_rng([seed, n, most])

        def part(inputs):
            if len(inputs) == 1:
                return inputs[0]
            pieces = min(int(rng.integers(2, most + 1)), len(inputs))
            cuts = np.sort(rng.choice(len(inputs) - 1, pieces - 1, replace=False) + 1).tolist()
            ends = zip([0, *cuts], [*cuts, len(inputs)], strict=True)
            return add(*(part(inputs[begin:end]) for begin, end in ends))

        return part(rng.permutation(n).tolist())

    return loop


def multi_term(terms):
    """As matrix units: the sum so far and `terms` more inputs in each node."""

    def loop(n, add):
        total = add(*range(min(terms, n))) if n > 1 else 0
        for i in range(terms, n, terms):
            total = add(total, *range(i, min(i + terms, n)))
        return total

    return loop


def grouped(terms):
    """Groups of so many inputs in a node each, and their sums in turn."""

    def loop(n, add):
        groups = [tuple(range(i, min(i + terms, n))) for i in range(0, n, terms)]
        return reduce(add, [add(*group) if len(group) > 1 else group[0] for group in groups])

    return loop


TREES = {
    "sequential": in_order(range),
    "reversed": in_order(lambda n: range(n - 1, -1, -1)),
    "inside out": in_order(inside_out),
    "outside in": in_order(outside_in),
    "evens then odds": in_order(evens_then_odds),
    "permutation 1": permuted(1),
    "permutation 2": permuted(2),
    "permutation 3": permuted(3),
    "halves": pairwise(1),
    "halves of 4": pairwise(4),
    "halves of 8": pairwise(8),
    "halves of 128": pairwise(128),
    "neighbours": neighbours,
    "folded": folded,
    "2 lanes": strided(2, pairwise(1)),
    "4 lanes": strided(4, folded),
    "8 lanes": strided(8, pairwise(1)),
    "16 lanes in turn": strided(16, in_order(range)),
    "blocks of 8": blocked(8),
    "blocks of 32 by halves": blocked(32, pairwise(1)),
    "NumPy's loop": numpy_pairwise,
    "two chains": two_chains,
    "random tree 1": random_tree(1),
    "random tree 2": random_tree(2),
    "random tree 3": random_tree(3),
    "random splits 1": random_splits(1),
    "random splits 2": random_splits(2),
}

MULTI_TERM = {
    "4 terms": multi_term(4),
    "8 terms": multi_term(8),
    "16 terms": multi_term(16),
    "groups of 3": grouped(3),
    "random of 2 to 5": random_tree(4, most=5),
    "random splits of 2 to 6": random_splits(3, most=6),
}


@cache
def tree_of(name, n):
    """Give the tree of that name, with 'aligned' before it or not."""
    kind, _, rest = name.rpartition(": ")
    loop = (TREES | MULTI_TERM)[rest]
    return Tree(loop, n, aligned=kind == "aligned")
