"""The first random draw in which two runs of one script differ, from the ledgers of both.

Entries are compared in order, draw by draw. Where two draws are not of one call at one place, one
of several things happened: a run drew once more, the two drew in another order, or a draw moved to
another place. The one after which the most draws agree is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

Entry = dict[str, Any]
#: A draw without its values: event, generator, call, file and line.
_Key = tuple[str, str, str, str, int]
#: Consecutive draws of one key: the key and how many.
_Run = tuple[_Key, int]

#: Draws looked at after a difference to tell what it is.
_AHEAD = 200
#: What seeds several generators at once.
_SEEDS_ALL = "keras.utils.set_random_seed"
_GLOBAL_SEEDS = {
    "python": ("random.seed", "random.setstate"),
    "numpy": ("np.random.seed", "np.random.set_state"),
    "tensorflow": ("tf.random.set_seed",),
    "keras": (),
}
_NAMES = {
    "python": "Python's generator",
    "numpy": "NumPy's global generator",
    "numpy generator": "The NumPy generator",
    "tensorflow": "TensorFlow's generator",
    "keras": "Keras' generator",
    "entropy": "the operating system's entropy",
}

Kind = Literal["other values", "other order", "one more", "other place", "other seed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawDifference:
    """The first draw, or seeding, in which two runs differ."""

    kind: Kind
    #: Of the generator: "python", "numpy", "numpy generator", "tensorflow", "keras", "entropy".
    generator: str
    #: What was called, such as ``"np.random.rand"``.
    call: str
    #: Place of the call in the script; of the first run, unless only the second one has the draw.
    file: str
    line: int
    #: Which of the consecutive draws at this place, from 1; None if it is not known, because the
    #: ledger holds the digests of the first 1,000 only, or not all of them.
    index: int | None
    #: Whether the generator had been given a seed before, and where ("file:line").
    seeded: bool
    seeded_at: str | None
    #: Place of the generator's making without a seed ("file:line"); None for a global generator.
    made_at: str | None = None
    #: Library whose code drew, called from the place; None if the script drew itself.
    via: str | None = None
    #: The run that drew once more, 1 or 2; None for other kinds.
    run: int | None = None
    #: What the second run drew instead, if it is another call or place ("call at file:line").
    instead: str | None = None
    #: The seeds of both runs, for the kind "other seed".
    seeds: tuple[str | None, str | None] | None = None

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"

    @property
    def sentence(self) -> str:
        """What differs, where, and whether a seed had been set; one or two sentences."""
        return f"{self._what()} {self._seeding()}".strip()

    def _call(self) -> str:
        via = f" (called by {self.via})" if self.via else ""
        return f"{self.call}{via} at {self.place}"

    def _what(self) -> str:
        which = f", draw {self.index:,} at this place" if self.index and self.index > 1 else ""
        if not self.call:
            return "The draws differ after the last one that was entered singly."
        if self.kind == "one more":
            return f"Run {self.run} draws once more: {self._call()}{which}."
        if self.kind == "other order":
            return f"The order of draws differs: {self._call()} in run 1, {self.instead} in run 2."
        if self.kind == "other place":
            return f"{self._call()} in run 1, but {self.instead} in run 2."
        if self.kind == "other seed":
            return self._seeds()
        return f"{self._call()} returns different values in the two runs{which}."

    def _seeds(self) -> str:
        first, second = self.seeds or (None, None)
        if first == second:
            return f"{self._call()} has no seed: it differs in each run."
        return f"{self._call()} has seed {first} in run 1 and {second} in run 2."

    def _seeding(self) -> str:
        if self.kind == "other seed" or not self.call:
            return ""
        if self.generator == "entropy":
            return "The operating system's entropy cannot be seeded."
        name = _NAMES.get(self.generator, self.generator)
        if self.seeded:
            return f"{name} was seeded at {self.seeded_at}.{self._despite()}"
        if self.made_at:
            return f"Its generator was created at {self.made_at} without a seed."
        return f"{name} had not been seeded before."

    def _despite(self) -> str:
        if self.kind != "other values":
            return ""
        return " Either its arguments differ, or something that is not recorded drew from it."


def first_difference(first: Sequence[Entry], second: Sequence[Entry]) -> DrawDifference | None:
    """Return the first draw in which two runs differ; None if there is none.

    Parameters
    ----------
    first, second : sequences of dicts
        `Ledger.entries` of two runs of one script, or the same read from JSON.
    """
    runs = [_Cursor(first), _Cursor(second)]
    a, b = runs
    while a.entry is not None and b.entry is not None and a.key == b.key:
        seed = a.entry["event"] == "seed"
        if seed and a.entry["value"] != b.entry["value"]:
            return _of_entry(runs, "other seed")
        at = _first_unequal(a, b)
        if at is not None:
            return _of_entry(runs, "other seed" if seed else "other values", index=at or None)
        step = min(a.left, b.left)
        a.advance(step)
        b.advance(step)
    if a.entry is None and b.entry is None:
        return None
    return _of_alignment(runs)


class _Cursor:
    """A place in a ledger: an entry, and how many of its draws are behind."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.at = 0
        self.behind = 0

    @property
    def entry(self) -> Entry | None:
        """The entry; None at the end."""
        return self.entries[self.at] if self.at < len(self.entries) else None

    @property
    def key(self) -> _Key | None:
        """The entry's key; None at the end."""
        return _key_of(self.entry) if self.entry else None

    @property
    def left(self) -> int:
        """Draws of the entry that are not behind."""
        return int(self.entry["count"]) - self.behind if self.entry else 0

    def digests(self) -> list[str]:
        """Return the digests of the entry's draws, as far as they are known one by one."""
        entry = self.entry or {}
        if entry["count"] == 1:
            return [entry["digest"]]
        return list(entry.get("digests", ()))

    def advance(self, draws: int) -> None:
        """Go past some draws of the entry."""
        self.behind += draws
        if self.left <= 0:
            self.at += 1
            self.behind = 0

    def runs(self) -> Iterator[_Run]:
        """Yield what follows, beginning with what is left of this entry."""
        for i in range(self.at, len(self.entries)):
            entry = self.entries[i]
            yield _key_of(entry), entry["count"] - (self.behind if i == self.at else 0)


