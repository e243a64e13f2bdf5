"""What GPUs leave behind, and where it comes from: a live device, a simulation, or a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import format_of, ulp_distance
from fpdrift.reduction.revealing.revealed import Revealed
from fpdrift.results import Result

#: Where a result comes from, and what that means.
ORIGINS = {
    "simulated": "computed on this CPU, as a GPU's program would, in drawn orders: which results "
    "are possible, not how often a GPU gives them",
    "live": "computed by a library on a device of this machine",
    "recorded": "computed by a library on a device of another machine or time, and kept",
}

_Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuKernel(Result):
    """The shape of a simulated GPU's program.

    Block b's thread t adds the inputs b * threads + t, then every (blocks * threads)-th after it
    (a grid-stride loop), one after the other. The threads of a warp add their sums by shuffles
    downwards, and the first warp of a block adds the sums of all warps the same way. Other programs
    add a block in another tree; Shanmugavelu et al. 2024, whose measures we use, do.
    """

    #: 1 to 1,024, at most the warp size squared; a multiple of the warp size, or less than it
    threads_per_block: int = 256
    #: how many inputs each thread adds at most
    elements_per_thread: int = 4
    #: a power of two, 2 to 64; NVIDIA's GPUs have 32, some of AMD's have 64
    warp_size: int = 32
    #: blocks in flight at a time: one of them finishes, drawn at random, and the next starts; None
    #: for all at once, so that they may finish in any order
    resident_blocks: int | None = None

    def __post_init__(self) -> None:
        threads = whole("threads_per_block", self.threads_per_block, 1, 1024)
        whole("elements_per_thread", self.elements_per_thread, 1, 2**16)
        warp = whole("warp_size", self.warp_size, 2, 64)
        if warp & (warp - 1) or (threads > warp and threads % warp) or threads > warp**2:
            message = (
                f"{threads} threads in warps of {warp}; choose a warp size of 2, 4, ... 64, and "
                f"up to {min(warp**2, 1024)} threads, full warps where there are several"
            )
            raise FpdriftError(message)
        if self.resident_blocks is not None:
            whole("resident_blocks", self.resident_blocks, 1, 2**20)

    @property
    def inputs_per_block(self) -> int:
        """How many inputs a block adds at most."""
        return self.threads_per_block * self.elements_per_thread

    @property
    def threads_resident(self) -> int | None:
        """How many threads are in flight at a time, or None for all."""
        return self.resident_blocks and self.resident_blocks * self.threads_per_block


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GpuRun(Result):
    """One operation, done many times with the same inputs.

    Variability is measured as by Shanmugavelu et al. 2024, "Impacts of floating-point
    non-associativity on reproducibility for HPC and deep learning applications" (SC24 workshops;
    arXiv 2408.05148), against `reference`, the deterministic result.
    """

    #: "one-pass", "two-pass", "sum", "atomic sum", "index_add", "scatter_add", "matmul", "matmul
    #: TF32"
    operation: str
    #: inputs (of each matrix, for a product)
    n: int
    #: elements of the output: 1 for a sum
    outputs: int
    #: whether each try was asked, or is known, to give the same bits
    deterministic: bool
    #: what the reference is: the deterministic operation, or the first try where there is none
    reference_is: str
    #: () the deterministic result, in the dtype; None where there are more outputs than one
    reference: np.generic | None
    #: (tries,) results in the dtype; None where there are more outputs than one
    values: _Array | None
    #: how many of the tries' results differ in any bit; in a simulation a try is a drawn order, so
    #: this is no frequency of any GPU
    distinct: int
    #: (tries,) V_s = 1 - abs(result / reference); None where there are more outputs than one
    v_s: _Array | None
    #: (tries,) V_c, the fraction of output elements whose bits differ from the reference's
    v_c: _Array
    #: (tries,) V_ermv, the mean over the elements of abs(result - reference) / abs(reference)
    v_ermv: _Array
    #: what was called, by its name in the library; None in a simulation
    function: str | None = None

    @property
    def tries(self) -> int:
        """How often the operation was done."""
        return len(self.v_c)

    @property
    def largest_v_s(self) -> float | None:
        """The largest size of V_s in all tries; None where there are more outputs than one."""
        return None if self.v_s is None else float(np.abs(self.v_s).max())

    @property
    def spread(self) -> int | None:
        """Distance in ulps between the smallest and the largest sum; None for many outputs."""
        if self.values is None or np.isnan(self.values.astype(np.float64)).any():
            return None
        return int(ulp_distance(self.values.max(), self.values.min()))

    @property
    def ulps(self) -> npt.NDArray[np.float64] | None:
        """Signed distance of each sum from the reference in ulps of the latter, (tries,)."""
        if self.values is None or self.reference is None:
            return None
        fmt, near = format_of(self.values.dtype), float(self.reference)
        if not math.isfinite(near):
            return None
        exponent = math.frexp(near)[1] - 1 if near else fmt.emin
        ulp = math.ldexp(1.0, max(exponent, fmt.emin) - fmt.fraction_bits)
        return (self.values.astype(np.float64) - near) / ulp

    def __repr__(self) -> str:
        name = f"{self.operation}{', deterministic' if self.deterministic else ''}"
        return f"GpuRun({name}, n = {self.n:,}: {self.tries} tries, results: {self.distinct})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DeterminismCost(Result):
    """What the same bits cost: both ways timed in turn, in one process."""

    operation: str
    n: int
    #: what makes the operation deterministic
    switch: str
    #: (repeats,) time of the deterministic way over time of the other, pair by pair
    ratios: _Array

    @property
    def ratio(self) -> float:
        """The median."""
        return float(np.median(self.ratios))

    def __repr__(self) -> str:
        return f"DeterminismCost({self.operation}, n = {self.n:,}: x{self.ratio:.2f})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GpuSums(Result):
    """Sums and what is made of them, as a GPU adds: simulated, live or recorded."""

    #: one of `ORIGINS`; pictures and tables have to say it, and `label` does
    origin: str
    #: such as "NVIDIA H100 80GB HBM3" or "CPU"; None if simulated, or nothing was found
    device: str | None
    #: whether the device is a GPU; False if simulated
    on_gpu: bool
    #: name and version, such as "torch 2.13.0"; None if simulated, or nothing was found
    library: str | None
    #: of a simulation
    kernel: GpuKernel | None
    dtype: str
    #: "uniform", from 0 to 10, or "normal", of mean 0 and standard deviation 1
    distribution: str
    seed: int
    #: the sizes asked for
    sizes: tuple[int, ...]
    runs: tuple[GpuRun, ...]
    #: empty for a simulation, whose times say nothing about a GPU
    costs: tuple[DeterminismCost, ...]
    #: what could not be done, and why
    skipped: dict[str, str]

    _computed = ("validation",)

    @property
    def validation(self) -> str | None:
        """How a simulation compares with what is recorded of real GPUs; None of anything else."""
        if self.origin != "simulated":
            return None
        from fpdrift.reduction.gpu.validating import validation

        return validation(self)

    @property
    def label(self) -> str:
        """Where this comes from, in a few words that no picture or table may leave out."""
        if self.origin == "simulated":
            return "simulated GPU"
        if self.device is None:
            return f"{self.origin}: no device"
        what = self.device if self.on_gpu else f"{self.device}, no GPU"
        return f"{self.origin}: {what}, {self.library}"

    @property
    def operations(self) -> tuple[str, ...]:
        """Names of the operations, each once."""
        return tuple(dict.fromkeys(run.operation for run in self.runs))

    def of(self, operation: str, *, deterministic: bool = False) -> tuple[GpuRun, ...]:
        """Give the runs of one operation, by size.

        Raises
        ------
        FpdriftError
            If there is none.
        """
        found = [
            r for r in self.runs if (r.operation, r.deterministic) == (operation, deterministic)
        ]
        if not found:
            there = "; ".join(map(repr, self.runs)) or "none"
            message = f"no runs of {shown(operation)} with deterministic={deterministic}; {there}"
            raise FpdriftError(message)
        return tuple(sorted(found, key=lambda run: run.n))

    def growth(self, operation: str) -> tuple[float, float] | None:
        """Fit max(abs(V_s)) = beta * n**alpha over the sizes, by least squares of the logarithms.

        Returns
        -------
        (alpha, beta) : tuple of float, or None
            None where fewer than two sizes vary, or the output is no single sum.
        """
        runs = self.of(operation)
        points = [(run.n, run.largest_v_s) for run in runs if run.largest_v_s]
        finite = [(n, size) for n, size in points if size and math.isfinite(size)]
        if len({n for n, _ in finite}) < 2:
            return None
        logs = np.log(np.array(finite))
        alpha, log_beta = np.polyfit(logs[:, 0], logs[:, 1], 1)
        return float(alpha), float(np.exp(log_beta))

    def __repr__(self) -> str:
        return f"GpuSums({self.label}; {len(self.runs)} runs, {len(self.skipped)} skipped)"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GpuTree(Result):
    """A tree revealed in a device's matrix product."""

    #: "live" or "recorded"
    origin: str
    #: of the matrices, or "TF32" for float32 matrices of which TF32 takes the leading bits
    precision: str
    revealed: Revealed

    def __repr__(self) -> str:
        return f"GpuTree({self.precision}, {self.revealed!r})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GpuRecording(Result):
    """Everything that is recorded on one device through one library."""

    #: as in `GpuSums`
    origin: str
    device: str
    on_gpu: bool
    library: str
    #: whether only small sizes were tried
    fast: bool
    sums: GpuSums
    trees: tuple[GpuTree, ...]
    #: what could not be done, and why
    skipped: dict[str, str]

    @property
    def label(self) -> str:
        """As `GpuSums.label`."""
        return self.sums.label

    def __repr__(self) -> str:
        return f"GpuRecording({self.label}; {len(self.sums.runs)} runs, {len(self.trees)} trees)"
