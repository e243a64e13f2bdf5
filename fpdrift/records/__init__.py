"""A training run's file: writing it, and reading one that comes from a stranger."""

from fpdrift.records.content import WHOLE_UP_TO, how_kept
from fpdrift.records.hashing import HASH_VERSION, content_hash, mix64
from fpdrift.records.own import open_own, opener
from fpdrift.records.place import check_place
from fpdrift.records.read import open_record
from fpdrift.records.record import Kept, Phase, Record, Role, Tensor
from fpdrift.records.schedule import is_due
from fpdrift.records.sketch import BUCKETS, relative_standard_error, sketch
from fpdrift.records.write import RecordWriter, to_text

__all__ = [
    "BUCKETS",
    "HASH_VERSION",
    "WHOLE_UP_TO",
    "Kept",
    "Phase",
    "Record",
    "RecordWriter",
    "Role",
    "Tensor",
    "check_place",
    "content_hash",
    "how_kept",
    "is_due",
    "mix64",
    "open_own",
    "open_record",
    "opener",
    "relative_standard_error",
    "sketch",
    "to_text",
]
