"""Edits of whole statements: left out, doubled, moved, done in some passes only, or before, after and across calls.

Knows blocks, loops and `with`. Refuses to know what a statement computes: its role is enough.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from stepgrade.diagnosis.edits import (
    Block,
    Change,
    Edit,
    Program,
    Site,
    as_value,
    form,
    line_of,
    lines,
    text_of,
    with_names,
    worth_editing,
)
from stepgrade.diagnosis.names import loaded, root

PASSES = {
    "every-second-pass": "NUMBER % 2 == 0",
    "every-second-pass:odd": "NUMBER % 2 == 1",
    "every-third-pass": "(NUMBER + 1) % 3 == 0",
    "first-pass-only": "NUMBER == 0",
    "from-second-pass": "NUMBER > 0",
}
LONGEST_RUN = 3
MOST_MOVED = 14  # statements of a block that are moved to every place of it
AROUND = {"no-grad": "torch.no_grad()", "inference-mode": "torch.inference_mode()"}
GRADIENTS = {
    "absolute": "A.grad = A.grad.abs()",
    "sign": "A.grad = A.grad.sign()",
    "clipped": "torch.nn.utils.clip_grad_norm_([A], 1.0)",
    "negative": "A.grad = -A.grad",
    "squared": "A.grad = A.grad ** 2",
}
PROJECTED = {"clamped": "A.data.clamp_(-1, 1)", "clamped-below": "A.data.clamp_(min=0)"}


def statement_edits(program: Program) -> Iterator[Edit]:
    """All edits of statements."""
    for block in program.blocks:
        for index, statement in enumerate(block.statements):
            if worth_editing(statement):
                for operate in OPERATORS:
                    yield from operate(program, block, index, statement)


def _edit(program: Program, statement: ast.stmt, operator: str, said: str, *changes: Change) -> Edit:
    text = f"{line_of(statement)}: `{_short(statement)}` {said}"
    return Edit(operator, program.role(statement), text, changes, operator)


def _short(statement: ast.stmt) -> str:
    return ast.unparse(statement).splitlines()[0]


def left_out(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """A statement that is not there, or whose number is not kept."""
    yield _edit(program, statement, "left-out", "left out", block.put(index, []))
    if isinstance(statement, ast.Assign) and block.loop is not None:
        yield _edit(program, statement, "not-kept", "computed only", block.put(index, [ast.Expr(statement.value)]))
    for run in _runs(block, index, 2):
        changes = [block.put(index + k, []) for k in range(len(run))]
        yield _edit(program, statement, "left-out:run", "and what follows left out", *changes)


def left_blank(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Nothing was written."""
    if block.loop is not None and block.is_body:
        stub = lines("raise NotImplementedError()")
        yield _edit(program, statement, "left-blank", "and the rest not written", block.put(index, stub))
        rest = [block.put(k, []) for k in range(index, len(block.statements))]
        yield _edit(program, statement, "left-out:rest", "and the rest of the pass left out", *rest)


def doubled(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """A statement, or several, done twice."""
    if isinstance(statement, ast.Return):
        return
    yield _edit(program, statement, "doubled", "twice", block.put(index, [statement, statement]))
    for run in _runs(block, index, LONGEST_RUN + 1):
        changes = block.put(index + len(run) - 1, [run[-1], *run])
        yield _edit(program, run[-1], "doubled:run", "and what comes before it twice", changes)
    if program.role(statement).startswith("backward"):
        yield from _backward_twice(program, block, index, statement)
    if isinstance(statement, ast.For | ast.While):
        yield from _two_steps(program, statement)


def _backward_twice(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=value, attr="backward") as func, args=args)):
            first = ast.Expr(ast.Call(func, args, [ast.keyword("retain_graph", ast.Constant(True))]))
            yield _edit(program, statement, "doubled", "twice", block.put(index, [first, statement]))
            anew = with_names(value, program.definitions)
            again = ast.Expr(ast.Call(ast.Attribute(anew, "backward"), args, []))
            yield _edit(program, statement, "doubled:anew", "twice", block.put(index, [statement, again]))


