"""What a verdict follows from: each part of it changes the fingerprint, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stepgrade import ledger
from stepgrade.course import Course, Stepgrade
from stepgrade.ledger import Fingerprint

ASSIGNMENT = "walks"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course whose files and folders are partly links to what lies elsewhere."""
    root = tmp_path / "course"
    given, hidden = root / "source" / ASSIGNMENT, root / "tests" / "hidden" / ASSIGNMENT
    given.mkdir(parents=True)
    hidden.mkdir(parents=True)
    (tmp_path / "shared" / "deeper").mkdir(parents=True)
    for name in ("plots.py", "helper.py", "deeper/helper.py"):
        (tmp_path / "shared" / name).write_text("x = 1\n")
    (given / "plots.py").symlink_to(tmp_path / "shared" / "plots.py")
    (hidden / "helper.py").symlink_to(tmp_path / "shared" / "helper.py")
    (hidden / "deeper").symlink_to(tmp_path / "shared" / "deeper")
    (hidden / "circle").symlink_to(hidden)
    (hidden / "test_walk.py").write_text("y = 2\n")
    return Course(root, Stepgrade())


def fingerprint(course: Course) -> Fingerprint:
    return ledger.fingerprint(course, ASSIGNMENT, [], course.root / "source" / ASSIGNMENT, "")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("shared/plots.py", "assignment"),
        ("shared/helper.py", "checks"),
        ("shared/deeper/helper.py", "checks"),
        (f"course/tests/hidden/{ASSIGNMENT}/test_walk.py", "checks"),
    ],
)
def test_what_a_link_of_ours_leads_to_counts(course: Course, name: str, part: str) -> None:
    before = fingerprint(course)
    assert fingerprint(course) == before
    with (course.root.parent / name).open("a") as file:
        file.write("# edited\n")
    after = fingerprint(course)
    assert {each for each in ("assignment", "checks") if getattr(before, each) != getattr(after, each)} == {part}


VERSIONS: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "torch": lambda patch: patch.setattr("stepgrade.ledger.version", lambda name: f"{name} of tomorrow", raising=False),
    "engine": lambda patch: patch.setattr("stepgrade.__version__", "of tomorrow"),
}


@pytest.mark.parametrize("change", VERSIONS.values(), ids=VERSIONS)
def test_another_version_grades_again(
    course: Course, change: Callable[[pytest.MonkeyPatch], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprint(course)
    change(monkeypatch)
    after = fingerprint(course)
    assert before.assignment != after.assignment and before.checks != after.checks


def test_a_link_of_a_strangers_counts_by_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1")
    (tmp_path / "link").symlink_to("secret")
    before = ledger.digest_folder(tmp_path, ["link"])
    (tmp_path / "secret").write_text("2")
    assert ledger.digest_folder(tmp_path, ["link"]) == before
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("other")
    assert ledger.digest_folder(tmp_path, ["link"]) != before
