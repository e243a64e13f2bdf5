"""A GPU's sums without a GPU: the same additions in a drawn order of blocks, bit for bit.

Only the order is simulated. A real GPU's blocks do not finish in an order drawn from uniform random
numbers, so the simulation shows which results are possible, and not how often a GPU gives them.
`LIMITS` says what else it leaves out.
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

#: Numbers of blocks or inputs that are drawn at a time.
_DRAWN = 2**22
#: Additions in an order of its own for each try, beyond which single atomics are left out.
_LARGEST_ATOMIC = 2**26

#: What the simulation leaves out, for screens. Subnormals: NVIDIA, "Parallel Thread Execution ISA",
#: ``atom`` and ``red``; sums of the numbers drawn here are multiples of a normal number, or zero.
LIMITS = (
    "The orders are drawn: they show which results are possible, not how often a GPU gives them.",
    "The threads of a warp add in one instruction on a GPU; single atomics are drawn one by one "
    "here.",
    "A GPU's atomicAdd treats float32 subnormals in global memory as zeros; these inputs make "
    "none.",
    "Other programs add a block in a different tree, those of Shanmugavelu et al. 2024 among them.",
)

_REFERENCE_IS = "the two-pass sum by the same blocks"


def simulated(inputs: Inputs, tries: int, kernel: GpuKernel, progress: Progress) -> GpuSums:
    """Add inputs of several sizes in one pass and in two, and by single atomics.

    Parameters
    ----------
    inputs : Inputs
    tries : int
        Orders drawn for each size.
    kernel : GpuKernel
    progress : callable
        Called with the sizes done and to do.

    Returns
    -------
    GpuSums
        With the runs "one-pass", "two-pass" (deterministic) and "atomic sum": one `atomicAdd` for
        each input, as scattering all of them to one place does.
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
            atomic = _tallied(values, reference, tries, kernel.threads_resident, rng)
            runs.append(
                atomic.run("atomic sum", n, deterministic=False, reference_is=_REFERENCE_IS)
            )
        else:
            most = _LARGEST_ATOMIC // tries
            skipped[f"atomic sum, n = {n:,}"] = f"too slow to simulate; n is at most {most:,} here"
    progress(len(inputs.sizes), len(inputs.sizes))
    return inputs.result(
        origin="simulated", kernel=kernel, runs=tuple(runs), costs=(), skipped=skipped
    )


def _in_passes(
    values: npt.NDArray[Any], tries: int, kernel: GpuKernel, rng: np.random.Generator
) -> Iterator[GpuRun]:
    """Add each block once: one pass and two differ only in how they go on."""
    n = len(values)
    sums = run_plans(trees.whole_block(n, kernel), trees.rows(values, kernel))
    second = trees.second_pass(len(sums), kernel)
    reference = run_plan(second, sums)
    one = _tallied(sums, reference, tries, kernel.resident_blocks, rng)
    two = Tally(reference)
    for _ in range(min(tries, 3)):
        two.add(run_plan(second, sums))
    yield one.run("one-pass", n, deterministic=False, reference_is=_REFERENCE_IS)
    yield two.run("two-pass", n, deterministic=True, reference_is=_REFERENCE_IS)


def _tallied(
    terms: npt.NDArray[Any],
    reference: Any,
    tries: int,
    resident: int | None,
    rng: np.random.Generator,
) -> Tally:
    """Add the terms to a total in drawn orders."""
    tally = Tally(reference)
    at_a_time = max(1, _DRAWN // len(terms))
    for begin in range(0, tries, at_a_time):
        many = min(at_a_time, tries - begin)
        orders = trees.finishing_orders(len(terms), many, rng, resident)
        for total in run_plans(orders, terms):
            tally.add(total)
    return tally
