"""nbgrader's own commands on submissions and names that lead elsewhere, and with hooks that fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from classes import ASSIGNMENT, STEPGRADE, answered, copy_of, hand_in
from typer.testing import CliRunner

from stepgrade.classroom import run_nbgrader
from stepgrade.cli import app
from stepgrade.course import load_config
from stepgrade.errors import StepgradeError

CANARY = "CANARY-FILE-9"
HOOK = """
def my_own_hook(**names):
    raise RuntimeError("the disk of the course is full")

c.Autograde.pre_convert_hook = my_own_hook
"""


@pytest.fixture
def root(generated: Path, tmp_path: Path) -> Path:
    """A generated course."""
    return copy_of(generated, tmp_path / "course")


def state(root: Path, *names: str) -> dict[str, Any]:
    """Everything below some folders: contents, times, where links lead."""
    found: dict[str, Any] = {}
    for place, folders, files in (entry for name in names for entry in os.walk(root / name)):
        for path in (Path(place, name) for name in (*folders, *files)):
            seen = path.lstat()
            content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found[str(path)] = (content, seen.st_mode, seen.st_ino, None if path.is_dir() else seen.st_mtime_ns)
    return found


def try_command(root: Path, *words: str) -> tuple[int, str]:
    """A command that may fail: its exit code and what it said."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def test_a_class_is_looked_through_once_for_a_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take a minute at a thousand students: once per submission is one time too often for each."""
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory

    number = 12
    for n in range(number):
        hand_in(root, f"s{n:02}", answered(root, n, is_right=True))
    (root / "submitted" / "s-nothing" / ASSIGNMENT).mkdir(parents=True)
    config = load_config(root)
    config.Autograde.sanitize_preprocessors = config.Autograde.autograde_preprocessors = []
    coursedir = CourseDirectory(config=config, root=str(root), assignment_id=ASSIGNMENT)
    seen: Counter[str] = Counter()
    scandir = os.scandir

    def counting(path: Any = ".") -> Any:
        seen[os.path.normpath(os.fspath(path))] += 1
        return scandir(path)

    monkeypatch.chdir(root)
    monkeypatch.setattr(os, "scandir", counting)
    Autograde(coursedir=coursedir, config=config).start()
    monkeypatch.undo()
    graded = {path.parent.parent.name for path in (root / "autograded").glob("*/*/*.ipynb")}
    assert graded == {"s-nothing", *(f"s{n:02}" for n in range(number))}
    assert seen[str(root / "submitted")] <= 3
    assert max(seen[str(root / "submitted" / f"s{n:02}" / ASSIGNMENT)] for n in range(number)) <= 12


def test_a_hook_of_the_courses_that_fails_is_told_and_guards_nothing_less(root: Path) -> None:
    (root / "canary.txt").write_text(CANARY)
    with (root / "course_config.py").open("a") as config:
        config.write(HOOK)
    hand_in(root, "student-01", answered(root, 0, is_right=True))
    folder = root / "submitted" / "student-01" / ASSIGNMENT
    (folder / "a.txt").symlink_to(root / "canary.txt")
    (folder / "live_plot.py").symlink_to(root / "canary.txt")
    os.mkfifo(folder / "pipe")
    hand_in(root, "student-02", answered(root, 0, is_right=True), "Untitled 3.ipynb")
    (root / "submitted" / "student-03" / ASSIGNMENT).mkdir(parents=True)
    log = run_nbgrader(root, "autograde", ASSIGNMENT)
    for path in (path for path in (root / "autograded").rglob("*") if path.is_file()):
        assert CANARY.encode() not in path.read_bytes(), path
    assert (root / "autograded/student-01" / ASSIGNMENT / "live_plot.py").read_bytes() == (
        root / "source" / ASSIGNMENT / "live_plot.py"
    ).read_bytes()
    warned = [line for line in log.splitlines() if "WARNING" in line and "my_own_hook" in line]
    assert len(warned) == 3 and "the disk of the course is full" in warned[0]
    assert scores(root) == {"student-01": 10, "student-02": 10, "student-03": 0}


def scores(root: Path) -> dict[str, float]:
    """By student, as the gradebook has them."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        return {row.student.id: row.score for row in gradebook.assignment_submissions(ASSIGNMENT)}


PATHS = ("../submitted/student-01", "..")
COMMANDS = ("autograde", "generate_feedback")


@pytest.fixture(scope="module")
def graded(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one student, graded; nothing may change it."""
    root = copy_of(generated, tmp_path_factory.mktemp("graded"))
    hand_in(root, "student-01", answered(root, 0, is_right=True))
    shutil.copytree(root / "submitted", root / "autograded", dirs_exist_ok=True)
    shutil.copytree(root / "source" / ASSIGNMENT, root / ASSIGNMENT)
    return root


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("command", COMMANDS)
def test_nbgrader_touches_nothing_for_a_student_that_is_a_path(graded: Path, command: str, path: str) -> None:
    before = state(graded, ".")
    code, said = try_command(graded, "nbgrader", command, ASSIGNMENT, "--force", f"--student={path}")
    assert state(graded, ".") == before
    assert code != 0 and "is a path and no student's name" in said


