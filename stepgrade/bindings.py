"""What names are bound to, at the top of a text and inside its functions; by `ast`, nothing is run.

Knows which statements bind a name, and whether they take the place of what it stood for before. Refuses to know what
a name is good for.
"""

from __future__ import annotations

import ast
import bisect
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stepgrade.source import has_cell_magic, parse

SHORT = 5_000  # characters; longer texts are few, and their trees are large to keep
Functions = ast.FunctionDef | ast.AsyncFunctionDef
Comprehensions = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Scoped = Functions | ast.Lambda | Comprehensions


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name stands for from one statement on."""

    place: int
    what: ast.AST | str  # code, or the dotted name of what is imported
    is_certain: bool  # that it takes the place of earlier ones


@dataclass(frozen=True)
class Bindings:
    """What one cell or file binds at its top."""

    by_name: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[tuple[int, str]] = field(default_factory=list)  # modules all of whose names are imported

    def add(self, name: str, place: int, what: ast.AST | str, is_certain: bool) -> None:
        """Bind a name."""
        self.by_name.setdefault(name, []).append(Binding(place, what, is_certain))

    def find(self, name: str, end: int, counts_as_certain: bool) -> tuple[list[Binding], int]:
        """What a name may stand for before a statement, the last first; and since which one for certain, or -1."""
        every, found = self.by_name.get(name, []), []
        for number in range(bisect.bisect_left(every, end, key=lambda binding: binding.place) - 1, -1, -1):
            found.append(every[number])
            if every[number].is_certain and counts_as_certain:
                return found, every[number].place
        return found, -1

    def starred(self, since: int, end: int) -> list[str]:
        """Modules of which all names are imported between two statements, the last first."""
        first = bisect.bisect_right(self.stars, since, key=lambda star: star[0])
        return [module for place, module in reversed(self.stars[first:]) if place < end]


def read_bindings(source: str) -> Bindings | None:
    """What a text binds; None where it cannot be read."""
    return _remember_bindings(source) if len(source) <= SHORT else _find_bindings(source)


def _find_bindings(source: str) -> Bindings | None:
    tree = parse(source)
    if tree is None:
        return None
    found = Bindings()
    todo = [(statement, not has_cell_magic(source)) for statement in reversed(tree.body)]
    place = 0
    while todo:
        statement, is_certain = todo.pop()
        place += 1
        inner = _bind(found, statement, place, is_certain)
        is_sure = is_certain and isinstance(statement, ast.With)
        todo += [(below, is_sure) for below in reversed(inner)]
    return found


_remember_bindings = functools.lru_cache(maxsize=256)(_find_bindings)  # most cells of a class are the same


def _bind(found: Bindings, statement: ast.stmt, place: int, is_certain: bool) -> list[ast.stmt]:
    """Note what a statement binds; returns the statements inside it, which are not noted yet."""
    inner = _blocks_of(statement)
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            found.add(name, place, statement, is_certain)
        case ast.Import():
            for alias in statement.names:
                found.add(alias.asname or alias.name.split(".")[0], place, _imported(alias), is_certain)
        case ast.ImportFrom(module=module):
            for alias in statement.names:
                if alias.name == "*":
                    found.stars.append((place, module or ""))
                else:
                    found.add(alias.asname or alias.name, place, f"{module or ''}.{alias.name}".strip("."), is_certain)
        case ast.Assign(value=value, targets=targets):
            for target in targets:
                _bind_target(found, target, place, value, is_certain)
        case ast.AnnAssign(value=ast.expr() as value, target=target):
            _bind_target(found, target, place, value, is_certain)
        case ast.Expr(value=ast.Call() as call):
            _bind_by_call(found, call, place)
    if isinstance(statement, Functions | ast.ClassDef):
        for node in ast.walk(statement):
            if isinstance(node, ast.Global):  # names of the top that are bound when the function is called
                for name in node.names:
                    found.add(name, place, statement, False)
        return []
    for head in _heads_of(statement, inner):
        for name in _stored_in(head):
            known = found.by_name.get(name)
            if not known or known[-1].place != place:
                found.add(name, place, head, False)
    return inner


def _blocks_of(statement: ast.stmt) -> list[ast.stmt]:
    """The statements in the blocks of a statement."""
    blocks: list[ast.stmt] = []
    for part in ("body", "orelse", "finalbody"):
        blocks += [below for below in getattr(statement, part, ()) if isinstance(below, ast.stmt)]
    for case in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        blocks += case.body
    return blocks


def _heads_of(statement: ast.stmt, inner: Sequence[ast.stmt]) -> list[ast.AST]:
    """A statement without its blocks."""
    if not inner:
        return [statement]
    heads: list[ast.AST] = [n for n in ast.iter_child_nodes(statement) if not isinstance(n, ast.stmt)]
    cases = [n for n in heads if isinstance(n, ast.ExceptHandler | ast.match_case)]
    inside = [n for case in cases for n in ast.iter_child_nodes(case) if not isinstance(n, ast.stmt)]
    return [n for n in heads if n not in cases] + inside


def _bind_target(found: Bindings, target: ast.expr, place: int, value: ast.expr, is_certain: bool) -> None:
    """`name = value`, `a, b = value`, `name.part = value`, `name[part] = value`."""
    for part in getattr(target, "elts", [target]):
        if isinstance(part, ast.Name):
            found.add(part.id, place, value, is_certain)
        elif isinstance(root := _root_of(part), ast.Name):
            found.add(root.id, place, value, False)


def _bind_by_call(found: Bindings, call: ast.Call, place: int) -> None:
    """`name.append(value)`, where the name is the student's own; `%run file.py` binds what the file does."""
    match call:
        case ast.Call(
            func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant(value="run"), ast.Constant(value=line)]
        ):
            file = next((word for word in str(line).split() if word.endswith(".py")), "")
            found.stars.append((place, file.removesuffix(".py")))
        case ast.Call(func=ast.Attribute(value=value)):
            root = _root_of(value)
            known = found.by_name.get(root.id, []) if isinstance(root, ast.Name) else []
            if isinstance(root, ast.Name) and known and isinstance(known[0].what, ast.AST):
                found.add(root.id, place, call, False)


