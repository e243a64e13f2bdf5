"""Examine floats: their bits, exact values, neighbours, and distances in ulps."""

from fpdrift.floats._anatomy import (
    FIELDS,
    Anatomy,
    anatomy,
    facts,
    flipped,
    float_lines,
    full_decimal,
    letters,
)
from fpdrift.floats._bits import bits_of, same_bits
from fpdrift.floats._codec import (
    exact,
    floor_log2,
    from_bits,
    round_fraction,
    round_to,
    to_bits,
    to_fraction,
)
from fpdrift.floats._formats import FORMATS, Format, format_of
from fpdrift.floats._ulps import from_ordinal, ordinal, ulp_at, ulp_distance

__all__ = [
    "FIELDS",
    "FORMATS",
    "Anatomy",
    "Format",
    "anatomy",
    "bits_of",
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
    "same_bits",
    "to_bits",
    "to_fraction",
    "ulp_at",
    "ulp_distance",
]
