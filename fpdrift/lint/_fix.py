"""``--fix``: the remedies that are safe, written into the scripts with LibCST."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.atomic import writing
from fpdrift.errors import FpdriftError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fpdrift.lint._results import Finding

#: Kind of node in `ast` -> in LibCST.
_KINDS = {"Constant": "SimpleString"}


def fix(findings: Iterable[Finding]) -> int:
    """Apply the safe remedies of findings to their scripts; notebooks are left as they are.

    Parameters
    ----------
    findings : iterable of Finding
        What `fpdrift.lint.lint` found; files must not have changed since.

    Returns
    -------
    int
        How many findings were fixed.

    Raises
    ------
    MissingExtraError
        If LibCST is not installed.
    """
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.fix is not None and finding.path.endswith(".py"):
            by_path.setdefault(finding.path, []).append(finding)
    return sum(_fix_file(Path(path), found) for path, found in by_path.items())


def _fix_file(path: Path, findings: list[Finding]) -> int:
    try:
        import libcst
        from libcst.metadata import MetadataWrapper
    except ModuleNotFoundError:
        raise MissingExtraError("libcst") from None
    try:
        tree = MetadataWrapper(libcst.parse_module(path.read_bytes()))
    except libcst.ParserSyntaxError:
        raise FpdriftError(f"{path} cannot be fixed: LibCST cannot parse it; edit it") from None
    wanted = {finding.anchor: finding for finding in findings}
    fixer = _fixer(wanted)
    changed = tree.visit(fixer)
    try:
        ast.parse(changed.bytes)
    except SyntaxError:  # an argument after a bare generator, for one
        raise FpdriftError(f"{path} cannot be fixed automatically; edit it") from None
    with writing(path) as file:
        file.write(changed.bytes)
    return int(fixer.done)


def _fixer(wanted: dict[tuple[str, int, int], Finding]) -> Any:
    """Make the transformer; its class needs LibCST, which is optional."""
    import libcst
    from libcst.metadata import PositionProvider

    class Fixer(libcst.CSTTransformer):  # type: ignore[misc]
        METADATA_DEPENDENCIES = (PositionProvider,)
        done = 0

        def on_leave(self, original: Any, updated: Any) -> Any:
            updated = super().on_leave(original, updated)
            if not isinstance(original, libcst.BaseExpression):
                return updated
            call = isinstance(original, libcst.Call)
            end = self.get_metadata(PositionProvider, original.func if call else original).end
            for kind in (type(original).__name__, "Constant"):
                found = wanted.get((kind, end.line, end.column))
                if found is not None and _KINDS.get(kind, kind) == type(original).__name__:
                    self.done += 1
                    return _mended(updated, found)
            return updated

    return Fixer()


def _mended(node: Any, finding: Finding) -> Any:
    """Return an expression with the remedy in it."""
    import libcst

    fix = finding.fix
    assert fix is not None  # noqa: S101 - only findings with one get here
    if fix.kind == "sorted":
        return libcst.Call(libcst.Name("sorted"), [libcst.Arg(node)])
    if fix.kind == "call":
        return libcst.Call(node)
    if fix.kind == "string":
        quote = node.quote
        return node.with_changes(value=f"{node.prefix}{quote}{fix.text}{quote}")
    call = libcst.parse_expression(f"f({fix.text})")
    assert isinstance(call, libcst.Call)  # noqa: S101
    added = call.args[0].with_changes(
        equal=libcst.AssignEqual(libcst.SimpleWhitespace(""), libcst.SimpleWhitespace(""))
        if call.args[0].keyword
        else libcst.MaybeSentinel.DEFAULT
    )
    return node.with_changes(args=_with(node.args, added))


def _with(args: Any, added: Any) -> list[Any]:
    """Return arguments with one more; a trailing comma and its line break stay at the end."""
    import libcst

    if not args:
        return [added]
    last = args[-1]
    comma = last.comma
    if isinstance(comma, libcst.Comma):
        before = _uncommented(args[-2].comma) if len(args) > 1 else comma
        return [*args[:-1], last.with_changes(comma=before), added.with_changes(comma=comma)]
    space = libcst.Comma(whitespace_after=libcst.SimpleWhitespace(" "))
    end = last.whitespace_after_arg
    return [
        *args[:-1],
        last.with_changes(comma=space, whitespace_after_arg=libcst.SimpleWhitespace("")),
        added.with_changes(whitespace_after_arg=end),
    ]


def _uncommented(comma: Any) -> Any:
    """Return a comma with its line break, but without the comment in between."""
    import libcst

    space = comma.whitespace_after
    if not isinstance(space, libcst.ParenthesizedWhitespace):
        return comma
    bare = space.first_line.with_changes(comment=None, whitespace=libcst.SimpleWhitespace(""))
    return comma.with_changes(whitespace_after=space.with_changes(first_line=bare, empty_lines=()))
