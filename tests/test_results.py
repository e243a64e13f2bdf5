"""Results survive JSON to the last bit, and broken JSON is refused in one line."""

import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpdrift
from fpdrift.errors import FpdriftError
from fpdrift.provenance import current
from fpdrift.results import Result, read_only

DTYPES = [
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", ml_dtypes.bfloat16),
    )
]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Box(Result):
    """A result that holds anything."""

    held: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Other(Result):
    """Another kind."""

    held: Any = None


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


@pytest.mark.parametrize("shape", [(0,), (3, 0), (), (1,), (2, 3, 4)])
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


def saved(held):
    document = json.loads(Other(held=1).to_json())
    document["result"]["held"] = held
    return json.dumps(document)


@pytest.mark.parametrize(
    "held",
    [
        {"$result": "Nothing"},
        {"$result": ["Other"]},
        {"$result": "Other", "stranger": 1},
        {"$array": "float8", "shape": [1], "values": [1]},
        {"$array": "float32", "shape": [2], "values": [1]},
        {"$array": "float32", "shape": "x", "values": [1]},
        {"$array": "float32", "shape": [1]},
        {"$array": "float32", "shape": [1], "values": 3},
        {"$array": "float32", "shape": [1], "values": ["abc"]},
        {"$array": "float32", "shape": [1], "values": [None]},
        {"$array": "float32", "shape": [1], "values": [[1]]},
        {"$array": "int8", "shape": [1], "values": [300]},
        {"$array": ["float32"], "shape": [1], "values": [1]},
        {"$float16": "nan 0xfffffff"},
        {"$float64": "nan 0xzz"},
        {"$float64": {}},
        {"$fraction": "1/0"},
        {"$fraction": "1"},
        {"$fraction": 3},
        {"$fraction": "a/b"},
        {"$decimal": "abc"},
        {"$decimal": {}},
        {"$float": None},
        {"$int": "xyz"},
        {"$int": 3},
        {"$mystery": 3},
    ],
    ids=json.dumps,
)
def test_a_broken_value_is_refused(held):
    with pytest.raises(FpdriftError) as caught:
        Other.from_json(saved(held))
    assert "\n" not in str(caught.value)


def test_a_broken_document_is_refused():
    whole = Other(held=1).to_json()
    for text in (
        *("", "{", "[]", "3", "null", '"abc"', "{}", "not json", whole[:-1], "[" * 100_000),
        *(b"\xff\xfe\x00", None, 3),
        whole.replace('"fpdrift": 1', '"fpdrift": 99', 1),
        whole.replace('"held": 1', '"held": NaN', 1),
        whole.replace('"$result"', '"result"', 1),
        whole.replace('"cores"', '"kernels"', 1),
        json.dumps({"fpdrift": 1, "result": {"$result": "Other"}, "provenance": None}),
    ):
        assert text != whole
        with pytest.raises(FpdriftError) as caught:
            Other.from_json(text)
        assert "\n" not in str(caught.value)


def test_another_kind_is_refused():
    with pytest.raises(FpdriftError, match="expected a saved Other, found Box"):
        Other.from_json(Box(held=1).to_json())
    assert isinstance(Result.from_json(Box(held=1).to_json()), Box)


HEAVY = (
    *("tensorflow", "keras", "matplotlib", "sklearn", "scipy", "rich", "pandas"),
    *("torch", "jax", "cupy"),
)


def in_a_fresh_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "use",
    [
        "pass",
        "fpdrift.anatomy(0.1).to_json()",
        "fpdrift.orders('2*11/9').orders[0].ledger",
        "fpdrift.ulp_distance(1.0, 2.0)",
    ],
)
def test_import_fpdrift_loads_nothing_heavy(use):
    code = f"import sys, fpdrift; {use}; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in in_a_fresh_process(code)}
    assert "fpdrift" in loaded
    assert not loaded & set(HEAVY)


def test_the_names_are_listed_before_they_are_loaded():
    code = "import sys, fpdrift; print(*dir(fpdrift)); print('numpy' in sys.modules)"
    *names, numpy_loaded = in_a_fresh_process(code)
    assert set(fpdrift.__all__) <= set(names)
    assert numpy_loaded == "False"


@pytest.mark.parametrize("name", [n for n in fpdrift.__all__ if n != "DriftRecorder"])
def test_every_public_name_resolves(name):
    assert getattr(fpdrift, name) is not None


@pytest.mark.slow
def test_the_recorder_resolves_or_says_what_to_install():
    code = "import fpdrift\ntry: print(fpdrift.DriftRecorder.__name__)\n"
    code += "except fpdrift.MissingExtraError as error: print(error.module)"
    expected = "DriftRecorder" if importlib.util.find_spec("keras") else "keras"
    assert in_a_fresh_process(code) == [expected]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fpdrift.nothing  # noqa: B018 - reading it is the test
