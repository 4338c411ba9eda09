"""Edits of calls: keywords lost, given, renamed; arguments swapped; another class of the same module.

Knows signatures, which it reads from torch itself. Refuses to know a class or a keyword by name.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from stepgrade.mutation.edits import Change, Edit, Program, Site, is_number
from stepgrade.mutation.names import dotted, kind_of, root
from stepgrade.mutation.trees import form, line_of, text_of

Parameters = Mapping[str, inspect.Parameter]
New = tuple[str, ast.Call]
Words = dict[str, ast.expr]
DTYPES = ("float64", "float16", "bfloat16", "int64")
OF_THE_PASS = {
    "constant": "lambda t: A",
    "power": "lambda t: A ** t",
    "linear": "lambda t: A * t",
    "shrinking": "lambda t: 1 - (1 - A) * t",
    "harmonic": "lambda t: A / (t + 1)",
    "harmonic-alone": "lambda t: 1 / (t + 1)",
}
"""What may be given where a function of the pass is asked for."""
MOST_SIBLINGS = 40


def call_edits(program: Program) -> Iterator[Edit]:
    """All edits of calls."""
    for site in program.sites:
        if isinstance(site.node, ast.Call):
            for operator, new in _of_call(program, site.node):
                yield _edit(program, site, site.node, operator, new)
            yield from _siblings(program, site, site.node)


def _edit(program: Program, site: Site, old: ast.Call, operator: str, new: ast.Call) -> Edit:
    role = _role(program, site, old, new)
    text = f"{line_of(site.statement)}: `{text_of(old)}` → `{text_of(new)}`"
    return Edit(operator, role, text, (site.put(new),), operator)


def _role(program: Program, site: Site, old: ast.Call, new: ast.Call) -> str:
    """That of the one argument that is touched, if it is one; else the statement's."""
    before, after = ({(w.arg, id(w.value)): w.value for w in call.keywords} for call in (old, new))
    touched = [value for key, value in (before | after).items() if (key in before) != (key in after)]
    roles = {program.names.role(value.id) for value in touched if isinstance(value, ast.Name)}
    only = roles.pop() if len(roles) == 1 else ""
    return only if only.startswith("argument:") else site.role


def _of_call(program: Program, call: ast.Call) -> Iterator[New]:
    yield from _lost(call)
    if isinstance(call.func, ast.Attribute) and root(call.func) not in program.names.imported:
        yield from _given_twice(call)
    yield from _swapped(call)
    yield from _merged(program, call)
    yield from _given_to_step(program, call)
    yield from _other_method(program, call)
    thing = _callee(program, call)
    if inspect.isbuiltin(thing):
        yield from _tensor_made(call)
    parameters = _absent(thing, call)
    yield from _renamed(call, parameters)
    yield from _flags_given(call, parameters)
    yield from _numbers_given(program, call, parameters)


def _lost(call: ast.Call) -> Iterator[New]:
    for index, word in enumerate(call.keywords):
        yield f"keyword-lost:{word.arg}", _with_keywords(call, [*call.keywords[:index], *call.keywords[index + 1 :]])
    for index in range(len(call.args)):
        yield "positional-lost", ast.Call(call.func, [*call.args[:index], *call.args[index + 1 :]], call.keywords)


def _given_twice(call: ast.Call) -> Iterator[New]:
    """Two things for one, to a method of the program's own: a library's function means something else by it."""
    for index, value in enumerate(call.args):
        yield "given-twice", ast.Call(call.func, [*call.args[:index], value, *call.args[index:]], call.keywords)


def _swapped(call: ast.Call) -> Iterator[New]:
    for index in range(len(call.args) - 1):
        first, second = call.args[index : index + 2]
        args = [*call.args[:index], second, first, *call.args[index + 2 :]]
        yield "arguments-swapped", ast.Call(call.func, args, call.keywords)
    for index in range(len(call.keywords) - 1):
        first_word, second_word = call.keywords[index : index + 2]
        words = [
            *call.keywords[:index],
            ast.keyword(first_word.arg, second_word.value),
            ast.keyword(second_word.arg, first_word.value),
            *call.keywords[index + 2 :],
        ]
        yield "arguments-swapped", _with_keywords(call, words)


