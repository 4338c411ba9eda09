"""A graded class judged again, by the numbers it once gave: first who would change, then, if wished, written.

Knows how to lay out changes. Refuses to know how one submission is judged (`again`) and how results are saved
(`batch`).
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stepgrade.batch import Tally, Wishes, interrupts, look_at_class, open_class
from stepgrade.course import Course
from stepgrade.desks import Desks
from stepgrade.errors import CourseError
from stepgrade.progress import Voice
from stepgrade.quoting import clean


@dataclass
class Changes:
    """Who would change, and by how much."""

    by_student: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)  # graded before answers were kept, or by our fault not at all
    num_students: int = 0
    applied: bool = False

    def to_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)


def regrade(
    course: Course, assignment: str, wishes: Wishes, apply: bool, voice: Voice, begun: Desks
) -> tuple[Tally, Changes]:
    """Judge a class again without running student code.

    Args:
        course: the course folder.
        assignment: its name.
        wishes: how.
        apply: write new verdicts into gradebook and folders; else nothing is written.
        voice: is told what happens.
        begun: desks for the same class, without kernels; they open while the class is looked through.

    Raises:
        CourseError: nothing is graded, or another run is at work.
    """
    changes = Changes(applied=apply)
    with (open_class if apply else look_at_class)(course, assignment, wishes, voice) as klass:
        klass.recover(voice)
        students = klass.graded_students()
        if not students:
            raise CourseError(f"nothing is graded yet: run `stepgrade autograde {assignment}` first")
        changes.num_students = len(students)
        checks = {name: print_.checks for name, print_ in klass.released.fingerprints("").items()}
        voice.begin("judging again", len(students), 0)
        with klass.desks(begun, has_kernels=False) as desks, interrupts() as stop:
            for student in students:
                names = [name for name in checks if (klass.graded(student) / f"{name}.ipynb").exists()]
                order = {"student": student, "notebooks": names, "checks": checks, "apply": apply}
                desks.order({"do": "again", **order})
            for answer in klass.listen(desks, stop, voice):
                _take(answer, changes)
        klass.tally.seconds = time.monotonic() - klass.began
        voice.end(klass.tally.to_json())
    return klass.tally, changes


def _take(answer: dict[str, Any], changes: Changes) -> None:
    if answer["do"] != "again" or "trouble" in answer:
        return
    if not answer["is_known"]:
        changes.unknown.append(answer["student"])
    if answer["changes"]:
        changes.by_student[answer["student"]] = answer["changes"]


def show(changes: Changes, assignment: str, console: Console) -> None:
    """Print who would change, and what to do next."""
    if changes.by_student:
        table = Table(title=f"{assignment}: who changes", title_justify="left")
        table.add_column("student", no_wrap=True)
        table.add_column("exercise")
        for name in ("before", "after", "difference"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("outcome")
        for student, found in sorted(changes.by_student.items()):
            for change in found:
                table.add_row(*_row(student, change))
        console.print(table)
    verb = "changed" if changes.applied else "would change"
    console.print(f"{len(changes.by_student)} of {changes.num_students} students {verb}")
    if changes.unknown:
        names = escape(", ".join(clean(student) for student in sorted(changes.unknown)[:10]))
        console.print(
            f"{len(changes.unknown)} have no recorded answers ({names}): run `stepgrade autograde {assignment}`"
        )
    if not changes.applied and changes.by_student:
        console.print(f"write it with `stepgrade regrade {assignment} --apply`")


def _row(student: str, change: dict[str, Any]) -> list[str]:
    (score, points, outcome), (new_score, new_points, new_outcome) = change["before"], change["after"]
    style, is_held = "green" if new_score > score else "red", "errored" in (outcome, new_outcome)
    return [
        escape(clean(student)),
        escape(change["grade_id"].removesuffix("-check")),
        "held" if outcome == "errored" else f"{score:g}/{points:g}",
        "held" if new_outcome == "errored" else f"{new_score:g}/{new_points:g}",
        "" if is_held else f"[{style}]{new_score - score:+g}[/]",
        outcome if outcome == new_outcome else f"{outcome} → {new_outcome}",
    ]


def print_json(changes: Changes) -> None:
    """Print the changes for a program."""
    print(json.dumps(changes.to_json(), ensure_ascii=False))
