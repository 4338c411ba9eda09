"""What is kept of a graded class: the reports beside the notebooks, and the numbers that each submission returned.

Knows these files and how to lay them out in a terminal. Refuses to know kernels, checks and the gradebook.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stepgrade import ledger
from stepgrade.course import Course
from stepgrade.errors import CourseError
from stepgrade.quoting import clean
from stepgrade.records import Record, Verdict, verdict_of

WIDTH = 70  # of a note, in characters
STYLES = {"passed": "green", "failed": "yellow", "timed_out": "magenta", "errored": "bold red"}


def read_reports(course: Course, assignment: str) -> list[dict[str, Any]]:
    """The reports of all graded submissions, by student.

    Raises:
        CourseError: nothing has been graded.
    """
    files = sorted((course.root / "autograded").glob(f"*/{assignment}/*.report.json"))
    if not files:
        raise CourseError(f"nothing is graded yet: run `nbgrader autograde {assignment}` first")
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


@dataclass(frozen=True, slots=True)
class Graded:
    """One graded submission, as it lies in `autograded/`."""

    student: str  # the folder's name: what a report says of itself is not asked
    notebook: str
    report: Mapping[str, Any]  # as `records.Report.to_json` writes it
    record: Record = field(default_factory=Record)  # what its process gave; empty where that was not kept
    has_feedback: bool = False


def read_class(course: Course, assignment: str) -> tuple[list[Graded], list[str]]:
    """All graded submissions of an assignment, by student, and the files among them that cannot be read.

    Raises:
        CourseError: nothing has been graded.
    """
    files = sorted((course.root / "autograded").glob(f"*/{assignment}/*.report.json"))
    if not files:
        raise CourseError(f"nothing is graded yet: run `nbgrader autograde {assignment}` first")
    found, unreadable = list[Graded](), list[str]()
    for file in files:
        student, name = file.parent.parent.name, file.name.removesuffix(".report.json")
        page = course.root / "feedback" / student / assignment / f"{name}.html"
        try:
            report = json.loads(file.read_text(encoding="utf-8"))
            kept = ledger.read(file.with_name(name + ledger.ENDING))
            found.append(Graded(student, name, report, kept.record if kept is not None else Record(), page.exists()))
        except (ValueError, OSError):
            unreadable.append(str(file.relative_to(course.root)))
    return found, unreadable


def find_ungraded(course: Course, assignment: str) -> list[str]:
    """Students whose submission lies there without a report: not graded yet, or never, for want of a usable id."""
    handed_in = {folder.parent.name for folder in (course.root / "submitted").glob(f"*/{assignment}")}
    graded = {file.parent.parent.name for file in (course.root / "autograded").glob(f"*/{assignment}/*.report.json")}
    return sorted(handed_in - graded)


def print_class(course: Course, assignment: str, console: Console) -> None:
    """Print a table of scores and outcomes, one line per student."""
    reports = read_reports(course, assignment)
    names = [exercise["grade_id"].removesuffix("-check") for exercise in reports[0]["exercises"]]
    table = Table(title=f"{assignment}: {len(reports)} submissions", title_justify="left")
    table.add_column("student", no_wrap=True)
    for name in names:
        table.add_column(name)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("note")
    for report in reports:
        score = sum(exercise["score"] for exercise in report["exercises"])
        points = sum(exercise["points"] for exercise in report["exercises"])
        cells = [_cell(exercise) for exercise in report["exercises"]]
        note = escape(clean(report["notes"][0], WIDTH)) if report["notes"] else ""
        table.add_row(escape(clean(report["student"])), *cells, f"{score:g}/{points:g}", note)
    console.print(table)
    outcomes = Counter(exercise["outcome"] for report in reports for exercise in report["exercises"])
    console.print("outcomes: " + ", ".join(f"{number} {outcome}" for outcome, number in outcomes.most_common()))
    for line in _check_lines([exercise for report in reports for exercise in report["exercises"]]):
        console.print(line, style="dim", highlight=False, markup=False, soft_wrap=True)


def _check_lines(exercises: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How often each check was passed, of those whom it could be asked of."""
    counts: dict[tuple[str, str], Counter[Verdict]] = {}
    for exercise in exercises:
        for check in exercise["checks"]:
            name = (exercise["grade_id"].removesuffix("-check"), check["name"])
            counts.setdefault(name, Counter())[verdict_of(check)] += 1
    for (exercise_name, check_name), verdicts in counts.items():
        judged = verdicts["passed"] + verdicts["failed"]
        words = [f"passed by {verdicts['passed']} of {judged}"]
        words += [f"{verdicts[v]} {v}" for v in ("not judged", "errored") if verdicts[v]]
        yield f"{clean(exercise_name)} {clean(check_name)}: {', '.join(words)}"


def _cell(exercise: dict[str, Any]) -> str:
    style = STYLES[exercise["outcome"]]
    named = " or ".join(exercise["diagnosis"])
    said = exercise["outcome"] if exercise["outcome"] != "failed" or not named else escape(named)
    return f"[{style}]{exercise['score']:g}/{exercise['points']:g} {said}[/]"


def print_next_steps(course: Course, assignment: str, folder: Path, console: Console) -> None:
    """Say which page and which command to open next."""
    pages = sorted((course.root / "feedback").glob(f"*/{assignment}/*.html"))
    failed = [r["student"] for r in read_reports(course, assignment) if any(e["diagnosis"] for e in r["exercises"])]
    page = next((page for page in pages if page.parent.parent.name in failed), pages[0] if pages else None)
    console.print("\nNext:", style="bold")
    if page is not None:
        shown = escape(clean(str(folder / page.relative_to(course.root))))
        console.print(f"  what a student reads     open {shown} in a browser", soft_wrap=True)
    console.print(f"  what the machine keeps   {folder}/autograded/<student>/{assignment}/{assignment}.report.json")
    console.print(f"  grades as a table        cd {folder} && ../.venv/bin/nbgrader export", soft_wrap=True)
