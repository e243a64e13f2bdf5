"""A saved result whose field is of another type is refused by the field's name."""

import json
import re
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from fpdrift._kinds import classes
from fpdrift.errors import FpdriftError
from fpdrift.floats import anatomy
from fpdrift.reduction import plans
from fpdrift.serialization import Result

ROOT = Path(__file__).parents[1]
SAVED = sorted([*ROOT.glob("fpdrift/recorded/*.json"), *ROOT.glob("figures/demo/*.json")])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Typed(Result):
    """A field of each type that results have."""

    whole: int = 1
    real: float = 1.5
    flag: bool = True
    text: str = "a"
    either: int | str | None = None
    choice: Literal["x", "y"] = "x"
    pair: tuple[int, str] = (1, "a")
    many: tuple[float, ...] = (1.0, 2.0)
    table: dict[str, int | None] = None  # type: ignore[assignment]
    ratio: Fraction = Fraction(1, 3)
    inner: "Typed | None" = None
    numbers: npt.NDArray[np.float64] = None  # type: ignore[assignment]
    anything: npt.NDArray[Any] | None = None
    free: Any = None


FINE = {
    "table": {"a": 1, "b": None},
    "numbers": {"$array": "float64", "shape": [2], "values": [1.0, "nan 0x7ff8000000000000"]},
}


def document(**changed):
    text = json.loads(anatomy(1).to_json())
    return json.dumps(text | {"result": {"$result": "Typed"} | FINE | changed})


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"whole": {"$int64": 3}},
        {"real": 2},
        {"real": {"$float": "inf"}},
        {"real": {"$float32": 0.5}},
        {"either": "b"},
        {"either": 7},
        {"choice": "y"},
        {"many": []},
        {"table": {}},
        {"ratio": {"$fraction": "-7/2"}},
        {"inner": {"$result": "Typed", **FINE}},
        {"anything": {"$array": "int8", "shape": [0, 3], "values": []}},
        {"free": [1, {"a": True}]},
    ],
    ids=str,
)
def test_what_fits_is_read(changed):
    assert isinstance(Result.from_json(document(**changed)), Typed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", 1.5),
        ("whole", True),
        ("whole", "1"),
        ("whole", None),
        ("real", "1.5"),
        ("real", False),
        ("flag", 1),
        ("text", 1),
        ("text", ["a"]),
        ("either", 1.5),
        ("choice", "z"),
        ("choice", 1),
        ("pair", [1]),
        ("pair", [1, 2]),
        ("pair", {"a": 1}),
        ("many", [1.0, "2"]),
        ("many", 1.0),
        ("table", {"a": "1"}),
        ("table", [1]),
        ("ratio", 1),
        ("inner", {"$result": "Typed", **FINE, "text": 3}),
        ("inner", 3),
        ("numbers", [1.0, 2.0]),
        ("numbers", {"$array": "float32", "shape": [1], "values": [1.0]}),
        ("anything", 3),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name, value):
    with pytest.raises(FpdriftError) as caught:
        Result.from_json(document(**{name: value}))
    named = "text" if isinstance(value, dict) and value.get("text") == 3 else name
    assert str(caught.value).startswith(f"Typed.{named} is ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("int64", [1.5]),
        ("int64", [True]),
        ("uint8", ["1"]),
        ("bool", [1]),
        ("float32", [True]),
        ("float64", ["abc"]),
        ("bfloat16", [None]),
    ],
)
def test_an_array_holds_values_of_its_dtype(dtype, values):
    array = {"$array": dtype, "shape": [1], "values": values}
    with pytest.raises(FpdriftError):
        Result.from_json(document(anything=array))


def test_a_large_array_is_not_checked_number_by_number(monkeypatch):
    values = np.random.default_rng(1).normal(size=50_000)
    result = Typed(numbers=values, table={})
    monkeypatch.setattr("fpdrift.serialization._from_plain", None)  # one call would raise
    assert Result.from_json(result.to_json()).numbers.tobytes() == values.tobytes()


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_result_that_was_recorded_is_still_read(path):
    result = Result.from_json(path.read_text(encoding="utf-8"))
    assert Result.from_json(result.to_json()).to_json() == result.to_json()


def test_there_are_recorded_results():
    assert len(SAVED) > 20


def test_a_small_plan_that_says_it_is_large_takes_no_memory():
    import tracemalloc

    text = json.loads(plans.sequential(4).to_json())
    text["result"]["n"] = 2**30
    tracemalloc.start()
    try:
        with pytest.raises(FpdriftError, match=r"6 children for 1073741824 inputs and 3 nodes"):
            Result.from_json(json.dumps(text))
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_no_field_s_type_has_the_name_of_another_kind_of_result():
    """Names in annotations are looked up among the kinds, so an alias of that name would lose."""
    kinds = classes.all()
    for kind in kinds.values():
        for annotation in kind.__annotations__.values():
            for name in set(re.findall(r"\w+", str(annotation))) & set(kinds):
                meant = vars(sys.modules[kind.__module__]).get(name, kinds[name])
                assert meant is kinds[name], f"{kind.__name__}: {name}"
