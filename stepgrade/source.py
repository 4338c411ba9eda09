"""Looks at the text of a student's cells with `ast`; never runs it.

Knows Python source as IPython reads it: magics are turned into Python, none is run. Refuses to know numbers and points,
and to follow a name from one cell to another: `reach` does.
"""

from __future__ import annotations

import ast
import functools
import re
import threading
import tokenize
from collections.abc import Sequence
from contextlib import suppress

BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What reading a student's text may raise."""
_PARSING = threading.Lock()
MOST_TRANSFORMED = 500_000  # characters: IPython reads the whole cell anew for each magic in it
MOST_IN_LINE = 500  # characters: its tokenizer looks ahead over all blanks from each of them


def parse(source: str) -> ast.Module | None:
    """The syntax tree of a cell, its magics as calls; None where it is no Python.

    The body of a cell magic, such as `%%time`, is read as Python too.
    """
    read = read_python(source)
    return read[1] if read is not None else None


def read_python(source: str) -> tuple[str, ast.Module] | None:
    """The Python that a cell is to IPython, and its syntax tree."""
    with suppress(*BROKEN):
        return source, _tree_of(source)
    body = re.sub(r"\A(?:\s*%%.*)+", lambda found: "\n" * found[0].count("\n"), source)  # lines keep their numbers
    with suppress(*BROKEN, RuntimeError, LookupError, tokenize.TokenError):
        python = _without_magics(body)
        return python, _tree_of(python)
    return None


def _tree_of(python: str) -> ast.Module:
    """The syntax tree, made by one thread at a time.

    Python 3.11 counts the depth of all threads' trees together and raises SystemError where it miscounts; a library may
    be at one meanwhile, so it is tried twice.
    """
    with _PARSING:
        try:
            return ast.parse(python)
        except SystemError:
            return ast.parse(python)


def has_cell_magic(source: str) -> bool:
    """Whether a cell is handed to a magic as a whole."""
    return source.lstrip().startswith("%%")


def _without_magics(source: str) -> str:
    """The Python that IPython makes of a cell.

    Raises:
        ValueError: there are more magics than anybody writes.
        SyntaxError: IPython cannot read it either.
    """
    from IPython.core.inputtransformer2 import TransformerManager  # late: most cells are plain Python

    manager = TransformerManager()
    lines = f"{source}\n".splitlines(keepends=True)
    if max(map(len, lines)) > MOST_IN_LINE:
        raise ValueError("a line is longer than anybody writes beside a magic")
    for transform in manager.cleanup_transforms:
        lines = transform(lines)
    for _ in range(MOST_TRANSFORMED // (len(source) + 1)):
        is_changed, lines = manager.do_one_token_transform(lines)
        if not is_changed:
            return "".join(lines)
    raise ValueError("too many magics")


def text_of(node: ast.AST) -> str | None:
    """A piece of source as text, without comments; None where it is too deep or too large to be written."""
    try:
        return ast.unparse(node)
    except BROKEN:
        return None


def lines_of(source: str) -> list[str]:
    """The lines of a cell as Python counts them: neither a form feed nor U+2028 ends one."""
    return re.split(r"\r\n|\r|\n", source)


def names_in(tree: ast.AST) -> set[str]:
    """Every name, attribute and imported module that a piece of source mentions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                found.add(name)
            case ast.Import(names=aliases):
                found.update(part for alias in aliases for part in alias.name.split("."))
            case ast.ImportFrom(module=module, names=aliases):
                found.update((module or "").split("."))
                found.update(alias.name for alias in aliases)
    return found


@functools.lru_cache(maxsize=4096)  # most cells of a class are the same
def defined_functions(source: str) -> frozenset[str]:
    """Names that a cell binds to functions at its top level, `def` or `name = lambda …`."""
    tree = parse(source)
    names: set[str] = set()
    for node in tree.body if tree is not None else ():
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
                names.add(name)
    return frozenset(names)


def bound_before(earlier: Sequence[str], source: str) -> str:
    """Imports, functions, classes and constants of earlier cells that a cell mentions, and what these mention.

    Args:
        earlier: sources of cells of ours.
        source: of the cell that needs them.
    """
    statements = [statement for text in earlier if (tree := parse(text)) is not None for statement in tree.body]
    tree = parse(source)
    wanted, kept = names_in(tree) if tree is not None else set[str](), set[int]()
    for number, statement in reversed(list(enumerate(statements))):
        if _binds(statement) & wanted:
            wanted |= names_in(statement)
            kept.add(number)
    return "".join(f"{ast.unparse(statements[number])}\n" for number in sorted(kept))


def _binds(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {(alias.asname or alias.name).partition(".")[0] for alias in names}
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_literal(value):
            return {name}
        case _:
            return set()


def _is_literal(value: ast.expr) -> bool:
    with suppress(*BROKEN, TypeError):
        ast.literal_eval(value)
        return True
    return False