def _merged(program: Program, call: ast.Call) -> Iterator[New]:
    """The product of two keywords' values in the place of both."""
    for first in call.keywords:
        for second in call.keywords:
            if first is second or not (_is_argument(program, first.value) and _is_argument(program, second.value)):
                continue
            for kind, text in (("product", "A * B"), ("times-complement", "A * (1 - B)")):
                value = form(text, A=first.value, B=second.value)
                words = [ast.keyword(w.arg, value) if w is first else w for w in call.keywords if w is not second]
                yield f"keywords-merged:{kind}:{first.arg}", _with_keywords(call, words)


def _is_argument(program: Program, node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and program.names.role(node.id).startswith("argument:")


def _given_to_step(program: Program, call: ast.Call) -> Iterator[New]:
    """`step()` with something that it does not ask for."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "step" and not call.args:
        for name in sorted(program.names.losses | program.names.counters):
            for text in ("A", "A.item()"):
                yield f"given:{program.names.role(name)}", ast.Call(call.func, [form(text, A=ast.Name(name))], [])


def _other_method(program: Program, call: ast.Call) -> Iterator[New]:
    """Another method of the same class that begins alike."""
    method = _callee(program, call) if isinstance(call.func, ast.Attribute) and not call.args else None
    owner = sys.modules.get(getattr(method, "__module__", ""))
    holder = getattr(owner, getattr(method, "__qualname__", "").partition(".")[0], None)
    if not isinstance(holder, type) or not isinstance(call.func, ast.Attribute) or "_" not in call.func.attr:
        return
    start = call.func.attr.partition("_")[0] + "_"
    for name in sorted(vars(holder)):
        if name.startswith(start) and name != call.func.attr:
            yield f"sibling:{name}", ast.Call(ast.Attribute(call.func.value, name), [], [])


def _tensor_made(call: ast.Call) -> Iterator[New]:
    """A tensor that is made otherwise: of another type, of two elements."""
    if not any(word.arg == "dtype" for word in call.keywords):
        for dtype in DTYPES:
            yield f"dtype-given:{dtype}", _with_keywords(call, [ast.keyword("dtype", form(f"torch.{dtype}"))], add=True)
    match call.args:
        case [ast.List(elts=[only]), *rest]:
            size = only.args[0] if isinstance(only, ast.Call) and only.args else only
            yield "size-taken", form("torch.Tensor(A).requires_grad_()", A=size)  # type: ignore[misc]
            yield "element-doubled", ast.Call(call.func, [ast.List([only, only], ast.Load()), *rest], call.keywords)
            if not isinstance(only, ast.List):
                yield "element-nested", ast.Call(call.func, [form("[[A]]", A=only), *rest], call.keywords)


def _with_keywords(call: ast.Call, words: list[ast.keyword], add: bool = False) -> ast.Call:
    return ast.Call(call.func, call.args, [*call.keywords, *words] if add else words)


def _callee(program: Program, call: ast.Call) -> Any:
    """What is called, where torch knows it: a class, a function, or a method of what a class made."""
    thing = program.names.thing(call.func)
    if thing is not None or not isinstance(call.func, ast.Attribute):
        return thing
    for value in program.names.values.get(root(call.func.value), ()):
        maker = program.names.thing(value.func) if isinstance(value, ast.Call) else None
        if kind_of(maker):
            return getattr(maker, call.func.attr, None)
    return _tensor_method(call.func.attr)


def _tensor_method(name: str) -> Any:
    import torch

    method = vars(torch.Tensor).get(name)
    return method if inspect.isfunction(method) else None


@functools.lru_cache(maxsize=1024)
def _signature(thing: Any) -> Parameters:
    try:
        found = inspect.signature(thing).parameters
    except (TypeError, ValueError):
        return {}
    named = {n: p for n, p in found.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return {name: parameter for name, parameter in named.items() if name != "self"}


def _absent(thing: Any, call: ast.Call) -> Parameters:
    """The parameters with a default that a call does not give."""
    parameters = _signature(thing) if callable(thing) else {}
    given = [*list(parameters)[: len(call.args)], *(word.arg for word in call.keywords)]
    return {n: p for n, p in parameters.items() if n not in given and p.default is not p.empty}


def _takes_number(parameter: inspect.Parameter) -> bool:
    return is_number(parameter.default) or (parameter.default is None and "float" in str(parameter.annotation))


def _takes_flag(parameter: inspect.Parameter) -> bool:
    is_open = parameter.default is None and "bool" in str(parameter.annotation)
    return isinstance(parameter.default, bool) or is_open


def _renamed(call: ast.Call, absent: Parameters) -> Iterator[New]:
    for index, word in enumerate(call.keywords):
        for name, parameter in absent.items():
            if _takes_number(parameter) and not isinstance(word.value, ast.Constant):
                words = [*call.keywords[:index], ast.keyword(name, word.value), *call.keywords[index + 1 :]]
                yield f"keyword-renamed:{name}", _with_keywords(call, words)


def _flags_given(call: ast.Call, absent: Parameters) -> Iterator[New]:
    for name, parameter in absent.items():
        if _takes_flag(parameter):
            word = ast.keyword(name, ast.Constant(not parameter.default))
            yield f"flag-given:{name}", _with_keywords(call, [word], add=True)
        elif parameter.default == "mean":
            word = ast.keyword(name, ast.Constant("sum"))
            yield f"keyword-given:{name}", _with_keywords(call, [word], add=True)


def _numbers_given(program: Program, call: ast.Call, absent: Parameters) -> Iterator[New]:
    for name, parameter in absent.items():
        for own in program.numbers:
            for value in _values_for(parameter, ast.Name(own)):
                yield f"keyword-given:{name}", _with_keywords(call, [ast.keyword(name, value)], add=True)


def _values_for(parameter: inspect.Parameter, value: ast.expr) -> Iterator[ast.expr]:
    """A value where a number stands by default; one of the numbers, where there are several."""
    if _takes_number(parameter):
        yield value
    elif isinstance(parameter.default, tuple) and all(map(is_number, parameter.default)):
        for index in range(len(parameter.default)):
            numbers: list[ast.expr] = [ast.Constant(number) for number in parameter.default]
            numbers[index] = value
            yield ast.Tuple(numbers, ast.Load())


def _siblings(program: Program, site: Site, call: ast.Call) -> Iterator[Edit]:
    """Another class of the same module in a class's place, with what it takes of the same arguments."""
    thing = program.names.thing(call.func)
    if not (isinstance(thing, type) or inspect.isfunction(thing)) or not isinstance(
        call.func, ast.Attribute | ast.Name
    ):
        return
    for name, other in _others(thing):
        for operator, new in _as_other(program, call, thing, name, other):
            edit = _edit(program, site, call, operator, new)
            further = _steps_completed(program, site, thing, other)
            yield Edit(edit.operator, site.role, edit.text, (*edit.changes, *further), operator)


@functools.lru_cache(maxsize=256)
def _others(thing: Any) -> tuple[tuple[str, Any], ...]:
    """What else the module has of the same kind."""
    place = _public_module(thing)
    found = [
        (name, other)
        for name, other in sorted(vars(place).items())
        if not name.startswith("_") and other is not thing and _is_alike(thing, other)
    ]
    return tuple(found[:MOST_SIBLINGS])


def _public_module(thing: Any) -> Any:
    """The package that shows a thing to its users: the nearest one above in which it stands by its name."""
    path = thing.__module__.split(".")
    above = [sys.modules[".".join(path[: length + 1])] for length in range(len(path))]
    shown = [module for module in above if vars(module).get(thing.__name__) is thing]
    return shown[0] if shown else above[-1]


def _is_alike(thing: Any, other: Any) -> bool:
    if inspect.isfunction(thing):
        return inspect.isfunction(other) and _required(thing) == _required(other) != ()
    if not isinstance(other, type) or not kind_of(thing) == kind_of(other) != "" or inspect.isabstract(other):
        return False  # a class of no kind, such as `no_grad`, has all of torch for siblings
    if kind_of(thing) == "layer":
        return thing.__module__ == other.__module__ and bool(_signature(thing)) == bool(_signature(other))
    return not issubclass(thing, other) and list(_signature(thing))[:1] == list(_signature(other))[:1]


def _required(thing: Any) -> tuple[str, ...]:
    return tuple(name for name, p in _signature(thing).items() if p.default is p.empty)


def _as_other(program: Program, call: ast.Call, thing: Any, name: str, other: Any) -> Iterator[New]:
    theirs = _signature(other)
    given = dict(zip(list(_signature(thing))[1:], call.args[1:], strict=False))
    given |= {word.arg: word.value for word in call.keywords if word.arg}
    kept = {key: value for key, value in given.items() if key in theirs}
    lost = [value for key, value in given.items() if key not in theirs and not isinstance(value, ast.Constant)]
    open_ones = [n for n in _required(other)[1:] if n not in kept]
    operator = f"sibling:{name}"
    func = _renamed_callee(call.func, name)
    fillings = _filled(program, [theirs[n] for n in open_ones], lost)
    for filling in fillings:
        yield operator, _call(func, call.args[:1], kept | filling)
        for without in kept:
            rest = {key: value for key, value in kept.items() if key != without}
            yield operator, _call(func, call.args[:1], rest | filling)
        yield from (
            (f"{operator}:{key}", _call(func, call.args[:1], kept | filling | more))
            for key, more in _places_for(theirs, [*kept, *filling], lost)
        )


def _call(func: ast.expr, args: list[ast.expr], words: Mapping[str, ast.expr]) -> ast.Call:
    return ast.Call(func, args, [ast.keyword(name, value) for name, value in words.items()])


def _renamed_callee(func: ast.expr, name: str) -> ast.expr:
    return ast.Attribute(func.value, name) if isinstance(func, ast.Attribute) else ast.Name(name)


def _filled(program: Program, required: list[inspect.Parameter], lost: list[ast.expr]) -> list[dict[str, ast.expr]]:
    """What may be given where another class asks for something that was not given."""
    if not required:
        return [{}]
    if len(required) > 1:
        return []
    (only,) = required
    numbers = [*lost, *(ast.Name(own) for own in program.numbers)]
    if "Callable" in str(only.annotation):
        return [{only.name: form(text, A=value)} for text in OF_THE_PASS.values() for value in numbers]
    if any(word in str(only.annotation) for word in ("int", "float")) and "list" not in str(only.annotation).lower():
        return [{only.name: value} for value in [*numbers, ast.Constant(1)]]
    return []


def _places_for(theirs: Parameters, given: list[str], lost: list[ast.expr]) -> Iterator[tuple[str, Words]]:
    """Where a value may go that the class does not take by its old keyword; counts of passes at 0 beside it."""
    free = {n: p for n, p in theirs.items() if n not in given and p.default is not p.empty}
    for value in lost:
        for name, parameter in free.items():
            for its in _values_for(parameter, value):
                yield name, {name: its}
                for other, counted in free.items():
                    if type(counted.default) is int and counted.default > 1 and other != name:
                        yield name, {name: its, other: ast.Constant(0)}


def _steps_completed(program: Program, site: Site, thing: Any, other: Any) -> list[Change]:
    """Where the other class's `step` asks for the value, it is given: nobody gets further without."""
    target = site.statement.targets[0] if isinstance(site.statement, ast.Assign) else None
    asked = [n for n in _required(getattr(other, "step", None)) if n not in _required(getattr(thing, "step", None))]
    if not isinstance(target, ast.Name) or len(asked) != 1 or kind_of(other) != "scheduler":
        return []
    values = [name for name in program.definitions if name in program.names.losses]
    return [
        Change(step, "args", None, [ast.Name(values[0])])
        for step in program.names.nodes
        if isinstance(step, ast.Call) and dotted(step.func) == f"{target.id}.step" and values and not step.args
    ]
