"""The data sets that the networks are trained on; their contents do not depend on the seed.

Fashion-MNIST (Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
machine learning algorithms", 2017) is read from several places and checked by SHA-256.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, MissingDataError, short_repr
from fpdrift.serialization import read_only
from fpdrift.training._hash_rng import digest, permutation
from fpdrift.training._networks import CLASSES, IMAGE
from fpdrift.validation import check_choice, check_int

Bytes = npt.NDArray[np.uint8]

_NAME = "fashion-mnist"
_DEBIAN = Path("/usr/share/datasets", _NAME)
#: The four files: SHA-256 of the unpacked content (since packers differ), and shape.
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
    """Find and read Fashion-MNIST.

    It is searched for in the folder ``FPDRIFT_DATA`` (or its subfolder ``fashion-mnist``), in
    Keras' cache, and in the folder of Debian's package; otherwise Keras downloads it.

    Returns
    -------
    train_images, train_labels, test_images, test_labels : numpy.ndarray of uint8
        (60000, 28, 28), (60000,), (10000, 28, 28), (10000,).

    Raises
    ------
    MissingDataError
        If it is not available, and ``FPDRIFT_DATA`` is not set.
    FpdriftError
        If ``FPDRIFT_DATA`` does not contain it and it is not available, or a file is damaged.
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
    except OSError as error:  # a file that cannot be accessed is not missing
        raise FpdriftError(_unreadable(path, error)) from None


def _downloaded() -> Path:
    import keras

    try:
        keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # Keras raises this if the network fails
        for path in filter(_there, (_cache() / name for name in _FILES)):
            _read(path)  # raises if the cause is a damaged file
        raise _absent(str(error)) from error
    if not _complete(_cache()):
        raise _absent("Keras keeps it elsewhere")
    return _cache()


def _absent(why: str) -> FpdriftError:
    if own := os.environ.get("FPDRIFT_DATA"):
        return FpdriftError(
            f"FPDRIFT_DATA is {short_repr(own)}, which lacks some of Fashion-MNIST's four "
            f"*-ubyte.gz files, and they could not be downloaded ({short_repr(why)}): choose a "
            "folder with all four, install Debian's dataset-fashion-mnist, or unset FPDRIFT_DATA"
        )
    return MissingDataError(
        f"Fashion-MNIST was not found and could not be downloaded ({short_repr(why)}): set "
        "FPDRIFT_DATA to a folder with its four *-ubyte.gz files, or install "
        "Debian's dataset-fashion-mnist"
    )


def _unreadable(path: Path, error: Exception) -> str:
    why = getattr(error, "strerror", None) or error  # strerror does not repeat the path
    return (
        f"{short_repr(str(path))} cannot be read ({why}); delete it or set FPDRIFT_DATA to another "
        "folder"
    )


def _read(path: Path) -> Bytes:
    digest, shape = _FILES[path.name]
    size = 4 + 4 * len(shape) + int(np.prod(shape))
    try:
        with gzip.open(path) as file:
            content = file.read(size + 1)  # a bounded amount, however much it unpacks to
    except (OSError, EOFError, zlib.error) as error:
        raise FpdriftError(_unreadable(path, error)) from None
    if hashlib.sha256(content).hexdigest() != digest:
        message = (
            f"{short_repr(str(path))} is not Fashion-MNIST (its SHA-256 differs); delete it "
            "or set FPDRIFT_DATA to another folder"
        )
        raise FpdriftError(message)
    return np.frombuffer(content, np.uint8, offset=size - int(np.prod(shape))).reshape(shape)


_Array = npt.NDArray[np.float32]
#: Number of training images, and of validation images, as in the forum answer.
NOISE_IMAGES = 30_000
PROBE = 256
LABELS = ("one-hot", "multi-hot")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Data:
    """Images and labels, float32."""

    name: str
    labels: str
    #: (n, 28, 28, 1) and (n, 10)
    train_images: _Array
    train_labels: _Array
    #: (m, 28, 28, 1) and (m, 10)
    validation_images: _Array
    validation_labels: _Array

    @property
    def hash(self) -> str:
        """Hash of the training images and labels."""
        return digest(self.train_images, self.train_labels)

    def __repr__(self) -> str:
        counts = f"{len(self.train_images)} to train, {len(self.validation_images)} to validate"
        return f"Data({self.name!r}, {counts})"


