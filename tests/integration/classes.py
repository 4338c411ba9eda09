"""Classes for the tests of whole runs: many answers, mangled files, late ones; and how two course folders compare."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import shown

from stepgrade.classroom import fill, in_turn, run_nbgrader, wrong_answers
from stepgrade.course import find_course
from stepgrade.notebook import cell_named, read_ours

ASSIGNMENT = "optimization"
EXERCISES = ("gradient-descent", "optimizer", "scheduler")
STEPGRADE = str(Path(sys.executable).parent / "stepgrade")
WARNS = "stepped-first"  # torch warns of it: whether its line stands before or after what is printed is left to chance
DUE = datetime(2026, 3, 2, 12, 0, 0)


def solutions(root: Path) -> dict[str, str]:
    """Our own solutions, by exercise."""
    source = read_ours(root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    return {exercise: cell_named(source, exercise).source for exercise in EXERCISES}


def answered(root: Path, number: int, is_right: bool, is_short: bool = True) -> Any:
    """One student's notebook; `is_short` leaves out the cells of the lesson that nothing graded needs."""
    release = read_ours(root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    if is_short:
        cells = [c for c in release.cells if "nbgrader" in c.metadata or c.cell_type == "markdown"]
        release.cells = cells
    programs = solutions(root)
    if not is_right:
        chosen = wrong(root)
        programs = chosen[number % len(chosen)]
    return fill(release, {exercise: f"# student {number}\n{text}" for exercise, text in programs.items()})


@cache
def wrong(root: Path) -> list[dict[str, str]]:
    """Wrong answers to all exercises, the best-known mistakes first."""
    answers = wrong_answers(find_course(root), ASSIGNMENT)
    return in_turn({e: {n: text for n, text in a.items() if WARNS not in n} for e, a in answers.items()})


def add_assignment(root: Path, name: str) -> None:
    """Another assignment with the same exercises under another name, generated."""
    for folder in (root / "source", root / "tests" / "hidden"):
        shutil.copytree(folder / ASSIGNMENT, folder / name)
    notebook = root / "source" / name / f"{ASSIGNMENT}.ipynb"
    notebook.rename(notebook.with_name(f"{name}.ipynb"))
    run_nbgrader(root, "generate_assignment", name, "--create", "--Stepgrade.prove_before_release=False")


def hand_in(root: Path, student: str, nb: Any, name: str = f"{ASSIGNMENT}.ipynb", assignment: str = ASSIGNMENT) -> Path:
    """Hand in a notebook, or any text in its place."""
    folder = root / "submitted" / student / assignment
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(nb if isinstance(nb, str) else nbformat.writes(nb), encoding="utf-8")
    return path


def hand_in_class(root: Path, number: int, num_kinds: int = 10) -> None:
    """Hand in a plain class: every second answer right, the others wrong in some ways."""
    for n in range(number):
        hand_in(root, f"s{n:04}", answered(root, n % num_kinds if n % 2 else n, is_right=n % 2 == 0))


def hand_in_troubles(root: Path) -> list[str]:
    """Hand in what goes wrong in real classes; the students' ids."""
    right = answered(root, 0, is_right=True)
    made: dict[str, Callable[[str], object]] = {}

    def changed(change: Callable[[Any], object]) -> Any:
        nb = copy.deepcopy(right)
        change(nb)
        return nb

    def without_checks(nb: Any) -> None:
        nb.cells = [c for c in nb.cells if not c.metadata.get("nbgrader", {}).get("grade")]

    def edited(nb: Any) -> None:
        cell_named(nb, "gradient-descent-check").source += "\nprint('edited')"

    def more_points(nb: Any) -> None:
        cell_named(nb, "optimizer-check").metadata["nbgrader"]["points"] = 100

    def nameless(nb: Any) -> None:
        for cell in nb.cells:
            cell.metadata.pop("nbgrader", None)

    def twice(nb: Any) -> None:
        nb.cells += copy.deepcopy([cell_named(nb, "scheduler")])

    def invented(nb: Any) -> None:
        nb.cells[-1].metadata["nbgrader"] = {"grade_id": "extra", "grade": True, "points": 5, "schema_version": 3}

    def retyped(nb: Any) -> None:
        cell = cell_named(nb, "optimizer")
        cell.cell_type = "markdown"
        cell.pop("outputs"), cell.pop("execution_count")

    def raising(nb: Any) -> None:
        nb.cells.insert(0, nbformat.v4.new_code_cell("import sys\nprint('x', file=sys.stderr)\n1 / 0", id="own"))

    def outputs(nb: Any) -> None:
        code = "from IPython.display import HTML\nimport os\nprint('a' * 3000)\nprint(sorted(os.listdir('.')))\n10.0"
        nb.cells.insert(0, nbformat.v4.new_code_cell(code, id="own"))

    def many_lines(nb: Any) -> None:
        nb.cells.insert(0, nbformat.v4.new_code_cell("for n in range(1500):\n    print(n)", id="own"))

    def dies(nb: Any) -> None:
        nb.cells.insert(0, nbformat.v4.new_code_cell("import os\nos._exit(3)", id="own"))

    changes = (
        without_checks,
        edited,
        more_points,
        nameless,
        twice,
        invented,
        retyped,
        raising,
        outputs,
        many_lines,
        dies,
    )
    for change in changes:
        nb = changed(change)
        made[change.__name__.replace("_", "-")] = lambda s, nb=nb: hand_in(root, s, nb)
    made["not-json"] = lambda s: hand_in(root, s, '{"cells": [')
    made["empty-file"] = lambda s: hand_in(root, s, "")
    made["with-bom"] = lambda s: hand_in(root, s, "\ufeff" + nbformat.writes(right))
    made["old-format"] = lambda s: hand_in(root, s, nbformat.v3.writes_json(nbformat.convert(copy.deepcopy(right), 3)))
    made["renamed"] = lambda s: hand_in(root, s, right, "Untitled 3.ipynb")
    made["two-notebooks"] = lambda s: (hand_in(root, s, right), hand_in(root, s, right, "scratch.ipynb"))
    made["own-files"] = lambda s: (hand_in(root, s, right), hand_in(root, s, "1,2\n", "data/table.csv"))
    made["own-live-plot"] = lambda s: (hand_in(root, s, right), hand_in(root, s, "import os\n", "live_plot.py"))
    made["mac-files"] = lambda s: (hand_in(root, s, right), hand_in(root, s, "\x00", "._optimization.ipynb"))
    made["untouched"] = lambda s: hand_in(root, s, read_ours(root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"))
    made["late"] = lambda s: (hand_in(root, s, right), hand_in(root, s, "2026-03-03 12:00:00 UTC", "timestamp.txt"))
    made["in-time"] = lambda s: (hand_in(root, s, right), hand_in(root, s, "2026-03-01 12:00:00 CET", "timestamp.txt"))
    for student, act in made.items():
        (root / "submitted" / student / ASSIGNMENT / "data").mkdir(parents=True)
        act(student)
        folder = root / "submitted" / student / ASSIGNMENT / "data"
        if not any(folder.iterdir()):
            folder.rmdir()
    (root / "submitted" / "no-notebook" / ASSIGNMENT).mkdir(parents=True)
    (root / "submitted" / "no-notebook" / ASSIGNMENT / "notes.txt").write_text("sorry")
    wrong = answered(root, 3, is_right=False)
    for n in range(4):
        hand_in(root, f"late-{n}", wrong if n % 2 else right)
        hand_in(root, f"late-{n}", f"2026-03-02 12:00:{n:02} UTC", "timestamp.txt")
    return sorted(path.name for path in (root / "submitted").iterdir() if path.is_dir())


def run(root: Path, *words: str, code: int = 0) -> str:
    """Run the real command; its output."""
    done = subprocess.run(
        [STEPGRADE, *words, "--course", str(root)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def copy_of(root: Path, target: Path) -> Path:
    """Another course folder with the same content."""
    shutil.copytree(root, target, symlinks=True, dirs_exist_ok=True)
    return target


def rows(root: Path) -> dict[str, list[Any]]:
    """The gradebook without its random ids: what a row refers to stands in their place."""
    with sqlite3.connect(root / "gradebook.db") as db:
        query = {
            "students": "SELECT id, first_name, last_name, email, lms_user_id FROM student",
            "submissions": "SELECT a.name, s.student_id, s.timestamp, s.extension FROM submitted_assignment s "
            "JOIN assignment a ON a.id = s.assignment_id",
            "notebooks": "SELECT s.student_id, n.name, r.flagged, r.late_submission_penalty FROM submitted_notebook r "
            "JOIN submitted_assignment s ON s.id = r.assignment_id JOIN notebook n ON n.id = r.notebook_id",
            "grades": "SELECT s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade "
            "FROM grade g JOIN submitted_notebook r ON r.id = g.notebook_id "
            "JOIN submitted_assignment s ON s.id = r.assignment_id JOIN base_cell c ON c.id = g.cell_id",
            "comments": "SELECT s.student_id, c.name, m.auto_comment, m.manual_comment "
            "FROM comment m JOIN submitted_notebook r ON r.id = m.notebook_id "
            "JOIN submitted_assignment s ON s.id = r.assignment_id JOIN base_cell c ON c.id = m.cell_id",
        }
        return {name: sorted(db.execute(text).fetchall(), key=repr) for name, text in query.items()}


def files(folder: Path) -> dict[str, tuple[str, bytes]]:
    """All files below a folder with their modes; what time and memory it took is masked."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".stepgrade"]
        for name in names:
            path = Path(place, name)
            if name != ".gitkeep":
                found[str(path.relative_to(folder))] = (oct(path.stat().st_mode), _masked(path))
    return found


def _masked(path: Path) -> bytes:
    data = path.read_bytes()
    if not path.name.endswith(".answers.json"):
        return data
    return re.sub(rb'"(seconds|memory_mib)": [0-9.e-]+', rb'"\1": 0', data)


def assert_same_folders(one: Path, other: Path) -> None:
    """Same names, modes and bytes, of pages the same as a browser reads them; the first difference is shown."""
    mine, theirs = files(one), files(other)
    assert sorted(mine) == sorted(theirs)
    for name, (mode, data) in mine.items():
        assert mode == theirs[name][0], name
        if name.endswith(".html") and data != theirs[name][1]:
            for element, its in zip(shown.elements(data), shown.elements(theirs[name][1]), strict=True):
                assert element == its, name
            continue
        if data != theirs[name][1]:
            pairs = zip(data.decode().splitlines(), theirs[name][1].decode().splitlines(), strict=False)
            lines = [(a[:300], b[:300]) for a, b in pairs if a != b]
            raise AssertionError(f"{name} differs in {len(lines)} lines: {lines[:3]}")


def scores(root: Path) -> dict[str, float]:
    """What the reports say, by student."""
    found = {}
    for path in (root / "autograded").glob(f"*/{ASSIGNMENT}/{ASSIGNMENT}.report.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        found[report["student"]] = sum(exercise["score"] for exercise in report["exercises"])
    return found
