"""Fashion-MNIST: found in its places in turn, and taken for nothing else."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from helpers import missing, require

from fpdrift.errors import FpdriftError, MissingDataError
from fpdrift.training import _datasets
from fpdrift.training._datasets import load

NAMES = tuple(_datasets._FILES)
DEBIAN = _datasets._DEBIAN


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine that has it in none of its places, and no network."""
    keras = require("keras")

    def offline():
        raise OSError("no route to host")

    monkeypatch.delenv("FPDRIFT_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(_datasets, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", offline)


def real():
    if not _datasets._complete(DEBIAN):
        missing("Debian's dataset-fashion-mnist is not installed")
    return DEBIAN


def linked(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).symlink_to(real() / name)
    return folder


def test_it_is_what_everybody_has():
    real()
    data = load("fashion-mnist", validation=100)
    assert data.train_images.shape == (60_000, 28, 28, 1)
    assert data.validation_images.shape == (100, 28, 28, 1)
    assert data.train_images.dtype == data.train_labels.dtype == np.float32
    assert (data.train_images.min(), data.train_images.max()) == (0, 1)
    assert data.train_labels.sum(axis=0).tolist() == [6_000] * 10
    assert data.train_labels[:4].argmax(axis=1).tolist() == [9, 0, 0, 3]
    assert not data.train_images.flags.writeable


@pytest.mark.parametrize("place", ["own", "own/fashion-mnist", "keras/datasets/fashion-mnist"])
@pytest.mark.usefixtures("nowhere")
def test_places(place, monkeypatch, tmp_path):
    linked(tmp_path / place)
    monkeypatch.setenv("FPDRIFT_DATA", str(tmp_path / "own"))
    assert _datasets.read_fashion()[3].shape == (10_000,)


@pytest.mark.usefixtures("nowhere")
def test_nowhere_says_what_to_do():
    match = r"no route to host.*FPDRIFT_DATA.*Debian"
    with pytest.raises(MissingDataError, match=match) as caught:
        load("fashion-mnist")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("nowhere")
def test_a_named_folder_without_it_is_no_missing_data(monkeypatch, tmp_path):
    monkeypatch.setenv("FPDRIFT_DATA", str(tmp_path))
    with pytest.raises(FpdriftError, match=r"^FPDRIFT_DATA is .*lacks.*no route to host") as caught:
        load("fashion-mnist")
    assert type(caught.value) is FpdriftError
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("nowhere")
def test_a_folder_that_cannot_be_looked_at_is_no_missing_data(monkeypatch, tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    monkeypatch.setenv("FPDRIFT_DATA", str(loop))
    with pytest.raises(FpdriftError, match=r"cannot be read \(.*FPDRIFT_DATA") as caught:
        load("fashion-mnist")
    assert type(caught.value) is FpdriftError


@pytest.mark.usefixtures("nowhere")
def test_a_damaged_file_in_a_cache_of_some_is_no_missing_data(tmp_path):
    cache = tmp_path / "keras/datasets/fashion-mnist"
    cache.mkdir(parents=True)
    (cache / NAMES[1]).write_bytes(b"no archive")
    with pytest.raises(FpdriftError, match="cannot be read") as caught:
        load("fashion-mnist")
    assert type(caught.value) is FpdriftError


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(bytes(10_008), mtime=0), "SHA-256"),
        (b"no archive", "cannot be read"),
        (gzip.compress(bytes(10_008), mtime=0)[:-12], "cannot be read"),
    ],
)
@pytest.mark.usefixtures("nowhere")
def test_another_file_is_refused(content, why, monkeypatch, tmp_path):
    folder = linked(tmp_path / "own")
    (folder / NAMES[3]).unlink()
    (folder / NAMES[3]).write_bytes(content)
    monkeypatch.setenv("FPDRIFT_DATA", str(folder))
    with pytest.raises(FpdriftError, match=why) as caught:
        _datasets.read_fashion()
    assert type(caught.value) is FpdriftError
