"""Results on their way into nbgrader's folders: each is there as a whole, or not at all.

    autograded/.stepgrade/lock                          held while a class is graded
    autograded/.stepgrade/runs/<assignment>/<run>/
        working/<student>/                              being made; worth nothing after a crash
        staged/<student>/                               complete: files/ and entry.json, what the gradebook must know
    autograded/.stepgrade/aside/<assignment>/           broken results, for a person to look at
    autograded/<student>/<assignment>                   takes the place of files/ once the gradebook has its entry

A run that was killed leaves complete results in `staged`; the next one of the same assignment saves them again, which
changes nothing where that had been done, and puts them in place. So gradebook and folders agree, and nothing is graded
twice. Before the gradebook is told of a result, the disk has it (`flush`): a power cut after that costs nothing. One
before may cut staged files short; their lengths stand in the entry, and what does not fit is broken.

Knows folders, renaming and locking. Refuses to know what is in them.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from stepgrade.errors import CourseError

HIDDEN = ".stepgrade"  # nbgrader's patterns pass over names that begin with a dot
RUNS, ASIDE = "runs", "aside"
UNTOLD = "unknown"  # the assignment of a broken result that an earlier version left
SHARED = stat.S_ISGID | stat.S_IRWXU | stat.S_IRWXG  # what nbgrader adds to a folder where `groupshared` is set
SHARED_FILE = 0o664
Say = Callable[[str], None]


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

    @classmethod
    def new(cls, home: Path, assignment: str) -> Run:
        """A new run's folder; the order of their names is that of their beginnings."""
        run = cls(_make(home / RUNS / assignment / _new_name(f"{time.time_ns():020}")))
        for each in (run, run.pages):
            _make(each.staged), _make(each.working)
        return run

    def begin(self, student: str) -> Path:
        """A fresh folder to make a student's result in; its `files` are what will be put in place.

        Raises:
            OSError: another run has taken over.
        """
        folder = self.working / student
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()  # fails where `working` is gone
        _make(_share(folder) / "files")
        return folder

    def complete(self, student: str, entry: dict[str, Any]) -> None:
        """Say that a result is whole.

        Raises:
            OSError: another run has taken over.
        """
        folder, target = self.working / student, self.staged / student
        text = json.dumps({**entry, "sizes": _sizes(folder / "files")})
        (folder / "entry.json").write_text(text, encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)

    def waiting(self) -> list[str]:
        """Students whose results are complete and not in place.

        Raises:
            OSError: it cannot be told; the folder is another user's.
        """
        return sorted(path.name for path in self.staged.iterdir() if path.is_dir() and not _is_empty(path))

    def entry(self, student: str) -> dict[str, Any]:
        """What the gradebook must know of a complete result.

        Raises:
            OSError, ValueError: it is broken.
        """
        folder = self.staged / student
        values = json.loads((folder / "entry.json").read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("entry.json is no entry")
        files, sizes = folder / "files", values.pop("sizes", None)  # earlier versions wrote no sizes
        if sizes is not None and files.exists() and _sizes(files) != sizes:
            raise ValueError("its files are not as long as they were")
        return values

    def is_outdated(self, student: str, target: Path) -> bool:
        """Whether what stands in its place was written after it was complete: by `nbgrader autograde`, say.

        A result that a killed run had put in place itself is not: its files are older than its entry.

        Raises:
            OSError: it cannot be told.
        """
        completed = (self.staged / student / "entry.json").stat().st_mtime_ns
        written = [path.lstat().st_mtime_ns for path in target.iterdir()] if target.is_dir() else []
        return max(written, default=0) > completed

    def flush(self) -> None:
        """Have the disk hold what is staged.

        Raises:
            CourseError: it cannot; nothing has been told to the gradebook yet.
        """
        try:
            _flush(self.staged)
        except OSError as problem:
            raise CourseError(f"the disk cannot hold what was graded into {self.root}: {problem}") from problem

    def put_in_place(self, student: str, target: Path) -> None:
        """Let a complete result take the place of an older one.

        Raises:
            OSError: it cannot be done; the result waits on, and the older one is where it was.
        """
        folder, old = self.staged / student, self.root / "old" / student
        if (folder / "files").exists():  # else a killed run had come as far as here
            if not target.parent.exists():
                _make(target.parent)
            if target.exists():
                old.parent.mkdir(exist_ok=True)
                shutil.rmtree(old, ignore_errors=True)
                target.rename(old)
            try:
                (folder / "files").rename(target)
            except OSError:
                self._put_back(student, target)
                raise
        shutil.rmtree(folder)
        shutil.rmtree(old, ignore_errors=True)

    def set_aside(self, student: str, target: Path) -> Path:
        """Put a broken result where it is in nobody's way.

        Args:
            student: whose.
            target: whose place it was to take; what a killed run had moved from there is put back.

        Returns:
            Where it lies now.

        Raises:
            OSError: it is another user's and stays where it is.
        """
        self._put_back(student, target)
        return _set_aside(self.staged / student, self.root.parents[2], self.root.parent.name)

    def _put_back(self, student: str, target: Path) -> None:
        old = self.root / "old" / student
        if old.exists() and not target.exists():
            old.rename(target)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.root, ignore_errors=True)


