"""What a student's function mentions, and all that it calls: over all cells of the notebook and the files beside it.

Knows how names are bound at the top of a cell, and which names of a function are its own. Refuses to run anything: what
`exec`, `eval`, `__import__`, `importlib`, `globals()`, names put together from pieces or a patched torch hide stays
hidden. Such tricks are not closed; the numbers are judged all the same.
"""

from __future__ import annotations

import ast
import bisect
import builtins
import functools
import importlib
import pkgutil
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from stepgrade.bindings import Bindings, Comprehensions, Functions, Scoped, Scopes, imported_in, read_bindings
from stepgrade.compare import Differs

MOST_STEPS = 200_000  # from a name to what it may stand for
MOST_READ = (
    300_000  # characters of a notebook, or of the files beside it; nobody writes more, and reading must come to an end
)
FOREIGN = re.compile(
    r"\s*%%(!|sx|system|bash|sh|script|cmd|perl|ruby|python[23]?|pypy|cython"
    r"|file|writefile|html|javascript|js|latex|markdown|svg)\b",
    re.IGNORECASE,
)
"""Cells whose text is not for this Python."""
MOST_PARTS = 8  # of a dotted name
Place = tuple[int, int]
"""Number of a cell, and of a statement in it."""
FIRST: Place = (-1, -1)
LAST: Place = (1 << 60, 1 << 60)


class Reaching(Protocol):
    """Whoever can be asked what the exercise's function reaches: the student of a hidden check."""

    def reach(self) -> Reach:
        """What the exercise's function mentions, with all that it calls."""
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """What a function reaches.

    Attributes:
        names: dotted, as they are called where they come from, such as "torch.optim.Rprop"; ".grad" of what is not
            known. The student's own functions and classes are not among them, but what these mention is.
        unread: own names whose text cannot be read, or not found.
    """

    names: tuple[str, ...]
    unread: tuple[str, ...]


def assert_does_not_reach(student: Reaching, module: str) -> None:
    """Assert that the student's function, with all that it calls, uses nothing of a module.

    Args:
        student: as a hidden check has it.
        module: such as "torch.optim".

    Raises:
        Differs: where something of the module is mentioned, or where there is text that cannot be read.
    """
    reach = student.reach()
    used = uses_of(reach, module)
    if used:
        last = module.rpartition(".")[2]
        named = ", ".join(name for name in used if name != last)
        raise Differs(f"Your code uses {module}{f' ({named})' if named else ''}, which this exercise does without.")
    if reach.unread:
        raise Differs(
            f"This exercise does without {module}, and the code of {', '.join(reach.unread)} cannot be read in your "
            "notebook. Write it in the exercise's cell, in plain Python, without magics such as `!ls`."
        )


def uses_of(reach: Reach, module: str) -> list[str]:
    """What a function uses of a module, without the modules' names."""
    return sorted({name.rpartition(".")[2] for name in reach.names if _is_of(name, module)})


def _is_of(name: str, module: str) -> bool:
    """Whether a dotted name leads into a module; how it got its first part may not be known, its own names tell."""
    classes, submodules, bases = _own_names(module)
    package, _, last = module.rpartition(".")
    if name in bases:
        return False
    parts = name.split(".")
    if parts[0] == package.split(".")[0] and last in parts:
        return True
    if any(f"_{inner}_" in f"{part}_" for part in parts for inner in submodules if part.startswith("_")):
        return True  # its kernels, such as `torch._fused_…`
    return bool((classes | {last, "__subclasses__"}).intersection(parts)) or (len(parts) == 1 and name in submodules)


