"""What the linter returns."""

from __future__ import annotations

from dataclasses import dataclass

from fpdrift.lint._rule import RULES, Fix, Rule


@dataclass(frozen=True)
class Finding:
    """One place at which a rule applies."""

    path: str
    place: str  #: ``"line 7"``, or ``"cell 3, line 2"`` in a notebook
    line: int  #: in the file's Python text, from 1; in a notebook all code cells in a row
    column: int  #: from 1
    code: str  #: such as ``"FPD001"``
    message: str
    fix: Fix | None = None  #: what ``--fix`` would do
    anchor: tuple[str, int, int] = ("", 0, 0)  #: kind of node, and line and column of its end

    @property
    def rule(self) -> Rule:
        """The rule that applies here."""
        return RULES[self.code]

    def __str__(self) -> str:
        return f"{self.path}, {self.place}: {self.code} {self.message}"


@dataclass(frozen=True)
class Report:
    """The findings in some files, and the files that could not be read."""

    findings: tuple[Finding, ...]
    errors: tuple[str, ...]  #: one line for each file that is not Python
    files: int  #: how many were read
