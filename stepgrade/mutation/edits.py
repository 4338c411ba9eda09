"""A small edit of a program: which places of its syntax tree get another value, and how the program then reads.

Knows syntax trees and the roles of `events`. Refuses to know which edits are worth making: the operators do.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stepgrade.mutation.events import Events
from stepgrade.mutation.names import Names, loaded
from stepgrade.mutation.trees import form, line_of, lines, with_names

LONGEST_RUN = 3  # statements in a row that are moved or left out together


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
    def names(self) -> Names:
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
        nodes = self.names.nodes
        indexed = {n.value.id for n in nodes if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)}
        return {
            own: name
            for own, name in self.names.plain_parameters.items()
            if (is_number(self.lesson[name]) if name in self.lesson else own not in self.names.called | indexed)
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
        once = {
            b.name: b.value
            for b in self.names.bindings
            if b.in_loop and not b.is_changed and b.value is not None and len(self.names.values[b.name]) == 1
        }
        return {name: value for name, value in once.items() if len(list(ast.walk(value))) < 20}


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def is_number(value: Any) -> bool:
    """Whether a value is a number; a flag is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_remark(statement: ast.stmt) -> bool:
    return is_text(statement) or isinstance(statement, ast.Import | ast.ImportFrom)


def drop_remarks(nodes: Sequence[ast.AST]) -> None:
    """Take the docstrings out of a tree."""
    for node in nodes:
        body = getattr(node, "body", None)
        if isinstance(body, list) and len(body) > 1:
            body[:] = [one for one in body if not is_text(one)] or body[:1]


def is_text(node: ast.AST) -> bool:
    """Whether a statement is a text alone, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def worth_editing(statement: ast.stmt) -> bool:
    """Whether a statement does something: no remark, import or definition."""
    return not _is_remark(statement) and not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Pass)


def statement_edit(program: Program, statement: ast.stmt, operator: str, said: str, *changes: Change) -> Edit:
    """An edit of a whole statement."""
    text = f"{line_of(statement)}: `{first_line(statement)}` {said}"
    return Edit(operator, program.role(statement), text, changes, operator)


def first_line(statement: ast.stmt) -> str:
    """A statement as text, without its block."""
    return ast.unparse(statement).splitlines()[0]


def runs_from(block: Block, index: int, longest: int) -> Iterator[list[ast.stmt]]:
    """Several statements in a row, from two on."""
    for length in range(2, longest + 1):
        run = block.statements[index : index + length]
        if len(run) == length and all(map(worth_editing, run)) and not any(isinstance(s, ast.Return) for s in run):
            yield run


def counted(loop: ast.For | ast.While) -> tuple[str, list[Change]]:
    """The name of the number of the pass, and what makes it."""
    number = ast.Name("number", ast.Store())
    if isinstance(loop, ast.While):
        counted = [*lines("number = number + 1 if 'number' in locals() else 0"), loop.body[0]]
        return "number", [Change(loop, "body", 0, counted)]
    match loop.target, loop.iter:
        case ast.Name(id="_"), ast.Call(func=ast.Name(id="range"), args=[_]):
            return "number", [Change(loop, "target", None, number)]
        case ast.Name(id=name), ast.Call(func=ast.Name(id="range"), args=[_]):
            return name, []
    pair = ast.Tuple([number, loop.target], ast.Store())
    return "number", [Change(loop, "target", None, pair), Change(loop, "iter", None, form("enumerate(A)", A=loop.iter))]


def made_anew(program: Program, statement: ast.stmt) -> ast.stmt | None:
    """The statement with what it reads computed anew."""
    if not loaded(statement) & program.definitions.keys() or isinstance(statement, ast.For | ast.While):
        return None
    new: ast.stmt = with_names(statement, program.definitions)
    return new


def retained(program: Program) -> list[Change]:
    """Backward keeps the graph."""
    word = ast.keyword("retain_graph", ast.Constant(True))
    return [
        Change(node, "keywords", None, [*node.keywords, word])
        for node in program.names.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward"
    ]


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
