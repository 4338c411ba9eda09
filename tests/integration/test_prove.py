"""The proof of an assignment: it holds as it stands, and says what to do when something is taken away or broken."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat
import pytest
from rich.console import Console

from stepgrade.classroom import Answers, copy_course, wrong_answers
from stepgrade.course import Course, find_course
from stepgrade.proofs.proof import Proof, braille
from stepgrade.proofs.prove import insist, prove, render

PROJECT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "optimization"


@pytest.fixture(scope="module")
def proven() -> tuple[Proof, float]:
    """The proof of the course as it stands, and its CPU time: the machine may be busy with other things."""
    start = time.process_time()
    proof = prove(find_course(PROJECT), ASSIGNMENT, with_release=False)
    return proof, time.process_time() - start


@pytest.fixture(scope="module")
def proof(proven: tuple[Proof, float]) -> Proof:
    return proven[0]


@pytest.fixture(scope="module")
def cpu_seconds(proven: tuple[Proof, float]) -> float:
    return proven[1]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A copy of the course, to break."""
    copy_course(find_course(PROJECT), tmp_path)
    return find_course(tmp_path)


def checks_of(course: Course, exercise: str) -> Path:
    return course.hidden_checks(ASSIGNMENT) / exercise / f"test_{exercise.replace('-', '_')}.py"


def change(path: Path, how: Callable[[str], str]) -> None:
    before = path.read_text(encoding="utf-8")
    after = how(before)
    assert after != before
    path.write_text(after, encoding="utf-8")


def failures(course: Course) -> str:
    """What a proof finds wrong, and the fixes."""
    return "\n".join(
        f"{f.what} → {f.fix}" for f in prove(course, ASSIGNMENT, with_release=False, in_kernel=False).all_failures
    )


def without_check(name: str) -> Callable[[str], str]:
    check = re.compile(rf"@pytest\.mark\.points\(\d\)\n@pytest[^\n]*\ndef {name}\(.*?(?=\n\n\n|\Z)", re.DOTALL)
    return lambda text: check.sub("", text)


def only(course: Course, exercise: str, *mistakes: str) -> None:
    """Leave these mistakes of one exercise and a few of everything else: enough to break, and faster to prove."""
    for folder in course.hidden_checks(ASSIGNMENT).glob("*/*/"):
        if folder.name not in ("mistakes", "accepted"):
            continue
        paths = sorted(folder.glob("*.py"))
        kept = [p for p in paths if folder.name == "mistakes" and folder.parent.name == exercise and p.stem in mistakes]
        for path in paths:
            if path not in (kept or paths[:2]):
                path.unlink()
        if folder.name == "mistakes" and folder.parent.name == exercise:
            for name in ({*mistakes} & known()[exercise].keys()) - {path.stem for path in paths}:
                (folder / f"{name}.py").write_text(wrong_text(exercise, name), encoding="utf-8")


@cache
def known() -> Answers:
    return wrong_answers(find_course(PROJECT), ASSIGNMENT)


def wrong_text(exercise: str, name: str) -> str:
    """A file of `mistakes/`, with a wrong answer that has none."""
    return f'"""What is said of it?"""\n\n{known()[exercise][name]}'


class TestAsItStands:
    def test_it_holds(self, proof: Proof) -> None:
        assert proof.all_failures == ()
        assert proof.holds

    def test_it_takes_less_than_a_minute(self, cpu_seconds: float) -> None:
        assert cpu_seconds < 60

    def test_every_mistake_is_diagnosed_as_itself_and_nothing_else(self, proof: Proof) -> None:
        for exercise in proof.exercises:
            for mistake in exercise.caught:
                assert mistake.diagnosis.names == (mistake.program.name,), mistake.program.path

    def test_no_right_answer_needs_half_of_the_tolerance(self, proof: Proof) -> None:
        for exercise in proof.exercises:
            assert len(exercise.accepted) >= 20
            assert all(used <= 0.5 and earned == exercise.points for _, earned, used in exercise.accepted)

    def test_the_terminal_shows_matrix_margins_and_verdict(self, proof: Proof) -> None:
        page = io.StringIO()
        render(proof, Console(file=page, width=100))
        text = page.getvalue()
        assert "fit for release" in text
        assert "confusion matrix" in text
        assert "smallest margins" in text
        assert max(map(len, text.splitlines())) <= 100

    def test_a_diagonal_is_drawn_as_a_line(self) -> None:
        assert braille({(i, i) for i in range(4)}, 4) == "⠑⢄"


