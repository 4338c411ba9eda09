"""A class graded by one command: the same rows and files as nbgrader's, and what happens when it is run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from classes import (
    ASSIGNMENT,
    DUE,
    STEPGRADE,
    answered,
    assert_same_folders,
    copy_of,
    files,
    hand_in,
    hand_in_class,
    hand_in_troubles,
    rows,
    run,
)

from stepgrade.classroom import run_nbgrader

NUM_STUDENTS = 60
NOBODYS = (".hidden", "two\nlines", "caf\udce9")  # names that no gradebook can hold, or that nbgrader passes over


def set_up(root: Path) -> None:
    """A date that some miss, and a penalty."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.find_assignment(ASSIGNMENT).duedate = DUE
        gradebook.db.commit()
    with (root / "course_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\nc.Stepgrade.seconds_per_cell = 20\n')


@pytest.fixture(scope="module")
def both(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same class twice: graded by nbgrader and by us."""
    root = copy_of(generated, tmp_path_factory.mktemp("nbgrader"))
    set_up(root)
    students = hand_in_troubles(root)
    hand_in_class(root, NUM_STUDENTS - len(students))
    ours = copy_of(root, tmp_path_factory.mktemp("ours"))
    run_nbgrader(root, "autograde", ASSIGNMENT)
    run_nbgrader(root, "generate_feedback", ASSIGNMENT)
    run(ours, "autograde", ASSIGNMENT, "--feedback")
    return root, ours


def test_the_gradebook_has_the_same_rows(both: tuple[Path, Path]) -> None:
    theirs, ours = map(rows, both)
    assert len(theirs["submissions"]) == NUM_STUDENTS
    assert any(row[3] for row in theirs["notebooks"]), "nobody was late"
    assert theirs == ours


def test_autograded_has_the_same_files(both: tuple[Path, Path]) -> None:
    theirs, ours = (root / "autograded" for root in both)
    assert_same_folders(theirs, ours)


def test_feedback_has_the_same_pages(both: tuple[Path, Path]) -> None:
    theirs, ours = (root / "feedback" for root in both)
    assert_same_folders(theirs, ours)


def test_what_was_handed_in_is_the_same(both: tuple[Path, Path]) -> None:
    theirs, ours = (root / "submitted" for root in both)
    assert_same_folders(theirs, ours)


def test_what_nbgrader_graded_is_current(both: tuple[Path, Path]) -> None:
    theirs, _ = both
    before = files(theirs / "autograded")
    assert json.loads(run(theirs, "autograde", ASSIGNMENT, "--json").splitlines()[-1])["done"] == 0
    assert files(theirs / "autograded") == before


@pytest.fixture
def small(generated: Path, tmp_path: Path) -> Path:
    """A class of six, graded."""
    root = copy_of(generated, tmp_path / "course")
    hand_in_class(root, 6)
    run(root, "autograde", ASSIGNMENT)
    return root


def graded_anew(root: Path, *words: str) -> set[str]:
    events = [json.loads(line) for line in run(root, "autograde", ASSIGNMENT, "--json", *words).splitlines()]
    return {event["student"] for event in events if event["event"] == "done"}


def test_only_what_changed_is_graded_again(small: Path) -> None:
    assert graded_anew(small) == set()
    hand_in(small, "s0003", answered(small, 7, is_right=True))
    hand_in(small, "new", answered(small, 8, is_right=True))
    assert graded_anew(small) == {"s0003", "new"}
    assert graded_anew(small, "--force", "--student", "s000[12]") == {"s0001", "s0002"}
    check = small / "tests" / "hidden" / ASSIGNMENT / "optimizer" / "test_optimizer.py"
    check.write_text(check.read_text() + "\n# a change\n")
    assert len(graded_anew(small)) == 7


def test_manual_scores_and_comments_are_kept(small: Path) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{small / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("optimizer-check", ASSIGNMENT, ASSIGNMENT, "s0001").manual_score = 1.5
        gradebook.find_comment("optimizer", ASSIGNMENT, ASSIGNMENT, "s0001").manual_comment = "nearly"
        gradebook.db.commit()
    run(small, "autograde", ASSIGNMENT, "--force")
    with Gradebook(f"sqlite:///{small / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("optimizer-check", ASSIGNMENT, ASSIGNMENT, "s0001")
        assert (grade.manual_score, grade.needs_manual_grade) == (1.5, True)
        assert gradebook.find_comment("optimizer", ASSIGNMENT, ASSIGNMENT, "s0001").comment == "nearly"


@pytest.mark.soak
def test_wrong_calls_are_told_apart(small: Path, tmp_path: Path) -> None:
    run(small, "autograde", "nothing-of-this-name", code=2)
    run(small, "autograde", ASSIGNMENT, "--student", "nobody", code=2)


def begin(root: Path) -> subprocess.Popen[str]:
    command = [STEPGRADE, "autograde", ASSIGNMENT, "--json", "--course", str(root)]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(process: subprocess.Popen[str], event: str) -> list[str]:
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if f'"event": "{event}"' in line:
            return lines
    pytest.fail(f"no {event}: {lines}")


@pytest.mark.soak
@pytest.mark.parametrize("signals", [1, 2])
def test_an_interrupt_loses_nothing(generated: Path, tmp_path: Path, signals: int) -> None:
    root = copy_of(generated, tmp_path / "course")
    hand_in_class(root, 80)
    process = begin(root)
    wait_for(process, "done")
    for _ in range(signals):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    end = json.loads(out.splitlines()[-1])
    assert end["left"] > 0
    assert len(files(root / "autograded")) > 0
    done = {row[0] for row in rows(root)["notebooks"]}
    assert done == {path.parent.name for path in (root / "autograded").glob(f"*/{ASSIGNMENT}")}
    rest = graded_anew(root)
    assert not rest & done or signals == 2
    assert len(rows(root)["notebooks"]) == 80


def test_a_killed_run_is_finished_by_the_next(generated: Path, tmp_path: Path) -> None:
    root = copy_of(generated, tmp_path / "course")
    hand_in_class(root, 30)
    undisturbed = copy_of(root, tmp_path / "undisturbed")
    process = begin(root)
    wait_for(process, "done")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    run(root, "autograde", ASSIGNMENT)
    run(undisturbed, "autograde", ASSIGNMENT)
    assert rows(root) == rows(undisturbed)
    assert_same_folders(root / "autograded", undisturbed / "autograded")
    assert [path.name for path in (root / "autograded" / ".stepgrade").iterdir()] == ["lock"]


@pytest.mark.soak
def test_two_runs_at_once_are_refused(generated: Path, tmp_path: Path) -> None:
    root = copy_of(generated, tmp_path / "course")
    hand_in_class(root, 20)
    process = begin(root)
    wait_for(process, "begin")
    run(root, "autograde", ASSIGNMENT, code=2)
    process.communicate()
    assert process.returncode == 0


def test_a_folder_that_is_nobodys_is_named_and_does_not_stop_the_others(generated: Path, tmp_path: Path) -> None:
    root = copy_of(generated, tmp_path)
    for name in (*NOBODYS, "-rf", "with space", "$(touch x)", "star*", "名前"):
        hand_in(root, name, answered(root, 0, is_right=True))
    command = [STEPGRADE, "autograde", ASSIGNMENT, "--feedback", "--json", "--course", str(root)]
    done = subprocess.run(command, capture_output=True, check=False)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "end", done.stderr
    said = {event["student"]: event["text"] for event in events if event["event"] == "note"}
    assert set(said) == set(NOBODYS) and all("rename the folder" in text for text in said.values())
    assert events[-1]["passed_over"] == 3 and events[-1]["outcomes"] == {"passed": 5} and done.returncode == 1
    assert {path.parent.parent.name for path in (root / "feedback").glob("*/*/*.html")} == {
        *("-rf", "with space", "$(touch x)", "star*", "名前")
    }
    assert all((root / "submitted" / name / ASSIGNMENT).is_dir() for name in NOBODYS)
