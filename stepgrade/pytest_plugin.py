"""The pytest plug-in of the hidden checks: the marker `points`, the fixture `student`, the option `--submission`.

    pytest tests/hidden                               judges our own solution
    pytest tests/hidden --submission FILE.ipynb       judges any notebook

Knows how pytest and the hidden checks meet. No logic: notebooks are run by `grade`, questions answered by `student`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

JUDGED: pytest.StashKey[Any] = pytest.StashKey()
"""Where the grading process puts the student that the checks are to ask."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--submission`."""
    group = parser.getgroup("stepgrade", "hidden checks of notebook exercises")
    group.addoption(
        "--submission",
        metavar="FILE.ipynb",
        default=None,
        help="notebook that the hidden checks judge; without it, the instructor's own solution in source/",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "points(n): what this hidden check is worth, in points of its grade cell")


def num_points(item: pytest.Item) -> float:
    """What a check is worth; 0 where it carries no marker."""
    marker = item.get_closest_marker("points")
    return float(marker.args[0]) if marker is not None and marker.args else 0.0


@pytest.fixture(scope="session")
def _notebooks(request: pytest.FixtureRequest) -> Iterator[_Notebooks]:
    with ExitStack() as open_until_the_end:
        yield _Notebooks(request.config.getoption("--submission"), open_until_the_end)


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Any:
    """The student whom a hidden check asks: `student.gradient_descent(f=…, x0=8, lr=0.1, iterations=20)`."""
    judged = request.config.stash.get(JUDGED, None)
    if judged is not None:
        return judged
    notebooks: _Notebooks = request.getfixturevalue("_notebooks")
    folder = Path(request.path).parent.parent
    modules = dict.fromkeys(i.module for i in request.session.items if i.path.parent.parent == folder)  # type: ignore[attr-defined]
    exercises = [module.EXERCISE for module in modules if hasattr(module, "EXERCISE")]
    return notebooks.asked(folder, exercises, request.module.EXERCISE)


class _Notebooks:
    """Notebooks that have been run for a plain `pytest tests/hidden`: one per assignment."""

    def __init__(self, submission: str | None, open_until_the_end: ExitStack) -> None:
        self._submission = submission
        self._open = open_until_the_end
        self._sittings: dict[Path, Any] = {}

    def asked(self, folder: Path, exercises: Sequence[Any], exercise: Any) -> Any:
        """The student of an exercise; its checks, and those of the others, live in `folder/<exercise>/`."""
        from stepgrade import grade

        if folder not in self._sittings:
            file = Path(self._submission) if self._submission else None
            self._sittings[folder] = self._open.enter_context(grade.sitting(folder, file, exercises))
        return self._sittings[folder].asked(exercise)
