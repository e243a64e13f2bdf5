"""Wrap a mean or a product so that it can be probed like a sum."""

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
    """The last step of a function: from a sum in the accumulator's format to its return value."""

    #: its description, or None for a plain sum, which only rounds
    words: str | None
    call: Callable[[Floats, Format], Floats]

    def __call__(self, sums: Floats, fmt: Format) -> Floats:
        """Apply the step to sums."""
        return self.call(sums, fmt)


#: The last step of a plain sum.
ROUNDED = Finish(None, round_array)


def mean_finishes(n: int) -> tuple[Finish, ...]:
    """Return the possible last steps of a mean of n numbers, divisions first."""

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


class SumAdapter:
    """A function that adds (n,) numbers, with what else it computes.

    Parameters
    ----------
    function : callable
        Takes (n,) numbers; if it multiplies, (n,) factors as well.
    n : int
    fmt : Format
    name : str
    multiplies : bool, default False
    finishes : tuple of Finish
        The possible last steps.
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
        """Return the function's value for (n,) numbers."""
        return self.function(values, self._ones) if self.multiplies else self.function(values)
