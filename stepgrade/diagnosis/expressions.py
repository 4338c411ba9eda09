"""Edits inside of a statement: arguments, operators, calls, constants, comparisons, conversions.

Each operator looks at one expression and gives what may stand in its place. Knows Python's and torch's grammar of
formulas. Refuses to know a lesson: what an argument means, only its values in the lesson's own example.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from stepgrade.diagnosis.edits import Edit, Program, Site, form, line_of, text_of
from stepgrade.diagnosis.names import root

Rewrites = Iterator[tuple[str, ast.expr]]
"""What was done, and what stands there now."""

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
BY_ANOTHER = {"by": "B", "product": "A * B", "quotient": "A / B", "sum": "A + B", "times-complement": "A * (1 - B)"}
OF_A_TERM = {
    "absolute": "abs(A)",
    "sign": "torch.sign(A)",
    "squared": "A ** 2",
    "rooted": "A ** 0.5",
    "clamped": "A.clamp(-1, 1)",
    "clamped-below": "A.clamp(min=0)",
}
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
    ast.Pow: ("A * B", "B ** A", "A ** -B"),
    ast.FloorDiv: ("A / B", "round(A / B)", "-(-A // B)", "A % B", "A * B"),
    ast.Mod: ("A // B", "A / B", "B % A"),
    ast.MatMult: ("A * B", "B @ A"),
}
COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
SIBLINGS = {
    "floor": ("ceil", "round"),
    "ceil": ("floor",),
    "sqrt": ("abs", "square"),
    "cos": ("sin",),
    "sin": ("cos",),
    "exp": ("log",),
    "log": ("exp",),
    "min": ("max",),
    "max": ("min",),
    "mean": ("sum",),
    "sum": ("mean",),
    "round": ("int",),
    "int": ("round",),
    "abs": ("float",),
    "minimum": ("maximum",),
    "maximum": ("minimum",),
    "tensor": ("Tensor", "IntTensor"),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "zeros_like": ("ones_like",),
    "float32": ("float64", "float16", "bfloat16"),
    "float64": ("float32",),
}
"""Functions that are taken for one another."""
REDUCED = {"mean": "sum", "sum": "mean", "none": "mean"}


def expression_edits(program: Program) -> Iterator[Edit]:
    """All edits of single expressions."""
    for site in program.sites:
        for operate in OPERATORS:
            for operator, new in operate(program, site):
                yield _edit(program, site, operator, new)


def _edit(program: Program, site: Site, operator: str, new: ast.expr) -> Edit:
    is_argument = isinstance(site.node, ast.Name) and program.names.role(site.node.id).startswith("argument:")
    role = program.argument(site.node.id, site.role) if is_argument and isinstance(site.node, ast.Name) else site.role
    old, made = text_of(site.node), text_of(new)
    return Edit(operator, role, f"{line_of(site.statement)}: `{old}` → `{made}`", (site.put(new),), f"{old}→{made}")


def argument_replaced(program: Program, site: Site) -> Rewrites:
    """An argument by another, by the lesson's value, or by something made of it."""
    if not isinstance(site.node, ast.Name) or _is_callee(site):
        return
    own = program.names.stand_ins.get(site.node.id, site.node.id)
    if own in program.numbers:
        yield from _of_number(program, site.node, own)
    elif own in program.names.parameters and own not in program.names.called:
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
    for kind, text in (("cut", "A[:-1]"), ("shifted", "A[1:]"), ("reversed", "A[::-1]"), ("first", "A[0]")):
        yield f"argument-replaced:{kind}", form(text, A=node)
    for other, its in program.names.parameters.items():
        if other not in program.numbers and other != own and other not in program.names.called:
            yield f"argument-replaced:by:{its}", ast.Name(other)


def _is_callee(site: Site) -> bool:
    return isinstance(site.owner, ast.Call) and site.field == "func"


def factor_added(program: Program, site: Site) -> Rewrites:
    """A foreign factor or function around a term of a formula."""
    if not _is_term(site):
        return
    if not (isinstance(site.node, ast.Name) and site.node.id in program.numbers):
        for kind, text in OF_A_TERM.items():
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
    is_given = isinstance(site.owner, ast.Call) and site.role == "backward" and site.index == 0 and not _is_callee(site)
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


