"""The doctor's report as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from fpdrift.doctor._results import ProvenCause, ScriptDiagnosis

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
pre { background: #f4f4f4; padding: .6rem; overflow-x: auto; }
pre mark { background: #ffd9a8; display: block; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0;
  border-bottom: 1px solid #ddd; vertical-align: top; } .number { text-align: right; }
.wide { overflow-x: auto; } .detail { color: #555; }
"""
#: Lines shown before and after the line that is to blame.
_AROUND = 3


def page(found: ScriptDiagnosis, source: Path | None = None) -> str:
    """Return a diagnosis as an HTML page that needs nothing else.

    Parameters
    ----------
    found : ScriptDiagnosis
        The diagnosis.
    source : Path, optional
        The script; if it is given, the lines around each cause are shown.

    Returns
    -------
    str
        The page.
    """
    title = f"fpdrift doctor: {found.script}"
    parts = [f"<h1>{escape(found.finding)}</h1>"]
    parts += [_cause(cause, source) for cause in found.causes]
    parts += [f"<p>{escape(text)}</p>" for text in found.remarks]
    if found.suspects:
        rows = ([f"{s.file}:{s.line}", f"{s.code} {s.message}"] for s in found.suspects)
        heading = "Found by reading the script, as by fpdrift lint"
        parts.append(f"<h2>{heading}</h2>{_table(('place', 'finding'), rows)}")
    runs = (
        [str(r.number), r.changes, r.ended, f"{r.seconds:.1f}", f"{r.steps:,}", r.digest[:6]]
        for r in found.runs
    )
    heads = ("run", "changed from outside", "ended", "seconds", "steps", "result")
    parts.append(f"<h2>Runs</h2>{_table(heads, runs)}")
    parts.append(f'<p class="detail">{escape(found.tested)}</p>')
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(parts)}\n</main></body></html>\n"
    )


def _cause(cause: ProvenCause, source: Path | None) -> str:
    place = f"{escape(cause.place)}: {escape(cause.kind)}: <code>{escape(cause.subject)}</code>"
    code = _excerpt(cause, source) if source is not None else ""
    terms: tuple[tuple[str, str], ...]
    terms = (("Why", cause.explanation), ("Remedy", cause.remedy), ("Proof", cause.proof))
    if cause.also:
        terms = (("Also in", ", ".join(cause.also)), *terms)
    text = "".join(f"<p><b>{name}:</b> {escape(what)}</p>" for name, what in terms)
    return f"<h2>{place}</h2>{code}{text}"


def _excerpt(cause: ProvenCause, source: Path) -> str:
    """Return the lines around a cause, if it is in the script itself."""
    lines = source_lines(cause.file, source)
    if not 0 < cause.line <= len(lines):
        return ""
    first = max(cause.line - 1 - _AROUND, 0)
    shown = []
    for number, line in enumerate(lines[first : cause.line + _AROUND], first + 1):
        text = f"{number:4}  {escape(line)}"
        shown.append(f"<mark>{text}</mark>" if number == cause.line else f"{text}\n")
    return f"<pre>{''.join(shown)}</pre>"


def source_lines(file: str, source: Path) -> list[str]:
    """Return the lines of the file, or of the notebook's cell, in which a cause is."""
    from fpdrift.doctor._notebook import code_cells

    name, _, cell = file.rpartition(":cell ")
    if name and source.suffix == ".ipynb":
        cells = code_cells(str(source))
        return cells[int(cell) - 1].splitlines() if int(cell) <= len(cells) else []
    path = source.parent / file
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def _table(heads: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    numbers = {"seconds", "steps"}
    kinds = [' class="number"' if head in numbers else "" for head in heads]
    top = "".join(f"<th{k}>{escape(h)}</th>" for h, k in zip(heads, kinds, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{k}>{escape(c)}</td>" for c, k in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'
