"""FPD2: results in an order that nothing fixes."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fpdrift.lint._randomness import trains
from fpdrift.lint._rule import Fix, Hit, rule
from fpdrift.lint._seeds import written
from fpdrift.lint._trace import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.lint._trace import Event, Trace

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


def _consumers(trace: Trace, node: ast.AST) -> Iterator[str]:
    """Yield what an expression is handed to, from the inside out, up to its statement."""
    child, parent = node, trace.parent.get(node)
    while parent is not None and not isinstance(parent, ast.stmt):
        if isinstance(parent, ast.Call) and child is not parent.func:
            yield ast.unparse(parent.func).rpartition(".")[2]
        elif isinstance(parent, ast.Compare | ast.UnaryOp | ast.BoolOp):
            yield "any"  # a question about it
        elif isinstance(parent, ast.SetComp):
            yield "set"
        child, parent = parent, trace.parent.get(parent)
    if isinstance(parent, ast.If | ast.While | ast.Assert):
        yield "any"


def _is_ordered(trace: Trace, node: ast.AST) -> bool:
    """Return whether the order of an expression's result is put right, or plays no part."""
    if any(name in _ORDERLESS for name in _consumers(trace, node)):
        return True
    statement = node
    while not isinstance(statement, ast.stmt):
        statement = trace.parent[statement]
    names = {ast.unparse(target) for target in getattr(statement, "targets", ())}
    return bool(names) and _sorts_later(trace, names)


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
    "{found} goes through a set of texts in an order that differs in every run",
    reason="The order of a set follows the hashes of its elements, and Python draws the hash of a "
    "text anew at each start.",
    remedy="Go through sorted(...) of it.",
    fixable=True,
)
def set_order(trace: Trace) -> Iterator[Hit]:
    for event in trace.of(ast.For, ast.comprehension):
        if _is_set_of_texts(event.value) and not _is_loop_orderless(trace, event):
            yield _unsorted(event.node.iter)  # type: ignore[attr-defined]
    for event in trace.calls("builtins.list", "builtins.tuple", "builtins.enumerate"):
        given = event.args and _is_set_of_texts(event.args[0])
        if given and not _is_ordered(trace, event.node):
            yield _unsorted(event.call.args[0])


def _unsorted(node: ast.AST) -> Hit:
    return Hit(node, written(node), Fix("sorted"))


def _is_loop_orderless(trace: Trace, event: Event) -> bool:
    """Return whether a loop does the same in any order: it only looks, deletes or makes a set."""
    node = event.node
    if isinstance(node, ast.comprehension):
        made = trace.parent[node]
        return isinstance(made, ast.SetComp | ast.DictComp) or _is_ordered(trace, made)
    changes = (ast.AugAssign, ast.Yield, ast.Assign)
    inside = [part for statement in node.body for part in ast.walk(statement)]  # type: ignore[attr-defined]
    calls = [ast.unparse(p.func) for p in inside if isinstance(p, ast.Call)]
    collects = any(call.endswith((".append", ".extend", "print", ".write")) for call in calls)
    return not collects and not any(isinstance(part, changes) for part in inside)


@rule(
    "FPD202",
    "string-hash",
    "{found} of a text differs in every run",
    reason="Python draws the hash of a text anew at each start, unless PYTHONHASHSEED "
    "is set before.",
    remedy="Use zlib.crc32(text.encode()) or hashlib.",
)
def string_hash(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls("builtins.hash"):
        node = event.call
        inside = any(getattr(part, "name", "") == "__hash__" for part in event.around)
        if event.args and not inside and _is_text(event.args[0], node.args[0]):
            yield Hit(node, written(node))


@rule(
    "FPD203",
    "unsorted-files",
    "{found} lists files in an order that depends on the file system",
    reason="The operating system returns names in the order in which it stores them, which another "
    "machine or a fresh copy of the folder changes.",
    remedy="Sort the names: sorted(...).",
    fixable=True,
)
def unsorted_files(trace: Trace) -> Iterator[Hit]:
    for event in trace.calls():
        if event.name in _LISTINGS or _PATH_LISTINGS.fullmatch(event.name):
            if _is_ordered(trace, event.node) or _is_looped_orderless(trace, event):
                continue
            safe = event.name != "os.scandir"  # its entries have no order
            yield Hit(event.node, written(event.node), Fix("sorted") if safe else None)


def _is_looped_orderless(trace: Trace, event: Event) -> bool:
    parent = trace.parent.get(event.node)
    if isinstance(parent, ast.For | ast.comprehension):
        loops = (e for e in trace.events if e.node is parent)
        return any(_is_loop_orderless(trace, loop) for loop in loops)
    with_it = isinstance(parent, ast.withitem)
    return with_it or isinstance(parent, ast.Subscript)


@rule(
    "FPD204",
    "arrival-order",
    "{found} hands out results in the order in which they arrive",
    reason="Which task ends first differs from run to run, and so do lists and sums of the "
    "results.",
    remedy="Use Executor.map or Pool.map, which keep the order of the tasks, or sort the results.",
    lesson="04_threads.ipynb",
)
def arrival_order(trace: Trace) -> Iterator[Hit]:
    for event in trace.of(ast.For, ast.comprehension):
        name = event.value.name
        if not re.fullmatch(
            r"(concurrent\.futures|asyncio)\.as_completed\(\)|.*\.imap_unordered\(\)", name
        ):
            continue
        node = event.node
        if isinstance(node, ast.comprehension):
            collected = not _is_loop_orderless(trace, event)
        else:
            collected = _collects(trace, node)
        if collected:
            yield Hit(node.iter, written(node.iter))  # type: ignore[attr-defined]


def _collects(trace: Trace, loop: ast.AST) -> bool:
    """Return whether a loop gathers results one after another."""
    for part in ast.walk(loop):
        if isinstance(part, ast.Yield):
            return True
        if isinstance(part, ast.AugAssign) and not isinstance(part.value, ast.Constant):
            return True
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            collects = part.func.attr in {"append", "extend"}
            if collects and not _sorts_later(trace, {ast.unparse(part.func.value)}):
                return True
    return False


@rule(
    "FPD205",
    "time-limited-loop",
    "{found} ends a training when the time is over",
    reason="How many steps fit into a time depends on what else the machine does.",
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
