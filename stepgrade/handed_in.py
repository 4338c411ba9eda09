"""The folder that a student handed in: it always has a notebook to grade, and a fingerprint.

Knows files and their names. Refuses to know what is in a notebook. Nothing that was handed in is changed or removed:
a link or a file that explains is put beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stepgrade import ledger
from stepgrade.notebook import STAND_IN


def has_notebook(folder: Path) -> bool:
    """Whether there is anything that calls itself a notebook."""
    return bool(_notebooks(folder))


def _notebooks(folder: Path) -> list[Path]:
    """As nbgrader finds them: without hidden files, such as the ones that macOS puts beside each file."""
    return [path for path in folder.glob("*.ipynb") if not path.name.startswith(".")]


def link_renamed(folder: Path, assignment: str) -> bool:
    """Make a notebook under another name known under the assignment's.

    Args:
        folder: the submission, with one notebook at least.
        assignment: whose name the notebook should have.

    Returns:
        Whether a link was made.
    """
    wanted = folder / f"{assignment}.ipynb"
    others = [path for path in _notebooks(folder) if path.name != wanted.name]
    if not others or wanted.exists():
        return False
    best = max(others, key=lambda path: path.stat().st_mtime)
    wanted.symlink_to(best.name)
    return True


def stand_in(folder: Path, assignment: str) -> None:
    """Put a file in the place of a notebook that was not handed in; it says what was found instead."""
    found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    said = f"there was no notebook in the submission (found: {found}); hand in {assignment}.ipynb"
    part = folder / f".{assignment}.part"
    part.write_text(STAND_IN + said, encoding="utf-8")
    part.replace(folder / f"{assignment}.ipynb")


def fingerprint(folder: Path, ignored: Sequence[str] = ()) -> str:
    """Of what was handed in, without what nbgrader leaves out too.

    Args:
        folder: the submission.
        ignored: patterns of file names, `c.CourseDirectory.ignore`.
    """
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    kept = [name for name in names if not any(part_matches(name, pattern) for pattern in ignored)]
    return ledger.digest_folder(folder, kept)


def part_matches(name: str, pattern: str) -> bool:
    """Whether a part of a relative path has an ignored name."""
    return any(Path(part).match(pattern) for part in Path(name).parts)