@functools.cache
def _own_names(module: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """A module's classes, its submodules, and the full names of classes that have nothing of their own to use."""
    found = importlib.import_module(module)
    classes = {n: c for n, c in vars(found).items() if isinstance(c, type) and c.__module__.startswith(module)}
    bases = {n for n, base in classes.items() if all(issubclass(c, base) for c in classes.values())}
    submodules = {info.name for info in pkgutil.iter_modules(getattr(found, "__path__", []))}
    return frozenset(classes) - bases, frozenset(submodules), frozenset(f"{module}.{name}" for name in bases)


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


@dataclass(frozen=True, slots=True)
class _Bound:
    """What a name stands for from one place on, and the scopes of the text that says so."""

    place: Place
    what: ast.AST | str
    is_certain: bool
    scopes: Scopes


class _Text:
    """Cells, or one file, that share their names."""

    def __init__(self) -> None:
        self._num_parts = 0
        self._bound: dict[str, list[_Bound]] = {}
        self._stars: list[tuple[Place, str]] = []
        self._unread: set[str] = set()
        self.is_unread = False  # some of it

    def add(self, source: str, bindings: Bindings | None, ended_well: bool) -> None:
        """Add what was written next."""
        if bindings is None:
            if ended_well and not FOREIGN.match(source):
                self.is_unread = True
                self._unread.update(re.findall(r"\w+", source))
            return
        number, scopes = self._num_parts, bindings.scopes
        self._num_parts += 1
        for name, bound in bindings.by_name.items():
            self._bound.setdefault(name, []).extend(
                _Bound((number, binding.place), binding.what, binding.is_certain and ended_well, scopes)
                for binding in bound
            )
        self._stars += [((number, place), module) for place, module in bindings.stars]

    def find(self, name: str, before: Place) -> tuple[list[_Bound], list[str]]:
        """What a name may stand for, the last first, and the modules that it may come from by a star."""
        every, found, since = self._bound.get(name, []), [], FIRST
        for number in range(bisect.bisect_left(every, before, key=lambda bound: bound.place) - 1, -1, -1):
            found.append(every[number])
            if every[number].is_certain:
                since = every[number].place
                break
        first = bisect.bisect_right(self._stars, since, key=lambda star: star[0])
        end = bisect.bisect_left(self._stars, before, key=lambda star: star[0])
        return found, [module for _, module in reversed(self._stars[first:end])]

    @property
    def names(self) -> Collection[str]:
        """Every name that is bound."""
        return self._bound.keys()

    def may_hide(self, name: str) -> bool:
        """Whether text that cannot be read mentions a name."""
        return name in self._unread


@dataclass(frozen=True, slots=True)
class _Piece:
    """Code that is looked at, and where it stands."""

    text: _Text
    scopes: Scopes
    node: ast.AST
    before: Place  # it runs before what is bound later
    inside: _Inside | None = None  # of a function; else it stands at the top


@dataclass(frozen=True, slots=True)
class _Inside:
    """What the names inside a function are; all others are its own."""

    outer: Collection[str]  # those of the top
    imported: Mapping[str, str]  # there, with the dotted name of what


class _Walk:
    """Follows the names of one function."""

    def __init__(self, notebook: _Text, files: Path | None) -> None:
        self._notebook = notebook
        self._files = _Files(files)
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
            case ast.ImportFrom(module=str() as module) if module.startswith("torch."):
                self._names.update(f"{module}.{alias.name}" for alias in node.names)
            case _ if isinstance(node, Scoped) and piece.inside is None:
                self._enter(piece, node)
            case _:
                self._todo += [replace(piece, node=n) for n in ast.iter_child_nodes(node)]

    def _enter(self, piece: _Piece, function: Scoped) -> None:
        """Go into a function of the top: what is called later there, with what stands at the end; the rest now."""
        inside = _Inside(piece.scopes.outer_names(function), imported_in(function))
        body, before = _body_of(function), piece.before
        if isinstance(function, Functions | ast.Lambda):
            before = LAST
        self._todo += [replace(piece, node=n) for n in _around(function, body)]
        self._todo += [replace(piece, node=n, before=before, inside=inside) for n in body]

    def _mention(self, piece: _Piece, name: str, attributes: tuple[str, ...]) -> None:
        if piece.inside is None or name in piece.inside.outer:
            self._follow(piece.text, name, attributes, piece.before)
            return
        full = piece.inside.imported.get(name)
        if full is None:
            self._names.update(f".{attribute}" for attribute in attributes)
        else:
            self._follow_import((*full.split("."), *attributes))

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
        starred = [t for t in map(self._files.read, stars) if t is not None and t is not text and name in t.names]
        for other in starred:
            self._follow(other, name, attributes, LAST)
        if not found and not starred:
            self._names.add(".".join((name, *attributes)))
        is_own = any(not isinstance(bound.what, str) for bound in found)
        if (is_own or not (found or starred or hasattr(builtins, name))) and text.may_hide(name):
            self._unread.add(name)
        for bound in found:
            if isinstance(bound.what, str):
                self._follow_import((*bound.what.split("."), *attributes))
                continue
            if not isinstance(bound.what, Functions | ast.ClassDef):
                self._names.update(f".{attribute}" for attribute in attributes)
            if (id(bound.what), bound.place) not in self._seen:
                self._seen.add((id(bound.what), bound.place))
                self._todo.append(_Piece(text, bound.scopes, bound.what, bound.place))

    def _follow_import(self, parts: tuple[str, ...]) -> None:
        """Go on to a file beside the notebook; what is imported from elsewhere is a name."""
        for num in range(min(len(parts), MOST_PARTS), 0, -1):
            self._num_steps += 1
            name = ".".join(parts[:num])
            text = self._files.read(name)
            if text is not None:
                for inside in parts[num : num + 1] or sorted(text.names):
                    self._follow(text, inside, parts[num + 1 :], LAST)
                if text.is_unread:
                    self._unread.add(name)
                return
        self._names.add(".".join(parts))


def _body_of(function: Scoped) -> list[ast.AST]:
    """What is inside a function, with names of its own."""
    match function:
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
            return list(body)
        case ast.Lambda(body=result):
            return [result]
    inner: list[ast.AST] = [n for n in ast.iter_child_nodes(function) if not isinstance(n, ast.comprehension)]
    for number, generator in enumerate(function.generators):
        inner += [*generator.ifs, *([generator.iter] if number else [])]
    return inner


def _around(function: Scoped, body: list[ast.AST]) -> list[ast.AST]:
    """What of a function is read where it is defined: decorators, defaults, annotations, what is gone through first."""
    if isinstance(function, Comprehensions):
        return [function.generators[0].iter]
    inner = set(map(id, body))
    return [n for n in ast.iter_child_nodes(function) if id(n) not in inner]


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


class _Files:
    """The Python files that were handed in beside the notebook, each read when it is first asked for.

    Args:
        folder: where they lie, or None.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._texts: dict[str, _Text | None] = {}
        self._names: dict[str, Collection[str]] = {}
        self._room = MOST_READ

    def read(self, name: str) -> _Text | None:
        """A module; None where there is none of that name."""
        if name not in self._texts:
            *package, last = name.split(".")
            is_here = all(map(str.isidentifier, package)) and last in self._names_in("/".join(package))
            self._texts[name] = self._read("/".join((*package, last))) if is_here else None
        return self._texts[name]

    def _names_in(self, package: str) -> Collection[str]:
        """The modules and packages that there may be in a folder; to look for each name takes its time."""
        if package not in self._names:
            names: Collection[str] = ()
            with suppress(OSError):
                folder = self._folder / package if self._folder is not None else None
                names = {path.name.removesuffix(".py") for path in folder.iterdir()} if folder is not None else ()
            self._names[package] = names
        return self._names[package]

    def _read(self, stem: str) -> _Text | None:
        assert self._folder is not None
        for path in (self._folder / f"{stem}.py", self._folder / stem / "__init__.py"):
            try:  # a link may lead anywhere
                if not path.resolve().is_relative_to(self._folder.resolve()) or not path.is_file():
                    continue
                with path.open("rb") as file:
                    source = file.read(self._room + 1).decode("utf-8", "replace")
            except OSError:
                continue
            fits = len(source) <= self._room
            self._room -= len(source) if fits else 0
            text = _Text()
            text.add(source, read_bindings(source) if fits else None, True)
            return text
        return None
