"""nbgrader's extension points, filled: reading, restoring, grading and saving; named in `course_config.py`.

Knows nbgrader's converters, preprocessors and hooks. No logic of grading: that is `grade`'s.
"""

from __future__ import annotations

import atexit
import functools
import glob
import json
import logging
import os
import re
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter, NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde, BaseConverter, GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from stepgrade import gradebook, handed_in, ledger, notebook
from stepgrade.converter import Converter, Released, WaryDirectory, given_files, report_files
from stepgrade.course import Course, Stepgrade, refuse_path
from stepgrade.errors import CourseError
from stepgrade.grade import Grader
from stepgrade.gradebook import patiently
from stepgrade.progress import failures_of
from stepgrade.quoting import clean

Resources = dict[str, Any]


class Sitting:
    """What all submissions of an assignment share: nbgrader makes its preprocessors anew for each notebook.

    Args:
        course: the course folder with its settings.
        coursedir: nbgrader's view of it.
        assignment: its name.
    """

    def __init__(self, course: Course, coursedir: WaryDirectory, assignment: str) -> None:
        place = (coursedir.db_url, coursedir.course_id, assignment)
        with patiently(lambda: gradebook.ClassBook(*place), course.settings.seconds_for_gradebook) as book:
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
        return self.released.fingerprints(coursedir.fingerprint(folder))[name]


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

    nbgrader makes it once for a run, when it has found the submissions and before it touches the first one: this is
    where its run is set up for submissions that may hold anything.

    Raises:
        NbGraderException: a name that nbgrader was given is a path.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(self.parent, Autograde) and not isinstance(self.parent, Converter):
            refuse_paths(self.parent)
            make_wary(self.parent)

    def from_filename(self, filename: str, resources: Resources | None = None, **kw: Any) -> tuple[str, Resources]:
        """Read `filename` and convert it; files of our own (in `autograded/`) are read as they are."""
        converted: tuple[str, Resources]
        resources = resources if resources is not None else {}
        coursedir = self.parent.coursedir
        if not _is_handed_in(coursedir, Path(filename), resources):
            converted = super().from_filename(filename, resources=resources, **kw)
            return converted
        read = coursedir.read(Path(filename))
        if read.trouble:
            self.log.warning("%s cannot be read: %s. The file is kept.", clean(filename), read.trouble)
        converted = self.from_notebook_node(read.notebook, resources=resources, **kw)
        return converted


class FeedbackExporter(HTMLExporter):  # type: ignore[misc]  # nbconvert is not typed
    """nbconvert's pages, for students whose names are no paths.

    Raises:
        NbGraderException: a name that nbgrader was given is a path.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(self.parent, BaseConverter):
            refuse_paths(self.parent)


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
        who = clean(names["student"])
        for grade_id, failure in failures_of(report.exercises):
            self.log.error("%s: %s %s", who, grade_id, failure)
        for exercise in report.exercises:
            scored = f"{exercise.score:g} of {exercise.points:g}"
            if exercise.outcome != "errored":
                self.log.info("%s: %s %s, %s %s", who, exercise.grade_id, exercise.outcome, scored, exercise.message)
        for note in report.notes:
            self.log.warning("%s: %s", who, note)
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
        place = (grade_id, self.notebook_id, self.assignment_id, self.student_id)
        patiently(lambda: gradebook.hold(self.db_url, *place))
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
    """Refuses to generate an assignment that is not fit for release, or whose name is a path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(getattr(self.parent, "parent", None), GenerateAssignment):
            refuse_paths(self.parent.parent)

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


# ------------------------------------------------------------------------------------------- a run of nbgrader's own


def refuse_paths(converter: BaseConverter) -> None:
    """Refuse names that lead to other folders, before anything is touched: nbgrader clears the folder it leads to.

    Raises:
        NbGraderException: a name is a path.
    """
    coursedir = converter.coursedir
    names = {"assignment": coursedir.assignment_id, "notebook": coursedir.notebook_id}
    if not isinstance(converter, GenerateAssignment):  # nbgrader says "." there
        names["student"] = coursedir.student_id
    try:
        for kind, name in names.items():
            refuse_path(name, kind)
    except CourseError as problem:
        converter.log.error("%s", clean(str(problem)))
        raise NbGraderException(str(problem)) from problem


def make_wary(converter: Autograde) -> None:
    """Set up a run of `nbgrader autograde` for submissions that may hold anything.

    nbgrader swallows what its hooks raise, so nothing that must happen can be one. Between the hook and its copying of
    files it has no extension point; the copying is wrapped.
    """
    converter.coursedir = WaryDirectory.like(converter.coursedir)
    for name in ("pre_convert_hook", "post_convert_hook"):
        if hook := getattr(converter, name):
            setattr(converter, name, functools.partial(_call_hook, converter, name, hook))
    converter.init_assignment = functools.partial(_init_assignment, converter, converter.init_assignment)
    if (converter.coursedir.student_id, converter.coursedir.notebook_id) == ("*", "*"):
        _add_missing(converter)


def _call_hook(converter: Autograde, kind: str, hook: Callable[..., object], **names: Any) -> None:
    """Call a hook of the course's own; nbgrader would whisper that it failed."""
    try:
        hook(**names)
    except Exception as problem:
        called = getattr(hook, "__qualname__", repr(hook))
        said = f"{type(problem).__name__}: {problem}"
        converter.log.warning("the course's %s %s failed, and grading goes on without it: %s", kind, called, said)
        raise  # nbgrader logs where


def _init_assignment(converter: Autograde, own: Callable[..., None], assignment: str, student: str) -> None:
    """nbgrader's, but for the submission's files: it follows links, and breaks off at a pipe.

    A notebook under another name is graded, and one that is missing is said to be.
    """
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 5000))  # it walks folders by recursion, to any depth
    coursedir, place = converter.coursedir, converter._format_source(assignment, student)
    folder, ignored = Path(place), coursedir.ignore
    if not coursedir.link_to(folder):
        if handed_in.settle(folder, assignment):
            wanted = f"{place}{os.sep}{assignment}.ipynb"  # as nbgrader found the others
            converter.notebooks = sorted({*converter.notebooks, wanted})
        _, given = given_files(converter, assignment)
        handed_in.copy_files(folder, Path(converter._format_dest(assignment, student)), ignored, given)
    coursedir.ignore = [*ignored, glob.escape(place)]
    try:
        own(assignment, student)
    finally:
        coursedir.ignore = ignored


def _add_missing(converter: Autograde) -> None:
    """Have submissions without any notebook graded too: nbgrader passes them over."""
    coursedir = converter.coursedir
    shape = converter._format_source("(?P<assignment>.*)", "(?P<student>.*)", escape=True)
    for place in glob.glob(converter._format_source(coursedir.assignment_id, "*")):  # noqa: PTH207 -- as nbgrader does
        found = re.match(shape, place)
        if place in converter.assignments or found is None or not Path(place).is_dir():
            continue
        file = Path(place, f"{found['assignment']}.ipynb")
        if not coursedir.link_to(Path(place)):
            handed_in.settle(file.parent, file.stem)
        converter.assignments[place] = [str(file)]
