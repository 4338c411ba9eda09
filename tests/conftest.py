"""What the tests share: a generated course to copy, and the real commands to grade it with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

PROJECT = Path(__file__).resolve().parent.parent
ASSIGNMENT = "optimization"


@dataclass(frozen=True)
class Classroom:
    """A course folder of its own, generated, with whatever a test hands in."""

    root: Path

    def release(self) -> Any:
        """A fresh copy of the released notebook."""
        return nbformat.read(self.root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)

    def folder_of(self, student: str) -> Path:
        """Where a student's files are handed in; made when missing."""
        folder = self.root / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def hand_in(self, student: str, nb: Any, name: str = f"{ASSIGNMENT}.ipynb") -> Path:
        """Hand in a notebook as it is."""
        path = self.folder_of(student) / name
        path.write_text(json.dumps(nb) if isinstance(nb, dict) else str(nb), encoding="utf-8")
        return path

    def nbgrader(self, *words: str) -> str:
        """Run a real nbgrader command; it must succeed."""
        from stepgrade.classroom import run_nbgrader

        return run_nbgrader(self.root, *words)

    def autograde(self, *words: str) -> str:
        """Run `nbgrader autograde`; its log."""
        return self.nbgrader("autograde", ASSIGNMENT, *words)

    def report(self, student: str) -> dict[str, Any]:
        """The report of a graded student."""
        path = self.root / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.report.json"
        return json.loads(path.read_text(encoding="utf-8"))

    def graded(self, student: str) -> Any:
        """The graded notebook."""
        return nbformat.read(self.root / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)

    def score(self, student: str) -> float:
        """What nbgrader's gradebook says, which must agree with the report."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as gradebook:
            score = gradebook.find_submission(ASSIGNMENT, student).score
        assert score == pytest.approx(sum(e["score"] for e in self.report(student)["exercises"]))
        return float(score)


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder whose assignment has been generated into release/ and the gradebook."""
    from stepgrade.classroom import copy_course, run_nbgrader
    from stepgrade.course import find_course

    root = tmp_path_factory.mktemp("generated")
    copy_course(find_course(PROJECT), root)
    shutil.rmtree(root / "release")
    run_nbgrader(root, "generate_assignment", ASSIGNMENT, "--create", "--Stepgrade.prove_before_release=False")
    return root


@pytest.fixture(scope="module")
def classroom(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """A classroom for one file of tests."""
    root = tmp_path_factory.mktemp("classroom")
    shutil.copytree(generated, root, dirs_exist_ok=True)
    return Classroom(root)


@pytest.fixture(scope="session")
def cases() -> Path:
    """The collection of right and wrong cells that lies beside the project."""
    folder = PROJECT.parent / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip(f"the collection of cases is not at {folder}")
    return folder


@pytest.fixture(scope="session")
def accepted() -> Callable[[str], str]:
    """The text of one accepted answer of an exercise, as a student would have written it."""
    from stepgrade.classroom import program_text

    def text_of(exercise: str) -> str:
        folder = PROJECT / "tests" / "hidden" / ASSIGNMENT / exercise / "accepted"
        return program_text(sorted(folder.glob("*.py"))[0])

    return text_of
