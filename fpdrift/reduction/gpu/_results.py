"""GPU sums with their origin, the numbers that are added, and the validation of the simulation.

The numbers are the same for every origin: simulated, live or recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import format_of, ulp_at, ulp_distance
from fpdrift.recorded import load_recorded, recorded_names
from fpdrift.reduction._reveal import Revealed
from fpdrift.reduction._rounding import round_array
from fpdrift.serialization import Result
from fpdrift.validation import check_choice, check_int

#: The origins of a result and their meaning.
ORIGINS = {
    "simulated": "computed on this CPU like a GPU program, in random orders: shows which results "
    "are possible, not how often a GPU produces them",
    "live": "computed by a library on a device of this machine",
    "recorded": "computed earlier by a library, possibly on another machine",
}

_Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuKernel(Result):
    """The shape of a simulated GPU program.

    Block b's thread t adds the inputs b * threads + t, then every (blocks * threads)-th after it
    (a grid-stride loop), one after the other. The threads of a warp add their sums by downward
    shuffles, and the first warp of a block adds the sums of all warps in the same way. Other
    programs, such as those of Shanmugavelu et al. 2024, whose measures are used here, add a block
    in a different tree.
    """

    #: 1 to 1,024, at most the warp size squared; a multiple of the warp size, or less than it
    threads_per_block: int = 256
    #: most inputs that a thread adds
    elements_per_thread: int = 4
    #: a power of two, 2 to 64; NVIDIA GPUs have 32, some AMD GPUs have 64
    warp_size: int = 32
    #: blocks in flight at a time: when a random one of them finishes, the next starts; None for all
    #: at once, so that they may finish in any order
    resident_blocks: int | None = None

    def __post_init__(self) -> None:
        threads = check_int("threads_per_block", self.threads_per_block, 1, 1024)
        check_int("elements_per_thread", self.elements_per_thread, 1, 2**16)
        warp = check_int("warp_size", self.warp_size, 2, 64)
        if warp & (warp - 1) or (threads > warp and threads % warp) or threads > warp**2:
            message = (
                f"{threads} threads in warps of {warp}; choose a warp size of 2, 4, ... 64, and "
                f"up to {min(warp**2, 1024)} threads, in full warps if there are several"
            )
            raise FpdriftError(message)
        if self.resident_blocks is not None:
            check_int("resident_blocks", self.resident_blocks, 1, 2**20)

    @property
    def inputs_per_block(self) -> int:
        """Most inputs that a block adds."""
        return self.threads_per_block * self.elements_per_thread

    @property
    def threads_resident(self) -> int | None:
        """Number of threads in flight at a time, or None for all."""
        return self.resident_blocks and self.resident_blocks * self.threads_per_block


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GpuRun(Result):
    """One operation, run many times with the same inputs.

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
    #: whether every try is required or known to give the same bits
    deterministic: bool
    #: name of the reference: the deterministic operation, or the first try if there is none
    reference_is: str
    #: () the deterministic result, in the dtype; None for several outputs
    reference: np.generic | None
    #: (tries,) results in the dtype; None for several outputs
    values: _Array | None
    #: number of different results over the tries; in a simulation a try is a random order, so this
    #: is not the frequency on any GPU
    distinct: int
    #: (tries,) V_s = 1 - abs(result / reference); None for several outputs
    v_s: _Array | None
    #: (tries,) V_c, the fraction of output elements whose bits differ from the reference's
    v_c: _Array
    #: (tries,) V_ermv, the mean over the elements of abs(result - reference) / abs(reference)
    v_ermv: _Array
    #: name of the function in the library; None in a simulation
    function: str | None = None

    @property
    def tries(self) -> int:
        """Number of times that the operation was run."""
        return len(self.v_c)

    @property
    def largest_v_s(self) -> float | None:
        """Largest magnitude of V_s in all tries; None for several outputs."""
        return None if self.v_s is None else float(np.abs(self.v_s).max())

    @property
    def spread(self) -> int | None:
        """Distance in ulps between the smallest and the largest sum; None for several outputs."""
        if self.values is None or np.isnan(self.values.astype(np.float64)).any():
            return None
        return int(ulp_distance(self.values.max(), self.values.min()))

    @property
    def ulps(self) -> npt.NDArray[np.float64] | None:
        """Signed distance of each sum from the reference, in ulps of the reference, (tries,)."""
        if self.values is None or self.reference is None:
            return None
        near = float(self.reference)
        if not math.isfinite(near):
            return None
        return (self.values.astype(np.float64) - near) / ulp_at(near, self.values.dtype)

    def __repr__(self) -> str:
        name = f"{self.operation}{', deterministic' if self.deterministic else ''}"
        return f"GpuRun({name}, n = {self.n:,}: {self.tries} tries, results: {self.distinct})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DeterminismCost(Result):
    """The cost of determinism: both modes timed alternately in one process."""

    operation: str
    n: int
    #: what makes the operation deterministic
    switch: str
    #: (repeats,) ratio of the deterministic to the default time, pair by pair
    ratios: _Array

    @property
    def ratio(self) -> float:
        """Median of the ratios."""
        return float(np.median(self.ratios))

    def __repr__(self) -> str:
        return f"DeterminismCost({self.operation}, n = {self.n:,}: x{self.ratio:.2f})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GpuSums(Result):
    """Sums and other reductions in the order of a GPU: simulated, live or recorded."""

    #: one of `ORIGINS`; plots and tables must show it, as part of `label`
    origin: str
    #: such as "NVIDIA H100 80GB HBM3" or "CPU"; None if simulated, or nothing was found
    device: str | None
    #: whether the device is a GPU; False if simulated
    on_gpu: bool
    #: name and version, such as "torch 2.13.0"; None if simulated, or nothing was found
    library: str | None
    #: the kernel of a simulation
    kernel: GpuKernel | None
    dtype: str
    #: "uniform", from 0 to 10, or "normal", of mean 0 and standard deviation 1
    distribution: str
    seed: int
    #: the requested sizes
    sizes: tuple[int, ...]
    runs: tuple[GpuRun, ...]
    #: empty for a simulation, whose times would say nothing about a GPU
    costs: tuple[DeterminismCost, ...]
    #: operation -> why it was skipped
    skipped: dict[str, str]

    _computed = ("validation",)

    @property
    def validation(self) -> str | None:
        """Comparison of a simulation with recordings of real GPUs; None for other origins."""
        if self.origin != "simulated":
            return None

        return validation(self)

    @property
    def label(self) -> str:
        """The origin in a few words, which every plot and table must show."""
        if self.origin == "simulated":
            return "simulated GPU"
        if self.device is None:
            return f"{self.origin}: no device"
        what = self.device if self.on_gpu else f"{self.device}, not a GPU"
        return f"{self.origin}: {what}, {self.library}"

    @property
    def operations(self) -> tuple[str, ...]:
        """Names of the operations, without duplicates."""
        return tuple(dict.fromkeys(run.operation for run in self.runs))

    def of(self, operation: str, *, deterministic: bool = False) -> tuple[GpuRun, ...]:
        """Return the runs of one operation, by size.

        Raises
        ------
        FpdriftError
            If there are none.
        """
        found = [
            r for r in self.runs if (r.operation, r.deterministic) == (operation, deterministic)
        ]
        if not found:
            there = "; ".join(map(repr, self.runs)) or "none"
            wanted = f"{short_repr(operation)} with deterministic={deterministic}"
            message = f"no runs of {wanted}; available: {there}"
            raise FpdriftError(message)
        return tuple(sorted(found, key=lambda run: run.n))

    def growth(self, operation: str) -> tuple[float, float] | None:
        """Fit max(abs(V_s)) = beta * n**alpha over the sizes, by least squares of the logarithms.

        Returns
        -------
        (alpha, beta) : tuple of float, or None
            None if fewer than two sizes vary, or the output is not a single sum.
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
    """The tree of a device's matrix product."""

    #: "live" or "recorded"
    origin: str
    #: dtype of the matrices, or "TF32" for float32 matrices of which TF32 uses the leading bits
    precision: str
    revealed: Revealed

    def __repr__(self) -> str:
        return f"GpuTree({self.precision}, {self.revealed!r})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GpuRecording(Result):
    """All measurements on one device through one library."""

    #: as in `GpuSums`
    origin: str
    device: str
    on_gpu: bool
    library: str
    #: whether only small sizes were measured
    fast: bool
    sums: GpuSums
    trees: tuple[GpuTree, ...]
    #: operation -> why it was skipped
    skipped: dict[str, str]

    @property
    def label(self) -> str:
        """See `GpuSums.label`."""
        return self.sums.label

    def __repr__(self) -> str:
        return f"GpuRecording({self.label}; {len(self.sums.runs)} runs, {len(self.trees)} trees)"


