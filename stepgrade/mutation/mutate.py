"""Mutants: programs that differ from a right one by one small edit, as those who learn make them.

    Singh et al. 2013, Automated feedback generation for introductory programming assignments: rules of the field
    Humbatova et al. 2021, DeepCrime: operators from faults of real training programs

Knows how edits are gathered, made in parallel places at once, written out and put in order. Refuses to know a lesson:
what it is told of one are the arguments' names and their values in the lesson's own example.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepgrade.mutation.calling import call_edits
from stepgrade.mutation.edits import Edit, Program, drop_remarks, write
from stepgrade.mutation.events import read_events
from stepgrade.mutation.expressions import expression_edits
from stepgrade.mutation.moves import move_edits
from stepgrade.mutation.recordings import record_edits
from stepgrade.mutation.statements import statement_edits
from stepgrade.mutation.updates import update_edits

MOST_MUTANTS = 8_000  # of a program that is far longer than an exercise's solution
MOST_PARALLEL = 12  # places at which the same edit is made at once


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program that differs from a right one by a small edit.

    Attributes:
        operator: what was done, such as "left-out" or "argument-replaced:by-square".
        role: of what was touched, such as "clear" or "argument:lr"; see `events`.
        text: for the instructor, such as "line 7: `x.grad = None` left out".
        source: the whole program.
        size: characters of the program's text that differ.
    """

    operator: str
    role: str
    text: str
    source: str
    size: int


def mutate(
    source: str, function: str, arguments: Sequence[str], lesson: Mapping[str, Any] | None = None
) -> Iterator[Mutant]:
    """All programs that one small edit makes of a right one, the smallest edit first; each program once.

    Args:
        source: a right program, such as a solution.
        function: the exercise's function.
        arguments: the reference's names of its arguments, in order.
        lesson: the lesson's values of the arguments, by these names.
    """
    events = read_events(source, function, arguments)
    if events is None:
        return
    drop_remarks(events.names.nodes)
    program = Program(events.names.tree, events, lesson or {})
    original = ast.unparse(program.tree)
    mutants: dict[str, Mutant] = {}
    for edit in _all_edits(program):
        mutant = _mutant(program, edit, original)
        if mutant.source != original and mutant.source not in mutants:
            mutants[mutant.source] = mutant
            if len(mutants) >= MOST_MUTANTS:
                break
    yield from sorted(mutants.values(), key=lambda m: (m.size, m.operator, m.role, m.source))


SOURCES: tuple[Callable[[Program], Iterator[Edit]], ...] = (
    statement_edits,
    move_edits,
    update_edits,
    expression_edits,
    call_edits,
    record_edits,
)


def _all_edits(program: Program) -> Iterator[Edit]:
    edits = [edit for source in SOURCES for edit in source(program)]
    yield from _in_parallel(edits)
    yield from edits


def _in_parallel(edits: Sequence[Edit]) -> Iterator[Edit]:
    """The same edit in all places that are alike: the same text, or the same operator on the same kind of role."""
    groups: dict[tuple[object, ...], list[Edit]] = {}
    numbers: Counter[tuple[str, ...]] = Counter()
    for edit in edits:
        kind = edit.operator, _base(edit.role)
        groups.setdefault((*kind, edit.site), []).append(edit)
        for alike in {kind, (*kind, _shape(edit))}:
            line = *alike, edit.text.partition(":")[0]
            groups.setdefault((*alike, numbers[line]), []).append(edit)  # the first of one line with that of another
            numbers[line] += 1
    for group in groups.values():
        if 1 < len(group) <= MOST_PARALLEL and _are_apart(group):
            changes = tuple(change for edit in group for change in edit.changes)
            texts = "; ".join(edit.text for edit in group)
            yield Edit(group[0].operator, _base(group[0].role), texts, changes)


def _shape(edit: Edit) -> str:
    """What an edit begins with: the operation that stood there, where it is one."""
    return type(getattr(_old(edit.changes[0]), "op", None)).__name__ if edit.changes else ""


def _base(role: str) -> str:
    """A role without the number of its variable and without the statement that it stands in."""
    own = role.partition("/")[0]
    return re.sub(r":\d+(?=@|$)", "", own) if not own.startswith("argument:") else own


def _are_apart(group: Sequence[Edit]) -> bool:
    """Whether the edits touch different places, none inside of another."""
    places = [(id(c.owner), c.field, c.index) for edit in group for c in edit.changes]
    olds = {id(_old(c)) for edit in group for c in edit.changes}
    inside = {id(n) for edit in group for c in edit.changes for n in _below(_old(c))}
    return len(places) == len(set(places)) and not olds & inside and _are_alike(group)


def _are_alike(group: Sequence[Edit]) -> bool:
    return len({len(edit.changes) for edit in group}) == 1


def _old(change: Any) -> Any:
    value = getattr(change.owner, change.field)
    return value if change.index is None else value[change.index]


def _below(node: Any) -> Iterator[ast.AST]:
    if isinstance(node, ast.AST):
        walked = ast.walk(node)
        next(walked)
        yield from walked


def _mutant(program: Program, edit: Edit, original: str) -> Mutant:
    source = write(program, edit.changes)
    return Mutant(edit.operator, edit.role, edit.text, source, _difference(original, source))


def _difference(one: str, other: str) -> int:
    """Characters from the first that differs to the last, of both texts."""
    start = _alike(one, other)
    return len(one) + len(other) - 2 * (start + _alike(one[start:][::-1], other[start:][::-1]))


def _alike(one: str, other: str) -> int:
    """How many characters are the same at the start."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low
