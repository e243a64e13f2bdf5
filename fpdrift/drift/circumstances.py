"""What else is not the same in two runs: a difference in weights has to be read beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.records.record import Record

UNKNOWN = "unknown"

#: What a reader has to know of both runs; where neither says, that is worth a line.
_NEEDED = ("condition", "data", "network", "seed", "starting weights")


def differing_facts(a: Record, b: Record) -> dict[str, tuple[Any, Any]]:
    """List what differs between two records of one model, apart from what training computed.

    Returns
    -------
    dict
        Name, such as ``"condition.seed"`` or ``"packages.numpy"`` -> a's and b's value;
        ``"unknown"`` where a record does not say.
    """
    ours, others = dict(_facts(a)), dict(_facts(b))
    pairs = {
        name: (ours.get(name, UNKNOWN), others.get(name, UNKNOWN)) for name in {**ours, **others}
    }
    needed = {
        name: (UNKNOWN, UNKNOWN)
        for name in _NEEDED
        if not any(key == name or key.startswith(f"{name}.") for key in pairs)
    }
    # repr, since 1 and True are equal and NaN is not equal to itself
    return needed | {name: pair for name, pair in pairs.items() if repr(pair[0]) != repr(pair[1])}


def _facts(record: Record) -> Iterator[tuple[str, Any]]:
    yield "complete", record.complete
    yield "last step", int(record.steps[-1])
    yield "loss kind", record.loss_kind
    if record.steps[0] == 0:
        roles = np.array([tensor.role == "weight" for tensor in record.tensors], bool)
        start = np.ascontiguousarray(record.hashes[0, roles])
        yield "starting weights", xxhash.xxh3_64_hexdigest(start.tobytes())
    for tensor in record.tensors:
        yield f"dtype of {tensor.name}", tensor.dtype
    for name, value in record.meta.items():
        if value is not None:
            yield from _flat(name.lstrip("$"), value)  # a result keeps a leading $ for itself
    for name, value in record.provenance.to_dict().items():
        yield from _flat(name, value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Take a JSON value apart into named values that a result can hold."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif isinstance(value, list | tuple):
        yield name, ", ".join(str(item) for item in value)
    else:
        yield name, value
