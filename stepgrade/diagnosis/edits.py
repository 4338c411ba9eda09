"""A small edit of a program: which places of its syntax tree get another value, and how the program then reads.

Knows syntax trees and the roles of `events`. Refuses to know which edits are worth making: the operators do.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stepgrade.diagnosis.events import Events


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a tree that gets another value.

    Attributes:
        owner: the node whose field it is.
        field: the field's name.
        index: in the field's list; None: the field as a whole.
        new: the value; for a place in a list, the nodes that stand there instead.
    """

    owner: ast.AST
    field: str
    index: int | None
    new: Any


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes that are made together.

    Attributes:
        operator: what was done, in a word or two.
        role: of what was touched.
        text: for the instructor.
        changes: of the tree.
        site: the text of what was touched, to find what is parallel to it.
    """

    operator: str
    role: str
    text: str
    changes: tuple[Change, ...]
    site: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """An expression, and where it stands."""

    node: ast.expr
    owner: ast.AST
    field: str
    index: int | None
    statement: ast.stmt
    role: str  # of the statement

    def put(self, new: ast.expr) -> Change:
        """Another expression in its place."""
        return Change(self.owner, self.field, self.index, new if self.index is None else [new])


@dataclass(frozen=True, slots=True)
class Block:
    """A list of statements, and the loop that it is the body of, if any."""

    owner: ast.AST
    field: str
    statements: list[ast.stmt]
    loop: ast.For | ast.While | None  # the innermost around it
    is_body: bool  # the loop's own, not a block inside of it

    def put(self, index: int, new: Sequence[ast.stmt]) -> Change:
        """Other statements in the place of one."""
        return Change(self.owner, self.field, index, list(new))


@dataclass
class Program:
    """A program that is edited.

    Args:
        tree: as it was parsed.
        events: its roles.
        lesson: the lesson's values by the reference's names of the arguments.
    """

    tree: ast.Module
    events: Events
    lesson: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> Any:
        """What its names are for."""
        return self.events.names

    def role(self, statement: ast.stmt) -> str:
        """What a statement is for."""
        return self.events.role(statement)

    @cached_property
    def blocks(self) -> list[Block]:
        """Of all functions, outer ones first."""
        found: list[Block] = []
        todo: list[tuple[ast.AST, ast.For | ast.While | None, bool]] = [(self.tree, None, False)]
        for node, loop, is_inside in todo:
            inner = node if isinstance(node, ast.For | ast.While) else None if _is_function(node) else loop
            is_inside = is_inside or _is_function(node)
            for part in ("body", "orelse", "handlers", "finalbody"):
                below = getattr(node, part, None)
                if isinstance(below, list) and below:
                    if is_inside and isinstance(below[0], ast.stmt):
                        found.append(Block(node, part, below, inner, inner is node))
                    todo += [(one, inner, is_inside) for one in below]
        return found

    @cached_property
    def sites(self) -> list[Site]:
        """All expressions that are read, of all functions."""
        return [
            site
            for block in self.blocks
            for statement in block.statements
            if not _is_remark(statement)
            for site in self._sites_in(statement)
        ]

    def _sites_in(self, statement: ast.stmt) -> Iterator[Site]:
        role = self.role(statement)
        todo: list[ast.AST] = [statement]
        while todo:
            node = todo.pop()
            for name, value in ast.iter_fields(node):
                many = isinstance(value, list)
                for index, one in enumerate(value if many else [value]):
                    if isinstance(one, ast.expr) and not isinstance(getattr(one, "ctx", None), ast.Store | ast.Del):
                        yield Site(one, node, name, index if many else None, statement, role)
                    if isinstance(one, ast.expr | ast.keyword | ast.comprehension | ast.withitem):
                        todo.append(one)

    @cached_property
    def numbers(self) -> dict[str, str]:
        """Own names of the arguments that are numbers, and the reference's."""
        called = self.names.called | {n.value.id for n in self.names.nodes if _is_index(n)}
        return {
            own: name
            for own, name in self.names.parameters.items()
            if (_is_number(self.lesson[name]) if name in self.lesson else own not in called)
        }

    @cached_property
    def uses(self) -> dict[str, int]:
        """How often each name is read."""
        counts: dict[str, int] = {}
        for site in self.sites:
            if isinstance(site.node, ast.Name):
                counts[site.node.id] = counts.get(site.node.id, 0) + 1
        return counts

    def argument(self, name: str, role: str) -> str:
        """The role of an argument that stands in a statement: the statement counts where there are several uses."""
        own = self.names.role(name)
        return f"{own}/{role}" if self.uses.get(name, 0) > 1 else own

    @cached_property
    def definitions(self) -> dict[str, ast.expr]:
        """What names stand for that are bound once, in a loop."""
        inner = [b for b in self.names.bindings if b.in_loop and not b.is_changed and b.value is not None]
        once = {b.name: b.value for b in inner if len(self.names.values.get(b.name, ())) == 1}
        return {name: value for name, value in once.items() if len(list(ast.walk(value))) < 20}


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_index(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)


