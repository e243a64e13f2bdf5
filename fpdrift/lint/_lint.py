"""`lint`: every rule on every file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.lint import (  # importing a module registers its rules
    _libraries,
    _order,
    _pipelines,
    _seeds,
    _settings,
    _training,
)
from fpdrift.lint._results import Finding, Report
from fpdrift.lint._rule import RULES, Hit, Rule
from fpdrift.lint._source import Source, find_files, read
from fpdrift.lint._trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: The modules of rules, by the first digit of their codes.
_RULE_MODULES = (_seeds, _libraries, _order, _settings, _pipelines, _training)


def lint(
    paths: Iterable[str | Path], select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> Report:
    """Find what makes training scripts irreproducible, without running them.

    Parameters
    ----------
    paths : iterable of str or Path
        Scripts, notebooks, and folders of them.
    select : iterable of str, optional
        Codes of rules to apply, or beginnings of them such as ``"FPD0"``; all by default.
    ignore : iterable of str, optional
        Codes, or beginnings of them, to leave out.

    Returns
    -------
    Report
        The findings in the order of the files and lines, and an error for each file that is not
        Python.

    Raises
    ------
    FpdriftError
        If a path does not exist, or a code is that of no rule.
    """
    rules = choose_rules(select, ignore)
    findings: list[Finding] = []
    errors: list[str] = []
    files = list(find_files(paths))
    for file in files:
        try:
            findings += lint_source(read(file), rules)
        except FpdriftError as error:
            errors.append(str(error))
    return Report(tuple(findings), tuple(errors), len(files))


def choose_rules(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> list[Rule]:
    """Return the rules that begin with a code in `select` and with none in `ignore`."""
    wanted, unwanted = tuple(select), tuple(ignore)
    for prefix in (*wanted, *unwanted):
        if not prefix or not any(code.startswith(prefix) for code in RULES):
            raise FpdriftError(
                f"{short_repr(prefix)} is not the code or prefix of a rule; "
                "see fpdrift lint --list-rules"
            )
    return [
        rule
        for code, rule in RULES.items()
        if (not wanted or code.startswith(wanted)) and not (unwanted and code.startswith(unwanted))
    ]


def lint_source(source: Source, rules: Iterable[Rule]) -> list[Finding]:
    """Apply rules to one file; return its findings by line."""
    trace = Trace(source.parse())
    findings = {
        (finding.line, finding.column, finding.code): finding
        for rule in rules
        for hit in rule.check(trace)
        if (finding := _finding(source, rule, hit)) is not None
    }
    return [findings[key] for key in sorted(findings)]


def _finding(source: Source, rule: Rule, hit: Hit) -> Finding | None:
    node = hit.node
    first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", None) or 1
    end = node.func if isinstance(node, ast.Call) else node
    end_line = getattr(end, "end_lineno", None) or first
    end_column = source.column(end_line, getattr(end, "end_col_offset", 0))
    line, column = first, source.column(first, getattr(node, "col_offset", 0))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and end_line > first:
        line, column = end_line, end_column - len(node.func.attr)  # a chain over several lines
    if any(source.is_silenced(number, rule.code) for number in {first, line, last}):
        return None
    return Finding(
        path=source.path,
        place=source.place(line),
        line=line,
        column=column + 1,
        code=rule.code,
        message=rule.message.format(found=hit.found),
        fix=hit.fix,
        anchor=(type(node).__name__, end_line, end_column),
    )
