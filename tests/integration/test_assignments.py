"""Small assignments of every shape, from the proof to the class page: none of them is known to the engine.

Each has a class of its own: our solution, the accepted answers, an untouched notebook, and everything that learners do
wrong, through the real command and the real kernel.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from assignments import SHAPES, Pieces, add_assignment
from classes import hand_in, run

from stepgrade.classroom import copy_course, fill, run_nbgrader
from stepgrade.course import find_course
from stepgrade.notebook import cell_named, feedback_text, read_ours
from stepgrade.proofs.proof import Proof
from stepgrade.proofs.prove import prove

PROJECT = Path(__file__).resolve().parents[2]

RECORDED_WRONGLY = {
    "vector": {
        "gradient-at-the-point-ahead",
        "recorded-at-the-end",
        "same-tensor-every-time",
        "values-instead-of-points",
    },
    "two-arguments": {
        "one-round-more",
        "pair-the-other-way-round",
        "recorded-after-the-moves",
        "tensors-in-the-list",
        "value-with-the-pair",
    },
    "text": {"rate-as-it-came", "rate-first", "value-after-the-step"},
}
"""What walks rightly and keeps a part of the points; without an objective there is no walk."""


@dataclass(frozen=True)
class Graded:
    """A course with one assignment of one shape, and its class, graded."""

    root: Path
    pieces: Pieces
    proof: Proof

    @property
    def shape(self) -> str:
        return self.pieces.shape

    def report(self, student: str) -> dict[str, Any]:
        path = self.root / "autograded" / student / self.shape / f"{self.shape}.report.json"
        (exercise,) = json.loads(path.read_text(encoding="utf-8"))["exercises"]
        return exercise

    def told(self, student: str) -> str:
        """What the student reads of the exercise, without the picture."""
        nb = read_ours(self.root / "autograded" / student / self.shape / f"{self.shape}.ipynb")
        return feedback_text(cell_named(nb, f"{self.pieces.exercise}-check"))

    def page(self, student: str) -> str:
        return (self.root / "feedback" / student / self.shape / f"{self.shape}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=SHAPES)
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    shape = request.param
    root = tmp_path_factory.mktemp(shape)
    copy_course(find_course(PROJECT), root)
    pieces = add_assignment(find_course(root), shape)
    proof = prove(find_course(root), shape, with_release=False)  # what it finds out, those who grade need not
    run_nbgrader(root, "generate_assignment", shape, "--create", "--Stepgrade.prove_before_release=False")
    release = read_ours(root / "release" / shape / f"{shape}.ipynb")
    for student, text in handed_in(pieces).items():
        nb = fill(release, {pieces.exercise: text})
        hand_in(root, student, nbformat.writes(nb), f"{shape}.ipynb", shape)
    hand_in(root, "untouched", release, f"{shape}.ipynb", shape)
    run(root, "autograde", shape, "--feedback", "--jobs", "2")
    run(root, "report", shape)
    return Graded(root, pieces, proof)


def handed_in(pieces: Pieces) -> dict[str, str]:
    texts = {"solution": pieces.text("solution.py")}
    texts |= {f"right-{name}": text for name, text in pieces.programs("accepted").items()}
    return texts | {f"wrong-{name}": text for name, text in pieces.programs("wrong").items()}


def test_it_is_fit_for_release(graded: Graded) -> None:
    assert [f"{f.what} → {f.fix}" for f in graded.proof.all_failures] == []


def test_right_answers_earn_everything(graded: Graded) -> None:
    right = [student for student in handed_in(graded.pieces) if not student.startswith("wrong-")]
    assert len(right) >= 2
    for student in right:
        report = graded.report(student)
        assert (report["outcome"], report["score"]) == ("passed", graded.pieces.points), (student, graded.told(student))


def test_an_untouched_notebook_earns_nothing(graded: Graded) -> None:
    assert graded.report("untouched")["score"] == 0


def test_every_wrong_answer_loses_points_and_a_right_walk_keeps_its_part(graded: Graded) -> None:
    kept = set()
    for name in graded.pieces.programs("wrong"):
        report = graded.report(f"wrong-{name}")
        assert report["outcome"] == "failed", (name, report)
        assert report["score"] < graded.pieces.points, name
        if report["score"]:
            assert report["score"] >= graded.pieces.points / 2, name
            kept.add(name)
    assert kept == RECORDED_WRONGLY.get(graded.shape, set())


def test_every_wrong_answer_is_diagnosed_or_unknown_and_nothing_broke(graded: Graded) -> None:
    for name in graded.pieces.programs("wrong"):
        assert not graded.report(f"wrong-{name}").get("not_diagnosed"), name


def test_feedback_tells_where_the_path_was_left_and_draws_both(graded: Graded) -> None:
    for name in graded.pieces.programs("wrong"):
        page, told = graded.page(f"wrong-{name}"), graded.told(f"wrong-{name}")
        assert told.strip(), name
        has_stopped = "Error" in told
        assert has_stopped or "data:image/png;base64," in page, name
        assert has_stopped or re.search(r"[Ss]tep \d|expected|came back|ends before|goes on", told), (name, told)


def test_what_was_written_is_not_told_as_left_blank(graded: Graded) -> None:
    for name in graded.pieces.programs("wrong"):
        assert "has not been filled in" not in graded.told(f"wrong-{name}"), name


def test_feedback_speaks_of_what_the_exercise_has(graded: Graded) -> None:
    for name in graded.pieces.programs("wrong"):
        told = graded.told(f"wrong-{name}")
        if graded.shape in ("no-objective", "data"):
            assert "f(x" not in told and "objective" not in told and " walk" not in told, (name, told)


def test_feedback_gives_no_line_of_the_solution_away(graded: Graded) -> None:
    source = graded.pieces.text("solution.py")
    blocks = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.DOTALL)
    lines = {line.strip() for block in blocks for line in block.splitlines() if len(line.strip()) > 12}
    for name, text in graded.pieces.programs("wrong").items():
        told = graded.told(f"wrong-{name}")
        assert not [line for line in lines if line in told and line not in text], (name, told)


def test_the_class_page_shows_the_exercise(graded: Graded) -> None:
    page = (graded.root / "reports" / f"{graded.shape}.html").read_text(encoding="utf-8")
    assert graded.pieces.exercise in page
    assert "<svg" in page or "data:image/png;base64," in page