def call_lost(program: Program, site: Site) -> Rewrites:
    """`.item()`, `float(…)`, `.grad` or brackets lost; a call without its parentheses."""
    match site.node:
        case ast.Call(func=ast.Attribute(value=value, attr=attr) as func, args=args):
            if root(value) not in program.names.imported:
                yield f"call-lost:{attr}", value
            elif len(args) >= 1 and isinstance(args[0], ast.expr):
                yield f"call-lost:{attr}", args[0]
            yield "not-called", func
        case ast.Call(func=func, args=[first, *_]):
            yield f"call-lost:{text_of(func)}" if text_of(func) not in program.names.parameters else "call-lost", first
            yield "not-called", func
        case ast.Attribute(value=value, attr=attr) if (
            not _is_callee(site) and root(value) not in program.names.imported
        ):
            yield f"attribute-lost:{attr}", value
        case ast.Subscript(value=value):
            yield "index-lost", value
        case ast.List(elts=[only]):
            yield "brackets-lost", only


def misspelt(program: Program, site: Site) -> Rewrites:
    """A method or attribute that there is not."""
    if isinstance(site.node, ast.Attribute) and len(site.node.attr) > 2 and isinstance(site.node.ctx, ast.Load):
        yield "misspelt", ast.Attribute(site.node.value, site.node.attr[:-1])


def name_replaced(program: Program, site: Site) -> Rewrites:
    """Another name of the program's own."""
    is_whole = isinstance(site.node, ast.Name) or (isinstance(site.node, ast.Attribute) and site.node.attr == "grad")
    if not is_whole or root(site.node) in program.names.imported:
        return
    if isinstance(site.node, ast.Name) and site.node.id in program.numbers:
        candidates = set(program.names.values) - program.names.records
    else:
        candidates = set(program.names.values) | set(program.names.parameters)
    for other in sorted(candidates - {root(site.node)}, key=_order_in(program)):
        yield f"replaced-by:{program.names.role(other)}", ast.Name(other)
    if isinstance(site.node, ast.Name) and site.node.id in program.definitions:
        yield "computed-anew", program.definitions[site.node.id]


def _order_in(program: Program) -> Callable[[str], int]:
    order = [*program.names.parameters, *dict.fromkeys(b.name for b in program.names.bindings)]
    return {name: number for number, name in reversed(list(enumerate(order)))}.__getitem__


def tensor_changed(program: Program, site: Site) -> Rewrites:
    """A variable without its graph, its gradient for it, one step too many around it."""
    is_variable = isinstance(site.node, ast.Name) and site.node.id in program.names.variables | program.names.losses
    if not is_variable or isinstance(site.owner, ast.Attribute):
        return
    for kind, text in (
        ("detached", "A.detach()"),
        ("gradient", "A.grad"),
        ("copied", "A.detach().clone().requires_grad_()"),
    ):
        yield f"tensor-changed:{kind}", form(text, A=site.node)


def constant_changed(program: Program, site: Site) -> Rewrites:
    """One off, 0, 1, twice, half; a flag turned."""
    if not isinstance(site.node, ast.Constant) or isinstance(site.owner, ast.Expr):
        return
    value = site.node.value
    if isinstance(value, bool):
        yield "flag-turned", ast.Constant(not value)
    elif isinstance(value, int | float):
        changed = {"one-more": value + 1, "one-less": value - 1, "doubled": 2 * value, "halved": value / 2}
        changed |= {"zero": 0, "one": 1, "negative": -value}
        yield from ((f"constant-changed:{kind}", form(repr(new))) for kind, new in changed.items() if new != value)
    elif value in REDUCED:
        yield "reduction-changed", ast.Constant(REDUCED[value])


def counter_changed(program: Program, site: Site) -> Rewrites:
    """A loop's counter, a length or a power one off."""
    is_counter = isinstance(site.node, ast.Name) and site.node.id in program.names.counters
    is_length = isinstance(site.node, ast.Call) and isinstance(site.node.func, ast.Name) and site.node.func.id == "len"
    if is_counter or is_length:
        for kind, text in (("one-more", "A + 1"), ("one-less", "A - 1"), ("zero", "0"), ("one", "1")):
            yield f"counter-changed:{kind}", form(text, A=site.node)


