"""How like two programs are, whatever their names: what each part of one stands in, counted and compared.

It breaks ties between mutants that give the same numbers, as the order of events does, and more finely: of several
edits that lead to the same, the one that makes the program read most like the student's own is what the student did.

Knows syntax trees and the roles of names. Refuses to know numbers and lessons, and to run anything.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from stepgrade.mutation import events
from stepgrade.mutation.edits import drop_remarks
from stepgrade.mutation.names import Names, TooMuch

MOST_NODES = 5_000  # of a text that is compared; a longer one is no answer to one exercise
MOST_DEPTH = 200  # of its syntax tree, whatever depth of recursion the process allows
LONGEST = 200  # characters of a piece that is compared as a whole
Features = Counter[str]
"""Pieces of a program, with names as roles: each node beside the one around it, and each small expression whole."""


@lru_cache(maxsize=4096)
def order_of(source: str, function: str) -> tuple[str, ...] | None:
    """What a program does in its loops, in order; see `events.order_of`. The same programs come again and again."""
    return events.order_of(source, function)


@lru_cache(maxsize=4096)
def features_of(source: str, function: str, arguments: tuple[str, ...] = ()) -> Features | None:
    """What a program is made of; None where it cannot be read."""
    read = events.read_events(source, function, arguments)
    if read is None or len(read.names.nodes) > MOST_NODES:
        return None
    found: Features = Counter()
    try:
        drop_remarks(read.names.nodes)
        _count(read.names, read.names.tree, "", found)
    except (TooMuch, RecursionError):
        return None
    return found


def difference(one: Features, other: Features) -> int:
    """How many pieces only one of two programs has."""
    return sum(abs(one[piece] - other[piece]) for piece in one.keys() | other.keys())


def distances(source: str, others: Sequence[str], function: str, arguments: tuple[str, ...] = ()) -> list[float]:
    """How far some programs are from a text; all are equally far, where it cannot be read."""
    own = features_of(source, function, arguments)
    if own is None:
        return [0.0] * len(others)
    theirs = (features_of(other, function, arguments) for other in others)
    return [math.inf if found is None else difference(own, found) for found in theirs]


def most_like(source: str, others: Sequence[str], function: str, arguments: tuple[str, ...] = ()) -> set[str]:
    """Those of some programs that are most like a text; all of them, where it cannot be read."""
    apart = distances(source, others, function, arguments)
    return {other for other, far in zip(others, apart, strict=True) if far == min(apart)}


def is_towards(source: str, before: str, after: str, function: str, arguments: tuple[str, ...] = ()) -> bool:
    """Whether an edit makes a program more like a text."""
    own, old, new = (features_of(text, function, arguments) for text in (source, before, after))
    return own is not None and old is not None and new is not None and difference(own, new) < difference(own, old)


def _count(names: Names, node: ast.AST, around: str, found: Features, depth: int = 0) -> str:
    """Count a node and what is below it; gives back the node as text, "" where that is too long.

    Raises:
        TooMuch: it is deeper than anybody writes.
    """
    if depth > MOST_DEPTH:
        raise TooMuch
    node = _plain(node)
    own = _label(names, node)
    found[f"{around} > {own}"] += 1
    children = [child for child in ast.iter_child_nodes(node) if not _is_grammar(child)]
    below = [_count(names, child, own, found, depth + 1) for child in children]
    whole = f"{own}({', '.join(below)})" if all(below) else ""
    if len(whole) > LONGEST:
        return ""
    if below and whole:
        found[whole] += 1
    return whole


def _is_grammar(node: ast.AST) -> bool:
    """What says nothing of its own: whether a name is read or stored, and operators, which are in the label."""
    return isinstance(node, ast.expr_context | ast.operator | ast.unaryop | ast.boolop | ast.cmpop | ast.alias)


def _plain(node: ast.AST) -> ast.AST:
    """`x = x - a` for `x -= a`, and `x` for `x.data`: they are the same thing in two spellings."""
    match node:
        case ast.AugAssign(target=target, op=op, value=value):
            return ast.Assign([target], ast.BinOp(target, op, value))
        case ast.Attribute(attr="data", value=value):
            return _plain(value)
        case _:
            return node


def _label(names: Names, node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            own = names.role(name)
            return name if own == "other" and name not in names.values else own
        case ast.Attribute(attr=attr):
            return f".{attr}"
        case ast.Constant(value=value):
            return repr(value)[:LONGEST]
        case ast.keyword(arg=word):
            return f"{word}="
        case ast.BinOp(op=op) | ast.UnaryOp(op=op) | ast.BoolOp(op=op):
            return type(op).__name__
        case ast.Compare(ops=ops):
            return " ".join(type(op).__name__ for op in ops)
        case _:
            return type(node).__name__
