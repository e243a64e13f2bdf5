"""The numbers that are added: the same ones wherever they are added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.checks import check_choice, whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import format_of
from fpdrift.reduction.gpu.measured import GpuSums
from fpdrift.reduction.rounding import round_array

DISTRIBUTIONS = ("uniform", "normal")

_LARGEST_N = 2**28


@dataclass(frozen=True, slots=True)
class Inputs:
    """Which numbers: those of one size are the first ones of a larger."""

    sizes: tuple[int, ...]
    dtype: str
    distribution: str
    seed: int

    @classmethod
    def checked(cls, sizes: Any, dtype: Any, distribution: Any, seed: Any) -> Inputs:
        """Check what a user asks for.

        Raises
        ------
        FpdriftError
        """
        many = tuple(sizes) if isinstance(sizes, tuple | list | range) else (sizes,)
        if not many:
            message = f"sizes is {shown(sizes)}; give at least one, such as 10_000"
            raise FpdriftError(message)
        check_choice("distribution", distribution, DISTRIBUTIONS)
        return cls(
            tuple(sorted({whole("a size", n, 1, _LARGEST_N) for n in many})),
            format_of(dtype).name,
            distribution,
            whole("seed", seed, 0, 2**64 - 1),
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
        """Put what was found together with what was asked for."""
        nothing = {"device": None, "on_gpu": False, "library": None, "kernel": None}
        return GpuSums(
            origin=origin,
            dtype=self.dtype,
            distribution=self.distribution,
            seed=self.seed,
            sizes=self.sizes,
            **(nothing | found),
        )
