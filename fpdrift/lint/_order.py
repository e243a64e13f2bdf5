"""FPD2: results in an order that nothing fixes."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fpdrift.lint._randomness import trains
from fpdrift.lint._rule import Fix, Hit, rule
from fpdrift.lint._seeds import short, written
from fpdrift.lint._trace import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.lint._trace import Trace

#: Functions whose result does not depend on the order of what they are given.
_ORDERLESS = {"sorted", "len", "set", "frozenset", "any", "all", "max", "min", "Counter"}
#: Names that programmers give to texts and collections of them.
_TEXTS = re.compile(
    r"(^|_)(text|texts|word|words|name|names|token|tokens|char|chars|characters|string|strings|str"
    r"|vocab|vocabulary|file|files|filename|filenames|path|paths|url|urls|sentence|sentences"
    r"|categories|tags|users)$"
)
_STRINGS = re.compile(
    r"builtins\.(str|repr|input)\(\)|os\.listdir\(\)|glob\.i?glob\(\)"
    r"|.*\.(split|splitlines|read|readlines|lower|strip|read_text|format|join)\(\)"
)
_LISTINGS = {"glob.glob", "glob.iglob", "os.listdir", "os.scandir"}
_PATH_LISTINGS = re.compile(
    r"pathlib\.(Posix|Windows)?Path(\(\)|\.cwd|\.home).*\.(i?r?glob|iterdir)"
)

_UNORDERED = re.compile(r"(concurrent\.futures|asyncio)\.as_completed\(\)|.*\.imap_unordered\(\)")


def _consumers(trace: Trace, node: ast.AST) -> Iterator[str]:
    """Yield what an expression is handed to, from the inside out, up to its statement."""
    child, parent = node, trace.parent.get(node)
    while parent is not None and not isinstance(parent, ast.stmt):
        if isinstance(parent, ast.Call) and child is not parent.func:
            sizes = ("sum(1 ", ".st_size", "getsize(")  # a sum of integers is the same in any order
            exact = any(text in ast.unparse(parent) for text in sizes)
            yield "len" if exact else ast.unparse(parent.func).rpartition(".")[2]
        elif isinstance(parent, ast.Compare | ast.UnaryOp | ast.BoolOp | ast.JoinedStr):
            yield "any"  # a question about it, or a message
        elif isinstance(parent, ast.SetComp):
            yield "set"
        child, parent = parent, trace.parent.get(parent)
    if isinstance(parent, ast.If | ast.While | ast.Assert | ast.Delete):
        yield "any"


def _is_ordered(trace: Trace, node: ast.AST) -> bool:
    """Return whether the order of an expression's result is put right, or plays no part."""
    if any(name in _ORDERLESS or name.startswith("assert") for name in _consumers(trace, node)):
        return True
    child, parent = node, trace.parent[node]
    while isinstance(parent, ast.Starred | ast.Tuple | ast.List) or (
        isinstance(parent, ast.Call) and ast.unparse(parent.func) in {"list", "tuple", "tqdm"}
    ):
        child, parent = parent, trace.parent[parent]
    if isinstance(parent, ast.For | ast.comprehension):
        return _is_loop_orderless(trace, parent)
    if isinstance(parent, ast.Attribute):
        return parent.attr == "sort"
    if isinstance(parent, ast.Assign) and parent.value is child and len(parent.targets) == 1:
        return _is_name_ordered(trace, parent.targets[0])
    statement = parent
    while not isinstance(statement, ast.stmt):
        statement = trace.parent[statement]
    return _sorts_later(trace, {ast.unparse(t) for t in getattr(statement, "targets", ())})