def _two_steps(program: Program, loop: ast.For | ast.While) -> Iterator[Edit]:
    """Two steps in each pass, one record."""
    rest = [s for s in loop.body if not program.role(s).startswith("record")]
    if len(rest) < len(loop.body):
        changed = Change(loop, "body", len(loop.body) - 1, [loop.body[-1], *rest])
        yield _edit(program, loop, "doubled:pass", "with two steps in each pass", changed)


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
    said = f"{where} `{_short(other)}`"
    yield _edit(program, statement, f"moved-{where}:{role}", said, block.put(index, []), block.put(place, new))
    if place < index:
        yield from _late(program, block, [statement], [block.put(index, [])], place)
    anew = _anew(program, statement)
    if anew is not None and place > index:
        both = (block.put(index, []), block.put(place, [other, anew]))
        yield _edit(program, statement, f"moved-{where}:{role}:anew", f"anew {said}", *both)
    copy = [statement, other] if place < index else [other, statement]
    yield _edit(program, statement, f"also-{where}:{role}", f"also {said}", block.put(place, copy))


def _anew(program: Program, statement: ast.stmt) -> ast.stmt | None:
    """The statement with what it reads computed anew."""
    if not loaded(statement) & program.definitions.keys() or isinstance(statement, ast.For | ast.While):
        return None
    new: ast.stmt = with_names(statement, program.definitions)
    return new


