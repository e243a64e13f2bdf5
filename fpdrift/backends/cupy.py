"""CuPy's sums on its GPU, and fpdrift's own one-pass and two-pass sums."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from fpdrift.backends.devices import Device, Operation, no_gpu
from fpdrift.errors import FpdriftError

#: As in `fpdrift.reduction.gpu.GpuKernel`, so that the simulation adds in the same order.
THREADS_PER_BLOCK = 256
ELEMENTS_PER_THREAD = 4

#: Each block adds by a grid-stride loop, shuffles, and shuffles of the warps' sums. In one pass, it
#: adds its sum to the total; in two passes, another block adds the blocks' sums in the same way.
KERNELS = r"""
__device__ T block_sum(const T* x, long long n)
{
    __shared__ T of_warp[32];
    T sum = 0;
    long long stride = (long long)gridDim.x * blockDim.x;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        sum += x[i];
    for (int offset = 16; offset > 0; offset /= 2)
        sum += __shfl_down_sync(0xffffffffu, sum, offset);
    if (threadIdx.x % 32 == 0)
        of_warp[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x >= 32)
        return 0;
    sum = threadIdx.x < blockDim.x / 32 ? of_warp[threadIdx.x] : (T)0;
    for (int offset = 16; offset > 0; offset /= 2)
        sum += __shfl_down_sync(0xffffffffu, sum, offset);
    return sum;
}

extern "C" __global__ void one_pass(const T* x, long long n, T* total)
{
    T sum = block_sum(x, n);
    if (threadIdx.x == 0)
        atomicAdd(total, sum);
}

extern "C" __global__ void block_sums(const T* x, long long n, T* sums)
{
    T sum = block_sum(x, n);
    if (threadIdx.x == 0)
        sums[blockIdx.x] = sum;
}
"""


def find_device(device: str) -> Device:
    """Return CuPy's first GPU; see `fpdrift.backends.devices.open_device`."""
    if device != "gpu":
        message = "cupy has no CPU device; choose torch, jax or tensorflow"
        raise FpdriftError(message)
    import cupy

    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise no_gpu("cupy", str(error), has_cpu=False) from None
    if not count:
        raise no_gpu("cupy", has_cpu=False)
    return Device(
        name=cupy.cuda.runtime.getDeviceProperties(0)["name"].decode(),
        on_gpu=True,
        library=f"cupy {cupy.__version__}",
        operations=tuple(_operations()),
        dtypes=("float32", "float64"),
        put=cupy.asarray,
        get=lambda array: array.get()[()],
        wait=lambda _: cupy.cuda.get_current_stream().synchronize(),
        switch="CuPy has no deterministic mode",
        missing={"matmul TF32": "CuPy reads CUPY_TF32 only once, when it starts"},
    )


def _operations() -> Iterator[Operation]:
    import cupy
    import cupyx

    def scatter_add(numbers: Any, places: Any, outputs: int) -> Any:
        zeros = cupy.zeros(outputs, numbers.dtype)
        cupyx.scatter_add(zeros, places, numbers)
        return zeros

    def to_one_place(numbers: Any) -> Any:
        return scatter_add(numbers, cupy.zeros(len(numbers), cupy.int32), 1)

    own = "fpdrift's CUDA kernel"
    two = Operation("two-pass", "numbers", own, _two_pass)
    yield Operation("sum", "numbers", "cupy.sum", cupy.sum)
    yield Operation("one-pass", "numbers", own, _one_pass, twin=two)
    yield Operation("atomic sum", "numbers", "cupyx.scatter_add to one place", to_one_place)
    yield Operation("scatter_add", "numbers and places", "cupyx.scatter_add", scatter_add)
    yield Operation("matmul", "matrices", "cupy.matmul", cupy.matmul)


@cache
def _kernel(name: str, dtype: str) -> Any:
    import cupy

    source = f"typedef {'float' if dtype == 'float32' else 'double'} T;\n{KERNELS}"
    return cupy.RawKernel(source, name)


def _launch(name: str, blocks: int, numbers: Any, to: Any) -> None:
    import cupy

    arguments = (numbers, cupy.int64(len(numbers)), to)
    _kernel(name, numbers.dtype.name)((blocks,), (THREADS_PER_BLOCK,), arguments)


def _blocks(n: int) -> int:
    return -(-n // (THREADS_PER_BLOCK * ELEMENTS_PER_THREAD))


def _one_pass(numbers: Any) -> Any:
    import cupy

    total = cupy.zeros((), numbers.dtype)
    _launch("one_pass", _blocks(len(numbers)), numbers, total)
    return total


def _two_pass(numbers: Any) -> Any:
    import cupy

    sums = cupy.empty(_blocks(len(numbers)), numbers.dtype)
    total = cupy.empty((), numbers.dtype)
    _launch("block_sums", len(sums), numbers, sums)
    _launch("block_sums", 1, sums, total)
    return total
