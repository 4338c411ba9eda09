"""What a student's function mentions, and all that it calls: over all cells of the notebook and the files beside it.

Knows how names are bound at the top of a cell, and which names of a function are its own. Refuses to run anything: what
`exec`, `eval`, `__import__`, `importlib`, `globals()`, names put together from pieces or a patched torch hide stays
hidden. Such tricks are not closed; the numbers are judged all the same.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stepgrade.bindings import Bindings, Functions, Own, own_names, read_bindings
from stepgrade.compare import Differs
from stepgrade.source import OPTIMIZERS

MOST_STEPS = 200_000  # from a name to what it may stand for
MOST_READ = 300_000  # characters of a notebook, or of a file; nobody writes more, and reading must come to an end
FOREIGN = re.compile(
    r"\s*%%(!|sx|system|bash|sh|script|cmd|perl|ruby|python[23]?|pypy|cython"
    r"|file|writefile|html|javascript|js|latex|markdown|svg)\b",
    re.IGNORECASE,
)
"""Cells whose text is not for this Python."""
FUNCTIONAL = frozenset(name.lower() for name in OPTIMIZERS)
TELLING = OPTIMIZERS | {"optim", "_functional", "_multi_tensor", "__subclasses__"}
MOST_PARTS = 8  # of a dotted name
Place = tuple[int, int]
"""Number of a cell, and of a statement in it."""
LAST: Place = (1 << 60, 1 << 60)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a function reaches.

    Attributes:
        names: dotted, as they are called where they come from, such as "torch.optim.SGD"; ".grad" of what is not known.
            The student's own functions and classes are not among them, but what these mention is.
        unread: own names whose text cannot be read, or not found.
    """

    names: tuple[str, ...]
    unread: tuple[str, ...]


def assert_by_hand(reach: Reach) -> None:
    """Assert that a function, with all that it calls, writes its update rule itself.

    Raises:
        Differs: where an optimizer of torch is mentioned, or where there is text that cannot be read.
    """
    used = uses_optim(reach)
    if used:
        named = ", ".join(name for name in used if name != "optim")
        raise Differs(
            f"This exercise is by hand, and your cell uses torch.optim{f' ({named})' if named else ''}. "
            "Which line of yours is the update rule?"
        )
    if reach.unread:
        raise Differs(
            f"This exercise is by hand, and the code of {', '.join(reach.unread)} cannot be read in your notebook. "
            "Write your update rule in the exercise's cell, in plain Python, without magics such as `!ls`."
        )


def uses_optim(reach: Reach) -> list[str]:
    """What a function uses of torch.optim, without the modules' names."""
    return sorted({name.rpartition(".")[2] for name in reach.names if _is_of_optim(name)})


def _is_of_optim(name: str) -> bool:
    if name == "torch.optim.Optimizer":  # it has no rule of its own
        return False
    parts = name.split(".")
    if parts[0] == "torch" and ("optim" in parts or any(part.startswith("_fused_") for part in parts)):
        return True
    return bool(TELLING.intersection(parts)) or (len(parts) == 1 and name in FUNCTIONAL)


# following names --------------------------------------------------------------------------------------------------


class Written:
    """All code of a submission, as text.

    Args:
        cells: sources of the code cells, in the order in which they ran.
        ended_well: which of them ran to their end; all, where it is left out.
        files: folder with the submission's own files, or None.
    """

    def __init__(self, cells: Sequence[str], ended_well: Sequence[bool] = (), files: Path | None = None) -> None:
        self._cells = list(cells)
        self._ended_well = [*ended_well, *[True] * (len(self._cells) - len(ended_well))]
        self._files = files
        self._reaches: dict[str, Reach] = {}

    def reach(self, function: str) -> Reach:
        """What a function of the notebook mentions, with all that it calls."""
        if function not in self._reaches:
            self._reaches[function] = _Walk(self._notebook, self._files).reach(function)
        return self._reaches[function]

    @functools.cached_property
    def _notebook(self) -> _Text:
        text, room = _Text(), MOST_READ
        for source, ended_well in zip(self._cells, self._ended_well, strict=True):
            fits = len(source) <= room
            room -= len(source) if fits else 0
            bindings = read_bindings(source) if fits else None
            text.add(source, bindings, ended_well)
        return text


