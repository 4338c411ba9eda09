"""nbgrader's extension points, filled: reading, restoring, grading and saving; named in `course_config.py`.

Knows nbgrader's converters, preprocessors and hooks. No logic of grading: that is `grade`'s.
"""

from __future__ import annotations

import atexit
import functools
import json
import logging
import sys
import weakref
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets.config import Application

from stepgrade import gradebook, handed_in, ledger, notebook
from stepgrade.converter import Released, WaryDirectory, marks_on_reading, report_files
from stepgrade.course import Course, Stepgrade
from stepgrade.grade import Grader
from stepgrade.quoting import clean

Resources = dict[str, Any]


class Sitting:
    """What all submissions of an assignment share: nbgrader makes its preprocessors anew for each notebook.

    Args:
        course: the course folder with its settings.
        coursedir: nbgrader's view of it.
        assignment: its name.
    """

    def __init__(self, course: Course, coursedir: CourseDirectory, assignment: str) -> None:
        with gradebook.ClassBook(coursedir.db_url, coursedir.course_id, assignment) as book:
            self.released = Released.read(course, coursedir, assignment, book.notebooks)
        self.stands_for = (self.released.fingerprints(""), course.settings.require_protections)
        self.known_to: weakref.WeakSet[Autograde] = weakref.WeakSet()  # converters that found nothing changed
        self._coursedir = coursedir
        self._grader: Grader | None = None

    def grader(self, log: logging.Logger) -> Grader:
        """Opened when first asked for; it says then which walls stand."""
        if self._grader is None:
            self._grader = Grader(self.released.course, self.released.assignment)
            log.info("protections: %s", ", ".join(self._grader.protections) or "none")
            for wall in self._grader.provisioner.missing:
                log.warning("missing protection: %s", wall)
        return self._grader

    def close(self) -> None:
        """End the grader."""
        if self._grader is not None:
            self._grader.close()

    def fingerprint(self, student: str, name: str) -> ledger.Fingerprint:
        """Of a submission's notebook."""
        coursedir = self._coursedir
        folder = Path(coursedir.format_path(coursedir.submitted_directory, student, self.released.assignment))
        return self.released.fingerprints(handed_in.fingerprint(folder, ignored_by(coursedir)))[name]


_sittings: dict[tuple[Path, str], Sitting] = {}


def sitting_of(preprocessor: NbGraderPreprocessor, assignment: str) -> Sitting:
    """The sitting for what a preprocessor is at.

    A run of nbgrader's looks once whether checks, cells or settings have changed since the run before: the formgrader's
    server lives for long.
    """
    converter = preprocessor.parent.parent
    coursedir = converter.coursedir
    key = (Path(coursedir.root).resolve(), assignment)
    known = _sittings.get(key)
    if known is not None and converter in known.known_to:
        return known
    new = Sitting(Course(Path(coursedir.root), Stepgrade(config=preprocessor.config)), coursedir, assignment)
    if known is None:
        atexit.register(lambda: _sittings[key].close())
    elif known.stands_for == new.stands_for:
        new = known
    else:
        known.close()
    _sittings[key] = new
    new.known_to.add(converter)
    return new


class SubmissionExporter(NotebookExporter):  # type: ignore[misc]  # nbconvert is not typed
    """Reads what was handed in, whatever it is; a file that is no notebook becomes an empty one with a message.

    nbgrader makes it once for a run, before the first submission: it looks through each submission's folder too.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(self.parent, Autograde):
            self.parent.coursedir = WaryDirectory.like(self.parent.coursedir)
            self.parent.pre_convert_hook = functools.partial(look_through, self.parent, self.parent.pre_convert_hook)

    def from_filename(self, filename: str, resources: Resources | None = None, **kw: Any) -> tuple[str, Resources]:
        """Read `filename` and convert it; files of our own (in `autograded/`) are read as they are."""
        converted: tuple[str, Resources]
        resources = resources if resources is not None else {}
        if not _is_handed_in(self.parent.coursedir, Path(filename), resources):
            converted = super().from_filename(filename, resources=resources, **kw)
            return converted
        read = notebook.read_submission(Path(filename))
        if read.trouble:
            self.log.warning("%s cannot be read: %s. The file is kept.", clean(filename), read.trouble)
        read.notebook.metadata["stepgrade"] = marks_on_reading(read, Path(filename))
        converted = self.from_notebook_node(read.notebook, resources=resources, **kw)
        return converted


def _is_handed_in(coursedir: Any, file: Path, resources: Resources) -> bool:
    names = resources["nbgrader"]
    folder = coursedir.format_path(coursedir.submitted_directory, names["student"], names["assignment"])
    return Path(folder).resolve() == file.absolute().parent.resolve()


class Restore(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is not typed
    """Brings a submission back to the assignment's shape, before nbgrader's own sanitizing."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Restore cells from the gradebook; notes go into the notebook's metadata."""
        names = resources["nbgrader"]
        marks = nb.metadata.setdefault("stepgrade", nbformat.from_dict({"notes": [], "trouble": ""}))
        originals = sitting_of(self, names["assignment"]).released.originals[names["notebook"]]
        notes = notebook.restore(nb, originals)
        if not marks.trouble:
            marks.notes += notes
            for note in notes:
                self.log.warning("%s: %s", clean(names["student"]), note)
        return nb, resources


