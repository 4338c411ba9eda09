"""Results on their way into nbgrader's folders: each is there as a whole, or not at all.

    autograded/.stepgrade/lock                        held while a class is graded
    autograded/.stepgrade/<run>/working/<student>/    being made; worth nothing after a crash
    autograded/.stepgrade/<run>/staged/<student>/     complete: files/ and entry.json, what the gradebook must know
    autograded/<student>/<assignment>                 takes the place of files/ once the gradebook has its entry

A run that was killed leaves complete results in `staged`; the next one saves them again, which changes nothing where
that had been done, and puts them in place. So gradebook and folders agree, and nothing is graded twice.

Knows folders and renaming. Refuses to know what is in them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepgrade.errors import CourseError

HIDDEN = ".stepgrade"  # nbgrader's patterns pass over names that begin with a dot


@dataclass(frozen=True, slots=True)
class Run:
    """The folder of one run."""

    root: Path

    @property
    def staged(self) -> Path:
        """Where complete results wait."""
        return self.root / "staged"

    @property
    def working(self) -> Path:
        """Where results are made."""
        return self.root / "working"

    @property
    def pages(self) -> Run:
        """A run within, for what the gradebook need not know."""
        return Run(self.root / "pages")

    def begin(self, student: str) -> Path:
        """A fresh folder to make a student's result in; its `files` are what will be put in place.

        Raises:
            OSError: another run has taken over.
        """
        folder = self.working / student
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        (folder / "files").mkdir()
        return folder

    def complete(self, student: str, entry: dict[str, Any]) -> None:
        """Say that a result is whole.

        Raises:
            OSError: another run has taken over.
        """
        folder, target = self.working / student, self.staged / student
        (folder / "entry.json").write_text(json.dumps(entry), encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)

    def waiting(self) -> list[str]:
        """Students whose results are complete and not in place."""
        return sorted(path.parent.name for path in self.staged.glob("*/entry.json"))

    def entry(self, student: str) -> dict[str, Any]:
        """What the gradebook must know of a complete result."""
        values: dict[str, Any] = json.loads((self.staged / student / "entry.json").read_text(encoding="utf-8"))
        return values

    def put_in_place(self, student: str, target: Path) -> None:
        """Let a complete result take the place of an older one."""
        folder, old = self.staged / student, self.root / "old" / student
        if (folder / "files").exists():  # else a killed run had come as far as here
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                old.parent.mkdir(exist_ok=True)
                shutil.rmtree(old, ignore_errors=True)
                target.rename(old)
            (folder / "files").rename(target)
        shutil.rmtree(folder)
        shutil.rmtree(old, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.root, ignore_errors=True)


@contextlib.contextmanager
def open_runs(folder: Path) -> Iterator[tuple[Run, list[Run]]]:
    """Begin a run.

    Args:
        folder: `autograded`.

    Yields:
        The new run, and what earlier ones left when they were killed.

    Raises:
        CourseError: another run is at work here.
    """
    home = folder / HIDDEN
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise CourseError(f"another stepgrade is at work in {folder}; wait for its end") from problem
        # A process of a killed run may still be writing: after the renaming it finds its folder gone and ends.
        token = secrets.token_hex(8)
        left = []
        for number, path in enumerate(sorted(path for path in home.iterdir() if path.is_dir())):
            taken = home / f"taken-{token}-{number}"
            path.rename(taken)
            left.append(Run(taken))
        run = Run(home / f"run-{token}")
        for each in (run, run.pages):
            each.staged.mkdir(parents=True)
            each.working.mkdir()
        try:
            yield run, left
        finally:
            for each in (run, *left):
                if not each.waiting():
                    each.close()
