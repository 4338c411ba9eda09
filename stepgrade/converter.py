"""nbgrader's autograding, set up once for a class instead of once for each submission.

Copy files, sanitize, grade, in the order that the configuration gives. Knows nbgrader's converter and preprocessors.
The steps that open the gradebook for each notebook have twins here that know its content beforehand; those that touch
nothing but the notebook, and the course's own, are used as they are; any other is refused. Refuses to write into the
gradebook and into nbgrader's folders: results go into a folder that is handed over.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
)
from nbgrader.utils import determine_grade, is_grade, is_solution, is_task
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from stepgrade import gradebook, handed_in, ledger, notebook
from stepgrade.course import Course, load_config
from stepgrade.errors import CourseError
from stepgrade.grade import Grader
from stepgrade.gradebook import Marks, patiently
from stepgrade.notebook import HandedIn, Original
from stepgrade.quoting import clean
from stepgrade.records import Report

Resources = dict[str, Any]
Step = Callable[[NotebookNode, Resources], tuple[NotebookNode, Resources]]
PURE = (ClearOutput, DeduplicateIds, Execute, IgnorePattern, LimitOutput)
"""Steps of nbgrader's that touch nothing but the notebook: each thread may run its own."""
OURS = {f"stepgrade.preprocessor.{name}" for name in ("Restore", "Grade", "SaveVerdicts")}
SHARED = "its folder {link} is a link to another folder; hand in a folder with the file itself"


class WaryDirectory(CourseDirectory):  # type: ignore[misc]  # nbgrader is not typed
    """nbgrader's view of a course in which what was handed in may be anything.

    A `timestamp.txt` may be a pipe, a notebook a folder, and a submission a link to another student's.
    """

    @classmethod
    def like(cls, coursedir: CourseDirectory) -> WaryDirectory:
        """The same course with the same settings."""
        return cls(parent=coursedir.parent, config=coursedir.config, **coursedir.trait_values(config=True))

    def get_existing_timestamp(self, dest_path: str) -> datetime | None:
        """When a submission was handed in, in UTC without a zone; None where no file says so."""
        when, trouble = self._timestamp(Path(dest_path))
        if trouble:
            self.log.warning("%s: %s", dest_path, trouble)
        return when

    def _timestamp(self, folder: Path) -> tuple[datetime | None, str]:
        return (None, "") if self.link_to(folder) else handed_in.timestamp(folder)

    def link_to(self, folder: Path) -> str:
        """The link on the way to a submission, from the folder that all share; empty where there is none.

        What it leads to is not the student's own, so nothing there may be read, or written.
        """
        homes = (self.format_path(self.submitted_directory, name, name) for name in "ab")
        shared = Path(os.path.commonpath([*homes]))
        if not folder.is_relative_to(shared):
            return ""
        parts = folder.relative_to(shared).parts
        ways = (Path(*parts[:number]) for number in range(1, len(parts) + 1))
        return next((str(way) for way in ways if (shared / way).is_symlink()), "")

    def fingerprint(self, folder: Path) -> str:
        """Of a submission, for `Released.fingerprints`."""
        link = self.link_to(folder)
        return ledger.digest(["link", link]) if link else handed_in.fingerprint(folder, self.ignore)

    def read(self, file: Path) -> HandedIn:
        """Read a submission's notebook, with what was found for the steps that come after."""
        link = self.link_to(file.parent)
        read = notebook.unreadable(SHARED.format(link=clean(link))) if link else handed_in.read(file)
        _, trouble = self._timestamp(file.parent)
        marks = {"notes": [*read.notes, *filter(None, [trouble])], "trouble": read.trouble}
        read.notebook.metadata["stepgrade"] = nbformat.from_dict(marks)
        return read


def open_coursedir(course: Course, assignment: str, config: Config | None = None) -> WaryDirectory:
    """nbgrader's own view of the course folder."""
    coursedir = WaryDirectory(config=config if config is not None else load_config(course.root))
    coursedir.root = str(course.root)
    coursedir.assignment_id = assignment
    return coursedir


@dataclass(frozen=True)
class Released:
    """What the gradebook and the source folder say of an assignment; read once for a class."""

    course: Course
    assignment: str
    originals: Mapping[str, Sequence[Original]]  # by notebook
    kernelspecs: Mapping[str, Any]  # by notebook
    given: Path  # source/<assignment>: its files are put over the student's
    given_files: tuple[str, ...]

    @classmethod
    def read(cls, course: Course, coursedir: CourseDirectory, assignment: str, notebooks: Sequence[str]) -> Released:
        """Read it."""
        url = coursedir.db_url
        seconds = course.settings.seconds_for_gradebook
        given, files = given_files(Autograde(coursedir=coursedir, config=coursedir.config), assignment)
        return cls(
            course,
            assignment,
            patiently(lambda: {name: gradebook.originals(url, assignment, name) for name in notebooks}, seconds),
            patiently(lambda: {name: gradebook.kernelspec(url, assignment, name) for name in notebooks}, seconds),
            given,
            files,
        )

    def fingerprints(self, submission: str) -> dict[str, ledger.Fingerprint]:
        """Of one submission's notebooks.

        Args:
            submission: what `WaryDirectory.fingerprint` says.
        """
        return {name: replace(known, submission=submission) for name, known in self._common.items()}

    @cached_property
    def _common(self) -> dict[str, ledger.Fingerprint]:
        args = (self.course, self.assignment)
        return {name: ledger.fingerprint(*args, cells, self.given, "") for name, cells in self.originals.items()}


