"""A check of ours that breaks: held scores are told alike by everybody, and who can mend it reads the cause."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path

import nbformat
import pytest
from classes import ASSIGNMENT, EXERCISES, answered, copy_of, hand_in, rows, run

from stepgrade.classroom import run_nbgrader

CHECKS = {
    "gradient-descent": ("test_gradient_descent.py", "by_hand"),
    "optimizer": ("test_optimizer.py", "records_before_the_update"),
}
BREAKS = '    raise LookupError(f"SECRET {inputs} <b>bold</b> \\x1b[31mred")\n'
WHO = {"graded-before": {"gradient-descent": 4.0, "optimizer": 3.0, "scheduler": 3.0}}
WHO["new"] = {"gradient-descent": 0.0, "optimizer": 0.0, "scheduler": 3.0}


def break_checks(root: Path) -> None:
    """Make one check of two exercises raise, and leave their others in order."""
    for exercise, (name, check) in CHECKS.items():
        file = root / "tests" / "hidden" / ASSIGNMENT / exercise / name
        head = f"def test_{check}(student, inputs):\n"
        before, after = file.read_text(encoding="utf-8").split(head)
        question, rest = after.split("\n", 1)
        file.write_text(f"{before}{head}{question}\n{BREAKS}{rest}", encoding="utf-8")


def line_of(root: Path, exercise: str) -> int:
    """Where a check breaks."""
    text = (root / "tests" / "hidden" / ASSIGNMENT / exercise / CHECKS[exercise][0]).read_text(encoding="utf-8")
    return text.splitlines().index(BREAKS.rstrip("\n")) + 1


@pytest.fixture(scope="module")
def broken(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in which one student was graded before the checks broke, and one was not."""
    root = copy_of(generated, tmp_path_factory.mktemp("held") / "course")
    hand_in(root, "graded-before", answered(root, 0, is_right=True))
    run(root, "autograde", ASSIGNMENT)
    hand_in(root, "new", answered(root, 0, is_right=True))
    break_checks(root)
    return root


