"""Which function draws which result, and how a picture becomes a file."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fpdrift import atomic
from fpdrift._kinds import pictures
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.plotting._style import fix_colours, write_plainly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from fpdrift.serialization import Result

#: Nothing in a file may depend on the day it is written.
METADATA: dict[str, dict[str, Any]] = {
    ".pdf": {"CreationDate": None, "Creator": "fpdrift"},
    ".png": {"Software": "fpdrift"},
    ".svg": {"Date": None, "Creator": "fpdrift"},
}

_STYLE = str(files("fpdrift.plotting").joinpath("fpdrift.mplstyle"))


def plot(result: Result, *, ax: Axes | None = None) -> Axes:
    """Draw a result.

    Parameters
    ----------
    result : Result
        What `orders`, `chain`, `thread_sums`, `compare` or a nudge's account gave.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure in fpdrift's style by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    FpdriftError
        If there is no picture for this kind of result, or `ax` is no axes.
    """
    if pictures.find(type(result)) is None:
        known = ", ".join(sorted(pictures.all()))
        kind = type(result).__name__
        message = f"no picture for this kind of result: {kind}; there is one for each of: {known}"
        raise FpdriftError(message)
    if not isinstance(ax, Axes | None):
        message = f"ax is Matplotlib's Axes or None, not {short_repr(ax)}"
        raise FpdriftError(message)
    if ax is None:
        import matplotlib.pyplot as plt

        # Load the backend now: what a notebook's sets for good would end with our look.
        plt.draw_if_interactive()  # type: ignore[no-untyped-call]
        with look():
            figure, ax = plt.subplots()
            _draw(result, ax)
            fix_colours(figure)
    else:
        with look():
            _draw(result, ax)
    return ax


def _draw(result: Result, ax: Axes) -> None:
    pictures(result, ax)
    write_plainly(ax)


def save(result: Result, stem: str | Path) -> tuple[Path, Path]:
    """Draw a result into ``stem.png`` and ``stem.svg``; the same result gives the same bytes.

    Raises
    ------
    OSError
        If the files cannot be written.
    """
    png, svg = (Path(f"{stem}.{kind}") for kind in ("png", "svg"))
    save_picture(result, png, svg)
    return png, svg


def save_picture(result: Result, *paths: str | Path, alt: str | None = None) -> str:
    """Draw a result once, write it to files in the formats of their suffixes, give its title.

    Parameters
    ----------
    result : Result
    *paths : str or pathlib.Path
    alt : str, optional
        What can be seen, for those who cannot see it: a PNG or SVG carries it with the title.

    Raises
    ------
    OSError
        If the files cannot be written.
    """
    with look():
        figure = Figure()
        FigureCanvasAgg(figure)
        ax = plot(result, ax=figure.add_subplot())
        title = ax.get_title("left")
        told = {} if alt is None else {"Title": title, "Description": alt}
        for path in paths:
            kind = Path(path).suffix
            with atomic.writing(path) as file:
                figure.savefig(file, format=kind[1:], metadata=METADATA[kind] | told)
        return title


@contextmanager
def look() -> Iterator[None]:
    """Put fpdrift's look on, and take the caller's back afterwards."""
    with style.context(["default", _STYLE]):
        yield
