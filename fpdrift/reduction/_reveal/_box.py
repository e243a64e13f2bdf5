"""What a black box computes: a sum, or a mean or a product that is asked as if it were one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fpdrift.backends.devices import aligned_zeros
from fpdrift.floats import Format
from fpdrift.reduction._rounding import Floats, round_array


@dataclass(frozen=True, slots=True)
class Finish:
    """From the sums in the accumulator's format to what a function returns in its own."""

    #: in words, or None for a plain sum, which is rounded at its end
    words: str | None
    call: Callable[[Floats, Format], Floats]

    def __call__(self, sums: Floats, fmt: Format) -> Floats:
        """Finish sums."""
        return self.call(sums, fmt)


#: What a plain sum does at its end.
ROUNDED = Finish(None, round_array)


def mean_finishes(n: int) -> tuple[Finish, ...]:
    """Return the ways in which a mean of n numbers may end; divisions come first."""

    def divided(sums: Floats, fmt: Format) -> Floats:
        return round_array(sums / sums.dtype.type(n), fmt)

    def scaled(sums: Floats, fmt: Format) -> Floats:
        one = sums.dtype.type(1)
        return round_array(sums * (one / sums.dtype.type(n)), fmt)

    def divided_after(sums: Floats, fmt: Format) -> Floats:
        return divided(round_array(sums, fmt), fmt)

    def scaled_after(sums: Floats, fmt: Format) -> Floats:
        return scaled(round_array(sums, fmt), fmt)

    return (
        Finish("divided by n", divided),
        Finish("rounded, then divided by n", divided_after),
        Finish("multiplied by 1 / n", scaled),
        Finish("rounded, then multiplied by 1 / n", scaled_after),
    )


class AsSum:
    """A function of (n,) numbers that adds them, and what it does beside that.

    Parameters
    ----------
    function : callable
        Takes (n,) numbers; one that multiplies takes (n,) factors beside them.
    n : int
    fmt : Format
    name : str
    multiplies : bool, default False
    finishes : tuple of Finish
        What may become of the sum at its end.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        n: int,
        fmt: Format,
        name: str,
        *,
        multiplies: bool = False,
        finishes: tuple[Finish, ...] = (ROUNDED,),
    ) -> None:
        self.function, self._ones = function, aligned_zeros(n, fmt.dtype)
        self._ones[:] = np.ones(n, fmt.dtype)
        self.__name__ = name
        self.multiplies, self.finishes = multiplies, finishes

    def __call__(self, values: Any) -> Any:
        """Add (n,) numbers."""
        return self.function(values, self._ones) if self.multiplies else self.function(values)
