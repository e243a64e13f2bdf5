"""Look for a wrong tree that `reveal` calls confirmed, in random black boxes of 5 inputs and more.

A share of the boxes follows no tree: drawn orders, orders that the data decide, compensated,
flushing, truncating or forgetful ones. Such a box is wrongly confirmed if the plan that was found
gives other bits than the box on any of 2,000 rows that `reveal` never saw.

python tests/faults/sweep_reveal.py [--cases 20000] [--seed 1] [--workers 2]
"""

import argparse
import math
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "reduction"))

import treeless
from black_boxes import function_of
from grid import plans_alike
from telling_data import mixture
from tree_loops import TREES, Tree, random_splits, random_tree

from fpdrift.floats import FORMATS
from fpdrift.provenance import available_cores
from fpdrift.reduction import reveal, run_plans

DTYPES = tuple(FORMATS)
WIDER = {
    "float16": (None, "float32", "float64"),
    "bfloat16": (None, "float32", "float64"),
    "float32": (None, "float64"),
    "float64": (None,),
}


def draw_tree(n, rng, most=2, **settings):
    seed = int(rng.integers(2**31))
    loops = [random_tree(seed, most), random_splits(seed, most)]
    if most == 2 and not settings:
        loops += [shuffled_loop(list(TREES.values())[rng.integers(len(TREES))], seed)]
    return Tree(loops[rng.integers(len(loops))], n, **settings)


def shuffled_loop(loop, seed):
    """A loop of the suite's, on inputs in an order of its own."""

    def shuffled(n, add):
        order = [*np.random.default_rng(seed).permutation(n).tolist(), *range(n, 2 * n)]
        return loop(n, lambda *terms: add(*(order[term] for term in terms)))

    return shuffled


# Boxes that follow a tree: (tree, accumulator).


def binary(n, dtype, rng):
    return draw_tree(n, rng), None


def wider(n, dtype, rng):
    return draw_tree(n, rng), rng.choice(WIDER[dtype])


def multi_term(n, dtype, rng):
    return draw_tree(n, rng, most=int(rng.integers(3, 9))), rng.choice(WIDER[dtype])


def aligned(n, dtype, rng):
    extra = int(rng.integers(0, 4))
    tree = draw_tree(n, rng, most=int(rng.integers(3, 9)), aligned=True, extra_bits=extra)
    return tree, rng.choice(WIDER[dtype])


# Boxes that do not: functions.


def two_orders(n, dtype, rng):
    """One tree or another, as a coin says."""
    one, other = function_of(draw_tree(n, rng), dtype), function_of(draw_tree(n, rng), dtype)
    rate = rng.uniform(0.05, 0.95)
    return lambda x: one(x) if rng.random() < rate else other(x)


def order_by_data(n, dtype, rng):
    """One tree or another, as the numbers say."""
    one, other = function_of(draw_tree(n, rng), dtype), function_of(draw_tree(n, rng), dtype)
    i, j = rng.choice(n, 2, replace=False)
    asks = (
        lambda x: x[i] >= x[j],
        lambda x: x[i] >= 0,
        lambda x: (x == 0).any(),
        lambda x: crc32(x.tobytes()) % 5 == 0,
        lambda x: np.argmax(np.abs(x.astype(np.float64))) < n // 2,
    )
    ask = asks[rng.integers(len(asks))]
    return lambda x: one(x) if ask(x) else other(x)


def changed_input(change):
    """A tree of numbers that were changed before."""

    def make(n, dtype, rng):
        add, state = function_of(draw_tree(n, rng), dtype), int(rng.integers(n))
        return lambda x: add(change(x, state))

    return make


def forgetful(x, state):
    return np.where(np.arange(len(x)) == state, x * 0, x)


def flushed(x, state):
    least = x.dtype.type(2.0 ** FORMATS[x.dtype.name].emin)
    return np.where(np.abs(x) < least, x * 0, x)


def by_size(x, state):
    return x[np.argsort(np.abs(x.astype(np.float64)), kind="stable")]


def zeros_last(x, state):
    return np.concatenate([x[x != 0], x[x == 0]])


def truncating(n, dtype, rng):
    """A tree whose nodes round towards zero."""
    tree, fmt = draw_tree(n, rng), FORMATS[dtype]

    def add(x):
        known = [float(number) for number in x]
        for one, other in tree.nodes:
            a, b = known[one], known[other]
            total = a + b
            part = total - a
            rest = (a - (total - part)) + (b - part)
            near = fmt.dtype.type(total)
            if abs(float(near)) > abs(total) or (
                float(near) == total and rest and (rest > 0) != (total > 0)
            ):
                near = np.nextafter(near, fmt.dtype.type(0))
            known.append(float(near))
        return known[-1]

    return add