def _key_of(entry: Entry) -> _Key:
    return (entry["event"], entry["generator"], entry["call"], entry["file"], entry["line"])


def _first_unequal(a: _Cursor, b: _Cursor) -> int | None:
    """Return which draw of two entries differs first, from 1; 0 if unknown, None if none does."""
    assert a.entry is not None  # noqa: S101 - this tells the type checker
    assert b.entry is not None  # noqa: S101 - as above
    ours, theirs = a.digests()[a.behind :], b.digests()[b.behind :]
    for i, (x, y) in enumerate(zip(ours, theirs, strict=False)):
        if x != y:
            return a.behind + i + 1
    whole = a.behind == b.behind == 0 and a.left == b.left
    whole = whole or a.entry["event"] == "rest"
    return 0 if whole and a.entry["digest"] != b.entry["digest"] else None


def _of_alignment(runs: list[_Cursor]) -> DrawDifference:
    """Return what explains best that two draws are of different calls or places."""
    a, b = ([*_ahead(cursor.runs())] for cursor in runs)
    if not a or not b:
        return _of_entry(runs, "one more", run=1 if a else 2)
    replaced = _follow(a[1:], b[1:])
    scores = {
        "other place": replaced if _moved(a, b) else -1,
        "other order": _order_score(a, b),
        "run 1": max(_follow(_without_first(a, n), b) for n in (1, a[0][1])),
        "run 2": max(_follow(a, _without_first(b, n)) for n in (1, b[0][1])),
        "another call": replaced,
    }
    best = max(scores, key=lambda name: scores[name])
    if best.startswith("run"):
        return _of_entry(runs, "one more", run=int(best[-1]))
    return _of_entry(runs, "other place" if best == "other place" else "other order")


def _ahead(runs: Iterator[_Run]) -> Iterator[_Run]:
    """Yield runs of as many draws as are looked at."""
    left = _AHEAD
    for key, count in runs:
        yield key, min(count, left)
        left -= count
        if left <= 0:
            return


def _moved(a: list[_Run], b: list[_Run]) -> bool:
    """Return whether one call is at two places, each in one of the runs alone."""
    (ours, _), (theirs, _) = a[0], b[0]
    alone = ours not in dict(b) and theirs not in dict(a)
    return ours[:3] == theirs[:3] and alone


def _without_first(runs: list[_Run], draws: int) -> list[_Run]:
    (key, count), *rest = runs
    return [(key, count - draws), *rest] if count > draws else rest


def _follow(a: list[_Run], b: list[_Run]) -> int:
    """Return how many draws of two sequences agree from their start."""
    pairs = zip(_singly(a), _singly(b), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _singly(runs: list[_Run]) -> Iterator[_Key]:
    for key, count in runs:
        for _ in range(count):
            yield key


def _order_score(a: list[_Run], b: list[_Run]) -> int:
    """Return how many draws agree if the first few are in a different order; -1 if they are not."""
    balance: Counter[_Key] = Counter()
    swapped = -1
    for i, (x, y) in enumerate(zip(_singly(a), _singly(b), strict=False)):
        if swapped >= 0 and x != y:
            return i
        balance[x] += 1
        balance[y] -= 1
        if swapped < 0 and not any(balance.values()):
            swapped = i
    return i + 1 if swapped >= 0 else -1


def _of_entry(
    runs: list[_Cursor], kind: Kind, *, index: int | None = None, run: int | None = None
) -> DrawDifference:
    """Return the difference at the cursors' entries."""
    cursor = runs[1] if run == 2 else runs[0]
    other = runs[1].entry
    entry = cursor.entry
    assert entry is not None  # noqa: S101 - the caller has seen it
    seed, made = _seed_before(cursor)
    if kind == "one more":
        index = cursor.behind + 1
    instead = None
    if kind in ("other order", "other place") and other:
        instead = f"{other['call']} at {_place(other)}"
    seeds = None
    if kind == "other seed" and other:
        seeds = entry.get("value"), other.get("value")
    return DrawDifference(
        kind=kind,
        generator=entry["generator"],
        call=entry["call"],
        file=entry["file"],
        line=entry["line"],
        index=index,
        seeded=seed is not None,
        seeded_at=_place(seed) if seed else None,
        made_at=_place(made) if made else None,
        via=entry.get("via"),
        run=run,
        instead=instead,
        seeds=seeds,
    )


def _place(entry: Entry) -> str:
    return f"{entry['file']}:{entry['line']}"


def _seed_before(cursor: _Cursor) -> tuple[Entry | None, Entry | None]:
    """Return the last seeding of the entry's generator, and its making if that had no seed."""
    entry = cursor.entry or {}
    generator, instance = entry["generator"], entry.get("instance", 0)
    for before in reversed(cursor.entries[: cursor.at]):
        if before["event"] != "seed":
            continue
        own = instance and before.get("instance") == instance
        shared = not instance and before["call"] in _GLOBAL_SEEDS.get(generator, ())
        everything = not instance and before["call"] == _SEEDS_ALL and generator in _GLOBAL_SEEDS
        if own or shared or everything:
            unseeded = before.get("value") is None
            return (None, before if own else None) if unseeded else (before, None)
    return None, None
