"""A digest of exactly the source code that affects training and the contents of records.

A run with the same digest need not be trained again. The digest changes with a network, a starting
weight or a recorded number, but not with a command, a picture or a comment.
"""

from __future__ import annotations

import hashlib
import io
import tokenize
from functools import cache
from pathlib import Path

#: Files and folders of the package that define networks, data, conditions, training and records.
DECIDING = (
    "floats/_codec.py",
    "floats/_formats.py",
    "backends/jax.py",
    "backends/onednn.py",
    "backends/devices.py",
    "backends/tensorflow.py",
    "backends/torch.py",
    "perturbation",
    "recorder",
    "records/_codec.py",
    "records/_format.py",
    "records/_record.py",
    "records/_rules.py",
    "records/_sketch.py",
    "records/_writer.py",
    "training/_hash_rng.py",
    "training/_condition.py",
    "training/_datasets.py",
    "training/_hash_dropout.py",
    "training/_networks.py",
    "training/_protocol.py",
    "training/_worker.py",
)


@cache
def training_code(root: Path = Path(__file__).parents[1]) -> str:
    """Return the digest, as 16 hexadecimal digits.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the package.
    """
    digest = hashlib.blake2b(digest_size=8)
    for place in (root / name for name in DECIDING):
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(bare(path.read_text(encoding="utf-8")).encode() + b"\0")
    return digest.hexdigest()


def bare(source: str) -> str:
    """Return Python source without comments, docstrings and empty lines.

    The text is cut rather than generated from a syntax tree, since that would differ between
    versions of Python, and workers may have different ones.
    """
    lines = source.splitlines(keepends=True)
    kept = list(lines)
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
    ]
    begins = True  # whether the next token begins a statement
    for i, token in enumerate(tokens):
        is_comment = token.type == tokenize.COMMENT
        alone = begins and token.type == tokenize.STRING and _ends(tokens[i + 1 :])
        if is_comment or alone:
            (first, start), (last, stop) = token.start, token.end
            head, tail = lines[first - 1][:start], lines[last - 1][stop:]
            kept[first - 1 : last] = [head if is_comment else head + tail, *[""] * (last - first)]
        if not is_comment:
            begins = token.type == tokenize.NEWLINE
    return "\n".join(line.rstrip() for line in kept if line.strip())


def _ends(following: list[tokenize.TokenInfo]) -> bool:
    """Return whether a statement ends here, comments aside."""
    rest = (token for token in following if token.type != tokenize.COMMENT)
    return next(rest).type in (tokenize.NEWLINE, tokenize.ENDMARKER)
