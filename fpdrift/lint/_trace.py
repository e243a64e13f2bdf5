"""Walk a script in the order in which it would run, without running any of it.

Names are followed through imports, assignments, parameters and calls of the script's own
functions: what each call calls is known by its full name, and what comes before what by its place
in the list of events. A function's body comes where it is first called; one that nobody calls
comes last and counts as not reached.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias

from fpdrift.lint._names import canonical

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
#: Calls inside calls of the script's own functions: enough for any script, and an end.
_DEEPEST = 30


@dataclass(frozen=True)
class Value:
    """What is known of an expression."""

    name: str = ""  #: such as ``"numpy.random.default_rng()"``; empty if unknown
    node: ast.AST | None = None  #: the expression or function that it came from
    mentions: frozenset[str] = frozenset()  #: all names that it was computed from
    owner: ast.ClassDef | None = None  #: the script's own class that it is, or is an instance of

    def constant(self) -> object:
        """Return the constant that it is; `...` if it is none."""
        return self.node.value if isinstance(self.node, ast.Constant) else ...


UNKNOWN = Value()


@dataclass(frozen=True)
class Event:
    """A call, loop, comparison, assignment or import, where it would happen."""

    node: ast.AST
    value: Value  #: the function that is called, the values that are looped over or assigned
    args: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    around: tuple[ast.AST, ...] = ()  #: functions, loops and `with`s that it happens in
    reached: bool = True  #: whether running the script gets there
    index: int = 0

    @property
    def name(self) -> str:
        """The full name of what is called."""
        return self.value.name

    @property
    def call(self) -> ast.Call:
        """The node of a call."""
        assert isinstance(self.node, ast.Call)  # noqa: S101 - for the type checker
        return self.node

    def says(self, name: str, constant: object) -> bool:
        """Return whether a keyword argument is this constant."""
        return name in self.keywords and self.keywords[name].constant() is constant

    def argument(self, position: int, *names: str) -> Value | None:
        """Return an argument given by place or by name."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        return self.args[position] if 0 <= position < len(self.args) else None


