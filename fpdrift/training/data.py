"""The images that the networks are trained on. A data set has one content, whatever the seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.checks import check_choice, whole
from fpdrift.results import read_only
from fpdrift.training.chance import digest, permutation
from fpdrift.training.fashion import read_fashion
from fpdrift.training.networks import CLASSES, IMAGE

_Array = npt.NDArray[np.float32]
#: The source's smallest experiment: as many images to train on as to validate with.
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
        """Hash of what is trained on."""
        return digest(self.train_images, self.train_labels)

    def __repr__(self) -> str:
        counts = f"{len(self.train_images)} to train, {len(self.validation_images)} to validate"
        return f"Data({self.name!r}, {counts})"


def load(name: str, labels: str = "one-hot", *, validation: int | None = None) -> Data:
    """Give a data set.

    Parameters
    ----------
    name : str
        ``"noise"``: 30,000 + 30,000 images of standard normal noise with labels drawn at random.
        ``"digits"``: scikit-learn's 1,797 handwritten digits, 8x8 in the middle of 28x28, scaled
        to 0 to 1; 1,437 to train on and 360 to validate with.
        ``"fashion-mnist"``: 60,000 photographs of clothes scaled to 0 to 1, and the 10,000 that are
        kept for testing to validate with; see `fpdrift.training.fashion` for where it is found.
        ``"digits-split"``, ``"fashion-mnist-split"``: as the question divided its images, 80 to 20,
        stratified; of Fashion-MNIST's 60,000.
    labels : {"one-hot", "multi-hot"}
        ``"multi-hot"`` (noise only) is ten independent random bits an image, as in the source.
        They do not sum to 1, so TensorFlow's fused gradient is not that of the loss.
    validation : int, optional
        How many validation images are wanted, counted from the first; by default all.

    Raises
    ------
    FpdriftError
        If there is no such data or no such labels, or the data are damaged.
    MissingDataError
        If the data are nowhere to be had.
    """
    check(name, labels)
    if validation is not None:
        validation = whole("validation", validation, 0, NOISE_IMAGES)
    return DATA[name](labels, validation)


def probe_images(name: str) -> int | None:
    """Say how many validation images a run is probed with; None is all of them.

    All of a split's, since the question stopped by its loss on them.
    """
    return None if name.endswith("-split") else PROBE


def check(name: str, labels: str) -> None:
    """Refuse unknown data or labels.

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
    """Divide as the question did: 80 to 20, each class alike, by scikit-learn's state 42."""
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