def run_moved(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Two statements together, before or after a neighbour."""
    for run in _runs(block, index, LONGEST_RUN):
        gone = [block.put(index + k, []) for k in range(len(run))]
        for place in range(len(block.statements)):
            other = block.statements[place]
            if index <= place < index + len(run) or not worth_editing(other) or isinstance(other, ast.Return):
                continue
            where = "before" if place < index else "after"
            said, operator = f"moved {where} `{_short(other)}`", f"moved-{where}:{program.role(other)}:run"
            new = [*run, other] if place < index else [other, *run]
            yield _edit(program, statement, operator, said, *gone, block.put(place, new))
            if place > index:
                anew = [_anew(program, one) or one for one in run]
                put = block.put(place, [other, *anew])
                yield _edit(program, statement, f"{operator}:anew", f"anew {said}", *gone, put)
            else:
                yield from _late(program, block, run, gone, place)


def _late(
    program: Program, block: Block, run: Sequence[ast.stmt], gone: Sequence[Change], place: int
) -> Iterator[Edit]:
    """Before another statement, in all passes but the first."""
    if block.loop is None or not block.is_body:
        return
    number, header = _counted(block.loop)
    other = block.statements[place]
    guarded = ast.If(form(PASSES["from-second-pass"], NUMBER=ast.Name(number)), list(run), [])
    operator = f"moved-before:{program.role(other)}:from-second-pass"
    put = block.put(place, [guarded, other])
    yield _edit(program, run[0], operator, f"before `{_short(other)}`, from the second pass on", *gone, put, *header)


def _runs(block: Block, index: int, longest: int) -> Iterator[list[ast.stmt]]:
    """Several statements in a row, from two on."""
    for length in range(2, longest + 1):
        run = block.statements[index : index + length]
        if len(run) == length and all(map(worth_editing, run)) and not any(isinstance(s, ast.Return) for s in run):
            yield run


def in_some_passes(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Every second pass, the first one only, all but the first."""
    if block.loop is None or not block.is_body:
        return
    number, header = _counted(block.loop)
    for kind, condition in PASSES.items():
        test = form(condition, NUMBER=ast.Name(number))
        for run in [[statement], *_runs(block, index, LONGEST_RUN)]:
            gone = [block.put(index + k, []) for k in range(1, len(run))]
            guarded = block.put(index, [ast.If(test, list(run), [])])
            operator = kind if len(run) == 1 else f"{kind}:run"
            yield _edit(program, run[-1], operator, f"if `{text_of(test)}`", guarded, *gone, *header)
        if kind == "first-pass-only" and program.role(statement).startswith("backward"):
            guarded = block.put(index, [ast.If(test, [statement], [])])
            cleared = _clearings(program)
            yield _edit(program, statement, f"{kind}:kept", "once, its gradient kept", guarded, *cleared, *header)


def _clearings(program: Program) -> list[Change]:
    """What clears the gradient, gone."""
    return [
        block.put(index, [])
        for block in program.blocks
        for index, statement in enumerate(block.statements)
        if program.role(statement).startswith("clear") and not isinstance(statement, ast.If | ast.With | ast.Try)
    ]


def _counted(loop: ast.For | ast.While) -> tuple[str, list[Change]]:
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
            yield _edit(program, statement, "moved-into-loop", "into the loop", last, block.put(index, []))
            return
        for run in [[statement], *_runs(block, index, 4)]:
            if index + len(run) <= place:
                gone = [block.put(index + k, []) for k in range(len(run))]
                top = Change(loop, "body", 0, [*run, loop.body[0]])
                operator = "moved-into-loop" if len(run) == 1 else "moved-into-loop:run"
                yield _edit(program, statement, operator, "into the loop", *gone, top)


def _out_of_loop(program: Program, block: Block, index: int, loop: ast.For | ast.While) -> Iterator[Edit]:
    for first, statement in enumerate(loop.body):
        for run in [[statement], *_runs(Block(loop, "body", loop.body, loop, True), first, LONGEST_RUN)]:
            yield from _run_out(program, block, index, loop, run, first)


def _run_out(
    program: Program, block: Block, index: int, loop: ast.For | ast.While, run: Sequence[ast.stmt], first: int
) -> Iterator[Edit]:
    gone = [Change(loop, "body", first + k, []) for k in range(len(run))]
    more = "" if len(run) == 1 else ":run"
    anew = [_anew(program, one) or one for one in run]
    for where, new in (("before", [*run, loop]), ("after", [loop, *run])):
        put = block.put(index, new)
        yield _edit(program, run[0], f"moved-{where}-loop{more}", f"moved {where} the loop", put, *gone)
        if where == "before" and any(program.role(one).startswith("forward") for one in run):
            changes = (put, *gone, *_retained(program))
            yield _edit(program, run[0], f"moved-{where}-loop{more}:retained", "moved before the loop", *changes)
        yield _edit(program, run[0], f"also-{where}-loop{more}", f"also {where} the loop", put)
    for where, new in (("before", [*anew, loop]), ("after", [loop, *anew])):
        put = block.put(index, new)
        yield _edit(program, run[0], f"also-{where}-loop{more}", f"also {where} the loop, anew", put)
        yield _edit(program, run[0], f"moved-{where}-loop{more}", f"moved {where} the loop, anew", put, *gone)
        if len(run) == 1 and where == "before":
            is_last = first == len(loop.body) - 1
            last = Change(loop, "body", len(loop.body) - 1, [*([] if is_last else [loop.body[-1]]), *anew])
            said = "before the loop, and at the end of each pass"
            yield _edit(program, run[0], "also-at-both-ends", said, put, *([] if is_last else gone), last)


def around(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Into a `with` or out of it, or without it."""
    if isinstance(statement, ast.With | ast.AsyncWith):
        yield from _without(program, block, index, statement)
        return
    if isinstance(statement, ast.For | ast.While | ast.Return):
        return
    for kind, text in AROUND.items():
        new = ast.With([ast.withitem(form(text))], [statement], lineno=0)
        yield _edit(program, statement, f"wrapped:{kind}", f"in `with {text}`", block.put(index, [new]))
    for place in (index - 1, index + 1):
        neighbour = block.statements[place] if 0 <= place < len(block.statements) else None
        if isinstance(neighbour, ast.With | ast.If):
            body = [*neighbour.body, statement] if place < index else [statement, *neighbour.body]
            changes = block.put(index, []), Change(neighbour, "body", None, body)
            yield _edit(program, statement, "moved-into-block", "into the block beside it", *changes)


def _without(program: Program, block: Block, index: int, statement: ast.With | ast.AsyncWith) -> Iterator[Edit]:
    yield _edit(program, statement, "unwrapped", "without its `with`", block.put(index, statement.body))
    entered = [ast.Expr(form("C.__enter__()", C=item.context_expr)) for item in statement.items]
    new = [*entered, *statement.body]
    yield _edit(program, statement, "never-left", "with no end of the `with`", block.put(index, new))
    switch = lines("torch.set_grad_enabled(False)")
    yield _edit(
        program, statement, "switched-off", "switched off for good", block.put(index, [*switch, *statement.body])
    )
    for one in (statement.body[0], statement.body[-1]):
        rest = [s for s in statement.body if s is not one]
        body = Change(statement, "body", None, rest or [ast.Pass()])
        for where, around_it in (("before", [one, statement]), ("after", [statement, one])):
            if rest:
                out = block.put(index, around_it)
                yield _edit(program, one, "moved-out-of-block", f"moved {where} the block", body, out)


def conditions(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """An `if` that is always so, never so, or the other way round."""
    if not isinstance(statement, ast.If):
        return
    yield _edit(program, statement, "always", "always", block.put(index, statement.body))
    yield _edit(program, statement, "never", "never", block.put(index, statement.orelse))
    turned = Change(statement, "test", None, form("not A", A=statement.test))
    yield _edit(program, statement, "turned", "the other way round", turned)
    if statement.orelse:
        yield _edit(program, statement, "else-lost", "without its else", Change(statement, "orelse", None, []))


def updates(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Rebound rather than changed in place, changed in place rather than rebound, kept under a new name, added up."""
    if block.loop is None:
        return
    for kind, new in _stored_otherwise(program, statement):
        yield _edit(program, statement, kind, f"→ `{text_of(new)}`", block.put(index, new))
    role, target = program.role(statement), _target(statement)
    walked = program.names.variables if role.startswith("step") else {root(target)} if target is not None else set()
    for name in sorted(walked & program.names.variables):
        for kind, text in PROJECTED.items():
            after = [statement, *lines(text, A=ast.Name(name))]
            yield _edit(program, statement, f"projected:{kind}", "and clamped", block.put(index, after))


def _target(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.AugAssign(target=target) | ast.Assign(targets=[target]):
            return target
        case _:
            return None


def _stored_otherwise(program: Program, statement: ast.stmt) -> Iterator[tuple[str, list[ast.stmt]]]:
    target = _target(statement)
    if target is None or isinstance(target, ast.Tuple | ast.List | ast.Subscript):
        return
    old = as_value(target)
    match statement:
        case ast.AugAssign(op=op, value=value):
            whole: ast.expr = ast.BinOp(old, op, value)
            yield "rebound", [ast.Assign([target], whole, lineno=0)]
            yield "old-value-lost", [ast.Assign([target], value, lineno=0)]
            yield "old-value-lost:negative", [ast.Assign([target], ast.UnaryOp(ast.USub(), value), lineno=0)]
            yield from _other_augmented(target, op, value)
            for kind, new in _in_place_of(old, value):
                yield f"old-value-lost:{kind}", new
        case ast.Assign(value=value):
            whole = value
            if isinstance(value, ast.BinOp) and text_of(value.left) == text_of(old):
                yield "in-place", [ast.AugAssign(target, value.op, value.right)]
            yield "accumulated", lines("T += V", T=old, V=value)
        case _:
            return
    yield "in-new-name", lines("new = V", V=whole)
    yield from _in_place_of(old, whole)
    for own, name in program.numbers.items():
        yield f"anchored:{name}", lines("T.data = V", T=old, V=_with_operand(whole, old, ast.Name(own)))


def _other_augmented(target: ast.expr, op: ast.operator, value: ast.expr) -> Iterator[tuple[str, list[ast.stmt]]]:
    for other in (ast.Add(), ast.Sub(), ast.Mult(), ast.Div()):
        if type(other) is not type(op):
            statement = ast.AugAssign(target, other, value)
            yield (
                f"operator-turned:{text_of(ast.BinOp(ast.Name('A'), other, ast.Name('B'))).replace(' ', '')}",
                [statement],
            )


def _in_place_of(old: ast.expr, whole: ast.expr) -> Iterator[tuple[str, list[ast.stmt]]]:
    if isinstance(old, ast.Name):
        yield "as-data", lines("T.data = V", T=old, V=whole)
        yield "copied-in", lines("T.copy_(V)", T=old, V=whole)
        yield "rebound-anew", lines("T = (V).detach().requires_grad_()", T=old, V=whole)


def _with_operand(whole: ast.expr, old: ast.expr, new: ast.expr) -> ast.expr:
    if isinstance(whole, ast.BinOp) and text_of(whole.left) == text_of(old):
        return ast.BinOp(new, whole.op, whole.right)
    return whole


def over_the_passes(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """A number that is kept from pass to pass: added up, averaged, one pass late."""
    loops = [(b, k) for b in program.blocks for k, s in enumerate(b.statements) if s is block.loop]
    if not loops or isinstance(statement, ast.With | ast.If | ast.For | ast.While):
        return
    outer, place = loops[0]
    for kind, start, before, used in KEPT:
        made = outer.put(place, [*lines(start), outer.statements[place]])
        for site in _keepable(program, statement):
            whole = [*lines(before, A=site.node), statement]
            changes = (made, block.put(index, whole), site.put(form(used)))
            yield _edit(program, statement, kind, "with what was before", *changes)
            if kind == "added-up":
                yield _edit(
                    program, statement, f"{kind}:retained", "with what was before", *changes, *_retained(program)
                )
        for name in _given_to_optimizer(program, statement):
            whole = [
                statement,
                *lines(before, A=form(f"{name}.grad")),
                *lines(f"{name}.grad = {used} + 0 * {name}.grad"),
            ]
            yield _edit(program, statement, kind, "with what was before", made, block.put(index, whole))


KEPT = (
    ("added-up", "total = 0.0", "total = total + A", "total"),
    ("averaged", "kept = []", "kept.append(A * 1)", "(sum(kept) / len(kept))"),
    ("one-pass-late", "late, now = 0.0, 0.0", "late, now = now, A * 1", "late"),
)


def _keepable(program: Program, statement: ast.stmt) -> Iterator[Site]:
    """The gradient where it is used, and the value of which backward is called."""
    for site in program.sites:
        if site.statement is statement:
            is_gradient = isinstance(site.node, ast.Attribute) and site.node.attr == "grad"
            is_loss = isinstance(site.owner, ast.Attribute) and site.owner.attr == "backward"
            if is_loss or (is_gradient and site.role.startswith("update")):
                yield site


def _given_to_optimizer(program: Program, statement: ast.stmt) -> list[str]:
    """The variables, where an optimizer alone reads their gradients."""
    is_backward = program.role(statement).startswith("backward") and isinstance(statement, ast.Expr)
    return sorted(program.names.variables) if is_backward and program.names.optimizers else []


def _retained(program: Program) -> list[Change]:
    """Backward keeps the graph."""
    word = ast.keyword("retain_graph", ast.Constant(True))
    return [
        Change(node, "keywords", None, [*node.keywords, word])
        for node in program.names.nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward"
    ]


def gradients(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """The gradient changed before it is used; a step by hand beside the optimizer's."""
    if not program.role(statement).startswith("backward") or not isinstance(statement, ast.Expr):
        return
    for name in sorted(program.names.variables):
        for kind, text in GRADIENTS.items():
            new = [statement, *lines(text, A=ast.Name(name))]
            yield _edit(program, statement, f"gradient:{kind}", "and the gradient changed", block.put(index, new))
        if program.names.optimizers:
            for own in program.numbers:
                for text in ("A.data = A.data - B * A.grad", "A = A - B * A.grad"):
                    new = [statement, *lines(text, A=ast.Name(name), B=ast.Name(own))]
                    yield _edit(program, statement, "by-hand-too", "and a step by hand", block.put(index, new))


def outliving(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """State that outlives the call: made once, outside of the function, for the lesson's values."""
    if not isinstance(block.owner, ast.FunctionDef) or not isinstance(statement, ast.Assign) or block.loop is not None:
        return
    given = {own: ast.Constant(v) for own, n in program.numbers.items() if (v := program.lesson.get(n)) is not None}
    definition, place = block.owner, next((k for k, s in enumerate(program.tree.body) if s is block.owner), None)
    if place is None:
        return
    for run in [[statement], *_runs(block, index, LONGEST_RUN)]:
        if all(isinstance(one, ast.Assign) for one in run):
            gone = [block.put(index + k, []) for k in range(len(run))]
            before = Change(program.tree, "body", place, [*with_names(list(run), given), definition])
            operator = "outlives-the-call" if len(run) == 1 else "outlives-the-call:run"
            yield _edit(program, statement, operator, "made once, before the function", *gone, before)


def parameters_swapped(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Two arguments taken for one another throughout."""
    definition = program.names.definition
    if index or block.owner is not definition or definition is None:
        return
    own = [(k, a) for k, a in enumerate(definition.args.args) if a.arg in program.numbers]
    for number, (first, one) in enumerate(own):
        for second, other in own[number + 1 :]:
            changes = (Change(definition.args, "args", first, [other]), Change(definition.args, "args", second, [one]))
            operator = f"taken-for:{program.numbers[other.arg]}"
            text = f"`{one.arg}` and `{other.arg}` taken for one another"
            yield Edit(operator, program.names.role(one.arg), text, changes, operator)


def shadowed(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """A name that is used up: the objective, or the variable as the loop's counter."""
    match statement:
        case ast.For(target=ast.Name() as target):
            for name in sorted(program.names.variables):
                change = Change(statement, "target", None, ast.Name(name, ast.Store()))
                yield _edit(program, statement, "counter-shadows", f"counts in `{name}`, not `{target.id}`", change)
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=called))):
            if called in program.names.called and block.loop is not None:
                places = [n for n in ast.walk(block.loop) if isinstance(n, ast.Name) and n.id == name]
                changes = [Change(n, "id", None, called) for n in places]
                yield _edit(program, statement, "objective-overwritten", f"kept in `{called}`", *changes)


OPERATORS = (
    left_out,
    left_blank,
    doubled,
    moved,
    run_moved,
    in_some_passes,
    across_loop,
    around,
    conditions,
    updates,
    over_the_passes,
    gradients,
    outliving,
    parameters_swapped,
    shadowed,
)