DISTRIBUTIONS = ("uniform", "normal")

_LARGEST_N = 2**28


@dataclass(frozen=True, slots=True)
class Inputs:
    """The numbers to add; those of one size are the first ones of every larger size."""

    sizes: tuple[int, ...]
    dtype: str
    distribution: str
    seed: int

    @classmethod
    def checked(cls, sizes: Any, dtype: Any, distribution: Any, seed: Any) -> Inputs:
        """Check the arguments and return the inputs.

        Raises
        ------
        FpdriftError
        """
        many = tuple(sizes) if isinstance(sizes, tuple | list | range) else (sizes,)
        if not many:
            message = f"sizes is {short_repr(sizes)}; pass at least one, such as 10_000"
            raise FpdriftError(message)
        check_choice("distribution", distribution, DISTRIBUTIONS)
        return cls(
            tuple(sorted({check_int("a size", n, 1, _LARGEST_N) for n in many})),
            format_of(dtype).name,
            distribution,
            check_int("seed", seed, 0, 2**64 - 1),
        )

    def draw(self, n: int) -> npt.NDArray[Any]:
        """Draw (n,) numbers of the dtype: from 0 to 10, or standard normal."""
        rng = np.random.default_rng(self.seed)
        wide = np.float64 if self.dtype == "float64" else np.float32
        drawn = (
            rng.standard_normal(n, wide) if self.distribution == "normal" else rng.random(n, wide)
        )
        scaled = drawn if self.distribution == "normal" else 10 * drawn
        return round_array(scaled, format_of(self.dtype))

    def result(self, *, origin: str, **found: Any) -> GpuSums:
        """Return a result with these inputs."""
        nothing = {"device": None, "on_gpu": False, "library": None, "kernel": None}
        return GpuSums(
            origin=origin,
            dtype=self.dtype,
            distribution=self.distribution,
            seed=self.seed,
            sizes=self.sizes,
            **(nothing | found),
        )