def _is_remark(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Import | ast.ImportFrom)


def worth_editing(statement: ast.stmt) -> bool:
    """Whether a statement does something: no remark, import or definition."""
    return not _is_remark(statement) and not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Pass)


def form(text: str, **parts: ast.expr) -> ast.expr:
    """An expression from a text in which names stand for other expressions.

    Example:
        >>> ast.unparse(form("2 * A", A=ast.Name("x")))
        '2 * x'
    """
    return _Filled(parts).visit(ast.parse(text, mode="eval").body)  # type: ignore[no-any-return]


def lines(text: str, **parts: ast.expr) -> list[ast.stmt]:
    """Statements from a text in which names stand for expressions."""
    return [_Filled(parts).visit(statement) for statement in ast.parse(text).body]


def with_names(node: Any, parts: Mapping[str, ast.expr]) -> Any:
    """A copy of a piece of a program with expressions in the place of names."""
    filled = _Filled(parts)
    return [filled.visit(copied(one)) for one in node] if isinstance(node, list) else filled.visit(copied(node))


def copied(node: Any) -> Any:
    """A deep copy of a piece of a tree; constants and contexts are shared."""
    if isinstance(node, list):
        return [copied(one) for one in node]
    if not isinstance(node, ast.AST) or isinstance(node, ast.expr_context | ast.operator | ast.cmpop):
        return node
    new = type(node)(**{name: copied(value) for name, value in ast.iter_fields(node)})
    return ast.copy_location(new, node)


class _Filled(ast.NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, parts: Mapping[str, ast.expr]) -> None:
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A name that is read becomes the expression; one that is stored only where it becomes a place."""
        new = self.parts.get(node.id)
        if new is None or (isinstance(node.ctx, ast.Store) and not isinstance(new, ast.Name | ast.Attribute)):
            return node
        return as_target(new) if isinstance(node.ctx, ast.Store) else new


def as_target(node: ast.expr) -> ast.expr:
    """A name or attribute as something that is assigned to."""
    match node:
        case ast.Name(id=name):
            return ast.Name(name, ast.Store())
        case ast.Attribute(value=value, attr=attr):
            return ast.Attribute(as_value(value), attr, ast.Store())
        case _:
            return node


def as_value(node: ast.expr) -> ast.expr:
    """The same, as something that is read."""
    match node:
        case ast.Name(id=name):
            return ast.Name(name, ast.Load())
        case ast.Attribute(value=value, attr=attr):
            return ast.Attribute(value, attr, ast.Load())
        case _:
            return node


def text_of(node: ast.AST | Sequence[ast.AST]) -> str:
    """A piece of a program as text, on one line."""
    if not isinstance(node, ast.AST):
        return "; ".join(text_of(one) for one in node)
    return " ".join(ast.unparse(node).split())


def line_of(node: ast.AST) -> str:
    """Where a statement stands."""
    return f"line {getattr(node, 'lineno', 0)}"


def write(program: Program, changes: Sequence[Change], unparse: Callable[[ast.AST], str] = ast.unparse) -> str:
    """The program's text with some changes; the tree is as it was, afterwards."""
    saved = [(owner, name, getattr(owner, name)) for owner, name in {(c.owner, c.field): None for c in changes}]
    try:
        for owner, name, old in saved:
            setattr(owner, name, _changed(old, [c for c in changes if c.owner is owner and c.field == name], name))
        return unparse(program.tree)
    finally:
        for owner, name, old in saved:
            setattr(owner, name, old)


def _changed(old: Any, changes: Sequence[Change], name: str) -> Any:
    whole = [change.new for change in changes if change.index is None]
    if whole:
        return whole[-1]
    new = list(old)
    for change in sorted(changes, key=lambda c: c.index or 0, reverse=True):
        new[change.index : (change.index or 0) + 1] = change.new
    return new if new or name != "body" else [ast.Pass()]
