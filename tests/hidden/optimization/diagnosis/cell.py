"""What the text of a student's own cell says: which things it does, in which order, inside or outside its loop.

Knows the shape of a training loop in Python source, by `ast`. Refuses to run anything, and to know numbers: what it
says breaks ties between mistakes that give the same numbers, and never decides a score.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from stepgrade.source import lines_of, names_in, parse, text_of

from .deeds import Event, dotted, nodes_inside, read_events, targets_of


@dataclass(frozen=True, slots=True)
class Rebinding:
    """A line such as `x = x - lr * x.grad`."""

    is_detached: bool
    is_switched_on: bool  # requires_grad is set again
    is_under_no_grad: bool


MAX_TEXT = 50_000  # characters; a longer cell is not written by hand, and says nothing
MAX_NODES = 60_000  # of the tree; text that is written by hand has one for two characters at most
MAX_LINE = 500  # characters
NO_GRAD = frozenset({"no_grad", "inference_mode", "set_grad_enabled"})


class Cell:
    """What the text of a student's cell says about one function.

    Args:
        source: the cell.
        function: the exercise's function.

    Attributes:
        source: the text without comments and docstrings, one statement a line.
        names: every name and attribute that the cell mentions.
        events: forward, backward, … of the function's body, in the order of its lines.
        x: the name of the variable that f is called with, "x" where it cannot be told.
    """

    def __init__(self, source: str, function: str) -> None:
        tree = parse(source) if len(source) <= MAX_TEXT else None
        self.lines = lines_of(source)
        self.tree = tree or ast.Module(body=[], type_ignores=[])
        self.nodes = list(islice(ast.walk(self.tree), MAX_NODES + 1))
        if len(self.nodes) > MAX_NODES:
            tree, self.tree = None, ast.Module(body=[], type_ignores=[])
            self.nodes = [self.tree]
        self._is_parsed = tree is not None
        _drop_remarks(self.nodes)
        self.function = _definition(self.nodes, function)
        self.parameters = [a.arg for a in self.function.args.args] if self.function else []
        self.f = self.parameters[0] if self.parameters else "f"

    @cached_property
    def source(self) -> str:
        """The program's text, without the statements that cannot be written."""
        return "\n".join(text for text in self._texts if text is not None)

    @cached_property
    def _texts(self) -> list[str | None]:
        """Of the statements at the top."""
        return [text_of(statement) for statement in self.tree.body]

    @cached_property
    def is_unread(self) -> bool:
        """Whether nothing can be said of it: it is too long, too deep, or no Python."""
        is_written = None not in self._texts or (self.function is not None and text_of(self.function) is not None)
        return not self._is_parsed or not is_written or self._events is None

    @cached_property
    def names(self) -> set[str]:
        """Every name and attribute."""
        return names_in(self.tree)

    @cached_property
    def x(self) -> str:
        """The variable that f is called with."""
        return _argument_of(self.nodes, self.f) or "x"

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What the function does; nothing, where it does too much to be read."""
        return self._events or ()

    @cached_property
    def _events(self) -> tuple[Event, ...] | None:
        return read_events(self.nodes, self.function, self.f, self.x) if self.function else ()

    def line(self, number: int) -> str:
        """A line of the cell, counted from 1; empty where there is none."""
        return self.lines[number - 1].strip()[:MAX_LINE] if 0 < number <= len(self.lines) else ""

    def count(self, what: str, in_loop: bool | None = None) -> int:
        """How often something is done."""
        return sum(e.what == what and in_loop in (None, e.in_loop) for e in self.events)

    def does(self, what: str, in_loop: bool | None = None) -> bool:
        """Whether something is done at all."""
        return self.count(what, in_loop) > 0

    def does_before(self, what: str, line: int | None) -> bool:
        """Whether something is done above a line; anywhere, where the line is not known."""
        return any(e.what == what and (line is None or getattr(e.node, "lineno", 0) < line) for e in self.events)

    def order(self) -> list[str]:
        """What is done inside the loop, in order."""
        return [e.what for e in self.events if e.in_loop]

    def unread_parameters(self) -> list[str]:
        """Parameters that the function never reads."""
        if self.function is None:
            return []
        read = {n.id for n in ast.walk(self.function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        return [name for name in self.parameters if name not in read]

    def outside_names(self) -> list[str]:
        """Names that the function reads and that come from outside of it; modules, builtins and functions apart."""
        if self.function is None:
            return []
        inside = {a.arg for a in ast.walk(self.function) if isinstance(a, ast.arg)}
        loads: list[str] = []
        for node in ast.walk(self.function):
            if isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Load):
                    loads.append(node.id)
                else:
                    inside.add(node.id)
        called = {dotted(n.func).split(".")[0] for n in ast.walk(self.function) if isinstance(n, ast.Call)}
        known = inside | called | set(dir(builtins)) | _imported(self.tree) | {"torch", "np", "optim", "plt"}
        return list(dict.fromkeys(name for name in loads if name not in known))

    def calls(self, ending: str) -> list[ast.Call]:
        """Calls whose dotted name ends so, such as ".append"."""
        return [n for n in self.nodes if isinstance(n, ast.Call) and dotted(n.func).endswith(ending)]

    def is_assigned(self, name: str, ending: str) -> bool:
        """Whether a name is ever assigned something that calls a function whose dotted name ends so."""
        return any(called.endswith(ending) for called in self._assigned.get(name, ()))

    def is_assigned_none(self, name: str) -> bool:
        """Whether a name is ever assigned None itself."""
        return any(isinstance(value, ast.Constant) and value.value is None for value in self._values(name))

    def holds_list(self, name: str) -> bool:
        """Whether a name is ever assigned a list that is written out."""
        return any(isinstance(value, ast.List | ast.ListComp) or _is_new_list(value) for value in self._values(name))

    def _values(self, name: str) -> list[ast.expr]:
        """What a name is assigned, one by one."""
        found = []
        for node in self.nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    found += [value for part, value in _pairs(target, node.value) if dotted(part) == name]
        return found

    @cached_property
    def _assigned(self) -> dict[str, set[str]]:
        """By name: the functions that are called in what it is assigned."""
        found: dict[str, set[str]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                called = {dotted(c.func) for c in ast.walk(node.value) if isinstance(c, ast.Call)}
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    found.setdefault(dotted(target), set()).update(called)
        return found

    def clears_before_use(self) -> bool:
        """Whether the gradient is cleared between backward and every move of the loop."""
        order = ["move" if what in ("step", "update") else what for what in self.order()]
        if "backward" not in order or "move" not in order:
            return False
        later = order[order.index("backward") :]
        return "zero" in later and "move" in later and later.index("zero") < later.index("move")

    def rebindings(self) -> list[Rebinding]:
        """Lines of the loop that give x's name to a new tensor made from the old one."""
        lines = {id(event.node): event.node for event in self.events if event.what == "update" and event.in_loop}
        found = []
        for node in lines.values():
            if isinstance(node, ast.Assign) and self.x in targets_of(node):
                text = text_of(node.value) or ""
                found.append(
                    Rebinding(
                        is_detached=any(word in text for word in ("detach", "torch.tensor(", ".item()", "Parameter")),
                        is_switched_on=self._switches_on,
                        is_under_no_grad=self._is_under_no_grad(node) or f"{self.x}.data" in text,
                    )
                )
        return found

    @cached_property
    def _switches_on(self) -> bool:
        """Whether x is made a leaf that asks for its gradient again, inside the loop."""
        inside = nodes_inside(self.tree, lambda node: isinstance(node, ast.For | ast.While))
        for node in inside.values():
            match node:
                case (
                    ast.Name(id="requires_grad")
                    | ast.Attribute(attr="requires_grad")
                    | ast.keyword(arg="requires_grad")
                ):
                    return True
                case ast.Call(func=function) if dotted(function).rpartition(".")[2] == "requires_grad_":
                    return True
        return False

    def _is_under_no_grad(self, node: ast.AST) -> bool:
        """Whether a line stands in a `with` block, or in a decorated function, where torch does not watch."""
        return id(node) in self._under_no_grad

    @cached_property
    def _under_no_grad(self) -> dict[int, ast.AST]:
        return nodes_inside(self.tree, _turns_grad_off)

    @cached_property
    def _forward_calls(self) -> list[ast.Call]:
        return [c for c in self.nodes if isinstance(c, ast.Call) and dotted(c.func) == self.f]

    def is_forward_under_no_grad(self) -> bool:
        """Whether f is called where torch does not watch."""
        return any(map(self._is_under_no_grad, self._forward_calls))

    def is_forward_detached(self) -> bool:
        """Whether f is called on a copy that has lost its history."""
        calls = {id(call) for call in self._forward_calls}
        inner = nodes_inside(self.tree, lambda node: id(node) in calls)  # the text of the outer call has theirs in it
        texts = [text_of(call) or "" for call in self._forward_calls if id(call) not in inner]
        return any(
            word in text for text in texts for word in (".detach(", ".data)", ".item()", "torch.tensor(", "float(")
        )

    def asks_for_grad(self) -> bool:
        """Whether some tensor is told, rightly spelt, that its gradient is wanted."""
        calls = {dotted(c.func).rpartition(".")[2] for c in self.nodes if isinstance(c, ast.Call)}
        assigned = {t for n in self.nodes if isinstance(n, ast.stmt) for t in targets_of(n)}
        return (
            "requires_grad" in _true_keywords(self.tree)
            or bool(calls & {"requires_grad_", "Parameter"})
            or any(target.endswith(".requires_grad") for target in assigned)
        )

    def keeps_graph(self) -> bool:
        """Whether backward() is told to keep its graph."""
        return bool({"retain_graph", "create_graph"} & _true_keywords(self.tree))

    def loop_overwrites(self, name: str) -> bool:
        """Whether a loop's variable has this name."""
        return any(isinstance(n, ast.For) and dotted(n.target) == name for n in self.nodes)

    def assigns(self, name: str) -> bool:
        """Whether a name is assigned to."""
        return any(name in targets_of(n) for n in self.nodes if isinstance(n, ast.stmt))

    @cached_property
    def is_opaque(self) -> bool:
        """Whether things may be done that the lines of the function do not show: by hooks, methods, other cells."""
        classes = any(isinstance(n, ast.ClassDef) for n in self.nodes)
        return (
            self.is_unread
            or self.function is None
            or classes
            or not self.does("forward")
            or self._hands_x_out
            or any("hook" in name or name == "exec" for name in self.names)
        )

    @property
    def _hands_x_out(self) -> bool:
        """Whether x is given to a function of another cell, which may do anything to it."""
        bound = {n.id for n in self.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound |= {n.name for n in self.nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        known = bound | set(self.parameters) | set(dir(builtins)) | _imported(self.tree)
        return any(
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id.islower()
            and call.func.id not in known
            and any(isinstance(a, ast.Name) and a.id == self.x for a in (*call.args, *(k.value for k in call.keywords)))
            for call in self.nodes
        )


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Which name is assigned what, in `a = 1` and in `a, b = 1, 2`."""
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        return list(zip(target.elts, value.elts, strict=False))
    return [(target, value)]


def _is_new_list(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and dotted(value.func) == "list"


def _turns_grad_off(node: ast.AST) -> bool:
    heads: list[ast.expr] = []
    if isinstance(node, ast.With):
        heads = [item.context_expr for item in node.items]
    elif isinstance(node, ast.FunctionDef):
        heads = node.decorator_list
    return any(names_in(head) & NO_GRAD for head in heads)


def _drop_remarks(nodes: Sequence[ast.AST]) -> None:
    """Take docstrings out of a tree; comments are not in it."""
    for node in nodes:
        body = getattr(node, "body", None)
        if isinstance(body, list) and any(map(_is_remark, body)):
            body[:] = [n for n in body if not _is_remark(n)] or [ast.Pass()]


def _is_remark(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _definition(nodes: Sequence[ast.AST], function: str) -> ast.FunctionDef | None:
    found = [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == function]
    return found[-1] if found else None


def _argument_of(nodes: Sequence[ast.AST], f: str) -> str | None:
    for node in nodes:
        if isinstance(node, ast.Call) and dotted(node.func) == f and isinstance(node.func, ast.Name) and node.args:
            name = dotted(node.args[0]).split(".")[0]
            if name:
                return name
    return None


def _imported(tree: ast.AST) -> set[str]:
    aliases = [a for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names]
    return {(alias.asname or alias.name).split(".")[0] for alias in aliases}


def _true_keywords(tree: ast.AST) -> set[str]:
    """Keywords that are given anything but False."""
    words = [word for n in ast.walk(tree) if isinstance(n, ast.Call) for word in n.keywords]
    return {w.arg for w in words if w.arg and not (isinstance(w.value, ast.Constant) and w.value.value is False)}
