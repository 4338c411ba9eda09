"""Hidden checks: their four answers, and equal answers judged once: what an item is run for, and what it is spared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stepgrade.checks import Checks
from stepgrade.classroom import Answers, wrong_answers
from stepgrade.course import find_course
from stepgrade.diagnosis.catalogue import ask_all, quiet
from stepgrade.errors import ChecksError
from stepgrade.proofs.trial import Answered
from stepgrade.reach import Written
from stepgrade.records import Call, Run, verdict_of
from stepgrade.student import Asked

HIDDEN = '''
import pathlib
import pytest
from stepgrade.exercise import Exercise, Objective


def reference(x0, g):
    return [g(x0)]


G = Objective("x")
EXERCISE = Exercise(
    name="ex", function="f", columns=("f",), reference=reference, objective="g",
    lesson={"x0": 1, "g": G}, hidden=({"x0": 2, "g": G},)
)


def note(name):
    with (pathlib.Path(__file__).parent / "ran").open("a") as file:
        file.write(f"{name}\\n")


@pytest.fixture(scope="module")
def room():
    note("open")
    yield
    note("close")


@pytest.mark.points(1)
def test_number(student, room):
    """Is it right?"""
    note("number")
    assert student.f(g=G, x0=1).returned == [1]


@pytest.mark.points(1)
def test_text(student):
    """Does the text say so?"""
    note("text")
    assert student.f(g=G, x0=1).returned and "good" in student.source


@pytest.mark.points(1)
def test_further(student):
    """Does it hold further on?"""
    note("further")
    if student.f(g=G, x0=1).returned == [1]:
        assert student.f(g=G, x0=2).returned == [2]


@pytest.mark.points(1)
def test_broken(student):
    """Is the check itself in order?"""
    note("broken")
    raise ValueError(student.f(g=G, x0=1).returned)
'''


class Program:
    """A student that has been asked some questions already."""

    def __init__(self, source: str, *asked: tuple[int, object]) -> None:
        self.source = source
        self.answers = {call(x0).key: Run("returned", [value]) for x0, value in asked}

    def ask(self, question: Call) -> Run:
        """An answer; what was not asked before is answered with the question."""
        return self.answers.setdefault(question.key, Run("returned", [question.arguments["x0"]]))


def call(x0: int) -> Call:
    return Call("f", (("x0", x0), ("g", {"objective": "x", "variables": "x"})))


@pytest.fixture
def checks(tmp_path: Path) -> Iterator[Checks]:
    folder = tmp_path / "tests" / "hidden" / "assignment" / "ex"
    folder.mkdir(parents=True)
    (folder / "test_ex.py").write_text(HIDDEN)
    with Checks(folder.parent) as opened:
        yield opened


def judged(checks: Checks, student: Program | Asked) -> tuple[list[bool], list[str]]:
    """What passed, and what was run for it."""
    ran = checks.folder / "ex" / "ran"
    ran.write_text("")
    passed = [check.passed for check in checks.judge("ex", student)]
    return passed, ran.read_text().split()


ALL = ["open", "number", "text", "further", "broken", "close"]


def test_equal_answers_are_judged_once_and_a_broken_check_is_always_run(checks: Checks) -> None:
    first = judged(checks, Program("good", (1, 1), (2, 2)))
    assert first == ([True, True, True, False], ALL)
    assert judged(checks, Program("good", (1, 1), (2, 2))) == (first[0], ["broken"])


def test_options_for_the_persons_own_tests_are_not_ours(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-v --option-of-nobody")
    checks = request.getfixturevalue("checks")  # opened now, with these options about
    assert judged(checks, Program("good", (1, 1), (2, 2)))[0] == [True, True, True, False]


def test_a_check_that_reads_the_text_is_run_for_each_text(checks: Checks) -> None:
    judged(checks, Program("good", (1, 1), (2, 2)))
    assert judged(checks, Program("bad", (1, 1), (2, 2))) == ([True, False, True, False], ["text", "broken"])


@pytest.mark.parametrize("other", [1.0000001, True, "1", [1], None, float("nan"), -1])
def test_other_answers_are_judged_anew(checks: Checks, other: object) -> None:
    judged(checks, Program("good", (1, 1), (2, 2)))
    passed, ran = judged(checks, Program("good", (1, other), (2, 2)))
    assert ran == ALL
    assert passed[0] == ([other] == [1])


def test_a_check_that_asks_further_is_not_judged_by_the_first_answer(checks: Checks) -> None:
    judged(checks, Program("good", (1, 1), (2, 2)))
    assert judged(checks, Program("good", (1, 1), (2, 3))) == ([True, True, False, False], ["further", "broken"])
    assert judged(checks, Program("good", (1, 1), (2, 3))) == ([True, True, False, False], ["broken"])


def test_nothing_is_asked_to_look_for_a_verdict(checks: Checks) -> None:
    judged(checks, Program("good", (1, 1), (2, 2)))
    wrong = Program("good", (1, 5))
    assert judged(checks, wrong)[0] == [False, True, True, False]
    assert list(wrong.answers) == [call(1).key]


def test_a_verdict_that_is_kept_does_not_hold_the_student(checks: Checks) -> None:
    import gc
    import weakref

    student = Program("bad", (1, 5))
    judged(checks, student)
    judged(checks, Program("good", (1, 1)))  # whoever was judged last is still at hand
    gone = weakref.ref(student)
    del student
    gc.collect()
    assert gone() is None


REACHING = (
    HIDDEN.partition("@pytest.mark")[0]
    + '''
@pytest.mark.points(1)
def test_reach(student):
    """Does it do without print?"""
    note("reach")
    assert "print" not in student.reach().names
'''
)


def test_a_check_that_looks_at_what_a_function_reaches_is_run_for_each_reach(tmp_path: Path) -> None:
    folder = tmp_path / "assignment" / "ex"
    folder.mkdir(parents=True)
    (folder / "test_ex.py").write_text(REACHING)
    own, helper = "def f(x0):\n    return [helper(x0)]", "def helper(x0):\n    return {}"
    with Checks(folder.parent) as checks:

        def judge(*cells: str) -> tuple[list[bool], list[str]]:
            return judged(checks, Asked(Program(own), own, checks.exercises[0], Written([own, *cells])))

        assert judge(helper.format("int(x0)")) == ([True], ["reach"])
        assert judge(helper.format("print(x0)")) == ([False], ["reach"])
        assert judge(helper.format("int(x0)"), "what = 'is not reached'") == ([True], [])
        assert judge("def helper(x0):\n    print(x0)") == ([False], [])


def collected(tmp_path: Path, old: str, new: str) -> Checks:
    folder = tmp_path / "assignment" / "ex"
    folder.mkdir(parents=True)
    assert old in HIDDEN
    (folder / "test_ex.py").write_text(HIDDEN.replace(old, new))
    return Checks(folder.parent)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return [g(x0)]", "return [x0]", "ex: on `lesson` the reference does not call the objective"),
        ("return [g(x0)]", "return [g(x0) * float('nan')]", "ex: on `lesson` the reference records no finite number"),
        ("return [g(x0)]", "g(float('inf')); return [x0]", "the objective with no finite numbers"),
        (
            "return [g(x0)]",
            "raise AttributeError('SGD')",
            "ex: on `lesson` the reference stops with AttributeError: SGD",
        ),
        ('{"x0": 2, "g": G}', '{"x0": 2, "f": G}', r"ex: `hidden\[0\]` gives `f`"),
    ],
)
def test_an_exercise_that_cannot_be_judged_is_refused_when_collected(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(ChecksError, match=said):
        collected(tmp_path, old, new)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("student.f(g=G, x0=2)", "student.f(x0=2)", "a check lacks `g`"),
        ("student.f(g=G, x0=2)", "student.f(g=G, start=2)", "a check gives `start`"),
        ("student.f(g=G, x0=2)", "student.ff(g=G, x0=2)", "calls `ff`, which no student was asked for"),
    ],
)
def test_a_check_that_asks_wrongly_is_broken_and_costs_nobody_points(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    with collected(tmp_path, old, new) as checks:
        check = next(c for c in checks.judge("ex", Program("good", (1, 1), (2, 2))) if c.name == "further")
    assert check.verdict == "errored"
    assert said in check.cause


def test_a_reference_that_breaks_later_breaks_the_check(tmp_path: Path) -> None:
    """As a new torch may: what it gives on other inputs than the declared ones is seen by a check alone."""
    breaks = """return [g(x0)] if x0 < 3 else [g(x0), (1, 2)] if x0 == 3 else undefined"""
    asks = """for x0 in (1, 3, 4):
        EXERCISE.assert_records(student.f(g=G, x0=x0), {"x0": x0, "g": G})"""
    folder = tmp_path / "assignment" / "ex"
    folder.mkdir(parents=True)
    text = HIDDEN.replace("return [g(x0)]", breaks).replace("assert student.f(g=G, x0=1).returned == [1]", asks)
    (folder / "test_ex.py").write_text(text)
    for known in (3, 4):
        (folder / "test_ex.py").write_text(text.replace("(1, 3, 4)", f"(1, {known})"))
        with Checks(folder.parent) as checks:
            check = next(c for c in checks.judge("ex", Program("good", (1, 1))) if c.name == "number")
        assert check.verdict == "errored"
        assert check.cause.startswith("ChecksError (test_ex.py, line ") and ": the reference" in check.cause


# -- a third answer ----------------------------------------------------------------------------------------------------

ANSWERS = (
    HIDDEN.partition("@pytest.mark")[0]
    + '''
@pytest.mark.points(1)
@pytest.mark.parametrize("x0", [1, 2])
def test_answers(student, x0):
    """Is it recorded?"""
    note("answers")
    match student.f(g=G, x0=x0).returned:
        case [1]:
            return
        case [2]:
            pytest.skip("nobody can tell")
        case [3]:
            raise KeyError(student.f(g=G, x0=x0).returned[0])
    assert False
'''
)


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Checks]:
    folder = tmp_path / "assignment" / "ex"
    folder.mkdir(parents=True)
    (folder / "test_ex.py").write_text(ANSWERS)
    with Checks(folder.parent) as opened:
        yield opened


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ((1, 1), "passed"),
        ((1, 2), "not judged"),
        ((2, 0), "failed"),
        ((0, 2), "failed"),
        ((2, 3), "errored"),
        ((3, 0), "errored"),
    ],
)
def test_a_check_has_four_answers(answers: Checks, given: tuple[int, int], verdict: str) -> None:
    (check,) = answers.judge("ex", Program("", (1, given[0]), (2, given[1])))
    assert check.verdict == verdict
    assert check.passed == (verdict == "passed")
    assert check.to_json() == {"name": "answers", "points": 1, "passed": check.passed, "verdict": verdict, "gap": None}


def test_what_could_not_be_judged_is_remembered_too_and_does_not_hold_the_student(answers: Checks) -> None:
    import gc
    import weakref

    student = Program("", (1, 2), (2, 2))
    assert judged(answers, student) == ([False], ["answers", "answers"])
    assert judged(answers, Program("", (1, 2), (2, 2))) == ([False], [])
    judged(answers, Program("", (1, 1), (2, 1)))
    gone = weakref.ref(student)
    del student
    gc.collect()
    assert gone() is None


def test_a_broken_check_names_its_exception_and_its_place(answers: Checks) -> None:
    line = ANSWERS.splitlines().index("            raise KeyError(student.f(g=G, x0=x0).returned[0])") + 1
    (check,) = answers.judge("ex", Program("", (1, 3), (2, 1)))
    assert check.cause == f"KeyError (test_ex.py, line {line}): 3"
    assert check.message == ""


def test_reports_of_old_have_two_answers() -> None:
    assert [verdict_of({"passed": passed}) for passed in (True, False)] == ["passed", "failed"]
    assert verdict_of({"passed": False, "verdict": "not judged"}) == "not judged"


# -- the lesson's own checks -------------------------------------------------------------------------------------------

LESSON = Path(__file__).parents[1] / "hidden" / "optimization"


@pytest.fixture(scope="module")
def lesson() -> Iterator[Checks]:
    with Checks(LESSON) as opened:
        yield opened


def verdicts(lesson: Checks, exercise: str, source: str) -> list[str]:
    declared = next(e for e in lesson.exercises if e.name == exercise)
    calls = [declared.call(inputs) for inputs in declared.inputs]
    with quiet():
        runs = ask_all(source, declared, declared.inputs)
    answers = dict(zip([call.key for call in calls], runs, strict=True))
    return [check.verdict for check in lesson.judge(exercise, Answered(source, answers, declared.function))]


@pytest.fixture(scope="module")
def wrong() -> Answers:
    return wrong_answers(find_course(LESSON), LESSON.name)


@pytest.mark.parametrize(
    ("exercise", "name", "expected"),
    [
        ("gradient-descent", "wrong-sign", ["failed", "not judged", "not judged"]),  # by hand, and off the path
        ("gradient-descent", "left-blank", ["failed", "not judged", "not judged"]),
        ("gradient-descent", "recorded-after", ["passed", "failed", "passed"]),
        ("gradient-descent", "optimizer-in-by-hand", ["passed", "passed", "failed"]),
        ("optimizer", "momentum-lost", ["failed", "not judged"]),
        ("optimizer", "no-return", ["passed", "failed"]),
        ("scheduler", "lr-never-decays", ["failed", "not judged"]),
        ("scheduler", "pair-swapped", ["passed", "failed"]),
    ],
)
def test_off_the_path_nothing_further_is_said(
    lesson: Checks, wrong: Answers, exercise: str, name: str, expected: list[str]
) -> None:
    assert verdicts(lesson, exercise, wrong[exercise][name]) == expected
