"""An exercise whose function takes other arguments than the lesson's: judged like any, though not diagnosed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from classes import STEPGRADE

from stepgrade.classroom import fill, hand_in, program_text, run_nbgrader, wrong_answers
from stepgrade.course import find_course
from stepgrade.grade import Grader, as_text
from stepgrade.notebook import read_ours
from stepgrade.progress import failures_of
from stepgrade.records import Report

PROJECT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "optimization"
OTHER_NAMES = {"f": "objective", "x0": "start", "lr": "rate", "iterations": "passes"}


def renamed(text: str) -> str:
    """The hidden checks of the first exercise with other arguments, declared in another order than the signature's."""
    for old, new in OTHER_NAMES.items():
        text = text.replace(f'"{old}":', f'"{new}":').replace(f'="{old}",\n', f'="{new}",\n')
    text = re.sub(r'\{("objective": .*?\)), ("start": [^,]*), (.*)\}', r"{\2, \3, \1}", text)
    assert '{"start": 8, "rate": 0.1, "passes": 20, "objective": Objective("x ** 2")}' in text
    old, new = f"reference({', '.join(OTHER_NAMES)}):", f"reference({', '.join(OTHER_NAMES.values())}):"
    assert old in text
    return text.replace(old, f"{new}\n    {', '.join(OTHER_NAMES)} = {', '.join(OTHER_NAMES.values())}")


@pytest.fixture(scope="module")
def grader(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("other")
    shutil.copytree(generated, root, dirs_exist_ok=True)
    file = root / "tests" / "hidden" / ASSIGNMENT / "gradient-descent" / "test_gradient_descent.py"
    file.write_text(renamed(file.read_text(encoding="utf-8")), encoding="utf-8")
    file = root / "tests" / "hidden" / ASSIGNMENT / "diagnosis" / "__init__.py"
    file.write_text(file.read_text(encoding="utf-8") + BREAKS, encoding="utf-8")
    with Grader(find_course(root), ASSIGNMENT) as opened:
        yield opened


BREAKS = """

def explain(case, explain=explain):
    return {}["iterations"] if case.exercise.name == "gradient-descent" else explain(case)
"""
"""The assignment's own diagnosis, which knows other arguments."""


def programs(root: Path, kind: str, **names: str) -> dict[str, str]:
    folder = root / "tests" / "hidden" / ASSIGNMENT
    chosen = {name.replace("_", "-"): file for name, file in names.items()}
    return {exercise: program_text(folder / exercise / kind / f"{file}.py") for exercise, file in chosen.items()}


def graded(grader: Grader, texts: dict[str, str]) -> tuple[Report, str]:
    root = grader.course.root
    nb = fill(read_ours(root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"), texts)
    nb.cells = [cell for cell in nb.cells if "nbgrader" in cell.metadata]
    report = grader.grade(nb, ASSIGNMENT, "student-01", grader.course.given_files(ASSIGNMENT))
    return report, as_text(nb, report)


def test_a_right_answer_earns_everything(grader: Grader) -> None:
    right = {"gradient_descent": "data-in-place", "optimizer": "module", "scheduler": "by-hand"}
    report, _ = graded(grader, programs(grader.course.root, "accepted", **right))
    assert [(e.outcome, e.score) for e in report.exercises] == [("passed", 4), ("passed", 3), ("passed", 3)]


def wrong_programs(root: Path) -> dict[str, str]:
    """Wrong answers, one of them to the exercise with other arguments, and none that a replay gives."""
    wrong = {"optimizer": "nesterov", "scheduler": "lr-never-decays"}
    answers = wrong_answers(find_course(PROJECT), ASSIGNMENT)
    texts = {exercise: answers[exercise][name] for exercise, name in wrong.items()}
    texts |= programs(root, "accepted", gradient_descent="data-in-place")
    assert "lr * x.grad" in texts["gradient-descent"]
    return texts | {"gradient-descent": texts["gradient-descent"].replace("lr * x.grad", "0.07 * x.grad")}


def test_a_diagnosis_that_raises_costs_nothing_else(grader: Grader) -> None:
    report, text = graded(grader, wrong_programs(grader.course.root))
    first, *others = report.exercises
    assert (first.outcome, first.score, first.diagnosis.names) == ("failed", 0, ())
    assert [(e.outcome, e.diagnosis.names) for e in others] == [
        ("failed", ("nesterov",)),
        ("failed", ("lr-never-decays",)),
    ]
    cause = first.diagnosis.cause
    assert re.fullmatch(r"KeyError \(__init__\.py, line \d+\): 'iterations'", cause)
    assert f"cause: {cause}" in text
    assert first.to_json()["not_diagnosed"] == cause
    told = f"was graded, but its mistake was not diagnosed. {cause}"
    assert failures_of(report.exercises) == [("gradient-descent-check", told)]
    assert "It was not diagnosed which mistake this is. Where to look first:" in text
    assert "At step 1 your f(x_t) is" in text
    assert text.count("KeyError") == 1, "the course's people read it, the student does not"


@pytest.mark.parametrize("tool", ["nbgrader", "stepgrade"])
def test_a_diagnosis_that_raises_is_logged(grader: Grader, tool: str) -> None:
    root = grader.course.root
    nb = fill(read_ours(root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"), wrong_programs(root))
    nb.cells = [cell for cell in nb.cells if "nbgrader" in cell.metadata]
    hand_in(nb, root, f"student-{tool}", ASSIGNMENT)
    if tool == "nbgrader":
        said = run_nbgrader(root, "autograde", ASSIGNMENT, "--create")
    else:
        done = subprocess.run(
            [STEPGRADE, "autograde", ASSIGNMENT, "--course", str(root)], capture_output=True, check=True
        )
        said = done.stderr.decode()
    said = " ".join(said.split())
    assert "gradient-descent-check was graded, but its mistake was not diagnosed. KeyError (" in said
