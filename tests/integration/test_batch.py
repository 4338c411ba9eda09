"""A class graded by one command: the same rows and files as nbgrader's, and what happens when it is run again."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from classes import (
    ASSIGNMENT,
    DUE,
    STEPGRADE,
    add_assignment,
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


def test_what_a_new_gradebook_does_not_hold_is_graded_again(small: Path) -> None:
    before = rows(small)
    old = small / "gradebook-old.db"
    (small / "gradebook.db").rename(old)
    words = ("--create", "--force", "--Stepgrade.prove_before_release=False")
    run_nbgrader(small, "generate_assignment", ASSIGNMENT, *words)
    assert graded_anew(small, "--student", "s000[0-3]") == {f"s000{n}" for n in range(4)}
    with sqlite3.connect(small / "gradebook.db") as db:  # as a run leaves it that ended before its scores were saved
        db.execute("UPDATE grade SET auto_score = NULL WHERE rowid = (SELECT rowid FROM grade LIMIT 1)")
    again = graded_anew(small)
    assert {"s0004", "s0005"} < again and len(again) == 3
    assert rows(small) == before
    assert graded_anew(small) == set()


def test_who_is_in_the_gradebook_is_asked_once(small: Path) -> None:
    from sqlalchemy import event

    from stepgrade.gradebook import ClassBook

    with ClassBook(f"sqlite:///{small / 'gradebook.db'}", "", ASSIGNMENT) as book:
        asked: list[object] = []
        event.listen(book._gradebook.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        assert book.graded_students() == {f"s000{n}" for n in range(6)}
        assert len(asked) == 1


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


def begin(root: Path, *words: str) -> subprocess.Popen[str]:
    command = [STEPGRADE, "autograde", ASSIGNMENT, "--json", "--course", str(root), *words]
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


def stop_with_results_staged(process: subprocess.Popen[str], root: Path) -> list[str]:
    """Halt a run's writer when complete results wait to be saved; whose they are."""
    home = root / "autograded" / ".stepgrade"
    while not list(home.glob("runs/*/*/working/*/files")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGSTOP)  # the workers go on
    while len(found := [path.parent.name for path in home.glob("runs/*/*/staged/*/entry.json")]) < 3:
        assert process.poll() is None
        time.sleep(0.1)
    return found


def kill_with_results_staged(root: Path) -> list[str]:
    """Begin a run and kill it when complete results wait to be saved; whose they are."""
    process = begin(root)
    found = stop_with_results_staged(process, root)
    process.kill()
    process.communicate()
    return found


def totals(root: Path, assignment: str) -> dict[str, float]:
    """The gradebook's scores."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        return {row.student_id: row.score for row in gradebook.assignment_submissions(assignment)}


def notes(events: str) -> list[str]:
    """What a run said, with whom of."""
    found = [json.loads(line) for line in events.splitlines()]
    return [f"{event['student']}: {event['text']}" for event in found if event["event"] == "note"]


def test_what_is_left_of_one_assignment_is_not_saved_as_another_ones(generated: Path, tmp_path: Path) -> None:
    root, other = copy_of(generated, tmp_path / "course"), "second"
    add_assignment(root, other)
    students = [f"s{number}" for number in range(5)]
    for number, student in enumerate(students):  # right in one, wrong in the other
        hand_in(root, student, answered(root, number, is_right=True))
        hand_in(root, student, answered(root, number, is_right=False), f"{other}.ipynb", other)
    left = kill_with_results_staged(root)
    said = notes(run(root, "autograde", other, "--json"))
    assert any(f"{len(left)} results of an interrupted run of {ASSIGNMENT} wait" in note for note in said), said
    assert not list((root / "autograded").glob(f"*/{ASSIGNMENT}"))
    assert all(score < 10 for score in totals(root, other).values()) and totals(root, ASSIGNMENT) == {}
    assert not graded_anew(root) & set(left), "graded twice"
    assert totals(root, ASSIGNMENT) == dict.fromkeys(students, 10.0)
    assert all(score < 10 for score in totals(root, other).values())
    assert {path.parent.name for path in (root / "autograded").glob(f"*/{ASSIGNMENT}")} == set(students)
    assert [path.name for path in (root / "autograded" / ".stepgrade").iterdir()] == ["lock"]


def test_a_broken_result_does_not_stop_the_next_run(generated: Path, tmp_path: Path) -> None:
    root = copy_of(generated, tmp_path)
    students = [f"s{number}" for number in range(5)]
    for student in students:
        hand_in(root, student, answered(root, 0, is_right=True))
    left = kill_with_results_staged(root)
    (entry,) = (root / "autograded" / ".stepgrade").rglob(f"staged/{left[0]}/entry.json")
    entry.write_text("")  # as after a power cut
    said = run(root, "autograde", ASSIGNMENT, "--json")
    assert any(note.startswith(f"{left[0]}: the result is broken") for note in notes(said)), said
    assert totals(root, ASSIGNMENT) == dict.fromkeys(students, 10.0)
    assert len(list((root / "autograded" / ".stepgrade" / "aside" / ASSIGNMENT).iterdir())) == 1
    assert notes(run(root, "autograde", ASSIGNMENT, "--json")) == []


def test_a_result_that_is_older_than_what_is_graded_is_not_saved(generated: Path, tmp_path: Path) -> None:
    root = copy_of(generated, tmp_path)
    for number in range(5):
        hand_in(root, f"s{number}", answered(root, number, is_right=False))
    left = kill_with_results_staged(root)
    hand_in(root, left[0], answered(root, 0, is_right=True))
    run_nbgrader(root, "autograde", ASSIGNMENT, f"--student={left[0]}")
    graded = (root / "autograded" / left[0] / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_bytes()
    said = run(root, "autograde", ASSIGNMENT, "--json")
    assert any(note.startswith(f"{left[0]}: an interrupted run's result is older") for note in notes(said)), said
    assert totals(root, ASSIGNMENT)[left[0]] == 10.0
    assert (root / "autograded" / left[0] / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_bytes() == graded


@pytest.mark.soak
def test_a_second_interrupt_ends_a_run_that_writes_feedback(generated: Path, tmp_path: Path) -> None:
    root = copy_of(generated, tmp_path)
    for number in range(5):
        hand_in(root, f"s{number}", answered(root, 0, is_right=True))
    process = begin(root, "--feedback")
    left = stop_with_results_staged(process, root)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)  # two SIGINT would be one to a process that is halted
    process.send_signal(signal.SIGCONT)
    try:
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, out
    assert json.loads(out.splitlines()[-1])["left"] > 0
    assert len(graded_anew(root, "--feedback")) <= 5 - len(left)
    assert len(totals(root, ASSIGNMENT)) == 5 == len(list((root / "feedback").glob("*/*/*.html")))


DEADLY = """
import os, signal
from nbgrader.preprocessors import NbGraderPreprocessor

