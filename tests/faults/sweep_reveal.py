"""Look for a wrong tree that `reveal` calls confirmed, in random black boxes of 5 inputs and more.

A share of the boxes follows no tree: drawn orders, orders that the data decide, compensated,
flushing, truncating or forgetful ones, such as depend on earlier calls or on the alignment. Such a
box is wrongly confirmed if what was found gives other bits than the box on any of 2,000 rows that
`reveal` never saw; it is wrongly called order-independent if some order of such rows changes its
bits. Products and means are boxes, too: the rounding of products is held against the planted one.
With --small the boxes have 3 to 5 inputs, where trees and algorithms are hardest to tell apart.

python tests/faults/sweep_reveal.py [--cases 20000] [--seed 1] [--workers 2] [--small]
"""

import argparse
import math
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
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

from fpdrift.backends.devices import aligned_zeros
from fpdrift.floats import FORMATS, round_fraction
from fpdrift.provenance import available_cores
from fpdrift.reduction import reveal, reveal_dot, run_plans
from fpdrift.reduction._reveal._named_sums import ALGORITHMS

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


def by_signs(n, dtype, rng):
    """A tree of the positive numbers, one of the others, and both added."""
    trees = {k: function_of(draw_tree(k, rng), dtype) for k in range(1, n + 1)}

    def add(x):
        parts = [part for part in (x[x > 0], x[x <= 0]) if len(part)]
        sums = [trees[len(part)](part) for part in parts]
        return sums[0] + sums[1] if len(sums) == 2 else sums[0]

    return add


def misaligned(n, dtype, rng):
    """One tree where the numbers start at a multiple of so many bytes, else another."""
    one, other = function_of(draw_tree(n, rng), dtype), function_of(draw_tree(n, rng), dtype)
    bytes_ = int(rng.choice([8, 16, 32, 64]))
    return lambda x: one(x) if x.ctypes.data % bytes_ == 0 else other(x)


def later(n, dtype, rng):
    """One tree at first, another after some calls or in turn."""
    one, other = function_of(draw_tree(n, rng), dtype), function_of(draw_tree(n, rng), dtype)
    first, period = int(rng.integers(20, 400)), int(rng.integers(2, 5))
    in_turn, calls = rng.random() < 0.5, [0]

    def add(x):
        calls[0] += 1
        change = calls[0] % period == 0 if in_turn else calls[0] > first
        return other(x) if change else one(x)

    return add


def chain_flushed(n, dtype, rng):
    """A chain that takes subnormal inputs, sums and results for zeros."""
    least = 2.0 ** FORMATS[dtype].emin
    order = rng.permutation(n)

    def add(x):
        numbers = [v if abs(v) >= least else v * 0 for v in x[order]]
        total = numbers[0]
        for value in numbers[1:]:
            total = total + value
            total = total if abs(total) >= least else total * 0
        return total

    return add


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
    "by signs": by_signs,
    "misaligned": misaligned,
    "later": later,
    "chain, flushed": chain_flushed,
}
#: Three of four boxes follow a tree, most of them a plain one.
KINDS = (
    *(*["binary"] * 26, *["wider"] * 13, *["multi-term"] * 13, *["aligned"] * 4),
    *(*["product"] * 4, *OTHERS),
)


def judge(seed, small, index):
    """Reveal the box of this number; give its kind, the verdict, and what is wrong with it."""
    rng = np.random.default_rng([seed, index])
    n = int(rng.integers(3, 6)) if small else int(4 + 2 ** rng.uniform(0, 6.3))
    dtype = str(rng.choice(DTYPES))
    kind = KINDS[rng.integers(len(KINDS))]
    if kind == "product":
        return judge_product(n, dtype, rng, index)
    if kind in FOLLOWING:
        tree, accumulator = FOLLOWING[kind](n, dtype, rng)
        box = function_of(tree, dtype, accumulator)
    else:
        tree = None
        box = treeless.quiet(OTHERS[kind](n, dtype, rng))
    found = reveal(box, n, dtype, rng=np.random.default_rng(index))
    what = f"case {index}: {kind}, n = {n}, {dtype}: {found!r}"
    wrong = None
    if found.verdict.startswith("confirmed") and not fits(found, tree, box):
        wrong = f"{what} is wrong; plan {found.plan}"
    elif found.verdict == "order-independent" and (
        order_counts(tree, accumulator, dtype) if tree else some_order_counts(box, n, dtype)
    ):
        wrong = f"{what}, and its order counts"
    elif kind == "misaligned" and found.verdict == "confirmed" and moves(box, n, dtype):
        wrong = f"{what}, and its bits change with the alignment"
    return kind, found.verdict, wrong