def _is_name_ordered(trace: Trace, target: ast.expr) -> bool:
    """Return whether what is assigned to a name is sorted, or used in ways without an order."""
    if isinstance(target, ast.Tuple) and len(target.elts) == 1:
        return True  # there is one alone
    name = ast.unparse(target)
    if _sorts_later(trace, {name}) or not isinstance(target, ast.Name):
        return _sorts_later(trace, {name})
    uses = [
        node
        for node in ast.walk(trace.tree)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    return all(_is_ordered(trace, use) for use in uses)


def _sorts_later(trace: Trace, names: set[str]) -> bool:
    """Return whether the script sorts something of these names."""
    for node in ast.walk(trace.tree):
        if isinstance(node, ast.Call):
            function = ast.unparse(node.func).rpartition(".")
            sorts = function[2] in {"sorted", "natsorted"} and node.args
            if sorts and ast.unparse(node.args[0]) in names:
                return True
            if function[2] == "sort" and function[0] in names:
                return True
    return False


def _is_text(value: Value, node: ast.AST) -> bool:
    """Return whether an expression is a text, or holds texts."""
    if any(_STRINGS.fullmatch(name) for name in (value.name, *value.mentions)):
        return not value.mentions & {"builtins.int()", "builtins.float()", "builtins.len()"}
    origin = value.node if value.node is not None else node
    if isinstance(origin, ast.JoinedStr):
        return True
    if isinstance(origin, ast.Constant):
        return isinstance(origin.value, str)
    if isinstance(origin, ast.List | ast.Tuple | ast.Set):
        return any(isinstance(p, ast.Constant) and isinstance(p.value, str) for p in origin.elts)
    last = ast.unparse(node).rpartition(".")[2]
    return bool(_TEXTS.search(last))


def _is_set_of_texts(value: Value) -> bool:
    origin = value.node
    if isinstance(origin, ast.Set):
        return _is_text(value, origin)
    if isinstance(origin, ast.SetComp):
        return _is_text(value, origin.elt)
    made = value.name in {"builtins.set()", "builtins.frozenset()"}
    if made and isinstance(origin, ast.Call) and len(origin.args) == 1:
        content = origin.args[0]
        return _is_text(Value("", content, value.mentions), content)
    return False


@rule(
    "FPD201",
    "set-order",
    "{found} iterates over a set of strings in an order that differs from run to run",
    reason="The order of a set depends on the hashes of its elements, and Python randomises "
    "string hashes at every start.",
    remedy="Iterate over sorted(...).",
    fixable=True,
)
def set_order(trace: Trace) -> Iterator[Hit]:
    for event in trace.of(ast.For, ast.comprehension):
        if _is_set_of_texts(event.value) and not _is_loop_orderless(trace, event.node):
            yield _unsorted(event.node.iter)  # type: ignore[attr-defined]
    for event in trace.calls("builtins.list", "builtins.tuple", "builtins.enumerate"):
        given = event.args and _is_set_of_texts(event.args[0])
        if given and not _is_ordered(trace, event.node):
            yield _unsorted(event.call.args[0])


def _unsorted(node: ast.AST) -> Hit:
    return Hit(node, short(node), Fix("sorted"))


def _is_loop_orderless(trace: Trace, node: ast.AST) -> bool:
    """Return whether a loop does the same in any order: it only looks, deletes or fills a dict."""
    assert isinstance(node, ast.For | ast.comprehension)  # noqa: S101 - for the type checker
    if isinstance(node.iter, ast.Call) and ast.unparse(node.iter.func) == "enumerate":
        return False  # it uses the place
    if isinstance(node, ast.comprehension):
        made = trace.parent[node]
        keyed = isinstance(made, ast.SetComp | ast.DictComp) and "len(" not in ast.unparse(made)
        return keyed or _is_ordered(trace, made)
    items = {part.id for part in ast.walk(node.target) if isinstance(part, ast.Name)}
    body = [part for statement in node.body for part in ast.walk(statement)]
    return not any(_depends_on_order(trace, part, items) for part in body)


def _depends_on_order(trace: Trace, part: ast.AST, items: set[str]) -> bool:
    """Return whether a part of a loop's body gathers something one after another."""
    if isinstance(part, ast.Yield | ast.YieldFrom):
        return True
    if isinstance(part, ast.AugAssign):  # a count is the same in any order, a sum is not
        return isinstance(part.target, ast.Name) and not isinstance(part.value, ast.Constant)
    if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Subscript):
        key = part.targets[0].slice
        if isinstance(key, ast.Constant):
            return False
        names = {name.id for name in ast.walk(key) if isinstance(name, ast.Name)}
        return not names & items or "len(" in ast.unparse(part.value)
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
        if part.func.attr in {"append", "extend"}:
            return not _sorts_later(trace, {ast.unparse(part.func.value)})
        return part.func.attr in {"write", "writelines", "writerow", "put"}
    return False


