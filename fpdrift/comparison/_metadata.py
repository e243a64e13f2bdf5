"""Compare the settings and environments of runs, and match the steps of their updates.

Records count batches. Two batches of 16 with accumulated gradients are equivalent on paper to one
batch of 32, so such runs are compared after each update, not after each batch.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from fpdrift.comparison._shared_tensors import shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from fpdrift.records import Record

UNKNOWN = "unknown"
#: Values of an environment variable or a package that a run did not have.
NOT_SET, NOT_INSTALLED = "not set", "not installed"
#: Python's hash seed if the environment does not fix it.
RANDOM = "not set: random, a new one in each process"

#: Settings that matter for every comparison: reported even if neither record has them.
_NEEDED = ("condition", "data", "network", "seed", "starting weights")
#: Names to list first, by their last part.
_FIRST = ("learning_rate", "seed")
#: Most characters of a value; only untrusted or generated ones are longer.
_LONGEST = 10_000
#: Most facts to read from each of many records; an untrusted one may have a million.
_MOST = 10_000


def differing_facts(a: Record, b: Record) -> dict[str, tuple[Any, Any]]:
    """List the settings that differ between two records, apart from what training computed.

    Returns
    -------
    dict
        Name, such as ``"condition.seed"`` or ``"packages.numpy"`` -> values of a and b. Lists are
        given as text; a value that a record does not contain is ``"unknown"``. Learning rates and
        seeds come first.
    """
    ours, others = _comparable(a, b)
    flat = [dict(flat_values(facts)) for facts in (ours, others)]
    found = {name: (_value(flat[0], name), _value(flat[1], name)) for name in _names(flat)}
    # 1 and True are equal, and NaN is not equal to itself
    known = {name: both for name, both in found.items() if repr(both[0]) != repr(both[1])}
    unknown = dict.fromkeys(_missing_facts(ours | others, found), (UNKNOWN, UNKNOWN))
    if "batch" in a.digests and "batch" in b.digests:  # the batches were watched
        unknown.pop("data", None)
    return unknown | {name: known[name] for name in sort_names(known)}


def varying_facts(all_facts: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """List the settings that are not the same in several records, as `differing_facts` does.

    Parameters
    ----------
    all_facts : sequence of dict
        Result of `facts_of` for each record.
    """
    flat = [dict(islice(flat_values(facts), _MOST)) for facts in all_facts]
    values = {name: tuple(_value(facts, name) for facts in flat) for name in _names(flat)}
    varying = {
        name: found for name, found in values.items() if len({repr(value) for value in found}) > 1
    }
    return {name: varying[name] for name in sort_names(varying)}


def flat_facts(record: Record) -> dict[str, str]:
    """Return everything that a record contains about its run, as text by name."""
    facts = dict(flat_values(_recorded_facts(record)))
    return {name: str(facts[name]) for name in sort_names(facts) if facts[name] is not None}


def facts_of(record: Record) -> dict[str, Any]:
    """Return what a record contains about its run, apart from what training computed."""
    facts = {
        "complete": record.complete,
        "first step": int(record.steps[0]),
        "last step": int(record.steps[-1]),
        "loss kind": record.loss_kind,
        **_recorded_facts(record),
    }
    if isinstance(facts.get("keras"), dict):
        facts["keras"] = _normalize_keras(facts["keras"])
    if record.start_seen:
        facts["starting weights"] = _starting_weights(record)
    return facts | {f"dtype of {tensor.name}": tensor.dtype for tensor in record.tensors}


def _normalize_keras(keras: dict[str, Any]) -> dict[str, Any]:
    """Normalize the description of a model, so that equal models have equal descriptions.

    A Sequential model loaded from a file lists its InputLayer, a newly built one does not. An
    optimizer that scales the loss for float16 wraps the one whose settings are to be compared.
    """
    found = dict(keras)
    if isinstance(keras.get("layers"), list):
        found["layers"] = [layer for layer in keras["layers"] if layer != "InputLayer"]
    if isinstance(keras.get("optimizers"), list):
        found["optimizers"] = [_unwrapped(settings) for settings in keras["optimizers"]]
    return found


def _unwrapped(settings: Any) -> Any:
    inner = settings.get("inner_optimizer") if isinstance(settings, dict) else None
    if not isinstance(inner, dict):
        return settings
    outer = {name: value for name, value in settings.items() if name != "inner_optimizer"}
    kind = {"name": inner["class_name"]} if "class_name" in inner else {}
    return {n: v for n, v in inner.items() if n != "class_name"} | kind | {"wrapper": outer}


def flat_values(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested settings as pairs of a name, such as ``"condition.seed"``, and a plain value.

    The items of a list of settings, such as those of several optimisers, are numbered from 0; a
    single item has no number. Any other list is one value, in Python notation.
    """
    for key, value in facts.items():
        name, inner = f"{prefix}{key}", value
        if isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
            numbered = {str(i): item for i, item in enumerate(value)}
            inner = value[0] if len(value) == 1 else numbered
        if isinstance(inner, dict):
            yield from flat_values(inner, f"{name}.")
        else:
            yield name, _text(value) if isinstance(value, list | tuple | str) else value


