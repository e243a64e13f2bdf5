"""Encode and decode the text and data of a record's entries, with the same rules both ways.

Every function here raises ValueError, KeyError or TypeError if the content breaks a rule; the
reader turns these into a `RecordError` with the file's name.

Rows of named numbers are stored as columns. A dict per row would take sixteen times the memory of
its JSON, so that an untrusted file of a few megabytes could exhaust the memory before it is
rejected.
"""

from __future__ import annotations

import json
import math
import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any, get_args

import ml_dtypes
import numpy as np
import numpy.typing as npt

from fpdrift.errors import short_repr
from fpdrift.records._record import Kept, Role, Tensor
from fpdrift.records._sketch import BUCKETS, sketch_and_norm

LOSS_KINDS = ("step", "execution", "running mean", "reported", "none")

#: Dtypes whose values can be stored: real floats.
FLOATS: dict[str, np.dtype[Any]] = {
    "float16": np.dtype("<f2"),
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
}
#: Dtypes that predictions may have.
NUMBERS = FLOATS | {
    "bool": np.dtype("?"),
    **{
        f"{sign}int{8 * size}": np.dtype(f"<{sign[:1] or 'i'}{size}")
        for sign in ("", "u")
        for size in (1, 2, 4, 8)
    },
}
#: Most axes of a tensor or of predictions, as in NumPy.
MAX_AXES = 64
#: Tensors with up to this many elements are stored whole.
WHOLE_UP_TO = 2048
#: Most characters in the name of a tensor or metric.
MAX_NAME = 500
#: Most names of digests in a record.
MAX_DIGESTS = 16
_DIGEST = re.compile(r"[0-9a-f]{16}")
_MAX_DEPTH = 32
#: Most lists and objects in one text; two for each tensor.
_MAX_OBJECTS = 200_000


def how_kept(role: Role, size: int, dtype: str) -> Kept:
    """Return how much of a tensor a record stores: as much as distances need, within limits."""
    if role not in ("weight", "statistic") or dtype not in FLOATS:
        return "hash"
    return "whole" if size <= WHOLE_UP_TO else "sketch"


def kept_bytes(tensor: Tensor) -> int:
    """Return the bytes of a tensor at a sketched step, in addition to its hash."""
    if tensor.kept == "hash":
        return 0
    if tensor.kept == "whole":
        return tensor.size * FLOATS[tensor.dtype].itemsize
    return 8 * (BUCKETS + 1)


def pack(tensor: Tensor, values: npt.NDArray[Any]) -> bytes:
    """Encode the stored part of a tensor: its values, or its sketch and squared norm."""
    if tensor.kept == "whole":
        return np.asarray(values, FLOATS[tensor.dtype]).tobytes()
    sums, norm = sketch_and_norm(values)
    return np.append(sums, norm).astype("<f8").tobytes()


