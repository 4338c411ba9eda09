"""Edits of formulas: arguments, factors, operators, operands and parentheses.

Each operator looks at one expression and gives what may stand in its place. Knows arithmetic. Refuses to know a
lesson: what an argument means, only its value in the lesson's own example.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress

from stepgrade.mutation.edits import Program, Site
from stepgrade.mutation.trees import form

Rewrites = Iterator[tuple[str, ast.expr]]
"""What was done, and what stands there now."""


Operator = Callable[[Program, Site], Rewrites]


OF_AN_ARGUMENT = {
    "by-square": "A ** 2",
    "doubled": "2 * A",
    "halved": "A / 2",
    "inverse": "1 / A",
    "negative": "-A",
    "complement": "1 - A",
    "by-one": "1",
    "by-zero": "0",
    "root": "A ** 0.5",
    "whole": "int(A)",
    "one-more": "A + 1",
    "one-less": "A - 1",
}


OF_A_LIST = {
    "cut": "A[:-1]",
    "shifted": "A[1:]",
    "rolled": "A[-1:] + A[:-1]",  # an index that is one too small
    "reversed": "A[::-1]",
    "first": "A[0]",
}


BY_ANOTHER = {"by": "B", "product": "A * B", "quotient": "A / B", "times-complement": "A * (1 - B)"}


OF_A_TERM = {
    "absolute": "abs(A)",
    "sign": "torch.sign(A)",
    "squared": "A ** 2",
    "rooted": "A ** 0.5",
}
OF_A_GRADIENT = {"clamped": "A.clamp(-1, 1)", "clamped-below": "A.clamp(min=0)"}


OF_A_PRODUCT = {"doubled": "2 * A", "halved": "A / 2", "negative": "-A"}


BY_AN_ARGUMENT = {"times": "A * B", "divided-by": "A / B", "times-complement": "A * (1 - B)"}


OF_A_LOSS = {
    "doubled": "(2 * A)",
    "halved": "(A / 2)",
    "negative": "(-A)",
    "squared": "(A ** 2)",
    "half-squared": "(A ** 2 / 2)",
    "absolute": "abs(A)",
}


TURNED = {
    ast.Add: ("A - B", "A * B", "B - A"),
    ast.Sub: ("A + B", "B - A", "A * B"),
    ast.Mult: ("A / B", "A + B", "B / A", "A ** B", "A - B"),
    ast.Div: ("A * B", "B / A", "A // B", "A - B"),
    ast.Pow: ("A * B", "B ** A", "A ** -B", "A ^ B"),
    ast.FloorDiv: ("A / B", "round(A / B)", "-(-A // B)", "A % B", "A * B"),
    ast.Mod: ("A // B", "A / B", "B % A"),
    ast.MatMult: ("A * B", "B @ A"),
}


def argument_replaced(program: Program, site: Site) -> Rewrites:
    """An argument by another, by the lesson's value, or by something made of it."""
    if not isinstance(site.node, ast.Name) or is_callee(site):
        return
    own = program.names.stand_ins.get(site.node.id, site.node.id)
    if own in program.numbers:
        yield from _of_number(program, site.node, own)
    elif own in program.names.plain_parameters and own not in program.names.called:
        yield from _of_list(program, site.node, own)


def _of_number(program: Program, node: ast.Name, own: str) -> Rewrites:
    name = program.numbers[own]
    for kind, text in OF_AN_ARGUMENT.items():
        yield f"argument-replaced:{kind}", form(text, A=node)
    for other, its in program.numbers.items():
        if other != own:
            for kind, text in BY_ANOTHER.items():
                yield f"argument-replaced:{kind}:{its}", form(text, A=node, B=ast.Name(other))
    if name in program.lesson:
        yield "argument-replaced:by-lesson", ast.Constant(program.lesson[name])


def _of_list(program: Program, node: ast.Name, own: str) -> Rewrites:
    for kind, text in OF_A_LIST.items():
        yield f"argument-replaced:{kind}", form(text, A=node)
    for other, its in program.names.plain_parameters.items():
        if other not in program.numbers and other != own and other not in program.names.called:
            yield f"argument-replaced:by:{its}", ast.Name(other)


