"""Define the reduction plan: a tree of partial sums, stored in flat arrays.

Each tree has one canonical form, so that equal trees have equal arrays. The height of a node is one
more than that of its highest child, and its first input is the smallest one below it. Nodes of the
same height share no inputs, so (height, first input) orders all nodes; the first input orders the
children of a node.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.serialization import Result, read_only
from fpdrift.validation import check_int

Ints = npt.NDArray[Any]

#: Inputs and nodes are numbered by int32.
LARGEST_N = 2**30


def checked(n: int, children: npt.ArrayLike, starts: npt.ArrayLike) -> tuple[Ints, Ints]:
    """Return both arrays as int32 if they form a tree over n inputs, children before parents."""
    kids, begins = _ints("children", children), _ints("starts", starts)
    arity = np.diff(begins)
    if begins[:1].tolist() != [0] or begins[-1] != len(kids) or (arity < 2).any():
        message = "starts must increase from 0 to the number of children, by at least 2 per node"
        raise FpdriftError(message)
    total = n + len(arity)
    if (
        len(kids) != total - 1
    ):  # before an array of a size that an untrusted file states is allocated
        message = (
            f"{len(kids)} children for {n} inputs and {len(arity)} nodes; "
            f"expected {total - 1}, all but the root"
        )
        raise FpdriftError(message)
    parents = n + np.repeat(np.arange(len(arity)), arity)
    wrong = np.flatnonzero((kids < 0) | (kids >= parents))
    if len(wrong):
        edge = wrong[0]
        message = f"node {parents[edge]} adds {kids[edge]}; choose 0 to {parents[edge] - 1}"
        raise FpdriftError(message)
    uses = np.bincount(kids, minlength=total)[: total - 1]
    if (uses != 1).any():
        which = int(np.flatnonzero(uses != 1)[0])
        message = (
            f"{which} is added {uses[which]} times; add each input and node except the root once"
        )
        raise FpdriftError(message)
    return kids, begins


def canonical(
    n: int, children: Ints, starts: Ints, aligned: npt.NDArray[np.bool_]
) -> tuple[Ints, Ints, npt.NDArray[np.bool_], Ints]:
    """Sort the nodes by (height, first input), children by first input; return levels as well."""
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
    """Return the height and first input of each node (a loop: a chain has many levels)."""
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
        message = f"{name} is {short_repr(values)}; pass a 1-D array of whole numbers"
        raise FpdriftError(message)
    return array.astype(np.int32)


#: Plans with more inputs print a summary.
_LARGEST_TEXT = 64
#: With more, float64's 53 bits would not fit into 64.
_LARGEST_EXTRA = 8


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan(Result):
    """A tree over n inputs; each node adds two or more inputs or nodes.

    A node adds exactly and rounds once: with two children, this is the ordinary addition of IEEE
    754; with more, a multi-term adder. An *aligned* node works like the adders of matrix units
    (Fasi, Higham, Mikaitis and Pranesh 2021, "Numerical behavior of NVIDIA tensor cores", PeerJ
    Computer Science 7:e330): it shifts its terms to the largest exponent among them, truncates
    the bits shifted out, adds exactly, and truncates the sum to the accumulator's precision.

    Every tree is stored in a canonical form, in which the order of a node's children does not
    matter: plans with the same additions are equal and have equal hashes.

    Parameters
    ----------
    n : int
        Number of inputs, 1 to 2**30.
    children, starts : array_like of int
        See the fields below; children come before their parents, and the last node is the root.
    aligned : bool or array_like of bool, default False
        One flag for all nodes, or one for each.
    extra_bits : int, default 0
        Bits, 0 to 8, that aligned nodes keep below the accumulator's precision: a node then keeps
        precision + extra_bits bits, counted from the leading bit of its largest term.

    Raises
    ------
    FpdriftError
        If it is not a tree.
    """

    n: int
    #: (nodes + n - 1,) int32: children of all nodes, node after node; below n an input,
    #: n + k the node k
    children: Ints
    #: (nodes + 1,) int32: node k adds children[starts[k]:starts[k + 1]]
    starts: Ints
    #: (nodes,) bool: whether the node aligns and truncates
    aligned: Any = False
    extra_bits: int = 0
    #: (depth + 1,) int32: nodes levels[h]:levels[h + 1] have height h + 1
    levels: Ints = field(init=False)

    def __post_init__(self) -> None:
        n = check_int("n", self.n, 1, LARGEST_N)
        children, starts = checked(n, self.children, self.starts)
        aligned = _flags(self.aligned, len(starts) - 1)
        extra = check_int("extra_bits", self.extra_bits, 0, _LARGEST_EXTRA)
        children, starts, aligned, levels = canonical(n, children, starts, aligned)
        settled = {"n": n, "extra_bits": extra if aligned.any() else 0}
        arrays = {"children": children, "starts": starts, "aligned": aligned, "levels": levels}
        for name, value in settled.items():
            object.__setattr__(self, name, value)
        for name, array in arrays.items():
            object.__setattr__(self, name, read_only(array))

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.aligned)

    @property
    def depth(self) -> int:
        """Largest number of additions that an input passes through."""
        return len(self.levels) - 1

    @property
    def is_binary(self) -> bool:
        """Whether each node is an ordinary addition of two terms."""
        return self.nodes == self.n - 1 and not self.aligned.any()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        arrays = (self.children, self.starts, self.aligned)
        return (self.n, self.extra_bits, *(array.tobytes() for array in arrays))

    def __str__(self) -> str:
        """Return a small plan as ``((0+1)+(2+3))``, aligned nodes in square brackets."""
        return _text(self) if self.n <= _LARGEST_TEXT else repr(self)

    def __repr__(self) -> str:
        return f"Plan({self.n:,} inputs, {self.nodes:,} nodes, depth {self.depth:,})"


def _text(plan: Plan) -> str:
    texts = [str(number) for number in range(plan.n)]
    for (begin, end), aligned in zip(pairwise(plan.starts), plan.aligned, strict=True):
        inner = "+".join(texts[kid] for kid in plan.children[begin:end])
        texts.append(f"[{inner}]" if aligned else f"({inner})")
    return texts[-1]


def _flags(values: Any, nodes: int) -> npt.NDArray[np.bool_]:
    flags = np.asarray(values)
    if (flags.size and flags.dtype != np.bool_) or flags.shape not in ((), (nodes,)):
        message = f"aligned is {short_repr(values)}; pass True, False, or one of them for each node"
        raise FpdriftError(message)
    return np.broadcast_to(flags, nodes).astype(np.bool_)
