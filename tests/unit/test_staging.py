"""Results between the workers and nbgrader's folders: after a kill, a power cut, and where several users grade."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepgrade import staging
from stepgrade.errors import CourseError
from stepgrade.staging import HIDDEN, Run, num_waiting, open_runs


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """The folder `autograded`."""
    folder = tmp_path / "autograded"
    folder.mkdir()
    return folder


def stage(run: Run, student: str, text: str = "graded", assignment: str = "walks") -> None:
    """A complete result."""
    files = run.begin(student) / "files"
    (files / f"{assignment}.ipynb").write_text(text)
    (files / f"{assignment}.report.json").write_text(json.dumps({"assignment": assignment}))
    run.complete(student, {"student": student})


def killed(graded: Path, assignment: str, *students: str) -> None:
    """What a run leaves that is killed with results staged."""
    with open_runs(graded, assignment, False, print) as (run, _):
        for student in students:
            stage(run, student, assignment=assignment)


def said_and_left(graded: Path, assignment: str) -> tuple[list[str], list[str]]:
    """What a run says at its beginning, and whose results it finds; they are not saved."""
    said: list[str] = []
    with open_runs(graded, assignment, False, said.append) as (_, left):
        return said, [student for run in left for student in run.waiting()]


def test_what_was_written_into_a_place_since_is_newer(graded: Path) -> None:
    target = graded / "student-01" / "walks"
    killed(graded, "walks", "student-01")
    with open_runs(graded, "walks", False, print) as (_, (run,)):
        assert not run.is_outdated("student-01", target)
        run.put_in_place("student-01", target)
    killed(graded, "walks", "student-01")
    with open_runs(graded, "walks", False, print) as (_, (run,)):
        assert not run.is_outdated("student-01", target), "what stands there is older"
        (run.staged / "student-01" / "files").rename(graded / "files")
        target.rename(graded / "old")
        (graded / "files").rename(target)  # as a run leaves it that is killed after putting a result in place
        assert not run.is_outdated("student-01", target), "what stands there is the result itself"
        (target / "walks.ipynb").write_text("graded by another command")
        assert run.is_outdated("student-01", target)
    assert (target / "walks.ipynb").read_text() == "graded by another command"


def test_looking_for_what_waits_changes_nothing(graded: Path) -> None:
    assert num_waiting(graded, "walks") == 0 and list(graded.iterdir()) == []
    killed(graded, "walks", "student-01", "student-02")
    killed(graded, "other", "student-01")
    before = sorted(graded.rglob("*"))
    assert num_waiting(graded, "walks") == 2
    assert sorted(graded.rglob("*")) == before


def test_what_is_left_of_an_assignment_is_found_by_its_next_run_alone(graded: Path) -> None:
    killed(graded, "walks", "student-01", "student-02")
    killed(graded, "runs", "student-01")  # a name that a folder of ours has too
    for _ in range(2):
        said, found = said_and_left(graded, "runs")
        assert said == ["2 results of an interrupted run of walks wait: grade walks again to save them"]
        assert found == ["student-01"]
    assert said_and_left(graded, "walks")[1] == ["student-01", "student-02"]


def test_the_results_of_older_runs_come_first(graded: Path) -> None:
    for number in range(5):
        with open_runs(graded, "walks", False, pytest.fail) as (run, _):
            stage(run, f"student-{number}")
    assert said_and_left(graded, "walks")[1] == [f"student-{number}" for number in range(5)]


def test_what_an_earlier_version_left_goes_to_its_assignment(graded: Path) -> None:
    for folder, assignment in (("run-0a", "walks"), ("taken-0b-0", "runs"), ("run-0c", "walks")):
        for part in ("staged", "working", "pages/staged", "pages/working"):
            (graded / HIDDEN / folder / part).mkdir(parents=True)
        old = Run(graded / HIDDEN / folder)
        stage(old, f"student-{folder}", assignment=assignment)
        entry = old.staged / f"student-{folder}" / "entry.json"
        entry.write_text(json.dumps({"student": "x"}))  # they wrote no sizes
    broken = graded / HIDDEN / "run-0c" / "staged" / "student-04" / "files"
    broken.mkdir(parents=True)
    (broken / "walks.report.json").write_text("")
    (graded / HIDDEN / "run-0c" / "staged" / "student-05").mkdir()
    said, found = said_and_left(graded, "walks")
    assert found == ["student-run-0a", "student-run-0c"]
    assert len(said) == 2 and "student-04's was set aside" in said[0] and "of runs wait" in said[1]
    assert said_and_left(graded, "runs")[1] == ["student-taken-0b-0"]
    assert sorted(path.name for path in (graded / HIDDEN).iterdir()) == ["aside", "lock", "runs"]
    (aside,) = (graded / HIDDEN / "aside" / "unknown").iterdir()
    assert aside.name.startswith("student-04-")


@pytest.mark.parametrize(
    "damage", ["empty entry", "half an entry", "no entry", "a list", "empty notebook", "no notebook"]
)
def test_a_result_that_a_power_cut_broke_is_told_and_set_aside(graded: Path, damage: str) -> None:
    killed(graded, "walks", "student-01", "student-02")
    with open_runs(graded, "walks", False, pytest.fail) as (_, (run,)):
        folder, notebook = run.staged / "student-01", "files/walks.ipynb"
        act = {
            "empty entry": lambda: (folder / "entry.json").write_text(""),
            "half an entry": lambda: (folder / "entry.json").write_text('{"student": "stu'),
            "no entry": lambda: (folder / "entry.json").unlink(),
            "a list": lambda: (folder / "entry.json").write_text("[]"),
            "empty notebook": lambda: (folder / notebook).write_text(""),
            "no notebook": lambda: (folder / notebook).unlink(),
        }
        act[damage]()
        with pytest.raises((OSError, ValueError)):
            run.entry("student-01")
        aside = run.set_aside("student-01", graded / "student-01" / "walks")
        assert aside.parent == graded / HIDDEN / "aside" / "walks" and aside.is_dir()
        assert run.waiting() == ["student-02"] and run.entry("student-02") == {"student": "student-02"}


def test_setting_aside_puts_back_what_was_moved_for_it(graded: Path) -> None:
    killed(graded, "walks", "student-01")
    target = graded / "student-01" / "walks"
    with open_runs(graded, "walks", False, pytest.fail) as (_, (run,)):
        moved = run.root / "old" / "student-01"
        moved.mkdir(parents=True)
        (moved / "walks.ipynb").write_text("earlier")
        target.parent.mkdir()
        run.set_aside("student-01", target)
    assert (target / "walks.ipynb").read_text() == "earlier"


def test_a_folder_that_cannot_be_replaced_stays_and_the_result_waits(
    graded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, rename = graded / "student-01" / "walks", Path.rename
    target.mkdir(parents=True)
    (target / "walks.ipynb").write_text("earlier")

    def refuse(path: Path, other: Path) -> Path:
        if path.name == "files":
            raise PermissionError(13, "Permission denied", str(other))
        return rename(path, other)

    with open_runs(graded, "walks", False, pytest.fail) as (run, _):
        stage(run, "student-01")
        monkeypatch.setattr(Path, "rename", refuse)
        with pytest.raises(PermissionError):
            run.put_in_place("student-01", target)
        monkeypatch.undo()
    assert (target / "walks.ipynb").read_text() == "earlier"
    with open_runs(graded, "walks", False, pytest.fail) as (_, (run,)):
        run.put_in_place("student-01", target)
    assert (target / "walks.ipynb").read_text() == "graded"


def test_the_disk_is_asked_to_hold_what_is_staged(graded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink().name))
    with open_runs(graded, "walks", False, pytest.fail) as (run, _):
        stage(run, "student-01")
        run.flush()  # by the system's one call; it must not fail
        monkeypatch.setattr(staging.ctypes, "CDLL", lambda *_, **__: object())
        run.flush()
    assert set(synced) == {"staged", "student-01", "files", "entry.json", "walks.ipynb", "walks.report.json"}


# -------------------------------------------------------------------------------------------------------- other users

AS_OTHER = """
import os, pwd, sys, tempfile
from pathlib import Path
from stepgrade.staging import open_runs
with tempfile.TemporaryDirectory() as folder, open_runs(Path(folder), "walks", True, print):
    pass  # all is loaded that another user could not read here