def range_changed(program: Program, site: Site) -> Rewrites:
    """A pass more or fewer."""
    match site.node:
        case ast.Call(func=ast.Name(id="range") as func, args=[stop]):
            for kind, text in (("one-more", "F(A + 1)"), ("one-less", "F(A - 1)"), ("from-one", "F(1, A)")):
                yield f"range-changed:{kind}", form(text, F=func, A=stop)
            yield "range-changed:from-one-to-end", form("F(1, A + 1)", F=func, A=stop)
            yield "range-changed:backwards", form("reversed(F(A))", F=func, A=stop)
            if isinstance(stop, ast.Constant | ast.Name | ast.Call):
                yield "range-changed:twice", form("F(2 * A)", F=func, A=stop)
        case ast.Call(func=ast.Name(id="range") as func, args=[start, stop, step]):
            yield "range-changed:step-lost", form("F(A, B)", F=func, A=start, B=stop)
            yield "range-changed:last-lost", form("F(A, B - C, C)", F=func, A=start, B=stop, C=step)
            yield "range-changed:last-lost", form("F(A, B - C + 1, C)", F=func, A=start, B=stop, C=step)
            yield "range-changed:first-lost", form("F(A + C, B, C)", F=func, A=start, B=stop, C=step)
        case ast.Subscript(value=value, slice=ast.Slice(lower=lower, upper=upper)):
            if upper is not None:
                yield "slice-changed:one-more", ast.Subscript(value, ast.Slice(lower, form("A + 1", A=upper)))
                yield "slice-changed:one-less", ast.Subscript(value, ast.Slice(lower, form("A - 1", A=upper)))
                yield "slice-changed:end-lost", ast.Subscript(value, ast.Slice(lower, None))
            if lower is not None:
                yield "slice-changed:start-lost", ast.Subscript(value, ast.Slice(None, upper))
            yield "slice-changed:whole", value


def comparison_changed(program: Program, site: Site) -> Rewrites:
    """< for ≤ and the like; the other case."""
    match site.node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARED:
            own = COMPARED[type(op)]
            for other in COMPARED.values():
                if other != own:
                    yield f"compared:{own}{other}", form(f"A {other} B", A=left, B=right)
            yield "always", ast.Constant(True)
            yield "never", ast.Constant(False)


def sibling_called(program: Program, site: Site) -> Rewrites:
    """A function that is taken for another: floor and ceil, mean and sum."""
    match site.node:
        case ast.Call(func=ast.Name(id=name) as func, args=args, keywords=words) if name not in program.names.values:
            for other in SIBLINGS.get(name, ()):
                yield f"sibling:{other}", ast.Call(_named(other, func), args, words)
            if name in ("round", "int", "abs") and len(args) == 1:
                yield "call-lost", args[0]
        case ast.Attribute(value=value, attr=attr):
            for other in SIBLINGS.get(attr, ()):
                yield f"sibling:{other}", ast.Attribute(value, other)


def _named(other: str, func: ast.Name) -> ast.expr:
    return form("torch.mean") if other == "mean" else ast.Name(other, func.ctx)


def objective_replaced(program: Program, site: Site) -> Rewrites:
    """The lesson's own objective instead of the one that is given."""
    match site.node:
        case ast.Call(func=ast.Name(id=name), args=args) if name in program.names.called:
            objective = program.lesson.get(program.names.parameters.get(name, ""))
            text = getattr(objective, "text", None)
            variables = getattr(objective, "variables", "x").split()
            if isinstance(text, str) and len(variables) == len(args):
                yield "objective-replaced:by-lesson", form(text, **dict(zip(variables, args, strict=True)))
            if args:
                yield "objective-lost", args[0]
            yield "argument-shifted", ast.Call(ast.Name(name), [form("A + 0.01", A=a) for a in args], [])


Operator = Callable[[Program, Site], Rewrites]
OPERATORS: tuple[Operator, ...] = (
    argument_replaced,
    factor_added,
    loss_changed,
    operator_turned,
    operand_lost,
    parentheses_lost,
    moved_across_call,
    call_lost,
    misspelt,
    name_replaced,
    tensor_changed,
    constant_changed,
    counter_changed,
    range_changed,
    comparison_changed,
    sibling_called,
    objective_replaced,
)
