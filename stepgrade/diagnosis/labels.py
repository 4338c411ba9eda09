"""What the mistakes are called: rows of `mistakes.toml`, the engine's own and those of an assignment.

    [[mistake]]
    operator = "left-out"            # what was done to a right program; `*` stands for anything but `:run`
    role = "clear"                   # to what
    name = "grad-not-cleared"        # for the course's people
    title = ""                       # what a student reads in its place; nothing, where it is left out
    hint = "What did backward() do with the number that was already in it?"
    exercises = ["adam"]             # all, where it is left out

and, before the rows, the names of the best-known mistakes, which come first where a class is invented:

    common = ["grad-not-cleared"]

Knows this form. Refuses to know programs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from stepgrade.errors import ChecksError

OWN = "mistakes.toml"  # of an assignment
GENERAL = Path(__file__).with_name("mistakes.toml")
FIELDS = {"operator": str, "role": str, "name": str, "title": str, "hint": str, "exercises": list}
RUN = "run"  # in an operator: several statements in a row were moved, left out or doubled together
NEEDED = ("operator", "role", "name", "hint")


@dataclass(frozen=True, slots=True)
class Label:
    """One row: what a mistake is called and what helps who made it."""

    operator: str
    role: str
    name: str
    hint: str
    title: str = ""
    exercises: tuple[str, ...] = ()

    def fits(self, operator: str, role: str, exercise: str) -> bool:
        """Whether the row speaks of such a mistake of an exercise; of several statements at once, where it says so."""
        return (
            _is_like(operator, self.operator)
            and (role == self.role or _is_like(role, self.role))
            and (not self.exercises or exercise in self.exercises)
            and (RUN not in operator.split(":") or RUN in self.operator.split(":"))
        )


def _is_like(text: str, pattern: str) -> bool:
    return text.startswith(_beginning(pattern)) and fnmatchcase(text, pattern)


@cache
def _beginning(pattern: str) -> str:
    """What stands before the first `*`: most rows differ there, and the rest need not be looked at."""
    return re.split(r"[*?[]", pattern, maxsplit=1)[0]


def read_labels(folder: Path) -> tuple[Label, ...]:
    """The rows of an assignment, which win, and then those that every loop has.

    Args:
        folder: of the assignment's checks, `tests/hidden/<assignment>`.

    Raises:
        ChecksError: a row cannot be read; the message says which, and what to do.
    """
    own = folder / OWN
    return (*(_read(own) if own.is_file() else ()), *_read(GENERAL))


def read_common(folder: Path) -> tuple[str, ...]:
    """The names of an assignment's best-known mistakes, the best-known first; none, where it does not say.

    Raises:
        ChecksError: see `read_labels`.
    """
    path = folder / OWN
    names = _table(path).get("common", []) if path.is_file() else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ChecksError(f"{path}: `common` is no list of texts. Write the names of mistakes into it.")
    return tuple(names)


def find_label(labels: Sequence[Label], operator: str, role: str, exercise: str) -> Label | None:
    """The first row that fits."""
    return next((label for label in labels if label.fits(operator, role, exercise)), None)


def _read(path: Path) -> tuple[Label, ...]:
    table = _table(path)
    rows = table.get("mistake", [])
    if not isinstance(rows, list) or table.keys() - {"mistake", "common"}:
        raise ChecksError(f"{path} has more than rows [[mistake]] and `common`. Write each mistake as a row.")
    return tuple(_label(path, number, row) for number, row in enumerate(rows, start=1))


def _table(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ChecksError(f"{path} is no TOML: {problem}. Mend it.") from problem


def _label(path: Path, number: int, row: object) -> Label:
    where = f"{path}: mistake {number}"
    if not isinstance(row, dict):
        raise ChecksError(f"{where} is no table. Begin it with [[mistake]].")
    for field, value in row.items():
        if field not in FIELDS:
            raise ChecksError(f"{where} has the field `{field}`, which is not known. Known are {', '.join(FIELDS)}.")
        if not isinstance(value, FIELDS[field]) or (
            field == "exercises" and not all(isinstance(v, str) for v in value)
        ):
            raise ChecksError(f"{where}: `{field}` is no {'list of texts' if field == 'exercises' else 'text'}.")
    missing = [field for field in NEEDED if not row.get(field)]
    if missing:
        raise ChecksError(f"{where} has no `{missing[0]}`. Give it one.")
    return Label(**{**row, "exercises": tuple(row.get("exercises", ()))})