def _root_of(node: ast.AST) -> ast.AST:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node


def _stored_in(head: ast.AST) -> list[str]:
    """Names that a statement gives a value to, those of its lambdas and comprehensions apart."""
    names, todo = [], [head]
    while todo:
        node = todo.pop()
        names += _stored_by(node)
        if not isinstance(node, ast.Lambda | Comprehensions):
            todo += ast.iter_child_nodes(node)
    return names


def _stored_by(node: ast.AST) -> list[str]:
    """Names that one node gives a value to."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            return [name]
        case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
            return [name]
        case ast.ExceptHandler(name=str() as name):
            return [name]
    return []


def _imported(alias: ast.alias) -> str:
    """What `import a.b` or `import a.b as c` gives the name to."""
    return alias.name if alias.asname else alias.name.split(".")[0]


# inside functions -------------------------------------------------------------------------------------------------

Own = Mapping[str, "str | None"]
"""Names that are bound inside a function; with the dotted name where they are imported there."""


def own_names(scope: Scoped) -> Own:
    """Names that a function, a lambda or a comprehension binds itself."""
    own: dict[str, str | None] = {}
    outer: set[str] = set()
    if isinstance(scope, Functions | ast.Lambda):
        a = scope.args
        every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        own.update((argument.arg, None) for argument in every)
        todo: list[ast.AST] = list(scope.body) if isinstance(scope, Functions) else [scope.body]
    else:
        todo = [generator.target for generator in scope.generators]
    while todo:
        node = todo.pop()
        own.update((name, own.get(name)) for name in _stored_by(node))
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                own.setdefault(name, None)
            case ast.Import():
                own.update((alias.asname or alias.name.split(".")[0], _imported(alias)) for alias in node.names)
            case ast.ImportFrom(module=module):
                own.update((alias.asname or alias.name, f"{module or ''}.{alias.name}") for alias in node.names)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                outer.update(names)
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                pass
            case _:
                todo += ast.iter_child_nodes(node)
    return {name: full for name, full in own.items() if name not in outer}
