"""`stepgrade demo` replaces what a demo made, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stepgrade import classroom
from stepgrade.classroom import DEMO_MARK, DEMO_TEXT, clear_demo
from stepgrade.course import Course, Stepgrade
from stepgrade.errors import CourseError


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course folder with something to lose."""
    root = tmp_path / "course"
    for name in ("source/walks/walks.ipynb", "submitted/student-01/walks/walks.ipynb", "tests/hidden/walks/a.py"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(name)
    for name in ("nbgrader_config.py", "course_config.py", "gradebook.db"):
        (root / name).write_text("")
    return Course(root, Stepgrade())


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def test_the_command_refuses_the_course_folder_in_one_line(course: Course) -> None:
    before = tree(course.root)
    words = [sys.executable, "-c", "from stepgrade.cli import main; main()", "demo", "--folder", "."]
    done = subprocess.run(words, cwd=course.root, capture_output=True, text=True, check=False)
    assert tree(course.root) == before
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "stepgrade: . is no place for a demo: name a new folder with --folder\n"


@pytest.mark.parametrize("place", ["course", "above", "home", "above home", "root", "link", "link to a demo"])
def test_places_that_are_nobodys_to_replace(course: Course, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    above = course.root.parent
    home, link, old = above / "house" / "home", above / "link", above / "old"
    monkeypatch.setenv("HOME", str(home))
    for folder in (home, old):
        folder.mkdir(parents=True)
        (folder / "thesis.txt").write_text("years of work")
        (folder / DEMO_MARK).write_text(DEMO_TEXT)  # even then
    link.symlink_to(old if place == "link to a demo" else home)
    folder = {"course": course.root, "above": above, "home": home, "above home": home.parent, "root": Path("/")}
    before = tree(above)
    with pytest.raises(CourseError, match="no place for a demo"):
        clear_demo(course, folder.get(place, link))
    assert tree(above) == before


@pytest.mark.parametrize("kind", ["file", "hidden file", "folder", "other mark", "linked mark"])
def test_a_folder_with_anything_else_is_refused(course: Course, tmp_path: Path, kind: str) -> None:
    folder, elsewhere = tmp_path / "mine", tmp_path / "elsewhere.txt"
    folder.mkdir()
    elsewhere.write_text(DEMO_TEXT if kind == "linked mark" else "mine")
    make = {
        "file": lambda: (folder / "notes.txt").write_text("mine"),
        "hidden file": lambda: (folder / ".git").write_text("mine"),
        "folder": lambda: (folder / "submitted").mkdir(),
        "other mark": lambda: (folder / DEMO_MARK).write_text("mine"),
        "linked mark": lambda: (folder / DEMO_MARK).symlink_to(elsewhere),
    }
    make[kind]()
    before = tree(tmp_path)
    with pytest.raises(CourseError, match=r"what no demo made, such as .*: nothing was touched; name a new folder"):
        clear_demo(course, folder)
    assert tree(tmp_path) == before


def test_a_file_in_the_folders_place_is_refused(course: Course, tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine")
    with pytest.raises(CourseError, match="cannot be used for a demo"):
        clear_demo(course, tmp_path / "demo")
    assert (tmp_path / "demo").read_text() == "mine"


def test_a_demo_is_replaced_and_what_its_links_lead_to_is_not(course: Course, tmp_path: Path) -> None:
    folder, mine = tmp_path / "new" / "demo", tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    assert clear_demo(course, folder) == folder
    (folder / "source").mkdir()
    (folder / "source" / "data").symlink_to(mine)
    (folder / "shared").symlink_to(mine)
    clear_demo(course, folder)
    assert list(tree(folder)) == [DEMO_MARK]
    assert (mine / "notes.txt").read_text() == "mine"


def test_a_demo_that_was_killed_while_it_was_cleared_can_be_replaced(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = clear_demo(course, tmp_path / "demo")
    for name in ("a", "b"):
        (folder / name).mkdir()
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(classroom.shutil, "rmtree", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        clear_demo(course, folder)
    clear_demo(course, folder)
    assert list(tree(folder)) == [DEMO_MARK]
