"""Edits of what a program carries from pass to pass: its updates, gradients, names, and state that outlives the call.

Knows variables, gradients and states by their roles. Refuses to know a lesson.
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
    Site,
    counted,
    retained,
    runs_from,
    statement_edit,
    worth_editing,
)
from stepgrade.mutation.names import root
from stepgrade.mutation.trees import as_value, form, line_of, lines, text_of, with_names

GRADIENTS = {
    "absolute": "A.grad = A.grad.abs()",
    "sign": "A.grad = A.grad.sign()",
    "clipped": "torch.nn.utils.clip_grad_norm_([A], 1.0)",
    "negative": "A.grad = -A.grad",
    "squared": "A.grad = A.grad ** 2",
}


OF_THE_PASS = {"shrinking": "A / (NUMBER + 1)", "growing": "A * (NUMBER + 1)"}
PROJECTED = {"clamped": "A.data.clamp_(-1, 1)", "clamped-below": "A.data.clamp_(min=0)"}


KEPT = (
    ("added-up", "total = 0.0", "total = total + A", "total"),
    ("averaged", "kept = []", "kept.append(A * 1)", "(sum(kept) / len(kept))"),
    ("one-pass-late", "late, now = 0.0, 0.0", "late, now = now, A * 1", "late"),
)


Place = ast.Name | ast.Attribute | ast.Subscript
SIGNS = {"A+B": ast.Add(), "A-B": ast.Sub(), "A*B": ast.Mult(), "A/B": ast.Div()}


def update_edits(program: Program) -> Iterator[Edit]:
    """All edits of updates."""
    for block in program.blocks:
        for index, statement in enumerate(block.statements):
            if worth_editing(statement):
                for operate in OPERATORS:
                    yield from operate(program, block, index, statement)


def updates(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Rebound rather than changed in place, changed in place rather than rebound, kept under a new name, added up."""
    if block.loop is None:
        return
    for kind, new in _stored_otherwise(program, statement):
        yield statement_edit(program, statement, kind, f"→ `{text_of(new)}`", block.put(index, new))
    role, target = program.role(statement), _target(statement)
    walked = program.names.variables if role.startswith("step") else {root(target)} if target is not None else set()
    for name in sorted(walked & program.names.variables):
        for kind, text in PROJECTED.items():
            after = [statement, *lines(text, A=ast.Name(name))]
            yield statement_edit(program, statement, f"projected:{kind}", "and clamped", block.put(index, after))


