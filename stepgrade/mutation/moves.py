"""Edits that move statements, or copy them: before or after others of their block, into the loop, out of it.

Knows blocks and loops. Refuses to know what a statement computes: its role is enough.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from stepgrade.mutation.edits import (
    LONGEST_RUN,
    Block,
    Change,
    Edit,
    Program,
    counted,
    first_line,
    made_anew,
    retained,
    runs_from,
    statement_edit,
    worth_editing,
)
from stepgrade.mutation.trees import form

WALK = ("record", "clear", "schedule", "step", "update", "gradient", "backward", "forward", "loop")
MOST_MOVED = 14  # statements of a block that are moved to every place of it


def move_edits(program: Program) -> Iterator[Edit]:
    """All moves."""
    for block in program.blocks:
        for index, statement in enumerate(block.statements):
            if worth_editing(statement):
                for operate in OPERATORS:
                    yield from operate(program, block, index, statement)


def moved(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """A statement before or after others of its block."""
    num = len(block.statements)
    if num > MOST_MOVED or isinstance(statement, ast.Return):
        return
    for place in range(num):
        crossed = block.statements[place:index] if place < index else block.statements[index + 1 : place + 1]
        if crossed and all(map(worth_editing, crossed)) and not isinstance(crossed[-1], ast.Return):
            yield from _moved_to(program, block, index, place)


def _moved_to(program: Program, block: Block, index: int, place: int) -> Iterator[Edit]:
    statement, other = block.statements[index], block.statements[place]
    role = program.role(other)
    where = "before" if place < index else "after"
    new = [statement, other] if place < index else [other, statement]
    said = f"{where} `{first_line(other)}`"
    if abs(place - index) > 1 or _is_said_to_move(program, statement, other, where):
        puts = block.put(index, []), block.put(place, new)
        yield statement_edit(program, statement, f"moved-{where}:{role}", said, *puts)
    if place < index:
        yield from _late(program, block, [statement], [block.put(index, [])], place)
    anew = made_anew(program, statement)
    if anew is not None and place > index:
        both = (block.put(index, []), block.put(place, [other, anew]))
        yield statement_edit(program, statement, f"moved-{where}:{role}:anew", f"anew {said}", *both)
    copy = [statement, other] if place < index else [other, statement]
    yield statement_edit(program, statement, f"also-{where}:{role}", f"also {said}", block.put(place, copy))


def _is_said_to_move(program: Program, one: ast.stmt, other: ast.stmt, where: str) -> bool:
    """Which of two neighbours is the one that moved: what comes round the walk rather than the walk itself."""
    own, its = (_weight(program.role(statement)) for statement in (one, other))
    return own < its or (own == its and where == "after")


def _weight(role: str) -> int:
    name = role.partition("@")[0].partition(":")[0]
    return WALK.index(name) if name in WALK else -1


def run_moved(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Two statements together, before or after a neighbour."""
    for run in runs_from(block, index, LONGEST_RUN):
        gone = [block.put(index + k, []) for k in range(len(run))]
        for place in range(len(block.statements)):
            other = block.statements[place]
            if index <= place < index + len(run) or not worth_editing(other) or isinstance(other, ast.Return):
                continue
            where = "before" if place < index else "after"
            said, operator = f"moved {where} `{first_line(other)}`", f"moved-{where}:{program.role(other)}:run"
            new = [*run, other] if place < index else [other, *run]
            yield statement_edit(program, statement, operator, said, *gone, block.put(place, new))
            if place > index:
                anew = [made_anew(program, one) or one for one in run]
                put = block.put(place, [other, *anew])
                yield statement_edit(program, statement, f"{operator}:anew", f"anew {said}", *gone, put)
            else:
                yield from _late(program, block, run, gone, place)


def _late(
    program: Program, block: Block, run: Sequence[ast.stmt], gone: Sequence[Change], place: int
) -> Iterator[Edit]:
    """Before another statement, in all passes but the first."""
    if block.loop is None or not block.is_body:
        return
    number, header = counted(block.loop)
    other = block.statements[place]
    guarded = ast.If(form("NUMBER > 0", NUMBER=ast.Name(number)), list(run), [])
    operator = f"moved-before:{program.role(other)}:from-second-pass"
    put = block.put(place, [guarded, other])
    yield statement_edit(
        program, run[0], operator, f"before `{first_line(other)}`, from the second pass on", *gone, put, *header
    )


def across_loop(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Into the loop, or out of it; what is made before it, made in each pass."""
    if isinstance(statement, ast.For | ast.While):
        yield from _out_of_loop(program, block, index, statement)
        return
    loops = [k for k, other in enumerate(block.statements) if isinstance(other, ast.For | ast.While)]
    for place in loops:
        loop = block.statements[place]
        if not isinstance(loop, ast.For | ast.While):
            continue
        if index > place:
            last = Change(loop, "body", len(loop.body) - 1, [loop.body[-1], statement])
            yield statement_edit(program, statement, "moved-into-loop", "into the loop", last, block.put(index, []))
            return
        for run in [[statement], *runs_from(block, index, 4)]:
            if index + len(run) <= place:
                gone = [block.put(index + k, []) for k in range(len(run))]
                top = Change(loop, "body", 0, [*run, loop.body[0]])
                operator = "moved-into-loop" if len(run) == 1 else "moved-into-loop:run"
                yield statement_edit(program, statement, operator, "into the loop", *gone, top)


def _out_of_loop(program: Program, block: Block, index: int, loop: ast.For | ast.While) -> Iterator[Edit]:
    for first, statement in enumerate(loop.body):
        for run in [[statement], *runs_from(Block(loop, "body", loop.body, loop, True), first, LONGEST_RUN)]:
            yield from _run_out(program, block, index, loop, run, first)


def _run_out(
    program: Program, block: Block, index: int, loop: ast.For | ast.While, run: Sequence[ast.stmt], first: int
) -> Iterator[Edit]:
    gone = [Change(loop, "body", first + k, []) for k in range(len(run))]
    more = "" if len(run) == 1 else ":run"
    anew = [made_anew(program, one) or one for one in run]
    for where, new in (("before", [*run, loop]), ("after", [loop, *run])):
        put = block.put(index, new)
        yield statement_edit(program, run[0], f"moved-{where}-loop{more}", f"moved {where} the loop", put, *gone)
        if where == "before" and any(program.role(one).startswith("forward") for one in run):
            changes = (put, *gone, *retained(program))
            yield statement_edit(
                program, run[0], f"moved-{where}-loop{more}:retained", "moved before the loop", *changes
            )
        yield statement_edit(program, run[0], f"also-{where}-loop{more}", f"also {where} the loop", put)
    for where, new in (("before", [*anew, loop]), ("after", [loop, *anew])):
        put = block.put(index, new)
        yield statement_edit(program, run[0], f"also-{where}-loop{more}", f"also {where} the loop, anew", put)
        yield statement_edit(program, run[0], f"moved-{where}-loop{more}", f"moved {where} the loop, anew", put, *gone)
        if len(run) == 1 and where == "before":
            is_last = first == len(loop.body) - 1
            last = Change(loop, "body", len(loop.body) - 1, [*([] if is_last else [loop.body[-1]]), *anew])
            said = "before the loop, and at the end of each pass"
            yield statement_edit(program, run[0], "also-at-both-ends", said, put, *([] if is_last else gone), last)


OPERATORS = (
    moved,
    run_moved,
    across_loop,
)
