"""Pieces of syntax trees: made from texts, copied, filled in, written on one line.

Knows Python's grammar. Refuses to know programs and edits.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any


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
