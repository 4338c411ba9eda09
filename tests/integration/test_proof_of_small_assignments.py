"""What the proof says of small assignments with something wrong, and that one exercise's trouble stays its own."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from assignments import Pieces, add_assignment

from stepgrade.classroom import copy_course
from stepgrade.course import Course, find_course
from stepgrade.notebook import cell_named, read_ours
from stepgrade.proofs.prove import list_all_mutants, prove
from stepgrade.proofs.scaffold import write_scaffold

PROJECT = Path(__file__).resolve().parents[2]
SHAPE = "no-objective"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    copy_course(find_course(PROJECT), tmp_path)
    return find_course(tmp_path)


@pytest.fixture
def pieces(course: Course) -> Pieces:
    return add_assignment(course, SHAPE)


def failures(course: Course, assignment: str = SHAPE, in_kernel: bool = False) -> list[str]:
    proof = prove(course, assignment, with_release=False, in_kernel=in_kernel)
    return [f"{failure.what} → {failure.fix}" for failure in proof.all_failures]


def change_cell(course: Course, grade_id: str, text: str) -> None:
    path = course.source_notebook(SHAPE)
    nb = read_ours(path)
    cell = cell_named(nb, grade_id)
    assert cell is not None
    cell.source = text
    nbformat.write(nb, path)


def test_survivors_are_told_by_what_was_changed(course: Course, pieces: Pieces) -> None:
    (exercise,) = prove(course, SHAPE, with_release=False, in_kernel=False).exercises
    assert exercise.num_mutants > 200
    assert 0 < len(exercise.survivors) < exercise.num_mutants / 2
    assert all(re.match(r"(our solution|accepted/[\w-]+\.py|the reference), .+", text) for text in exercise.survivors)


def test_all_mutants_are_listed_with_what_a_row_needs(course: Course, pieces: Pieces) -> None:
    rows = list(list_all_mutants(course, SHAPE))
    assert {row[0] for row in rows} == {pieces.exercise}
    assert len({row[1:3] for row in rows}) == len(rows) > 50
    assert any(row[3] == "no-return" for row in rows)
    assert all(row[5] for row in rows)


def test_a_check_that_asks_too_little_is_found_out_by_mutants(course: Course, pieces: Pieces) -> None:
    checks = course.hidden_checks(SHAPE) / pieces.exercise / pieces.checks.name
    text = checks.read_text(encoding="utf-8")
    lax = re.sub(r"EXERCISE\.assert_records\((.*?), inputs\)", r"assert \1.status == 'returned'", text)
    assert lax != text
    checks.write_text(lax, encoding="utf-8")
    found = [line for line in failures(course) if "gives wrong numbers and earns all points" in line]
    assert found
    assert "Let a check compare" in found[0]


def test_a_visible_check_that_fails_on_our_solution_is_told(course: Course, pieces: Pieces) -> None:
    change_cell(course, f"{pieces.exercise}-check", "assert False, 'never'")
    told = [line for line in failures(course, in_kernel=True) if "fails on our own solution" in line]
    assert told
    assert "AssertionError: never" in told[0]


def test_a_visible_check_that_passes_on_an_empty_cell_is_told(course: Course, pieces: Pieces) -> None:
    change_cell(course, f"{pieces.exercise}-check", "print('all is well')")
    assert any("passes where nothing was written" in line for line in failures(course, in_kernel=True))


def test_a_second_proof_of_the_same_thing_takes_a_part_of_the_work(
    course: Course, pieces: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stepgrade.proofs import prove as proving

    assert failures(course, in_kernel=True) == []
    asked: list[str] = []
    monkeypatch.setattr(proving, "_in_kernel", lambda *_: asked.append("kernel") or [])
    monkeypatch.setattr(proving, "grade_sample", lambda *_: asked.append("sample") or [])
    assert failures(course, in_kernel=True) == []
    assert asked == []
    notebook = course.source_notebook(SHAPE)
    notebook.write_text(
        notebook.read_text(encoding="utf-8").replace("That is one cycle", "This is one cycle"), encoding="utf-8"
    )
    assert failures(course, in_kernel=True) == []
    assert asked == ["kernel", "sample"]


def test_trouble_in_one_exercise_says_nothing_against_another(course: Course) -> None:
    write_scaffold(course, "first-steps", ("walk-downhill", "walk-again"))
    checks = course.hidden_checks("first-steps") / "walk-again" / "test_walk_again.py"
    checks.write_text("import a_library_that_nobody_has\n" + checks.read_text(encoding="utf-8"), encoding="utf-8")
    proof = prove(course, "first-steps", with_release=False, in_kernel=False)
    assert [exercise.name for exercise in proof.exercises] == ["walk-downhill"]
    assert [failure for exercise in proof.exercises for failure in exercise.failures] == []
    told = [failure.what for failure in proof.failures]
    assert any("walk-again cannot be judged" in what and "a_library_that_nobody_has" in what for what in told)


def test_an_exercise_that_cannot_be_a_measure_is_told_with_its_remedy(course: Course) -> None:
    write_scaffold(course, "first-steps", ("walk-downhill", "walk-again"))
    checks = course.hidden_checks("first-steps") / "walk-again" / "test_walk_again.py"
    text = checks.read_text(encoding="utf-8")
    changed = text.replace('objective="f"', 'objective="g"')
    assert changed != text
    checks.write_text(changed, encoding="utf-8")
    proof = prove(course, "first-steps", with_release=False, in_kernel=False)
    assert [exercise.name for exercise in proof.exercises] == ["walk-downhill"]
    assert any("walk-again cannot be judged" in f.what and "`g`" in f.what for f in proof.failures)
