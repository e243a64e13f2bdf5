"""Black boxes by name, what `reveal` has to say of each, and whether it says it."""

from dataclasses import dataclass, replace
from functools import cache
from zlib import crc32

import numpy as np
from black_boxes import Counted, function_of
from tree_loops import MULTI_TERM, TREES, tree_of
from treeless import SMALL, WITHOUT_TREE, without_tree

from fpdrift.errors import FpdriftError
from fpdrift.reduction import reveal

SIZES = (1, 2, 3, 7, 8, 9, 31, 33, 64, 100, 257, 1000)
DTYPES = ("float16", "bfloat16", "float32", "float64")

#: What comes before a tree's name -> dtype -> accumulator.
ACCUMULATORS = {
    "in its dtype": dict.fromkeys(DTYPES),
    "wide": {"float16": "float32", "bfloat16": "float32", "float32": "float64"},
    "in float64": {"float16": "float64", "bfloat16": "float64", "float32": "float64"},
    "aligned": dict.fromkeys(DTYPES),
    "aligned wide": {"float16": "float32", "bfloat16": "float32"},
}
_OTHERS = {
    "wide": ("sequential", "reversed", "halves", "8 lanes", "random tree 1", "4 terms"),
    "in float64": ("sequential", "random splits 1"),
    "aligned": ("4 terms", "8 terms", "random of 2 to 5"),
    "aligned wide": ("4 terms", "16 terms"),
}

#: (kind, name) of each box with a tree.
WITH_TREE = (
    *(("in its dtype", name) for name in (*TREES, *MULTI_TERM)),
    *((kind, name) for kind, names in _OTHERS.items() for name in names),
)

#: Integers are slow; and one node for all inputs, as "by signs" seems to be, takes n**2 / 2 probes.
_SLOW = {(name, max(SIZES)) for name in (*MULTI_TERM, "by signs")}


@dataclass(frozen=True)
class Expected:
    """One of some verdicts; where it is confirmed, one of these plans and this accumulator."""

    verdicts: tuple
    plans: tuple = ()
    accumulator: str | None = None


@cache
def expected(kind, name, n, dtype):
    """Follow from the loop alone."""
    tree, accumulator = _tree(kind, name, n), ACCUMULATORS[kind][dtype]
    exact = (dtype, accumulator) == ("float16", "float64")  # 53 bits hold any such sum
    if n > 2 and (exact or len(tree.nodes) == 1):
        return Expected(("order-independent",))
    # Two numbers of a dtype, added in a wider one and then rounded, are rounded as if once.
    wider = accumulator if n > 2 else None
    verdicts = ("confirmed",)
    if tree.aligned and all(len(terms) == 2 for terms in tree.nodes):
        verdicts += ("not reproduced",)  # no probe shows that these truncate
    return Expected(verdicts, plans_alike(tree, wider), wider)


def plans_alike(tree, wider):
    """The plan; and where truncating a sum of two leaves a bit behind too rarely, without that."""
    plan = tree.plan
    if tree.aligned and (wider or tree.n == 2):
        return plan, replace(plan, aligned=plan.aligned & (np.diff(plan.starts) > 2))
    return (plan,)


def _tree(kind, name, n):
    return tree_of(f"aligned: {name}" if kind.startswith("aligned") else name, n)


def with_tree(kind, name, n, dtype):
    return function_of(_tree(kind, name, n), dtype, ACCUMULATORS[kind][dtype])


def complaints_of_tree(kind, name, n, dtype, *, rng=None):
    """Reveal one box; say in words what is not as it has to be."""
    box = Counted(with_tree(kind, name, n, dtype))
    found = reveal(box, n, dtype, rng=rng)
    want = expected(kind, name, n, dtype)
    here = f"{kind}: {name}, n = {n}, {dtype}"
    if found.verdict not in want.verdicts:
        yield f"{here}: expected {want.verdicts}, got {found.verdict} ({found.evidence.why})"
    elif found.verdict == "confirmed":
        if found.plan not in want.plans:
            yield f"{here}: expected the plan {want.plans[0]}, got {found.plan}"
        if found.accumulator != want.accumulator:
            yield f"{here}: expected to add in {want.accumulator}, got {found.accumulator}"
    if found.calls != box.calls:
        yield f"{here}: says {found.calls} calls, and there were {box.calls}"
    if dtype in ("float32", "float64") and found.probes > most_probes(n):
        yield f"{here}: {found.probes} probes"


def most_probes(n):
    """What no tree should need: twice n ln n, and some for the validation of small ones."""
    return n * (n - 1) // 2 + n if n < 10 else 2 * n * np.log(n) + n


def sample(name, dtypes):
    """The (n, dtype) that the suite has time for: for each n another dtype.

    Every other box has 257, and one in four 1000; `make faults` has them all.
    """
    dtypes, start = tuple(dtypes), crc32(name.encode())
    for place, n in enumerate(SIZES):
        turn, left_out = divmod(start + place, {257: 2, 1000: 4}.get(n, 1))
        if not left_out and (name, n) not in _SLOW:
            yield n, dtypes[turn % len(dtypes)]


def complaints_without_tree(name, n, dtype):
    """As above, for a box that follows no tree."""
    if (name, dtype) == ("two widths", "float64"):  # there is no wider one
        return
    verdict = WITHOUT_TREE[name][1]
    want = (verdict,) if n >= 5 else SMALL[name][min(n, 3)]
    if (name, dtype) == ("subnormals flushed", "float16"):  # a probe's units are subnormal, too
        want += ("not reproduced", "inconsistent")
    try:
        got = reveal(without_tree(name), n, dtype).verdict
    except FpdriftError:
        got = None
    if got not in want:
        yield f"{name}, n = {n}, {dtype}: expected {want}, got {got}"