@rule(
    "FPD202",
    "string-hash",
    "{found} of a string differs from run to run",
    reason="Python randomises string hashes at every start unless PYTHONHASHSEED is already set.",
    remedy="Use zlib.crc32(text.encode()) or hashlib.",
)
def string_hash(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls("builtins.hash"):
        node = event.call
        inside = any(getattr(part, "name", "") == "__hash__" for part in event.around)
        kept = trace.parent.get(node)
        if isinstance(kept, ast.Assign) and ast.unparse(kept.targets[0]) == "self._hash":
            continue  # for `__hash__` to return
        if event.args and not inside and _is_text(event.args[0], node.args[0]):
            yield Hit(node, written(node))


@rule(
    "FPD203",
    "unsorted-files",
    "{found} lists files in an order that depends on the file system",
    reason="The operating system returns names in storage order, which differs on another "
    "machine or in a fresh copy of the folder.",
    remedy="Sort the names: sorted(...).",
    fixable=True,
)
def unsorted_files(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls():
        if event.name not in _LISTINGS and not _PATH_LISTINGS.fullmatch(event.name):
            continue
        parent = trace.parent.get(event.node)
        hands_on = isinstance(parent, ast.withitem | ast.Subscript) or (
            isinstance(parent, ast.Return) and not event.reached
        )
        if not hands_on and not _is_ordered(trace, event.node):
            safe = event.name != "os.scandir"  # its entries have no order
            yield Hit(event.node, written(event.node), Fix("sorted") if safe else None)


@rule(
    "FPD204",
    "arrival-order",
    "{found} returns results in the order in which they finish",
    reason="Which task finishes first differs from run to run, and so do lists and sums of the "
    "results.",
    remedy="Use Executor.map or Pool.map, which keep the order of the tasks, or sort the results.",
    lesson="04_threads.ipynb",
)
def arrival_order(trace: Trace) -> Iterator[Hit]:
    for event in trace.of(ast.For, ast.comprehension):
        if _UNORDERED.fullmatch(event.value.name) and not _is_loop_orderless(trace, event.node):
            node = event.node.iter  # type: ignore[attr-defined]
            yield Hit(node, written(node))
    for event in trace.calls("builtins.list", "builtins.sum"):
        given = event.args and _UNORDERED.fullmatch(event.args[0].name)
        if given and not _is_ordered(trace, event.node):
            yield Hit(event.call.args[0], written(event.call.args[0]))


@rule(
    "FPD205",
    "time-limited-loop",
    "{found} ends training after a given time",
    reason="How many steps fit into a given time depends on the load of the machine.",
    remedy="Count steps instead of seconds.",
)
def time_limited_loop(trace: Trace) -> Iterator[Hit]:
    for event in trace.of(ast.While):
        clock = {"time.time()", "time.perf_counter()", "time.monotonic()"}
        if event.value.mentions & clock and _trains_in(trace, event.node):
            yield Hit(event.node, f"while {written(event.node.test)}")  # type: ignore[attr-defined]


def _trains_in(trace: Trace, loop: ast.AST) -> bool:
    """Return whether a loop changes weights: it trains a model, or updates by what it computes."""
    inside = trace.inside(loop)
    if any(event.name == "time.sleep" for event in inside):
        return False  # it waits
    if any(trains(event) or event.name.endswith(".apply_gradients") for event in inside):
        return True
    updates = (e.node for e in inside if isinstance(e.node, ast.AugAssign))
    return any(
        isinstance(node.op, ast.Add | ast.Sub) and isinstance(node.value, ast.BinOp | ast.Call)
        for node in updates
    )
