"""A report as text, JSON, GitHub annotations or SARIF."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fpdrift.lint._rule import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from fpdrift.lint._results import Finding, Report

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(report: Report) -> str:
    """Return one line for each finding, and a summary."""
    lines = [_line(finding) for finding in report.findings]
    lines.append(_summary(report))
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    if finding.place.startswith("cell"):
        return f"{finding.path}: {finding.place}: {finding.code} {finding.message}"
    place = f"{finding.path}:{finding.line}:{finding.column}"
    return f"{place}: {finding.code} {finding.message}"


def _summary(report: Report) -> str:
    files = f"{report.files} file" + "s" * (report.files != 1)
    if not report.findings:
        return f"No findings in {files}."
    count = len(report.findings)
    fixable = sum(f.fix is not None and f.path.endswith(".py") for f in report.findings)
    text = f"{count} finding" + "s" * (count != 1) + f" in {files}."
    if fixable:
        text += f" {fixable} can be fixed with --fix."
    return f"{text} For reasons and remedies: fpdrift lint --explain {report.findings[0].code}"


def as_json(report: Report) -> str:
    """Return a list of findings, and the errors, as JSON."""
    findings = [
        {
            "path": finding.path,
            "place": finding.place,
            "line": finding.line,
            "column": finding.column,
            "code": finding.code,
            "name": finding.rule.name,
            "message": finding.message,
            "remedy": finding.rule.remedy,
            "fixable": finding.fix is not None,
        }
        for finding in report.findings
    ]
    return json.dumps(
        {"findings": findings, "errors": list(report.errors), "files": report.files}, indent=2
    )


def as_github(report: Report) -> str:
    """Return workflow commands that GitHub shows beside the lines."""
    return "\n".join(
        f"::warning file={_escape(f.path, in_property=True)},line={f.line},col={f.column},"
        f"title={f.code}::{_escape(f'{f.place}: {f.message}' if _is_cell(f) else f.message)}"
        for f in report.findings
    )


def _is_cell(finding: Finding) -> bool:
    return finding.place.startswith("cell")


def _escape(text: str, *, in_property: bool = False) -> str:
    for character in "%\r\n" + ",:" * in_property:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def as_sarif(report: Report) -> str:
    """Return a SARIF 2.1.0 log."""
    used = sorted({finding.code for finding in report.findings})
    rules = [
        {
            "id": code,
            "name": RULES[code].name,
            "shortDescription": {"text": RULES[code].message.format(found="the code")},
            "fullDescription": {"text": RULES[code].reason},
            "help": {"text": RULES[code].remedy},
        }
        for code in used
    ]
    errors = [{"level": "error", "message": {"text": error}} for error in report.errors]
    run = {
        "tool": {"driver": {"name": "fpdrift lint", "rules": rules}},
        "invocations": [{"executionSuccessful": not errors, "toolExecutionNotifications": errors}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, used.index(finding.code)) for finding in report.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = f"{finding.place}: {finding.message}" if _is_cell(finding) else finding.message
    place: dict[str, Any] = {"artifactLocation": {"uri": finding.path.replace("\\", "/")}}
    if not _is_cell(finding):
        place["region"] = {"startLine": finding.line, "startColumn": finding.column}
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": "warning",
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


#: Name of an output format -> the function that writes it.
FORMATS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}


def explain(code: str) -> str:
    """Return everything that is said about a rule."""
    rule = RULES[code]
    fixable = "\nFix:    --fix does it." if rule.fixable else ""
    return (
        f"{code} {rule.name}\n{rule.message.format(found='The code')}.\n\n"
        f"Why:    {rule.reason}\nRemedy: {rule.remedy}{fixable}\nLesson: lessons/{rule.lesson}"
    )


def table() -> str:
    """Return the rules as a Markdown table."""
    rows = ["| code | name | finds | remedy | lesson |", "| --- | --- | --- | --- | --- |"]
    for code, rule in RULES.items():
        lesson = f"[{rule.lesson.removesuffix('.ipynb')}](../lessons/{rule.lesson})"
        remedy = rule.remedy.replace("|", "\\|") + (" `--fix` does it." if rule.fixable else "")
        finds = f"{rule.message.format(found='...')}. {rule.reason}"
        rows.append(f"| {code} | {rule.name} | {finds} | {remedy} | {lesson} |")
    return "\n".join(rows)
