"""Every way through the course, by real nbgrader commands: instructor, student, TA, an exchange between them."""

from __future__ import annotations

import csv
import json
import os
import pwd
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from stepgrade.classroom import fill
from stepgrade.notebook import cell_named

COURSE = "optimization-with-torch"
ASSIGNMENT = "optimization"
WHO = pwd.getpwuid(os.geteuid()).pw_name  # nbgrader takes the name of the account that submits


class Person:
    """Somebody at a shell, in a folder of their own."""

    def __init__(self, folder: Path, exchange: Path) -> None:
        self.folder, self.exchange = folder, exchange
        self._env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "STEPGRADE_EXCHANGE": str(exchange),
        }

    def run(self, *words: str, fails: bool = False) -> str:
        """Run a command; by default it must succeed."""
        done = subprocess.run(
            [*words],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert bool(done.returncode) == fails, f"{' '.join(words)}:\n{done.stdout[-4000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exchange")
    folder.chmod(0o777)
    return folder


@pytest.fixture(scope="module")
def instructor(generated: Path, exchange: Path, tmp_path_factory: pytest.TempPathFactory) -> Person:
    root = tmp_path_factory.mktemp("course") / "course"
    shutil.copytree(generated, root)
    shutil.rmtree(root / "release")
    (root / "gradebook.db").unlink()
    return Person(root, exchange)


@pytest.fixture(scope="module")
def student(exchange: Path, tmp_path_factory: pytest.TempPathFactory) -> Person:
    """A student has nbgrader, torch and a course name; nothing of this project."""
    folder = tmp_path_factory.mktemp("student-01")
    lines = [f"c.CourseDirectory.course_id = {COURSE!r}", f"c.Exchange.root = {str(exchange)!r}"]
    (folder / "nbgrader_config.py").write_text("c = get_config()\n" + "\n".join(lines))
    return Person(folder, exchange)


def solve(path: Path, accepted) -> None:
    """Fill in a released notebook as a student would: right by hand, no momentum, the scheduler right."""
    nb = fill(nbformat.read(path, as_version=4), {e: accepted(e) for e in ("gradient-descent", "scheduler")})
    cell_named(nb, "optimizer").source = (
        cell_named(nb, "optimizer")
        .source.replace(
            "    # YOUR CODE HERE\n    raise NotImplementedError()\n    trajectory",
            "    optimizer = torch.optim.SGD([x], lr=lr)\n    trajectory",
        )
        .replace(
            "        # YOUR CODE HERE\n        raise NotImplementedError()",
            "        optimizer.zero_grad()\n        y.backward()\n        optimizer.step()",
        )
    )
    assert "NotImplementedError" not in cell_named(nb, "optimizer").source
    nbformat.write(nb, path)