def unpack(tensor: Tensor, data: Sequence[bytes]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Decode `pack` at m steps: values or sketches (m, n) and squared norms (m,)."""
    dtype = FLOATS[tensor.dtype] if tensor.kept == "whole" else np.dtype("<f8")
    table = np.frombuffer(b"".join(data), dtype).reshape(len(data), -1).astype(np.float64)
    if tensor.kept == "sketch":
        return table[:, :-1], table[:, -1]
    with np.errstate(all="ignore"):  # an infinite weight has an infinite norm
        return table, np.einsum("ij,ij->i", table, table)


def to_text(value: Any, limit: int) -> str:
    """Encode plain JSON values, within the limits of the reader."""
    _check_values(value)
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    _check_objects(text)
    if len(text.encode()) > limit:
        message = f"{len(text)} characters of JSON are too many (at most {limit} bytes)"
        raise ValueError(message)
    return text


def from_text(text: str) -> Any:
    """Decode JSON; NaN, deep nesting and control characters raise ValueError."""
    objects = _check_objects(text)
    value = _DECODER.decode(text)
    # a step's text is short and plain, so that its values need no check
    if objects > _MAX_DEPTH or "\\" in text or not text.isprintable():
        _check_values(value)
    return value


def number_to_json(value: float) -> float | str | None:
    """Encode a number that may be missing (NaN) or infinite."""
    value = float(value)
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def number_from_json(value: Any) -> float:
    """Decode what `number_to_json` encoded."""
    if value is None:
        return math.nan
    if value in ("inf", "-inf") or type(value) in (int, float):
        return float(value)
    message = f"not a number: {short_repr(value)}"
    raise ValueError(message)


def numbers_to_json(values: Mapping[str, float]) -> dict[str, float | str | None]:
    """Encode named numbers."""
    return {name: number_to_json(value) for name, value in values.items()}


def numbers_from_json(value: Any) -> dict[str, float]:
    """Decode named numbers."""
    return {name_from_json(name): number_from_json(item) for name, item in value.items()}


def count_from_json(value: Any) -> int:
    """Decode a count, such as a step."""
    if type(value) is not int or not 0 <= value < 1 << 53:
        message = f"not a count: {short_repr(value)}"
        raise ValueError(message)
    return value


def tensors_to_json(tensors: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Encode the tensors that a record declares."""
    return [{**asdict(tensor), "shape": list(tensor.shape)} for tensor in tensors]


def tensors_from_json(items: Any) -> tuple[Tensor, ...]:
    """Decode the tensors that a record declares."""
    tensors = tuple(_tensor(**item) for item in items)
    names = {tensor.name for tensor in tensors}
    if not tensors or len(names) < len(tensors):
        message = "no tensors, or two of the same name"
        raise ValueError(message)
    return tensors


def _tensor(
    *, name: Any, role: Any, shape: Any, dtype: Any, kept: Any, zero_gradient: Any
) -> Tensor:
    _one_of(role, get_args(Role))
    _one_of(kept, get_args(Kept))
    if zero_gradient not in (None, True, False):
        message = f"zero_gradient is {short_repr(zero_gradient)}"
        raise ValueError(message)
    if kept != "hash":
        _one_of(dtype, FLOATS)
    return Tensor(
        name_from_json(name),
        role,
        shape_from_json(shape),
        name_from_json(dtype),
        kept,
        zero_gradient,
    )


def shape_from_json(value: Any) -> tuple[int, ...]:
    """Decode the shape of a tensor or of predictions."""
    if not isinstance(value, list) or len(value) > MAX_AXES:
        message = f"a shape must be a list of at most {MAX_AXES} sizes"
        raise ValueError(message)
    return tuple(count_from_json(size) for size in value)


def _one_of(value: Any, known: Any) -> None:
    if not isinstance(value, str) or value not in known:
        message = f"{short_repr(value)} is not one of {', '.join(known)}"
        raise ValueError(message)


def name_from_json(value: Any) -> str:
    """Decode the name of a tensor, dtype or metric."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.isprintable():
        message = f"not a name: {short_repr(value)}"
        raise ValueError(message)
    return value


def _check_objects(text: str) -> int:
    """Raise ValueError for texts that would take forty times their size in memory."""
    objects = text.count("{") + text.count("[")
    if objects > _MAX_OBJECTS:
        message = f"JSON of more than {_MAX_OBJECTS} lists and objects"
        raise ValueError(message)
    return objects


def _check_values(value: Any) -> None:
    """Check all values level by level: an untrusted text may contain millions."""
    level = [value]
    for _ in range(_MAX_DEPTH + 1):
        for text in (item for item in level if isinstance(item, str)):
            if not text.isprintable() and not _is_plain(text):
                message = f"text with a control character: {short_repr(text)}"
                raise ValueError(message)
        objects = [item for item in level if isinstance(item, dict)]
        keys = [key for item in objects for key in item]
        for key in (key for key in keys if not isinstance(key, str)):
            message = f"a key is not a string: {short_repr(key)}"
            raise TypeError(message)
        lists = [item for item in level if isinstance(item, list | tuple)]
        level = [*keys, *chain(*(item.values() for item in objects)), *chain(*lists)]
        if not level:
            return
    message = f"JSON nested more than {_MAX_DEPTH} deep"
    raise ValueError(message)


def _is_plain(text: str) -> bool:
    return text.replace("\n", "").replace("\t", "").isprintable()


def _refuse(text: str) -> None:
    message = f"{text} is not JSON"
    raise ValueError(message)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


#: Most different names in one record, such as those of its metrics.
MAX_NAMES = 1000


def digests_to_json(digests: Mapping[str, int]) -> dict[str, str]:
    """Encode 64-bit digests by name."""
    return {name: f"{digest:016x}" for name, digest in digests.items()}


def digests_from_json(value: Any) -> dict[str, int]:
    """Decode 64-bit digests by name."""
    found = {}
    for name, text in dict(value).items():
        if not isinstance(text, str) or not _DIGEST.fullmatch(text):
            message = f"{short_repr(text)} is not a digest"
            raise ValueError(message)
        found[name_from_json(name)] = int(text, 16)
    return found


class Columns:
    """Rows of named numbers; a row need not have all names.

    Parameters
    ----------
    typecode : str, default "d"
        "d" for floats, "Q" for digests.
    missing : float, default NaN
        Value of a name that a row does not have.
    """

    def __init__(self, typecode: str = "d", missing: float = math.nan) -> None:
        self._place: dict[str, int] = {}
        self._lengths = array("I")
        self._names = array("H")
        self._values = array(typecode)
        self._missing = missing

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row.

        Raises
        ------
        ValueError
            If there would be more than `MAX_NAMES` names.
        """
        self._lengths.append(len(row))
        for name, value in row.items():
            place = self._place.setdefault(name, len(self._place))
            if place >= MAX_NAMES:
                message = f"more than {MAX_NAMES} metrics or epoch values"
                raise ValueError(message)
            self._names.append(place)
            self._values.append(value)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return one array per name, (rows,) each, with gaps where a row does not have the name."""
        names, rows = len(self._place), len(self._lengths)
        table = np.full((names, rows), self._missing, self._values.typecode)
        table[self._names, np.repeat(np.arange(rows), self._lengths)] = self._values
        return dict(zip(self._place, table, strict=True))

    def rows(self) -> tuple[dict[str, float], ...]:
        """Return every row as it was added."""
        numbers = zip(self._names, self._values, strict=True)
        names = list(self._place)
        return tuple(
            {names[place]: value for place, value in (next(numbers) for _ in range(length))}
            for length in self._lengths
        )
