"""nbgrader's gradebook: what the assignment's cells are, and scores that must not be lost.

Knows nbgrader's `Gradebook`. Refuses to know kernels, checks and notebooks as files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value

from stepgrade.course import Course, load_config
from stepgrade.errors import CourseError, GradebookError, GradebookLocked
from stepgrade.notebook import Original

SQLITE = "sqlite:///"
NO_COURSE = ""
"""A course's id that nbgrader does not write into the gradebook when it opens it, as it does with any other."""
PATIENCE_SECONDS = 60.0  # as `c.Stepgrade.seconds_for_gradebook` has it
TRY_SECONDS = 0.5  # SQLite's own waiting, in which no interrupt is heard
T = TypeVar("T")


def find_gradebook(course: Course) -> str:
    """SQLAlchemy's address of the course's gradebook; a relative file lies in the course folder."""
    address: str = _directory_of(course).db_url
    if address.startswith(SQLITE) and not Path(address.removeprefix(SQLITE)).is_absolute():
        return f"{SQLITE}{course.root / address.removeprefix(SQLITE)}"
    return address


def _directory_of(course: Course) -> CourseDirectory:
    return CourseDirectory(config=load_config(course.root), root=str(course.root))


def scores_of(course: Course, assignment: str, students: Sequence[str]) -> dict[tuple[str, str, str], float]:
    """What the gradebook says of graded cells, by student, notebook and `grade_id`: what a held score is.

    Grading that failed by our fault leaves there what was there, be it an earlier score, a person's, or none yet, which
    nbgrader counts as nothing. Looking makes no gradebook where there is none.
    """
    address = find_gradebook(course)
    if _is_missing(address):
        return {}
    ids = [student for student in students if student.isprintable()]  # a name that is no text is nobody's id
    with patiently(lambda: ClassBook(address, NO_COURSE, assignment), course.settings.seconds_for_gradebook) as book:
        found = book.grades(ids)
    return {
        (student, notebook, grade_id): score
        for student, notebooks in found.items()
        for notebook, shown in notebooks.items()
        for grade_id, (score, _) in shown["scores"].items()
    }


@contextmanager
def open_gradebook(db_url: str, course_id: str = NO_COURSE) -> Iterator[Gradebook]:
    """nbgrader's gradebook, for one try: what goes wrong with it is said in a line.

    Raises:
        GradebookLocked: another program is writing it; see `patiently`.
        GradebookError: it cannot be read or written at all.
    """
    with told_plainly(), Gradebook(_impatient(db_url), course_id) as gradebook:
        yield gradebook


def patiently(act: Callable[[], T], seconds: float = PATIENCE_SECONDS, say: Callable[[str], None] | None = None) -> T:
    """Do something with the gradebook, once more and once more while another program is writing it.

    Args:
        act: what; it may be begun several times.
        seconds: for how long.
        say: is told once that somebody has to be waited for.

    Raises:
        GradebookLocked: it was locked all the time.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return act()
        except GradebookLocked:
            if time.monotonic() >= until:
                raise
            if say is not None:
                say(f"another program is writing the gradebook: waiting for its end, {seconds:.0f} s at most")
                say = None
            time.sleep(TRY_SECONDS)  # a gradebook that cannot be opened is told at once


@contextmanager
def told_plainly() -> Iterator[None]:
    """What the database's driver raises, as an error of ours."""
    try:
        yield
    except DBAPIError as problem:
        if "locked" in str(problem.orig):
            raise GradebookLocked(
                "the gradebook is locked by another program (`nbgrader autograde`, the formgrader, a backup): "
                "let it end, then run the same command again; what is graded is kept"
            ) from problem
        raise GradebookError(f"the gradebook cannot be used: {problem.orig}") from problem


def _impatient(db_url: str) -> str:
    """An address with which SQLite waits for a lock no longer than `TRY_SECONDS`; others wait as their servers say."""
    url = make_url(db_url)
    if url.get_backend_name() == "sqlite":
        url = url.update_query_dict({"timeout": str(TRY_SECONDS)})
    address: str = url.render_as_string(hide_password=False)
    return address


