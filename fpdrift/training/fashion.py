"""Fashion-MNIST, from wherever it is to be had, and never another one than everybody's.

Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms".
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, MissingDataError, shown

Bytes = npt.NDArray[np.uint8]

_NAME = "fashion-mnist"
_DEBIAN = Path("/usr/share/datasets", _NAME)
#: The four files: SHA-256 of what is in them unpacked (packers differ), shape.
_FILES = {
    "train-images-idx3-ubyte.gz": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        (60_000, 28, 28),
    ),
    "train-labels-idx1-ubyte.gz": (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        (60_000,),
    ),
    "t10k-images-idx3-ubyte.gz": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        (10_000, 28, 28),
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        (10_000,),
    ),
}


def read_fashion() -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Find and read the data set.

    Looked for in the folder that ``FPDRIFT_DATA`` names (or its ``fashion-mnist``), in Keras' own
    cache, where Debian's package puts it; then Keras downloads it.

    Returns
    -------
    train_images, train_labels, test_images, test_labels : numpy.ndarray of uint8
        (60000, 28, 28), (60000,), (10000, 28, 28), (10000,).

    Raises
    ------
    MissingDataError
        If it is nowhere to be had, and no ``FPDRIFT_DATA`` says that it is.
    FpdriftError
        If ``FPDRIFT_DATA`` says so in vain, or a file holds something else.
    """
    folder = next((place for place in _places() if _complete(place)), None) or _downloaded()
    one, two, three, four = (_read(folder / name) for name in _FILES)
    return one, two, three, four


def _places() -> Iterator[Path]:
    if own := os.environ.get("FPDRIFT_DATA"):
        yield Path(own).expanduser()
        yield Path(own).expanduser() / _NAME
    yield _cache()
    yield _DEBIAN


def _cache() -> Path:
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "datasets" / _NAME


def _complete(folder: Path) -> bool:
    return all(_there(folder / name) for name in _FILES)


def _there(path: Path) -> bool:
    try:
        return S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:  # what may be there but cannot be looked at is not missing
        raise FpdriftError(_unreadable(path, error)) from None


def _downloaded() -> Path:
    import keras

    try:
        keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # Keras raises just that where the network fails
        for path in filter(_there, (_cache() / name for name in _FILES)):
            _read(path)  # or where one of its files is damaged
        raise _absent(str(error)) from error
    if not _complete(_cache()):
        raise _absent("Keras keeps it elsewhere")
    return _cache()


def _absent(why: str) -> FpdriftError:
    if own := os.environ.get("FPDRIFT_DATA"):
        return FpdriftError(
            f"FPDRIFT_DATA is {shown(own)}, which lacks some of Fashion-MNIST's four *-ubyte.gz "
            f"files, and they could not be downloaded ({shown(why)}): name a folder with all four, "
            "install Debian's dataset-fashion-mnist, or unset FPDRIFT_DATA"
        )
    return MissingDataError(
        f"Fashion-MNIST is not here and could not be downloaded ({shown(why)}): set FPDRIFT_DATA "
        "to a folder with its four *-ubyte.gz files, or install Debian's dataset-fashion-mnist"
    )


def _unreadable(path: Path, error: Exception) -> str:
    why = getattr(error, "strerror", None) or error  # without the path a second time
    return (
        f"{shown(str(path))} cannot be read ({why}); delete it or set FPDRIFT_DATA to another "
        "folder"
    )


def _read(path: Path) -> Bytes:
    digest, shape = _FILES[path.name]
    size = 4 + 4 * len(shape) + int(np.prod(shape))
    try:
        with gzip.open(path) as file:
            content = file.read(size + 1)  # whatever else it unpacks to
    except (OSError, EOFError, zlib.error) as error:
        raise FpdriftError(_unreadable(path, error)) from None
    if hashlib.sha256(content).hexdigest() != digest:
        message = (
            f"{shown(str(path))} is not Fashion-MNIST's (its SHA-256 differs); delete it or set "
            "FPDRIFT_DATA to another folder"
        )
        raise FpdriftError(message)
    return np.frombuffer(content, np.uint8, offset=size - int(np.prod(shape))).reshape(shape)
