"""Edits of whole statements where they stand: left out, doubled, done in some passes only, wrapped, decided otherwise.

Knows blocks, loops and `with`. Refuses to know what a statement computes: its role is enough.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from stepgrade.mutation.edits import (
    LONGEST_RUN,
    Block,
    Change,
    Edit,
    Program,
    counted,
    runs_from,
    statement_edit,
    worth_editing,
)
from stepgrade.mutation.trees import form, lines, text_of, with_names

PASSES = {
    "every-second-pass": "NUMBER % 2 == 0",
    "every-second-pass:odd": "NUMBER % 2 == 1",
    "every-third-pass": "(NUMBER + 1) % 3 == 0",
    "first-pass-only": "NUMBER == 0",
    "from-second-pass": "NUMBER > 0",
}


AROUND = {"no-grad": "torch.no_grad()", "inference-mode": "torch.inference_mode()"}


def statement_edits(program: Program) -> Iterator[Edit]:
    """All edits of statements where they stand."""
    for block in program.blocks:
        for index, statement in enumerate(block.statements):
            if worth_editing(statement):
                for operate in OPERATORS:
                    yield from operate(program, block, index, statement)


def left_out(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """A statement that is not there, or whose number is not kept."""
    yield statement_edit(program, statement, "left-out", "left out", block.put(index, []))
    if isinstance(statement, ast.Assign) and block.loop is not None:
        yield statement_edit(
            program, statement, "not-kept", "computed only", block.put(index, [ast.Expr(statement.value)])
        )
    for run in runs_from(block, index, 2):
        changes = [block.put(index + k, []) for k in range(len(run))]
        yield statement_edit(program, statement, "left-out:run", "and what follows left out", *changes)


def left_blank(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Nothing was written."""
    if block.loop is not None and block.is_body:
        stub = lines("raise NotImplementedError()")
        yield statement_edit(program, statement, "left-blank", "and the rest not written", block.put(index, stub))
        rest = [block.put(k, []) for k in range(index, len(block.statements))]
        yield statement_edit(program, statement, "left-out:rest", "and the rest of the pass left out", *rest)


def doubled(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """A statement, or several, done twice."""
    if isinstance(statement, ast.Return):
        return
    yield statement_edit(program, statement, "doubled", "twice", block.put(index, [statement, statement]))
    for run in runs_from(block, index, LONGEST_RUN + 1):
        changes = block.put(index + len(run) - 1, [run[-1], *run])
        yield statement_edit(program, run[-1], "doubled:run", "and what comes before it twice", changes)
    if program.role(statement).startswith("backward"):
        yield from _backward_twice(program, block, index, statement)
    if isinstance(statement, ast.For | ast.While):
        yield from _two_steps(program, statement)


def _backward_twice(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=value, attr="backward") as func, args=args)):
            first = ast.Expr(ast.Call(func, args, [ast.keyword("retain_graph", ast.Constant(True))]))
            yield statement_edit(program, statement, "doubled", "twice", block.put(index, [first, statement]))
            anew = with_names(value, program.definitions)
            again = ast.Expr(ast.Call(ast.Attribute(anew, "backward"), args, []))
            yield statement_edit(program, statement, "doubled:anew", "twice", block.put(index, [statement, again]))


def _two_steps(program: Program, loop: ast.For | ast.While) -> Iterator[Edit]:
    """Two steps in each pass, one record."""
    rest = [s for s in loop.body if not program.role(s).startswith("record")]
    if len(rest) < len(loop.body):
        changed = Change(loop, "body", len(loop.body) - 1, [loop.body[-1], *rest])
        yield statement_edit(program, loop, "doubled:pass", "with two steps in each pass", changed)


