"""What a program does, statement by statement, as roles: forward, backward, clear, update, step, record, …

A role says what a statement is for, whatever its names: another spelling of a program renames nothing. Where loops are
nested, it says which of them it belongs to: `update@2`. Several variables are counted: `update:1`, `update:2`.

Knows a training loop's calls and assignments. Refuses to know a lesson and numbers, and to run anything.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stepgrade.mutation.names import (
    COMPREHENSIONS,
    GROWING,
    LOOPS,
    Names,
    TooMuch,
    changes_in_place,
    dotted,
    full_name,
    kind_of,
    root,
)
from stepgrade.source import parse

MAX_TEXT = 50_000  # characters; a longer cell is not written by hand, and says nothing
MAX_READ = 100_000  # nodes, those of a helper anew for each call of it
MAX_TARGETS = 50  # of one assignment
MAX_HELPERS = 3  # functions of the program's own, one inside the other
DERIVING = ("torch.autograd.", "torch.func.")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a program does."""

    role: str
    depth: int  # of loops around it
    node: ast.AST  # the statement


class Events:
    """The roles in one program.

    Args:
        tree: the program, as it was parsed.
        function: the function that is looked at.
        arguments: the reference's names for its arguments, in order.

    Raises:
        TooMuch: nobody wrote this by hand.
    """

    def __init__(self, tree: ast.Module, function: str, arguments: Sequence[str] = ()) -> None:
        self.names = Names(tree, function, arguments)
        self._num_read = 0
        self._depths = _depths(tree)
        self.is_nested = max(self._depths.values(), default=0) > 1

    def role(self, statement: ast.stmt) -> str:
        """What a statement is for: the last thing that it does; of a block, the first that is something."""
        return self.at_depth(self._plain_role(statement), self._depths.get(id(statement), 0))

    def at_depth(self, role: str, depth: int) -> str:
        """The role, with the loop that it belongs to where there is more than one."""
        return f"{role}@{depth}" if self.is_nested and depth else role

    def _plain_role(self, statement: ast.stmt) -> str:
        if isinstance(statement, LOOPS):
            return "loop"
        if body := getattr(statement, "body", None):
            inner = [self._plain_role(below) for below in body]
            return next((role for role in inner if role != "other"), "other")
        return [*self._called(statement), *self._kinds(statement), "other"][-2:][0] or "other"

    def order(self) -> tuple[str, ...]:
        """The roles of what is done inside of loops, in order; helpers count where they are called."""
        definition = self.names.definition
        body = definition.body if isinstance(definition, ast.FunctionDef) else []
        events = self._events(body, 0, 0) if body else ()
        roles = [self.at_depth(event.role, event.depth) for event in events if event.depth and event.role != "other"]
        return tuple(role for role, before in zip(roles, ["", *roles], strict=False) if role != before or role in TWICE)

    def _events(self, body: Sequence[ast.stmt], depth: int, helpers: int) -> Iterator[Event]:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                continue
            blocks = [b for part in BLOCKS if isinstance(b := getattr(statement, part, None), list) and b]
            if not blocks:
                yield from self._of_one(statement, depth, helpers)
                continue
            for head in (value for _, value in ast.iter_fields(statement) if isinstance(value, ast.expr)):
                yield from self._of_calls(head, statement, depth, helpers)
            for block in blocks:
                inner = [below for b in block for below in (b.body if isinstance(b, ast.ExceptHandler) else [b])]
                yield from self._events(inner, depth + isinstance(statement, LOOPS), helpers)

    def _of_one(self, statement: ast.stmt, depth: int, helpers: int) -> Iterator[Event]:
        last = ""
        for event in self._of_calls(statement, statement, depth, helpers):
            last = event.role
            yield event
        yield from (Event(kind, depth, statement) for kind in self._kinds(statement) if kind != last)

    def _of_calls(self, piece: ast.AST, statement: ast.stmt, depth: int, helpers: int) -> Iterator[Event]:
        repeated = _inside_comprehensions(piece)
        for call in self._calls(piece):
            inner = depth + (id(call) in repeated)
            if helpers < MAX_HELPERS:
                for helper in self._helpers_of(call):
                    yield from self._events(helper.body, inner, helpers + 1)
            if role := self._role_of_call(call):
                yield Event(role, inner, statement)

    def _called(self, statement: ast.stmt) -> list[str]:
        return [role for call in self._calls(statement) if (role := self._role_of_call(call))]

    def _calls(self, piece: ast.AST) -> list[ast.Call]:
        """In the order in which they are done."""
        nodes = list(ast.walk(piece))
        self._num_read += len(nodes)
        if self._num_read > MAX_READ:
            raise TooMuch
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        return sorted(calls, key=lambda n: (n.end_lineno or 0, n.end_col_offset or 0))

    def _helpers_of(self, call: ast.Call) -> list[ast.FunctionDef]:
        mentioned = [dotted(call.func), *(a.id for a in call.args if isinstance(a, ast.Name))]
        return [self.names.helpers[name] for name in mentioned if name in self.names.helpers]

    def _role_of_call(self, call: ast.Call) -> str:
        name = dotted(call.func)
        owner, _, method = name.rpartition(".")
        full = full_name(name, self.names.imported)
        first = root(call.func)
        if name in self.names.called or full.startswith("torch.nn.functional."):
            return "forward"
        if method == "backward" or full.startswith(DERIVING):
            return "backward"
        if method == "zero_grad" or (owner.endswith((".grad", ".grad.data")) and method in ("zero_", "fill_")):
            return "clear"
        if method == "step":
            return "schedule" if first in self.names.schedulers else "step"
        if method in GROWING and first in self.names.records:
            return "record"
        if method == "requires_grad_" and first in self.names.variables:
            return "watch"
        if changes_in_place(method) and (owner == first or owner.endswith(".data")):
            return self._changed(first)
        return ""

    def _changed(self, name: str) -> str:
        role = self.names.role(name)
        if role.startswith("variable"):
            return role.replace("variable", "update")
        return f"update:{role}" if role.startswith("state") else ""

    def _kinds(self, statement: ast.stmt) -> list[str]:
        match statement:
            case ast.Return():
                return ["return"]
            case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
                return ["record"]
            case ast.Break() | ast.Continue():
                return ["leave"]
            case ast.Assign(targets=targets, value=value):
                return list(dict.fromkeys(k for t in targets[:MAX_TARGETS] for k in self._stored(t, value, statement)))
            case ast.AugAssign(target=target, value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                return self._stored(target, value, statement)
            case ast.Delete(targets=[ast.Attribute(attr="grad")]):
                return ["clear"]
            case _:
                return []

    def _stored(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> list[str]:
        match target:
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                return [kind for one in targets for kind in self._stored(one, value, statement)]
            case ast.Attribute(attr="grad"):
                return ["clear" if _is_nothing(value) else "gradient"]
            case ast.Attribute(attr="requires_grad"):
                return ["watch"]
            case ast.Subscript() if root(target) in self.names.optimizers:
                return ["schedule"]
        name, in_loop = root(target), self._depths.get(id(statement), 0) > 0
        if name in self.names.records and (in_loop or isinstance(statement, ast.AugAssign)):
            return ["record"]
        if name in self.names.losses:
            return ["forward"]
        changes = (
            isinstance(statement, ast.AugAssign) or isinstance(target, ast.Attribute) or name in self.names.reads(value)
        )
        if in_loop and name in self.names.states and (changes or self.names.role(name).startswith("state")):
            return [self._changed(name) or "other"]
        return self._made(name, value, in_loop)

    def _made(self, name: str, value: ast.expr, in_loop: bool) -> list[str]:
        if name in self.names.optimizers:
            return ["make:optimizer"]
        if name in self.names.schedulers:
            return ["make:scheduler"]
        if name in self.names.records:
            return ["make:record"]
        role = self.names.role(name)
        if role.startswith(("variable", "state")):
            return [f"make:{role}"]
        if isinstance(value, ast.Attribute) and value.attr == "grad":
            return ["gradient"]
        if isinstance(value, ast.Call) and kind_of(self.names.thing(value.func)):
            return ["make:layer"]
        return [] if in_loop else ["make"]


BLOCKS = ("body", "handlers", "orelse", "finalbody")
TWICE = frozenset({"backward", "step", "schedule", "update", "record"})
"""Roles that mean something else when they are done twice in a row."""


def _depths(tree: ast.Module) -> dict[int, int]:
    """How many loops there are around each statement."""
    found: dict[int, int] = {}
    todo: list[tuple[ast.AST, int]] = [(tree, 0)]
    while todo:
        node, depth = todo.pop()
        if isinstance(node, ast.stmt):
            found[id(node)] = depth
        inner = depth + isinstance(node, LOOPS)
        todo += [(below, inner) for below in ast.iter_child_nodes(node)]
    return found


def _inside_comprehensions(tree: ast.AST) -> set[int]:
    found: set[int] = set()
    todo = [(tree, False)]
    while todo:
        node, is_inside = todo.pop()
        if is_inside:
            found.add(id(node))
        is_inside = is_inside or isinstance(node, COMPREHENSIONS)
        todo += [(below, is_inside) for below in ast.iter_child_nodes(node)]
    return found


def _is_nothing(value: ast.expr) -> bool:
    names = [n.attr if isinstance(n, ast.Attribute) else "" for n in ast.walk(value)]
    return isinstance(value, ast.Constant) or any("zero" in name for name in names)


def read_events(source: str, function: str, arguments: Sequence[str] = ()) -> Events | None:
    """The roles in a program's text; None where it cannot be read: too long, too deep, or no Python."""
    tree = parse(source) if len(source) <= MAX_TEXT else None
    if tree is None:
        return None
    try:
        return Events(tree, function, arguments)
    except (TooMuch, RecursionError):
        return None


def order_of(source: str, function: str) -> tuple[str, ...] | None:
    """What a program does in its loops, in order, as roles; None where it cannot be read.

    It breaks ties between mutants that give the same numbers: the student's own order of events is one of theirs.

    Example:
        >>> order_of(solution, "walk")
        ('forward', 'record', 'backward', 'update', 'clear')
    """
    events = read_events(source, function)
    if events is None or events.names.definition is None:
        return None
    try:
        return events.order()
    except (TooMuch, RecursionError):
        return None
