"""Write the tensors of a step to a file, read them, and compare two such files.

The format is plain ``.npz`` without pickles; bfloat16, which NumPy cannot name, is stored as
uint16.
"""

from __future__ import annotations

import json
import math
import tokenize
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import ml_dtypes
import numpy as np
import numpy.typing as npt

from fpdrift.errors import short_repr
from fpdrift.floats import FORMATS, same_bits, ulp_distance
from fpdrift.step_debug._results import StepDifference

Array = npt.NDArray[Any]
_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

#: Exceptions that Python and NumPy raise for a damaged or foreign file.
DAMAGED = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(MemoryError, RuntimeError, EOFError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile),
)


class TracedTensor(NamedTuple):
    """A tensor of a step; see `StepDifference` for the meaning of the fields."""

    stage: str
    name: str
    layer: str
    values: Array


def save(path: Path | IO[bytes], seen: Sequence[TracedTensor]) -> None:
    """Write the tensors of a step, or of a state."""
    head = [[s.stage, s.name, s.layer, s.values.dtype.name] for s in seen]
    arrays = {
        f"a{i}": s.values.view(np.uint16) if s.values.dtype == _BFLOAT16 else s.values
        for i, s in enumerate(seen)
    }
    np.savez(path, head=np.array(json.dumps(head)), **arrays)  # type: ignore[arg-type] # names are ours


def load(path: Path) -> Iterator[TracedTensor]:
    """Read a file written by `save`, one tensor at a time.

    Raises
    ------
    DAMAGED
        One of these, if the file was not written by `save`.
    """
    _check_size(path)
    with np.load(path, allow_pickle=False) as file:
        for i, item in enumerate(json.loads(str(file["head"]))):
            stage, name, layer, dtype = item
            values = file[f"a{i}"]
            if not all(isinstance(text, str) for text in item) or values.dtype.kind not in "biuf":
                message = f"{short_repr(item)} is not a valid header of a {values.dtype} tensor"
                raise TypeError(message)
            yield TracedTensor(
                stage, name, layer, values.view(_BFLOAT16) if dtype == "bfloat16" else values
            )


def _check_size(path: Path) -> None:
    """Check that a file does not unpack to more than its own size; `save` does not compress."""
    size = path.stat().st_size
    if not path.is_file():  # reading from a pipe would block
        message = "not a regular file"
        raise ValueError(message)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        more = packed or sum(entry.file_size for entry in entries) > size
        more = more or any(_claimed(archive, entry) > entry.file_size for entry in entries)
    if more:
        message = f"its {size:,} bytes unpack to more"
        raise ValueError(message)


def _claimed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Return the number of bytes that an array's header claims."""
    with archive.open(entry) as file:
        first = np.lib.format.read_magic(file) == (1, 0)
        read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    return math.prod(shape) * dtype.itemsize


def differences(
    a: Iterator[TracedTensor] | Sequence[TracedTensor],
    b: Iterator[TracedTensor] | Sequence[TracedTensor],
) -> tuple[int, tuple[StepDifference, ...], tuple[str, ...]]:
    """Compare the tensors of two steps, in the order of the first.

    Returns
    -------
    compared : int
        Number of tensors that both have, with equal shapes.
    differences : tuple of StepDifference
        Tensors whose bits differ.
    unmatched : tuple of str
        Stage and name of all other tensors.
    """
    others = {(item.stage, item.name): item for item in b}
    compared, found, unmatched = 0, [], []
    for ours in a:
        theirs = others.pop((ours.stage, ours.name), None)
        if theirs is None or theirs.values.shape != ours.values.shape:
            unmatched.append(f"{ours.stage} {ours.name}")
            continue
        compared += 1
        difference = _difference(ours, theirs.values)
        if difference is not None:
            found.append(difference)
    unmatched += [f"{stage} {name}" for stage, name in others]
    return compared, tuple(found), tuple(unmatched)


def _difference(ours: TracedTensor, b: Array) -> StepDifference | None:
    """Compare one tensor; return None if it is bit-identical."""
    a = ours.values
    differs = np.flatnonzero(_unlike(a, b))
    if not len(differs):
        return None
    place = int(differs[0])
    wide_a, wide_b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return StepDifference(
        stage=ours.stage,
        name=ours.name,
        layer=ours.layer,
        shape=tuple(int(size) for size in a.shape),
        differing=len(differs),
        size=int(a.size),
        largest_ulps=_largest_ulps(a.ravel()[differs], b.ravel()[differs]),
        relative=relative(wide_a, wide_b),
        first_index=tuple(int(i) for i in np.unravel_index(place, a.shape)),
        value_a=float(wide_a[place]),
        value_b=float(wide_b[place]),
    )


def _unlike(a: Array, b: Array) -> npt.NDArray[np.bool_]:
    """Return a mask of the elements that differ in their bits, or in value if dtypes differ."""
    if a.dtype != b.dtype:
        return np.asarray(a.astype(np.float64).ravel() != b.astype(np.float64).ravel())
    return ~same_bits(a, b).ravel()


def _largest_ulps(a: Array, b: Array) -> int | None:
    if a.dtype != b.dtype or a.dtype.name not in FORMATS:
        return None
    if (np.isnan(a) != np.isnan(b)).any():
        return None
    return int(ulp_distance(a, b).max())


def relative(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """Return ||a - b|| / ||a||: infinite if `a` is zero, NaN if any element is not finite."""
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(a - b) / np.linalg.norm(a))
