"""Sums in the order of a GPU: simulated, live through a library, or recorded, and labelled so."""

from fpdrift.reduction.gpu import trees
from fpdrift.reduction.gpu._gpu_sums import gpu_sums
from fpdrift.reduction.gpu._record import measure_gpu, record_gpu
from fpdrift.reduction.gpu._results import (
    ORIGINS,
    DeterminismCost,
    GpuKernel,
    GpuRecording,
    GpuRun,
    GpuSums,
    GpuTree,
)
from fpdrift.reduction.gpu._simulate import LIMITS

__all__ = [
    "LIMITS",
    "ORIGINS",
    "DeterminismCost",
    "GpuKernel",
    "GpuRecording",
    "GpuRun",
    "GpuSums",
    "GpuTree",
    "gpu_sums",
    "measure_gpu",
    "record_gpu",
    "trees",
]