class _Text:
    """Cells, or one file, that share their names."""

    def __init__(self) -> None:
        self._parts: list[tuple[Bindings, bool]] = []
        self._unread: list[str] = []

    def add(self, source: str, bindings: Bindings | None, ended_well: bool) -> None:
        """Add what was written next."""
        if bindings is not None:
            self._parts.append((bindings, ended_well))
        elif ended_well and not FOREIGN.match(source):
            self._unread.append(source)

    def find(self, name: str, before: Place) -> tuple[list[tuple[Place, ast.AST | str]], list[str]]:
        """What a name may stand for, the last first, and the modules that it may come from by a star."""
        found: list[tuple[Place, ast.AST | str]] = []
        stars: list[str] = []
        for number, (bindings, ended_well) in reversed([*enumerate(self._parts)][: before[0] + 1]):
            end = before[1] if number == before[0] else LAST[1]
            own, since = bindings.find(name, end, counts_as_certain=ended_well)
            found += [((number, binding.place), binding.what) for binding in own]
            stars += bindings.starred(since, end)
            if since >= 0:
                break
        return found, stars

    def all_names(self) -> set[str]:
        """Every name that is bound."""
        return {name for bindings, _ in self._parts for name in bindings.by_name}

    @property
    def is_unread(self) -> bool:
        """Whether some of it cannot be read."""
        return bool(self._unread)

    def may_hide(self, name: str) -> bool:
        """Whether text that cannot be read mentions a name."""
        return any(re.search(rf"\b{re.escape(name)}\b", source) for source in self._unread)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Code that is looked at: where it stands, and which names around it are not those of the top."""

    text: _Text
    node: ast.AST
    before: Place  # it runs before what is bound later
    around: tuple[Own, ...] = ()


class _Walk:
    """Follows the names of one function."""

    def __init__(self, notebook: _Text, files: Path | None) -> None:
        self._notebook = notebook
        self._files = files
        self._modules: dict[str, _Text | None] = {}
        self._names: set[str] = set()
        self._unread: set[str] = set()
        self._seen: set[tuple[object, ...]] = set()
        self._todo: list[_Piece] = []
        self._wanted: list[tuple[_Text, str, tuple[str, ...], Place]] = []
        self._num_steps = 0

    def reach(self, function: str) -> Reach:
        """All that the function mentions."""
        self._follow(self._notebook, function, (), LAST)
        self._resolve_all()
        if not self._todo:  # nowhere, or imported from what was not handed in
            self._unread.add(function)
        while self._todo and self._num_steps < MOST_STEPS:
            self._look_at(self._todo.pop())
            self._resolve_all()
        if self._todo or self._wanted:
            self._unread.add(function)
        return Reach(tuple(sorted(self._names)), tuple(sorted(self._unread)))

    def _look_at(self, piece: _Piece) -> None:
        """Note what a piece of code mentions; what is inside it is looked at later."""
        node = piece.node
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                self._mention(piece, name, ())
            case ast.Attribute() | ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str()), *_]):
                base, attributes = _chain(node)
                if isinstance(base, ast.Name):
                    self._mention(piece, base.id, attributes)
                else:
                    self._names.update(f".{attribute}" for attribute in attributes)
                    self._todo.append(replace(piece, node=base))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                body = node.body if isinstance(node, Functions) else [node.body]
                inner = set(map(id, body))
                inside = (*piece.around, own_names(node))
                self._todo += [replace(piece, node=n) for n in ast.iter_child_nodes(node) if id(n) not in inner]
                self._todo += [_Piece(piece.text, n, LAST, inside) for n in body]
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                first, inside = node.generators[0].iter, (*piece.around, own_names(node))
                self._todo.append(replace(piece, node=first))
                children = [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.comprehension)]
                parts = [n for g in node.generators for n in (g.iter, *g.ifs) if n is not first]
                self._todo += [replace(piece, node=n, around=inside) for n in (*children, *parts)]
            case ast.ImportFrom(module=str() as module) if module.startswith("torch.optim"):
                self._names.update(f"{module}.{alias.name}" for alias in node.names)
            case _:
                self._todo += [replace(piece, node=n) for n in ast.iter_child_nodes(node)]

    def _mention(self, piece: _Piece, name: str, attributes: tuple[str, ...]) -> None:
        for own in reversed(piece.around):
            if name in own:
                full = own[name]
                if full is None:
                    self._names.update(f".{attribute}" for attribute in attributes)
                else:
                    self._follow_import((*full.split("."), *attributes))
                return
        self._follow(piece.text, name, attributes, piece.before)

    def _follow(self, text: _Text, name: str, attributes: tuple[str, ...], before: Place) -> None:
        """Go on, soon, to all that a name of the top may stand for."""
        attributes = attributes[:MOST_PARTS]
        if (id(text), name, attributes, before) not in self._seen:
            self._seen.add((id(text), name, attributes, before))
            self._wanted.append((text, name, attributes, before))

    def _resolve_all(self) -> None:
        while self._wanted and self._num_steps < MOST_STEPS:
            self._resolve(*self._wanted.pop())

    def _resolve(self, text: _Text, name: str, attributes: tuple[str, ...], before: Place) -> None:
        """Look up what a name of the top may stand for."""
        found, stars = text.find(name, before)
        if not found and not stars:
            found, stars = text.find(name, LAST)
        self._num_steps += 1 + len(found) + len(stars)
        starred = [t for t in map(self._module, stars) if t is not None and t is not text and name in t.all_names()]
        for other in starred:
            self._follow(other, name, attributes, LAST)
        if not found and not starred:
            self._names.add(".".join((name, *attributes)))
        is_own = any(not isinstance(what, str) for _, what in found)
        if (is_own or not (found or starred or hasattr(builtins, name))) and text.may_hide(name):
            self._unread.add(name)
        for place, what in found:
            if isinstance(what, str):
                self._follow_import((*what.split("."), *attributes))
                continue
            if not isinstance(what, Functions | ast.ClassDef):
                self._names.update(f".{attribute}" for attribute in attributes)
            if (id(what), place) not in self._seen:
                self._seen.add((id(what), place))
                self._todo.append(_Piece(text, what, place))

    def _follow_import(self, parts: tuple[str, ...]) -> None:
        """Go on to a file beside the notebook; what is imported from elsewhere is a name."""
        for num in range(min(len(parts), MOST_PARTS), 0, -1):
            name = ".".join(parts[:num])
            text = self._module(name)
            if text is not None:
                for inside in parts[num : num + 1] or sorted(text.all_names()):
                    self._follow(text, inside, parts[num + 1 :], LAST)
                if text.is_unread:
                    self._unread.add(name)
                return
        self._names.add(".".join(parts))

    def _module(self, name: str) -> _Text | None:
        """A file that was handed in beside the notebook; None where there is none of that name."""
        if name not in self._modules:
            self._modules[name] = _read_module(self._files, name) if self._files is not None else None
        return self._modules[name]


def _chain(node: ast.expr) -> tuple[ast.expr, tuple[str, ...]]:
    """`a.b.c`, or `getattr(a.b, "c")`, as a and its attributes."""
    attributes: list[str] = []
    while True:
        match node:
            case ast.Attribute(value=value, attr=name):
                pass
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str() as name), *_]):
                pass
            case _:
                return node, tuple(reversed(attributes))
        attributes.append(name)
        node = value


def _read_module(folder: Path, name: str) -> _Text | None:
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    stem = name.replace(".", "/")
    for path in (folder / f"{stem}.py", folder / stem / "__init__.py"):
        try:
            if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():  # a link may lead anywhere
                continue
            with path.open("rb") as file:
                source = file.read(MOST_READ + 1).decode("utf-8", "replace")
        except OSError:
            continue
        text = _Text()
        text.add(source, read_bindings(source) if len(source) <= MOST_READ else None, True)
        return text
    return None
