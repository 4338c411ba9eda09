"""The folder that a student handed in: it always has a notebook to grade, and a fingerprint.

Knows files and their names. Refuses to know what a notebook says. Nothing that was handed in is changed or removed:
a link or a file that explains is put beside it.
"""

from __future__ import annotations

import glob
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from nbgrader.utils import parse_utc

from stepgrade import ledger, notebook, strange_files
from stepgrade.notebook import STAND_IN, HandedIn
from stepgrade.quoting import MOST_OF_A_NAME, clean

TIMELESS = "timestamp.txt says no time, so the submission counts as handed in without one"
MOST_OF_A_TIME = 200  # bytes
MOST_NAMED = 20  # files that a stand-in names
MOST_OF_A_STAND_IN = 1 << 16  # bytes
MOST_COPIED, MOST_BYTES = 1000, 64 << 20  # files, and bytes of them all, that are graded with a notebook
MOST_HASHED = 64 << 20  # bytes of a file whose content counts; a larger one counts by its size and its time


def settle(folder: Path, assignment: str) -> bool:
    """See to it that a submission has a notebook with the assignment's name.

    One that was handed in under another name gets a link, the newest of several. Where there is none, a file that says
    so takes its place, until a notebook comes.

    Args:
        folder: the submission.
        assignment: whose name the notebook should have.

    Returns:
        Whether something was put there.
    """
    wanted = folder / f"{assignment}.ipynb"
    best = _newest(folder, wanted.name)
    if not os.path.lexists(wanted):
        if best is None:
            _stand_in(wanted)
        else:
            wanted.symlink_to(best.name)
        return True
    if best is None or not _is_stand_in(wanted):  # a folder, or a link that leads nowhere, was handed in too
        return False
    wanted.unlink()
    wanted.symlink_to(best.name)
    return True


def read(file: Path) -> HandedIn:
    """Read a submission's notebook; where only a folder or a link has its name, the newest notebook beside it.

    Args:
        file: what has the notebook's name.
    """
    is_fit = notebook.links_to_neighbour(file) if file.is_symlink() else file.is_file()
    best = None if is_fit else _newest(file.parent, file.name)
    if best is None:
        return notebook.read_submission(file)
    found = notebook.read_submission(best)
    said = f"{file.name} is no file of its own, so {clean(best.name, MOST_OF_A_NAME)} was graded in its place."
    return replace(found, notes=(said, *found.notes))


def _newest(folder: Path, other_than: str) -> Path | None:
    """The newest notebook under another name; folders and links are none, whatever they are called."""
    seen = [(path.lstat(), path) for path in _notebooks(folder) if path.name != other_than]
    plain = [(state.st_mtime_ns, path.name, path) for state, path in seen if stat.S_ISREG(state.st_mode)]
    return max(plain)[-1] if plain else None


def _notebooks(folder: Path) -> list[Path]:
    """As nbgrader finds them: without hidden files, such as the ones that macOS puts beside each file."""
    return [path for path in folder.glob("*.ipynb") if not path.name.startswith(".")]


