"""Simulate a GPU's sums: the same additions, bit-identical, with the blocks in random order.

Only the order is simulated. The blocks of a real GPU do not finish in a uniformly random order, so
the simulation shows which results are possible, not how often a GPU produces them. `LIMITS` lists
what else is not simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.reduction._executor import run_plan, run_plans
from fpdrift.reduction.gpu import trees
from fpdrift.reduction.gpu._results import GpuKernel, GpuRun, GpuSums, Inputs
from fpdrift.reduction.gpu._variability import Tally

Progress = Callable[[int, int], None]

#: Number of block or input indices drawn at a time.
_DRAWN = 2**22
#: Additions in individual orders, beyond which single atomics are left out.
_LARGEST_ATOMIC = 2**26

#: What the simulation leaves out, for screens. Subnormals: NVIDIA, "Parallel Thread Execution ISA",
#: ``atom`` and ``red``; sums of the numbers drawn here are multiples of a normal number, or zero.
LIMITS = (
    "The orders are random: they show which results are possible, not how often a GPU produces "
    "them.",
    "On a GPU the threads of a warp add in one instruction; here single atomics are ordered one by "
    "one.",
    "A GPU's atomicAdd flushes float32 subnormals in global memory to zero; these inputs produce "
    "none.",
    "Other programs, such as those of Shanmugavelu et al. (2024), add the numbers of a block in a "
    "different order.",
)

_REFERENCE_IS = "the two-pass sum by the same blocks"


def simulated(inputs: Inputs, tries: int, kernel: GpuKernel, progress: Progress) -> GpuSums:
    """Add inputs of several sizes in one pass, in two passes, and by single atomics.

    Parameters
    ----------
    inputs : Inputs
    tries : int
        Number of orders drawn for each size.
    kernel : GpuKernel
    progress : callable
        Called with the number of sizes done and the total.

    Returns
    -------
    GpuSums
        With the runs "one-pass", "two-pass" (deterministic) and "atomic sum": one `atomicAdd` per
        input, as in a scatter of all inputs to one element.
    """
    runs: list[GpuRun] = []
    skipped: dict[str, str] = {}
    for done, n in enumerate(inputs.sizes):
        progress(done, len(inputs.sizes))
        values = inputs.draw(n)
        rng = np.random.default_rng([inputs.seed, n])
        runs += _in_passes(values, tries, kernel, rng)
        if n * tries <= _LARGEST_ATOMIC:
            reference = runs[-1].reference
            atomic = _random_totals(values, reference, tries, kernel.threads_resident, rng)
            runs.append(
                atomic.run("atomic sum", n, deterministic=False, reference_is=_REFERENCE_IS)
            )
        else:
            most = _LARGEST_ATOMIC // tries
            skipped[f"atomic sum, n = {n:,}"] = f"too slow to simulate; use n up to {most:,}"
    progress(len(inputs.sizes), len(inputs.sizes))
    return inputs.result(
        origin="simulated", kernel=kernel, runs=tuple(runs), costs=(), skipped=skipped
    )


def _in_passes(
    values: npt.NDArray[Any], tries: int, kernel: GpuKernel, rng: np.random.Generator
) -> Iterator[GpuRun]:
    """Add each block once; one pass and two passes differ only in what follows."""
    n = len(values)
    sums = run_plans(trees.whole_block(n, kernel), trees.rows(values, kernel))
    second = trees.second_pass(len(sums), kernel)
    reference = run_plan(second, sums)
    one = _random_totals(sums, reference, tries, kernel.resident_blocks, rng)
    two = Tally(reference)
    for _ in range(min(tries, 3)):
        two.add(run_plan(second, sums))
    yield one.run("one-pass", n, deterministic=False, reference_is=_REFERENCE_IS)
    yield two.run("two-pass", n, deterministic=True, reference_is=_REFERENCE_IS)


def _random_totals(
    terms: npt.NDArray[Any],
    reference: Any,
    tries: int,
    resident: int | None,
    rng: np.random.Generator,
) -> Tally:
    """Add the terms to a total in random orders."""
    tally = Tally(reference)
    at_a_time = max(1, _DRAWN // len(terms))
    for begin in range(0, tries, at_a_time):
        many = min(at_a_time, tries - begin)
        orders = trees.finishing_orders(len(terms), many, rng, resident)
        for total in run_plans(orders, terms):
            tally.add(total)
    return tally
