"""What a submission is asked, and in which order; with a kernel that only keeps account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from stepgrade.course import find_course
from stepgrade.exercise import Exercise, Objective
from stepgrade.grade import Grader
from stepgrade.kernels.interface import Kernel
from stepgrade.records import Call, Limits, Run
from stepgrade.student import Student

ROOT = Path(__file__).resolve().parents[2]


class Account:
    """A kernel and its provisioner in one: keeps the requests, and lets one function run out of time."""

    is_alive, memory_mib = True, None

    def __init__(self, late: str = "") -> None:
        self.requests: list[list[Call]] = []
        self.late = late

    def start(self, files: Path | None, limits: Limits) -> AbstractContextManager[Kernel]:
        return nullcontext(self)  # type: ignore[arg-type]

    def run_all(self, sources: Sequence[str]) -> Iterator[Any]:
        return iter(())

    def call(self, call: Call) -> Run:
        return next(self.call_all([call]))

    def call_all(self, calls: Sequence[Call]) -> Iterator[Run]:
        self.requests.append(list(calls))
        for call in calls:
            yield Run("timed_out" if call.function == self.late else "returned", returned=[])
            if call.function == self.late:
                return


def exercise(name: str) -> Exercise:
    lesson, hidden = {"f": Objective("x"), "n": 1}, ({"f": Objective("x + 1"), "n": 2}, {"f": Objective("x"), "n": 3})
    return Exercise(name, name, ("f(x_t)",), lambda f, n: [], lesson, hidden)


@pytest.mark.parametrize("late", ["", "one"])
def test_no_hidden_input_is_known_to_what_answers_for_the_lesson(late: str) -> None:
    grader = object.__new__(Grader)
    grader.course, grader.assignment = find_course(ROOT), "optimization"
    grader.checks = type("Checks", (), {"exercises": (exercise("one"), exercise("two"))})()
    cells = [new_code_cell(metadata={"nbgrader": {"grade_id": f"{n}-check", "grade": True}}) for n in ("one", "two")]
    nb = nbformat.from_dict(new_notebook(cells=cells))
    account = Account(late)
    with Student(account, []) as student:  # type: ignore[arg-type]
        student.run()
        grader._ask_all(nb, student)
        assert len(student.answers) == 6
    asked = [(call.function, call.arguments["n"]) for request in account.requests for call in request]
    lessons = [place for place, (_, n) in enumerate(asked) if n == 1]
    hidden = [place for place, (_, n) in enumerate(asked) if n > 1]
    assert max(lessons) < min(hidden)
    assert all(len({call.arguments["n"] == 1 for call in request}) == 1 for request in account.requests)
    assert not late or ("one", 2) not in asked, "what ran out of time is not asked again"