def num_waiting(folder: Path, assignment: str) -> int:
    """How many results of an assignment's interrupted runs wait in `autograded`; looking changes nothing."""
    number = 0
    for path in (folder / HIDDEN / RUNS / assignment).glob("*"):
        with contextlib.suppress(OSError):  # another user's
            number += len(Run(path).waiting())
    return number


@contextlib.contextmanager
def open_runs(folder: Path, assignment: str, is_shared: bool, say: Say) -> Iterator[tuple[Run, list[Run]]]:
    """Begin a run.

    Args:
        folder: `autograded`.
        assignment: its name; what is left of others stays as it is.
        is_shared: whether nbgrader's `groupshared` is set: others of the group may go on with this run.
        say: is told of what cannot be taken over.

    Yields:
        The new run, and what earlier ones left when they were killed, the oldest first.

    Raises:
        CourseError: another run is at work here, or the folder is another user's.
    """
    home = folder / HIDDEN
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise CourseError(f"nothing can be graded into {folder}: {problem}") from problem
    if is_shared:
        with contextlib.suppress(PermissionError):  # who made it has said so
            home.chmod((home.stat().st_mode | SHARED) & 0o7777)
    with _locked(home / "lock", is_shared):
        _adopt(home, say)
        left = _take_over(home, assignment, say)
        run = Run.new(home, assignment)
        try:
            yield run, left
        finally:
            for each in (run, *left):
                with contextlib.suppress(OSError):  # another user's
                    if not each.waiting():
                        each.close()
            for parent in (home / RUNS / assignment, home / RUNS):
                with contextlib.suppress(OSError):  # something is left there
                    parent.rmdir()


@contextlib.contextmanager
def _locked(path: Path, is_shared: bool) -> Iterator[None]:
    lock = FileLock(path, blocking=False, mode=SHARED_FILE) if is_shared else FileLock(path, blocking=False)
    try:
        lock.acquire()
    except Timeout as problem:
        raise CourseError(f"another stepgrade is at work in {path.parent.parent}; wait for its end") from problem
    except PermissionError as problem:
        raise CourseError(
            f"{path} is {_owner(path)}'s, so grading is theirs here; for several graders of one group, "
            "set c.CourseDirectory.groupshared = True and let its owner grade once more"
        ) from problem
    except (OSError, NotImplementedError) as problem:
        raise CourseError(f"{path} cannot be locked: {problem}") from problem
    if is_shared:
        with contextlib.suppress(OSError):  # made before `groupshared` was set; its owner can change it
            path.chmod(SHARED_FILE)
    try:
        yield
    finally:
        lock.release()


