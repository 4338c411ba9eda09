"""Small assignments of every shape, put together in a course from the pieces in `tests/assignments/<shape>/`.

    lesson.md test_<exercise>.py solution.py visible_check.py accepted/ wrong/

`wrong/` holds what learners do. None of it comes into the course: it has no file there and no row, and is to be told
all the same.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from stepgrade.classroom import program_text
from stepgrade.course import Course
from stepgrade.exercise import Exercise

PIECES = Path(__file__).resolve().parents[1] / "assignments"
SHAPES = ("vector", "two-arguments", "no-objective", "data", "text")


@dataclass(frozen=True)
class Pieces:
    """The folder of one shape."""

    shape: str

    @property
    def folder(self) -> Path:
        return PIECES / self.shape

    @property
    def checks(self) -> Path:
        """The file with the hidden checks; the only one."""
        (file,) = self.folder.glob("test_*.py")
        return file

    @property
    def exercise(self) -> str:
        return self.checks.stem.removeprefix("test_").replace("_", "-")

    def declared(self) -> Exercise:
        """As the hidden checks declare it."""
        spec = importlib.util.spec_from_file_location(self.checks.stem, self.checks)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found: Exercise = module.EXERCISE
        return found

    @property
    def points(self) -> int:
        """Of all checks together."""
        return sum(map(int, re.findall(r"@pytest\.mark\.points\((\d+)\)", self.checks.read_text(encoding="utf-8"))))

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8").rstrip("\n")

    def programs(self, kind: str) -> dict[str, str]:
        """The wrong or the accepted answers by name, as a student would have written them."""
        return {file.stem: program_text(file) for file in sorted((self.folder / kind).glob("*.py"))}


def add_assignment(course: Course, shape: str) -> Pieces:
    """Put an assignment of this name into a course: the notebook, the hidden checks, the accepted answers."""
    pieces = Pieces(shape)
    source = course.source_notebook(shape)
    source.parent.mkdir(parents=True)
    nbformat.write(notebook_of(pieces), source)
    checks = course.hidden_checks(shape) / pieces.exercise
    (checks / "mistakes").mkdir(parents=True)
    (checks / "accepted").mkdir()
    for file in (pieces.checks, *(pieces.folder / "accepted").glob("*.py")):
        target = checks / file.relative_to(pieces.folder)
        target.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    return pieces


def notebook_of(pieces: Pieces) -> nbformat.NotebookNode:
    """The instructor's notebook: text, solution, visible check with the grade."""
    exercise = pieces.exercise
    hidden = f"# The grading process runs tests/hidden/{pieces.shape}/{exercise}/ here; none of it enters this kernel."
    check = f"{pieces.text('visible_check.py')}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    lesson = pieces.text("lesson.md").replace("{{points}}", str(pieces.points))
    common = {"schema_version": 3, "task": False}
    solution = {"grade": False, "grade_id": exercise, "locked": False, "solution": True, **common}
    grade = {"grade": True, "grade_id": f"{exercise}-check", "locked": True, "solution": False, **common}
    cells = [
        nbformat.v4.new_markdown_cell(lesson, id=f"{exercise}-text"),
        nbformat.v4.new_code_cell(pieces.text("solution.py"), id=exercise, metadata={"nbgrader": solution}),
        nbformat.v4.new_code_cell(
            check, id=f"{exercise}-check", metadata={"nbgrader": {**grade, "points": pieces.points}}
        ),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
