"""Broken JSON, and JSON of another kind, is refused in one short line."""

import json

import pytest
from boxes import Box, Other

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.serialization import Result


def saved(held):
    document = json.loads(Other(held=1).to_json())
    document["result"]["held"] = held
    return json.dumps(document)


@pytest.mark.parametrize(
    "held",
    [
        {"$result": "Nothing"},
        {"$result": 5000 * "x"},
        {5000 * "$": 1},
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
        {"$array": "float32", "shape": [-1], "values": [1]},
        {"$array": "float32", "shape": 1, "values": [1]},
        {"$array": "float32", "shape": [True], "values": [1]},
        {"$array": "float32", "shape": [1], "base64": "AACAPw"},
        {"$array": "float32", "shape": [1], "base64": "AACA*w=="},
        {"$array": "float32", "shape": [1], "base64": "AACA\nPw=="},
        {"$array": "float32", "shape": [1], "base64": "äACAPw=="},
        {"$array": "float32", "shape": [1], "base64": "AACA"},
        {"$array": "float32", "shape": [2], "base64": "AACAPw=="},
        {"$array": "float32", "shape": [-1], "base64": "AACAPw=="},
        {"$array": "float32", "shape": [1 << 40], "base64": "AACAPw=="},
        {"$array": "float32", "shape": [1 << 40, 1 << 40], "base64": ""},
        {"$array": "float32", "shape": [1], "base64": 3},
        {"$array": "float32", "shape": [1], "base64": ["AACAPw=="]},
        {"$array": "float32", "base64": "AACAPw=="},
        {"$array": "float8", "shape": [4], "base64": "AACAPw=="},
        {"$array": "bool", "shape": [3], "base64": "AQIB"},
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
    ids=short_repr,
)
def test_a_broken_value_is_refused(held):
    with pytest.raises(FpdriftError) as caught:
        Other.from_json(saved(held))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 150


def test_a_broken_document_is_refused():
    whole = Other(held=1).to_json()
    for text in (
        *("", "{", "[]", "3", "null", '"abc"', "{}", "not json", whole[:-1], "[" * 100_000),
        *(b"\xff\xfe\x00", None, 3),
        whole.replace('"fpdrift": 1', '"fpdrift": 99', 1),
        whole.replace('"fpdrift": 1', f'"fpdrift": {[5000 * "x"]}'.replace("'", '"'), 1),
        whole.replace('"held": 1', '"held": NaN', 1),
        whole.replace('"$result"', '"result"', 1),
        whole.replace('"cores"', '"kernels"', 1),
        json.dumps({"fpdrift": 1, "result": {"$result": "Other"}, "provenance": None}),
    ):
        assert text != whole
        with pytest.raises(FpdriftError) as caught:
            Other.from_json(text)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 150


def test_an_unknown_kind_says_what_to_do():
    with pytest.raises(FpdriftError, match="'Nothing'; import the module that defines it first"):
        Result.from_json(saved({"$result": "Nothing"}))


def test_another_kind_is_refused():
    with pytest.raises(FpdriftError, match="expected a saved Other, found Box"):
        Other.from_json(Box(held=1).to_json())
    assert isinstance(Result.from_json(Box(held=1).to_json()), Box)
