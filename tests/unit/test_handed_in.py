"""The folder of a submission: which file is graded, whatever else is called like a notebook."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from stepgrade import handed_in

NAME = "optimization"
FILE = f"{NAME}.ipynb"


def hand_in(path: Path, text: str, age: int = 0) -> Path:
    """A notebook with one cell; the older, the higher its age."""
    nbformat.write(new_notebook(cells=[new_code_cell(text)]), path)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def settled(folder: Path) -> tuple[list[str], str, tuple[str, ...]]:
    """What is graded of a folder: the cells' text, why it cannot be read, what is noted."""
    handed_in.settle(folder, NAME)
    read = handed_in.read(folder / FILE)
    return [cell.source for cell in read.notebook.cells], read.trouble, read.notes


def test_a_notebook_that_comes_after_a_stand_in_is_graded(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("sorry")
    assert "no notebook in the submission (found: notes.txt)" in settled(tmp_path)[1]
    before = handed_in.fingerprint(tmp_path)
    hand_in(tmp_path / "Untitled 3.ipynb", "mine")
    assert settled(tmp_path) == (["mine"], "", ("The notebook was handed in as Untitled 3.ipynb.",))
    assert handed_in.fingerprint(tmp_path) != before


@pytest.mark.parametrize(
    "text", ["stepgrade: a text of the student's", "stepgrade: there was no notebook in the submission (found: x"]
)
def test_a_file_that_no_one_but_the_student_can_have_put_there_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    hand_in(tmp_path / "other.ipynb", "mine")
    handed_in.settle(tmp_path, NAME)
    assert (tmp_path / FILE).read_text() == text


NO_NOTEBOOKS: dict[str, Callable[[Path], object]] = {
    "folder": lambda path: path.mkdir(),
    "dead link": lambda path: path.symlink_to("nowhere.ipynb"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link elsewhere": lambda path: path.symlink_to("/etc/hostname"),
    "pipe": lambda path: os.mkfifo(path),
}


@pytest.mark.parametrize("put", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
def test_what_is_newer_and_only_called_a_notebook_does_not_beat_one(
    tmp_path: Path, put: Callable[[Path], object]
) -> None:
    hand_in(tmp_path / "real.ipynb", "older", age=20)
    hand_in(tmp_path / "real-2.ipynb", "mine", age=10)
    put(tmp_path / "newer.ipynb")
    assert settled(tmp_path) == (["mine"], "", ("The notebook was handed in as real-2.ipynb.",))


@pytest.mark.parametrize("put", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
def test_what_has_the_right_name_and_is_no_notebook_does_not_beat_one(
    tmp_path: Path, put: Callable[[Path], object]
) -> None:
    put(tmp_path / FILE)
    assert settled(tmp_path)[1] != ""
    was = os.lstat(tmp_path / FILE)
    hand_in(tmp_path / "real.ipynb", "mine")
    cells, trouble, notes = settled(tmp_path)
    assert (cells, trouble) == (["mine"], "") and "real.ipynb was graded in its place" in notes[0]
    now = os.lstat(tmp_path / FILE)
    assert (was.st_ino, was.st_mode) == (now.st_ino, now.st_mode)


@pytest.mark.parametrize("put", NO_NOTEBOOKS.values(), ids=NO_NOTEBOOKS)
def test_where_nothing_is_a_notebook_that_is_said(tmp_path: Path, put: Callable[[Path], object]) -> None:
    put(tmp_path / "newer.ipynb")
    assert "no notebook in the submission (found: newer.ipynb)" in settled(tmp_path)[1]


def test_the_right_name_counts_even_where_another_notebook_is_newer(tmp_path: Path) -> None:
    hand_in(tmp_path / FILE, "mine", age=10)
    hand_in(tmp_path / "scratch.ipynb", "no")
    assert settled(tmp_path) == (["mine"], "", ())