def in_some_passes(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Every second pass, the first one only, all but the first."""
    if block.loop is None or not block.is_body:
        return
    number, header = counted(block.loop)
    for kind, condition in PASSES.items():
        test = form(condition, NUMBER=ast.Name(number))
        for run in [[statement], *runs_from(block, index, LONGEST_RUN)]:
            gone = [block.put(index + k, []) for k in range(1, len(run))]
            guarded = block.put(index, [ast.If(test, list(run), [])])
            operator = kind if len(run) == 1 else f"{kind}:run"
            yield statement_edit(program, run[-1], operator, f"if `{text_of(test)}`", guarded, *gone, *header)
        if kind == "first-pass-only" and program.role(statement).startswith("backward"):
            guarded = block.put(index, [ast.If(test, [statement], [])])
            cleared = _clearings(program)
            yield statement_edit(
                program, statement, f"{kind}:kept", "once, its gradient kept", guarded, *cleared, *header
            )


def _clearings(program: Program) -> list[Change]:
    """What clears the gradient, gone."""
    return [
        block.put(index, [])
        for block in program.blocks
        for index, statement in enumerate(block.statements)
        if program.role(statement).startswith("clear") and not isinstance(statement, ast.If | ast.With | ast.Try)
    ]


def around(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Into a `with` or out of it, or without it."""
    if isinstance(statement, ast.With | ast.AsyncWith):
        yield from _without(program, block, index, statement)
        return
    if isinstance(statement, ast.For | ast.While | ast.Return):
        return
    for kind, text in AROUND.items():
        new = ast.With([ast.withitem(form(text))], [statement], lineno=0)
        yield statement_edit(program, statement, f"wrapped:{kind}", f"in `with {text}`", block.put(index, [new]))
    is_record = program.role(statement).startswith("record")
    for place, neighbour in enumerate(block.statements):
        is_beside = abs(place - index) == 1 or (is_record and place > index)
        if is_beside and isinstance(neighbour, ast.With | ast.If):
            body = [*neighbour.body, statement] if place < index else [statement, *neighbour.body]
            changes = block.put(index, []), Change(neighbour, "body", None, body)
            yield statement_edit(program, statement, "moved-into-block", "into the block beside it", *changes)


def _rebound(program: Program, statement: ast.stmt) -> ast.stmt:
    """`x = x - …` for `x -= …`."""
    match statement:
        case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value) if name in program.names.variables:
            return ast.Assign([target], ast.BinOp(ast.Name(name), op, value), lineno=statement.lineno)
        case _:
            return statement


def _without(program: Program, block: Block, index: int, statement: ast.With | ast.AsyncWith) -> Iterator[Edit]:
    yield statement_edit(program, statement, "unwrapped", "without its `with`", block.put(index, statement.body))
    rebound = [_rebound(program, one) for one in statement.body]
    changed = [one for one, new in zip(statement.body, rebound, strict=True) if new is not one]
    if changed:
        put = block.put(index, rebound)
        yield statement_edit(program, changed[0], "rebound:unwrapped", "made anew, without the `with`", put)
    entered = [ast.Expr(form("C.__enter__()", C=item.context_expr)) for item in statement.items]
    new = [*entered, *statement.body]
    yield statement_edit(program, statement, "never-left", "with no end of the `with`", block.put(index, new))
    switch = lines("torch.set_grad_enabled(False)")
    yield statement_edit(
        program, statement, "switched-off", "switched off for good", block.put(index, [*switch, *statement.body])
    )
    for one in (statement.body[0], statement.body[-1]):
        rest = [s for s in statement.body if s is not one]
        body = Change(statement, "body", None, rest or [ast.Pass()])
        for where, around_it in (("before", [one, statement]), ("after", [statement, one])):
            if rest:
                out = block.put(index, around_it)
                yield statement_edit(program, one, "moved-out-of-block", f"moved {where} the block", body, out)


def conditions(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """An `if` that is always so, never so, or the other way round."""
    if not isinstance(statement, ast.If):
        return
    yield statement_edit(program, statement, "always", "always", block.put(index, statement.body))
    yield statement_edit(program, statement, "never", "never", block.put(index, statement.orelse))
    turned = Change(statement, "test", None, form("not A", A=statement.test))
    yield statement_edit(program, statement, "turned", "the other way round", turned)
    if statement.orelse:
        yield statement_edit(program, statement, "else-lost", "without its else", Change(statement, "orelse", None, []))
    if [type(one) for one in statement.orelse] == [ast.If]:
        alone = ast.If(statement.test, statement.body, [])
        both = block.put(index, [alone, *statement.orelse])
        yield statement_edit(program, statement, "elif-begins-anew", "and an if of its own for elif", both)
        yield from _cases_exchanged(program, statement)


def _cases_exchanged(program: Program, statement: ast.If) -> Iterator[Edit]:
    """What two cases of one chain ask for, each in the other's place."""
    tests, one = [statement.test], statement
    while len(one.orelse) == 1 and isinstance(one.orelse[0], ast.If):
        one = one.orelse[0]
        tests.append(one.test)
    asked = [n for test in tests for n in ast.walk(test) if isinstance(n, ast.Compare)]
    for first, second in itertools.combinations(asked, 2):
        old, new = first.comparators[0], second.comparators[0]
        if isinstance(old, ast.Constant) and isinstance(new, ast.Constant):
            changes = Change(first, "comparators", 0, [new]), Change(second, "comparators", 0, [old])
            said = f"with {text_of(old)} and {text_of(new)} exchanged"
            yield statement_edit(program, statement, "constants-swapped", said, *changes)


OPERATORS = (
    left_out,
    left_blank,
    doubled,
    in_some_passes,
    around,
    conditions,
)
