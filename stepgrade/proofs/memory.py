"""What was proven before, by a digest of all that it follows from: who proves the same thing again waits for less.

Only what held is remembered. Knows the user's cache and the files of a course. Refuses to know what is proven.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from platformdirs import user_cache_path

import stepgrade
from stepgrade import ledger
from stepgrade.course import Course
from stepgrade.proofs.proof import Failure

LIBRARIES = ("torch", "nbgrader", "nbconvert", "matplotlib")


class Memory:
    """What was proven of one assignment as it is now, with the engine as it is now."""

    def __init__(self, course: Course, assignment: str) -> None:
        self._course = course
        self._assignment = assignment

    def unless_proven(self, what: str, find: Callable[[], Iterable[Failure]]) -> list[Failure]:
        """What does not hold, found now; nothing where it is known to hold.

        Args:
            what: a name for it, such as "in-a-kernel".
            find: finds it.
        """
        mark = user_cache_path("stepgrade") / "proofs" / f"{self._digest}-{what}"
        if mark.exists():
            return []
        failures = list(find())
        if not failures:
            try:
                mark.parent.mkdir(parents=True, exist_ok=True)
                mark.touch()
            except OSError:  # there is no place to remember it
                pass
        return failures

    @cached_property
    def _digest(self) -> str:
        course, name = self._course, self._assignment
        engine = Path(stepgrade.__file__).parent
        folders = (
            engine,
            course.hidden_checks(name),
            course.source_notebook(name).parent,
            course.root / "release" / name,
        )
        versions = (sys.version, *map(version, LIBRARIES))
        return ledger.digest([name, repr(course.settings), versions, *map(ledger.digest_whole, folders)])