class TestBroken:
    @pytest.mark.parametrize(
        ("exercise", "check", "says"),
        [
            (
                "gradient-descent",
                "test_by_hand",
                "optimizer-in-by-hand.py earns all points → .*add an input or a check",
            ),
            ("optimizer", "test_records_before_the_update", "earns all points → .*add an input or a check"),
            ("scheduler", "test_follows_torch", "has no check that is meant for it → Add a check `test_follows…`"),
        ],
    )
    def test_a_deleted_check_is_missed(self, course: Course, exercise: str, check: str, says: str) -> None:
        only(course, exercise, "optimizer-in-by-hand", "grad-not-zeroed", "recorded-after")
        change(checks_of(course, exercise), without_check(check))
        found = failures(course)
        assert re.search(says, found), found
        assert re.search(r"the checks are worth \d points, the grade cell \d → Change the markers", found)

    def test_a_check_that_leaves_its_own_mistakes_unjudged_is_found_out(self, course: Course) -> None:
        only(course, "optimizer", "momentum-lost")
        change(
            checks_of(course, "optimizer"),
            lambda text: text.replace("EXERCISE.assert_follows(", "EXERCISE.follows_or_skip("),
        )
        found = failures(course)
        assert "mistake momentum-lost.py is not judged by test_follows_torch, the check meant for it → " in found

    def test_a_loose_tolerance_is_found_out(self, course: Course) -> None:
        only(course, "gradient-descent", "low-precision", "finite-difference", "grad-not-zeroed")
        change(
            checks_of(course, "gradient-descent"),
            lambda text: text.replace("    hidden=HIDDEN,", "    hidden=HIDDEN,\n    rtol=1e-1,"),
        )
        found = failures(course)
        assert re.search(r"low-precision\S* is \S+ tolerances from right; 100 are needed → Choose inputs", found), found
        assert "a smaller rtol" in found

    def test_a_mistake_that_is_right_is_found_out(self, course: Course) -> None:
        only(course, "optimizer", "nesterov")
        folder = course.hidden_checks(ASSIGNMENT) / "optimizer"
        right = (folder / "accepted" / "all-arguments.py").read_text(encoding="utf-8")
        (folder / "mistakes" / "writes-all-arguments.py").write_text(right, encoding="utf-8")
        assert "mistake writes-all-arguments.py earns all points → " in failures(course)
        assert "move the file to accepted/" in failures(course)

    def test_an_accepted_answer_that_is_wrong_is_found_out(self, course: Course) -> None:
        only(course, "optimizer", "nesterov")
        folder = course.hidden_checks(ASSIGNMENT) / "optimizer"
        wrong = (folder / "mistakes" / "nesterov.py").read_text(encoding="utf-8")
        (folder / "accepted" / "looks-ahead.py").write_text(wrong, encoding="utf-8")
        found = failures(course)
        assert "looks-ahead.py is right and earns 0 of 3 points → test_follows_torch says" in found
        assert "move it to mistakes/" in found

    def test_two_mistakes_with_the_same_numbers_must_be_a_declared_basket(self, course: Course) -> None:
        only(course, "optimizer", "nesterov")
        folder = course.hidden_checks(ASSIGNMENT) / "optimizer" / "mistakes"
        (folder / "looks-ahead.py").write_text((folder / "nesterov.py").read_text(encoding="utf-8"), encoding="utf-8")
        found = failures(course)
        assert "looks-ahead and nesterov are 0 tolerances apart → " in found
        assert "declare them as one basket" in found

    def test_weak_inputs_are_found_out(self, course: Course) -> None:
        only(
            course,
            "gradient-descent",
            "l1-loss-against-zero",
            "hand-made-derivative",
            "ignores-f-argument",
            "lr-halved",
        )
        change(
            checks_of(course, "gradient-descent"),
            lambda text: text.replace('"torch.exp(0.3 * x) - 0.7 * x"', '"x ** 2"').replace("- x ** 2 + 0.3 * x", "")
            .replace("0.5 * (x - 3) ** 2 + torch.sin(x)", "x ** 2").replace('"x0": -2.5', '"x0": 8'),
        )  # fmt: skip
        assert "l1-loss-against-zero.py earns all points → " in failures(course)

    def test_points_and_grade_cells_must_agree(self, course: Course) -> None:
        only(course, "optimizer")
        path = course.source_notebook(ASSIGNMENT)
        nb = nbformat.read(path, as_version=4)
        for cell in nb.cells:
            meta = cell.metadata.get("nbgrader", {})
            if meta.get("grade_id") == "optimizer-check":
                meta["points"] = 5
            if meta.get("grade_id") == "scheduler-check":
                meta["grade_id"] = "schedule-check"
        nbformat.write(nb, path)
        found = failures(course)
        assert "optimizer: the checks are worth 3 points, the grade cell 5" in found
        assert "the grade cell schedule-check has no hidden checks → Add a folder of checks" in found
        assert "the checks of scheduler have no grade cell → Add a grade cell with grade_id scheduler-check" in found

    def test_a_solution_of_ours_that_fails_is_found_out(self, course: Course) -> None:
        only(course, "optimizer")
        path = course.source_notebook(ASSIGNMENT)
        change(path, lambda text: text.replace("lr=lr, momentum=momentum", "lr=lr"))
        assert "our solution" in failures(course) or "earns 0 of 3 points" in failures(course)

    def test_a_stale_release_is_found_out(self, course: Course) -> None:
        only(course, "")
        released = course.root / "release" / ASSIGNMENT
        if not released.is_dir():
            pytest.skip("nothing is released yet")
        (released / "live_plot.py").write_text("# an old one\n", encoding="utf-8")
        found = [f for f in prove(course, ASSIGNMENT, in_kernel=False).failures if "live_plot.py" in f.what]
        assert found
        assert "nbgrader generate_assignment" in found[0].fix

    def test_a_release_of_what_is_unfit_is_refused(self, course: Course) -> None:
        import logging

        from stepgrade.errors import ProofError

        only(course, "optimizer")
        change(checks_of(course, "optimizer"), without_check("test_follows_torch"))
        with pytest.raises(ProofError, match="not fit for release"):
            insist(course, ASSIGNMENT, logging.getLogger("test"))


def test_our_own_notebook_must_stay_far_below_the_limits() -> None:
    course = find_course(PROJECT)
    course.settings.cpu_seconds = 0.0003
    failures = prove(course, ASSIGNMENT, with_release=False).failures
    assert failures and all("takes" in f.what and "c.Stepgrade.cpu_seconds" in f.fix for f in failures), failures
