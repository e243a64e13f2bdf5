"""Define the operations that threads share: their numbers, the part of a chunk, and exact terms.

All work is done by NumPy's own loops, most of which release the GIL. None uses BLAS, which has
threads of its own and gives different bits for different thread counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import xxhash

from fpdrift.errors import FpdriftError
from fpdrift.floats import format_of
from fpdrift.reduction._rounding import Floats
from fpdrift.reduction.error_bounds import gamma
from fpdrift.serialization import read_only
from fpdrift.validation import check_choice, check_int

Chunk = tuple[Floats, ...]

#: A matrix product has SIDE * SIDE elements; a histogram has BINS.
SIDE = 8
BINS = 64
LARGEST_N = 2**27
LARGEST_CHUNKS = 2**16
_DTYPES = ("float32", "float64")

#: Arrivals in one result, or elements; each arrival takes 2 bytes in memory and about 4 in JSON.
_LARGEST_RESULT = 10**7


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on arrays whose first axis is split into chunks."""

    #: shape of the result
    shape: tuple[int, ...]
    #: draws the arrays: (n, ...) each
    draw: Callable[[np.random.Generator, int, Any], Chunk]
    #: computes the part of a chunk in a dtype, without the lock
    part: Callable[[Chunk, Any], Any]
    #: yields each element's terms, (n,) float64 or (n, 2), whose exact sum is the element's part
    terms: Callable[[Chunk], Iterator[Floats]]
    #: most roundings of a term, given the number of terms: Higham's k in gamma_k
    roundings: Callable[[int], int]
    #: terms for each n
    width: int = 1
    #: default n
    usual: int = 2**20
    #: adds a part to a total, in place
    add: Callable[[Any, Any], None] = lambda total, part: np.add(total, part, out=total)


