"""What a submission is asked, where and in which order; with a kernel that runs cells here, and no sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from stepgrade.exercise import Exercise, Objective
from stepgrade.kernels import calls
from stepgrade.kernels.interface import Kernel, Step
from stepgrade.records import Call, CellResult, Limits, Run
from stepgrade.student import MAX_STARTS, Questions, Student

ENDS = "raise SystemExit"  # a cell whose process ends


class Process:
    """A kernel in this process: cells run in a namespace, calls are answered by the code that does so in a sandbox."""

    memory_mib, cpu_seconds = None, 5.0

    def __init__(self, account: Account) -> None:
        self._account, self.is_alive = account, True
        self._names: dict[str, Any] = {}
        calls._remembered.clear()  # a new process

    def do_all(self, steps: Sequence[Step]) -> Iterator[CellResult | Run]:
        for is_cell, group in groupby(steps, lambda step: isinstance(step, str)):
            for came in self._run(list(group)) if is_cell else self._answer(list(group)):  # type: ignore[arg-type]
                yield came
                if not self.is_alive or (isinstance(came, Run) and came.status == "timed_out"):
                    return

    def _run(self, sources: Sequence[str]) -> Iterator[CellResult]:
        for source in sources:
            self._account.cells.append(source)
            self.is_alive = source != ENDS
            if self.is_alive:
                exec(source, self._names)
            yield CellResult("ok" if self.is_alive else "died", is_alive=self.is_alive)

    def _answer(self, asked: Sequence[Call]) -> Iterator[Run]:
        self._account.requests.append([(call.function, call.arguments["n"]) for call in asked])
        for call in asked:
            yield Run.from_json(calls.answer(self._names, call.to_request()), call)


class Account:
    """Starts processes and keeps account of what they are given."""

    def __init__(self) -> None:
        self.num_starts = 0
        self.cells: list[str] = []
        self.requests: list[list[tuple[str, int]]] = []

    def start(self, files: Path | None, limits: Limits) -> AbstractContextManager[Kernel]:
        self.num_starts += 1
        return nullcontext(Process(self))  # type: ignore[arg-type]


def count(f: Any, n: int) -> list[float]:
    return [f(float(i)) for i in range(n)]


def exercise(name: str) -> Exercise:
    lesson, hidden = {"f": Objective("x"), "n": 1}, ({"f": Objective("x + 1"), "n": 2}, {"f": Objective("x"), "n": 3})
    return Exercise(name, name, ("f(x)",), count, lesson, hidden)


RIGHT = "def {0}(f, n): return [f(float(i)) for i in range(n)]"
WRONG = "def {0}(f, n): return [f(float(i)) + 1 for i in range(n)]"
EXERCISES = (exercise("one"), exercise("two"))
CHECKS = ("one_checked = 1", "two_checked = 1")


def grade(*cells: str) -> tuple[Account, Student, list[CellResult], dict[tuple[str, int], Any]]:
    """Run cells, `one` checked at "one_checked = 1", and ask; what each function gave, by its number of passes."""
    account = Account()
    questions = []
    for declared, check in zip(EXERCISES, CHECKS, strict=True):
        lesson, *hidden = map(declared.question, declared.inputs)
        questions.append(Questions(cells.index(check), lesson, hidden))

    def is_right(asked: Questions) -> bool:
        declared = next(e for e in EXERCISES if e.function == asked.function)
        return all(declared.is_right(student.answers[declared.call(i).key], i) for i in declared.inputs)

    with Student(account, cells) as student:  # type: ignore[arg-type]
        results = student.run(questions)
        student.ask_hidden(questions, is_right)
        runs = {(e.function, i["n"]): student.ask(e.call(i)) for e in EXERCISES for i in e.inputs}
    return account, student, results, {key: run.returned or run.status for key, run in runs.items()}


def answers_of(function: str, answers: dict[tuple[str, int], Any]) -> list[Any]:
    return [answers[function, n] for n in (1, 2, 3)]


BEST = [[0.0], [1.0, 2.0], [0.0, 1.0, 2.0]]
OFF_BY_ONE = [[1.0], [2.0, 3.0], [1.0, 2.0, 3.0]]


def test_the_lesson_is_asked_at_the_check_cell_and_the_rest_at_the_end_in_the_same_process() -> None:
    account, student, _, answers = grade(RIGHT.format("one"), CHECKS[0], RIGHT.format("two"), CHECKS[1])
    assert account.num_starts == 1
    assert account.requests == [[("one", 1)], [("two", 1)], [("one", 2), ("one", 3), ("two", 2), ("two", 3)]]
    assert answers_of("one", answers) == answers_of("two", answers) == BEST
    assert student.notes == []


def test_the_lesson_is_asked_before_the_check_cell_runs() -> None:
    moved = "one = lambda f, n: ['the check cell has run']"
    account, _, _, answers = grade(RIGHT.format("one"), CHECKS[0], moved, RIGHT.format("two"), CHECKS[1])
    assert account.cells[:2] == [RIGHT.format("one"), CHECKS[0]] and answers["one", 1] == [0.0]


@pytest.mark.parametrize(
    "below",
    [
        "for name in ('one', 'two'): del globals()[name]",
        WRONG.format("one"),
        "one = lambda f, n: [0.0]",  # right for the lesson, and another
        "shift = lambda value: value + 7",
    ],
    ids=["reset", "defined again", "hard coded", "helper"],
)
def test_what_a_cell_below_the_check_does_to_a_function_does_not_count(below: str) -> None:
    one = "shift = lambda value: value\ndef one(f, n): return [shift(f(float(i))) for i in range(n)]"
    account, student, _, answers = grade(one, CHECKS[0], RIGHT.format("two"), CHECKS[1], below)
    assert answers_of("one", answers) == answers_of("two", answers) == BEST
    assert account.num_starts == 2
    assert any("one does not do at the end" in note for note in student.notes)


def test_a_function_that_a_cell_below_makes_endless_is_asked_at_its_check() -> None:
    one = "calls = range(1)\ndef one(f, n):\n    for _ in calls: values = [f(float(i)) for i in range(n)]"
    one += "\n    return values"
    below = "import itertools; calls = itertools.count()"
    account, _, _, answers = grade(one, CHECKS[0], RIGHT.format("two"), CHECKS[1], below)
    assert answers_of("one", answers) == answers_of("two", answers) == BEST
    assert account.num_starts == 2


def test_a_wrong_function_that_nobody_touches_is_asked_once_more_and_in_no_new_process() -> None:
    account, student, _, answers = grade(WRONG.format("one"), CHECKS[0], RIGHT.format("two"), CHECKS[1])
    assert (account.num_starts, student.notes) == (1, [])
    assert account.requests[-1] == [("one", 1)] and answers_of("one", answers) == OFF_BY_ONE


def test_a_function_that_was_wrong_at_its_check_is_not_made_right_below() -> None:
    cells = (WRONG.format("one"), CHECKS[0], RIGHT.format("one"), RIGHT.format("two"), CHECKS[1])
    assert answers_of("one", grade(*cells)[3]) == OFF_BY_ONE


def test_one_fresh_process_serves_all_that_was_changed() -> None:
    cells = (RIGHT.format("one"), CHECKS[0], RIGHT.format("two"), CHECKS[1], "del one, two")
    account, _, _, answers = grade(*cells)
    assert account.num_starts == 2
    assert answers_of("one", answers) == answers_of("two", answers) == BEST


def test_a_function_that_stands_below_its_check_counts_as_it_is_at_the_end() -> None:
    account, student, _, answers = grade(CHECKS[0], RIGHT.format("two"), CHECKS[1], RIGHT.format("one"))
    assert account.num_starts == 1
    assert answers_of("one", answers) == BEST
    assert any("one is defined below its check" in note for note in student.notes)


def test_a_function_that_is_nowhere_is_missing_without_a_new_process() -> None:
    account, student, _, answers = grade(CHECKS[0], RIGHT.format("two"), CHECKS[1])
    assert answers_of("one", answers) == ["missing"] * 3
    assert (account.num_starts, student.notes) == (1, [])


def test_a_process_that_ended_in_between_is_made_up_for_at_the_check() -> None:
    account, student, results, answers = grade(RIGHT.format("one"), CHECKS[0], ENDS, RIGHT.format("two"), CHECKS[1])
    assert [result.status for result in results] == ["ok", "ok", "died", "ok", "ok"]
    assert answers_of("one", answers) == answers_of("two", answers) == BEST
    assert (account.num_starts, student.notes) == (3, [])


def test_a_process_is_started_so_often_and_no_more() -> None:
    account, _, results, answers = grade(RIGHT.format("one"), CHECKS[0], *[ENDS] * 9, RIGHT.format("two"), CHECKS[1])
    assert account.num_starts == MAX_STARTS
    assert results[-1].status == "left_out" and "5 times" in results[-1].message
    assert answers["one", 1] == [0.0] and answers["two", 1] == "timed_out"


ENDLESS = "def one(f, n):\n    while True: f(0.0)"
SWALLOWS = """def one(f, n):
    for _ in range(20_000):
        try: f(0.0)
        except BaseException: pass
    return [0.0]"""


@pytest.mark.parametrize("one", [ENDLESS, SWALLOWS], ids=["endless", "swallows what stops it"])
def test_a_function_without_end_is_stopped_by_its_calls_of_f_and_not_asked_again(one: str) -> None:
    account, student, results, answers = grade(one, CHECKS[0], RIGHT.format("two"), CHECKS[1])
    asked = [call for request in account.requests for call in request]
    assert [call for call in asked if call[0] == "one"] == [("one", 1)]
    assert answers_of("one", answers) == ["timed_out"] * 3
    run = student.answers[EXERCISES[0].call(EXERCISES[0].lesson).key]
    assert run.message == "`f` was called 10,000 times; 1 pass was asked for"
    assert [result.status for result in results] == ["ok", "left_out", "ok", "ok"]
    assert "one does not come to its end" in results[1].message and CHECKS[0] not in account.cells
    assert answers_of("two", answers) == BEST


def test_a_function_without_end_on_hidden_inputs_alone_is_stopped_too() -> None:
    one = "def one(f, n):\n    while n > 1: f(0.0)\n    return [f(0.0)]"
    _, _, results, answers = grade(one, CHECKS[0], RIGHT.format("two"), CHECKS[1])
    assert answers_of("one", answers) == [[0.0], "timed_out", "timed_out"]
    assert {result.status for result in results} == {"ok"}
    assert answers_of("two", answers) == BEST


def test_a_question_that_a_check_thinks_of_by_itself_has_a_bound_too() -> None:
    account = Account()
    with Student(account, [ENDLESS]) as student:  # type: ignore[arg-type]
        student.run()
        run = student.ask(Call("one", (("f", {"objective": "x"}), ("n", 1))))
    assert (run.status, run.message) == ("timed_out", "`f` was called 20,000 times")


def test_what_the_reference_needs_decides_how_much_is_too_much() -> None:
    many = Exercise("many", "many", ("f(x)",), count, {"f": Objective("x"), "n": 300}, ())
    bound = many.question(many.lesson).bound
    assert (bound.most_calls, bound.num_passes) == (60_000, 300)
    assert EXERCISES[0].question(EXERCISES[0].lesson).bound.most_calls == 10_000


def test_what_an_exercise_declares_stays_as_it_is() -> None:
    lesson = {"f": Objective("x"), "n": 1}
    declared = Exercise("one", "one", ("f(x)",), count, lesson, ({"f": Objective("x"), "n": 2},))
    first = declared.call(declared.lesson)
    lesson["n"] = 5
    assert declared.call(declared.lesson) is first and first.arguments["n"] == 1
    with pytest.raises(TypeError):
        declared.lesson["n"] = 5  # type: ignore[index]
    other = replace(declared, lesson=lesson)
    assert (other.call(other.lesson).arguments["n"], declared.call({**lesson}).arguments["n"]) == (5, 5)
