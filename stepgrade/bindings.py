"""What names are bound to at the top of a text, and which names inside its functions are those of its top.

Nothing is run: statements are read by `ast`, scopes by `symtable`. Knows which statements bind a name, and whether they
take the place of what it stood for before. Refuses to know what a name is good for.
"""

from __future__ import annotations

import ast
import functools
import symtable
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stepgrade.source import BROKEN, has_cell_magic, read_python

SHORT = 5_000  # characters; longer texts are few, and their trees are large to keep
MOST_COPIES = 2_000_000  # of names; a fifth of a second. A lesson's longest cell makes some hundreds
Functions = ast.FunctionDef | ast.AsyncFunctionDef
Comprehensions = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Scoped = Functions | ast.Lambda | Comprehensions


class Scopes:
    """Which names inside the functions of a text are those of its top.

    Args:
        top: as `symtable` reads the text.
    """

    def __init__(self, top: symtable.SymbolTable) -> None:
        self._top = top
        self._names: dict[int, frozenset[str]] = {}

    def outer_names(self, function: Scoped) -> frozenset[str]:
        """Names of the top that a function, or what is defined in it, mentions.

        Functions that begin in one line are taken together: `symtable` does not tell more of where they stand.
        """
        line = function.lineno
        if line not in self._by_line:  # not as we know `symtable`: then every name may be one of the top
            return frozenset(node.id for node in ast.walk(function) if isinstance(node, ast.Name))
        if line not in self._names:
            tables = (inner for table in self._by_line[line] for inner in _walk(table))
            self._names[line] = frozenset(
                symbol.get_name() for table in tables for symbol in table.get_symbols() if symbol.is_global()
            )
        return self._names[line]

    @functools.cached_property
    def _by_line(self) -> Mapping[int, list[symtable.SymbolTable]]:
        found: dict[int, list[symtable.SymbolTable]] = {}
        todo = list(self._top.get_children())
        while todo:
            table = todo.pop()
            if table.get_type() == "class":
                todo += table.get_children()
            else:
                found.setdefault(table.get_lineno(), []).append(table)
        return found


def _walk(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    todo = [table]
    while todo:
        inner = todo.pop()
        yield inner
        todo += inner.get_children()


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name stands for from one statement on."""

    place: int
    what: ast.AST | str  # code, or the dotted name of what is imported
    is_certain: bool  # that it takes the place of earlier ones


@dataclass(frozen=True)
class Bindings:
    """What one cell or file binds at its top."""

    scopes: Scopes
    by_name: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[tuple[int, str]] = field(default_factory=list)  # modules all of whose names are imported

    def add(self, name: str, place: int, what: ast.AST | str, is_certain: bool) -> None:
        """Bind a name."""
        self.by_name.setdefault(name, []).append(Binding(place, what, is_certain))


def read_bindings(source: str) -> Bindings | None:
    """What a text binds; None where it cannot be read."""
    return _remember_bindings(source) if len(source) <= SHORT else _find_bindings(source)


def _find_bindings(source: str) -> Bindings | None:
    read = read_python(source)
    if read is None or _num_copies(read[1]) > MOST_COPIES:
        return None
    try:
        found = Bindings(Scopes(symtable.symtable(read[0], "<cell>", "exec")))
    except BROKEN:
        return None
    todo = [(statement, not has_cell_magic(source)) for statement in reversed(read[1].body)]
    place = 0
    while todo:
        statement, is_certain = todo.pop()
        place += 1
        inner = _bind(found, statement, place, is_certain)
        is_sure = is_certain and isinstance(statement, ast.With)
        todo += [(below, is_sure) for below in reversed(inner)]
    return found


def _num_copies(tree: ast.Module) -> int:
    """How many names `symtable` copies at most: for each scope all those of the scopes around it."""
    num_copies, num_all_scopes, shared = 0, 0, set()
    for statement in tree.body:
        names, num_scopes = set(), 0
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=name) | ast.arg(arg=name) | ast.alias(name=name):
                    names.add(name)
                case ast.Global(names=declared):
                    shared.update(declared)
                case _ if isinstance(node, Scoped | ast.ClassDef):
                    num_scopes += 1
        num_copies += len(names) * num_scopes
        num_all_scopes += num_scopes
    return num_copies + len(shared) * num_all_scopes


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


def _heads_of(statement: ast.stmt, inner: list[ast.stmt]) -> list[ast.AST]:
    """A statement without its blocks."""
    if not inner:
        return [statement]
    heads: list[ast.AST] = [n for n in ast.iter_child_nodes(statement) if not isinstance(n, ast.stmt)]
    inside: list[ast.AST] = []
    for case in heads:
        is_case = isinstance(case, ast.ExceptHandler | ast.match_case)
        parts = ast.iter_child_nodes(case) if is_case else [case]
        inside += [n for n in parts if not isinstance(n, ast.stmt)]
    return inside


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


def imported_in(node: ast.AST) -> dict[str, str]:
    """Names that are imported somewhere inside a piece of code, with the dotted names of what they stand for."""
    found: dict[str, str] = {}
    for inner in ast.walk(node):
        match inner:
            case ast.Import():
                found.update((alias.asname or alias.name.split(".")[0], _imported(alias)) for alias in inner.names)
            case ast.ImportFrom(module=module):
                found.update((alias.asname or alias.name, f"{module or ''}.{alias.name}") for alias in inner.names)
    return found
