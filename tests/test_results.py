"""Results survive JSON, copies and pickles to the last bit."""

import base64
import copy
import json
import math
import pickle
import re
import struct
import subprocess
import sys
import tracemalloc
from dataclasses import FrozenInstanceError, dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import ml_dtypes
import numpy as np
import pytest
from boxes import Box, Other
from hypothesis import given
from hypothesis import strategies as st

import fpdrift
from fpdrift.provenance import current
from fpdrift.serialization import Result, read_only

DTYPES = [
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", ml_dtypes.bfloat16),
    )
]


def through_json(value):
    text = Box(held=value).to_json()
    json.loads(text, parse_constant=pytest.fail)  # strict JSON: no NaN, no Infinity
    again = Box.from_json(text)
    assert again.to_json() == text
    return again.held


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_arrays_and_scalars_of_every_dtype_keep_every_bit(dtype):
    rng = np.random.default_rng(1)
    if dtype.kind == "b":
        array = rng.integers(0, 2, 50).astype(bool)
    else:
        array = rng.integers(0, 256, 400 * dtype.itemsize, dtype=np.uint8).view(dtype)
    again = through_json(array)
    assert again.dtype == dtype
    assert again.tobytes() == array.tobytes()
    assert not again.flags.writeable
    for item in array[:20]:
        scalar = through_json(item)
        assert type(scalar) is type(item)
        assert scalar.tobytes() == item.tobytes()


@pytest.mark.parametrize("dtype", [np.dtype("float16"), np.dtype(ml_dtypes.bfloat16)], ids=str)
def test_every_small_float_survives_nan_payloads_and_subnormals_included(dtype):
    array = np.arange(2**16, dtype=np.uint32).astype(np.uint16).view(dtype)
    assert through_json(array).tobytes() == array.tobytes()


@given(st.sampled_from(["float32", "float64"]), st.data())
def test_wide_floats_survive(name, data):
    dtype = np.dtype(name)
    bits = data.draw(st.integers(0, 2 ** (8 * dtype.itemsize) - 1))
    value = np.frombuffer(bits.to_bytes(dtype.itemsize, sys.byteorder), dtype)[0]
    assert through_json(value).tobytes() == value.tobytes()


def test_large_arrays_are_written_as_little_endian_bytes():
    held = json.loads(Box(held=np.arange(65, dtype=">f4").reshape(5, 13)).to_json())["result"][
        "held"
    ]
    assert held["$array"] == "float32"
    assert held["shape"] == [5, 13]
    assert base64.b64decode(held["base64"]) == struct.pack("<65f", *range(65))
    assert held.keys() == {"$array", "shape", "base64"}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_an_array_of_an_older_file_is_read_whatever_its_size(dtype, monkeypatch):
    rng = np.random.default_rng(2)
    largest = 2 if dtype.kind == "b" else 256
    array = rng.integers(0, largest, 100 * dtype.itemsize, dtype=np.uint8).view(dtype)
    monkeypatch.setattr("fpdrift.serialization._READABLE_VALUES", 10**9)
    older = Box(held=array).to_json()
    monkeypatch.undo()
    assert '"values"' in older
    assert "base64" not in older
    again = Box.from_json(older)
    assert again.held.tobytes() == array.tobytes()
    assert "base64" in again.to_json()


def test_a_small_text_allocates_no_large_array():
    """What an array takes is bounded by its text, whatever shape it claims."""
    text = Box(held=np.zeros(65)).to_json().replace("[65]", f"[{1 << 40}]")
    tracemalloc.start()
    try:
        with pytest.raises(fpdrift.FpdriftError, match="not a saved Box"):
            Box.from_json(text)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", [(0,), (3, 0), (), (1,), (2, 3, 4), (8, 8), (5, 13)])
def test_shapes_survive(shape):
    array = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    assert through_json(array).shape == shape
    np.testing.assert_array_equal(through_json(array), array)


def test_strides_and_byte_order_do_not_matter():
    array = np.arange(12, dtype=">f8").reshape(3, 4)[::-1, ::2].T
    again = through_json(array)
    assert again.dtype == np.float64
    np.testing.assert_array_equal(again, array)


python_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**400, 10**6000)
    | st.floats()
    | st.text()
    | st.fractions()
    | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text().filter(lambda key: not key.startswith("$")), inner, max_size=4)
    ),
    max_leaves=8,
)


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float):
        return np.float64(a).tobytes() == np.float64(b).tobytes()
    return str(a) == str(b) if isinstance(a, Decimal) else a == b


