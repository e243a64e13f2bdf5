"""Draw any result, and save it as a picture."""

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

#: Metadata without dates, so that files are reproducible.
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
        Result of a function such as `orders`, `chain`, `thread_sums`, `compare` or `nudge`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure in fpdrift's style.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    FpdriftError
        If there is no picture for this kind of result, or `ax` is not an Axes.
    """
    if pictures.find(type(result)) is None:
        known = ", ".join(sorted(pictures.all()))
        kind = type(result).__name__
        message = f"no picture for results of type {kind}; choose one of: {known}"
        raise FpdriftError(message)
    if not isinstance(ax, Axes | None):
        message = f"ax is {short_repr(ax)}; pass a Matplotlib Axes or None"
        raise FpdriftError(message)
    if ax is None:
        import matplotlib.pyplot as plt

        # load the backend first: a notebook's backend changes settings that must outlast our style
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
    """Draw a result once, write it to files in the formats of their suffixes, return its title.

    Parameters
    ----------
    result : Result
    *paths : str or pathlib.Path
    alt : str, optional
        Alternative text, which is stored with the title in a PNG or SVG.

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
        described = {} if alt is None else {"Title": title, "Description": alt}
        for path in paths:
            kind = Path(path).suffix
            with atomic.writing(path) as file:
                figure.savefig(file, format=kind[1:], metadata=METADATA[kind] | described)
        return title


@contextmanager
def look() -> Iterator[None]:
    """Use fpdrift's style inside the block."""
    with style.context(["default", _STYLE]):
        yield