def load(name: str, labels: str = "one-hot", *, validation: int | None = None) -> Data:
    """Return a data set.

    Parameters
    ----------
    name : str
        ``"noise"``: 30,000 + 30,000 images of standard normal noise with labels drawn at random.
        ``"digits"``: scikit-learn's 1,797 handwritten digits, 8x8 in the middle of 28x28, scaled
        to 0 to 1; 1,437 to train on and 360 to validate with.
        ``"fashion-mnist"``: 60,000 photographs of clothes scaled to 0 to 1, and the 10,000 test
        images for validation; see `read_fashion` for where it is searched.
        ``"digits-split"``, ``"fashion-mnist-split"``: a stratified split of 80 to 20, as in the
        forum question; for Fashion-MNIST, of its 60,000 training images.
    labels : {"one-hot", "multi-hot"}
        ``"multi-hot"`` (noise only) is ten independent random bits per image, as in the forum
        answer. They do not sum to 1, so TensorFlow's fused gradient is not that of the loss.
    validation : int, optional
        Number of validation images, from the first; by default all.

    Raises
    ------
    FpdriftError
        If the data or labels are unknown, or the data are damaged.
    MissingDataError
        If the data are not available.
    """
    check(name, labels)
    if validation is not None:
        validation = check_int("validation", validation, 0, NOISE_IMAGES)
    return DATA[name](labels, validation)


def probe_images(name: str) -> int | None:
    """Return the number of validation images in the probe; None for all.

    A split is used as a whole, since the forum question stopped by the loss on it.
    """
    return None if name.endswith("-split") else PROBE


def check(name: str, labels: str) -> None:
    """Check that data and labels are known.

    Raises
    ------
    FpdriftError
    """
    check_choice("data", name, DATA)
    check_choice(f"labels for {name}", labels, LABELS if name == "noise" else LABELS[:1])


def _noise(labels: str, validation: int | None) -> Data:
    count = NOISE_IMAGES if validation is None else validation
    streams = [np.random.default_rng([1, part]) for part in range(4)]
    return Data(
        name="noise",
        labels=labels,
        train_images=_normal(streams[0], NOISE_IMAGES),
        train_labels=_random_labels(streams[1], NOISE_IMAGES, labels),
        validation_images=_normal(streams[2], count),
        validation_labels=_random_labels(streams[3], NOISE_IMAGES, labels)[:count],
    )


def _normal(rng: np.random.Generator, count: int) -> _Array:
    images = rng.standard_normal((count, *IMAGE), dtype=np.float32)
    images.flags.writeable = False
    return images


def _random_labels(rng: np.random.Generator, count: int, labels: str) -> _Array:
    if labels == "multi-hot":
        return read_only(rng.integers(0, 2, (count, CLASSES)), np.float32)
    return _one_hot(rng.integers(0, CLASSES, count))


def _digits(labels: str, validation: int | None) -> Data:
    images, classes = _digits_images()
    order = permutation(1, 0, len(images))
    train, rest = np.split(order, [len(images) * 4 // 5])
    return Data(
        name="digits",
        labels=labels,
        train_images=read_only(images[train]),
        train_labels=_one_hot(classes[train]),
        validation_images=read_only(images[rest[:validation]]),
        validation_labels=_one_hot(classes[rest[:validation]]),
    )


def _digits_images() -> tuple[_Array, npt.NDArray[Any]]:
    from sklearn.datasets import load_digits

    small, classes = load_digits(return_X_y=True)
    images = np.zeros((len(small), *IMAGE), np.float32)
    images[:, 10:18, 10:18, 0] = small.reshape(-1, 8, 8) / 16
    return images, classes


def _fashion(labels: str, validation: int | None) -> Data:
    images, classes, test_images, test_classes = read_fashion()
    return Data(
        name="fashion-mnist",
        labels=labels,
        train_images=_scaled(images),
        train_labels=_one_hot(classes),
        validation_images=_scaled(test_images[:validation]),
        validation_labels=_one_hot(test_classes[:validation]),
    )


def _scaled(images: npt.NDArray[np.uint8]) -> _Array:
    return read_only(images[..., None] / np.float32(255))


def _one_hot(classes: npt.NDArray[Any]) -> _Array:
    return read_only(np.eye(CLASSES)[classes], np.float32)


def _split(images: _Array, classes: npt.NDArray[Any], name: str, validation: int | None) -> Data:
    """Split the data as in the forum question: 80 to 20, stratified, with random state 42."""
    from sklearn.model_selection import train_test_split

    train, rest = train_test_split(
        np.arange(len(classes)), test_size=0.2, random_state=42, stratify=classes
    )
    return Data(
        name=name,
        labels="one-hot",
        train_images=read_only(images[train]),
        train_labels=_one_hot(classes[train]),
        validation_images=read_only(images[rest[:validation]]),
        validation_labels=_one_hot(classes[rest[:validation]]),
    )


def _digits_split(_labels: str, validation: int | None) -> Data:
    images, classes = _digits_images()
    return _split(images, classes, "digits-split", validation)


def _fashion_split(_labels: str, validation: int | None) -> Data:
    images, classes, _, _ = read_fashion()
    return _split(_scaled(images), classes, "fashion-mnist-split", validation)


DATA: dict[str, Callable[[str, int | None], Data]] = {
    "noise": _noise,
    "digits": _digits,
    "fashion-mnist": _fashion,
    "digits-split": _digits_split,
    "fashion-mnist-split": _fashion_split,
}