os.umask(int(sys.argv[3]))
if sys.argv[4]:
    os.setgroups([]), os.setuid(int(sys.argv[4]))
try:
    with open_runs(Path(sys.argv[1]), "walks", sys.argv[2] == "shared", print) as (run, left):
        print("open", *[student for each in left for student in each.waiting()])
        for each in left:
            for student in each.waiting():
                each.entry(student)
                each.put_in_place(student, Path(sys.argv[1], student, "walks"))
        run.begin("student-07")
except Exception as problem:
    print(type(problem).__name__, problem)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder `autograded` that every user can reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can run a program as another user")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "autograded"
        folder.mkdir(mode=0o755)
        yield folder


def as_other(place: Path, *words: str, umask: int = 0o022) -> str:
    """Begin a run as another user of root's group; what it says."""
    command = [sys.executable, "-c", AS_OTHER, str(place), *words, str(umask), str(pwd.getpwnam("nobody").pw_uid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_another_users_lock_file_is_named_in_one_line(place: Path) -> None:
    with umask(0o022):
        killed(place, "walks", "student-01")
    place.chmod(0o777)
    said = as_other(place, "own")
    assert said.startswith(f"CourseError {place / HIDDEN / 'lock'} is root's") and said.count("\n") == 1
    assert "groupshared" in said


def test_a_shared_course_is_graded_on_by_others_of_the_group(place: Path) -> None:
    place.chmod(0o2775)
    with umask(0o077), open_runs(place, "walks", True, pytest.fail) as (run, _):
        stage(run, "student-01")
        stage(run, "student-02")
        for files in run.staged.glob("*/files"):
            files.chmod(0o2775)  # as nbgrader's own `set_permissions` does
            for path in (*files.iterdir(), files.parent / "entry.json"):
                path.chmod(0o664)
    assert stat.S_IMODE((place / HIDDEN / "lock").stat().st_mode) == 0o664
    assert as_other(place, "shared", umask=0o077) == "open student-01 student-02\n"
    assert sorted(path.name for path in place.glob("student-*")) == ["student-01", "student-02"]
    with open_runs(place, "walks", True, pytest.fail) as (_, left):  # and the first goes on after the other
        assert [run.waiting() for run in left] == []


def test_a_lock_file_from_before_the_sharing_is_shared_by_its_owner(place: Path) -> None:
    place.chmod(0o2775)
    with umask(0o022):
        killed(place, "walks")
    assert "CourseError" in as_other(place, "shared")
    with open_runs(place, "walks", True, pytest.fail):
        pass
    assert as_other(place, "shared") == "open\n"


def test_what_another_user_left_for_nobody_else_stays_and_is_named(place: Path) -> None:
    killed(place, "walks", "student-01")
    home = place / HIDDEN
    (run,) = (home / "runs" / "walks").iterdir()
    run.chmod(0o700)
    (home / "runs" / "walks").chmod(0o755)
    for path in (home, home / "runs"):
        path.chmod(0o777)
    (home / "lock").chmod(0o666)
    said = as_other(place, "own")
    assert f"what an interrupted run of root's left in {run} stays there" in said
    assert run.is_dir()
    (home / "runs" / "walks").chmod(0o777)
    assert "PermissionError" in as_other(place, "own")  # asked whose results they are
    assert list(run.parent.glob("*/staged/student-01/entry.json"))


def test_two_runs_at_once_are_refused(graded: Path) -> None:
    code = AS_OTHER.replace('print("open"', 'import time; print("open", flush=True); time.sleep(60); print("end"')
    words = [sys.executable, "-c", code, str(graded), "own", "18", ""]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        with pytest.raises(CourseError, match="another stepgrade is at work"), open_runs(graded, "x", False, print):
            pass
        process.kill()
    assert said_and_left(graded, "walks") == ([], [])
