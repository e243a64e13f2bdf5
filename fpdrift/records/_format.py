"""Define the layout of a record: one append-only SQLite table, each row of which is an *entry*.

=========== ============================================== ===================================
kind        text (JSON)                                    data
=========== ============================================== ===================================
start       tensors, meta, provenance, versions            empty
step        step, loss, metrics, digests                   hashes; values and sketches if due
values      step, that of the last step entry              values and sketches, not due then
prediction  step, dtype, shape                             values in C order
epoch       what the training loop reported                empty
phase       step, tensors, changes                         hashes; values and sketches
note        one sentence                                   empty
end         null                                           empty
=========== ============================================== ===================================

The first entry is the start. A record whose last entry is an end is complete; if `fit` is called
again, more entries follow it. Every entry has a digest of itself and of the previous digest, so
that a lost, changed or moved entry is always detected. Numbers in `data` are little endian.

There are two hashes: one compares bits, the other assigns indices to buckets. The latter, `mix64`,
is implemented here because every sketch in every record depends on it: NumPy's generators may
change between versions, and two records made years apart must be comparable.

Values and sketches are stored more often at first, because drift grows fastest at first.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import xxhash

Kind = Literal["start", "step", "values", "prediction", "epoch", "phase", "note", "end"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: First bytes of every SQLite file.
MAGIC = b"SQLite format 3\x00"
#: "fpdr" in the file's header identifies a SQLite file as a record.
APPLICATION_ID = 0x66706472
#: Version of the layout, SQLite's user_version; and the versions that are read.
FORMAT_VERSION = 2
READ_VERSIONS = (1, 2)
#: Bytes of the header that contain all of these.
HEADER_BYTES = 100

TABLE = (
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL, "
    "data BLOB NOT NULL, digest BLOB NOT NULL)"
)
#: Content of SQLite's list of tables, indexes, views and triggers in a record.
SCHEMA = [("table", "entry", "entry", TABLE)]

#: Most bytes of an untrusted file, and seconds to read it.
MAX_BYTES = 1 << 28
MAX_SECONDS = 2.0
#: Most bytes of JSON in an entry that declares tensors, and in any other; most characters in all
#: entries except steps, whose texts become numbers and are not stored.
MAX_START_TEXT = 8 << 20
MAX_TEXT = 1 << 20
MAX_ALL_TEXT = 64 << 20
#: Most bytes of an entry's data.
MAX_DATA = 64 << 20


def longest_text(kind: str) -> int:
    """Return the most bytes of JSON that an entry may have."""
    return MAX_START_TEXT if kind in ("start", "phase") else MAX_TEXT


def is_record_header(header: bytes) -> bool:
    """Return whether a file that starts with these bytes has the header of a record."""
    return (
        len(header) >= HEADER_BYTES
        and header.startswith(MAGIC)
        and struct.unpack_from(">I", header, 68)[0] == APPLICATION_ID
    )


def chain(previous: bytes, kind: str, text: str, data: bytes) -> bytes:
    """Return the digest of an entry: 16 bytes that also depend on all previous entries."""
    digest = hashlib.blake2b(previous, digest_size=16)
    for part in (kind.encode(), text.encode(), data):
        digest.update(struct.pack("<Q", len(part)))
        digest.update(part)
    return digest.digest()


#: Version of `mix64` and of its use in sketches; stored in every record.
HASH_VERSION = 1


def content_hash(array: npt.NDArray[Any]) -> int:
    """Hash the bytes of an array; equal hashes mean equal bits.

    Two different arrays have the same hash with probability 2**-64.

    Parameters
    ----------
    array : numpy.ndarray
        Any shape and dtype; copied only if it is not contiguous.

    Returns
    -------
    int
        xxh3_64 of the values in C order, 0 to 2**64 - 1.
    """
    try:
        return xxhash.xxh3_64_intdigest(array.data)
    except (TypeError, ValueError, BufferError):
        # Non-contiguous arrays and dtypes such as bfloat16 have no buffer; their bytes do.
        return xxhash.xxh3_64_intdigest(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def mix64(index: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Turn indices into 64 well-mixed bits each.

    The value at index i is output i + 1 of the generator SplitMix64 started at 0 (Steele, Lea and
    Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; its finaliser, with the
    constants of Stafford's variant 13).

    Parameters
    ----------
    index : numpy.ndarray of uint64
        Any shape.

    Returns
    -------
    numpy.ndarray of uint64
        Of the same shape.
    """
    with np.errstate(over="ignore"):  # modulo 2**64 is intended; NumPy warns about it for scalars
        z = (np.asarray(index, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


#: Values and sketches are stored at every step up to this one...
DENSE_UP_TO = 32
#: ... and then at multiples of this: sketching every step slows training too much.
EVERY = 8


def is_due(step: int, previous: int) -> bool:
    """Return whether values and sketches are stored at a step.

    Parameters
    ----------
    step : int
        Number of updates done.
    previous : int
        The step recorded before (-1: none); if a due step in between was skipped, this one is.
    """
    return previous < min(step, DENSE_UP_TO) or step // EVERY > previous // EVERY