class Grade(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is not typed
    """Stands in `Execute`'s place: runs the student's cells in their kernel and the checks here."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Grade the notebook; the report is written beside it, the verdicts into its grade cells."""
        names = resources["nbgrader"]
        coursedir = self.parent.parent.coursedir
        folder = coursedir.format_path(coursedir.autograded_directory, names["student"], names["assignment"])
        marks = nb.metadata.pop("stepgrade", {})
        sitting = sitting_of(self, names["assignment"])
        report = sitting.grader(self.log).grade(
            nb, names["notebook"], names["student"], Path(folder), marks.get("notes", ()), marks.get("trouble", "")
        )
        for exercise in report.exercises:
            scored = f"{exercise.score:g} of {exercise.points:g}"
            say = self.log.error if exercise.outcome == "errored" else self.log.info
            say(
                "%s: %s %s, %s %s",
                clean(names["student"]),
                exercise.grade_id,
                exercise.outcome,
                scored,
                exercise.message,
            )
        for note in report.notes:
            self.log.warning("%s: %s", clean(names["student"]), note)
        resources["stepgrade"] = report
        fingerprint = sitting.fingerprint(names["student"], names["notebook"])
        resources.setdefault("outputs", {}).update(report_files(report, fingerprint, marks.get("trouble", "")))
        return nb, resources


class SaveVerdicts(SaveAutoGrades):  # type: ignore[misc]  # nbgrader is not typed
    """nbgrader's saving of grades, but for exercises that we failed to grade: those are held for a person."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, cell_index: int
    ) -> tuple[NotebookNode, Resources]:
        """Save a cell's score, or hold it."""
        report = resources["stepgrade"]
        errored = {exercise.grade_id for exercise in report.exercises if exercise.outcome == "errored"}
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id not in errored:
            super().preprocess_cell(cell, resources, cell_index)
            return cell, resources
        gradebook.hold(self.db_url, grade_id, self.notebook_id, self.assignment_id, self.student_id)
        return cell, resources


class FillSettings(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is not typed
    """Writes the settings that the notebook needs by itself into its set-up cell, before it is released."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, cell_index: int
    ) -> tuple[NotebookNode, Resources]:
        """Replace the empty address of live_plot.py by the course's."""
        address = Stepgrade(config=self.config).live_plot_url
        cell.source = cell.source.replace('LIVE_PLOT_URL = ""', f"LIVE_PLOT_URL = {json.dumps(address)}")
        return cell, resources


class Prove(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader is not typed
    """Refuses to generate an assignment that is not fit for release."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Prove the assignment; `--Stepgrade.prove_before_release=False` goes on without.

        Raises:
            ProofError: the proof fails; the log has what to mend.
        """
        settings = Stepgrade(config=self.config)
        if settings.prove_before_release:
            from stepgrade.proofs import prove  # takes torch and a minute; only a release needs it

            course = Course(Path(self.parent.parent.coursedir.root), settings)
            prove.insist(course, resources["nbgrader"]["assignment"], self.log)
        return nb, resources


def look_through(
    converter: Autograde, course_hook: Any, *, assignment: str, student: str, notebooks: list[str]
) -> None:
    """A hook before autograding: a notebook under another name is graded, and one that is missing is said to be.

    nbgrader hands over the very list that it goes through next; the submission's folder is known from its paths. What
    was handed in is kept; a link with the right name is put beside it. Folders without any notebook are passed over by
    nbgrader: they get a file that says so, and are graded as such. Links and pipes beside a notebook are left out.

    Args:
        converter: nbgrader's.
        course_hook: the course's own hook, called before; None where it has none.
        assignment, student: what nbgrader was called with; the student may be a pattern.
        notebooks: paths of the submission's notebooks; changed in place.
    """
    if course_hook is not None:
        course_hook(assignment=assignment, student=student, notebooks=notebooks)
    folder = Path(notebooks[0]).absolute().parent
    _leave_out_unfit(converter.coursedir, folder)
    if handed_in.link_renamed(folder, assignment):
        notebooks.append(str(Path(notebooks[0]).parent / f"{assignment}.ipynb"))
    if student == "*":
        for empty in _without_notebook(folder.parent.parent, assignment):
            _grade_as_missing(empty, assignment)


_ignored: weakref.WeakKeyDictionary[CourseDirectory, list[str]] = weakref.WeakKeyDictionary()
"""What the course itself ignores."""


def ignored_by(coursedir: CourseDirectory) -> list[str]:
    """Patterns of file names, as the course has them."""
    return _ignored.setdefault(coursedir, list(coursedir.ignore))


def _leave_out_unfit(coursedir: CourseDirectory, folder: Path) -> None:
    """nbgrader copies what links lead to, and breaks off at a pipe; what is ignored it passes over."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))  # it walks folders by recursion, to any depth
    coursedir.ignore = [*ignored_by(coursedir), *handed_in.find_unfit(folder, ignored_by(coursedir))]


def _without_notebook(submitted: Path, assignment: str) -> list[Path]:
    folders = [folder for folder in sorted(submitted.glob(f"*/{assignment}")) if folder.is_dir()]
    return [folder for folder in folders if not handed_in.has_notebook(folder)]


def _grade_as_missing(folder: Path, assignment: str) -> None:
    """Let nbgrader grade a submission without a notebook: it earns nothing, and is told why."""
    handed_in.stand_in(folder, assignment)
    app = Application.instance()
    coursedir = CourseDirectory(parent=app, assignment_id=assignment, student_id=folder.parent.name)
    Autograde(coursedir=coursedir, parent=app).start()