def two_product(a: Floats, b: Floats) -> Floats:
    """Return the exact products of two (n,) arrays: (n,) float64, or (n, 2) terms of exact sums.

    Products of float32 are exact in float64. For float64: Dekker 1971 with Veltkamp's splitting
    (Ogita, Rump and Oishi 2005, Algorithms 3.2 and 3.3), barring overflow and underflow.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)
    products = x * y
    if a.dtype == np.float32:
        return products
    (high, low), (other_high, other_low) = _split(x), _split(y)
    rest = ((high * other_high - products) + high * other_low) + low * other_high
    return np.stack([products, rest + low * other_low], axis=1)


def _split(x: Floats) -> tuple[Floats, Floats]:
    scaled = x * (2.0**27 + 1)
    high = scaled - (scaled - x)
    return high, x - high


def _normals(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator, int, Any], Chunk]:
    return lambda rng, n, dtype: tuple(rng.standard_normal((n, *s), dtype) for s in shapes)


def _weighted(rng: np.random.Generator, n: int, dtype: Any) -> Chunk:
    return rng.random(n), rng.standard_normal(n, dtype)


def _bins(chunk: Chunk) -> Floats:
    """Return the bin index of each position from 0 to 1."""
    bins: Floats = (chunk[0] * BINS).astype(np.int64)
    return bins


def _matmul_part(chunk: Chunk, dtype: Any) -> Floats:
    products = np.multiply(chunk[0][:, :, None], chunk[1][:, None, :], dtype=dtype)
    total: Floats = np.add.reduce(products, axis=0)  # one row of the inner dimension after another
    return total


def _matmul_terms(chunk: Chunk) -> Iterator[Floats]:
    a, b = chunk
    return (two_product(a[:, i], b[:, j]) for i in range(SIDE) for j in range(SIDE))


def _histogram_part(chunk: Chunk, dtype: Any) -> Floats:
    counts = np.zeros(BINS, dtype)
    _scatter(counts, _scatter_part(chunk, dtype))
    return counts


def _scatter_part(chunk: Chunk, dtype: Any) -> Chunk:
    return _bins(chunk), chunk[1].astype(dtype)


def _scatter(total: Floats, part: Chunk) -> None:
    np.add.at(total, *part)  # one weight after another


def _histogram_terms(chunk: Chunk) -> Iterator[Floats]:
    where = _bins(chunk)
    order = np.argsort(where, kind="stable")
    cuts = np.searchsorted(where[order], np.arange(1, BINS))
    return iter(np.split(chunk[1][order].astype(np.float64), cuts))


def _before(n: int) -> int:
    return max(n - 1, 0)


OPERATIONS = {
    "sum": Operation(
        shape=(),
        draw=_normals(()),
        part=lambda chunk, dtype: np.sum(chunk[0], dtype=dtype),
        terms=lambda chunk: iter([chunk[0].astype(np.float64)]),
        roundings=_before,
        usual=2**22,
    ),
    "positive sum": Operation(
        shape=(),
        draw=lambda rng, n, dtype: (rng.random(n, dtype),),
        part=lambda chunk, dtype: np.sum(chunk[0], dtype=dtype),
        terms=lambda chunk: iter([chunk[0].astype(np.float64)]),
        roundings=_before,
        usual=2**22,
    ),
    "dot": Operation(
        shape=(),
        draw=_normals((), ()),
        part=lambda chunk, dtype: np.sum(np.multiply(*chunk, dtype=dtype)),
        terms=lambda chunk: iter([two_product(*chunk)]),
        roundings=lambda n: n,
    ),
    "matmul": Operation(
        shape=(SIDE, SIDE),
        draw=_normals((SIDE,), (SIDE,)),
        part=_matmul_part,
        terms=_matmul_terms,
        roundings=lambda n: n,
        width=SIDE * SIDE,
        usual=2**15,
    ),
    "histogram": Operation(
        shape=(BINS,),
        draw=_weighted,
        part=_histogram_part,
        terms=_histogram_terms,
        roundings=_before,
        usual=2**18,
    ),
    "scatter-add": Operation(
        shape=(BINS,),
        draw=_weighted,
        part=_scatter_part,
        terms=_histogram_terms,
        roundings=_before,
        usual=2**18,
        add=_scatter,
    ),
}


@dataclass(frozen=True, slots=True)
class Task:
    """An operation, its numbers and its chunks."""

    operation: str
    n: int
    chunks: int
    seed: int
    dtype: str

    @classmethod
    def checked(cls, operation: str, n: Any, chunks: Any, seed: Any, dtype: Any) -> Task:
        """Check the arguments and return the task.

        Raises
        ------
        FpdriftError
            If there is no such operation, or another argument is out of range.
        """
        check_choice("operation", operation, tuple(OPERATIONS))
        name = format_of(dtype).name
        if name not in _DTYPES:
            message = f"dtype is {name}; choose one of {', '.join(_DTYPES)}"
            raise FpdriftError(message)
        kind = OPERATIONS[operation]
        n = check_int("n", kind.usual if n is None else n, 1, LARGEST_N // kind.width)
        chunks = check_int("chunks", chunks, 1, min(n, LARGEST_CHUNKS))
        return cls(operation, n, chunks, check_int("seed", seed, 0, 2**64 - 1), name)

    @property
    def kind(self) -> Operation:
        """The operation of that name."""
        return OPERATIONS[self.operation]

    @property
    def elements(self) -> int:
        """Number of elements of the result."""
        return math.prod(self.kind.shape)

    def draw(self) -> tuple[list[Chunk], str]:
        """Draw the numbers; return them in chunks, with a digest of all of them."""
        rng = np.random.default_rng(self.seed)
        arrays = self.kind.draw(rng, self.n, np.dtype(self.dtype))
        digest = xxhash.xxh3_64()
        for array in arrays:
            digest.update(array.data)
        pieces = (np.array_split(array, self.chunks) for array in arrays)
        return list(zip(*pieces, strict=True)), digest.hexdigest()

    def memory_error(self) -> FpdriftError:
        """Return the error to raise if the system has not enough memory."""
        return FpdriftError(
            f"not enough memory for {self.n} numbers of {self.dtype}; choose a smaller n"
        )

    def check_tries(self, tries: Any, runs: int) -> int:
        """Check the number of tries per run, limited by the size of the result."""
        size = max(self.chunks, self.elements)
        return check_int("tries", tries, 1, max(1, _LARGEST_RESULT // size // runs))

    def exact_and_bound(self, chunks: list[Chunk]) -> tuple[Floats, Floats]:
        """Return the exact result, rounded once to float64, and the error bound for every order."""
        elements = [*zip(*(self.kind.terms(chunk) for chunk in chunks), strict=True)]
        exact = [
            math.fsum(chain.from_iterable(t.ravel().tolist() for t in each)) for each in elements
        ]
        bounds = [
            sizes_bound(
                sum(float(np.abs(t).sum()) for t in each),
                self.kind.roundings(sum(map(len, each))),
                self.dtype,
            )
            for each in elements
        ]
        shape = self.kind.shape
        return read_only(np.reshape(exact, shape)), read_only(np.reshape(bounds, shape))


def sizes_bound(sizes: float, roundings: int, dtype: str) -> float:
    """Return gamma_roundings * sizes, or infinity if that many roundings can lose everything."""
    u = Fraction(1, 2 ** format_of(dtype).precision)
    return float(gamma(roundings, u)) * sizes if sizes else 0.0


@lru_cache(maxsize=4)
def parts(task: Task) -> tuple[list[Any], str]:
    """Compute the parts of all chunks without threads; they are cached for the next replay."""
    chunks, digest = task.draw()
    return [task.kind.part(chunk, np.dtype(task.dtype)) for chunk in chunks], digest


def add_parts(task: Task, of_chunks: Iterable[Any]) -> Floats:
    """Add parts to a total of zero, one after the other."""
    total = np.zeros(task.kind.shape, task.dtype)
    for part in of_chunks:
        task.kind.add(total, part)
    return total
