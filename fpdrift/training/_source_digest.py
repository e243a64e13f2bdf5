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
    """Return whether a statement ends here, comments aside."""
    rest = (token for token in following if token.type != tokenize.COMMENT)
    return next(rest).type in (tokenize.NEWLINE, tokenize.ENDMARKER)
