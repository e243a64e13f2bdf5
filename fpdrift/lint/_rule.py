"""What a rule is, and the registry that every check enters with its own text."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdrift.lint._trace import Trace


@dataclass(frozen=True)
class Fix:
    """A change that is safe: `kind` names it, `text` is what it inserts."""

    kind: str  #: "argument", "call", "sorted" or "string"
    text: str = ""


@dataclass(frozen=True)
class Hit:
    """A place at which a rule applies."""

    node: ast.AST
    found: str  #: the name as the script writes it
    fix: Fix | None = None


Check = Callable[["Trace"], Iterator[Hit]]


@dataclass(frozen=True)
class Rule:
    """One cause of irreproducible runs: how it is found, why it matters and what to do."""

    code: str  #: such as ``"FPD001"``; the first digit is the subject
    name: str  #: such as ``"no-seed"``
    message: str  #: one line; ``{found}`` is the name as the script writes it
    reason: str
    remedy: str
    lesson: str  #: the notebook in ``lessons/`` that explains it
    fixable: bool
    check: Check


#: Code -> rule, in the order of the codes.
RULES: dict[str, Rule] = {}


def rule(
    code: str,
    name: str,
    message: str,
    *,
    reason: str,
    remedy: str,
    lesson: str = "10_seeds.ipynb",
    fixable: bool = False,
) -> Callable[[Check], Check]:
    """Return a decorator that registers a check together with its texts."""

    def enter(check: Check) -> Check:
        RULES[code] = Rule(code, name, message, reason, remedy, lesson, fixable, check)
        for key in sorted(RULES):  # whatever module was imported first
            RULES[key] = RULES.pop(key)
        return check

    return enter