def originals(db_url: str, assignment: str, notebook: str) -> list[Original]:
    """The assignment's cells as they were when `generate_assignment` ran.

    Args:
        db_url: SQLAlchemy's address of the gradebook.
        assignment, notebook: names.

    Returns:
        The graded, solution and locked cells, in the notebook's order.

    Raises:
        nbgrader.api.MissingEntry: the assignment has not been generated.
    """
    with open_gradebook(db_url) as gradebook:
        found = gradebook.find_notebook(notebook, assignment)
        points = {cell.name: cell.max_score for cell in [*found.grade_cells, *found.task_cells]}
        grades = {cell.name for cell in found.grade_cells}
        solutions = {cell.name for cell in found.solution_cells}
        tasks = {cell.name for cell in found.task_cells}
        return [
            Original(
                grade_id=cell.name,
                cell_type=cell.cell_type,
                source=cell.source or "",
                is_grade=cell.name in grades,
                is_solution=cell.name in solutions,
                is_task=cell.name in tasks,
                is_locked=bool(cell.locked),
                points=float(points.get(cell.name) or 0),
                checksum=cell.checksum or "",
            )
            for cell in found.source_cells
        ]


def kernelspec(db_url: str, assignment: str, notebook: str) -> Any:
    """The kernel that the instructor's notebook names; None where it names none."""
    with open_gradebook(db_url) as gradebook:
        text = gradebook.find_notebook(notebook, assignment).kernelspec
    return json.loads(text) if text is not None else None


def hold(db_url: str, grade_id: str, notebook: str, assignment: str, student: str) -> None:
    """Leave a grade as it is and ask a person to look at it: grading failed by our fault.

    Args:
        db_url: SQLAlchemy's address of the gradebook.
        grade_id, notebook, assignment, student: whose grade.
    """
    with open_gradebook(db_url) as gradebook:
        grade = gradebook.find_grade(grade_id, notebook, assignment, student)
        grade.needs_manual_grade = True
        gradebook.db.commit()


# ---------------------------------------------------------------------------------------------------- a class at once


@dataclass(frozen=True, slots=True)
class Marks:
    """What grading one notebook says to the gradebook, in nbgrader's own terms."""

    scores: Mapping[str, float | None]  # by grade cell; None: a person has to look at it
    held: tuple[str, ...] = ()  # grade cells that we failed to grade: their scores stay as they are
    comments: Mapping[str, str | None] = field(default_factory=dict)  # by solution cell: "No response." or None


@dataclass(frozen=True, slots=True)
class Entry:
    """What grading one submission says to the gradebook."""

    student: str
    timestamp: datetime | None
    notebooks: Mapping[str, Marks]  # by name; those of the assignment that are missing here earn nothing


class Penalty(Protocol):
    """nbgrader's AssignLatePenalties, set up once."""

    def __call__(self, notebook: SubmittedNotebook, student: str, seconds_late: float) -> float | None:
        """The penalty of a notebook that came late."""
        ...