class Deadly(NbGraderPreprocessor):
    def preprocess(self, nb, resources):
        if resources["nbgrader"]["student"] == "s3":
            os.kill(os.getpid(), signal.SIGKILL)
        return nb, resources

c.Autograde.sanitize_preprocessors = [Deadly, *c.Autograde.sanitize_preprocessors]
"""


def test_who_kills_the_grading_process_takes_nobody_along(generated: Path, tmp_path: Path) -> None:
    root = copy_of(generated, tmp_path)
    students = [f"s{number}" for number in range(8)]
    for student in students:
        hand_in(root, student, answered(root, 0, is_right=True))
    with (root / "course_config.py").open("a") as config:
        config.write(DEADLY)
    events = [json.loads(line) for line in run(root, "autograde", ASSIGNMENT, "--json", code=1).splitlines()]
    outcomes = {event["student"]: event["outcome"] for event in events if event["event"] == "done"}
    assert outcomes == {**dict.fromkeys(students, "passed"), "s3": "errored"}
    assert totals(root, ASSIGNMENT) == dict.fromkeys(set(students) - {"s3"}, 10.0)


def small_class(generated: Path, root: Path, patience: int) -> sqlite3.Connection:
    """Three submissions, and a hold of the gradebook such as another program has."""
    copy_of(generated, root)
    for number in range(3):
        hand_in(root, f"s{number}", answered(root, 0, is_right=True))
    with (root / "course_config.py").open("a") as config:
        config.write(f"\nc.Stepgrade.seconds_for_gradebook = {patience}\n")
    return sqlite3.connect(root / "gradebook.db", isolation_level=None)


@pytest.mark.parametrize(
    "kind", ["IMMEDIATE", pytest.param("EXCLUSIVE", marks=pytest.mark.soak)]
)  # others may read meanwhile, or not even that
def test_a_gradebook_that_another_program_writes_is_waited_for(generated: Path, tmp_path: Path, kind: str) -> None:
    with closing(small_class(generated, tmp_path, patience=300)) as hold:
        hold.execute(f"BEGIN {kind}")
        process = begin(tmp_path)
        said = wait_for(process, "note")
        time.sleep(6)  # longer than SQLite's driver waits by itself
        hold.rollback()
        out, _ = process.communicate()
    assert "another program is writing the gradebook" in said[-1]
    assert process.returncode == 0, out
    assert totals(tmp_path, ASSIGNMENT) == {"s0": 10.0, "s1": 10.0, "s2": 10.0}


@pytest.mark.parametrize("interrupted", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_gradebook_that_stays_locked_ends_the_run_in_a_line_and_loses_nothing(
    generated: Path, tmp_path: Path, interrupted: bool
) -> None:
    with closing(small_class(generated, tmp_path, patience=300 if interrupted else 1)) as hold:
        hold.execute("BEGIN IMMEDIATE")
        process = begin(tmp_path)
        if interrupted:
            wait_for(process, "note")
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=120)
    assert "Traceback" not in out
    last = out.splitlines()[-1]
    if interrupted:
        assert process.returncode == 130 and json.loads(last)["left"] > 0
    else:
        assert process.returncode == 2 and last.startswith("stepgrade: the gradebook is locked by another program")
    staged = {path.parent.name for path in (tmp_path / "autograded").rglob("staged/*/entry.json")}
    assert staged and not graded_anew(tmp_path) & staged, "graded twice"
    assert totals(tmp_path, ASSIGNMENT) == {"s0": 10.0, "s1": 10.0, "s2": 10.0}


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