def _take_over(home: Path, assignment: str, say: Say) -> list[Run]:
    """What is left of the assignment's earlier runs; what is left of others' is only named."""
    left = []
    for path in sorted(path for path in (home / RUNS).glob("*/*") if path.is_dir()):
        if path.parent.name != assignment:
            with contextlib.suppress(OSError):
                if number := len(Run(path).waiting()):
                    other = path.parent.name
                    say(f"{number} results of an interrupted run of {other} wait: grade {other} again to save them")
            continue
        # A process of a killed run may still be writing: after the renaming it finds its folder gone and ends.
        taken = path.with_name(_new_name(path.name.partition("-")[0]))
        try:
            path.rename(taken)
        except OSError as problem:
            say(f"what an interrupted run of {_owner(path)}'s left in {path} stays there: {problem}")
        else:
            left.append(Run(taken))
    return left


def _adopt(home: Path, say: Say) -> None:
    """Sort what earlier versions left: they kept the runs of all assignments in one folder."""
    for root in sorted(path for path in home.iterdir() if path.is_dir() and path.name not in (RUNS, ASIDE)):
        run = Run(root)
        try:
            for student in run.waiting() if run.staged.is_dir() else ():
                _adopt_result(run.staged / student, home, root.name, say)
        except OSError as problem:
            say(f"what an interrupted run left in {root} stays there: {problem}")
        else:
            run.close()


def _adopt_result(folder: Path, home: Path, name: str, say: Say) -> None:
    if not (folder / "files").is_dir():  # it had been put in place
        return
    try:
        report = next((folder / "files").glob("*.report.json"))
        assignment = str(json.loads(report.read_text(encoding="utf-8"))["assignment"])
    except (StopIteration, ValueError, KeyError, TypeError):
        aside = _set_aside(folder, home, UNTOLD)
        say(f"a broken result of {folder.name}'s was set aside: {aside}; it is graded again with its assignment")
        return
    run = Run(home / RUNS / assignment / f"{0:020}-{name}")
    if not run.staged.is_dir():
        _make(run.staged)
    folder.rename(run.staged / folder.name)


def _set_aside(folder: Path, home: Path, assignment: str) -> Path:
    place = home / ASIDE / assignment
    if not place.is_dir():
        _make(place)
    return folder.rename(place / _new_name(folder.name))


def _new_name(stem: str) -> str:
    return f"{stem}-{secrets.token_hex(8)}"


def _make(folder: Path) -> Path:
    """A new folder, with those above it that are missing."""
    if not folder.parent.exists():
        _make(folder.parent)
    folder.mkdir(exist_ok=True)
    return _share(folder)


def _share(folder: Path) -> Path:
    """Leave a folder to the group where the one that it is in is left to it; the umask does not decide that."""
    if folder.parent.stat().st_mode & SHARED == SHARED:
        with contextlib.suppress(PermissionError):
            folder.chmod((folder.stat().st_mode | SHARED) & 0o7777)
    return folder


def _sizes(folder: Path) -> dict[str, int]:
    """How long each file below a folder is."""
    paths = [Path(place, name) for place, _, names in os.walk(folder) for name in names]
    return {str(path.relative_to(folder)): path.lstat().st_size for path in paths}


def _is_empty(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except OSError:
        return False


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (OSError, KeyError, NotImplementedError):
        return "another user"


def _flush(folder: Path) -> None:
    """One call for all of them where the system has it (0.7 ms a submission were measured, 2.5 ms file by file)."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None) if os.name == "posix" else None
    paths = [folder] if syncfs is not None else [folder, *folder.rglob("*")]
    for path in paths if os.name == "posix" else []:  # elsewhere a folder cannot be opened
        file = os.open(path, os.O_RDONLY)
        try:
            if syncfs is None:
                os.fsync(file)
            elif syncfs(file) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(file)
