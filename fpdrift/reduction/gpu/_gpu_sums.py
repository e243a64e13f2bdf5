"""One function for a GPU's sums, wherever they come from."""

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
    """Add as a GPU does, many times, and measure how much the results vary.

    Parameters
    ----------
    origin : {"simulated", "live", "recorded"}
        Simulated: the order of blocks is drawn at random, on this CPU. Live: a library adds on a
        device of this machine. Recorded: what was measured on a GPU before; of the arguments
        below only `name` counts then.
    sizes : int or sequence of int
        How many numbers, each up to 2**28.
    tries : int, default 100
        Sums of each kind and size; of live ones fewer where they take more than 10 seconds.
    dtype : {"float16", "bfloat16", "float32", "float64"}
    distribution : {"uniform", "normal"}
        Numbers from 0 to 10, or of mean 0 and standard deviation 1: with both signs the sum is
        small beside its terms, and varies more.
    seed : int, default 1
        Equal seeds give equal numbers; a simulation is equal to the last bit.
    kernel : GpuKernel, optional
        The shape of the simulated program.
    library : {"torch", "cupy", "jax", "tensorflow"}, optional
        For live; by default the first of them that finds the device.
    device : {"gpu", "cpu"}
        For live; the CPU device shows the code at work where there is no GPU.
    name : str, optional
        For recorded: which one; see `fpdrift.load_recorded`.
    progress : callable, optional
        Called now and then with what is done and what there is to do.

    Returns
    -------
    GpuSums
        Its `label` says where it comes from. Without a GPU, a live result has no runs and
        says why in `skipped`.

    Raises
    ------
    FpdriftError
        If an argument is out of its range, or nothing of that name has been recorded.
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
        message = f"no memory for {max(inputs.sizes):,} numbers, {tries} times; choose fewer"
        raise FpdriftError(message) from None


def _kernel(kernel: GpuKernel | None) -> GpuKernel:
    if kernel is not None and not isinstance(kernel, GpuKernel):
        message = f"kernel is {short_repr(kernel)}; give a GpuKernel, or None"
        raise FpdriftError(message)
    return kernel or GpuKernel()


def _recorded(name: str | None) -> GpuSums:
    found = load_recorded(name)
    if isinstance(found, GpuRecording):
        return found.sums
    message = f"{short_repr(name)} holds a {type(found).__name__}, and no sums of a GPU"
    raise FpdriftError(message)