_NOT_VALIDATED = "not validated against a real GPU: no recording has these inputs"

#: Sums whose order depends on the shape of the kernel.
_OF_BLOCKS = ("one-pass", "two-pass")
_SHARED = (*_OF_BLOCKS, "atomic sum")


def validation(simulation: GpuSums, recordings: tuple[GpuRecording, ...] | None = None) -> str:
    """Describe how a simulation compares with recordings of the same inputs.

    The distributions of the sums are compared by the two-sample Kolmogorov-Smirnov statistic D, the
    largest distance between their distribution functions.

    Block sums are compared only if the simulation has the shape of the recorded kernel, which is
    the default of `GpuKernel`; in two passes, both must give the same bits.

    Parameters
    ----------
    simulation : GpuSums
    recordings : tuple of GpuRecording, optional
        By default all that ship with fpdrift.
    """
    if recordings is None:
        recordings = tuple(map(load_recorded, recorded_names(GpuRecording.__name__)))
    compared = [line for found in recordings for line in _comparisons(simulation, found)]
    return "; ".join(compared) or _NOT_VALIDATED


def _comparisons(simulation: GpuSums, recording: GpuRecording) -> Iterator[str]:
    real = recording.sums
    inputs = ("dtype", "distribution", "seed")
    if not real.on_gpu or any(getattr(real, x) != getattr(simulation, x) for x in inputs):
        return
    for run in simulation.runs:
        for other in real.runs:
            if _same_sum(run, other) and _same_shape(run, simulation.kernel):
                words = _compare_sums(run, other)
                yield f"{run.operation}, n = {run.n:,}, against {real.label}: {words}"


def _compare_sums(run: GpuRun, other: GpuRun) -> str:
    from scipy.stats import ks_2samp

    if run.deterministic:
        same = run.reference == other.reference
        return "the same bits" if same else f"recorded {other.reference}, simulated {run.reference}"
    if run.values is None or other.values is None or run.ulps is None or other.ulps is None:
        return "no finite sum to compare"
    found = ks_2samp(run.values.astype(np.float64), other.values.astype(np.float64))
    return (
        f"D = {found.statistic:.2f} (p = {found.pvalue:.2g}), standard deviation "
        f"{np.std(run.ulps):.3g} ulps simulated, {np.std(other.ulps):.3g} recorded"
    )


def _same_sum(run: GpuRun, other: GpuRun) -> bool:
    keys = ("operation", "n", "deterministic")
    same = all(getattr(run, key) == getattr(other, key) for key in keys)
    return same and run.operation in _SHARED


def _same_shape(run: GpuRun, kernel: GpuKernel | None) -> bool:
    usual = kernel is not None and replace(kernel, resident_blocks=None) == GpuKernel()
    return usual or run.operation not in _OF_BLOCKS
