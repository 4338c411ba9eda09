"""A graded class judged again from its recorded numbers: who changes, by how much, and without running anything."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from classes import (
    ASSIGNMENT,
    EXERCISES,
    assert_same_folders,
    copy_of,
    files,
    hand_in_class,
    hand_in_troubles,
    rows,
    run,
    scores,
)

from stepgrade.desk import entry_of
from stepgrade.gradebook import Marks
from stepgrade.staging import open_runs

CHECK = Path("tests") / "hidden" / ASSIGNMENT / "optimizer" / "test_optimizer.py"


@pytest.fixture(scope="module")
def graded(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class with all kinds of trouble, graded."""
    root = copy_of(generated, tmp_path_factory.mktemp("graded"))
    hand_in_troubles(root)
    hand_in_class(root, 12)
    run(root, "autograde", ASSIGNMENT)
    return root


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Path:
    """The class, to change."""
    return copy_of(graded, tmp_path / "course")


def regrade(root: Path, *words: str) -> dict:
    return json.loads(run(root, "regrade", ASSIGNMENT, "--json", *words))


def without_kernels(root: Path) -> None:
    """A course in which starting a kernel fails."""
    with (root / "course_config.py").open("a") as config:
        config.write('\nc.Stepgrade.kernel = "nbclient"\nc.Stepgrade.require_protections = True\n')


def double_a_check(root: Path) -> None:
    """Make the first check of an exercise worth more."""
    text = (root / CHECK).read_text(encoding="utf-8")
    (root / CHECK).write_text(re.sub(r"points\(\d+\)", "points(40)", text, count=1), encoding="utf-8")


def test_nothing_changed_changes_nothing(course: Path) -> None:
    without_kernels(course)
    before = files(course / "autograded"), rows(course)
    assert regrade(course)["by_student"] == {}
    assert (files(course / "autograded"), rows(course)) == before


def test_an_unchanged_class_is_written_as_it_was(course: Path) -> None:
    without_kernels(course)
    before = rows(course)
    original = copy_of(course, course.parent / "original")
    assert regrade(course, "--apply")["unknown"] == []
    assert rows(course) == before
    assert_same_folders(original / "autograded", course / "autograded")


def test_a_list_comes_first_and_writes_nothing(course: Path) -> None:
    without_kernels(course)
    before = files(course / "autograded"), rows(course), scores(course)
    double_a_check(course)
    listed = regrade(course)
    assert listed["by_student"] and not listed["applied"]
    assert (files(course / "autograded"), rows(course)) == before[:2]
    said = run(course, "regrade", ASSIGNMENT)
    assert f"{len(listed['by_student'])} of {listed['num_students']} students would change" in said
    assert "--apply" in said
    regrade(course, "--apply")
    after = scores(course)
    changed = {student for student in after if after[student] != before[2][student]}
    assert changed == set(listed["by_student"])


def everything(root: Path) -> dict[str, Any]:
    """All of a course folder: contents, times, modes and places of files."""
    found: dict[str, Any] = {}
    for place, folders, names in os.walk(root):
        for path in (Path(place, name) for name in (".", *folders, *names)):
            seen = path.lstat()
            content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found[str(path)] = (content, seen.st_mode, seen.st_ino, seen.st_mtime_ns)
    return found


def leave_behind(root: Path, student: str) -> None:
    """What a killed run leaves: a result that is complete, in which everything has earned nothing."""
    with open_runs(root / "autograded", ASSIGNMENT, False, print) as (interrupted, _):
        files = interrupted.begin(student) / "files"
        shutil.copytree(root / "autograded" / student / ASSIGNMENT, files, dirs_exist_ok=True)
        marks = Marks(dict.fromkeys((f"{exercise}-check" for exercise in EXERCISES), 0.0))
        interrupted.complete(student, entry_of(student, None, {ASSIGNMENT: marks}))


def test_what_was_graded_since_wins_over_what_a_killed_run_left(course: Path) -> None:
    without_kernels(course)
    leave_behind(course, "s0000")
    newer = course / "autograded" / "s0000" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    text = newer.read_bytes()
    newer.unlink()
    newer.write_bytes(text)  # as `nbgrader autograde` does
    leave_behind(course, "s0002")
    before = rows(course)["grades"]
    regrade(course, "--apply", "--student", "s0004")
    changed = {row[0] for row in set(before) ^ set(rows(course)["grades"])}
    assert changed == {"s0002"}
    (aside,) = (course / "autograded" / ".stepgrade" / "aside" / ASSIGNMENT).iterdir()
    assert aside.name.startswith("s0000-")


@pytest.mark.parametrize("words", [("--json",), ()], ids=["json", "table"])
def test_looking_writes_nothing_at_all(course: Path, words: tuple[str, ...]) -> None:
    double_a_check(course)
    if words:
        leave_behind(course, "s0000")
    else:  # as where `nbgrader autograde` alone has graded
        shutil.rmtree(course / "autograded" / ".stepgrade")
    for cache in course.rglob("__pycache__"):
        shutil.rmtree(cache)
    with sqlite3.connect(course / "gradebook.db") as db:
        db.execute("DELETE FROM course")  # nbgrader writes its name each time that it is opened
    before = everything(course)
    said = run(course, "regrade", ASSIGNMENT, *words)
    assert everything(course) == before
    assert "s0007" in said


def test_looking_makes_no_gradebook(course: Path) -> None:
    (course / "gradebook.db").unlink()
    before = everything(course)
    run(course, "regrade", ASSIGNMENT, code=2)
    assert everything(course) == before


def test_applying_gives_what_grading_again_gives(course: Path) -> None:
    double_a_check(course)
    again = copy_of(course, course.parent / "again")
    regrade(course, "--apply")
    run(again, "autograde", ASSIGNMENT, "--force")
    assert rows(course) == rows(again)
    assert_same_folders(again / "autograded", course / "autograded")
    assert json.loads(run(course, "autograde", ASSIGNMENT, "--json").splitlines()[-1])["done"] == 0


def test_a_question_never_asked_is_put_to_a_kernel(course: Path) -> None:
    text = (course / CHECK).read_text(encoding="utf-8")
    (course / CHECK).write_text(re.sub(r'"x0": 8\b', '"x0": 7.5', text, count=1), encoding="utf-8")
    listed = regrade(course, "--student", "s000*")
    assert listed["num_students"] == 10
    right = {student for student, changes in listed["by_student"].items() if int(student[1:]) % 2 == 0}
    assert not right, listed["by_student"]