def mixed_widths(n, dtype, rng):
    """A tree of which some nodes are added in float64."""
    tree, fmt = draw_tree(n, rng), FORMATS[dtype]
    wide = rng.random(len(tree.nodes)) < 0.5

    def add(x):
        known = [float(number) for number in x]
        for (one, other), keep in zip(tree.nodes, wide, strict=True):
            total = known[one] + known[other]
            known.append(total if keep else float(fmt.dtype.type(total)))
        return known[-1]

    return add


def coarse(n, dtype, rng):
    """A tree whose sum loses its last bits."""
    add, bits = function_of(draw_tree(n, rng), dtype), int(rng.integers(1, 6))
    precision = FORMATS[dtype].precision - bits

    def rounded(x):
        total = float(add(x))
        if not math.isfinite(total) or not total:
            return total
        fraction, exponent = math.frexp(total)
        return math.ldexp(round(fraction * 2**precision), exponent - precision)

    return rounded


def one_of(function):
    return lambda *_: function


def drawn_order(function):
    return lambda *case: partial(function, case[-1])


FOLLOWING = {"binary": binary, "wider": wider, "multi-term": multi_term, "aligned": aligned}
OTHERS = {
    "two orders": two_orders,
    "order by data": order_by_data,
    "one input forgotten": changed_input(forgetful),
    "subnormals flushed": changed_input(flushed),
    "by size": changed_input(by_size),
    "zeros last": changed_input(zeros_last),
    "truncating": truncating,
    "mixed widths": mixed_widths,
    "coarse": coarse,
    "exact": one_of(treeless.exactly),
    "Kahan": one_of(treeless.kahan),
    "Neumaier": one_of(treeless.neumaier),
    "chunks as they arrive": drawn_order(treeless.arriving),
}
#: Three of four boxes follow a tree, most of them a plain one.
KINDS = (*["binary"] * 26, *["wider"] * 13, *["multi-term"] * 13, *["aligned"] * 4, *OTHERS)


def judge(seed, index):
    """Reveal the box of this number; give its kind, the verdict, and what is wrong with it."""
    rng = np.random.default_rng([seed, index])
    n = int(4 + 2 ** rng.uniform(0, 6.3))
    dtype = str(rng.choice(DTYPES))
    kind = KINDS[rng.integers(len(KINDS))]
    if kind in FOLLOWING:
        tree, accumulator = FOLLOWING[kind](n, dtype, rng)
        box = function_of(tree, dtype, accumulator)
    else:
        tree = None
        box = treeless.quiet(OTHERS[kind](n, dtype, rng))
    found = reveal(box, n, dtype, rng=np.random.default_rng(index))
    what = f"case {index}: {kind}, n = {n}, {dtype}: {found!r}"
    wrong = None
    if found.verdict == "confirmed" and not fits(found, tree, box):
        wrong = f"{what} is wrong; plan {found.plan}"
    elif found.verdict == "order-independent" and tree and order_counts(tree, accumulator, dtype):
        wrong = f"{what}, and its order counts"
    return kind, found.verdict, wrong


def fits(found, tree, box):
    """Whether the plan is the tree, and gives the box's bits on rows not seen before."""
    if tree is not None and found.plan not in plans_alike(tree, found.accumulator):
        return False
    rows = mixture(found.n, found.dtype, np.random.default_rng(0), 200 if tree else 2000)
    sums = np.array([box(row) for row in rows], rows.dtype)
    again = run_plans(found.plan, rows, found.dtype, found.accumulator)
    return sums.tobytes() == again.tobytes()


def order_counts(tree, accumulator, dtype):
    exact = (dtype, accumulator) == ("float16", "float64")
    return len(tree.nodes) > 1 and not exact


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=available_cores())
    options = parser.parse_args()
    verdicts, wrong = {}, []
    with ProcessPoolExecutor(options.workers) as pool:
        cases = pool.map(partial(judge, options.seed), range(options.cases), chunksize=25)
        for kind, verdict, complaint in cases:
            verdicts.setdefault(kind, Counter())[verdict] += 1
            if complaint:
                wrong.append(complaint)
                print(complaint)
    for kind in (*FOLLOWING, *OTHERS):
        print(f"{kind:22} {dict(sorted(verdicts.get(kind, {}).items()))}")
    print(f"{len(wrong)} wrong of {options.cases}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
