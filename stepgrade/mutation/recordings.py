"""Edits of what is recorded and returned: columns lost, swapped, replaced; rows cut, shifted, added; nothing returned.

Knows lists, pairs and returns. Refuses to know what a column means.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from stepgrade.mutation.edits import Block, Change, Edit, Program, Site
from stepgrade.mutation.trees import form, line_of, lines, text_of

RETURNED = {
    "first-lost": "A[1:]",
    "last-lost": "A[:-1]",
    "only-last": "A[-1]",
    "only-first": "A[0]",
    "last-twice": "A + A[-1:]",
    "first-twice": "A[:1] + A",
    "reversed": "A[::-1]",
    "transposed": "list(zip(*A))",
    "nested": "[A]",
    "sum": "sum(A)",
    "dict": "dict(enumerate(A))",
    "dict-of-one": "{0: A}",
    "dict-of-columns": "dict(enumerate(zip(*A)))",
    "text": "str(A)",
    "printed": "print(A)",
}
RECORDED = {
    "text": "str(A)",
    "rounded": "round(A, 2)",
    "rounded-more": "round(A, 4)",
    "whole": "int(A)",
    "absolute": "abs(A)",
    "squared": "A ** 2",
    "nested": "[A]",
    "negative": "-A",
    "doubled": "2 * A",
    "halved": "A / 2",
}
OF_A_VARIABLE = (
    "V",
    "V.item()",
    "V.data",
    "V.detach().clone()",
    "V.grad",
    "V.grad.item()",
    "V.grad.clone()",
    "V.tolist()",
)


def record_edits(program: Program) -> Iterator[Edit]:
    """All edits of records and returns."""
    for site in program.sites:
        yield from _of_return(program, site)
        yield from _of_value(program, site)
        yield from _of_columns(program, site)
        yield from _of_growth(program, site)
    for block in program.blocks:
        for index, statement in enumerate(block.statements):
            yield from _yielded(program, block, index, statement)


def _edit(program: Program, site: Site, operator: str, new: ast.expr, *more: Change) -> Edit:
    text = f"{line_of(site.statement)}: `{text_of(site.node)}` → `{text_of(new)}`"
    return Edit(operator, site.role, text, (site.put(new), *more), operator)


def _of_return(program: Program, site: Site) -> Iterator[Edit]:
    if not isinstance(site.owner, ast.Return):
        return
    for kind, text in RETURNED.items():
        yield _edit(program, site, f"returned:{kind}", form(text, A=site.node))
    for name in [*program.names.values, *program.names.parameters]:
        role = program.names.role(name)
        yield _edit(program, site, f"returned:{role}", ast.Name(name))
        if role.startswith(("variable", "value")):
            yield _edit(program, site, f"returned:{role}", form("A.item()", A=ast.Name(name)))
    if isinstance(site.node, ast.Name):
        yield from _seen_late(program, site)


def _seen_late(program: Program, site: Site) -> Iterator[Edit]:
    """The variable itself is kept, and looked at when it has walked on: all entries are its last."""
    for late in program.sites:
        if late.role.startswith("record") and isinstance(late.node, ast.Name) and late.node.id in program.definitions:
            value = program.definitions[late.node.id]
            for name in sorted(program.names.variables):
                if isinstance(value, ast.Call) and text_of(value.args[:1]) == name:
                    yield from _kept_and_looked_at(program, site, name, value)


def _kept_and_looked_at(program: Program, site: Site, name: str, value: ast.expr) -> Iterator[Edit]:
    kept = form("[F.item() for A in L]", F=value, A=ast.Name(name, ast.Store()), L=site.node)
    for record in program.sites:
        if record.statement is not site.statement and record.role.startswith("record") and _is_recorded(record):
            if isinstance(record.node, ast.Tuple):
                _, *rest = record.node.elts
                pair = ast.Tuple([ast.Name(name), *rest], ast.Load())
                late = form("[(F.item(), *R) for A, *R in L]", F=value, A=ast.Name(name, ast.Store()), L=site.node)
                yield _edit(program, site, "seen-late", late, record.put(pair))
            else:
                yield _edit(program, site, "seen-late", kept, record.put(ast.Name(name)))


def _is_recorded(site: Site) -> bool:
    """Whether an expression is what a pass records, as a whole."""
    is_given = isinstance(site.owner, ast.Call) and site.field == "args" and isinstance(site.statement, ast.Expr)
    is_top = isinstance(site.statement, ast.Expr) and site.owner is site.statement.value
    is_stored = isinstance(site.statement, ast.Assign) and site.owner is site.statement
    return site.role.startswith("record") and ((is_given and is_top) or is_stored or isinstance(site.owner, ast.Yield))


def _of_value(program: Program, site: Site) -> Iterator[Edit]:
    """A recorded number, or one of a recorded pair, is something else."""
    is_column = site.role.startswith("record") and isinstance(site.owner, ast.Tuple | ast.List)
    if not (_is_recorded(site) or is_column) or isinstance(site.node, ast.Tuple | ast.List):
        return
    for kind, text in RECORDED.items():
        yield _edit(program, site, f"recorded:{kind}", form(text, A=site.node))
    for name in dict.fromkeys([*program.names.values, *program.names.parameters, *program.names.counters]):
        role = program.names.role(name)
        forms = OF_A_VARIABLE if role.startswith(("variable", "value")) else ("V",)
        if role != "record":
            for text in forms:
                new = form(text, V=ast.Name(name))
                kept = "gradient" if ".grad" in text else role
                yield _edit(program, site, f"recorded:{kept}", new)
                if kept == "gradient":
                    yield _edit(program, site, "recorded:gradient", new, *_after_backward(program, site))
            if role.startswith("variable"):
                yield from _from_the_top(program, site, name)
    for call in _measured(program):
        yield _edit(program, site, "recorded:value", form("C.item()", C=call))
    if not is_column:
        yield from _column_added(program, site)


def _measured(program: Program) -> Iterator[ast.Call]:
    """What is measured where the walk is: calls of the objective, each text once."""
    calls = [n for n in program.names.nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    own = {text_of(n): n for n in calls if isinstance(n.func, ast.Name) and n.func.id in program.names.parameters}
    yield from own.values()


def _after_backward(program: Program, site: Site) -> list[Change]:
    """The record where there is a gradient."""
    for block in program.blocks:
        if site.statement in block.statements:
            own = block.statements.index(site.statement)
            for place, other in enumerate(block.statements[own:], own):
                if program.role(other).startswith("backward"):
                    return [block.put(own, []), block.put(place, [other, site.statement])]
    return []


def _from_the_top(program: Program, site: Site, name: str) -> Iterator[Edit]:
    """What the variable was when the pass began."""
    loop = next((b.loop for b in program.blocks if site.statement in b.statements), None)
    if loop is not None and loop.body[0] is not site.statement:
        top = Change(loop, "body", 0, [*lines(f"start = {name}.item()"), loop.body[0]])
        yield _edit(program, site, "recorded:variable", ast.Name("start"), top)


def _column_added(program: Program, site: Site) -> Iterator[Edit]:
    counter = _counter_of(program)
    if counter:
        name, changes = counter
        yield _edit(program, site, "column-added", form("(T, A)", T=ast.Name(name), A=site.node), *changes)
    for variable in sorted(program.names.variables):
        yield _edit(program, site, "column-added", form("(V.item(), A)", V=ast.Name(variable), A=site.node))


def _counter_of(program: Program) -> tuple[str, list[Change]] | None:
    loop = next((n for n in program.names.nodes if isinstance(n, ast.For) and isinstance(n.target, ast.Name)), None)
    if loop is None or not isinstance(loop.target, ast.Name):
        return None
    if loop.target.id != "_":
        return loop.target.id, []
    return "number", [Change(loop, "target", None, ast.Name("number", ast.Store()))]


def _of_columns(program: Program, site: Site) -> Iterator[Edit]:
    if not (isinstance(site.node, ast.Tuple | ast.List) and site.role.startswith("record") and site.node.elts):
        return
    columns = site.node.elts
    for index in range(len(columns)):
        rest = [*columns[:index], *columns[index + 1 :]]
        lost: ast.expr = rest[0] if len(rest) == 1 else ast.Tuple(rest, ast.Load())
        yield _edit(program, site, f"column-lost:{index + 1}", lost)
    for index in range(len(columns) - 1):
        swapped = [*columns[:index], columns[index + 1], columns[index], *columns[index + 2 :]]
        yield _edit(program, site, "columns-swapped", ast.Tuple(swapped, ast.Load()))
    for kind, text in (("text", "str(A)"), ("rounded", "round(A, 2)")):
        new: list[ast.expr] = [form(text, A=column) for column in columns]
        yield _edit(program, site, f"recorded:{kind}", ast.Tuple(new, ast.Load()))
    joined = ast.Constant(" ")
    yield _edit(program, site, "recorded:text", form("J.join(map(str, A))", J=joined, A=site.node))
    counter = _counter_of(program)
    if counter:
        name, changes = counter
        yield _edit(program, site, "column-added", ast.Tuple([ast.Name(name), *columns], ast.Load()), *changes)


def _of_growth(program: Program, site: Site) -> Iterator[Edit]:
    """How the list grows: by an entry, by several, by what is no list."""
    match site.node:
        case ast.Call(func=ast.Attribute(value=grown, attr="append"), args=[value]) if site.role.startswith("record"):
            if isinstance(value, ast.Tuple):
                yield _edit(program, site, "flattened", form("G.extend(A)", G=grown, A=value))
                yield _edit(program, site, "brackets-lost", ast.Call(site.node.func, value.elts, []))
            yield _edit(program, site, "record-prepended", form("G.insert(0, A)", G=grown, A=value))
            if isinstance(site.statement, ast.Expr) and isinstance(grown, ast.Name):
                yield from _stored_otherwise(program, site, grown, value)


def _stored_otherwise(program: Program, site: Site, grown: ast.Name, value: ast.expr) -> Iterator[Edit]:
    for block in program.blocks:
        if site.statement in block.statements:
            index = block.statements.index(site.statement)
            for kind, text in (("added-to-list", f"{grown.id} += A"), ("overwritten", f"{grown.id} = [A]")):
                new = lines(text, A=value)
                said = f"{line_of(site.statement)}: `{text_of(site.statement)}` → `{text_of(new)}`"
                yield Edit(kind, site.role, said, (block.put(index, new),), kind)


def _yielded(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Each entry is yielded, and nothing is returned."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=grown, attr="append"), args=[value])):
            if program.role(statement).startswith("record"):
                ends = [
                    other.put(place, [])
                    for other in program.blocks
                    for place, last in enumerate(other.statements)
                    if isinstance(last, ast.Return) and last.value is not None and text_of(last.value) == text_of(grown)
                ]
                new = ast.Expr(ast.Yield(value))
                said = f"{line_of(statement)}: `{text_of(statement)}` → `{text_of(new)}`"
                yield Edit("yielded", program.role(statement), said, (block.put(index, [new]), *ends), "yielded")
