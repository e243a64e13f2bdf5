"""What every result shares: it is frozen, has a short repr, and survives JSON to the last bit.

JSON has no NaN, no float32 and no fraction. A value that JSON cannot hold becomes an object with
one key that starts with ``$`` and names its kind; everything else stays readable as it is. So do
small arrays; of large ones the bytes are written, which is faster to write and to read.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, ClassVar, Self

import ml_dtypes
import numpy as np
import numpy.typing as npt

from fpdrift._kinds import classes
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.fieldtypes import wrong_field
from fpdrift.provenance import Provenance, current

_FORMAT = 1

#: Longer integers are written in hexadecimal: decimal digits take Python quadratic time, and it
#: refuses more than 4300 of them (640 where somebody set the limit as low as it goes).
_DECIMAL_BITS = 2000

#: What Python raises over a text that holds anything but what `encode` gives.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)

#: Arrays of more values than these are written as their bytes, which nobody would read one by one.
_READABLE_VALUES = 64

_DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64"),
        *("uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"),
    )
} | {"bfloat16": np.dtype(ml_dtypes.bfloat16)}


#: Kind of dtype -> what an array's values are in JSON; infinities and NaN are text. NumPy's name
#: for the kind of bfloat16 is V.
_ITEMS: dict[str, set[type]] = {
    "b": {bool},
    "i": {int},
    "u": {int},
    "f": {int, float, str},
    "V": {int, float, str},
}

#: Kinds that older files know under another name.
_RENAMED = {"Courses": "DistanceCurves", "Judged": "Diagnosis", "Repeated": "RerunCheck"}


class Result:
    """Base of every frozen dataclass that a function of fpdrift returns.

    Subclasses are ``@dataclass(frozen=True, kw_only=True, slots=True)``, with ``eq=False`` where a
    field is an array. Sequences are tuples.
    """

    __slots__ = ("_provenance",)
    _provenance: Provenance
    #: Fields of older files that are computed today, such as sentences; reading drops them.
    _computed: ClassVar[tuple[str, ...]] = ()
    #: Field of older files -> its name today.
    _renamed: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        classes.add(cls.__name__, cls)

    @property
    def provenance(self) -> Provenance:
        """What produced this result: this process, or the one that saved it."""
        try:
            return self._provenance
        except AttributeError:
            return current()

    @classmethod
    def upgrade(cls, encoded: dict[str, Any]) -> dict[str, Any]:
        """Turn the encoded fields of an older file into those of today."""
        # what the constructor works out itself, older files hold too
        derived = {f.name for f in fields(cls) if not f.init}  # type: ignore[arg-type]
        computed = derived.union(cls._computed)
        return {
            cls._renamed.get(name, name): value
            for name, value in encoded.items()
            if name not in computed
        }

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles go through JSON: a dataclass's own state knows nothing of provenance,
        # and arrays would become writeable.
        return Result.from_json, (self.to_json(),)

    def to_json(self) -> str:
        """Write the result and its provenance as JSON, exact to the bit."""
        document = {
            "fpdrift": _FORMAT,
            "provenance": self.provenance.to_dict(),
            "result": encode(self),
        }
        text = json.dumps(document, allow_nan=False, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:  # the name of a file that is not UTF-8
            return json.dumps(document, allow_nan=False)
        return text

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote; `Result.from_json` reads any kind.

        Raises
        ------
        FpdriftError
            If the text is no JSON, or holds another kind of result.
        """
        try:
            document = json.loads(text, parse_constant=_refuse_constant)
            if document["fpdrift"] != _FORMAT:
                given = short_repr(document["fpdrift"])
                message = f"written in format {given}; this fpdrift reads {_FORMAT}"
                raise FpdriftError(message)
            result = decode(upgraded(document["result"]))
            made_by = Provenance.from_dict(document["provenance"])
        except _UNREADABLE as error:
            why = short_repr(str(error))
            message = f"not a saved {cls.__name__} ({why}); give the text that to_json wrote"
            raise FpdriftError(message) from None
        if not isinstance(result, cls):
            message = f"expected a saved {cls.__name__}, found {type(result).__name__}"
            raise FpdriftError(message)
        object.__setattr__(result, "_provenance", made_by)
        return result


def read_only(values: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> npt.NDArray[Any]:
    """Copy into an array that nobody can write to."""
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


def encode(value: Any) -> Any:
    """Turn a value into JSON values, losing nothing."""
    if isinstance(value, Result):
        # A field that the constructor works out from the others is not written.
        given = [f.name for f in fields(value) if f.init]  # type: ignore[arg-type]
        inner = {name: encode(getattr(value, name)) for name in given}
        return {"$result": type(value).__name__, **inner}
    if isinstance(value, np.ndarray):
        return _encode_array(value)
    if isinstance(value, np.generic):
        return {f"${_dtype_name(value.dtype)}": _plain(value)}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float | Fraction | Decimal):
        return _encode_number(value)
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        _check_keys(value)
        return {key: encode(item) for key, item in value.items()}
    message = f"a result cannot hold a {type(value).__name__}: {short_repr(value)}"
    raise TypeError(message)


def _encode_array(array: npt.NDArray[Any]) -> dict[str, Any]:
    head = {"$array": _dtype_name(array.dtype), "shape": list(array.shape)}
    if array.size <= _READABLE_VALUES:
        return {**head, "values": [_plain(item) for item in array.ravel()]}
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return {**head, "base64": base64.b64encode(_little(native).tobytes()).decode()}