def _stand_in(wanted: Path) -> None:
    """Put a file in the place of a notebook that was not handed in; it says what was found instead."""
    names = sorted(path.name for path in wanted.parent.iterdir())
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    found = ", ".join([*(clean(name, MOST_OF_A_NAME) for name in names[:MOST_NAMED]), *more]) or "nothing"
    before, after = _words_of_stand_in(wanted)
    # A name that nobody can have handed in a link with, which would be written through.
    handle, part = tempfile.mkstemp(prefix=f".{wanted.stem}.", suffix=".part", dir=wanted.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(f"{before}{found}{after}".encode("utf-8", "replace"))  # names of files need not be text
    Path(part).chmod(0o644)
    Path(part).replace(wanted)


def _is_stand_in(wanted: Path) -> bool:
    """Whether a file is what `_stand_in` put there: nothing is lost when it goes."""
    file = strange_files.open_plain(wanted, MOST_OF_A_STAND_IN)
    if file is None:
        return False
    with file:
        text = file.read(MOST_OF_A_STAND_IN).decode("utf-8", "replace")
    before, after = _words_of_stand_in(wanted)
    return text.startswith(before) and text.endswith(after)


def _words_of_stand_in(wanted: Path) -> tuple[str, str]:
    """What it says before and after the names of what was found."""
    return (
        f"{STAND_IN}there was no notebook in the submission (found: ",
        f"); hand in {wanted.name}",
    )


def timestamp(folder: Path) -> tuple[datetime | None, str]:
    """When it was handed in, as `timestamp.txt` says (nbgrader and others put it there).

    Returns:
        The time in UTC, without a zone; None where there is none, and then what is wrong with the file, if it is there.
    """
    path = folder / "timestamp.txt"
    file = strange_files.open_plain(path, MOST_OF_A_TIME)
    if file is None:
        return None, f"{TIMELESS} (it is no small file)" if os.path.lexists(path) else ""
    with file:
        text = file.read(MOST_OF_A_TIME).decode("utf-8", "replace").strip()
    try:
        return (parse_utc(text), "") if text else (None, f"{TIMELESS} (it is empty)")
    except (ValueError, OverflowError, TypeError):
        return None, f"{TIMELESS} (it says {text[:40]!a})"


def fingerprint(folder: Path, ignored: Sequence[str] = ()) -> str:
    """Of what was handed in, without what nbgrader leaves out too.

    Args:
        folder: the submission.
        ignored: patterns of file names, `c.CourseDirectory.ignore`.
    """
    names = [name for name in strange_files.walk(folder) if not _is_ignored(name, ignored)]
    unread = {name: said for name in names if (said := _why_unread(folder / name))}
    hashed = ledger.digest_folder(folder, [name for name in names if name not in unread])
    return ledger.digest([hashed, *sorted(unread.items())]) if unread else hashed


def _why_unread(path: Path) -> str:
    """What a file counts by whose content does not count; nothing for the others."""
    try:
        seen = path.lstat()
        if path.is_symlink() or (seen.st_size <= MOST_HASHED and os.access(path, os.R_OK)):
            return ""
        return f"{seen.st_size} bytes of {seen.st_mtime_ns}"
    except OSError:
        return "nothing that can be read"


def copy_files(folder: Path, target: Path, ignored: Sequence[str] = (), taken: Sequence[str] = ()) -> list[str]:
    """Copy what was handed in beside the notebooks: plain files alone, and no more of them than anybody needs.

    A link would be followed: what it leads to on the grader's machine would reach the student's process and, beside the
    feedback, the student.

    Args:
        folder: the submission.
        target: where to; folders are made as they are needed.
        ignored: patterns of file names that are left out silently.
        taken: relative paths of files that everybody is given; what is called the same is left out silently too.

    Returns:
        Relative paths of what was left out.
    """
    left_out: list[str] = []
    for name, file in _beside(folder, ignored):
        if any(f"{name}/".startswith(f"{own}/") or own.startswith(f"{name}/") for own in taken):
            continue
        try:
            if file is None:
                raise OSError
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).unlink(missing_ok=True)  # of an earlier grading, which may not be written
            (target / name).write_bytes(file.read(MOST_BYTES))
        except OSError:  # unfit, or its path is too long here
            left_out.append(name)
    return left_out


def _beside(folder: Path, ignored: Sequence[str]) -> Iterator[tuple[str, BinaryIO | None]]:
    """What lies beside the notebooks, opened; None for what is not fit to be graded with them."""
    patterns = (*ignored, "*.ipynb", *_pages(folder))
    return strange_files.choose(folder, MOST_COPIED, MOST_BYTES, lambda name: not _is_ignored(name, patterns))


def _pages(folder: Path) -> list[str]:
    """Patterns of names that the pages of feedback will have."""
    return [glob.escape(f"{path.stem}.html") for path in _notebooks(folder)]


def _is_ignored(name: str, patterns: Sequence[str]) -> bool:
    return any(part_matches(name, pattern) for pattern in patterns)


def part_matches(name: str, pattern: str) -> bool:
    """Whether a part of a relative path has an ignored name; as in a shell, `*` stands for no dot at its beginning."""
    parts = [part for part in Path(name).parts if pattern.startswith(".") or not part.startswith(".")]
    return any(Path(part).match(pattern) for part in parts)