def _target(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.AugAssign(target=target) | ast.Assign(targets=[target]):
            return target
        case _:
            return None


def _stored_otherwise(program: Program, statement: ast.stmt) -> Iterator[tuple[str, list[ast.stmt]]]:
    target = _target(statement)
    if isinstance(target, ast.Subscript) and isinstance(statement, ast.AugAssign):
        yield "old-value-lost", [ast.Assign([target], statement.value, lineno=0)]
        yield from _other_augmented(target, statement.op, statement.value)
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
            if isinstance(value, ast.BinOp) and isinstance(target, Place) and text_of(value.left) == text_of(old):
                yield "in-place", [ast.AugAssign(target, value.op, value.right)]
            yield "accumulated", lines("T += V", T=old, V=value)
        case _:
            return
    yield "in-new-name", lines("new = V", V=whole)
    if root(target) not in program.names.states | program.names.variables:
        return
    yield from _in_place_of(old, whole)
    for own, name in program.numbers.items():
        yield f"anchored:{name}", lines("T.data = V", T=old, V=_with_operand(whole, old, ast.Name(own)))


def _other_augmented(target: ast.expr, op: ast.operator, value: ast.expr) -> Iterator[tuple[str, list[ast.stmt]]]:
    for sign, other in SIGNS.items():
        if type(other) is not type(op) and isinstance(target, Place):
            yield f"operator-turned:{sign}", [ast.AugAssign(target, other, value)]


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
            yield statement_edit(program, statement, kind, "with what was before", *changes)
            if kind == "added-up":
                yield statement_edit(
                    program, statement, f"{kind}:retained", "with what was before", *changes, *retained(program)
                )
        for name in _given_to_optimizer(program, statement):
            whole = [
                statement,
                *lines(before, A=form(f"{name}.grad")),
                *lines(f"{name}.grad = {used} + 0 * {name}.grad"),
            ]
            yield statement_edit(program, statement, kind, "with what was before", made, block.put(index, whole))


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


def gradients(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """The gradient changed before it is used; a step by hand beside the optimizer's."""
    if not program.role(statement).startswith("backward") or not isinstance(statement, ast.Expr):
        return
    for name in sorted(program.names.variables):
        for kind, text in GRADIENTS.items():
            new = [statement, *lines(text, A=ast.Name(name))]
            yield statement_edit(
                program, statement, f"gradient:{kind}", "and the gradient changed", block.put(index, new)
            )
        if program.names.optimizers:
            for own in program.numbers:
                for text in ("A.data = A.data - B * A.grad", "A = A - B * A.grad"):
                    new = [statement, *lines(text, A=ast.Name(name), B=ast.Name(own))]
                    yield statement_edit(program, statement, "by-hand-too", "and a step by hand", block.put(index, new))


def shrinking(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """An argument that shrinks or grows with the number of the pass."""
    if block.loop is None:
        return
    number, header = counted(block.loop)
    for site in program.sites:
        if site.statement is statement and isinstance(site.node, ast.Name) and site.node.id in program.numbers:
            role = program.argument(site.node.id, site.role)
            for kind, text in OF_THE_PASS.items():
                new = form(text, A=site.node, NUMBER=ast.Name(number))
                said = f"{line_of(statement)}: `{site.node.id}` → `{text_of(new)}`"
                yield Edit(f"argument-replaced:{kind}", role, said, (site.put(new), *header), kind)


def outliving(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """State that outlives the call: made once, outside of the function, for the lesson's values."""
    if not isinstance(block.owner, ast.FunctionDef) or not isinstance(statement, ast.Assign) or block.loop is not None:
        return
    given = {own: ast.Constant(v) for own, n in program.numbers.items() if (v := program.lesson.get(n)) is not None}
    definition, place = block.owner, next((k for k, s in enumerate(program.tree.body) if s is block.owner), None)
    if place is None:
        return
    alone: list[ast.stmt] = [statement]
    for run in [alone, *runs_from(block, index, LONGEST_RUN)]:
        if all(isinstance(one, ast.Assign) for one in run):
            gone = [block.put(index + k, []) for k in range(len(run))]
            before = Change(program.tree, "body", place, [*with_names(list(run), given), definition])
            operator = "outlives-the-call" if len(run) == 1 else "outlives-the-call:run"
            yield statement_edit(program, statement, operator, "made once, before the function", *gone, before)
            kept = [target.id for one in run for target in _names_stored(one)]
            if kept and not program.names.parameters.keys() & set(kept):
                once = ast.If(form(f"{kept[0]!r} not in globals()"), list(run), [])
                put = block.put(index, [ast.Global(kept), once])
                yield statement_edit(program, statement, operator, "made in the first call only", *gone[1:], put)


def _names_stored(statement: ast.stmt) -> Iterator[ast.Name]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    yield from (n for target in targets for n in ast.walk(target) if isinstance(n, ast.Name) and _is_stored(n))


def _is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def parameters_swapped(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """Two arguments taken for one another throughout."""
    definition = block.owner
    if index or definition is not program.names.definition or not isinstance(definition, ast.FunctionDef):
        return
    own = [a.arg for a in definition.args.args if a.arg in program.numbers]
    for one, other in itertools.combinations(own, 2):
        uses = [n for n in ast.walk(definition) if isinstance(n, ast.Name) and n.id in (one, other)]
        changes = [Change(n, "id", None, other if n.id == one else one) for n in uses]
        operator = f"taken-for:{program.numbers[other]}"
        text = f"`{one}` and `{other}` taken for one another"
        yield Edit(operator, program.names.role(one), text, tuple(changes), operator)


def taken_for_its_argument(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """What each pass makes of an argument is not used, or takes the argument's own place."""
    if index or block.owner is not program.names.definition:
        return
    names = program.names
    fixed = names.states | names.variables | names.counters | names.parameters.keys()
    for name in names.values:
        bindings = [b for b in names.bindings if b.name == name]
        if name in fixed or any(b.is_changed or not b.in_loop or b.value is None for b in bindings):
            continue
        read = {own for b in bindings if b.value is not None for own in names.reads(b.value)}
        uses = [n for n in names.nodes if isinstance(n, ast.Name) and n.id == name]
        for own in (own for own in program.numbers if own in read):
            for kind, places in (
                ("replaced-by:argument", [n for n in uses if not _is_stored(n)]),
                ("kept-in-argument", uses),
            ):
                changes = [Change(n, "id", None, own) for n in places]
                operator, text = f"{kind}:{program.numbers[own]}", f"`{name}` → `{own}` throughout"
                yield Edit(operator, names.role(name), text, tuple(changes), operator)


def shadowed(program: Program, block: Block, index: int, statement: ast.stmt) -> Iterator[Edit]:
    """A name that is used up: the objective, or the variable as the loop's counter."""
    match statement:
        case ast.For(target=ast.Name() as target):
            for name in sorted(program.names.variables):
                change = Change(statement, "target", None, ast.Name(name, ast.Store()))
                yield statement_edit(
                    program, statement, "counter-shadows", f"counts in `{name}`, not `{target.id}`", change
                )
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=called))):
            if called in program.names.called and block.loop is not None:
                places = [n for n in ast.walk(block.loop) if isinstance(n, ast.Name) and n.id == name]
                changes = [Change(n, "id", None, called) for n in places]
                yield statement_edit(program, statement, "objective-overwritten", f"kept in `{called}`", *changes)


OPERATORS = (
    updates,
    over_the_passes,
    gradients,
    shrinking,
    outliving,
    parameters_swapped,
    taken_for_its_argument,
    shadowed,
)
