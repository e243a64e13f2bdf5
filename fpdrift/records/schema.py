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
"""

from __future__ import annotations

import hashlib
import struct
from typing import Literal, get_args

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
    """Tell whether a file that starts with these bytes calls itself a record."""
    return (
        len(header) >= HEADER_BYTES
        and header.startswith(MAGIC)
        and struct.unpack_from(">I", header, 68)[0] == APPLICATION_ID
    )


def chain(previous: bytes, kind: str, text: str, data: bytes) -> bytes:
    """Give the digest of an entry: 16 bytes that also depend on all entries before it."""
    digest = hashlib.blake2b(previous, digest_size=16)
    for part in (kind.encode(), text.encode(), data):
        digest.update(struct.pack("<Q", len(part)))
        digest.update(part)
    return digest.digest()
