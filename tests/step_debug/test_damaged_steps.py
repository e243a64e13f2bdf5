"""A step's file is data of a stranger's: whatever is in it, there is a result or one line."""

import io
import json
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from fpdrift.errors import FpdriftError
from fpdrift.step_debug import explain_kept
from fpdrift.step_debug._trace_file import TracedTensor, save

STEP = [
    TracedTensor("step", "", "", np.array(1)),
    TracedTensor("before", "d/kernel", "", np.arange(6, dtype=np.float32).reshape(2, 3)),
    TracedTensor("after", "d/kernel", "", np.ones((2, 3), np.float32)),
    TracedTensor("own", "d/kernel", "", np.ones((2, 3), np.float32)),
]


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "whole.npz"
    save(path, STEP)
    return path


def npy(array, **how):
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()


def header(descr, shape):
    """The start of a .npy file that claims what it likes."""
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def refused(whole, other):
    with pytest.raises(FpdriftError) as caught:
        explain_kept(whole, other)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"'{other.name}' is not a file written by keep_step: ")
    return str(caught.value)


def test_the_whole_file_is_read(whole):
    assert explain_kept(whole, whole).compared == 2


HEADS = [
    *([], {}, 3, None, [1], [[]], ["abcd"], [["step", "", ""]], [["step", "", "", "int64", 1]]),
    *([[1, 2, 3, 4]], [[["step"], "", "", "int64"]], [["step", "", "", "int64"]] * 3),
]
ARRAYS = {
    "text": npy(np.array("one")),
    "a pickle": npy(np.array([{}], object), allow_pickle=True),
    "dates": npy(np.array("2020-01-01", "datetime64[D]")),
    "records": npy(np.zeros((), [("a", int)])),
    "complex": npy(np.array(1j)),
    "real": npy(np.array(1.5)),
    "two": npy(np.array([1, 2])),
    "no numpy": b"abc",
    "nothing": b"",
    "larger than memory": header("<i8", (2**60,)),
    "larger than the file": header("<i8", (2**28,)),
    "negative": header("<i8", (-1,)),
    "no dtype": header("nothing", ()),
    "no header": b"\x93NUMPY\x01\x00\x10\x00{[(",
    "nested": b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000,
    "a version": b"\x93NUMPY\x09\x00",
}


@pytest.mark.parametrize("head", HEADS, ids=str)
def test_a_head_of_another_form(head, whole):
    other = whole.with_name("head.npz")
    np.savez(other, head=np.array(json.dumps(head)), a0=np.array(1))
    refused(whole, other)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_step_that_is_no_number(name, whole):
    other = whole.with_name("made.npz")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("head.npy", npy(np.array(json.dumps([["step", "", "", "int64"]]))))
        archive.writestr("a0.npy", ARRAYS[name])
    tracemalloc.start()
    try:
        refused(whole, other)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_another_kind_of_file(whole, tmp_path):
    for name, data in (
        *(("empty", b""), ("text", b"text"), ("npy", npy(np.zeros(3))), ("zip", b"PK\x03\x04")),
        ("ends", b"PK\x05\x06" + bytes(18)),
    ):
        other = tmp_path / f"{name}.npz"
        other.write_bytes(data)
        refused(whole, other)
    refused(whole, tmp_path / "nowhere.npz")
    refused(whole, tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_not_waited_for(whole, tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    refused(whole, tmp_path / "pipe.npz")


def test_a_small_file_unpacks_to_no_large_one(whole):
    other = whole.with_name("bomb.npz")
    arrays = {f"a{i}": np.zeros(10**6) for i in range(4)}
    np.savez_compressed(other, head=np.array(json.dumps([["step", "", "", "int64"]])), **arrays)
    tracemalloc.start()
    try:
        assert "unpack to more" in refused(whole, other)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_a_directory_that_names_one_entry_many_times(whole):
    """Each entry is stored as it is, and all are the same bytes."""
    other = whole.with_name("many.npz")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a0.npy", npy(np.zeros(10_000)))
        first = archive.infolist()[0]
        for i in range(1, 50):
            entry = zipfile.ZipInfo(f"a{i}.npy")
            for name in ("CRC", "compress_size", "file_size", "header_offset"):
                setattr(entry, name, getattr(first, name))
            archive.filelist.append(entry)
            archive.NameToInfo[entry.filename] = entry
    assert "unpack to more" in refused(whole, other)


def test_a_damaged_byte_gives_a_result_or_one_line(whole):
    rng = np.random.default_rng(7)
    data = whole.read_bytes()
    other = whole.with_name("damaged.npz")
    refusals = []
    for _ in range(300):
        damaged = bytearray(data)
        for place in rng.integers(len(data), size=rng.integers(1, 4)):
            damaged[place] ^= rng.integers(1, 256)
        cut = len(data) if rng.random() < 0.7 else int(rng.integers(len(data)))
        other.write_bytes(damaged[:cut])
        try:
            explain_kept(whole, other)
        except FpdriftError as error:
            refusals.append(str(error))
    assert len(refusals) > 100
    assert not [text for text in refusals if "\n" in text]
