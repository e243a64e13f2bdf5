"""What else is not the same in two runs: a difference in weights has to be read beside it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fpdrift.records.record import Record

UNKNOWN = "unknown"

#: What a reader has to know of both runs; where neither says, that is worth a line.
_NEEDED = ("condition", "data", "network", "seed", "starting weights")
#: Characters that are shown of a value with an inner life, such as a nudge's account.
_SHOWN = 100
#: Facts that are looked at of each of many records; a stranger's may have a million.
_MOST = 10_000


def differing_facts(a: Record, b: Record) -> dict[str, tuple[Any, Any]]:
    """List what differs between two records of one model, apart from what training computed.

    Returns
    -------
    dict
        Name, such as ``"condition.seed"`` or ``"packages.numpy"`` -> a's and b's value, shortened
        to a line of text where it is no plain value; ``"unknown"`` where a record does not say.
    """
    ours, others = facts_of(a), facts_of(b)
    unknown = {name: (UNKNOWN, UNKNOWN) for name in _NEEDED if name not in ours | others}
    return unknown | dict(_differing("", ours, others))


def varying_facts(all_facts: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """List what is not the same in all of several records; names and values as above.

    Parameters
    ----------
    all_facts : sequence of dict
        What `facts_of` gave for each.
    """
    flat = [dict(islice(_flat("", facts), _MOST)) for facts in all_facts]
    names = dict.fromkeys(name for facts in flat for name in facts)
    values = {name: [facts.get(name, UNKNOWN) for facts in flat] for name in names}
    return {
        name: tuple(_shown(value) for value in found)
        for name, found in values.items()
        if len({repr(value) for value in found}) > 1
    }


def _flat(prefix: str, facts: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value


def flat_facts(record: Record) -> dict[str, str]:
    """Give all that a record says of its run, one text a name."""
    facts = dict(_flat("", {**record.meta, **record.provenance.to_dict()}))
    return {name.lstrip("$"): str(_shown(v)) for name, v in facts.items() if v not in (None, {})}


def facts_of(record: Record) -> dict[str, Any]:
    """Give what a record says of its run, apart from what training computed."""
    facts = {
        "complete": record.complete,
        "last step": int(record.steps[-1]),
        "loss kind": record.loss_kind,
        # a result keeps names with a leading $ for itself
        **{name.lstrip("$"): value for name, value in record.meta.items() if value is not None},
        **record.provenance.to_dict(),
    }
    if record.steps[0] == 0:
        weights = np.array([tensor.role == "weight" for tensor in record.tensors])
        facts["starting weights"] = xxhash.xxh3_64_hexdigest(record.hashes[0, weights].tobytes())
    return facts | {f"dtype of {tensor.name}": tensor.dtype for tensor in record.tensors}


def _differing(
    prefix: str, a: dict[str, Any], b: dict[str, Any]
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Give what differs, looking into what both records have as an object of JSON."""
    for name in a | b:
        ours, others = a.get(name, UNKNOWN), b.get(name, UNKNOWN)
        if isinstance(ours, dict) and isinstance(others, dict):
            yield from _differing(f"{prefix}{name}.", ours, others)
        elif repr(ours) != repr(others):  # 1 and True are equal, and NaN is not equal to itself
            yield f"{prefix}{name}", (_shown(ours), _shown(others))


def _shown(value: Any) -> Any:
    """Give a value that a result can hold."""
    if isinstance(value, dict | list | tuple):
        text = str(value)
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return value
