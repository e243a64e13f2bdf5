"""Export records and comparisons, and never over something that is there without being told."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift import atomic
from fpdrift.checks import check_switch
from fpdrift.errors import FpdriftError, shown
from fpdrift.exports.formats import COLUMNS, FORMATS, Files, columns_of, needed
from fpdrift.exports.series import series_of
from fpdrift.records.place import absolute

if TYPE_CHECKING:
    import pandas as pd

    from fpdrift.exports.series import Source


def to_pandas(*sources: Source) -> pd.DataFrame:
    """Give records and comparisons as one tidy table, one row a number.

    Parameters
    ----------
    *sources : Record, Comparison, Comparisons, str or os.PathLike
        Records, their files, or what `fpdrift.compare` gave.

    Returns
    -------
    pandas.DataFrame
        ``run``: the record's name, or ``"b against a"``. ``step``: updates done; of a quantity that
        begins with ``epoch/``, epochs done. ``tensor``: its name, empty where a number is of the
        whole run. ``quantity``: loss, metrics, norm of a tensor; of a comparison the distance,
        ``"loss difference"`` (b's less a's) and so on. ``value``: float64.

    Raises
    ------
    MissingExtraError
        If pandas is not installed.
    FpdriftError
        If there is nothing to export, or a record cannot be read.
    """
    pandas = needed("pandas")
    return pandas.DataFrame(columns_of(series_of(sources)), columns=list(COLUMNS))


def export(
    sources: Iterable[Source],
    *,
    overwrite: bool = False,
    **places: str | os.PathLike[str] | None,
) -> tuple[Path, ...]:
    """Write records and comparisons for other programs.

    All places are looked at before anything is written, and every file is written whole or not at
    all.

    Parameters
    ----------
    sources : iterable of Record, Comparison, Comparisons, str or os.PathLike
        See `to_pandas`.
    overwrite : bool, default False
        Replace files that are there.
    **places : str or os.PathLike
        Format and place: ``csv`` and ``parquet`` (the table of `to_pandas`) a file of that ending,
        or a folder for it; ``tensorboard`` a log folder, which gets one folder a run; ``mlflow`` a
        folder, which gets one file of JSON lines a run, each the fields of MLflow's ``Metric``.

    Returns
    -------
    tuple of pathlib.Path
        The files, absolute.

    Raises
    ------
    MissingExtraError
        If the library of a format is not installed.
    FpdriftError
        If there is nothing to export or nowhere to put it, a record cannot be read, or something is
        in the way.
    """
    check_switch("overwrite", overwrite)
    asked = {name: place for name, place in places.items() if place is not None}
    if not asked or not set(asked) <= set(FORMATS):
        message = f"formats {shown(list(asked))}; choose some of {', '.join(FORMATS)}"
        raise FpdriftError(message)
    series = series_of([sources] if isinstance(sources, str | os.PathLike) else sources)
    files: Files = {}
    for name, place in asked.items():
        files |= FORMATS[name](series, absolute(place))
    for path in files:
        if os.path.lexists(path) and not overwrite:
            message = f"{_named(path)} is there; choose another place, or say overwrite"
            raise FpdriftError(message)
    for path, data in files.items():
        _write(path, data)
    return tuple(files)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, data)
    except OSError as error:
        why = error.strerror or str(error)
        message = f"cannot write {_named(path)}: {why}; choose another place"
        raise FpdriftError(message) from None


def _named(path: Path) -> str:
    return shown(os.path.join(*path.parts[-2:]))  # noqa: PTH118 - words to read, not a place
