"""How steep a distance rises in each decade of steps: what is left to say where no law holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.results import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

#: Points that a slope needs, and how far they have to reach: last over first step.
_POINTS, _REACH = 4, 1.5
#: Slopes whose difference is at most this part of the steepest show no bend to who reads them.
ALIKE = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class DecadeSlope(Result):
    """The local exponent: slope of the distance's logarithm over that of the steps."""

    #: first and last step that it was fitted to
    first: int
    last: int
    slope: float

    def __str__(self) -> str:
        return f"{self.slope:.2g}"


def differ(slopes: Sequence[DecadeSlope]) -> bool:
    """Tell whether slopes, as they are written, show a bend."""
    shown = [float(str(part)) for part in slopes]
    return bool(shown) and max(shown) - min(shown) > ALIKE * max(map(abs, shown))


def decade_slopes(
    steps: npt.NDArray[np.int64], since: Floats, logs: Floats, jumps: Sequence[int]
) -> list[DecadeSlope]:
    """Fit a slope to each decade of steps, by least squares, with jumps as levels of their own.

    Parameters
    ----------
    steps : (n,) int64
        Steps, as they are to be named.
    since : (n,) float64
        Steps since the runs were equal, above 0, ascending; their decades count.
    logs : (n,) float64
        Natural logarithms of the distances then.
    jumps : sequence of int
        Index of the first point behind each jump.
    """
    found = []
    for rows in _decades(since):
        inside = [jump for jump in jumps if rows.start < jump < rows.stop]
        points = np.arange(rows.start, rows.stop)
        levels = [points >= jump for jump in (rows.start, *inside)]
        design = np.array([np.log(since[rows]), *levels], np.float64).T
        slope = np.linalg.lstsq(design, logs[rows], rcond=None)[0][0]
        first, last = steps[rows.start], steps[rows.stop - 1]
        found.append(DecadeSlope(first=int(first), last=int(last), slope=float(slope)))
    return found


def _decades(since: Floats) -> Iterator[slice]:
    """Yield the points of each decade that holds enough of them, its two ends included."""
    for power in range(int(np.ceil(np.log10(since[-1]))) if len(since) else 0):
        start = int(np.searchsorted(since, 10.0**power))
        end = int(np.searchsorted(since, 10.0 ** (power + 1), side="right"))
        if end - start >= _POINTS and since[end - 1] >= _REACH * since[start]:
            yield slice(start, end)
