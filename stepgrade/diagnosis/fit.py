"""Recognises one wrong constant: which number, in one place of a right program, gives just what a student's run gave.

Each place that holds an argument, and each keyword that is left out, is given a free number; replays tell how the first
number that responds to it depends on it, and a secant finds the one that explains the student's. It is believed only if
it has few digits and explains all inputs.

Knows programs of ours. Refuses to know names of mistakes.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stepgrade.diagnosis.mutants import flat, flat_walk
from stepgrade.exercise import Exercise, Inputs, load_program, run_program
from stepgrade.records import Bound, Call, Run

FREE = "_free_constant"
GRID = (0.0, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0, 2.0, 10.0, -1.0)
FEW_PASSES = 6  # that are replayed to find a number; all are, to believe it
STEPS = 8  # of the secant
DIGITS = 3
MOST_SITES = 40


@dataclass(frozen=True, slots=True)
class Constant:
    """A number that explains a student's runs."""

    role: str  # such as "argument:rate" or "keyword:eps"
    name: str  # of the argument or keyword
    value: float


@dataclass(frozen=True)
class Site:
    """A place in a right program whose number is free.

    Attributes:
        role, name: see `Constant`.
        source: the program, with a free name in that place.
        start: what stood there on the lesson's inputs.
    """

    role: str
    name: str
    source: str
    start: float
    grid: dict[float, list[float]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def namespace(self) -> dict[str, Any]:
        """The program's own names: its functions look for the free one here."""
        return load_program(self.source)

    def run(self, call: Call, value: float) -> Run:
        """What the program gives with a number in that place."""
        self.namespace[FREE] = value
        return run_program(self.namespace, call)


def sites(exercise: Exercise, source: str) -> tuple[Site, ...]:
    """All places of a right program that may hold a free number; none where another number may keep it from ending."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ()
    if any(isinstance(node, ast.While) for node in ast.walk(tree)):
        return ()
    definition = next(
        (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == exercise.function), None
    )
    if definition is None:
        return ()
    found = [*_argument_sites(exercise, tree, definition), *_keyword_sites(tree, definition, source)]
    return tuple(found[:MOST_SITES])


def _argument_sites(exercise: Exercise, tree: ast.Module, definition: ast.FunctionDef) -> Iterator[Site]:
    own = [argument.arg for argument in definition.args.args]
    for name, spelt in zip(exercise.arguments, own, strict=False):
        value = exercise.lesson.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or name == exercise.passes:
            continue
        uses = [n for n in ast.walk(definition) if isinstance(n, ast.Name) and n.id == spelt]
        if any(isinstance(n.ctx, ast.Store) for n in uses):
            continue
        for changed in [uses] if len(uses) < 2 else [uses, *([n] for n in uses)]:
            if changed:
                yield Site(f"argument:{name}", name, _with_free(tree, changed), float(value))


def _with_free(tree: ast.Module, names: Sequence[ast.Name]) -> str:
    before = [n.id for n in names]
    for n in names:
        n.id = FREE
    source = ast.unparse(tree)
    for n, old in zip(names, before, strict=True):
        n.id = old
    return source


def _keyword_sites(tree: ast.Module, definition: ast.FunctionDef, source: str) -> Iterator[Site]:
    namespace: dict[str, Any] | None = None
    for call in [n for n in ast.walk(definition) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]:
        root: ast.expr = call.func
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            continue
        if namespace is None:
            namespace = load_program(source)
        for name, default in _absent(call, namespace):
            call.keywords.append(ast.keyword(arg=name, value=ast.Name(id=FREE, ctx=ast.Load())))
            text = ast.unparse(tree)
            call.keywords.pop()
            yield Site(f"keyword:{name}", name, text, default)


def _absent(call: ast.Call, namespace: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Keywords with a number for default that a call of a library's class leaves out."""
    try:
        function = eval(compile(ast.Expression(call.func), "<solution>", "eval"), namespace)  # a program of ours
        parameters = list(inspect.signature(function).parameters.values())
    except Exception:  # a name of the function's own, or nothing with a signature
        return
    if not isinstance(function, type):
        return
    given = {keyword.arg for keyword in call.keywords} | {p.name for p in parameters[: len(call.args)]}
    for parameter in parameters:
        default = parameter.default
        if parameter.name not in given and isinstance(default, int | float) and not isinstance(default, bool):
            yield parameter.name, float(default)


def find_constant(exercise: Exercise, runs: Sequence[Run], known: Sequence[Site]) -> Constant | None:
    """The one number that explains all runs; None where there is none.

    Args:
        exercise: whose inputs they are.
        runs: what the student's function gave, one per input.
        known: places of right programs.
    """
    if any(run.status != "returned" for run in runs):
        return None
    for site in known:
        value = _solve(exercise, runs[0], site)
        if value is not None and value not in (0.0, 1.0) and _explains(exercise, runs, site, value):
            return Constant(site.role, site.name, value)
    return None


def _solve(exercise: Exercise, run: Run, site: Site) -> float | None:
    """The number that explains the first thing that responds to it, on the lesson's inputs and few passes."""
    call = _call(exercise, exercise.lesson, FEW_PASSES)
    target = _numbers(exercise, run)
    base = _at(site, call, site.start, exercise)
    if not base or not target:
        return None
    place = _first_response(site, call, base, exercise)
    if place is None or place >= len(target) or not math.isfinite(target[place]):
        return None
    if any(not _close(a, b) for a, b in zip(target[:place], base[:place], strict=True)):
        return None  # it differs before this place can make it
    values = {x: numbers[place] for x in (*GRID, site.start) if len(numbers := _at(site, call, x, exercise)) > place}
    return _secant(lambda x: _at(site, call, x, exercise)[place], values, target[place])


def _call(exercise: Exercise, inputs: Inputs, most: int) -> Call:
    num = exercise.num_passes(inputs)
    if exercise.passes is not None and num is not None and num > most:
        inputs = {**inputs, exercise.passes: most}
    call = exercise.call(inputs)
    return Call(call.function, call.inputs, Bound(most_calls=5_000), call.objective)


def _numbers(exercise: Exercise, run: Run) -> list[float]:
    """What shows first: pass by pass, the point and then the record, as far as both are of one length."""
    rows = run.returned["array"] if isinstance(run.returned, dict) and "array" in run.returned else run.returned
    if not isinstance(rows, list):
        return []
    if exercise.objective is None or len(run.visited) < len(rows):
        return flat(rows)
    if len(run.visited) != len(rows):
        return [*flat(rows)]
    return [v for point, row in zip(run.visited, rows, strict=True) for v in (*flat_walk([point]), *flat(row))]


def _at(site: Site, call: Call, value: float, exercise: Exercise) -> list[float]:
    known = site.grid.get(value)
    if known is None:
        run = site.run(call, value)
        known = _numbers(exercise, run) if run.status == "returned" else []
        if value in GRID or value == site.start:
            site.grid[value] = known
    return known


def _first_response(site: Site, call: Call, base: Sequence[float], exercise: Exercise) -> int | None:
    """The first number that depends on what stands in a place."""
    for other in (0.3, 0.9, 2.0):
        moved = _at(site, call, other if other in GRID else 0.5, exercise)
        place = next((i for i, (a, b) in enumerate(zip(base, moved, strict=False)) if not _close(a, b)), None)
        if place is not None:
            return place
    return None


def _close(one: float, other: float) -> bool:
    return one == other or abs(one - other) <= 2e-6 * max(abs(one), abs(other)) + 1e-9


def _secant(response: Callable[[float], float], values: dict[float, float], target: float) -> float | None:
    """A number with few digits at which a response hits its target."""
    told = sorted((abs(y - target), x, y) for x, y in values.items() if math.isfinite(y))
    if len(told) < 2:
        return None
    (_, before, its), (_, now, answer) = told[1], told[0]
    for _ in range(STEPS):
        if _hits(answer, target):
            break
        if answer == its:
            return None
        before, its, now = now, answer, now - (answer - target) * (now - before) / (answer - its)
        try:
            answer = response(now)
        except (IndexError, OverflowError, ValueError):
            return None
        if not math.isfinite(answer):
            return None
    rounded = float(f"{now:.{DIGITS}g}")
    return rounded if abs(rounded - now) <= 2e-4 * abs(now) + 1e-9 else None


def _hits(value: float, target: float) -> bool:
    return abs(value - target) <= 1e-6 * abs(target) + 1e-9


def _explains(exercise: Exercise, runs: Sequence[Run], site: Site, value: float) -> bool:
    """Whether a number gives the record and the walk of all inputs, within the tolerance."""
    for run, inputs in zip(runs, exercise.inputs, strict=True):
        theirs = site.run(exercise.question(inputs), value)
        if theirs.status != "returned" or not _alike(exercise, flat(run.returned), flat(theirs.returned), 1.0):
            return False
        walks = flat_walk(run.visited), flat_walk(theirs.visited)
        is_seen = exercise.objective is not None and len(run.visited) == len(theirs.visited)
        if is_seen and not _alike(exercise, *walks, 10.0):
            return False
    return True


def _alike(exercise: Exercise, mine: Sequence[float], theirs: Sequence[float], wide: float) -> bool:
    if len(mine) != len(theirs):
        return False
    for a, b in zip(mine, theirs, strict=True):
        if not math.isfinite(b):
            return not math.isfinite(a)
        if not abs(a - b) <= wide * exercise.atol + exercise.rtol * abs(b):
            return False
    return True
