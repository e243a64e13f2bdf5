"""Fix the colours of a drawing.

Matplotlib reads a colour such as "C1" when it draws. A notebook draws after our style is gone, and
would take its own colours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.text import Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMED = re.compile(r"C\d")
_PARTS = ("color", "markerfacecolor", "markeredgecolor")


def fix_colours(figure: Figure) -> None:
    """Replace each "C1" by the colour that it means now; patches have done so themselves."""
    for artist in figure.findobj(lambda a: isinstance(a, Line2D | Text)):
        for part in _PARTS:
            colour = getattr(artist, f"get_{part}", lambda: None)()
            if isinstance(colour, str) and _NAMED.fullmatch(colour):
                getattr(artist, f"set_{part}")(to_hex(colour))
