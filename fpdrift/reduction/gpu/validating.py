"""Compare a simulation with what was recorded on real GPUs, where there is any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fpdrift.recorded import load_recorded, recorded_names
from fpdrift.reduction.gpu.measured import GpuKernel, GpuRecording, GpuRun, GpuSums

_NOT_VALIDATED = "not validated against a real GPU: nothing recorded has these inputs"

#: Sums whose order depends on the shape of the program.
_OF_BLOCKS = ("one-pass", "two-pass")
_SHARED = (*_OF_BLOCKS, "atomic sum")


def validation(simulation: GpuSums, recordings: tuple[GpuRecording, ...] | None = None) -> str:
    """Say how a simulation compares with recordings of the same inputs.

    Distributions of the sums themselves are compared by the two-sample Kolmogorov-Smirnov statistic
    D, the largest distance between their distribution functions.
    Sums of blocks are compared where the simulation has the shape of the recorded program, which
    is that of `GpuKernel`; in two passes both have to give the same bits.

    Parameters
    ----------
    simulation : GpuSums
    recordings : tuple of GpuRecording, optional
        By default all that fpdrift carries.
    """
    if recordings is None:
        recordings = tuple(map(load_recorded, recorded_names(GpuRecording.__name__)))
    compared = [line for found in recordings for line in _compared(simulation, found)]
    return "; ".join(compared) or _NOT_VALIDATED


def _compared(simulation: GpuSums, recording: GpuRecording) -> Iterator[str]:
    real = recording.sums
    inputs = ("dtype", "distribution", "seed")
    if not real.on_gpu or any(getattr(real, x) != getattr(simulation, x) for x in inputs):
        return
    for run in simulation.runs:
        for other in real.runs:
            if _same_sum(run, other) and _same_shape(run, simulation.kernel):
                yield f"{run.operation}, n = {run.n:,}, against {real.label}: {_told(run, other)}"


def _told(run: GpuRun, other: GpuRun) -> str:
    from scipy.stats import ks_2samp

    if run.deterministic:
        same = run.reference == other.reference
        return "the same bits" if same else f"{other.reference} there, {run.reference} here"
    if run.values is None or other.values is None or run.ulps is None or other.ulps is None:
        return "no finite sum to compare with"
    found = ks_2samp(run.values.astype(np.float64), other.values.astype(np.float64))
    return (
        f"D = {found.statistic:.2f} (p = {found.pvalue:.2g}), standard deviation "
        f"{np.std(run.ulps):.3g} ulps, {np.std(other.ulps):.3g} there"
    )


def _same_sum(run: GpuRun, other: GpuRun) -> bool:
    keys = ("operation", "n", "deterministic")
    same = all(getattr(run, key) == getattr(other, key) for key in keys)
    return same and run.operation in _SHARED


def _same_shape(run: GpuRun, kernel: GpuKernel | None) -> bool:
    usual = kernel is not None and replace(kernel, resident_blocks=None) == GpuKernel()
    return usual or run.operation not in _OF_BLOCKS
