"""The entry point for GPU sums of every origin."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fpdrift.backends.devices import DEVICES, GPU_LIBRARIES
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.recorded import load_recorded
from fpdrift.reduction.gpu._measure import live
from fpdrift.reduction.gpu._results import ORIGINS, GpuKernel, GpuRecording, GpuSums, Inputs
from fpdrift.reduction.gpu._simulate import simulated
from fpdrift.validation import check_callable, check_choice, check_int

_LARGEST_TRIES = 100_000


def gpu_sums(
    origin: str = "simulated",
    *,
    sizes: int | Sequence[int] = (10_000, 100_000, 1_000_000),
    tries: int = 100,
    dtype: str = "float32",
    distribution: str = "uniform",
    seed: int = 1,
    kernel: GpuKernel | None = None,
    library: str | None = None,
    device: str = "gpu",
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> GpuSums:
    """Add numbers many times like a GPU, and measure how much the results vary.

    Parameters
    ----------
    origin : {"simulated", "live", "recorded"}
        Simulated: the order of blocks is drawn at random, on this CPU. Live: a library adds on a
        device of this machine. Recorded: an earlier measurement on a GPU, for which only the
        argument `name` is used.
    sizes : int or sequence of int
        Numbers of values, each up to 2**28.
    tries : int, default 100
        Sums of each kind and size; fewer live sums if they take more than 10 seconds.
    dtype : {"float16", "bfloat16", "float32", "float64"}
    distribution : {"uniform", "normal"}
        Numbers from 0 to 10, or with mean 0 and standard deviation 1: with both signs the sum is
        small compared to its terms, and varies more.
    seed : int, default 1
        Equal seeds give equal numbers and bit-identical simulations.
    kernel : GpuKernel, optional
        The shape of the simulated program.
    library : {"torch", "cupy", "jax", "tensorflow"}, optional
        Library of live sums; by default the first that finds the device.
    device : {"gpu", "cpu"}
        Device of live sums; the CPU runs the same code without a GPU.
    name : str, optional
        Name of the recording; see `fpdrift.load_recorded`.
    progress : callable, optional
        Called periodically with the amount of work done and the total.

    Returns
    -------
    GpuSums
        Its `label` names the origin. Without a GPU, a live result has no runs, and `skipped`
        says why.

    Raises
    ------
    FpdriftError
        If an argument is out of range, or there is no recording of that name.
    """
    check_choice("origin", origin, ORIGINS)
    check_callable("progress", progress)
    if origin == "recorded":
        return _recorded(name)
    inputs = Inputs.checked(sizes, dtype, distribution, seed)
    tries = check_int("tries", tries, 1, _LARGEST_TRIES)
    report = progress or (lambda _done, _total: None)
    try:
        if origin == "simulated":
            return simulated(inputs, tries, _kernel(kernel), report)
        check_choice("device", device, DEVICES)
        if library is not None:
            check_choice("library", library, GPU_LIBRARIES)
        return live(inputs, tries, library, device, report)
    except MemoryError:
        message = (
            f"not enough memory for {max(inputs.sizes):,} numbers, {tries} times; choose fewer"
        )
        raise FpdriftError(message) from None


def _kernel(kernel: GpuKernel | None) -> GpuKernel:
    if kernel is not None and not isinstance(kernel, GpuKernel):
        message = f"kernel is {short_repr(kernel)}; pass a GpuKernel or None"
        raise FpdriftError(message)
    return kernel or GpuKernel()


def _recorded(name: str | None) -> GpuSums:
    found = load_recorded(name)
    if isinstance(found, GpuRecording):
        return found.sums
    message = f"{short_repr(name)} is a {type(found).__name__}, not a GPU recording"
    raise FpdriftError(message)
