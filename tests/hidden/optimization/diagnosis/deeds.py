"""What a function does, line by line: forward, backward, clearing, steps and updates, inside or outside its loop.

Knows the calls and assignments of a training loop, and follows helpers of the cell's own to where they are called.
Refuses to judge what it finds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from stepgrade.mutation.names import dotted
from stepgrade.source import names_in

Names = dict[str, str]
"""What the names of a helper's parameters stand for outside of it."""
MAX_READ = 100_000  # nodes, those of a helper anew for each call of it
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a cell does, in the order of its lines."""

    what: str  # forward, backward, zero, step, schedule, update, made (x anew), other
    in_loop: bool
    node: ast.AST


def read_events(nodes: Sequence[ast.AST], function: ast.FunctionDef, f: str, x: str) -> tuple[Event, ...] | None:
    """The events of a function's body, in the order of its lines; None where it is too much to be read.

    Args:
        nodes: of the whole cell.
        f, x: the names of the objective and of the variable that it is called with.
    """
    try:
        return tuple(_Reader(nodes, function, f, x).events(function.body, in_loop=False, names={}))
    except (_TooMuch, RecursionError):
        return None


class _TooMuch(Exception):
    """Functions of the cell's own that call one another again and again."""


class _Reader:
    """Reads the lines of one cell."""

    def __init__(self, nodes: Sequence[ast.AST], function: ast.FunctionDef, f: str, x: str) -> None:
        self.nodes = nodes
        self.function = function
        self.f = f
        self.x = x
        self.num_read = 0

    @cached_property
    def _schedulers(self) -> set[str]:
        return _made_by(self.nodes, lambda name: name.endswith(("LR", "Plateau", "Restarts")))

    def events(self, body: Sequence[ast.stmt], in_loop: bool, names: Names, depth: int = 0) -> Iterator[Event]:
        """The events of some lines; functions of the cell's own count where they are called.

        Args:
            names: what the names of a helper's parameters stand for outside of it.
        """
        for statement in body:
            self._count(1)
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                continue
            blocks = [
                b for part in ("body", "orelse", "finalbody") if isinstance(b := getattr(statement, part, None), list)
            ]
            if not blocks:
                yield from self._deeds(statement, in_loop, names, depth)
                continue
            for head in (value for _, value in ast.iter_fields(statement) if isinstance(value, ast.expr)):
                yield from self._calls(head, statement, in_loop, names, depth)
            repeats = in_loop or isinstance(statement, ast.For | ast.While)
            for block in blocks:
                yield from self.events(block, repeats, names, depth)

    def _count(self, num: int) -> None:
        self.num_read += num
        if self.num_read > MAX_READ:
            raise _TooMuch

    def _deeds(self, statement: ast.stmt, in_loop: bool, names: Names, depth: int) -> Iterator[Event]:
        called = list(self._calls(statement, statement, in_loop, names, depth))
        yield from called
        for what in dict.fromkeys(self._kind_of(target, names) for target in targets_of(statement)):
            if what == "grad" and not any(event.what == "backward" for event in called):
                value = getattr(statement, "value", None)
                clears = isinstance(value, ast.Constant) or _mentions_zero(value or statement)
                yield Event("zero" if clears or isinstance(statement, ast.AugAssign) else "other", in_loop, statement)
            elif what == "x":
                yield Event("update" if self._is_update(statement) else "made", in_loop, statement)

    def _kind_of(self, target: str, names: Names) -> str:
        target = _renamed(target, names)
        return "grad" if target.endswith(".grad") else "x" if target in (self.x, f"{self.x}.data") else ""

    def _is_update(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.AugAssign):
            return True
        value = getattr(statement, "value", None)
        loads = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)} if value is not None else set()
        names = names_in(value) if value is not None else set()
        return "grad" in names or (self.x in loads and len(loads) > 1)

    def _calls(self, piece: ast.AST, statement: ast.stmt, in_loop: bool, names: Names, depth: int) -> Iterator[Event]:
        nodes = list(ast.walk(piece))
        self._count(len(nodes))
        repeated = nodes_inside(piece, lambda node: isinstance(node, COMPREHENSIONS))
        calls = [n for n in nodes if isinstance(n, ast.Call)]
        for call in sorted(calls, key=lambda n: (n.end_lineno or 0, n.end_col_offset or 0)):
            repeats = in_loop or id(call) in repeated
            for helper in self._helpers_of(call) if depth < 3 else ():
                inner = _parameters(helper, call, names) if dotted(call.func) == helper.name else names
                yield from self.events(helper.body, repeats, inner, depth + 1)
            what = self._deed(call, names)
            if what is not None:
                yield Event(what, repeats, statement)

    def _helpers_of(self, call: ast.Call) -> list[ast.FunctionDef]:
        """Functions of the cell's own that a call calls, or hands on to be called."""
        mentioned = [dotted(call.func), *(a.id for a in call.args if isinstance(a, ast.Name))]
        return [self._helpers[name] for name in mentioned if name in self._helpers]

    @cached_property
    def _helpers(self) -> dict[str, ast.FunctionDef]:
        return {n.name: n for n in self.nodes if isinstance(n, ast.FunctionDef) and n is not self.function}

    def _deed(self, call: ast.Call, names: Names) -> str | None:
        name = _renamed(dotted(call.func), names)
        owner, _, method = name.rpartition(".")
        if name == self.f:
            return "forward"
        if method in ("backward", "grad") and name != "grad":
            return "backward"
        if method == "zero_grad" or (owner.endswith(("grad", "grad.data")) and method in ("zero_", "fill_")):
            return "zero"
        if method == "step":
            return "schedule" if owner in self._schedulers or "sched" in owner.lower() else "step"
        if owner in (self.x, f"{self.x}.data") and method in ("sub_", "add_", "copy_", "set_", "addcmul_"):
            return "update"
        return None


def nodes_inside(tree: ast.AST, is_outer: Callable[[ast.AST], bool]) -> dict[int, ast.AST]:
    """All nodes somewhere below one for which something holds, by id; each node is visited once."""
    found: dict[int, ast.AST] = {}
    todo = [(tree, False)]
    while todo:
        node, is_inside = todo.pop()
        if is_inside:
            found[id(node)] = node
        is_inside = is_inside or is_outer(node)
        todo += [(below, is_inside) for below in ast.iter_child_nodes(node)]
    return found


def _mentions_zero(node: ast.AST) -> bool:
    return any("zero" in name for name in names_in(node))


def _made_by(nodes: Sequence[ast.AST], is_class: Callable[[str], bool]) -> set[str]:
    """Names that are assigned a call of a class whose name fits."""
    made: set[str] = set()
    for node in nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        if is_class(dotted(node.value.func).rpartition(".")[2]):
            made.update(dotted(target) for target in node.targets)
    return made


def _renamed(name: str, names: Names) -> str:
    root, dot, rest = name.partition(".")
    return names.get(root, root) + dot + rest


def _parameters(helper: ast.FunctionDef, call: ast.Call, names: Names) -> Names:
    """What a helper's parameters stand for in one call of it."""
    given = dict(zip([a.arg for a in helper.args.args], call.args, strict=False))
    given |= {word.arg: word.value for word in call.keywords if word.arg}
    return {name: _renamed(dotted(value), names) for name, value in given.items() if dotted(value)}


def targets_of(statement: ast.stmt) -> list[str]:
    """The dotted names that a statement assigns to."""
    match statement:
        case ast.Assign(targets=targets):
            return [dotted(t) for target in targets for t in getattr(target, "elts", [target])]
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return [dotted(target)]
        case _:
            return []
