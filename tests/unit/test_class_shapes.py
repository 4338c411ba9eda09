"""The class page of exercises of every shape: what is drawn, what is said, and how unknown numbers get a name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from shapes import BY_NAME, PROGRAMS

from stepgrade.classpage import export, overview, page
from stepgrade.classpage.clusters import group_equal, trace_of
from stepgrade.classpage.report import Graded
from stepgrade.exercise import Exercise, load_program, run_program
from stepgrade.records import Check, Record, Run
from stepgrade.signature import has_signature, read_role, signature_of, to_row

EDITS = {
    "vector": (("x -= lr *", "x -= 2 * lr *"), ("x -= lr * velocity", "x[0] -= lr * velocity[0]")),
    "two_arguments": (("v += rate", "v -= rate"), ("record.append(loss.item())", "record.append(str(loss))")),
    "no_objective": (("(t // step_size)", "(t / step_size)"), ("return", "passes =")),
    "data": (("slope.sum()", "slope.mean()"), ("loss.item(), *w.tolist()", "*w.tolist(), loss.item()")),
}
WRONG = ("ann", "ben", "cleo")  # three with the first edit; "dan" with the second; "eve" right


def runs_of(exercise: Exercise, source: str) -> list[tuple[Any, Run]]:
    return [(inputs, run_program(load_program(source), exercise.call(inputs))) for inputs in exercise.inputs]


def graded(student: str, edit: int | None) -> Graded:
    parts, answers = [], {}
    for shape, exercise in BY_NAME.items():
        source = PROGRAMS[shape] if edit is None else PROGRAMS[shape].replace(*EDITS[shape][edit])
        runs = runs_of(exercise, source)
        answers |= {exercise.call(inputs).key: run for inputs, run in runs}
        check = Check("does_it", 3.0, "passed" if edit is None else "failed").to_json()
        outcome = {"outcome": "passed", "score": 3.0} if edit is None else {"outcome": "failed", "score": 0.0}
        parts.append({"grade_id": exercise.grade_id, "points": 3.0, "checks": [check], "diagnosis": [], **outcome})
    report = {"assignment": "shapes", "student": student, "exercises": parts, "notes": []}
    return Graded(student, "shapes", json.loads(json.dumps(report)), Record(answers=answers))


@pytest.fixture(scope="module")
def everybody() -> list[Graded]:
    return [*(graded(student, 0) for student in WRONG), graded("dan", 1), graded("eve", None)]


@pytest.fixture
def course(tmp_path: Path, everybody: list[Graded], monkeypatch: pytest.MonkeyPatch) -> Any:
    class Declared:
        exercises = tuple(BY_NAME.values())

        def __init__(self, folder: Path) -> None: ...
        def __enter__(self) -> Declared:
            return self

        def __exit__(self, *problem: object) -> None: ...

    monkeypatch.setattr(overview, "Checks", Declared)
    monkeypatch.setattr(overview, "read_class", lambda *args: (everybody, []))
    (tmp_path / "shapes").mkdir()
    return SimpleNamespace(root=tmp_path, assignments=("shapes",), hidden_checks=lambda name: tmp_path / name)


@pytest.fixture
def seen(course: Any) -> overview.Overview:
    return overview.look_at_class(course, "shapes")


def words_of(text: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<script>.*?</script>|<[^>]*>", " ", text, flags=re.S).split())


def part_of(text: str, exercise: str) -> str:
    """The part of the page that shows an exercise's paths."""
    parts = [part.partition("</article>")[0] for part in text.split('<article class="exercise"')]
    return next(part for part in parts if f"<h3>{exercise}</h3>" in part)


def test_each_shape_is_drawn_as_it_is(seen: overview.Overview) -> None:
    text = page.render(seen)
    for exercise, axes, has_contours in (
        ("heavy-ball", ("x[0]", "x[1]"), True),
        ("saddle", ("u", "v"), True),
        ("step-decay", ("step", "rate"), False),
        ("fit", ("step", "loss"), False),
    ):
        part = part_of(text, exercise)
        assert part.count("<figure") == 2
        assert all(f">{axis}</text>" in part for axis in axes), exercise
        assert (part.count('class="contour"') > 5) is has_contours
        assert "nan" not in re.sub(r"<[bp]>.*?</[bp]>", "", part)