@given(python_values)
def test_python_values_survive_with_their_type(value):
    assert same(through_json(value), value)


@pytest.mark.parametrize(
    "value",
    [
        Fraction(10**5000 + 1, 10**4999),
        Fraction(-1, 2**20000),
        Fraction(22, 9),
        -(10**5000),
        2**2000,
        Decimal("1.10"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        -0.0,
        5e-324,
        np.float16(6e-8),
    ],
    ids=lambda value: type(value).__name__,
)
def test_large_small_and_odd_numbers_survive(value):
    assert same(through_json(value), value)


def test_a_fraction_of_ordinary_size_stays_readable():
    assert '"22/9"' in Box(held=Fraction(22, 9)).to_json()


def test_results_may_hold_results():
    again = through_json((Other(held=np.float32(0.1)), {"x": Other(held=(1, 2))}))
    assert again == (Other(held=np.float32(0.1)), {"x": Other(held=(1, 2))})


def test_a_result_remembers_who_made_it():
    document = json.loads(Other(held=1).to_json())
    document["provenance"]["cpu"] = "abacus"
    again = Other.from_json(json.dumps(document))
    assert again.provenance.cpu == "abacus"
    assert json.loads(again.to_json())["provenance"]["cpu"] == "abacus"
    assert Other(held=1).provenance == current()
    assert again == Other(held=1)


def by_pickle(result):
    return pickle.loads(pickle.dumps(result))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, by_pickle])
def test_a_copy_keeps_every_bit_and_who_made_it(copied):
    held = (np.array([np.nan, -0.0, 5e-324]), {"inner": Other(held=Fraction(1, 3))})
    document = json.loads(Box(held=held).to_json())
    document["provenance"]["cpu"] = "abacus"
    box = Box.from_json(json.dumps(document))
    again = copied(box)
    assert type(again) is Box
    assert again.provenance.cpu == "abacus"
    assert again.to_json() == box.to_json()
    assert not again.held[0].flags.writeable


SOURCE = Path(fpdrift.__file__).parent
KINDS = sorted(
    name
    for path in SOURCE.rglob("*.py")
    for name in re.findall(r"^class (\w+)\(Result\)", path.read_text(), re.MULTILINE)
)


def test_a_fresh_interpreter_finds_every_kind_of_result():
    assert {"Anatomy", "Chain", "Comparison", "Condition", "TwoLoops"} <= set(KINDS)
    saved = fpdrift.chain(1.0, 0.5, 3).to_json()
    code = (
        "import sys\n"
        "from fpdrift import serialization\n"
        "text = sys.stdin.read()\n"
        "assert serialization.Result.from_json(text).to_json() == text\n"
        "assert all(serialization._kind(name).__name__ == name for name in sys.argv[1:])\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code, *KINDS]
    done = subprocess.run(command, input=saved, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_bytes_are_read_as_well():
    assert Other.from_json(Other(held="ü").to_json().encode()).held == "ü"


def test_a_result_is_frozen():
    box = Box(held=1)
    with pytest.raises(FrozenInstanceError):
        box.held = 2
    with pytest.raises((AttributeError, TypeError)):
        box.other = 2
    array = read_only([1, 2], "float32")
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 5
    source = np.ones(3)
    copied = read_only(source)
    source[0] = 2  # the caller's array stays the caller's
    assert copied[0] == 1


@pytest.mark.parametrize(
    "held",
    [object(), [1], {1: 2}, {"$x": 1}, np.array(["a"]), np.complex64(1), {1, 2}, b"x"],
    ids=lambda held: type(held).__name__,
)
def test_what_json_could_not_give_back_is_a_mistake_of_ours(held):
    with pytest.raises(TypeError, match="a result"):
        Box(held=held).to_json()


def test_a_field_of_an_older_file_that_is_computed_today_is_dropped():
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Retold(Result):
        _computed: ClassVar[tuple[str, ...]] = ("finding",)
        number: int

        @property
        def finding(self):
            return f"It is {self.number}."

    text = Retold(number=3).to_json()
    assert "It is" not in text
    older = text.replace('"number": 3', '"number": 3, "finding": "It is 4."')
    assert Result.from_json(older).finding == "It is 3."
    with pytest.raises(fpdrift.FpdriftError, match="not a saved"):
        Result.from_json(text.replace('"number": 3', '"number": 3, "claim": "So."'))