def test_the_whole_way(instructor: Person, student: Person, accepted) -> None:
    """One story, since each command needs what the one before it left."""
    root, desk = instructor.folder, student.folder

    # The instructor generates, looks at the database, releases.
    instructor.run("nbgrader", "generate_assignment", ASSIGNMENT, "--create", "--Stepgrade.prove_before_release=False")
    released = root / "release" / ASSIGNMENT
    assert sorted(path.name for path in released.iterdir()) == ["live_plot.py", "optimization.ipynb"]
    assert ASSIGNMENT in instructor.run("nbgrader", "db", "assignment", "list")
    instructor.run("nbgrader", "db", "student", "add", WHO)
    instructor.run("nbgrader", "release_assignment", ASSIGNMENT)

    # The student fetches, runs, validates a wrong and a right notebook, submits.
    assert ASSIGNMENT in student.run("nbgrader", "list")
    student.run("nbgrader", "fetch_assignment", ASSIGNMENT)
    notebook = desk / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert "VALIDATION FAILED ON 3 CELL(S)" in student.run("nbgrader", "validate", str(notebook))
    solve(notebook, accepted)
    said = student.run("nbgrader", "validate", str(notebook))
    assert "VALIDATION FAILED ON 1 CELL(S)" in said
    assert "At step 2 your value is" in said and "the reference is 56.840" in said
    student.run("nbgrader", "submit", ASSIGNMENT)

    # The TA collects, grades, gives feedback back, exports.
    instructor.run("nbgrader", "collect", ASSIGNMENT)
    assert (root / "submitted" / WHO / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").exists()
    instructor.run("nbgrader", "autograde", ASSIGNMENT)
    report = json.loads((root / "autograded" / WHO / "optimization/optimization.report.json").read_text())
    assert [e["score"] for e in report["exercises"]] == [4, 0, 3]
    assert [e["outcome"] for e in report["exercises"]] == ["passed", "failed", "passed"]
    assert report["exercises"][1]["checks"][0]["gap"]["step"] == 2
    instructor.run("nbgrader", "generate_feedback", ASSIGNMENT)
    feedback = root / "feedback" / WHO / ASSIGNMENT
    assert [path.name for path in feedback.glob("*.json")] == []
    instructor.run("nbgrader", "release_feedback", ASSIGNMENT)
    student.run("nbgrader", "fetch_feedback", ASSIGNMENT)
    pages = list(desk.glob(f"{ASSIGNMENT}/feedback/*/{ASSIGNMENT}.html"))
    assert len(pages) == 1 and "the reference is 56.8" in pages[0].read_text(encoding="utf-8")
    instructor.run("nbgrader", "generate_solution", ASSIGNMENT)
    solution = nbformat.read(root / "solution" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    assert "All 20 values agree" in nbformat.writes(solution)
    instructor.run("nbgrader", "export", "--to", "grades.csv")
    rows = list(csv.DictReader((root / "grades.csv").open(encoding="utf-8")))
    assert [(row["student_id"], float(row["score"]), float(row["max_score"])) for row in rows] == [(WHO, 7, 10)]


def test_files_from_an_lms_are_collected_and_graded(instructor: Person, accepted) -> None:
    """`zip_collect`: an archive with one good name, one with a time, one that nobody can place."""
    root = instructor.folder
    archive = root / "downloaded" / ASSIGNMENT / "archive"
    archive.mkdir(parents=True)
    nb = root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    with zipfile.ZipFile(archive / "lms.zip", "w") as packed:
        packed.write(nb, "student-11_optimization.ipynb")
        packed.write(nb, "student-12_attempt_2026-11-02-10-00-00_optimization.ipynb")
        packed.writestr("README.ipynb", "{}")
    instructor.run("nbgrader", "zip_collect", ASSIGNMENT)
    collected = sorted(path.parent.parent.name for path in (root / "submitted").glob(f"*/{ASSIGNMENT}/*.ipynb"))
    assert collected == sorted([WHO, "student-11", "student-12"])
    instructor.run("nbgrader", "autograde", ASSIGNMENT)
    for name in ("student-11", "student-12"):
        report = json.loads((root / f"autograded/{name}/optimization/optimization.report.json").read_text())
        assert sum(e["score"] for e in report["exercises"]) == 0


def test_feedback_reaches_the_exchange_whatever_else_lies_there(instructor: Person, student: Person) -> None:
    """Files from an LMS, one put there by hand, and one whose marks its student spoilt: nothing can be fetched with."""
    root = instructor.folder
    others = ["by-hand", "spoilt", "student-11", "student-12"]
    for name in others[:2]:
        shutil.copytree(root / "submitted" / "student-11" / ASSIGNMENT, root / "submitted" / name / ASSIGNMENT)
    (root / "submitted" / "by-hand" / ASSIGNMENT / "timestamp.txt").unlink(missing_ok=True)
    (root / "submitted" / "spoilt" / ASSIGNMENT / "timestamp.txt").write_bytes(b"2026-03-01 \xff\x1b[31m")
    (root / "submitted" / "spoilt" / ASSIGNMENT / "submission_secret.txt").write_text("guessed")
    instructor.run("nbgrader", "autograde", ASSIGNMENT)
    instructor.run("nbgrader", "generate_feedback", ASSIGNMENT)
    shutil.rmtree(student.folder / ASSIGNMENT / "feedback")
    released = sorted((instructor.exchange / COURSE / "feedback").iterdir())  # what the lesson saves as HTML, too
    for page in released:
        page.unlink()
    said = instructor.run("nbgrader", "release_feedback", ASSIGNMENT)
    pages = ", ".join(f"feedback/{name}/{ASSIGNMENT}" for name in others)
    assert f"cannot be fetched there: {pages}. Hand these pages out yourself" in said
    assert released and sorted((instructor.exchange / COURSE / "feedback").iterdir()) == released
    student.run("nbgrader", "fetch_feedback", ASSIGNMENT)
    assert list(student.folder.glob(f"{ASSIGNMENT}/feedback/*/{ASSIGNMENT}.html"))


def test_an_address_in_the_settings_reaches_the_released_notebook(instructor: Person) -> None:
    address = "https://example.org/live_plot.py"
    instructor.run(
        *("nbgrader", "generate_assignment", ASSIGNMENT, "--force", "--Stepgrade.prove_before_release=False"),
        f"--Stepgrade.live_plot_url={address}",
    )
    released = nbformat.read(instructor.folder / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    assert f'LIVE_PLOT_URL = "{address}"' in "\n".join(cell.source for cell in released.cells)


def test_the_released_notebook_runs_alone_up_to_the_first_exercise(instructor: Person, tmp_path: Path) -> None:
    """Handed around without live_plot.py: everything but the exercises runs, and says what is missing."""
    nb = nbformat.read(instructor.folder / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    for cell in nb.cells:
        cell.source = cell.source.replace("https://example.org/live_plot.py", "")
    nb.cells = [cell for cell in nb.cells if "nbgrader" not in cell.metadata]
    nbformat.write(nb, tmp_path / "alone.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "alone.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "put live_plot.py in the folder of this notebook" in (tmp_path / "alone.ipynb").read_text()
