"""Edits inside of a statement: calls, names, constants, counters, comparisons, and the formulas of `formulas`.

Each operator looks at one expression and gives what may stand in its place. Knows Python's and torch's grammar.
Refuses to know a lesson.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from stepgrade.mutation import formulas
from stepgrade.mutation.edits import Edit, Program, Site
from stepgrade.mutation.formulas import Operator, Rewrites, is_callee
from stepgrade.mutation.names import root
from stepgrade.mutation.trees import form, line_of, text_of

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


OF_A_TENSOR = {"detached": "A.detach()", "gradient": "A.grad", "copied": "A.detach().clone().requires_grad_()"}
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
        case ast.Attribute(value=value, attr=attr) if not is_callee(site) and root(value) not in program.names.imported:
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
    own = program.names.values.keys() | program.names.parameters.keys()
    if not is_whole or root(site.node) not in own or is_callee(site):
        return
    if isinstance(site.node, ast.Name) and site.node.id in program.numbers:
        candidates = set(program.names.values) - program.names.records
    else:
        is_owner = isinstance(site.owner, ast.Attribute)
        candidates = own - program.numbers.keys() if is_owner else set(own)
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
    for kind, text in OF_A_TENSOR.items():
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
    elif isinstance(value, str) and isinstance(site.owner, ast.Compare):
        yield "constant-changed:text", ast.Constant(value[:-1])


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


OPERATORS: tuple[Operator, ...] = (
    *formulas.OPERATORS,
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
