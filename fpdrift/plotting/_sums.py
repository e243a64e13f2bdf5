"""Draw errors of summation algorithms and their bounds, against the condition number or n."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fpdrift._kinds import pictures
from fpdrift.floats import format_of
from fpdrift.plotting._style import short_power

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from fpdrift.reduction import SumGrowth, SumRow, SumTable

#: Smallest error drawn, in units of u; smaller errors are those of correctly rounded results.
_FLOOR = 0.1


@pictures.register
def draw_sum_table(table: SumTable, ax: Axes) -> None:
    """Draw errors and bounds against the condition number."""
    rows = sorted(table.rows, key=lambda row: row.condition)
    _draw([(row.condition, row) for row in rows], table.dtype, ax)
    ax.set_xlabel("condition number of the sum")
    _title(table, ax)


@pictures.register
def draw_sum_growth(result: SumGrowth, ax: Axes) -> None:
    """Draw errors and bounds against the number of summands."""
    tables = sorted(result.tables, key=lambda table: table.n)
    points = [(float(table.n), row) for table in tables for row in table.rows]
    _draw(points, tables[0].dtype, ax)
    ax.set_xlabel("number of summands")
    _title(tables[-1], ax)


def _title(table: SumTable, ax: Axes) -> None:
    """Set a title with the correct digits of the worst and best algorithm for the hardest sum."""
    condition = max(row.condition for row in table.rows)
    hardest = [row for row in table.rows if row.condition == condition]
    worst, best = (which(hardest, key=lambda row: row.error) for which in (max, min))
    digits = [_correct_digits(row, _unit(table.dtype)) for row in (worst, best)]
    ax.set_title(
        f"Correct digits: {worst.name} {digits[0]}, {best.name} {digits[1]}\n"
        f"({table.n:,} {table.dtype} numbers, condition number {short_power(condition)})"
    )


def _correct_digits(row: SumRow, u: float) -> int:
    return max(0, math.floor(-math.log10(max(row.error, _FLOOR) * u)))


def _unit(dtype: str) -> float:
    """Return the unit roundoff."""
    return 2.0 ** -format_of(dtype).precision


def _draw(points: list[tuple[float, SumRow]], dtype: str, ax: Axes) -> None:
    """Draw a line for each group of algorithms with nearly equal errors, and dotted bounds."""
    curves: dict[str, list[SumRow]] = {}
    for _, row in points:
        curves.setdefault(row.name, []).append(row)
    places = list(dict.fromkeys(place for place, _ in points))
    lost = 1 / _unit(dtype)
    for i, names in enumerate(_groups(curves)):
        errors = [max(row.error, _FLOOR) for row in curves[names[0]]]
        color, marker = f"C{i % 7}", "osD^v*P"[i % 7]
        ax.plot(places, errors, marker, linestyle="-", color=color, label=_several(names))
        for name in names:
            bounds = [r.bound if math.isfinite(r.bound) else math.nan for r in curves[name]]
            ax.plot(places, bounds, color=color, linestyle=":", linewidth=1.2)
    _dress(places, max([lost, *(row.error for _, row in points)]), lost, ax)


def _groups(curves: dict[str, list[SumRow]]) -> list[list[str]]:
    """Group algorithms whose errors cannot be distinguished in the picture."""
    groups: list[list[str]] = []
    for name, rows in curves.items():
        for group in groups:
            if _alike(rows, curves[group[0]]):
                group.append(name)
                break
        else:
            groups.append([name])
    # the worst first, so that the legend has the order of the lines
    return sorted(groups, key=lambda group: -sum(_heights(curves[group[0]])))


def _alike(rows: Sequence[SumRow], others: Sequence[SumRow]) -> bool:
    pairs = zip(_heights(rows), _heights(others), strict=True)
    return all(abs(a - b) < 0.1 for a, b in pairs)


def _heights(rows: Iterable[SumRow]) -> list[float]:
    return [math.log10(max(row.error, _FLOOR)) for row in rows]


def _several(names: list[str]) -> str:
    """Join names, three per line."""
    return ",\n".join(", ".join(names[i : i + 3]) for i in range(0, len(names), 3))


def _dress(places: list[float], largest: float, lost: float, ax: Axes) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    top = largest * 30
    ax.set_ylim(_FLOOR, top)
    ax.axhspan(lost, top, color="0.92", zorder=0)
    ax.text(0.01, lost, " no correct digits", transform=ax.get_yaxis_transform(), va="bottom")
    ax.set_xlim(places[0] / 3, places[-1] * 3)
    ax.set_ylabel("largest relative error\nin u (half an ulp of 1)")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), title="dotted: error bounds")
