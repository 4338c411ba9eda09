"""Grouping equal runs, counting a class, and laying it out for terminals, spreadsheets and comments."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from walks import points

from stepgrade import gradebook
from stepgrade.classpage import comments, drawing, export, overview, page, report
from stepgrade.classpage.clusters import Trace, group_equal, name_traces, trace_of
from stepgrade.errors import CourseError
from stepgrade.exercise import Objective
from stepgrade.records import Check, Run, StudentError

RTOL, ATOL = 1e-4, 1e-6


def returned(*values: float, visited: tuple[float, ...] = ()) -> Run:
    return Run("returned", list(values), visited)


def trace(*values: float) -> Trace:
    return trace_of([returned(*values)], num_columns=1)


# -- groups ------------------------------------------------------------------------------------------------------------


def test_runs_within_tolerance_are_one_group() -> None:
    traces = [trace(64, 40.96), trace(64, 40.9601), trace(64, 41.96), trace(64, 40.96)]
    assert group_equal(traces, RTOL, ATOL) == [[0, 3, 1], [2]]


def test_groups_do_not_depend_on_the_order_of_students() -> None:
    chain = [trace(1 + 0.8e-4 * n) for n in range(6)]  # each is close to the next, the last not to the first
    values = [[chain[n].numbers for n in group] for group in group_equal(chain, RTOL, ATOL)]
    back = [[chain[::-1][n].numbers for n in group] for group in group_equal(chain[::-1], RTOL, ATOL)]
    assert sorted(map(sorted, values)) == sorted(map(sorted, back))


def test_what_most_students_share_leads_a_group() -> None:
    traces = [trace(1.00005), trace(1.0), trace(1.0)]
    assert group_equal(traces, RTOL, ATOL) == [[1, 2, 0]]


def test_walks_that_blow_up_are_equal_where_they_blow_up_alike() -> None:
    traces = [trace(1, math.inf, math.nan), trace(1, math.inf, math.nan), trace(1, -math.inf, math.nan)]
    assert group_equal(traces, RTOL, ATOL) == [[0, 1], [2]]


def test_lists_of_other_lengths_and_other_ends_are_told_apart() -> None:
    error = Run("raised", error=StudentError("TypeError", "x is 3"))
    same_error = Run("raised", error=StudentError("TypeError", "x is 4"))
    runs = [returned(1, 2), returned(1, 2, 3), error, same_error, Run("timed_out"), Run("missing")]
    traces = [trace_of([run], num_columns=1) for run in runs]
    assert group_equal(traces, RTOL, ATOL) == [[2, 3], [0], [1], [4], [5]]


def test_an_extra_look_at_f_does_not_set_a_student_apart() -> None:
    twice = trace_of([returned(64, 41, visited=points(8, 8, 6.4, 6.4))], 1)
    assert twice == trace_of([returned(64, 41, visited=points(8, 6.4))], 1)


def test_without_recorded_numbers_the_walk_decides() -> None:
    walks = [trace_of([Run("returned", None, visited)], 1) for visited in ((8, 6.4), (8, 9.6), (8, 6.4))]
    assert group_equal(walks, RTOL, ATOL) == [[0, 2], [1]]


def test_many_different_walks_are_grouped_in_no_time() -> None:
    traces = [trace_of([returned(*(math.sin(n + t) for t in range(80)))], 1) for n in range(1000)]
    assert len(group_equal(traces, RTOL, ATOL)) == 1000


def test_numbers_that_no_float_holds_are_a_group_of_their_own() -> None:
    traces = [trace_of([Run("returned", [10**400])], 1), trace(1)]
    assert len(group_equal(traces, RTOL, ATOL)) == 2


def test_an_id_stays_when_the_class_grows() -> None:
    (before,) = name_traces("optimizer", [trace(64, 41)], ATOL)
    after = name_traces("optimizer", [trace(5, 6), trace(64, 41), trace(7)], ATOL)
    assert after[1] == before and len(set(after)) == 3
    assert before.startswith("optimizer-") and len(before) == len("optimizer-") + 6


def test_leaders_that_differ_in_the_fifth_digit_have_ids_of_their_own() -> None:
    one, other = name_traces("optimizer", [trace(64, 41.001), trace(64, 41.009)], ATOL)
    assert one != other


# -- a small class -----------------------------------------------------------------------------------------------------


def exercise_of(outcome: str, score: float, diagnosis: tuple[str, ...] = (), gap: Any = None) -> dict[str, Any]:
    checks = [{"name": "follows_torch", "points": 3, "passed": outcome == "passed", "gap": gap}]
    kept = {"grade_id": "by-hand-check", "points": 3.0, "score": score, "outcome": outcome}
    return {**kept, "checks": checks, "diagnosis": list(diagnosis)}


@pytest.fixture
def course(tmp_path: Path) -> Any:
    """A course without hidden checks: what can be said from reports alone."""
    for student, exercise, notes in (
        ("anna", exercise_of("passed", 3.0), []),
        ("ben", exercise_of("failed", 0.0, ("wrong-sign",), {"step": 1, "yours": 92.16, "reference": 40.96}), []),
        ("carl", exercise_of("failed", 0.0, ("wrong-sign",), {"step": 1, "yours": 92.16, "reference": 40.96}), []),
        ("dora", exercise_of("timed_out", 0.0), ["Code cell 3 ran out of time: interrupted."]),
        ("emil", exercise_of("errored", 0.0), ["The cell 'by-hand' was missing; it was put back as released."]),
        ("finn", exercise_of("failed", 0.0, (), {"step": 0, "yours": "nan", "reference": 64}), []),
    ):
        folder = tmp_path / "autograded" / student / "small"
        folder.mkdir(parents=True)
        kept = {"assignment": "small", "notebook": "small", "student": student, "notes": notes, "protections": []}
        (folder / "small.report.json").write_text(json.dumps({**kept, "exercises": [exercise]}))
    return SimpleNamespace(root=tmp_path, assignments=("small",), hidden_checks=lambda name: tmp_path / "nowhere")


@pytest.fixture
def seen(course: Any, monkeypatch: pytest.MonkeyPatch) -> overview.Overview:
    class NoChecks:
        exercises = ()

        def __init__(self, folder: Path) -> None: ...
        def __enter__(self) -> NoChecks:
            return self

        def __exit__(self, *problem: object) -> None: ...

    monkeypatch.setattr(overview, "Checks", NoChecks)
    return overview.look_at_class(course, "small")


def test_a_class_is_counted_from_reports_alone(seen: overview.Overview) -> None:
    (exercise,) = seen.exercises
    assert exercise.outcomes == {"passed": 1, "failed": 3, "timed_out": 1, "errored": 1}
    assert [check.num_passed for check in exercise.checks] == [1]
    assert [(m.names, m.students) for m in seen.mistakes] == [(("wrong-sign",), ("ben", "carl")), ((), ("finn",))]
    words = {cluster.students: cluster.words for cluster in exercise.clusters}
    assert words["ben", "carl"] == "step 1: 92.16 where torch has 40.96"
    assert words[("dora",)] == "did not come to an end"


ANSWERS = {
    "anna": ("passed", "passed"),
    "ben": ("failed", "not judged"),
    "carl": ("passed", "failed"),
    "dora": ("failed", "not judged"),
    "emil": ("passed", "errored"),
    "finn": (),  # the notebook could not be read
}


@pytest.fixture
def answered(course: Any) -> Any:
    """The course, with two checks an exercise and all the answers that they can have."""
    for student, answers in ANSWERS.items():
        file = course.root / "autograded" / student / "small" / "small.report.json"
        kept = json.loads(file.read_text())
        checks = [Check(name, 1.0, v) for name, v in zip(("walks", "records"), answers, strict=False)]  # type: ignore[arg-type]
        kept["exercises"][0]["checks"] = [check.to_json() for check in checks]
        file.write_text(json.dumps(kept))
    return course


def test_what_could_not_be_judged_is_counted_apart(answered: Any, seen: overview.Overview) -> None:
    walks, records = seen.exercises[0].checks
    assert (walks.num_passed, walks.num_failed, walks.num_not_judged) == (3, 2, 1)
    assert (records.num_passed, records.num_failed, records.num_not_judged) == (1, 1, 4)
    text = re.sub(r"<[^>]*>", "", page.render(seen))
    assert "3 of 5" in text and "1 of 2" in text and "not judged for 4" in text
    counts = [{"passed": 3, "failed": 2, "not_judged": 1}, {"passed": 1, "failed": 1, "not_judged": 4}]
    told = export.to_json(seen)["exercises"][0]["checks"]
    assert [{name: check[name] for name in counts[0]} for check in told] == counts
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(export.to_csv(seen)))}
    for student, answers in ANSWERS.items():
        row = rows[student]
        assert (row["by-hand check walks"], row["by-hand check records"]) == (answers or ("not judged", "not judged"))


def test_a_terminal_is_told_how_many_could_not_be_judged(answered: Any) -> None:
    console = Console(file=io.StringIO(), width=200)
    report.print_class(answered, "small", console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "by-hand walks: passed by 3 of 5\n" in said
    assert "by-hand records: passed by 1 of 2, 2 not judged, 1 errored\n" in said


def test_a_check_that_nobody_could_be_asked_is_shown(answered: Any, seen: overview.Overview) -> None:
    counted = overview.CheckCount("walks", "Does it walk?", 1.0, 0, 0, 6)
    exercises = (replace(seen.exercises[0], checks=(counted,)),)
    assert "0 of 0" in re.sub(r"<[^>]*>", "", page.render(replace(seen, exercises=exercises)))


def test_incidents_are_ours_first_then_stopped_then_mended(seen: overview.Overview) -> None:
    kinds = [(incident.kind, incident.student) for incident in overview.find_incidents(seen)]
    assert kinds == [("held", "emil"), ("stopped", "dora"), ("stopped", "dora"), ("mended", "emil")]


def test_a_handle_means_a_cluster_or_a_mistake(seen: overview.Overview) -> None:
    assert [g.student for g in overview.find_students(seen, "by-hand/wrong-sign")[1]] == ["ben", "carl"]
    assert [g.student for g in overview.find_students(seen, "by-hand-right")[1]] == ["anna"]
    with pytest.raises(CourseError, match="there is no cluster"):
        overview.find_students(seen, "by-hand/")


def test_an_unknown_assignment_is_refused_before_anything_is_read(course: Any) -> None:
    with pytest.raises(CourseError, match=r"no assignment '\.\./small'"):
        overview.look_at_class(course, "../small")


def test_equal_wrong_numbers_count_only_when_nothing_explains_them(seen: overview.Overview) -> None:
    members = seen.exercises[0].clusters[0].members
    runs = (({}, returned(1.0, 2.0)),)

    def cluster(outcome: str = "failed", mistakes: tuple[str, ...] = (), num: int = 2, runs: Any = runs) -> bool:
        return overview.Cluster("c", "e", members[:num], outcome, mistakes, "", runs).is_same_wrong_numbers

    assert cluster()
    assert not overview.Cluster("c", "e", members, "failed", (), "", runs, was_checked=False).is_undiagnosed
    assert not cluster(outcome="passed") and not cluster(mistakes=("wrong-sign",)) and not cluster(num=1)
    assert not cluster(runs=(({}, returned()),)) and not cluster(runs=(({}, Run("raised")),)) and not cluster(runs=())


def test_the_page_of_a_class_without_numbers_is_whole(seen: overview.Overview) -> None:
    text = page.render(seen)
    assert all(f"<bdi>{student}</bdi>" in text for student in ("anna", "ben", "carl", "dora", "emil", "finn"))
    assert "Held for you" in text and "Stopped at a limit" in text and "No numbers were kept" in text


def test_a_report_that_cannot_be_read_is_named(course: Any, seen: overview.Overview) -> None:
    (course.root / "autograded" / "anna" / "small" / "small.report.json").write_text("{")
    graded, unreadable = report.read_class(course, "small")
    assert len(graded) == 5 and unreadable == ["autograded/anna/small/small.report.json"]


def test_a_student_is_who_the_folder_says(course: Any) -> None:
    file = course.root / "autograded" / "anna" / "small" / "small.report.json"
    file.write_text(file.read_text().replace('"anna"', '"ben"'))
    assert report.read_class(course, "small")[0][0].student == "anna"


# -- words, links, tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "\n@a", "＝1"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(cell: str) -> None:
    assert export._harmless(cell).startswith("'")


@pytest.mark.parametrize("cell", ["anna", "a=1", 3.5, -3.5, None, ""])
def test_other_cells_stay(cell: Any) -> None:
    assert export._harmless(cell) == cell


@pytest.mark.parametrize("student", ["javascript:alert(1)", "a/b?c#d", '"><b>', "caf\udce9", "%2e%2e"])
def test_a_link_stays_in_the_folder_of_feedback(student: str) -> None:
    graded = report.Graded(student, "small", {})
    link = page._link(graded, "small", "../feedback")
    assert link.startswith("../feedback/") and link.endswith("/small/small.html")
    assert link.count("/") == 4 and not set('"<>?#:') & set(link)


def test_bars_end_with_full_points_alone() -> None:
    bins = page._bins([0, 3, 3.5, 3.99, 9.99, 10], 10)
    assert [bin_.num for bin_ in bins] == [1, 0, 0, 3, 0, 0, 0, 0, 0, 1, 1]
    assert len(page._bins([50.0], 100)) == 11 and len(page._bins([0.0], 0.0)) == 11


def test_an_objective_is_shown_as_on_a_board() -> None:
    assert page._pretty(Objective("x ** 4 / 40 - x ** 12 + 0.3 * torch.sin(x)")).replace("\xa0", " ") == (
        "x⁴ / 40 − x¹² + 0.3 sin(x)"
    )


def test_a_drawing_takes_numbers_and_escaped_words_alone() -> None:
    walk = drawing.ClassWalk('"><script>', ((8.0, 64.0), (math.nan, 1.0), (1e300, 2.0)), 3, is_right=False)
    svg = drawing.draw_class(((0.0, 0.0), (8.0, 64.0)), ((8.0, 64.0), (6.4, 40.9)), [walk], ((0, 9), (0, 70)), "<b>")
    assert "<script>" not in svg and "<b>" not in svg and "nan" not in svg and "1e+300" not in svg


@pytest.mark.parametrize(
    ("so_far", "text", "is_there"),
    [
        ("", "Look.", False),
        ("Look.", "Look.", True),
        ("Well begun.\n\nLook.\n\nSee me.", "Look.", True),
        ("Look. Closely.", "Look.", False),
        ("A.\n\nB.", "A.\n\nB.", True),
    ],
)
def test_a_comment_is_there_when_its_paragraphs_are(so_far: str, text: str, is_there: bool) -> None:
    assert comments.has_paragraphs(so_far, text) is is_there


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("", "sqlite:///{root}/gradebook.db"),
        ('c.CourseDirectory.db_url = "sqlite:///grades.db"', "sqlite:///{root}/grades.db"),
        ('c.CourseDirectory.db_url = "sqlite:////srv/grades.db"', "sqlite:////srv/grades.db"),
        ('c.CourseDirectory.db_url = "postgresql://u@h/g"', "postgresql://u@h/g"),
    ],
)
def test_the_gradebook_is_found_from_any_folder(tmp_path: Path, setting: str, address: str) -> None:
    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n{setting}\n")
    found = gradebook.find_gradebook(SimpleNamespace(root=tmp_path))  # type: ignore[arg-type]  # its root is all
    assert found == address.format(root=tmp_path)
