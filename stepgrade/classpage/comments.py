"""One comment for all students of a cluster, written where nbgrader keeps a person's comments.

Knows nbgrader's comments and how to add to a comment without losing a word. Refuses to know why these students
belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nbgrader.api import MissingEntry

from stepgrade.classpage.report import Graded
from stepgrade.course import Course
from stepgrade.errors import CourseError
from stepgrade.gradebook import find_gradebook, open_gradebook, patiently
from stepgrade.quoting import clean

BETWEEN = "\n\n"  # an empty line: comments are shown as Markdown


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a comment, by student."""

    added: tuple[str, ...]
    had_it: tuple[str, ...]  # the very words were there already
    missing: tuple[str, ...]  # unknown to the gradebook


def write_comment(
    course: Course, assignment: str, exercise: str, graded: Sequence[Graded], text: str, only_look: bool = False
) -> Written:
    """Add a comment to the exercise's solution cell of several students.

    What a person has written there stays, and comes first; words that are there already are not written twice.

    Args:
        exercise: name of the solution cell.
        graded: whose cells.
        text: Markdown, as in formgrader.
        only_look: say what would be done, and do nothing.

    Raises:
        CourseError: the comment is empty.
        GradebookError: nothing could be written.
    """
    text = text.strip()
    if not text:
        raise CourseError("the comment is empty: say something to these students")
    args = (find_gradebook(course), assignment, exercise, graded, text, only_look)
    return patiently(lambda: _write(*args), course.settings.seconds_for_gradebook)


def _write(url: str, assignment: str, exercise: str, graded: Sequence[Graded], text: str, only_look: bool) -> Written:
    added, had_it, missing = list[str](), list[str](), list[str]()
    with open_gradebook(url) as gradebook:
        for one in graded:
            try:
                comment = gradebook.find_comment(exercise, one.notebook, assignment, one.student)
            except (MissingEntry, UnicodeEncodeError):  # a folder's name that is no text is nobody's id
                missing.append(one.student)
                continue
            so_far = (comment.manual_comment or "").strip()
            if has_paragraphs(so_far, text):
                had_it.append(one.student)
                continue
            added.append(one.student)
            comment.manual_comment = f"{so_far}{BETWEEN}{text}" if so_far else text
        if only_look:
            gradebook.db.rollback()
        else:
            gradebook.db.commit()
    return Written(tuple(added), tuple(had_it), tuple(missing))


def describe(written: Written, assignment: str, exercise: str, only_look: bool) -> str:
    """What was done, and what to do next, for a terminal."""
    would = "would be " if only_look else ""
    lines = [f"{exercise}: {would}added to {len(written.added)} comments, {len(written.had_it)} had it already"]
    lines += ["  " + ", ".join(clean(student) for student in written.added)] if only_look and written.added else []
    if written.missing:
        lines.append(f"not in the gradebook: {', '.join(clean(student) for student in written.missing)}")
    if written.added and not only_look:
        lines.append(f"students see it after `nbgrader generate_feedback {assignment} --force`")
    return "\n".join(lines)


def has_paragraphs(so_far: str, text: str) -> bool:
    """Whether a comment contains another as paragraphs of its own."""
    return f"{BETWEEN}{text}{BETWEEN}" in f"{BETWEEN}{so_far}{BETWEEN}"
