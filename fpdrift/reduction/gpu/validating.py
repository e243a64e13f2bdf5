"""Compare a simulation with what was recorded on real GPUs, where there is any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fpdrift.recorded import load_recorded, recorded_names
from fpdrift.reduction.gpu.measured import GpuRecording, GpuRun, GpuSums

_NOT_VALIDATED = "not validated against a real GPU: nothing recorded has these inputs"

#: Whatever a simulation and a recording may share.
_SHARED = ("one-pass", "atomic sum")


def validated(simulation: GpuSums, recordings: tuple[GpuRecording, ...] | None = None) -> GpuSums:
    """Say in `validation` how a simulation compares with recordings of the same inputs.

    Distributions of the distance from the reference, in ulps, are compared by the two-sample
    Kolmogorov-Smirnov statistic D, the largest distance between their distribution functions.

    Parameters
    ----------
    simulation : GpuSums
    recordings : tuple of GpuRecording, optional
        By default all that fpdrift carries.
    """
    if recordings is None:
        loaded = map(load_recorded, recorded_names())
        recordings = tuple(found for found in loaded if isinstance(found, GpuRecording))
    compared = [line for found in recordings for line in _compared(simulation, found)]
    return replace(simulation, validation="; ".join(compared) or _NOT_VALIDATED)


def _compared(simulation: GpuSums, recording: GpuRecording) -> Iterator[str]:
    from scipy.stats import ks_2samp

    real = recording.sums
    inputs = ("dtype", "distribution", "seed")
    if not real.on_gpu or any(getattr(real, x) != getattr(simulation, x) for x in inputs):
        return
    for run in simulation.runs:
        for other in real.runs:
            mine, its = run.ulps, other.ulps
            if _same_sum(run, other) and mine is not None and its is not None:
                found = ks_2samp(mine, its)
                yield (
                    f"{run.operation}, n = {run.n:,}, against {real.label}: D = "
                    f"{found.statistic:.2f} (p = {found.pvalue:.2g}), standard deviation "
                    f"{np.std(mine):.3g} against {np.std(its):.3g} ulps"
                )


def _same_sum(run: GpuRun, other: GpuRun) -> bool:
    keys = ("operation", "n", "deterministic")
    same = all(getattr(run, key) == getattr(other, key) for key in keys)
    return same and run.operation in _SHARED
