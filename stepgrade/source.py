"""Looks at the text of the student's own cell with `ast`; never runs it.

Knows names and calls in Python source. Refuses to know numbers and points: what the text says supports a diagnosis, and
decides a score only where an exercise is about the text (by hand means by hand).
"""

from __future__ import annotations

import ast
import functools

from stepgrade.compare import Differs

OPTIMIZERS = frozenset(
    [
        "SGD",
        "Adam",
        "AdamW",
        "Adamax",
        "NAdam",
        "RAdam",
        "SparseAdam",
        "Adadelta",
        "Adagrad",
        "ASGD",
        "RMSprop",
        "Rprop",
        "LBFGS",
        "Adafactor",
        "Muon",
    ]
)


def parse(source: str) -> ast.Module | None:
    """The syntax tree of a cell without its magics; None where it is no Python."""
    lines = ["pass" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


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


def assert_by_hand(source: str) -> None:
    """Assert that a cell writes its update rule itself.

    Raises:
        Differs: where the cell mentions an optimizer of torch.
    """
    tree = parse(source)
    used = set() if tree is None else names_in(tree) & (OPTIMIZERS | {"_functional", "_multi_tensor"})
    if used:
        raise Differs(
            f"This exercise is by hand, and your cell uses torch.optim ({', '.join(sorted(used))}). "
            "Which line of yours is the update rule?"
        )