def factor_added(program: Program, site: Site) -> Rewrites:
    """A foreign factor or function around a term of a formula."""
    if not _is_term(site):
        return
    if not (isinstance(site.node, ast.Name) and site.node.id in program.numbers):
        is_gradient = isinstance(site.node, ast.Attribute) and site.node.attr == "grad"
        for kind, text in (OF_A_TERM | OF_A_GRADIENT if is_gradient else OF_A_TERM).items():
            yield f"term-changed:{kind}", form(text, A=site.node)
    if _is_product(program, site):
        for kind, text in OF_A_PRODUCT.items():
            yield f"factor-added:{kind}", form(text, A=site.node)
        for own, name in program.numbers.items():
            for kind, text in BY_AN_ARGUMENT.items():
                yield f"factor-added:{kind}:{name}", form(text, A=site.node, B=ast.Name(own))


def _is_term(site: Site) -> bool:
    match site.owner, site.node:
        case _, ast.Constant() | ast.List() | ast.Tuple() | ast.Lambda() | ast.Yield():
            return False
        case ((ast.BinOp() | ast.UnaryOp() | ast.AugAssign()), _):
            return True
        case _, ast.BinOp():
            return True
        case ast.Assign(targets=[ast.Attribute(attr="grad")]), _:
            return True
        case ((ast.keyword() | ast.Call()), (ast.Attribute() | ast.Call())):
            return site.field != "func" and site.role not in ("record", "make:record")
        case _:
            return False


def _is_product(program: Program, site: Site) -> bool:
    """Whether a term is a whole product in which no argument stands alone: a factor elsewhere would be the same."""
    if isinstance(site.owner, ast.BinOp) and isinstance(site.owner.op, ast.Mult | ast.Div):
        return False
    todo, factors = [site.node], []
    while todo:
        node = todo.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
            todo += [node.left, node.right]
        else:
            factors.append(node)
    return not any(isinstance(node, ast.Name) and node.id in program.numbers for node in factors)


def loss_changed(program: Program, site: Site) -> Rewrites:
    """Backward of something that is made of the value."""
    is_receiver = isinstance(site.owner, ast.Attribute) and site.owner.attr == "backward"
    is_given = isinstance(site.owner, ast.Call) and site.role == "backward" and site.index == 0 and not is_callee(site)
    if not is_receiver and not (is_given and isinstance(site.node, ast.Name)):
        return
    for kind, text in OF_A_LOSS.items():
        yield f"loss-changed:{kind}", form(text, A=site.node)
    for own, name in program.numbers.items():
        for kind, text in BY_AN_ARGUMENT.items():
            yield f"loss-changed:{kind}:{name}", form(text, A=site.node, B=ast.Name(own))


def operator_turned(program: Program, site: Site) -> Rewrites:
    """+ for −, × for ÷, one operand for the other."""
    match site.node:
        case ast.BinOp(left=left, op=op, right=right):
            for text in TURNED.get(type(op), ()):
                yield f"operator-turned:{text.replace(' ', '')}", form(text, A=left, B=right)
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield "sign-lost", operand


def operand_lost(program: Program, site: Site) -> Rewrites:
    """One side of an operation alone."""
    match site.node:
        case ast.BinOp(left=left, right=right):
            yield "left-operand-lost", right
            yield "right-operand-lost", left
            if isinstance(site.node.op, ast.Sub):
                yield "left-operand-lost:negative", ast.UnaryOp(ast.USub(), right)
        case ast.BoolOp(op=op, values=[first, second]):
            other = "or" if isinstance(op, ast.And) else "and"
            yield "left-operand-lost", second
            yield "right-operand-lost", first
            yield "operator-turned", form(f"A {other} B", A=first, B=second)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield "always", body
            yield "never", orelse
            yield "turned", ast.IfExp(test, orelse, body)


def parentheses_lost(program: Program, site: Site) -> Rewrites:
    """a (b + c) as a b + c."""
    if not isinstance(site.node, ast.BinOp):
        return
    left, op, right = site.node.left, site.node.op, site.node.right
    if isinstance(right, ast.BinOp) and _binds(right.op) <= _binds(op):
        yield "parentheses-lost", ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right)
    if isinstance(left, ast.BinOp) and _binds(left.op) < _binds(op):
        yield "parentheses-lost", ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right))
    if isinstance(left, ast.UnaryOp) and isinstance(op, ast.Pow):
        yield "parentheses-lost", ast.UnaryOp(left.op, ast.BinOp(left.operand, op, right))


