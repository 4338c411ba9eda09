"""What the names of a program are for, by where their values come from and go to: never by how they are spelt.

Knows Python's bindings, tensors' methods and torch's modules of optimizers, schedulers and layers. Refuses to know a
lesson, and to run anything: torch alone is looked at, to see of which kind a name of its own is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from types import ModuleType
from typing import Any

MAX_NODES = 60_000  # of a tree; text that is written by hand has one for two characters at most
MAX_LINKS = 50  # attributes, calls and indices in a row
GIVEN = {"torch": "torch", "optim": "torch.optim", "math": "math"}
"""What a lesson's cells may say without an import of their own."""
LOOPS = ast.For | ast.AsyncFor | ast.While
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
GROWING = frozenset({"append", "extend", "insert", "appendleft"})
SAME_NUMBER = frozenset({"float", "int"})
"""Calls that hand a number on."""


class TooMuch(Exception):
    """More than anybody writes by hand."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A place at which a name gets a value."""

    name: str
    value: ast.expr | None  # None: it cannot be told, such as that of a loop's counter
    in_loop: bool
    is_changed: bool  # the name had a value, and the new one is made of it: `x -= …`, `x.data = …`, `x = x - …`


@dataclass
class Names:
    """The names of one program.

    Args:
        tree: the program.
        function: the function whose arguments count.
        arguments: the reference's names for them, in order.
    """

    tree: ast.Module
    function: str
    arguments: Sequence[str] = ()
    nodes: list[ast.AST] = field(default_factory=list)
    _reads: dict[int, frozenset[str]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.nodes = list(islice(ast.walk(self.tree), MAX_NODES + 1))
        if len(self.nodes) > MAX_NODES:
            raise TooMuch

    def reads(self, node: ast.expr) -> frozenset[str]:
        """The names that an expression of the program reads; walked once, however many targets it is stored to."""
        if id(node) not in self._reads:
            self._reads[id(node)] = frozenset(loaded(node))
        return self._reads[id(node)]

    @cached_property
    def definition(self) -> ast.FunctionDef | ast.Lambda | None:
        """The function itself, the last of that name."""
        found: ast.FunctionDef | ast.Lambda | None = None
        for node in self.tree.body:
            match node:
                case ast.FunctionDef(name=self.function):
                    found = node
                case ast.Assign(targets=[ast.Name(id=self.function)], value=ast.Lambda() as value):
                    found = value
        return found

    @cached_property
    def helpers(self) -> dict[str, ast.FunctionDef]:
        """Other functions of the program's own."""
        return {n.name: n for n in self.nodes if isinstance(n, ast.FunctionDef) and n is not self.definition}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The function's own parameters, and the reference's names for them."""
        own = [a.arg for a in self.definition.args.args] if self.definition else []
        return dict(zip(own, [*self.arguments, *own[len(self.arguments) :]], strict=False))

    @cached_property
    def plain_parameters(self) -> dict[str, str]:
        """Those that stay what they are: `x = torch.tensor(x)` makes something else of one before the loop."""
        made = {b.name for b in self.bindings if not b.in_loop and isinstance(b.value, ast.Call)}
        handed_on = {name for name in made if all(map(_same_number, self.values[name]))}
        return {own: name for own, name in self.parameters.items() if own not in made - handed_on}

    @cached_property
    def imported(self) -> dict[str, str]:
        """Full names of what is imported."""
        known = dict(GIVEN)
        for node in self.nodes:
            match node:
                case ast.Import(names=aliases):
                    known.update({a.asname or a.name.partition(".")[0]: a.name for a in aliases if a.asname})
                case ast.ImportFrom(module=str(module), names=aliases):
                    known.update({a.asname or a.name: f"{module}.{a.name}" for a in aliases})
        return known

    @cached_property
    def bindings(self) -> list[Binding]:
        """In the order of the text."""
        found: list[tuple[int, Binding]] = []
        for node, in_loop in walk_with_loops(self.tree):
            found += [(getattr(node, "lineno", 0), b) for b in self._bindings_of(node, in_loop)]
        return [binding for _, binding in sorted(found, key=lambda pair: pair[0])]

    def _bindings_of(self, node: ast.AST, in_loop: bool) -> Iterator[Binding]:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from self._pairs(target, value, in_loop)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from self._pairs(target, value, in_loop)
            case ast.AugAssign(target=target, value=value):
                yield Binding(root(target), value, in_loop, is_changed=True)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield Binding(name, value, in_loop, is_changed=False)
            case ast.For(target=target):
                for name in sorted({n.id for n in ast.walk(target) if isinstance(n, ast.Name)}):
                    yield Binding(name, None, in_loop=True, is_changed=False)
            case ast.Call(func=ast.Attribute(attr=method, value=owner)) if changes_in_place(method) and root(owner):
                if not dotted(owner).endswith(".grad"):
                    yield Binding(root(owner), node, in_loop, is_changed=True)

    def _pairs(self, target: ast.expr, value: ast.expr, in_loop: bool) -> Iterator[Binding]:
        match target, value:
            case ((ast.Tuple(elts=names) | ast.List(elts=names)), (ast.Tuple(elts=values) | ast.List(elts=values))) if (
                len(names) == len(values)
            ):
                for one, its in zip(names, values, strict=True):
                    yield from self._pairs(one, its, in_loop)
            case ((ast.Tuple(elts=names) | ast.List(elts=names)), _):
                for one in names:
                    yield from self._pairs(one, value, in_loop)
            case ast.Name(id=name), _:
                yield Binding(name, value, in_loop, is_changed=name in self.reads(value))
            case ast.Subscript(value=ast.Name(id=name)), _:
                yield Binding(name, value, in_loop, is_changed=True)
            case ast.Attribute(attr="data"), _:
                yield Binding(root(target), value, in_loop, is_changed=True)

    @cached_property
    def values(self) -> dict[str, list[ast.expr]]:
        """What each name is made of."""
        found: dict[str, list[ast.expr]] = {}
        for binding in self.bindings:
            if binding.value is not None:
                found.setdefault(binding.name, []).append(binding.value)
        return found

    def thing(self, node: ast.AST) -> Any:
        """What a name is to torch, such as a class; None where it is nothing of torch's own."""
        return resolve(dotted(node), self.imported)

    def made_by(self, kind: str) -> set[str]:
        """Names of what was made by a class of torch's: optimizer, scheduler, layer."""
        return {
            name
            for name, values in self.values.items()
            if any(isinstance(value, ast.Call) and kind_of(self.thing(value.func)) == kind for value in values)
        }

    @cached_property
    def optimizers(self) -> set[str]:
        """Names of optimizers."""
        return self.made_by("optimizer")

    @cached_property
    def schedulers(self) -> set[str]:
        """Names of schedulers: of torch's, or of what is made of an optimizer."""
        return self.made_by("scheduler") | {
            name
            for name, values in self.values.items()
            for value in values
            if isinstance(value, ast.Call) and value.args and dotted(value.args[0]) in self.optimizers
        }

    @cached_property
    def called(self) -> set[str]:
        """Parameters that are functions, and layers: what is called goes forward."""
        mentioned = {dotted(n.func) for n in self.nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        handed = {dotted(n.args[0]) for n in self.nodes if isinstance(n, ast.Call) and n.args and self._derives(n)}
        return ((mentioned | handed) & set(self.parameters)) | self.made_by("layer")

    def _derives(self, call: ast.Call) -> bool:
        name = full_name(dotted(call.func), self.imported)
        return name.startswith(("torch.func.", "torch.autograd."))

    @cached_property
    def losses(self) -> set[str]:
        """Names that backward is called of, and those that they are made of alone."""
        found = {root(n.value) for n in self.nodes if isinstance(n, ast.Attribute) and n.attr == "backward"}
        return {name for name in found if name in self.values} - self.variables

    @cached_property
    def variables(self) -> set[str]:
        """Names of what walks: what the objective is called with, what has a gradient, what an optimizer was given."""
        found: set[str] = set()
        for node in self.nodes:
            found |= self._walkers_in(node)
        found = {name for name in found if name in self.values and name not in self.plain_parameters}
        return found | self._carried_into(found)

    def _walkers_in(self, node: ast.AST) -> set[str]:
        match node:
            case ast.Attribute(attr="grad" | "requires_grad" | "requires_grad_", value=value):
                return {root(value)} if isinstance(value, ast.Name | ast.Attribute) else set()
            case ast.Call(func=func, args=[first, *_]) if isinstance(func, ast.Name) and func.id in self.parameters:
                return {root(first)}
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=words)):
                return {name} if any(word.arg == "requires_grad" for word in words) else set()
            case _:
                return set()

    def _carried_into(self, variables: set[str]) -> set[str]:
        """States that a variable is made of anew in each pass."""
        return {
            name
            for binding in self.bindings
            if binding.name in variables and binding.in_loop and not binding.is_changed and binding.value is not None
            for name in self.reads(binding.value) & self.states
        }

    @cached_property
    def states(self) -> set[str]:
        """Names that are bound before a loop and changed in it."""
        before = {binding.name for binding in self.bindings if not binding.in_loop}
        return {b.name for b in self.bindings if b.in_loop and (b.is_changed or b.value is not None)} & before

    @cached_property
    def records(self) -> set[str]:
        """Names of what is returned and grows, or is stored into by index."""
        grown = {root(n.value) for n in self.nodes if isinstance(n, ast.Attribute) and n.attr in GROWING}
        stored = {root(n) for n in self.nodes if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store)}
        lists = {n for n, v in self.values.items() if any(isinstance(x, ast.List | ast.ListComp) for x in v)}
        returned = [n.value for n in self.nodes if isinstance(n, ast.Return) and n.value is not None]
        names = {name for value in returned for name in loaded(value)}
        return ((grown | stored | lists) & names) - self.variables - self.optimizers - set(self.parameters)

    @cached_property
    def counters(self) -> set[str]:
        """Names of the counters of loops."""
        targets = [n.target for n in self.nodes if isinstance(n, ast.For | ast.comprehension)]
        return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}

    @cached_property
    def stand_ins(self) -> dict[str, str]:
        """Names that are bound once, to an argument: they are that argument."""
        found: dict[str, str] = {}
        others = self.states | self.parameters.keys()
        for name, values in self.values.items():
            source = _same_number(values[0])
            if len(values) == 1 and source in self.parameters and name not in others:
                found[name] = source
        return found

    @cached_property
    def _roles(self) -> dict[str, str]:
        order = list(dict.fromkeys(binding.name for binding in self.bindings))
        roles = dict.fromkeys(self.counters, "counter")
        roles |= dict.fromkeys(self.losses, "value")
        states = [n for n in order if n in self.states - self.variables - self.records - self.losses - self.counters]
        roles |= {name: f"state:{number}" for number, name in enumerate(states, 1)}
        roles |= dict.fromkeys(self.schedulers, "scheduler") | dict.fromkeys(self.optimizers, "optimizer")
        roles |= dict.fromkeys(self.records, "record")
        walking = [n for n in order if n in self.variables]
        moving = [n for n in walking if n in self.states] or walking
        roles |= dict.fromkeys(walking, "variable")
        if len(moving) > 1:
            roles |= {name: f"variable:{number}" for number, name in enumerate(moving, 1)}
        roles |= {name: f"argument:{self.parameters[own]}" for name, own in self.stand_ins.items()}
        roles |= {own: f"argument:{name}" for own, name in self.parameters.items() if own not in roles}
        return roles | {own: f"argument:{name}" for own, name in self.plain_parameters.items()}

    def role(self, name: str) -> str:
        """What a name is for: argument:<name>, variable, value, state:<number>, record, optimizer, … or "other"."""
        return self._roles.get(name, "other")


