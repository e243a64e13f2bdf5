"""Words that results and screens share: a number with its noun, and a text's first sentence."""

from __future__ import annotations

import re

#: The end of a sentence: a full stop before a capital letter, a digit, ( or ".
_END = re.compile(r'(?<=[.?!])\s+(?=[A-Z0-9("])')
#: Endings of nouns whose plural is in -es.
_HISSING = ("s", "x", "z", "ch", "sh")
#: A noun whose -ch is hard, so that it takes an -s.
_HARD = "epoch"


def plural(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 step``, ``2 batches``, ``1,000 tries``.

    Parameters
    ----------
    number : int
        Written with commas between thousands.
    noun : str
        In the singular, such as ``"float32 number"``; its last word takes a regular plural.
    """
    if number == 1:
        return f"{number:,} {noun}"
    if noun.endswith(_HISSING) and not noun.endswith(_HARD):
        return f"{number:,} {noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}s"


def percent(share: float, digits: int = 2) -> str:
    """Return a share in per cent, rounded to some digits: ``3.1``, ``100`` (not ``1e+02``)."""
    return f"{float(f'{100 * share:.{digits}g}'):g}"


def first_sentence(text: str) -> tuple[str, str]:
    """Split a text into its first sentence and the rest, which may be empty."""
    first, *rest = _END.split(text, maxsplit=1)
    return first, "".join(rest)