class ClassBook:
    """The gradebook, opened once for a class; entries are written in one transaction for many.

    Writes the rows that nbgrader's `Autograde`, `SaveAutoGrades` and `AssignLatePenalties` write. Manual scores,
    manual comments and extra credit are not touched. Use as a context manager.

    Args:
        db_url: SQLAlchemy's address of the gradebook.
        course_id: `c.CourseDirectory.course_id`; `NO_COURSE` to read only.
        assignment: its name.

    Raises:
        CourseError: the gradebook does not know the assignment.
        GradebookError: see `open_gradebook`; what writes and reads below raises it too, and may be tried again.
    """

    def __init__(self, db_url: str, course_id: str, assignment: str) -> None:
        self.assignment = assignment
        unknown = f"the gradebook does not know {assignment!r}: run `nbgrader generate_assignment {assignment}` first"
        if _is_missing(db_url):
            raise CourseError(unknown)  # to open it would make it
        with ExitStack() as opened:
            self._gradebook = opened.enter_context(open_gradebook(db_url, course_id))
            self._db = self._gradebook.db
            try:
                found = self._gradebook.find_assignment(assignment)
            except MissingEntry as problem:
                raise CourseError(unknown) from problem
            self._assignment_id = found.id
            self._duedate = found.duedate
            self._notebooks = [_Notebook.of(notebook) for notebook in found.notebooks]
            self._db.commit()
            self._opened = opened.pop_all()

    def __enter__(self) -> ClassBook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was not saved is forgotten."""
        self._opened.close()

    @property
    def notebooks(self) -> tuple[str, ...]:
        """Names of the assignment's notebooks."""
        return tuple(notebook.name for notebook in self._notebooks)

    def unknown_students(self, students: Sequence[str]) -> set[str]:
        """Those who are not in the gradebook yet."""
        known = set(self._db.scalars(select(Student.id).where(Student.id.in_(students))))
        return set(students) - known

    def graded_students(self) -> set[str]:
        """Those whose cells all have a score, or wait for a person; one query, however many there are."""
        unscored = (
            select(SubmittedNotebook.assignment_id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .where(Grade.auto_score.is_(None), Grade.manual_score.is_(None), Grade.needs_manual_grade.is_not(True))
        )
        wanted = (
            select(SubmittedAssignment.student_id)
            .where(SubmittedAssignment.assignment_id == self._assignment_id)
            .where(SubmittedAssignment.id.not_in(unscored))
        )
        with self._transaction():
            return set(self._db.scalars(wanted))

    def save(self, entries: Sequence[Entry], penalty: Penalty) -> None:
        """Write entries in one transaction: all of them or, when this process is killed, none.

        Args:
            entries: one per student; saving the same again changes nothing.
            penalty: asked for each notebook that came late.
        """
        with self._transaction():
            if self._gradebook.engine.dialect.name == "sqlite":  # what is read now, nobody changes before it is written
                self._db.execute(text("BEGIN IMMEDIATE"))
            self._write(entries, penalty)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing; afterwards nothing is remembered, so that it can be tried again."""
        with told_plainly():
            try:
                yield
                self._db.commit()
            except BaseException:
                self._db.rollback()
                raise
            finally:
                self._db.expunge_all()

    def _write(self, entries: Sequence[Entry], penalty: Penalty) -> None:
        self._db.add_all(Student(id=student) for student in self.unknown_students([e.student for e in entries]))
        self._db.flush()
        submissions = self._submissions([entry.student for entry in entries])
        late = []
        with self._db.no_autoflush:
            for entry in entries:
                submission = submissions.get(entry.student) or self._new_submission(entry.student)
                if entry.timestamp is not None:
                    submission.timestamp = entry.timestamp
                seconds = self._seconds_late(submission)
                for row, notebook in self._rows(submission):
                    _write_marks(row, notebook, entry.notebooks.get(notebook.name))
                    if notebook.name in entry.notebooks:
                        row.late_submission_penalty = None
                        late += [(row, entry.student, seconds)] if seconds > 0 else []
        self._db.flush()
        for row, student, seconds in late:
            set_committed_value(row, "score", sum(map(_score, row.grades)))  # nbgrader asks for it: spares a full scan
            row.late_submission_penalty = penalty(row, student, seconds)

    def grades(self, students: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What feedback pages show, as plain JSON: by student and notebook the scores, comments and totals."""
        with self._transaction():
            maximum = {cell.id: cell.max_score for cell in self._graded_cells()}
            return {
                student: {
                    notebook.name: _shown_grades(row, notebook, maximum) for row, notebook in self._rows(submission)
                }
                for student, submission in self._submissions(students).items()
            }

    def _graded_cells(self) -> list[Any]:
        ids = [cell for notebook in self._notebooks for cell in (*notebook.grades, *notebook.tasks)]
        kinds = (GradeCell, TaskCell)
        return [cell for kind in kinds for cell in self._db.scalars(select(kind).where(kind.id.in_(ids)))]

    def _submissions(self, students: Sequence[str]) -> dict[str, SubmittedAssignment]:
        wanted = (
            select(SubmittedAssignment)
            .where(SubmittedAssignment.assignment_id == self._assignment_id)
            .where(SubmittedAssignment.student_id.in_(students))
            .options(
                selectinload(SubmittedAssignment.notebooks).selectinload(SubmittedNotebook.grades),
                selectinload(SubmittedAssignment.notebooks).selectinload(SubmittedNotebook.comments),
            )
        )
        return {submission.student_id: submission for submission in self._db.scalars(wanted)}

    def _new_submission(self, student: str) -> SubmittedAssignment:
        """As `Gradebook.add_submission` makes it, by ids instead of objects."""
        submission = SubmittedAssignment(assignment_id=self._assignment_id, student_id=student)
        for notebook in self._notebooks:
            row = SubmittedNotebook(notebook_id=notebook.id, assignment=submission)
            for cell in (*notebook.grades, *notebook.tasks):
                Grade(cell_id=cell, notebook=row)
            for cell in (*notebook.solutions, *notebook.tasks):
                Comment(cell_id=cell, notebook=row)
        self._db.add(submission)
        return submission

    def _rows(self, submission: SubmittedAssignment) -> Iterator[tuple[SubmittedNotebook, _Notebook]]:
        known = {notebook.id: notebook for notebook in self._notebooks}
        return ((row, known[row.notebook_id]) for row in submission.notebooks if row.notebook_id in known)

    def _seconds_late(self, submission: SubmittedAssignment) -> float:
        """As `SubmittedAssignment.total_seconds_late`, for one that need not be in the database yet."""
        if submission.timestamp is None or self._duedate is None:
            return 0.0
        due = self._duedate + (submission.extension or timedelta(0))
        late: timedelta = submission.timestamp - due
        return max(0.0, late.total_seconds())


def _is_missing(db_url: str) -> bool:
    url = make_url(db_url)
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(url.database).exists()


@dataclass(frozen=True, slots=True)
class _Notebook:
    """A notebook of the assignment: its cells' names by id."""

    id: str
    name: str
    grades: Mapping[str, str]
    solutions: Mapping[str, str]
    tasks: Mapping[str, str]

    @classmethod
    def of(cls, row: Notebook) -> _Notebook:
        kinds = (row.grade_cells, row.solution_cells, row.task_cells)
        grades, solutions, tasks = ({cell.id: cell.name for cell in cells} for cells in kinds)
        return cls(row.id, row.name, grades, solutions, tasks)


def _write_marks(row: SubmittedNotebook, notebook: _Notebook, marks: Marks | None) -> None:
    for grade in row.grades:
        name = notebook.grades.get(grade.cell_id, "")
        if marks is None:  # the notebook was not handed in
            grade.auto_score, grade.needs_manual_grade = 0, False
        elif name in marks.held:
            grade.needs_manual_grade = True
        elif name in marks.scores:
            grade.auto_score = marks.scores[name]
            grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    names = {**notebook.solutions, **notebook.tasks}
    for comment in row.comments:
        name = names.get(comment.cell_id, "")
        if marks is not None and name in marks.comments:
            comment.auto_comment = marks.comments[name]


def _score(grade: Grade) -> float:
    """As nbgrader's `Grade.score`, of one that has just been changed."""
    own = grade.manual_score if grade.manual_score is not None else grade.auto_score
    return 0.0 if own is None else float(own + (grade.extra_credit or 0.0))


def _shown_grades(row: SubmittedNotebook, notebook: _Notebook, maximum: Mapping[str, float]) -> dict[str, Any]:
    """As nbgrader's `GetGrades` asks for them."""
    cells = {**notebook.grades, **notebook.tasks}
    texts = {**notebook.solutions, **notebook.tasks}
    penalty = row.late_submission_penalty or 0
    score = sum(grade.score for grade in row.grades)
    worth = sum(maximum[grade.cell_id] for grade in row.grades)
    return {
        "scores": {cells[grade.cell_id]: (grade.score, maximum[grade.cell_id]) for grade in row.grades},
        "comments": {texts[comment.cell_id]: comment.comment for comment in row.comments},
        "totals": {"score": score - penalty, "max_score": worth, "late_penalty": penalty},
    }