def walk_with_loops(tree: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes, each with whether it is inside of a loop; linear, without recursion."""
    todo: list[tuple[ast.AST, bool]] = [(tree, False)]
    while todo:
        node, in_loop = todo.pop()
        yield node, in_loop
        inner = in_loop or isinstance(node, LOOPS)
        todo += [(below, inner) for below in ast.iter_child_nodes(node)]


def changes_in_place(method: str) -> bool:
    """Whether a tensor's method changes its numbers, such as `sub_`; switching the gradient on is none."""
    return method.endswith("_") and not method.endswith("__") and method != "requires_grad_"


def loaded(node: ast.AST) -> set[str]:
    """The names that are read."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _same_number(value: ast.expr) -> str:
    match value:
        case ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=name)]) if function in SAME_NUMBER:
            return name
        case _:
            return ""


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a chain of attributes; calls and indices in it are left out. Nothing of one that nobody writes."""
    parts: list[str] = []
    for _ in range(MAX_LINKS):
        match node:
            case ast.Name(id=name):
                return ".".join([name, *reversed(parts)])
            case ast.Attribute(value=value, attr=name):
                parts.append(name)
                node = value
            case ast.Call(func=value) | ast.Subscript(value=value):
                node = value
            case _:
                return ".".join(["", *reversed(parts)])
    return ""


def root(node: ast.AST) -> str:
    """The first name of a chain of attributes."""
    return dotted(node).partition(".")[0]


def full_name(name: str, imported: Mapping[str, str]) -> str:
    """A dotted name as it would be without abbreviations."""
    first, dot, rest = name.partition(".")
    return imported.get(first, first) + dot + rest


def resolve(name: str, imported: Mapping[str, str] = GIVEN) -> Any:
    """What stands in torch under a name; looked up as it is, nothing is imported for it."""
    import torch

    first, *parts = full_name(name, imported).split(".")
    found: Any = torch if first == "torch" else None
    for part in parts:
        found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
    return found


def kind_of(thing: Any) -> str:
    """optimizer, scheduler or layer: what a class of torch's makes; empty for anything else."""
    import torch

    if not isinstance(thing, type):
        return ""
    if issubclass(thing, torch.optim.Optimizer):
        return "optimizer"
    if thing.__module__.startswith(torch.optim.lr_scheduler.__name__):
        return "scheduler"
    return "layer" if issubclass(thing, torch.nn.Module) else ""
