"""Write and read the record of a training run; files from unknown sources are read safely."""

from fpdrift.records._codec import WHOLE_UP_TO, how_kept
from fpdrift.records._format import HASH_VERSION, content_hash, is_due, mix64
from fpdrift.records._reader import open_own, open_record, opener
from fpdrift.records._record import Kept, Phase, Record, Role, Tensor
from fpdrift.records._sandbox import check_place
from fpdrift.records._sketch import BUCKETS, relative_standard_error, sketch
from fpdrift.records._writer import RecordWriter, to_text

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
