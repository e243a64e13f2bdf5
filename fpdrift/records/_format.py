"""How a record's file is laid out: one SQLite table that only ever grows, each row an *entry*.

=========== ============================================== ===================================
kind        text (JSON)                                    data
=========== ============================================== ===================================
start       tensors, meta, provenance, versions            empty
step        step, loss, metrics                            hashes; values and sketches if due
values      step, that of the last step entry              values and sketches, not due then
prediction  step, dtype, shape                             values in C order
epoch       what the training loop reported                empty
phase       step, tensors, changes                         hashes; values and sketches
note        one sentence                                   empty
end         null                                           empty
=========== ============================================== ===================================

The first entry is the start. A record whose last entry is an end is complete; where `fit` was
called again, more entries follow it. Every entry carries a digest of itself and of the digest
before it, so that no entry can be lost, changed or moved without being noticed. Numbers in `data`
are little endian.

Two hashes: one tells whether bits are the same, the other deals indices into buckets.

`mix64` is written out here, since its values stand behind every sketch in every record: NumPy's
generators may change between versions, and two records made years apart have to be comparable.

At which steps values and sketches are kept: drift is fast at first, so often at first.
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
#: "fpdr" in the file's header says that a SQLite file is a record.
APPLICATION_ID = 0x66706472
#: The layout's version, SQLite's user_version; older ones that are still read.
FORMAT_VERSION = 2
READ_VERSIONS = (1, 2)
#: Bytes of the header that hold all of these.
HEADER_BYTES = 100

TABLE = (
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL, "
    "data BLOB NOT NULL, digest BLOB NOT NULL)"
)
#: What SQLite's own list of tables, indexes, views and triggers holds in a record.
SCHEMA = [("table", "entry", "entry", TABLE)]

#: Bytes of a file that anybody may have made, and seconds to read it.
MAX_BYTES = 1 << 28
MAX_SECONDS = 2.0
#: Bytes of JSON in an entry that declares tensors, in any other one; characters in all but the
#: steps, whose texts become numbers and are not held.
MAX_START_TEXT = 8 << 20
MAX_TEXT = 1 << 20
MAX_ALL_TEXT = 64 << 20
#: Bytes of an entry's data.
MAX_DATA = 64 << 20


def longest_text(kind: str) -> int:
    """Bytes of JSON that an entry may have."""
    return MAX_START_TEXT if kind in ("start", "phase") else MAX_TEXT


def is_record_header(header: bytes) -> bool:
    """Return whether a file that starts with these bytes calls itself a record."""
    return (
        len(header) >= HEADER_BYTES
        and header.startswith(MAGIC)
        and struct.unpack_from(">I", header, 68)[0] == APPLICATION_ID
    )


def chain(previous: bytes, kind: str, text: str, data: bytes) -> bytes:
    """Return the digest of an entry: 16 bytes that also depend on all entries before it."""
    digest = hashlib.blake2b(previous, digest_size=16)
    for part in (kind.encode(), text.encode(), data):
        digest.update(struct.pack("<Q", len(part)))
        digest.update(part)
    return digest.digest()


#: Version of `mix64` and of how a sketch uses it; stands in every record.
HASH_VERSION = 1


def content_hash(array: npt.NDArray[Any]) -> int:
    """Hash the bytes of an array, so that equal hashes mean equal bits.

    Two different arrays share a hash with probability 2**-64.

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
        # What is not contiguous offers no buffer, nor do bfloat16 and the like: their bytes do.
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
    with np.errstate(over="ignore"):  # modulo 2**64 is meant; NumPy warns of it for scalars
        z = (np.asarray(index, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


#: Every step up to this one...
DENSE_UP_TO = 32
#: ... then every so many: sketching each step costs too much of the training.
EVERY = 8


def is_due(step: int, previous: int) -> bool:
    """Return whether something is to be kept at a step.

    Parameters
    ----------
    step : int
        Number of updates done.
    previous : int
        The step recorded before (-1: none); steps in between, seen by nobody, make this one due.
    """
    return previous < min(step, DENSE_UP_TO) or step // EVERY > previous // EVERY