def given_files(converter: Autograde, assignment: str) -> tuple[Path, tuple[str, ...]]:
    """The folder whose files nbgrader puts over the student's, and their relative paths."""
    coursedir = converter.coursedir
    given = Path(coursedir.format_path(coursedir.source_directory, ".", assignment))
    spared = set(converter.exclude_overwriting.get(assignment, []))
    files = [os.path.relpath(f, given) for f in utils.find_all_files(str(given), [*coursedir.ignore, "*.ipynb"])]
    return given, tuple(sorted(set(files) - spared))


@dataclass(frozen=True)
class Converted:
    """A submission, graded: what the gradebook must know, and the reports."""

    timestamp: datetime | None
    notebooks: Mapping[str, Marks]
    reports: tuple[Report, ...]


class Converter(Autograde):  # type: ignore[misc]  # nbgrader is not typed
    """`nbgrader autograde` for one submission after another. One thread at a time may use it.

    Args:
        coursedir: the course folder.
        released: what is known of the assignment.
        grader: opened for the assignment.
        fingerprint: of the submission at hand, by notebook.
    """

    def __init__(
        self,
        coursedir: WaryDirectory,
        released: Released,
        grader: Grader,
        fingerprint: Callable[[str], ledger.Fingerprint],
    ) -> None:
        super().__init__(coursedir=coursedir, config=coursedir.config)
        self._released = released
        self._grader = grader
        self._fingerprint = fingerprint
        self._dest = Path()
        self._valid: set[str] = set()
        self.exporter = self.exporter_class(parent=self, config=self.config)
        self._sanitizing_steps = self._steps(self.sanitize_preprocessors)
        self._grading_steps = self._steps(self.autograde_preprocessors)

    def _format_dest(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        return str(self._dest)

    def convert(self, student: str, dest: Path) -> Converted:
        """Grade one submission into a folder.

        Args:
            student: whose.
            dest: an empty folder; in the end it is what `autograded/<student>/<assignment>` should be.
        """
        released, self._dest = self._released, dest
        source = Path(self._format_source(released.assignment, student))
        link = self.coursedir.link_to(source)
        if not link:  # not as nbgrader does it: it follows links, and looks through the whole folder for each file
            handed_in.copy_files(source, dest, self.coursedir.ignore, released.given_files)
        for name in released.given_files:
            target = dest / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(released.given / name, target)
        names = [name for name in released.originals if link or os.path.lexists(source / f"{name}.ipynb")]
        done = [self._convert_notebook(source / f"{name}.ipynb", student, name) for name in names]
        self.set_permissions(released.assignment, student)
        timestamp = self.coursedir.get_existing_timestamp(str(source))
        marks = {name: marks for name, (marks, _) in zip(names, done, strict=True)}
        return Converted(timestamp, marks, tuple(report for _, report in done))

    def _convert_notebook(self, file: Path, student: str, name: str) -> tuple[Marks, Report]:
        read = self.coursedir.read(file)
        nb, _ = self._run(self._sanitizing_steps, read.notebook, self._resources(file, student, name))
        target = self._dest / file.name
        nb, resources = self._run(self._grading_steps, nb, self._resources(target, student, name))
        for output, data in resources["outputs"].items():
            (self._dest / output).write_bytes(data)
        nbformat.validate(nb)
        target.write_text(as_text(nb), encoding="utf-8")
        return marks_of(nb, resources["stepgrade"]), resources["stepgrade"]

    def _run(self, steps: Sequence[Step], nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        for step in steps:
            nb, resources = step(nb, resources)
        return nb, resources

    def _resources(self, file: Path, student: str, name: str) -> Resources:
        names = {"student": student, "assignment": self._released.assignment, "notebook": name}
        return {
            "unique_key": name,
            "output_files_dir": f"{name}_files",
            "metadata": {"name": name, "path": str(file.parent)},
            "nbgrader": {**names, "db_url": self.coursedir.db_url},
            "outputs": {},
        }

    # ------------------------------------------------------------------------------------------------- steps, twins

    def _steps(self, classes: Sequence[Any]) -> list[Step]:
        found = _known(classes)
        twins: dict[str, Step] = {
            "stepgrade.preprocessor.Restore": self._restore,
            _name(OverwriteKernelspec): self._overwrite_kernelspec,
            _name(CheckCellMetadata): self._check_metadata,
            "stepgrade.preprocessor.Grade": self._grade,
            "stepgrade.preprocessor.SaveVerdicts": _leave,  # the writer's
        }
        if "stepgrade.preprocessor.Restore" in map(_name, found):  # restores what this one would, and more
            twins[_name(OverwriteCells)] = _leave
        steps = []
        for cls in found:
            own = cls(parent=self.exporter)
            twin = _leave if issubclass(cls, AssignLatePenalties) else twins.get(_name(cls))  # they are the writer's
            steps.append(twin if twin is not None and own.enabled else own)
        return steps

    def _restore(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        marks = nb.metadata["stepgrade"]
        notes = notebook.restore(nb, self._released.originals[resources["nbgrader"]["notebook"]])
        if not marks.trouble:
            marks.notes += notes
        return nb, resources

    def _overwrite_kernelspec(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        kernelspec = self._released.kernelspecs[resources["nbgrader"]["notebook"]]
        if kernelspec:
            nb.metadata["kernelspec"] = nbformat.from_dict(kernelspec)
        return nb, resources

    def _check_metadata(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """A cell's metadata is checked by nbgrader once for the class: after restoring they are all the same."""
        for cell in nb.cells:
            if "nbgrader" in cell.metadata:
                key = json.dumps([cell.cell_type, cell.metadata.nbgrader], sort_keys=True)
                if key not in self._valid:
                    MetadataValidator().validate_cell(cell)
                    self._valid.add(key)
        return nb, resources

    def _grade(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        names, marks = resources["nbgrader"], nb.metadata.pop("stepgrade", {})
        trouble = marks.get("trouble", "")
        report = self._grader.grade(
            nb, names["notebook"], names["student"], self._dest, marks.get("notes", ()), trouble
        )
        print_ = self._fingerprint(names["notebook"])
        resources["stepgrade"] = report
        resources["outputs"].update(report_files(report, print_, trouble))
        return nb, resources


def refuse_unknown_steps(config: Config) -> None:
    """Look through the steps that a course configures, before anything is graded.

    Raises:
        CourseError: nbgrader has one that is not known here.
    """
    converter = Autograde(config=config)
    _known([*converter.sanitize_preprocessors, *converter.autograde_preprocessors])


def _known(classes: Sequence[Any]) -> list[Any]:
    """The classes of steps; one of nbgrader's that is unknown here might write into the gradebook, on every thread."""
    found = [import_item(item) if isinstance(item, str) else item for item in classes]
    stock = (*PURE, CheckCellMetadata, OverwriteCells, OverwriteKernelspec, AssignLatePenalties)
    for cls in found:
        is_not_the_courses = _name(cls).split(".")[0] in ("nbgrader", "stepgrade")
        if is_not_the_courses and cls not in stock and _name(cls) not in OURS:
            raise CourseError(
                f"{_name(cls)} is a step that `stepgrade autograde` does not know: take it out of the preprocessors of "
                "c.Autograde in course_config.py, or grade with `nbgrader autograde`"
            )
    return found


def _name(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _leave(nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
    return nb, resources


def report_files(report: Report, fingerprint: ledger.Fingerprint, trouble: str) -> dict[str, bytes]:
    """The files beside a graded notebook, by name."""
    text = json.dumps(report.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    print_ = ledger.Fingerprint() if report.outcome == "errored" else fingerprint  # what we failed is graded again
    kept = ledger.to_text(ledger.Kept(print_, report.record, trouble))
    return {f"{report.notebook}.report.json": text.encode(), f"{report.notebook}{ledger.ENDING}": kept.encode()}


def as_text(nb: NotebookNode) -> str:
    """A notebook as nbgrader writes it."""
    text = str(nbformat.v4.writes(nb))
    return text if text.endswith("\n") else text + "\n"


def marks_of(nb: NotebookNode, report: Report) -> Marks:
    """What nbgrader's `SaveAutoGrades` reads from a graded notebook."""
    errored = {exercise.grade_id for exercise in report.exercises if exercise.outcome == "errored"}
    scores: dict[str, float | None] = {}
    comments: dict[str, str | None] = {}
    held = []
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in errored:
            held.append(name)
            continue
        if is_grade(cell):
            scores[name] = determine_grade(cell)[0]
        if is_solution(cell) or is_task(cell):
            is_empty = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell) and not is_task(cell)
            comments[name] = "No response." if is_empty else None
    return Marks(scores, tuple(held), comments)


class LatePenalty:
    """nbgrader's AssignLatePenalties with the course's plug-in; see `gradebook.Penalty`."""

    def __init__(self, config: Config) -> None:
        converter = Autograde(config=config)
        found = [import_item(item) if isinstance(item, str) else item for item in converter.autograde_preprocessors]
        kinds = [cls for cls in found if isinstance(cls, type) and issubclass(cls, AssignLatePenalties)]
        self._own = kinds[-1](config=config) if kinds else None
        if self._own is not None:
            self._own.init_plugin()

    def __call__(self, row: Any, student: str, seconds_late: float) -> float | None:
        """The penalty of a notebook that came late, between nothing and its score."""
        if self._own is None or not self._own.enabled:
            return None
        penalty = self._own.plugin_inst.late_submission_penalty(student, row.score, seconds_late)
        return None if penalty is None else float(self._own._check_late_penalty(row, penalty))
