"""What each way of summing gets wrong as there are more numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fpdrift.checks import check_callable
from fpdrift.errors import FpdriftError, shown
from fpdrift.reduction.pricing import SumTable, sum_table
from fpdrift.results import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class SumGrowth(Result):
    """Ways of summing, on more and more numbers of about one condition number."""

    #: one for each n, each with one condition number
    tables: tuple[SumTable, ...]

    def __repr__(self) -> str:
        return f"SumGrowth({', '.join(f'{table.n:,}' for table in self.tables)} numbers)"


def sum_growth(
    ns: Sequence[int] = (100, 1000, 10_000, 100_000),
    condition: float = 1e2,
    *,
    dtype: Any = "float32",
    orders: int = 5,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SumGrowth:
    """Sum more and more numbers in all ways.

    Parameters
    ----------
    ns : sequence of int
        How many numbers, each 6 to 2**20.
    condition : float, default 100
        Condition number that the numbers should have; see `ill_conditioned`.
    dtype, orders, seed
        As for `sum_table`.
    progress : callable, optional
        Called with the sizes done and the sizes to do.

    Returns
    -------
    SumGrowth

    Raises
    ------
    FpdriftError
        If an argument is out of its range.
    """
    if not isinstance(ns, Sequence) or isinstance(ns, str) or not ns:
        message = f"ns is {shown(ns)}; give several whole numbers, such as (100, 1000)"
        raise FpdriftError(message)
    check_callable("progress", progress)
    tables: list[SumTable] = []
    for n in ns:
        if progress is not None:
            progress(len(tables), len(ns))
        tables.append(sum_table(n, (condition,), dtype=dtype, orders=orders, seed=seed))
    return SumGrowth(tables=tuple(tables))
