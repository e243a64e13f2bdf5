"""Where two runs of a script begin to differ, and what that speaks for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fpdrift.doctor._first_draw import DrawDifference, first_difference
from fpdrift.doctor._remedies import CODES
from fpdrift.doctor._results import Kind, RunDifference, Suspect
from fpdrift.doctor._run import Trace
from fpdrift.errors import FpdriftError

#: Generator -> the intervention that seeds it. Keras draws its default seeds from Python's.
_SEEDED_BY = {
    "python": "python seed",
    "keras": "python seed",
    "numpy": "numpy seed",
    "numpy generator": "generator seeds",
    "tensorflow": "tensorflow seed",
    "entropy": "fixed entropy",
}
#: Interventions that one call of `keras.utils.set_random_seed` makes needless.
GLOBAL_SEEDS = ("python seed", "numpy seed", "tensorflow seed")
_SEEDS_ALL = "keras.utils.set_random_seed"
#: Files and lines of sets, and of calls of `hash`.
Hashes = Sequence[tuple[str, int]]
_TRAINING = ("fit", "loop", "step")


@dataclass(frozen=True)
class Candidate:
    """What may be the cause of a difference, and how it would be taken away."""

    kind: Kind
    subject: str
    file: str
    line: int
    intervention: str
    #: other places, ``file:line``, of the same kind
    also: tuple[str, ...] = ()


def first_training(a: Trace, b: Trace) -> tuple[int, str]:
    """Return which training event differs first, and in what: data, start, steps or number."""
    ours, others = (_trainings(trace) for trace in (a, b))
    for number, (one, other) in enumerate(zip(ours, others, strict=False)):
        for part in ("data", "start", "digest"):
            if one.get(part) != other.get(part):
                return number, part
        if one["event"] == "fit" and _verdict(a, b, one)[0] not in ("", "identical"):
            return number, "steps"
    return min(len(ours), len(others)), "number"


def _trainings(trace: Trace) -> list[dict[str, Any]]:
    return [event for event in trace.events if event["event"] in _TRAINING]


def difference(a: Trace, b: Trace) -> RunDifference:
    """Measure how far two runs are apart."""
    number, _ = first_training(a, b)
    ours = _trainings(a)
    fits = [e for e in ours[number : number + 1] if e["event"] == "fit"]
    verdict, reason = _verdict(a, b, fits[0]) if fits else ("", "")
    return RunDifference(distance=distance(a, b), verdict=verdict, reason=reason)


def distance(a: Trace, b: Trace) -> float:
    """Return the relative distance of the final weights of two runs; NaN if it is undefined."""
    finals = [trace.folder / "records" / "final.npy" for trace in (a, b)]
    if not all(final.exists() for final in finals):
        return math.nan
    one, other = (np.load(final) for final in finals)
    if one.shape != other.shape or not (size := float(np.linalg.norm(one))):
        return math.nan
    return float(np.linalg.norm(one - other)) / size


def _verdict(a: Trace, b: Trace, fit: dict[str, Any]) -> tuple[str, str]:
    """Return the verdict of comparing the records of one training of two runs."""
    from fpdrift.comparison import compare

    try:
        paths = [trace.folder / "records" / fit["record"] for trace in (a, b)]
        verdict = compare(*paths).verdict
    except FpdriftError:  # without a step, or with other layers
        return "", ""
    return verdict.kind, verdict.reason


def candidates(
    a: Trace, b: Trace, suspects: Sequence[Suspect], *, hashes: Hashes = ()
) -> list[Candidate]:
    """List what may have caused the first difference between two runs, most likely first.

    Parameters
    ----------
    a, b : Trace
        Two runs that differ.
    suspects : sequence of Suspect
        What the linter finds in the script; decides between causes that the runs do not tell
        apart, and gives their lines.
    hashes : sequence of (str, int)
        File and line of what depends on hashes; without any, their order is the last guess.

    Returns
    -------
    list of Candidate
        Generators whose draws differ, if there are any; otherwise everything that the runs use
        and that may run differently each time.
    """
    number, part = first_training(a, b)
    drawn = list(_draws(a, b, number))
    return drawn or _unseen(a, b, number, part, suspects, hashes=hashes)


def _draws(a: Trace, b: Trace, number: int) -> Iterator[Candidate]:
    """Yield each unseeded generator whose draws differ up to the first different training.

    If a seeded generator's draws differ, somebody asked it for other draws; it is no cause.
    """
    ours, others = (_before(trace, number + 1) for trace in (a, b))
    found = []
    for generator in dict.fromkeys(map(_which, [*ours, *others])):
        one, other = ([e for e in side if _concerns(e, generator)] for side in (ours, others))
        first = first_difference(one, other)
        if first is not None and (first.kind == "other seed" or not first.seeded):
            made = first.made_at or _unseeded_at(one, first)
            found.append(_candidate(first, made, _other_places(one, other, first.place)))
    yield from sorted(_merged(found), key=lambda c: c.intervention == "fixed entropy")


def _merged(found: list[Candidate]) -> Iterator[Candidate]:
    """Yield one candidate for all places that one intervention concerns."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in found:
        groups.setdefault((candidate.kind, candidate.intervention), []).append(candidate)
    for first, *others in groups.values():
        places = [place for c in others for place in (f"{c.file}:{c.line}", *c.also)]
        own = f"{first.file}:{first.line}"
        also = [place for place in dict.fromkeys((*first.also, *places)) if place != own]
        yield replace(first, also=tuple(also))