def judge_product(n, dtype, rng, index):
    """Plant a tree of which some products enter unrounded; hold what is found against that."""
    tree, fmt = draw_tree(n, rng), FORMATS[dtype]
    whole = rng.random(n) < rng.choice([0, 0.5, 1])

    def dot(values, factors):
        pairs = zip(values.tolist(), factors.tolist(), whole, strict=True)
        known = []
        for one, other, kept in pairs:
            product = Fraction(float(one)) * Fraction(float(other))
            known.append(product if kept else rounded_fraction(product, fmt))
        for one, other in tree.nodes:
            known.append(rounded_fraction(known[one] + known[other], fmt))
        return fmt.dtype.type(float(known[-1]))

    found = reveal_dot(dot, n, dtype, rng=np.random.default_rng(index))
    what = f"case {index}: product, n = {n}, {dtype}: {found!r}, {found.unrounded}"
    right = found.plan in plans_alike(tree, None) and found.unrounded is not None
    if found.verdict == "confirmed" and not (right and (found.unrounded == whole).all()):
        return "product", found.verdict, f"{what}; planted {tree.plan}, {whole}"
    return "product", found.verdict, None


def rounded_fraction(number, fmt):
    return Fraction(float(round_fraction(number, fmt))) if number else Fraction(0)


def some_order_counts(box, n, dtype):
    """Try orders of rows that `reveal` never saw."""
    rng = np.random.default_rng(1)
    for row in mixture(n, dtype, rng, 400):
        seen = {box(rng.permutation(row)).tobytes() for _ in range(24)}
        if len(seen) > 1:
            return True
    return False


def moves(box, n, dtype):
    """Whether the alignment changes the bits of rows that `reveal` never saw."""
    size = FORMATS[dtype].dtype.itemsize
    for row in mixture(n, dtype, np.random.default_rng(2), 200):
        places = [aligned_zeros(n, row.dtype, offset) for offset in range(0, 64, size)]
        for place in places:
            place[:] = row
        if len({box(place).tobytes() for place in places}) > 1:
            return True
    return False


def fits(found, tree, box):
    """Whether the plan is the tree, and gives the box's bits on rows not seen before."""
    if tree is not None and found.plan not in plans_alike(tree, found.accumulator):
        return False
    rows = mixture(found.n, found.dtype, np.random.default_rng(0), 200 if tree else 2000)
    if found.evidence.flushed:
        rows = rows[7::8]  # whole numbers: no sum of these is subnormal
    sums = np.array([box(placed(row)) for row in rows], rows.dtype)
    return any(sums.tobytes() == again.tobytes() for again in replayed(found, rows))


def placed(row):
    copy = aligned_zeros(len(row), row.dtype)
    copy[:] = row
    return copy


def replayed(found, rows):
    """The sums of what was found: a plan's, or those of each algorithm that is named."""
    if found.plan is not None:
        yield run_plans(found.plan, rows, found.dtype, found.accumulator)
    for words in found.algorithms:
        name, _, back = words.partition(", from the last")
        name, _, wide = name.partition(" in float")
        name, wide = (name + " in float" + wide, "") if name not in ALGORITHMS else (name, wide)
        numbers = (rows[:, ::-1] if back else rows).astype(f"float{wide}" if wide else rows.dtype)
        with np.errstate(all="ignore"):
            yield ALGORITHMS[name](numbers.T).astype(rows.dtype)


def order_counts(tree, accumulator, dtype):
    exact = (dtype, accumulator) == ("float16", "float64")
    return len(tree.nodes) > 1 and not exact


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--small", action="store_true", help="3 to 5 inputs")
    options = parser.parse_args()
    verdicts, wrong = {}, []
    with ProcessPoolExecutor(options.workers) as pool:
        cases = pool.map(
            partial(judge, options.seed, options.small), range(options.cases), chunksize=25
        )
        for kind, verdict, complaint in cases:
            verdicts.setdefault(kind, Counter())[verdict] += 1
            if complaint:
                wrong.append(complaint)
                print(complaint)
    for kind in (*FOLLOWING, "product", *OTHERS):
        print(f"{kind:22} {dict(sorted(verdicts.get(kind, {}).items()))}")
    print(f"{len(wrong)} wrong of {options.cases}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