def _little(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Swap an array's bytes where this machine's are not in the order of the file."""
    return array if sys.byteorder == "little" else array.byteswap()


def _encode_number(value: float | Fraction | Decimal) -> Any:
    if isinstance(value, Fraction):
        return {"$fraction": f"{_digits(value.numerator)}/{_digits(value.denominator)}"}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": _plain(np.float64(value))}
    return value if value.bit_length() <= _DECIMAL_BITS else {"$int": hex(value)}


def upgraded(value: Any) -> Any:
    """Bring encoded results of an older file to the fields of today; all else stays as it is."""
    if isinstance(value, list):
        return [upgraded(item) for item in value]
    if not isinstance(value, dict) or any(
        key.startswith("$") and key != "$result" for key in value
    ):
        return value
    if "$result" in value:
        given = {key: item for key, item in value.items() if key != "$result"}
        kind = _kind(value["$result"])
        value = {"$result": kind.__name__, **kind.upgrade(given)}
    return {key: upgraded(item) for key, item in value.items()}


def decode(value: Any) -> Any:
    """Turn JSON values back into what `encode` was given."""
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    tag = next((key for key in value if key.startswith("$")), None)
    if tag is None:
        return {key: decode(item) for key, item in value.items()}
    if tag == "$result":
        return _decode_result(value)
    if tag == "$array":
        return _decode_array(value)
    if tag in _SCALARS:
        return _SCALARS[tag](value[tag])
    return _from_plain(value[tag], _dtype(tag[1:]))


def _decode_result(value: dict[str, Any]) -> Result:
    kind = _kind(value["$result"])
    given = {key: decode(item) for key, item in value.items() if key != "$result"}
    if wrong := wrong_field(kind, given, classes.known()):
        name, wanted = wrong
        message = (
            f"{kind.__name__}.{name} is {short_repr(given[name])}, not {wanted}; "
            "give the text that to_json wrote"
        )
        raise FpdriftError(message)
    return kind(**given)


def _kind(name: str) -> type[Result]:
    kind: type[Result] | None = classes.find(_RENAMED.get(name, name))
    if kind is None:
        message = (
            f"unknown kind of result {short_repr(name)}; import the module that defines it first"
        )
        raise FpdriftError(message)
    return kind


def _decode_array(value: dict[str, Any]) -> npt.NDArray[Any]:
    dtype = _dtype(value["$array"])
    shape = value["shape"]
    if not isinstance(shape, list) or any(type(axis) is not int or axis < 0 for axis in shape):
        message = f"an array has the shape {short_repr(shape)}"
        raise TypeError(message)
    flat = _from_base64(value["base64"], dtype) if "base64" in value else _listed(value, dtype)
    shaped = flat.reshape(shape)
    shaped.flags.writeable = False
    return shaped


def _from_base64(text: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Read an array's bytes; they take three quarters of the text, whatever its shape claims."""
    data = base64.b64decode(text, validate=True)
    if dtype.kind == "b" and data.strip(b"\0\1"):
        message = f"an array of bool holds bytes other than 0 and 1: {short_repr(text)}"
        raise ValueError(message)
    return _little(np.frombuffer(data, dtype))


def _listed(value: dict[str, Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    values = value["values"]
    kinds = set(map(type, values))
    if not kinds <= _ITEMS[dtype.kind]:
        message = f"an array of {dtype.name} holds {short_repr(values)}"
        raise TypeError(message)
    if str in kinds or dtype.kind == "V":
        values = [_from_plain(item, dtype) for item in values]
    return np.array(values, dtype)


def _digits(number: int) -> str:
    return str(number) if number.bit_length() <= _DECIMAL_BITS else hex(number)


def _decode_fraction(text: str) -> Fraction:
    numerator, denominator = text.split("/")
    return Fraction(int(numerator, 0), int(denominator, 0))


def _decode_float(text: str) -> float:
    return float(_from_plain(text, np.dtype("float64")))


_SCALARS: dict[str, Callable[[str], Any]] = {
    "$float": _decode_float,
    "$fraction": _decode_fraction,
    "$int": lambda text: int(text, 16),
    "$decimal": Decimal,
}


def _plain(item: np.generic) -> Any:
    """One scalar as a JSON value; a NaN carries its bits, since there are many."""
    if item.dtype.kind in "biu":
        return item.item()
    number = float(item)
    if math.isnan(number):
        return f"nan 0x{int.from_bytes(item.tobytes(), sys.byteorder):x}"
    return number if math.isfinite(number) else str(number)


def _from_plain(item: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(item, str) and item.startswith("nan 0x"):
        bits = int(item[4:], 16).to_bytes(dtype.itemsize, sys.byteorder)
        return np.frombuffer(bits, dtype)[0]
    if isinstance(item, str):
        item = float(item)
    elif isinstance(item, dict | list) or item is None:
        message = f"not a {dtype.name}: {short_repr(item)}"
        raise TypeError(message)
    return dtype.type(item)


def _dtype(name: str) -> np.dtype[Any]:
    if name not in _DTYPES:
        message = f"unknown kind of value {short_repr(name)}"
        raise FpdriftError(message)
    return _DTYPES[name]


def _dtype_name(dtype: np.dtype[Any]) -> str:
    name = str(dtype.name)
    if name not in _DTYPES:
        message = f"a result cannot hold an array of {dtype}"
        raise TypeError(message)
    return name


def _check_keys(value: dict[Any, Any]) -> None:
    for key in value:
        if not isinstance(key, str) or key.startswith("$"):
            message = (
                f"a result's dict needs string keys without a leading $, not {short_repr(key)}"
            )
            raise TypeError(message)


def _refuse_constant(text: str) -> None:
    message = f"{text} is not JSON; fpdrift writes it as a string"
    raise ValueError(message)