def parentheses_added(program: Program, site: Site) -> Rewrites:
    """a / b ** c as (a / b) ** c, a + b c as (a + b) c, a b + c as a (b + c)."""
    if not isinstance(site.node, ast.BinOp):
        return
    left, op, right = site.node.left, site.node.op, site.node.right
    if isinstance(right, ast.BinOp) and _binds(right.op) > _binds(op):
        yield "parentheses-added", ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right)
    if isinstance(left, ast.BinOp) and _binds(left.op) > _binds(op):
        yield "parentheses-added", ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right))


def _binds(op: ast.operator) -> int:
    return {ast.Add: 0, ast.Sub: 0, ast.Pow: 2}.get(type(op), 1)


def moved_across_call(program: Program, site: Site) -> Rewrites:
    """sqrt(v) + e as sqrt(v + e), f(x) ** 2 as f(x ** 2), and back."""
    match site.node:
        case ast.BinOp(left=ast.Call(func=func, args=[inner], keywords=[]), op=op, right=right):
            yield "moved-into-call", ast.Call(func, [ast.BinOp(inner, op, right)], [])
        case ast.BinOp(left=ast.Call(func=ast.Attribute(value=inner) as func, args=[], keywords=[]), op=op, right=r):
            yield "moved-into-call", ast.Call(ast.Attribute(ast.BinOp(inner, op, r), func.attr), [], [])
    match site.node:
        case ast.BinOp(left=left, op=op, right=ast.Call(func=func, args=[inner], keywords=[])):
            yield "moved-into-call", ast.Call(func, [ast.BinOp(left, op, inner)], [])
        case ast.Call(func=func, args=[ast.BinOp(left=left, op=op, right=right)], keywords=[]):
            yield "moved-out-of-call", ast.BinOp(ast.Call(func, [left], []), op, right)
            yield "moved-out-of-call:left", ast.BinOp(left, op, ast.Call(func, [right], []))
        case ast.Call(func=ast.Attribute(value=ast.BinOp(left=left, op=op, right=right), attr=attr), args=[]):
            yield "moved-out-of-call", ast.BinOp(ast.Call(ast.Attribute(left, attr), [], []), op, right)
        case ast.BinOp(left=ast.BinOp(left=left, op=op, right=right), op=ast.Pow() as power, right=exponent):
            yield "moved-into-power", ast.BinOp(ast.BinOp(left, power, exponent), op, ast.BinOp(right, power, exponent))


def reduced(program: Program, site: Site) -> Rewrites:
    """A formula of several operations by one of the names in it alone."""
    if not isinstance(site.node, ast.BinOp):
        return
    names = program.names
    parts = [n for n in ast.walk(site.node) if isinstance(n, ast.Name) and n.id not in program.numbers]
    for name in dict.fromkeys(n.id for n in parts if n not in (site.node.left, site.node.right)):
        if name in names.states:
            yield f"replaced-by:{names.role(name)}", ast.Name(name)


def lessons_number(program: Program, site: Site) -> Rewrites:
    """A number that is made of arguments alone by what it is in the lesson."""
    if not isinstance(site.node, ast.BinOp):
        return
    leaves = [n for n in ast.walk(site.node) if not isinstance(n, ast.BinOp | ast.operator | ast.expr_context)]
    own = dict.fromkeys(n.id for n in leaves if isinstance(n, ast.Name))
    given = {name: program.lesson.get(program.numbers.get(name, "")) for name in own}
    if len(own) < 2 or not all(isinstance(n, ast.Name | ast.Constant) for n in leaves) or None in given.values():
        return
    with suppress(ArithmeticError, TypeError, ValueError):
        value = eval(ast.unparse(site.node), {"__builtins__": {}}, given)  # of a program of ours: numbers alone
        if isinstance(value, int | float):
            yield "formula-replaced:by-lesson", form(repr(value))


def is_callee(site: Site) -> bool:
    return isinstance(site.owner, ast.Call) and site.field == "func"


OPERATORS: tuple[Operator, ...] = (
    argument_replaced,
    factor_added,
    loss_changed,
    operator_turned,
    operand_lost,
    parentheses_lost,
    parentheses_added,
    reduced,
    lessons_number,
    moved_across_call,
)