def sort_names(names: Mapping[str, Any]) -> list[str]:
    """Sort names of settings: learning rates and seeds first, the others in their own order."""

    def place(name: str) -> int:
        for number, word in enumerate(_FIRST):
            if name.endswith(word) or f".{word}." in name:
                return number
        return len(_FIRST)

    return sorted(names, key=place)


def _recorded_facts(record: Record) -> dict[str, Any]:
    """Return what a record contains about its run and its machine."""
    machine = record.provenance.to_dict()
    machine["switches"] = {"PYTHONHASHSEED": RANDOM, **machine["switches"]}
    # results reserve names with a leading $
    meta = {name.lstrip("$"): value for name, value in record.meta.items() if value is not None}
    if isinstance(recorder := meta.get("recorder"), dict):  # states are compared at every step
        meta["recorder"] = {k: v for k, v in recorder.items() if k != "generators"}
    return {**meta, **machine}


def _missing_facts(facts: Mapping[str, Any], flat: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """Name the settings that matter for every comparison and that neither record contains."""
    said = set(facts)
    if "keras" in said:  # it lists the layers
        said.add("network")
    if "recorder.data" in flat:  # the arrays were watched
        said.add("data")
    seeds = [name for name in flat if name.endswith("seed") and not name.startswith("keras.")]
    if any(value is not None for name in (*seeds, "keras.seed") for value in flat.get(name, ())):
        said.add("seed")
    return [name for name in _NEEDED if name not in said]


def _starting_weights(record: Record) -> str:
    weights = np.array([tensor.role == "weight" for tensor in record.tensors], bool)
    return xxhash.xxh3_64_hexdigest(record.hashes[0, weights].tobytes())


def _comparable(a: Record, b: Record) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts of two records without those that are not comparable."""
    ours, others = facts_of(a), facts_of(b)
    for facts, part in zip((ours, others), shared(a, b), strict=True):
        if "starting weights" in facts:  # compare the shared weights only
            facts["starting weights"] = _starting_weights(part)
    if ours["first step"] != others["first step"]:  # weights of different steps
        ours["starting weights"] = others["starting weights"] = None
    names = {tensor.name for tensor in a.tensors} & {tensor.name for tensor in b.tensors}
    for facts, record in ((ours, a), (others, b)):
        for tensor in record.tensors:
            if tensor.name not in names:
                del facts[f"dtype of {tensor.name}"]
    return ours, others


def _names(all_facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name all settings; one that is nested in some records is replaced by its parts."""
    names = dict.fromkeys(name for facts in all_facts for name in facts)
    inside = {parent for name in names for parent in _parents(name)}
    return [name for name in names if name not in inside]


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _value(facts: Mapping[str, Any], name: str) -> Any:
    """Return a setting, or the plain value that this record has in place of a nested one.

    Environment variables and packages are recorded only if they exist; a missing one is reported as
    such.
    """
    for place in (name, *_parents(name)):
        if place in facts:
            return facts[place]
    if name.startswith("switches."):
        return NOT_SET
    return NOT_INSTALLED if name.startswith("packages.") else UNKNOWN


def _text(value: Any) -> str:
    """Format a list or text; if it is too long, return its beginning and a digest."""
    text = str(value)
    if len(text) <= _LONGEST:
        return text
    digest = xxhash.xxh3_64_hexdigest(text.encode(errors="surrogatepass"))
    return f"{text[:_LONGEST]}… ({len(text):,} characters, digest {digest})"


def align_updates(a: Record, b: Record) -> tuple[Record, Record]:
    """Count steps in updates if the two runs accumulate gradients over different numbers."""
    batches = [batches_per_update(record) for record in (a, b)]
    if batches[0] == batches[1]:
        return a, b
    return by_updates(a, batches[0]), by_updates(b, batches[1])


def batches_per_update(record: Record) -> int:
    """Return the number of batches per update; 1 if a record does not contain it."""
    optimizers = _optimizers(record)
    settings: Any = optimizers[0] if len(optimizers) == 1 else None
    while isinstance(settings, dict):
        batches = settings.get("gradient_accumulation_steps")
        if type(batches) is int and batches > 1:
            return batches
        settings = settings.get("inner_optimizer")
    return 1


def updates_alike(a: Record, b: Record) -> bool:
    """Return whether two runs are known to use the same optimizer with the same constant rate.

    Then the first update, even if it was not recorded, moved the weights about as far as the
    second. This does not hold for FTRL, which recomputes the weights from all gradients.
    """
    ours, others = map(_optimizers, (a, b))
    return bool(ours) and ours == others and all(map(_has_constant_rate, ours))


def _has_constant_rate(settings: Any) -> bool:
    """Return whether an optimizer updates weights incrementally at a constant rate."""
    while isinstance(settings, dict) and "inner_optimizer" in settings:
        settings = settings["inner_optimizer"]
    if not isinstance(settings, dict):
        return False
    kind = settings.get("class_name", settings.get("name"))
    return isinstance(settings.get("learning_rate"), float) and kind != "Ftrl"


def by_updates(record: Record, batches: int) -> Record:
    """Keep the steps that end an update, and count updates; losses are means over the batches."""
    if batches == 1:
        return record
    rows = np.flatnonzero(record.steps % batches == 0)
    kept = np.flatnonzero(record.sketch_steps % batches == 0)
    return replace(
        record,
        steps=record.steps[rows] // batches,
        hashes=record.hashes[rows],
        present=record.present[rows],
        loss=_mean_loss(record, rows, batches),
        metrics={name: values[rows] for name, values in record.metrics.items()},
        # a batch is only a part of an update
        digests={n: values[rows] for n, values in record.digests.items() if n != "batch"},
        sketch_steps=record.sketch_steps[kept] // batches,
        kept={i: values[kept] for i, values in record.kept.items()},
        squared_norms={i: values[kept] for i, values in record.squared_norms.items()},
        predictions={
            step // batches: found
            for step, found in record.predictions.items()
            if step % batches == 0
        },
    )


def _optimizers(record: Record) -> list[Any]:
    """Return the settings of each optimizer; an empty list if a record has none."""
    keras = record.meta.get("keras")
    found = keras.get("optimizers") if isinstance(keras, dict) else None
    return found if isinstance(found, list) else []


def _mean_loss(record: Record, rows: npt.NDArray[np.intp], batches: int) -> npt.NDArray[np.float64]:
    """Average the losses over the batches of each update; NaN if one was not recorded."""
    firsts = rows - (batches - 1)
    # the starting state has no loss
    recorded = (firsts >= record.start_seen) & (
        record.steps[rows] - record.steps[firsts] == batches - 1
    )
    return np.array(
        [
            record.loss[first : row + 1].mean() if known else np.nan
            for first, row, known in zip(firsts, rows, recorded, strict=True)
        ]
    )
