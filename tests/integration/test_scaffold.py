"""A new assignment, as `stepgrade new` writes it: it proves as it stands, and nothing is ever overwritten."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest

from stepgrade.classroom import copy_course, program_text
from stepgrade.cli import app
from stepgrade.course import Course, find_course
from stepgrade.errors import CourseError
from stepgrade.notebook import read_ours
from stepgrade.proofs.prove import prove
from stepgrade.proofs.scaffold import write_scaffold

PROJECT = Path(__file__).resolve().parents[2]
NAME, EXERCISES = "first-steps", ("walk-downhill", "walk-again")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A copy of the course, to add to."""
    copy_course(find_course(PROJECT), tmp_path)
    return find_course(tmp_path)


def files_of(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_it_is_fit_for_release_as_it_stands(course: Course) -> None:
    write_scaffold(course, NAME, EXERCISES)
    proof = prove(course, NAME)
    assert proof.all_failures == ()
    assert [(exercise.name, exercise.points) for exercise in proof.exercises] == [
        (name, 3) for name in sorted(EXERCISES)
    ]


def test_it_is_released_and_a_right_answer_earns_everything(course: Course) -> None:
    from stepgrade.classroom import fill, run_nbgrader
    from stepgrade.grade import Grader

    write_scaffold(course, NAME, EXERCISES)
    run_nbgrader(course.root, "generate_assignment", NAME, "--Stepgrade.prove_before_release=False")
    release = read_ours(course.root / "release" / NAME / f"{NAME}.ipynb")
    right = program_text(course.hidden_checks(NAME) / EXERCISES[0] / "accepted" / "fresh-tensor.py")
    with Grader(course, NAME) as grader:
        nb = fill(release, {EXERCISES[0]: right})
        report = grader.grade(nb, NAME, "student-01", course.given_files(NAME))
    assert {e.grade_id: (e.outcome, e.score) for e in report.exercises} == {
        f"{EXERCISES[0]}-check": ("passed", 3),
        f"{EXERCISES[1]}-check": ("failed", 0),
    }


def test_the_notebook_has_the_frame_of_the_lesson(course: Course) -> None:
    write_scaffold(course, NAME, EXERCISES)
    text = course.source_notebook(NAME).read_text(encoding="utf-8")
    nb, lesson = read_ours(course.source_notebook(NAME)), read_ours(course.source_notebook("optimization"))
    nbformat.validate(nb)
    assert json.loads(text)["metadata"] == dict(lesson.metadata)
    assert (nb.nbformat, nb.nbformat_minor) == (lesson.nbformat, lesson.nbformat_minor)
    assert [cell.id for cell in nb.cells] == [
        "introduction",
        *(f"{name}{part}" for name in EXERCISES for part in ("-text", "", "-check")),
        "hand-in",
    ]
    ours = {cell.id: cell.metadata for cell in lesson.cells}
    for name in EXERCISES:
        mine = {cell.id: cell.metadata for cell in nb.cells}
        expected = json.loads(json.dumps(ours["gradient-descent"]).replace("gradient-descent", name))
        assert mine[name] == expected
        expected = json.loads(json.dumps(ours["gradient-descent-check"]).replace("gradient-descent", name))
        assert {**mine[f"{name}-check"]["nbgrader"], "points": 4} == expected["nbgrader"]
    assert not any(cell.get("outputs") for cell in nb.cells)
    assert "{{" not in text, "a place of a template was not filled"


def test_the_visible_check_speaks_to_the_student(course: Course) -> None:
    write_scaffold(course, NAME, EXERCISES)
    cells = {cell.id: cell.source for cell in read_ours(course.source_notebook(NAME)).cells}
    solution, check = cells[EXERCISES[0]], cells[f"{EXERCISES[0]}-check"]
    exec(solution + "\n" + check, {})
    forgot = solution.replace("x.grad.zero_()", "pass")
    with pytest.raises(AssertionError, match=r"At step 2 your value is .*, the reference is .*\n.*pass 1 led there"):
        exec(forgot + "\n" + check, {})
    late = solution.replace("return trajectory", "return trajectory[:-1]")
    with pytest.raises(AssertionError, match=r"12 passes give 12 values,\nand you returned 11"):
        exec(late + "\n" + check, {})


def test_its_files_are_python_that_imports_no_test(course: Course) -> None:
    for file in write_scaffold(course, NAME, EXERCISES):
        if file.suffix == ".py":
            ast.parse(file.read_text(encoding="utf-8"))
    assert course.assignments == (NAME, "optimization")


@pytest.mark.parametrize("place", [f"source/{NAME}", f"tests/hidden/{NAME}", f"release/{NAME}"])
def test_what_is_there_is_not_overwritten(course: Course, place: str) -> None:
    (course.root / place).mkdir(parents=True)
    (course.root / place / "notes.txt").write_text("mine", encoding="utf-8")
    before = files_of(course.root)
    with pytest.raises(CourseError, match=f"{place} is there already, and nothing is overwritten: take another name"):
        write_scaffold(course, NAME, EXERCISES)
    assert files_of(course.root) == before


@pytest.mark.parametrize(
    ("assignment", "exercises", "says"),
    [
        ("First_Steps", ["walk"], "such as 'first-steps'"),
        ("firstSteps", ["walk"], "such as 'first-steps'"),
        ("1-first", ["walk"], "such as 'first'"),
        ("first--steps", ["walk"], "such as 'first-steps'"),
        ("first", ["Walk"], "'Walk' cannot be the name of an exercise"),
        ("first", ["walk downhill"], "such as 'walk-downhill'"),
        ("first", ["schritt-für-schritt"], "cannot be the name"),
        ("first", ["lambda"], "its function could not be called lambda"),
        ("first", ["reach"], "its function could not be called reach"),
        ("first", ["walk", "walk"], "two cells of the notebook would be called 'walk-text'"),
        ("first", ["walk", "walk-check"], "two cells of the notebook would be called 'walk-check'"),
        ("first", ["hand-in"], "two cells of the notebook would be called 'hand-in'"),
        ("first", [], "an assignment needs an exercise"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(
    course: Course, assignment: str, exercises: list[str], says: str
) -> None:
    before = files_of(course.root)
    with pytest.raises(CourseError, match=says):
        write_scaffold(course, assignment, exercises)
    assert files_of(course.root) == before


def test_the_command_says_what_it_wrote_and_what_comes_next(course: Course) -> None:
    from typer.testing import CliRunner

    said = CliRunner().invoke(app, ["new", NAME, *EXERCISES, "--course", str(course.root)])
    assert said.exit_code == 0, said.output
    assert f"source/{NAME}/{NAME}.ipynb\n" in said.output
    assert f"Next: stepgrade prove {NAME}." in said.output
