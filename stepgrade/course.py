"""The course folder and its one file of settings, `course_config.py`.

Knows traitlets and the layout of the folder. Refuses to know notebooks, kernels and grades.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from traitlets import Bool, Enum, Float, Int, Unicode
from traitlets.config import Config, Configurable, PyFileConfigLoader

from stepgrade.errors import CourseError
from stepgrade.records import Limits

CONFIG_FILE = "nbgrader_config.py"


class Stepgrade(Configurable):  # type: ignore[misc]  # traitlets is not typed
    """The settings `c.Stepgrade.…` of a course."""

    kernel = Enum(
        ["auto", "warm", "nbclient"],
        default_value="auto",
        help="where student code runs: warm isolated kernels, ordinary ones, or the first where the machine can",
    ).tag(config=True)
    require_protections = Bool(False, help="refuse to grade where a wall is missing").tag(config=True)
    seconds_per_cell = Float(30.0, help="a cell or a call that takes longer is stopped").tag(config=True)
    seconds_per_submission = Float(120.0, help="a notebook that takes longer is stopped").tag(config=True)
    cpu_seconds = Float(5.0, help="a cell or a call that takes more of the processor is stopped").tag(config=True)
    memory_mib = Int(2048, help="memory of a submission, in MiB").tag(config=True)
    processes = Int(64, help="processes and threads of a submission").tag(config=True)
    disk_mib = Int(64, help="files that a submission may write, in MiB").tag(config=True)
    output_mib_per_cell = Float(1.0, help="output of a cell, in MiB; what is beyond is cut").tag(config=True)
    output_mib_per_notebook = Float(8.0, help="output of a notebook, in MiB").tag(config=True)
    seconds_for_gradebook = Float(60.0, help="how long a gradebook that another program writes is waited for").tag(
        config=True
    )
    show_hidden_numbers = Bool(True, help="whether feedback may show numbers of hidden inputs").tag(config=True)
    prove_before_release = Bool(True, help="refuse to release an assignment that `prove` finds unfit").tag(config=True)
    live_plot_url = Unicode("", help="where a notebook handed around alone finds live_plot.py").tag(config=True)

    @property
    def limits(self) -> Limits:
        """What one submission may use."""
        return Limits(
            seconds_per_cell=self.seconds_per_cell,
            seconds_per_submission=self.seconds_per_submission,
            cpu_seconds=self.cpu_seconds,
            memory_mib=self.memory_mib,
            processes=self.processes,
            disk_mib=self.disk_mib,
            output_mib_per_cell=self.output_mib_per_cell,
            output_mib_per_notebook=self.output_mib_per_notebook,
        )


@dataclass(frozen=True)
class Course:
    """A course folder with its settings."""

    root: Path
    settings: Stepgrade

    def hidden_checks(self, assignment: str) -> Path:
        """The folder of an assignment's hidden checks."""
        return self.root / "tests" / "hidden" / assignment

    def source_notebook(self, assignment: str) -> Path:
        """The instructor's notebook."""
        return self.root / "source" / assignment / f"{assignment}.ipynb"

    def given_files(self, assignment: str) -> Path | None:
        """The released folder, for what lies beside the notebook there: live_plot.py; None before the release."""
        folder = self.root / "release" / assignment
        return folder if folder.is_dir() else None

    @property
    def assignments(self) -> tuple[str, ...]:
        """The assignments that have a source notebook and hidden checks."""
        folders = sorted((self.root / "source").glob("*/"))
        return tuple(f.name for f in folders if self.hidden_checks(f.name).is_dir())

    def assignment_of(self, file: Path) -> str:
        """The assignment that a notebook belongs to: by its name, by its folders, or as the only one there is.

        Raises:
            CourseError: it cannot be told.
        """
        for name in (file.stem, *(parent.name for parent in file.resolve().parents)):
            if name in self.assignments:
                return name
        if len(self.assignments) == 1:
            return self.assignments[0]
        raise CourseError(f"which assignment is {file}? Say it with --assignment: one of {', '.join(self.assignments)}")


def refuse_path(name: str, kind: str) -> None:
    """Refuse a name that would lead to another folder than its own.

    Args:
        name: of a student, an assignment or a notebook, or a pattern of such names.
        kind: which of them.

    Raises:
        CourseError: it is a path.
    """
    if name in ("", ".", "..") or not {"/", os.sep}.isdisjoint(name):
        raise CourseError(f"{name!r} is a path and no {kind}'s name: give the name alone, without folders")


def find_course(start: Path | None = None) -> Course:
    """The course whose folder is `start` or the nearest one above it.

    Raises:
        CourseError: there is none, or its settings cannot be read.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file() and (folder / "source").is_dir():
            return Course(folder, Stepgrade(config=load_config(folder)))
    raise CourseError(f"no course here: neither {start} nor a folder above it has {CONFIG_FILE} and source/")


def load_config(root: Path) -> Config:
    """The course's configuration, as nbgrader reads it.

    Raises:
        CourseError: a file of it cannot be run.
    """
    try:
        return PyFileConfigLoader(CONFIG_FILE, path=str(root)).load_config()
    except Exception as problem:
        raise CourseError(f"{root / CONFIG_FILE} cannot be read: {type(problem).__name__}: {problem}") from problem
