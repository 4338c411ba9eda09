"""Nothing that a student wrote gives orders to the terminal of who grades."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console
from walks import points

from stepgrade import cli, compare, grade, handed_in, notebook, regrade
from stepgrade.classpage import report
from stepgrade.course import find_course
from stepgrade.diagnosis.catalogue import Catalogue, load_catalogue
from stepgrade.diagnosis.diagnose import diagnose
from stepgrade.errors import CourseError
from stepgrade.exercise import Exercise, Objective
from stepgrade.quoting import clean, without_orders
from stepgrade.records import CellResult, Run, StudentError

ROOT = Path(__file__).resolve().parents[2]
ORDERS = "a\x1b]0;owned\x07b\x1b[2Jc\x9b1Ad\x08\x7f\u202ee"
ERROR = StudentError(f"Value{ORDERS}", ORDERS, 3, ORDERS, 1)


def is_safe(text: str) -> bool:
    """Whether no character of it is an order, or turns the reading round."""
    return all(c == "\n" or unicodedata.category(c)[0] != "C" for c in text) and "owned" not in text


def exercise() -> Exercise:
    inputs = {"f": Objective("x"), "x0": 1, "lr": 0.1, "iterations": 3}

    def reference(f: Any, x0: float, lr: float, iterations: int) -> list[float]:
        return [f(torch.tensor([float(x0)])).item() for _ in range(iterations)]

    return Exercise("walk", "walk", ("f(x_t)",), reference, inputs, ())


def test_orders_are_taken_out_and_lines_stay() -> None:
    assert without_orders(f"{ORDERS}\n\tx") == "abcde\n\tx"
    assert clean(f"{ORDERS}\n\tx") == "abcde x"


def of_a_failed_cell(tmp_path: Path) -> str:
    error = {"output_type": "error", "ename": f"E{ORDERS}", "evalue": ORDERS, "traceback": []}
    nb = new_notebook(cells=[new_code_cell("1/0")])
    return grade._message(nb, exercise(), [({}, Run("missing"))], CellResult("error", (error,)))


def of_a_stopped_cell(tmp_path: Path) -> str:
    (note,) = grade._notes_on_cells([new_code_cell("1")], [CellResult("died", message=ORDERS)])
    return note


def of_a_text_instead_of_a_notebook(tmp_path: Path) -> str:
    (tmp_path / "a.ipynb").write_text(notebook.STAND_IN + ORDERS, encoding="utf-8")
    return notebook.read_submission(tmp_path / "a.ipynb").trouble


def of_a_renamed_notebook(tmp_path: Path) -> str:
    name = f"{ORDERS}.ipynb"
    nbformat.write(new_notebook(), tmp_path / name)
    (tmp_path / "a.ipynb").symlink_to(name)
    (note,) = notebook.read_submission(tmp_path / "a.ipynb").notes
    return note


def of_a_folder_without_a_notebook(tmp_path: Path) -> str:
    (tmp_path / f"{ORDERS}.txt").write_text("x")
    handed_in.settle(tmp_path, "a")
    return (tmp_path / "a.ipynb").read_text(encoding="utf-8")


def of_a_check(tmp_path: Path) -> str:
    runs = [Run("raised", error=ERROR), Run("died", message=ORDERS)]
    runs += [Run("returned", returned=value) for value in ({"object": ORDERS}, [{"str": ORDERS}])]
    return " ".join(_judged(run) for run in runs)


def _judged(run: Run) -> str:
    with pytest.raises(compare.Differs) as raised:
        compare.assert_records(run, Run("returned", returned=[1.0], visited=points(1.0)))
    return raised.value.message


def of_a_diagnosis(tmp_path: Path) -> str:
    (tmp_path / "walk" / "mistakes").mkdir(parents=True)
    catalogue: Catalogue = load_catalogue(tmp_path / "walk", exercise())
    return diagnose(exercise(), [(exercise().lesson, Run("raised", error=ERROR))], "", catalogue).remark


def of_a_class(tmp_path: Path) -> str:
    told = {
        "student": ORDERS,
        "notes": [f"there was no notebook (found: {ORDERS})"],
        "exercises": [
            {"grade_id": "walk-check", "score": 0.0, "points": 1.0, "outcome": "failed", "checks": [], "diagnosis": []}
        ],
    }
    folder = tmp_path / "autograded" / "x" / "optimization"
    folder.mkdir(parents=True)
    (folder / "optimization.report.json").write_text(json.dumps(told), encoding="utf-8")
    console = Console(file=io.StringIO(), width=200)
    course = find_course(ROOT)
    report.print_class(type(course)(tmp_path, course.settings), "optimization", console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def of_who_changes(tmp_path: Path) -> str:
    change = {"grade_id": "walk-check", "before": [1.0, 1.0, "passed"], "after": [0.0, 1.0, "failed"]}
    console = Console(file=io.StringIO(), width=200)
    regrade.show(regrade.Changes({ORDERS: [change]}, [ORDERS], 1), "optimization", console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "say",
    [
        of_a_failed_cell,
        of_a_stopped_cell,
        of_a_text_instead_of_a_notebook,
        of_a_renamed_notebook,
        of_a_folder_without_a_notebook,
        of_a_check,
        of_a_diagnosis,
        of_a_class,
        of_who_changes,
    ],
)
def test_no_order_of_a_student_reaches_a_terminal(say: Callable[[Path], str], tmp_path: Path) -> None:
    said = say(tmp_path)
    assert "abcde" in said or "\\x1b" in said
    assert is_safe(said.replace("\\x1b]0;owned", "")), repr(said)


def test_no_order_in_what_ends_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise CourseError(f"no report can be read (autograded/{ORDERS}/x)\nand others")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == "stepgrade: no report can be read (autograded/abcde/x)\nand others\n"
