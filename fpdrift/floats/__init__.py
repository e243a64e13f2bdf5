"""What a float is: its bits, its exact value, its neighbours, and distances counted in floats."""

from fpdrift.floats.convert import (
    exact,
    floor_log2,
    from_bits,
    round_fraction,
    round_to,
    to_bits,
    to_fraction,
)
from fpdrift.floats.dissect import Anatomy, anatomy, full_decimal
from fpdrift.floats.distance import from_ordinal, ordinal, ulp_distance
from fpdrift.floats.facts import FIELDS, facts, flipped, float_lines, letters
from fpdrift.floats.formats import FORMATS, Format, format_of

__all__ = [
    "FIELDS",
    "FORMATS",
    "Anatomy",
    "Format",
    "anatomy",
    "exact",
    "facts",
    "flipped",
    "float_lines",
    "floor_log2",
    "format_of",
    "from_bits",
    "from_ordinal",
    "full_decimal",
    "letters",
    "ordinal",
    "round_fraction",
    "round_to",
    "to_bits",
    "to_fraction",
    "ulp_distance",
]