@pytest.mark.parametrize(
    ("command", "path"),
    [
        *((command, f"../student-01/{ASSIGNMENT}") for command in COMMANDS),
        ("generate_assignment", f"../source/{ASSIGNMENT}"),
    ],
)
def test_nbgrader_touches_nothing_for_an_assignment_that_is_a_path(graded: Path, command: str, path: str) -> None:
    before = state(graded, ".")
    code, said = try_command(graded, "nbgrader", command, "--force", path)
    assert state(graded, ".") == before
    assert code != 0 and "is a path and no assignment's name" in said


OURS: dict[str, tuple[str, ...]] = {
    **{f"{name} student": (name, ASSIGNMENT, "--student", PATHS[0]) for name in ("autograde", "regrade")},
    **{f"{name} assignment": (name, PATHS[0]) for name in ("autograde", "regrade", "prove", "show", "report")},
    "comment assignment": ("comment", PATHS[0], "optimizer/x", "text"),
    "grade assignment": ("grade", f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb", "--assignment", PATHS[0]),
}


@pytest.mark.parametrize("words", OURS.values(), ids=OURS)
def test_our_commands_touch_nothing_for_a_name_that_is_a_path(
    graded: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(graded)
    before = state(graded, ".")
    done = CliRunner().invoke(app, words)
    assert state(graded, ".") == before
    assert isinstance(done.exception, StepgradeError) and "is a path and no" in str(done.exception)


@pytest.fixture(scope="module", params=["nbgrader", "stepgrade"])
def linked(request: Any, generated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A class in which some hand in links to another's folder: graded; how it was before, what was said."""
    root = copy_of(generated, tmp_path_factory.mktemp(request.param))
    hand_in(root, "student-01", answered(root, 0, is_right=True))
    hand_in(root, "student-01", CANARY, "data.txt")
    hand_in(root, "student-01", "2026-03-03 12:00:00 UTC", "timestamp.txt")
    submitted = root / "submitted"
    (submitted / "student-02").symlink_to("student-01")
    (submitted / "student-03").mkdir()
    (submitted / "student-03" / ASSIGNMENT).symlink_to(submitted / "student-01" / ASSIGNMENT)
    (submitted / "student-04" / "elsewhere").mkdir(parents=True)
    (submitted / "student-04" / ASSIGNMENT).symlink_to("elsewhere")  # no notebook there, and nothing to be put there
    before = state(root, "submitted")
    if request.param == "nbgrader":
        said = run_nbgrader(root, "autograde", ASSIGNMENT)
        said += run_nbgrader(root, "generate_feedback", ASSIGNMENT)
    else:
        code, said = try_command(root, STEPGRADE, "autograde", ASSIGNMENT, "--feedback")
        assert code == 0, said
    return root, before, said


def test_a_folder_that_is_a_link_is_not_graded_as_anothers_work(linked: tuple[Path, dict[str, Any], str]) -> None:
    root, _, said = linked
    assert scores(root) == {"student-01": 10, "student-02": 0, "student-03": 0, "student-04": 0}
    for student in ("student-02", "student-03", "student-04"):
        assert any(student in line and "is a link to another folder" in line for line in said.splitlines()), student
        page = root / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html"
        assert "is a link to another folder" in page.read_text(encoding="utf-8")


def test_of_a_folder_that_is_a_link_nothing_is_read_or_written(linked: tuple[Path, dict[str, Any], str]) -> None:
    root, before, _ = linked
    assert state(root, "submitted") == before
    for student in ("student-02", "student-03", "student-04"):
        for place in ("autograded", "feedback"):
            files = [path for path in (root / place / student).rglob("*") if path.is_file()]
            assert files and not [path for path in files if CANARY.encode() in path.read_bytes()]


def test_a_folder_that_is_a_link_is_graded_once(linked: tuple[Path, dict[str, Any], str]) -> None:
    root, _, _ = linked
    students = [f"autograded/student-{n:02}" for n in range(1, 5)]
    before = state(root, *students)
    code, said = try_command(root, STEPGRADE, "autograde", ASSIGNMENT, "--json")
    assert code == 0 and '"done": 0' in said.splitlines()[-1]
    assert state(root, *students) == before