class Trace:
    """The events of a script.

    Parameters
    ----------
    tree : ast.Module
        The script.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.events: list[Event] = []
        self.parent: dict[ast.AST, ast.AST] = {
            child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
        }
        self.withs: dict[ast.AST, frozenset[str]] = {}
        _Walker(self).walk()

    def calls(self, *names: str) -> list[Event]:
        """Return the calls of these full names, in order; all calls if none is named."""
        return [
            event
            for event in self.events
            if isinstance(event.node, ast.Call) and (not names or event.name in names)
        ]

    def of(self, *kinds: type[ast.AST]) -> list[Event]:
        """Return the events of these kinds of nodes, in order."""
        return [event for event in self.events if isinstance(event.node, kinds)]

    def inside(self, node: ast.AST) -> list[Event]:
        """Return the events in a function or loop, and in the functions that it calls."""
        return [event for event in self.events if node in event.around]

    def imports(self, module: str) -> bool:
        """Return whether the script imports a module or a part of it."""
        return any(
            event.name == module or event.name.startswith(f"{module}.")
            for event in self.of(ast.Import, ast.ImportFrom)
        )

    def imports_keras(self) -> bool:
        """Return whether the script imports Keras, alone or with TensorFlow."""
        return self.imports("keras") or self.imports("tensorflow")


class _Walker:
    """The walk that fills a trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.scopes: list[dict[str, Value]] = [{}]
        self.around: list[ast.AST] = []
        self.reached = True
        self.closures: dict[ast.AST, list[dict[str, Value]]] = {}
        self.returned: dict[ast.AST, Value] = {}
        self.attributes: dict[ast.ClassDef, dict[str, Value]] = {}
        self.bases: dict[ast.ClassDef, list[Value]] = {}
        self.methods: dict[ast.AST, ast.ClassDef] = {}

    def walk(self) -> None:
        """Walk the module, then what nobody called; a file of tests is not run as a script."""
        imported = (
            n for n in ast.walk(self.trace.tree) if isinstance(n, ast.Import | ast.ImportFrom)
        )
        self.reached = not any(
            "pytest" in (text := ast.unparse(n)) or "unittest" in text for n in imported
        )
        self.run(self.trace.tree.body)
        self.reached = False
        for _ in range(_DEEPEST):  # a function holds functions
            left = [f for f in self.closures if f not in self.returned]
            if not left:
                break
            for function in left:
                owner = self.methods.get(function)
                self.enter(Value(node=function, owner=owner), (), {})

    # -- statements -------------------------------------------------------------------------

    def run(self, body: list[ast.stmt]) -> None:
        for statement in body:
            method = getattr(self, f"run_{type(statement).__name__.lower()}", None)
            if method:
                method(statement)
            else:
                self.run_other(statement)

    def run_other(self, statement: ast.AST) -> None:
        """Walk what has no rule of its own, in the order of its fields."""
        for _, value in ast.iter_fields(statement):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.stmt):
                    self.run([part])
                elif isinstance(part, ast.expr):
                    self.eval(part)
                elif isinstance(part, ast.AST):  # handlers, cases
                    self.run_other(part)

    def run_import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name if alias.asname else alias.name.split(".")[0]
            self.bind_name(alias.asname or top, Value(canonical(top)))
            self.emit(node, Value(alias.name))

    def run_importfrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        self.emit(node, Value(module))
        for alias in node.names:
            name = canonical(f"{module}.{alias.name}")
            self.bind_name(alias.asname or alias.name, Value(name, mentions=frozenset({name})))

    def run_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.eval(part)
        self.closures[node] = list(self.scopes)
        self.bind_name(node.name, Value(node=node))

    run_asyncfunctiondef = run_functiondef

    def run_classdef(self, node: ast.ClassDef) -> None:
        self.bases[node] = [self.eval(base) for base in node.bases]
        self.attributes[node] = scope = {}
        name = next((base.name for base in self.bases[node] if base.name), "")
        inherited = [base.owner for base in self.bases[node] if base.owner]
        for owner in inherited:
            scope.update(self.attributes.get(owner, {}))
        self.bind_name(node.name, Value(name, node, owner=node))
        self.emit(node, Value(name))
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self.closures[statement] = list(self.scopes)
                self.methods[statement] = node
                scope[statement.name] = Value(node=statement, owner=node)
            elif isinstance(statement, ast.Assign):
                value = self.eval(statement.value)
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        scope[target.id] = value

    def run_return(self, node: ast.Return) -> None:
        value = self.eval(node.value) if node.value else UNKNOWN
        for frame in reversed(self.around):
            if isinstance(frame, ast.FunctionDef | ast.AsyncFunctionDef):
                if not self.returned.get(frame, UNKNOWN).name:
                    self.returned[frame] = value
                break

    def run_assign(self, node: ast.Assign) -> None:
        target, given = node.targets[0], node.value
        if isinstance(target, ast.Tuple) and isinstance(given, ast.Tuple):  # a, b = f(), g()
            values = [self.eval(part) for part in given.elts]
            for part, value in zip(target.elts, values, strict=False):
                self.bind(part, value)
            return
        value = self.eval(node.value)
        for target in node.targets:
            self.bind(target, value)
            self.emit(node, value)

    def run_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.eval(node.value))

    def run_augassign(self, node: ast.AugAssign) -> None:
        value = self.eval(node.value)
        self.emit(node, value)
        before = self.eval(node.target)
        self.bind(node.target, Value(before.name, node, before.mentions | value.mentions))

    def run_expr(self, node: ast.Expr) -> None:
        self.emit(node, self.eval(node.value))

    def run_for(self, node: ast.For | ast.AsyncFor) -> None:
        looped = self.eval(node.iter)
        self.emit(node, looped)
        self.bind(node.target, _item(looped))
        self.within(node, [*node.body, *node.orelse])

    run_asyncfor = run_for

    def run_while(self, node: ast.While) -> None:
        self.emit(node, self.eval(node.test))
        self.within(node, [*node.body, *node.orelse])

    def run_with(self, node: ast.With | ast.AsyncWith) -> None:
        entered = set()
        for item in node.items:
            value = self.eval(item.context_expr)
            entered.add(value.name)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        self.trace.withs[node] = frozenset(entered)
        self.within(node, node.body)

    run_asyncwith = run_with

    def within(self, node: ast.AST, body: list[ast.stmt]) -> None:
        self.around.append(node)
        self.run(body)
        self.around.pop()

    # -- names ------------------------------------------------------------------------------

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self.bind(part, _item(value))
        elif isinstance(target, ast.Starred):
            self.bind(target.value, _item(value))
        elif isinstance(target, ast.Attribute):
            owner = self.eval(target.value).owner
            if owner is not None:
                self.attributes.setdefault(owner, {})[target.attr] = value
        else:
            self.eval(target)

    def bind_name(self, name: str, value: Value) -> None:
        self.scopes[-1][name] = value

    def look_up(self, name: str) -> Value:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return Value(f"builtins.{name}")

    # -- expressions ------------------------------------------------------------------------

    def eval(self, node: ast.expr) -> Value:
        """Walk an expression; return what is known of it."""
        method = getattr(self, f"eval_{type(node).__name__.lower()}", None)
        if method:
            value: Value = method(node)
            return value
        parts = [self.eval(p) for p in ast.iter_child_nodes(node) if isinstance(p, ast.expr)]
        return Value(node=node, mentions=_mentions(parts))

    def eval_constant(self, node: ast.Constant) -> Value:
        return Value(node=node)

    def eval_name(self, node: ast.Name) -> Value:
        return self.look_up(node.id)

    def eval_attribute(self, node: ast.Attribute) -> Value:
        base = self.eval(node.value)
        if base.owner is not None and node.attr in self.attributes.get(base.owner, {}):
            return self.attributes[base.owner][node.attr]
        if not base.name:
            return Value(f"?.{node.attr}", node, base.mentions | {f"?.{node.attr}"})
        name = canonical(f"{base.name}.{node.attr}")
        return Value(name, node, base.mentions | {name})

    def eval_subscript(self, node: ast.Subscript) -> Value:
        base, index = self.eval(node.value), self.eval(node.slice)
        name = f"{base.name}[]" if base.name else ""
        return Value(name, node, base.mentions | index.mentions)

    def eval_binop(self, node: ast.BinOp) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        path = isinstance(node.op, ast.Div) and left.name.startswith("pathlib.")
        return Value(left.name if path else "", node, _mentions([left, right]))

    def eval_compare(self, node: ast.Compare) -> Value:
        parts = [self.eval(part) for part in (node.left, *node.comparators)]
        self.emit(node, UNKNOWN, tuple(parts))
        return Value(node=node, mentions=_mentions(parts))

    def eval_boolop(self, node: ast.BoolOp) -> Value:
        parts = [self.eval(part) for part in node.values]
        name = next((part.name for part in parts if part.name), "")
        return Value(name, node, _mentions(parts))

    def eval_ifexp(self, node: ast.IfExp) -> Value:
        self.eval(node.test)
        parts = [self.eval(node.body), self.eval(node.orelse)]
        return Value(parts[0].name or parts[1].name, node, _mentions(parts))

    def eval_namedexpr(self, node: ast.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.bind(node.target, value)
        return value

    def eval_lambda(self, node: ast.Lambda) -> Value:
        self.closures[node] = list(self.scopes)
        return Value(node=node)

    def eval_listcomp(self, node: _Comprehension) -> Value:
        self.scopes.append({})
        self.around.append(node)
        mentions: frozenset[str] = frozenset()
        for part in node.generators:
            looped = self.eval(part.iter)
            self.emit(part, looped)
            mentions |= looped.mentions
            self.bind(part.target, _item(looped))
            for test in part.ifs:
                self.eval(test)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        mentions |= _mentions([self.eval(part) for part in parts])
        self.around.pop()
        self.scopes.pop()
        return Value(node=node, mentions=mentions)

    eval_setcomp = eval_generatorexp = eval_dictcomp = eval_listcomp

    # -- calls ------------------------------------------------------------------------------

    def eval_call(self, node: ast.Call) -> Value:
        function = self.eval(node.func)
        args = tuple(self.eval(part) for part in node.args)
        keywords = {word.arg or "**": self.eval(word.value) for word in node.keywords}
        own = isinstance(function.node, _Function) and function.node in self.closures
        if not own:
            self.emit(node, function, args, keywords)
            for value in (*args, *keywords.values()):  # what it is handed it will call
                if isinstance(value.node, _Function) and value.node in self.closures:
                    self.enter(value, (), {}, here=node)
        if own:
            result = self.enter(function, args, keywords, here=node)
        elif function.owner is not None and isinstance(function.node, ast.ClassDef):
            result = self.construct(function, args, keywords, node)
        else:
            result = UNKNOWN
        seen = _mentions([function, *args, *keywords.values()])
        if result is not UNKNOWN and (result.name or result.owner):
            return Value(result.name, result.node, result.mentions | seen, result.owner)
        name = f"{function.name}()" if function.name and not own else ""
        return Value(name, node, seen | result.mentions | ({name} if name else set()))

    def construct(
        self, cls: Value, args: tuple[Value, ...], keywords: dict[str, Value], node: ast.Call
    ) -> Value:
        """Walk ``__init__``, then the methods that a library will call."""
        owner = cls.owner
        assert owner is not None  # noqa: S101 - only a class of the script's own gets here
        own = self.attributes.get(owner, {})
        instance = Value(f"{cls.name}()" if cls.name else "", node, owner=owner)
        for name in ("__init__", *own):
            method = own.get(name, UNKNOWN)
            if isinstance(method.node, _Function) and method.node in self.methods:
                hook = name.startswith("__") or name in {"call", "build", "train_step"}
                if hook and method.node not in self.returned:
                    given = (args, keywords) if name == "__init__" else ((), {})
                    self.enter(Value(node=method.node, owner=owner), *given, here=node)
        return instance

    def enter(
        self,
        function: Value,
        args: tuple[Value, ...],
        keywords: dict[str, Value],
        here: ast.AST | None = None,
    ) -> Value:
        """Walk a function's body, the first time that it is called."""
        node = function.node
        if not isinstance(node, _Function) or node in self.returned or len(self.around) > _DEEPEST:
            return self.returned.get(node, UNKNOWN) if node is not None else UNKNOWN
        self.returned[node] = UNKNOWN
        scopes, self.scopes = self.scopes, [*self.closures[node], {}]
        self.bind_parameters(node, function.owner, args, keywords)
        added = [here, node] if here is not None else [node]
        self.around += added
        if isinstance(node, ast.Lambda):
            self.returned[node] = self.eval(node.body)
        else:
            self.run(node.body)
        del self.around[len(self.around) - len(added) :]
        self.scopes = scopes
        return self.returned[node]

    def bind_parameters(
        self,
        node: _Function,
        owner: ast.ClassDef | None,
        args: tuple[Value, ...],
        keywords: dict[str, Value],
    ) -> None:
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
        for extra in (*node.args.kwonlyargs, node.args.vararg, node.args.kwarg):
            if extra is not None:
                self.bind_name(extra.arg, UNKNOWN)
        if owner is not None and names and node in self.methods:
            name = next((base.name for base in self.bases.get(owner, ()) if base.name), "")
            self.bind_name(names.pop(0), Value(f"{name}()" if name else "", owner=owner))
        for name in names:
            self.bind_name(name, UNKNOWN)
        for name, value in [*zip(names, args, strict=False), *keywords.items()]:
            self.bind_name(name, value)

    def emit(
        self,
        node: ast.AST,
        value: Value,
        args: tuple[Value, ...] = (),
        keywords: dict[str, Value] | None = None,
    ) -> None:
        around, index = tuple(self.around), len(self.trace.events)
        self.trace.events.append(
            Event(node, value, args, keywords or {}, around, self.reached, index)
        )


def _mentions(values: list[Value]) -> frozenset[str]:
    names = frozenset(value.name for value in values if value.name)
    return names.union(*(value.mentions for value in values))


def _item(value: Value) -> Value:
    """Return what is known of one item of a value."""
    name = f"{value.name}[]" if value.name else ""
    return Value(name, value.node if not name else None, value.mentions)
