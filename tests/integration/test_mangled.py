"""Mangled submissions through the real `nbgrader autograde`: each is told why, the rest is graded, no file is lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from stepgrade.classroom import fill
from stepgrade.notebook import cell_named

EXERCISES = ("gradient-descent", "optimizer", "scheduler")


def by_hand(body: str, head: str = "def gradient_descent(f, x0, lr, iterations):") -> str:
    return "\n".join([head, *(f"    {line}" for line in body.splitlines())]) + "\n"


RETURNS = {
    "nan": "return [float('nan')] * iterations",
    "infinity": "return [float('inf')] * iterations",
    "a-string": "return 'sixty-four'",
    "a-million": "return [0.0] * 1_000_000",
    "nothing": "pass",
    "nested-nonsense": "return [[[{}]]]",
}
ENDS = {
    "os-exit": "import os\nos._exit(0)",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "sys-exit": "import sys\nsys.exit(3)",
    "endless": "while True:\n    pass",
    "ignores-interrupt": "import time\nwhile True:\n    try:\n        time.sleep(1)\n"
    "    except KeyboardInterrupt:\n        pass",
    "asks": "return input('what is the answer?')",
}
BY_FUNCTION = {f"function-{name}": by_hand(body) for name, body in {**RETURNS, **ENDS}.items()}
BY_CELL = {f"cell-{name}": body for name, body in ENDS.items() if name != "asks"} | {"cell-asks": "x = input('x?')"}


def _cell_before(nb, source: str):
    nb = copy.deepcopy(nb)
    nb.cells.insert(1, nbformat.v4.new_code_cell(source, id="own"))
    return nb


@pytest.fixture(scope="module")
def graded(classroom, accepted: Callable[[str], str]):
    """One class with every kind of trouble, graded in one run."""
    release = classroom.release()
    best = {exercise: accepted(exercise) for exercise in EXERCISES}
    right = fill(release, best)
    texts: dict[str, str] = {}

    def hand_in(student: str, nb, name: str = "optimization.ipynb") -> None:
        texts[student] = nb if isinstance(nb, str) else nbformat.writes(nb)
        classroom.hand_in(student, texts[student], name)

    for name, function in BY_FUNCTION.items():
        hand_in(name, fill(release, best | {"gradient-descent": function}))
    for name, source in BY_CELL.items():
        hand_in(name, _cell_before(right, source))
    hand_in("first-cell-raises", _cell_before(right, "raise RuntimeError('my own mistake')"))
    hand_in(
        "misnamed",
        fill(release, best | {"gradient-descent": best["gradient-descent"].replace("_descent(", "_decent(")}),
    )
    hand_in("not-json", '{"cells": [')
    hand_in("empty", "")
    hand_in("old-format", nbformat.v3.writes_json(nbformat.convert(copy.deepcopy(right), 3)))
    hand_in("renamed", right, name="Untitled 3.ipynb")
    (classroom.folder_of("no-notebook") / "notes.txt").write_text("sorry")
    kernel = copy.deepcopy(right)
    kernel.metadata.kernelspec = {"name": "conda-env-torch-py", "display_name": "Python [torch]", "language": "python"}
    hand_in("unknown-kernel", kernel)
    deleted = copy.deepcopy(right)
    deleted.cells = [
        c for c in deleted.cells if not c.metadata.get("nbgrader", {}).get("grade_id", "").endswith("-check")
    ]
    hand_in("deleted-grade-cells", deleted)
    gone = copy.deepcopy(right)
    gone.cells = [c for c in gone.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "optimizer"]
    hand_in("deleted-solution", gone)
    twice = copy.deepcopy(right)
    twice.cells.append(copy.deepcopy(cell_named(twice, "scheduler")))
    twice.cells[-1]["id"] = "again"
    hand_in("duplicated", twice)
    retyped = json.loads(nbformat.writes(right))
    for cell in retyped["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in ("gradient-descent", "optimizer-check"):
            cell["cell_type"] = "markdown"
            cell.pop("outputs", None), cell.pop("execution_count", None)
    hand_in("retyped", json.dumps(retyped))
    points = copy.deepcopy(right)
    cell_named(points, "scheduler-check").metadata.nbgrader.points = 3000
    cell_named(points, "scheduler-check").source = "print('3000 points')"
    hand_in("points-edited", points)
    hand_in(
        "warns",
        fill(
            release,
            best | {"gradient-descent": "import warnings\nwarnings.warn('deprecated')\n" + best["gradient-descent"]},
        ),
    )
    hand_in("right", right)
    hand_in("untouched", release)
    log = classroom.autograde("--Stepgrade.seconds_per_cell=3", "--Stepgrade.seconds_per_submission=40")
    classroom.nbgrader("generate_feedback", "optimization")
    return classroom, texts, log


def scores(report) -> list[float]:
    return [exercise["score"] for exercise in report["exercises"]]


def outcomes(report) -> list[str]:
    return [exercise["outcome"] for exercise in report["exercises"]]


def page(classroom, student: str) -> str:
    return (classroom.root / "feedback" / student / "optimization" / "optimization.html").read_text(encoding="utf-8")


def test_every_submission_is_graded_and_has_a_report_and_a_feedback_page(graded) -> None:
    classroom, texts, _ = graded
    for student in [*texts, "no-notebook"]:
        report = classroom.report(student)
        assert (report["assignment"], report["notebook"], report["student"]) == (
            "optimization",
            "optimization",
            student,
        )
        assert [e["grade_id"] for e in report["exercises"]] == [f"{name}-check" for name in EXERCISES]
        assert "errored" not in outcomes(report), student
        assert classroom.score(student) == sum(scores(report))
        assert "BEGIN HIDDEN" not in page(classroom, student)


def test_no_file_of_a_student_is_changed_or_deleted(graded) -> None:
    classroom, texts, _ = graded
    for student, text in texts.items():
        name = "Untitled 3.ipynb" if student == "renamed" else "optimization.ipynb"
        path = classroom.root / "submitted" / student / "optimization" / name
        assert path.read_text(encoding="utf-8") == text, student
    assert (classroom.root / "submitted/no-notebook/optimization/notes.txt").read_text() == "sorry"


@pytest.mark.parametrize(
    "student",
    [
        *("right", "warns", "first-cell-raises", "old-format", "renamed", "unknown-kernel", "deleted-grade-cells"),
        *("duplicated", "retyped", "points-edited", *BY_CELL),
    ],
)
def test_what_is_mangled_around_right_answers_costs_nothing(graded, student: str) -> None:
    assert scores(graded[0].report(student)) == [4, 3, 3]


@pytest.mark.parametrize("student", [*BY_FUNCTION, "misnamed"])
def test_one_broken_function_leaves_the_others_alone(graded, student: str) -> None:
    assert scores(graded[0].report(student)) == [0, 3, 3]


def test_a_deleted_solution_costs_that_exercise_alone(graded) -> None:
    assert scores(graded[0].report("deleted-solution")) == [4, 0, 3]


@pytest.mark.parametrize("student", ["untouched", "not-json", "empty", "no-notebook"])
def test_nothing_earns_nothing(graded, student: str) -> None:
    assert scores(graded[0].report(student)) == [0, 0, 0]
    assert outcomes(graded[0].report(student)) == ["failed"] * 3


@pytest.mark.parametrize("end", ["os-exit", "segfault", "endless", "ignores-interrupt"])
def test_a_function_that_never_comes_back_is_timed_out(graded, end: str) -> None:
    assert outcomes(graded[0].report(f"function-{end}")) == ["timed_out", "passed", "passed"]


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("not-json", "not valid JSON"),
        ("empty", "it is empty"),
        ("no-notebook", "no notebook in the submission (found: notes.txt)"),
        ("old-format", "old format 3"),
        ("renamed", "handed in as Untitled 3.ipynb"),
        ("deleted-grade-cells", "'optimizer-check' was missing"),
        ("deleted-solution", "'optimizer' was missing"),
        ("duplicated", "'scheduler' was there 2 times"),
        ("retyped", "had become a markdown cell"),
        ("points-edited", "points of 'scheduler-check' had been changed"),
        ("cell-endless", "after 3 seconds"),
        ("cell-os-exit", "ended its"),
        ("cell-ignores-interrupt", "after 3 seconds"),
    ],
)
def test_trouble_is_told_in_log_report_and_feedback(graded, student: str, said: str) -> None:
    classroom, _, log = graded
    assert any(said in note for note in classroom.report(student)["notes"])
    assert any(said in line and student in line for line in log.splitlines())
    plain = page(classroom, student).replace("&#39;", "'").replace("&#x27;", "'").replace("\\", "")
    assert said in plain


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("misnamed", "did you rename gradient_descent?"),
        ("function-nothing", "None"),
        ("function-a-string", "sixty-four"),
        ("function-a-million", "1000000"),
        ("function-sys-exit", "SystemExit"),
        ("function-endless", "after 3 seconds"),
        ("function-asks", "return input("),
    ],
)
def test_the_student_is_told_what_their_function_did(graded, student: str, said: str) -> None:
    assert said in page(graded[0], student)


def test_grading_again_with_force_gives_the_same(graded, tmp_path: Path) -> None:
    classroom, _, _ = graded
    before = classroom.report("renamed"), classroom.report("no-notebook")
    classroom.autograde("--force", "--student", "renamed")
    classroom.autograde("--force", "--student", "no-notebook")
    assert (classroom.report("renamed"), classroom.report("no-notebook")) == before