def _which(entry: dict[str, Any]) -> tuple[str, int]:
    """Return which generator drew; each draws in an order of its own, whatever others do."""
    return entry["generator"], entry.get("instance", 0)


def _concerns(entry: dict[str, Any], generator: tuple[str, int]) -> bool:
    """Return whether an entry is of a generator, or seeds all that are global."""
    seeds_all = entry["call"] == _SEEDS_ALL and not generator[1]
    return seeds_all or _which(entry) == generator


def _other_places(
    ours: list[dict[str, Any]], others: list[dict[str, Any]], first: str
) -> tuple[str, ...]:
    """Return the other places of draws whose values differ."""
    places = {
        f"{one['file']}:{one['line']}": None
        for one, other in zip(ours, others, strict=False)
        if one["digest"] != other["digest"]
    }
    return tuple(place for place in places if place != first)


def _before(trace: Trace, number: int) -> list[dict[str, Any]]:
    """Return the draws before a training event."""
    events = _trainings(trace)
    return trace.draws[: events[number]["draws"]] if number < len(events) else trace.draws


def _unseeded_at(entries: list[dict[str, Any]], first: DrawDifference) -> str | None:
    """Return the place of a call without a seed that precedes a draw, such as ``seed()``."""
    before = itertools.takewhile(
        lambda e: (e["event"], e["file"], e["line"]) != ("draw", first.file, first.line), entries
    )
    seeds = [entry for entry in before if entry["event"] == "seed"]
    if not seeds or seeds[-1]["value"] is not None:
        return None
    return f"{seeds[-1]['file']}:{seeds[-1]['line']}"


def _candidate(first: DrawDifference, made: str | None, also: tuple[str, ...]) -> Candidate:
    """Return what a difference of draws speaks for.

    Parameters
    ----------
    first : DrawDifference
    made : str or None
        Place at which the generator was made or seeded without a seed.
    also : tuple of str
        Later places that differ.
    """
    if first.kind == "other seed" and first.seeds is not None and None not in first.seeds:
        return Candidate("varying seed", first.call, first.file, first.line, "pinned seeds")
    how = _SEEDED_BY.get(first.generator, "python seed")
    file, _, line = (made or first.place).rpartition(":")
    return Candidate("unseeded generator", first.call, file, int(line), how, also)


def _unseen(
    a: Trace, b: Trace, number: int, part: str, suspects: Sequence[Suspect], *, hashes: Hashes
) -> list[Candidate]:
    """List causes whose draws or whose order cannot be seen."""
    computed = part not in ("data", "start")
    found = list(_made_without_seed(a, computed=computed))

    def add(kind: Kind, events: list[dict[str, Any]], intervention: str, subject: str = "") -> None:
        file, line, code = _place(kind, events, suspects, b.events)
        subject = subject or str(events[0]["call"] if events else code)
        also = tuple(f"{e['file']}:{e['line']}" for e in events)
        also = tuple(place for place in dict.fromkeys(also) if place != f"{file}:{line}")
        found.append(Candidate(kind, subject, file, line, intervention, also))

    def of(kind: str) -> list[dict[str, Any]]:
        return [event for event in a.events if event["event"] == kind]

    if of("parallel"):
        add("parallel data", of("parallel"), "serial data")
    if not _seeds_tensorflow(a) and computed:
        add(
            "unseeded generator",
            _trainings(a)[number : number + 1],
            "tensorflow seed",
            "TensorFlow's generator",
        )
    if threads := of("arrival") + of("thread"):
        add("thread race", threads, "ordered threads")
    hashing = [{"file": file, "line": line} for file, line in hashes]
    if hashes:
        add("hash order", hashing, "hash seed", "the order of a set, or a hash")
    if of("clock"):
        add("outside input", of("clock"), "fixed clock")
    if not hashes:
        add("hash order", [], "hash seed", "the order of a set, or a hash")
    if computed:
        add("nondeterministic operation", [], "op determinism", "an operation")
        add("nondeterministic operation", [], "one thread", "threads")
    codes = {suspect.code for suspect in suspects}
    return sorted(found, key=lambda c: not any(code.startswith(CODES[c.kind]) for code in codes))


def _made_without_seed(a: Trace, *, computed: bool) -> Iterator[Candidate]:
    """Yield generators that start from the system's randomness and may draw unseen, in a graph."""
    for entry in a.draws:
        if entry["event"] != "seed" or entry["value"] is not None:
            continue
        shuffles = entry["call"].endswith(".shuffle")
        if shuffles and (_seeds_tensorflow(a) or not computed):
            continue
        how = _SEEDED_BY.get(entry["generator"], "python seed")
        yield Candidate("unseeded generator", entry["call"], entry["file"], entry["line"], how)


def _seeds_tensorflow(trace: Trace) -> bool:
    """Return whether a script seeds TensorFlow's global generator."""
    calls = (_SEEDS_ALL, "tf.random.set_seed")
    return any(e["event"] == "seed" and e["call"] in calls for e in trace.draws)


def _place(
    kind: Kind,
    events: list[dict[str, Any]],
    suspects: Sequence[Suspect],
    all_events: list[dict[str, Any]],
) -> tuple[str, int, str]:
    """Return file, line and code of what the linter finds, or else those of an event."""
    for suspect in suspects:
        if suspect.code.startswith(CODES[kind] or ("-",)):
            return suspect.file, suspect.line, suspect.code
    for event in [*events, *(e for e in all_events if e["event"] in _TRAINING)]:
        return event["file"], event["line"], ""
    return "", 0, ""