@pytest.fixture(scope="module")
def by_nbgrader(broken: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The class graded by `nbgrader autograde`, and its log."""
    root = copy_of(broken, tmp_path_factory.mktemp("by-nbgrader") / "course")
    log = run_nbgrader(root, "autograde", ASSIGNMENT, "--force")
    run_nbgrader(root, "generate_feedback", ASSIGNMENT)
    return root, log


@pytest.fixture(scope="module")
def by_stepgrade(broken: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The class graded by `stepgrade autograde`, and what it said."""
    root = copy_of(broken, tmp_path_factory.mktemp("by-stepgrade") / "course")
    return root, run(root, "autograde", ASSIGNMENT, "--force", "--feedback", "--json", code=1)


@pytest.fixture(params=["by_nbgrader", "by_stepgrade"])
def graded(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)[0]


def grades(root: Path) -> dict[str, dict[str, tuple[float | None, bool]]]:
    """What the gradebook has: the automatic score, and whether a person is asked to look."""
    found: dict[str, dict[str, tuple[float | None, bool]]] = {}
    for student, cell, auto, _, _, is_asked in rows(root)["grades"]:
        found.setdefault(student, {})[cell.removesuffix("-check")] = (auto, bool(is_asked))
    return found


def test_the_gradebook_keeps_what_was_there_and_asks_a_person(graded: Path) -> None:
    assert grades(graded) == {
        "graded-before": {"gradient-descent": (4.0, True), "optimizer": (3.0, True), "scheduler": (3.0, False)},
        "new": {"gradient-descent": (None, True), "optimizer": (None, True), "scheduler": (3.0, False)},
    }


def test_a_held_score_is_told_alike_by_everybody(graded: Path) -> None:
    shown = run(graded, "show", ASSIGNMENT)
    seen = json.loads(run(graded, "report", ASSIGNMENT, "--json"))
    table = csv.DictReader(io.StringIO(run(graded, "report", ASSIGNMENT, "--csv")))
    by_student = {row["student"]: row for row in table}
    run_nbgrader(graded, "export", "--to", "grades.csv")
    exported = {r["student_id"]: float(r["score"]) for r in csv.DictReader((graded / "grades.csv").open())}
    for student, scores in WHO.items():
        row = next(row for row in seen["submissions"] if row["student"] == student)
        assert {e: row[f"{e} score"] for e in EXERCISES} == scores
        assert {e: float(by_student[student][f"{e} score"]) for e in EXERCISES} == scores
        assert row["score"] == float(by_student[student]["score"]) == exported[student] == sum(scores.values())
        line = next(line for line in shown.splitlines() if student in line)
        assert [float(s) for s in re.findall(r"(\d+)/\d", line)] == [*scores.values(), sum(scores.values())]
    run(graded, "report", ASSIGNMENT)
    page = (graded / "reports" / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")
    totals = re.findall(r'class="score" data-v="([^"]*)"', page)
    assert list(map(float, totals)) == [sum(WHO[student].values()) for student in sorted(WHO)]


@pytest.fixture(scope="module")
def told(by_nbgrader: tuple[Path, str], by_stepgrade: tuple[Path, str]) -> list[tuple[Path, tuple[str, ...]]]:
    """What every command that people look at says: the run itself, `show`, the class page, `grade`."""
    found = []
    for root, said in (by_nbgrader, by_stepgrade):
        shown = " ".join(run(root, "show", ASSIGNMENT).split())
        run(root, "report", ASSIGNMENT)
        page = (root / "reports" / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")
        assert "<b>bold</b>" not in page
        read = html.unescape(re.sub(r"<[^>]*>", "", page))
        file = root / "submitted" / "new" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        printed = run(root, "grade", str(file), code=1)
        assert "\x1b" not in said + shown + printed
        found.append((root, (said, shown, read, printed)))
    return found


@pytest.mark.parametrize("exercise", CHECKS)
def test_the_cause_is_named_to_those_who_can_mend_it(told: list[tuple[Path, tuple[str, ...]]], exercise: str) -> None:
    name, check = CHECKS[exercise]
    for root, texts in told:
        cause = f"test_{check}: LookupError ({name}, line {line_of(root, exercise)}): SECRET "
        report = json.loads((root / f"autograded/new/{ASSIGNMENT}/{ASSIGNMENT}.report.json").read_text())
        part = next(e for e in report["exercises"] if e["grade_id"] == f"{exercise}-check")
        assert part["outcome"] == "errored" and part["score"] == 0
        assert part["cause"].startswith(cause)
        for text in texts:
            assert cause in text


def test_a_class_is_told_of_each_cause_once(by_stepgrade: tuple[Path, str]) -> None:
    notes = [event["text"] for line in by_stepgrade[1].splitlines() if (event := json.loads(line))["event"] == "note"]
    assert len([note for note in notes if "LookupError" in note]) == len(CHECKS)


def test_students_read_that_it_is_not_theirs_and_no_word_of_ours(graded: Path) -> None:
    for student in WHO:
        folder = f"{student}/{ASSIGNMENT}/{ASSIGNMENT}"
        page = (graded / "feedback" / f"{folder}.html").read_text(encoding="utf-8")
        notebook = (graded / "autograded" / f"{folder}.ipynb").read_text(encoding="utf-8")
        assert "It costs you no points" in page and "This one is on us" in page
        for text in (page, notebook):
            assert not [word for word in ("SECRET", "LookupError", "test_by_hand") if word in text]


def test_a_file_that_could_not_be_graded_is_not_told_points(by_nbgrader: tuple[Path, str], tmp_path: Path) -> None:
    file = tmp_path / f"{ASSIGNMENT}.ipynb"
    file.write_text(nbformat.writes(answered(by_nbgrader[0], 0, is_right=True)), encoding="utf-8")
    said = run(by_nbgrader[0], "grade", str(file), code=1)
    assert "gradient-descent-check: not scored, errored" in said and "3 of 4 points" not in said
    assert f"{ASSIGNMENT}: 3 of 10 points; 7 could not be graded" in said


def test_a_regrade_takes_no_points_that_are_held(by_stepgrade: tuple[Path, str], tmp_path: Path) -> None:
    """Right scores were written, then a check breaks, and somebody asks who would change."""
    root = copy_of(by_stepgrade[0], tmp_path / "course")
    for exercise, (name, _) in CHECKS.items():
        file = root / "tests" / "hidden" / ASSIGNMENT / exercise / name
        file.write_text(file.read_text(encoding="utf-8").replace(BREAKS, ""), encoding="utf-8")
    run(root, "autograde", ASSIGNMENT, "--force")
    before = grades(root)
    assert before["new"]["optimizer"] == (3.0, False)
    break_checks(root)
    said = " ".join(run(root, "regrade", ASSIGNMENT, code=1).split())
    assert "held" in said and "-4" not in said and "-3" not in said
    run(root, "regrade", ASSIGNMENT, "--apply", code=1)
    assert {cell: auto for cell, (auto, _) in grades(root)["new"].items()} == {
        e: before["new"][e][0] for e in EXERCISES
    }
    seen = json.loads(run(root, "report", ASSIGNMENT, "--json"))
    assert {row["score"] for row in seen["submissions"]} == {10.0}
