"""Make the plans of a GPU's sums: of a warp, of a block, and of a grid in one or two passes.

>>> from fpdrift.reduction.gpu import trees
>>> print(trees.warp(8, warp_size=8))
(((0+4)+(2+6))+((1+5)+(3+7)))

On a GPU, lanes without an input hold plus zero; here they are left out. This affects only a sum of
nothing but minus zeros, which a GPU program returns as plus zero.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.reduction import plans
from fpdrift.reduction._plan import LARGEST_N, Plan
from fpdrift.reduction.gpu._results import GpuKernel
from fpdrift.validation import check_int

Ints = npt.NDArray[np.int64]

_USUAL = GpuKernel()


def warp(lanes: int, warp_size: int = 32) -> Plan:
    """Add the lanes of a warp by downward shuffles.

    For each offset of warp_size / 2, ... 2, 1, lane i adds what lane i + offset holds; the sum is
    lane 0's (``__shfl_down_sync`` of the CUDA C++ Programming Guide).

    Parameters
    ----------
    lanes : int
        Number of lanes with an input (the first ones), 1 to warp_size.
    warp_size : int, default 32
    """
    lanes = check_int(
        "lanes", lanes, 1, GpuKernel(threads_per_block=1, warp_size=warp_size).warp_size
    )
    held, pairs, offset = list(range(lanes)), [], warp_size // 2
    while offset:
        held, others = held[:offset], held[offset:]
        for lane, other in enumerate(others):
            pairs.append((held[lane], other))
            held[lane] = lanes + len(pairs) - 1
        offset //= 2
    children = np.array(pairs, np.int64).reshape(-1)
    return Plan(n=lanes, children=children, starts=2 * np.arange(lanes))


def block(threads: int, warp_size: int = 32) -> Plan:
    """Add the values of a block's threads: each warp by itself, then the warps' sums by the first.

    Parameters
    ----------
    threads : int
        1 to 1,024 and to warp_size squared; the last warp may be partly filled.
    warp_size : int, default 32
    """
    whole_warp = warp(warp_size, warp_size)
    threads = check_int("threads", threads, 1, min(1024, warp_size**2))
    warps = [whole_warp] * (threads // warp_size)
    if threads % warp_size:
        warps.append(warp(threads % warp_size, warp_size))
    return plans.nest(warp(len(warps), warp_size), warps)


def one_pass(n: int, order: npt.ArrayLike, kernel: GpuKernel = _USUAL) -> Plan:
    """Add each block's inputs, then the blocks' sums by ``atomicAdd`` as they finish.

    Parameters
    ----------
    n : int
    order : array_like of int
        Indices of all blocks in the order in which they finish; `blocks` returns their number, and
        `finishing_orders` draws orders.
    kernel : GpuKernel, optional

    Raises
    ------
    FpdriftError
        If the order is not a permutation of the blocks.
    """
    outer, count = plans.in_order(order), blocks(n, kernel)
    if outer.n != count:
        message = f"{outer.n} blocks in the order, but {n} inputs need {count}"
        raise FpdriftError(message)
    return _grid(outer, n, kernel)


def two_pass(n: int, kernel: GpuKernel = _USUAL) -> Plan:
    """Add each block's inputs, then the blocks' sums by another block: always the same bits."""
    return _grid(second_pass(blocks(n, kernel), kernel), n, kernel)


def second_pass(sums: int, kernel: GpuKernel = _USUAL) -> Plan:
    """Add the blocks' sums by one block: each thread every threads_per_block-th, then a tree."""
    return _grid(plans.sequential(1), check_int("sums", sums, 1, LARGEST_N), kernel)


def blocks(n: int, kernel: GpuKernel = _USUAL) -> int:
    """Return the number of blocks for n inputs."""
    return -(-check_int("n", n, 1, LARGEST_N) // kernel.inputs_per_block)


def whole_block(n: int, kernel: GpuKernel = _USUAL) -> Plan:
    """Return the plan of a block in which each thread adds as many inputs as the busiest one."""
    each = -(-n // (blocks(n, kernel) * kernel.threads_per_block))
    return _filled(kernel.threads_per_block, each - 1, kernel)


def rows(values: npt.NDArray[np.generic], kernel: GpuKernel = _USUAL) -> npt.NDArray[np.generic]:
    """Arrange (n,) inputs for `whole_block`, one row per block, padded with zeros."""
    count, threads = blocks(len(values), kernel), kernel.threads_per_block
    each = -(-len(values) // (count * threads))
    padded = np.zeros(each * count * threads, values.dtype)
    padded[: len(values)] = values
    return padded.reshape(each, count, threads).transpose(1, 2, 0).reshape(count, -1)


def finishing_orders(
    count: int, tries: int, rng: np.random.Generator, resident: int | None = None
) -> Ints:
    """Draw the orders in which blocks finish if `resident` of them run at a time.

    Parameters
    ----------
    count : int
        Number of blocks, started in the order of their indices.
    tries : int
    rng : numpy.random.Generator
    resident : int, optional
        As soon as a random one of the running blocks has finished, the next starts. By default all
        run at once, and every order is equally likely.

    Returns
    -------
    numpy.ndarray
        (tries, count) indices.
    """
    if resident is None or resident >= count:
        return rng.permuted(np.tile(np.arange(count), (tries, 1)), axis=1)
    orders, each = np.empty((tries, count), np.int64), np.arange(tries)
    running = np.tile(np.arange(resident), (tries, 1))
    for done in range(count):
        left = min(resident, count - done)
        place = rng.integers(left, size=tries)
        orders[:, done] = running[each, place]
        # Its slot goes to the next block or, when all have started, to the last one still running.
        running[each, place] = done + resident if done + resident < count else running[:, left - 1]
    return orders


def _grid(outer: Plan, n: int, kernel: GpuKernel) -> Plan:
    """Replace each input of a plan by the block with that index."""
    threads = kernel.threads_per_block
    lanes = outer.n * threads
    each, rest = divmod(n, lanes)
    more = [min(max(rest - number * threads, 0), threads) for number in range(outer.n)]
    inner = [_filled(some, each, kernel) for some in more]
    inputs = np.arange(n)
    taken = np.argsort(inputs % lanes * (each + 1) + inputs // lanes)
    return plans.nest(outer, inner, order=taken)


@lru_cache(maxsize=64)
def _filled(more: int, each: int, kernel: GpuKernel) -> Plan:
    """Return a block's plan: `more` threads have ``each + 1`` inputs, the others ``each``."""
    threads = kernel.threads_per_block if each else more
    long, short = plans.sequential(each + 1), plans.sequential(max(each, 1))
    inner = [long] * more + [short] * (threads - more)
    return plans.nest(block(threads, kernel.warp_size), inner)