def test_inputs_are_told_by_their_names_and_long_lists_shortened(seen: overview.Overview) -> None:
    said = words_of(page.render(seen)).replace("\N{NO-BREAK SPACE}", " ")
    assert "g(u, v) = u² − v² + u v; u = 2, v = −1, rate = 0.1, passes = 10" in said
    assert "lr = 0.5, step_size = 4, gamma = 0.5, passes = 15" in said
    assert "features (a list of 40 lists of 2 numbers, beginning [0.0, 1.0], [0.1, 0.95], …)" in said
    assert "or, where there is none, what was recorded against the steps" in said


def test_without_any_objective_the_page_speaks_of_records(seen: overview.Overview) -> None:
    from dataclasses import replace

    alone = replace(seen, exercises=tuple(e for e in seen.exercises if e.name in ("step-decay", "fit")), mistakes=())
    said = words_of(page.render(alone))
    assert "All that the class recorded, against the steps" in said
    assert "objective" not in said and "walk of" not in said
    assert "torch’s own numbers" in said


def test_tables_hold_every_shape(seen: overview.Overview) -> None:
    assert {c["words"] for e in export.to_json(seen)["exercises"] for c in e["clusters"]} >= {
        "step 1: x[0] −8.1 where torch has −8.55",
        "step 1: loss 1.344 where torch has 1.926",
        "torch’s own path",
        "torch’s own numbers",
    }
    assert "ann" in export.to_csv(seen)


def test_walks_of_other_lengths_are_other_traces() -> None:
    walks = [((1.0, 2.0), (3.0,)), ((1.0,), (2.0, 3.0)), ((1.0, 2.0), (3.0,))]
    traces = [trace_of([Run("returned", None, walk)], 1) for walk in walks]
    assert group_equal(traces, 1e-4, 1e-6) == [[0, 2], [1]]


# -- naming ------------------------------------------------------------------------------------------------------------


def test_an_unknown_cluster_is_named_by_the_row_that_the_page_shows(course: Any, seen: overview.Overview) -> None:
    text = page.render(seen)
    for cluster in (c for e in seen.exercises for c in e.clusters if c.students == WRONG):
        assert cluster.row.startswith('[[mistake]]\noperator = "numbers"')
        assert str(cluster.row.splitlines()[2]).replace('"', "&#34;") in text
        row = cluster.row.replace('name = "…"', 'name = "seen-in-class"').replace('hint = "…"', 'hint = "Look."')
        (course.root / "shapes" / "mistakes.toml").write_text(row)
        again = overview.look_at_class(course, "shapes")
        (named,) = [m for m in again.mistakes if m.names == ("seen-in-class",)]
        assert (named.exercise, named.students, named.hints) == (cluster.exercise, WRONG, ("Look.",))
        assert not [c for c in named.clusters if c.row or c.is_undiagnosed]


def test_there_is_nothing_to_name_where_no_wrong_numbers_came_back(seen: overview.Overview) -> None:
    rows = {(c.exercise, c.students): c.row for e in seen.exercises for c in e.clusters}
    assert not rows["step-decay", ("dan",)] and not rows["saddle", ("dan",)]
    assert rows["fit", ("dan",)]
    assert not any(row for (_, students), row in rows.items() if "eve" in students)


@pytest.mark.parametrize("shape", BY_NAME)
def test_a_signature_is_this_answers_alone(shape: str) -> None:
    exercise = BY_NAME[shape]
    sources = [PROGRAMS[shape], *(PROGRAMS[shape].replace(*edit) for edit in EDITS[shape])]
    answers = [runs_of(exercise, source) for source in sources]
    numbers = signature_of(exercise, answers[1])
    assert signature_of(exercise, answers[0]) == ()
    assert [has_signature(exercise, runs, numbers) for runs in answers] == [False, True, False]
    role = next(line for line in to_row(exercise, numbers).splitlines() if line.startswith("role"))
    assert read_role(role.removeprefix('role = "').removesuffix('"')) == numbers


@pytest.mark.parametrize("role", ["", "*", "update", "0 20 1", "9 20 1 5.0", "0 15 99 1", "0 15 -1 1", "nan inf 1 2"])
def test_a_row_that_holds_something_else_names_nobody(role: str) -> None:
    exercise = BY_NAME["no_objective"]
    assert not has_signature(exercise, runs_of(exercise, PROGRAMS["no_objective"]), read_role(role))


def test_numbers_that_are_none_are_no_signature() -> None:
    exercise = BY_NAME["no_objective"]
    for returned in (None, [float("nan")] * 15, [10**400] * 15, [[]], [float("inf")], {"cut": 3}):
        assert signature_of(exercise, [(inputs, Run("returned", returned)) for inputs in exercise.inputs]) == ()
