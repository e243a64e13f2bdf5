"""A digest of the source that decides a training and what its record holds, and of nothing else.

A run that was trained with the same digest need not be trained again. So a change of a command, a
picture or a comment leaves it, and one of a network, a starting weight or a recorded number does
not.
"""

from __future__ import annotations

import hashlib
import io
import tokenize
from functools import cache
from pathlib import Path

#: Files and folders of the package: what is trained, on what, from where, under which condition,
#: and what is written down of it.
DECIDING = (
    "floats/convert.py",
    "floats/formats.py",
    "frameworks/jax.py",
    "frameworks/onednn.py",
    "frameworks/placed.py",
    "frameworks/tensorflow.py",
    "frameworks/torch.py",
    "perturbation",
    "recorder",
    "records/columns.py",
    "records/content.py",
    "records/hashing.py",
    "records/phases.py",
    "records/record.py",
    "records/rules.py",
    "records/schedule.py",
    "records/schema.py",
    "records/sketch.py",
    "records/write.py",
    "training/chance.py",
    "training/condition.py",
    "training/data.py",
    "training/dropout.py",
    "training/fashion.py",
    "training/networks.py",
    "training/shapes.py",
    "training/worker.py",
)


@cache
def training_code(root: Path = Path(__file__).parents[1]) -> str:
    """Give the digest, as 16 hexadecimal digits.

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
    """Give Python source without comments, docstrings and empty lines.

    The text is cut, not written again from a syntax tree: that would differ from one version of
    Python to the next, and two workers may have two.
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
    """Tell whether a statement ends here, comments aside."""
    rest = (token for token in following if token.type != tokenize.COMMENT)
    return next(rest).type in (tokenize.NEWLINE, tokenize.ENDMARKER)
