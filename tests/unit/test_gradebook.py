"""The gradebook while another program has it locked, and where it is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from stepgrade.errors import GradebookError, GradebookLocked
from stepgrade.gradebook import ClassBook, Entry, Marks, open_gradebook, originals, patiently

HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute(sys.argv[2])
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def new_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook with an assignment of one cell; nbgrader takes seconds to make one."""
    file = tmp_path_factory.mktemp("new") / "gradebook.db"
    with Gradebook(f"sqlite:///{file}") as gradebook:
        gradebook.add_assignment("walks")
        gradebook.add_notebook("walks", "walks")
        gradebook.add_grade_cell("step-check", "walks", "walks", max_score=3, cell_type="code")
    return file


@pytest.fixture
def book(new_book: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(new_book, tmp_path))


@contextmanager
def held(file: Path, how: str) -> Iterator[Callable[[], object]]:
    """Another process has the file locked; what is given lets go of it."""
    words = [sys.executable, "-c", HOLD, str(file), how]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield lambda: process.communicate("\n")
        process.kill()


def save(file: Path) -> None:
    marks = {"walks": Marks({"step-check": 2.0})}
    with ClassBook(f"sqlite:///{file}", "default_course", "walks") as book:
        book.save([Entry("student-01", None, marks)], lambda *_: None)


def score(file: Path) -> float:
    with Gradebook(f"sqlite:///{file}") as gradebook:
        return float(gradebook.find_submission("walks", "student-01").score)


@pytest.mark.parametrize("how", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_locked_gradebook_is_tried_again(book: Path, how: str) -> None:
    said = []
    with held(book, how) as let_go:
        patiently(lambda: save(book), 60, lambda text: (said.append(text), let_go()))  # type: ignore[func-returns-value]
    assert said == ["another program is writing the gradebook: waiting for its end, 60 s at most"]
    assert score(book) == 2.0


@pytest.mark.parametrize("how", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_patience_has_an_end(book: Path, how: str) -> None:
    with (
        held(book, how),
        pytest.raises(GradebookLocked, match=r"locked by another program.*run the same command again"),
    ):
        patiently(lambda: save(book), 0.1)
    save(book)
    assert score(book) == 2.0


def test_a_book_goes_on_where_it_was_locked(book: Path) -> None:
    """The very object whose transaction failed is used again."""
    entry = Entry("student-01", None, {"walks": Marks({"step-check": 1.0})})
    with ClassBook(f"sqlite:///{book}", "default_course", "walks") as klass:
        with held(book, "BEGIN IMMEDIATE"), pytest.raises(GradebookLocked):
            klass.save([entry], lambda *_: None)
        klass.save([entry], lambda *_: None)
        assert klass.grades(["student-01"])["student-01"]["walks"]["totals"]["score"] == 1.0


def test_what_a_person_writes_is_not_written_over_in_between(book: Path) -> None:
    """The lock is taken before the first look: who writes a score by hand meanwhile comes before or after."""
    save(book)
    db = f"sqlite:///{book}"
    seen = []

    class Look(ClassBook):
        def _submissions(self, students):  # type: ignore[no-untyped-def]
            found = super()._submissions(students)
            with pytest.raises(GradebookLocked), open_gradebook(db) as other:
                other.find_grade("step-check", "walks", "walks", "student-01").manual_score = 3.0
                other.db.commit()
            seen.append(len(found))
            return found

    with Look(db, "default_course", "walks") as klass:
        klass.save([Entry("student-01", None, {"walks": Marks({"step-check": 1.0})})], lambda *_: None)
    assert seen == [1] and score(book) == 1.0


def test_a_file_that_is_no_gradebook_is_told_in_a_line(tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    file.write_text("these are no grades, and long enough to be looked at as if they were some" * 20)
    with pytest.raises(GradebookError, match="the gradebook cannot be used: file is not a database"):
        originals(f"sqlite:///{file}", "walks", "walks")
