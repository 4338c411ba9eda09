"""What is kept of a graded class: the reports beside the notebooks, and the numbers that each submission returned.

Knows these files and how to lay them out in a terminal. Refuses to know kernels, checks and the gradebook.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
MOST_OF_A_CAUSE = 1000  # characters: several checks of an exercise can break
STYLES = {"passed": "green", "failed": "yellow", "timed_out": "magenta", "errored": "bold red"}


@dataclass(frozen=True, slots=True)
class Graded:
    """One graded submission, as it lies in `autograded/`."""

    student: str  # the folder's name: what a report says of itself is not asked
    notebook: str
    report: Mapping[str, Any]  # as `records.Report.to_json` writes it
    record: Record = field(default_factory=Record)  # what its process gave; empty where that was not kept
    has_feedback: bool = False


def read_class(course: Course, assignment: str, with_answers: bool = True) -> tuple[list[Graded], list[str]]:
    """All graded submissions of an assignment, by student, and the files among them that cannot be read.

    Scores are those of the reports; one that is held is what the gradebook has, where there is one.

    Args:
        course: the course folder.
        assignment: its name.
        with_answers: read what the submissions' processes gave, too.

    Raises:
        CourseError: nothing has been graded, or no report can be read.
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
            kept = ledger.read(file.with_name(name + ledger.ENDING)) if with_answers else None
            found.append(Graded(student, name, report, kept.record if kept is not None else Record(), page.exists()))
        except (ValueError, OSError):
            unreadable.append(str(file.relative_to(course.root)))
    if not found:
        raise CourseError(f"no report can be read ({unreadable[0]} and others): grade the class again")
    return _with_held_scores(course, assignment, found), unreadable


def is_held(exercise: Mapping[str, Any]) -> bool:
    """Whether we failed to grade it: its score is what the gradebook had."""
    return bool(exercise["outcome"] == "errored")


def _with_held_scores(course: Course, assignment: str, found: Sequence[Graded]) -> list[Graded]:
    students = sorted({graded.student for graded in found if any(map(is_held, graded.report["exercises"]))})
    if not students:
        return [*found]
    from stepgrade import gradebook  # takes nbgrader; most classes have nothing that is held

    held: Mapping[tuple[str, str, str], float] = {}
    with suppress(CourseError):  # there are reports alone
        held = gradebook.scores_of(course, assignment, students)

    def told(graded: Graded, exercise: Mapping[str, Any]) -> Mapping[str, Any]:
        key = (graded.student, graded.notebook, exercise["grade_id"])
        return {**exercise, "score": held.get(key, 0.0)} if is_held(exercise) else exercise

    return [
        replace(g, report={**g.report, "exercises": [told(g, exercise) for exercise in g.report["exercises"]]})
        for g in found
    ]


def find_ungraded(course: Course, assignment: str) -> list[str]:
    """Students whose submission lies there without a report: not graded yet, or never, for want of a usable id."""
    handed_in = {folder.parent.name for folder in (course.root / "submitted").glob(f"*/{assignment}")}
    graded = {file.parent.parent.name for file in (course.root / "autograded").glob(f"*/{assignment}/*.report.json")}
    return sorted(handed_in - graded)


def print_class(course: Course, assignment: str, console: Console) -> None:
    """Print a table of scores and outcomes, one line per student."""
    found, unreadable = read_class(course, assignment, with_answers=False)
    names = [exercise["grade_id"].removesuffix("-check") for exercise in found[0].report["exercises"]]
    table = Table(title=f"{assignment}: {len(found)} submissions", title_justify="left")
    table.add_column("student", no_wrap=True)
    for name in names:
        table.add_column(name)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("note")
    for graded in found:
        exercises, notes = graded.report["exercises"], graded.report["notes"]
        score = sum(exercise["score"] for exercise in exercises)
        points = sum(exercise["points"] for exercise in exercises)
        note = escape(clean(notes[0], WIDTH)) if notes else ""
        table.add_row(escape(clean(graded.student)), *map(_cell, exercises), f"{score:g}/{points:g}", note)
    console.print(table)
    exercises = [exercise for graded in found for exercise in graded.report["exercises"]]
    outcomes = Counter(exercise["outcome"] for exercise in exercises)
    console.print("outcomes: " + ", ".join(f"{number} {outcome}" for outcome, number in outcomes.most_common()))
    lines = [*_check_lines(exercises), *_held_lines(exercises)]
    lines += [f"{clean(file)} cannot be read: grade it again" for file in unreadable]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _held_lines(exercises: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What could not be graded, and why: each cause once."""
    causes = Counter((exercise["grade_id"], cause_of(exercise)) for exercise in exercises if is_held(exercise))
    for (grade_id, cause), number in causes.items():
        yield f"{clean(grade_id)} held for {number}: {cause}"


def cause_of(exercise: Mapping[str, Any]) -> str:
    """Why an exercise could not be graded, for those who can mend it."""
    return clean(str(exercise.get("cause", "its report does not say why")), MOST_OF_A_CAUSE)


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


def _cell(exercise: Mapping[str, Any]) -> str:
    style = STYLES[exercise["outcome"]]
    named = " or ".join(exercise["diagnosis"])
    said = exercise["outcome"] if exercise["outcome"] != "failed" or not named else escape(named)
    said = "held" if is_held(exercise) else said
    return f"[{style}]{exercise['score']:g}/{exercise['points']:g} {said}[/]"


def print_next_steps(course: Course, assignment: str, folder: Path, console: Console) -> None:
    """Say which page and which command to open next."""
    pages = sorted((course.root / "feedback").glob(f"*/{assignment}/*.html"))
    graded, _ = read_class(course, assignment, with_answers=False)
    failed = [one.student for one in graded if any(exercise["diagnosis"] for exercise in one.report["exercises"])]
    page = next((page for page in pages if page.parent.parent.name in failed), pages[0] if pages else None)
    console.print("\nNext:", style="bold")
    if page is not None:
        shown = escape(clean(str(folder / page.relative_to(course.root))))
        console.print(f"  what a student reads     open {shown} in a browser", soft_wrap=True)
    console.print(f"  what the machine keeps   {folder}/autograded/<student>/{assignment}/{assignment}.report.json")
    console.print(f"  grades as a table        cd {folder} && ../.venv/bin/nbgrader export", soft_wrap=True)
