"""One float in 80 columns."""

from __future__ import annotations

from fpdrift.cli.screens.screen import screen, wrapped
from fpdrift.floats import Anatomy, float_lines


@screen.register
def _float(result: Anatomy) -> list[str]:
    letters, bits, *said = float_lines(result)
    lines = [f"  {result.dtype}: s = sign, e = exponent, f = fraction", f"  {letters}", f"  {bits}"]
    for line in said:
        lines += wrapped(line)
    return lines
