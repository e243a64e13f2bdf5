"""Group runs into branches: classes of runs that are bit-identical up to some step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fpdrift.serialization import Result

if TYPE_CHECKING:
    import numpy.typing as npt

    from fpdrift.records import Tensor

    Classes = tuple[tuple[int, ...], ...]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, kw_only=True, slots=True)
class Split(Result):
    """A step at which a class of bit-identical runs diverged."""

    #: the first compared step at which they differ
    step: int
    #: the compared step before it, at which all were equal; None if `step` is the first
    last_equal: int | None
    #: the classes of runs that remain bit-identical, the largest first
    classes: tuple[tuple[int, ...], ...]
    #: tensors that differ between any of these classes, in the model's order
    tensors: tuple[str, ...]
    #: for each class but the first, the tensors in which it differs from the first; empty in
    #: results of older versions
    tensors_by_class: tuple[tuple[str, ...], ...] = ()

    def __repr__(self) -> str:
        parts = " | ".join(" ".join(map(str, runs)) for runs in self.classes)
        return f"Split(step {self.step}: {parts})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch(Result):
    """A final class of runs, and the step at which it diverged from its parent."""

    runs: tuple[int, ...]
    #: first compared step at which it differs from its parent, and the index of the parent; None
    #: for the first branch
    step: int | None
    parent: int | None
    #: tensors in which it differed from its parent at that step
    tensors: tuple[str, ...]


def letter(number: int) -> str:
    """Return the letter of a class: A to Z, then AA, AB and so on."""
    name = ""
    while number >= 0:
        number, rest = divmod(number, len(_LETTERS))
        name, number = _LETTERS[rest] + name, number - 1
    return name


def branches(classes: Classes, splits: Sequence[Split]) -> tuple[Branch, ...]:
    """Turn splits into a tree: at each split, the smaller classes branch off the largest."""
    found = [Branch(runs=runs, step=None, parent=None, tensors=()) for runs in classes]
    #: runs of a class, at any step -> index of the final class that continues it
    line = {runs: number for number, runs in enumerate(classes)}
    for split in reversed(splits):
        stem, *others = (line[runs] for runs in split.classes)
        line[tuple(sorted(run for runs in split.classes for run in runs))] = stem
        tensors = split.tensors_by_class or (split.tensors,) * len(others)
        for number, differing in zip(others, tensors, strict=True):
            found[number] = Branch(
                runs=classes[number], step=split.step, parent=stem, tensors=differing
            )
    return tuple(found)


def find_splits(
    steps: npt.NDArray[np.int64],
    hashes: Sequence[npt.NDArray[np.uint64]],
    tensors: Sequence[Tensor],
) -> tuple[Classes, tuple[Split, ...]]:
    """Group runs by their bits, from the first step on.

    Runs that become bit-identical again stay in separate classes, since their histories differ.

    Parameters
    ----------
    steps : (n,) int64
        Ascending.
    hashes : sequence of (m, tensors) uint64
        For each run, at the first m of the steps.
    tensors : sequence of Tensor
        The columns of `hashes`.

    Returns
    -------
    tuple of tuple of int
        The final classes, the largest first.
    tuple of Split
        In ascending order of the steps.
    """
    splits = []
    last: list[list[int]] = [list(range(len(hashes)))]
    for row in range(len(steps)):
        now: list[list[int]] = []
        for runs in last:
            parts = _partition(runs, hashes, row)
            now += parts
            if len(parts) > 1:
                splits.append(_split(_sort_classes(parts), steps, hashes, row, tensors))
        last = now
    return _sort_classes(last), tuple(splits)


def _split(
    classes: Classes,
    steps: npt.NDArray[np.int64],
    hashes: Sequence[npt.NDArray[np.uint64]],
    row: int,
    tensors: Sequence[Tensor],
) -> Split:
    """Describe how a class diverged; the other classes are compared with the first."""
    stem, *others = (_bits(part, hashes, row) for part in classes)
    differing = [other != stem for other in others]

    def names(differs: npt.NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(t.name for t, differing in zip(tensors, differs, strict=True) if differing)

    return Split(
        step=int(steps[row]),
        last_equal=int(steps[row - 1]) if row else None,
        classes=classes,
        tensors=names(np.any(differing, axis=0)),
        tensors_by_class=tuple(map(names, differing)),
    )


def _partition(
    runs: list[int], hashes: Sequence[npt.NDArray[np.uint64]], row: int
) -> list[list[int]]:
    """Divide a class by the bits at a step; runs that have ended stay with the first part."""
    parts: dict[bytes, list[int]] = {}
    ended = [run for run in runs if row >= len(hashes[run])]
    for run in runs:
        if row < len(hashes[run]):
            parts.setdefault(hashes[run][row].tobytes(), []).append(run)
    if not parts:
        return [runs]
    first, *others = _sort_classes(parts.values())
    return [sorted([*first, *ended]), *map(list, others)]


def _bits(
    runs: Sequence[int], hashes: Sequence[npt.NDArray[np.uint64]], row: int
) -> npt.NDArray[np.uint64]:
    """Return the hashes of a class, from a run that has not ended yet."""
    return next(hashes[run][row] for run in runs if row < len(hashes[run]))


def _sort_classes(classes: Iterable[Sequence[int]]) -> Classes:
    """Sort by size, then by the first run."""
    groups = [tuple(sorted(group)) for group in classes]
    return tuple(sorted(groups, key=lambda group: (-len(group), group)))
