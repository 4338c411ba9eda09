"""Small questions to the diagnosis and the witnesses it asks."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import lesson
import pytest
import torch
from lesson import laws, raised, recording, ties
from walks import points

from stepgrade.diagnosis import case as engine
from stepgrade.diagnosis.catalogue import NO_FILE, Catalogue, Replay, load_catalogue, read_programs
from stepgrade.diagnosis.diagnose import diagnose
from stepgrade.errors import ChecksError
from stepgrade.exercise import Exercise, Objective, load_program, run_program
from stepgrade.reach import Written
from stepgrade.records import Diagnosis, Run, StudentError

Case, goes_like, visits_the_same = lesson.case.Case, lesson.case.goes_like, lesson.case.visits_the_same
Cell, Track, values_and_slopes = lesson.cell.Cell, recording.Track, lesson.walks.values_and_slopes
BOWL = Objective("0.5 * (x - 3) ** 2")


def reference(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        (slope,) = torch.autograd.grad(y, x)
        x = (x - lr * slope).detach().requires_grad_()
    return trajectory


EXERCISE = Exercise(
    name="bowl",
    function="walk",
    columns=("f(x_t)",),
    reference=reference,
    lesson={"f": BOWL, "x0": 8, "lr": 0.1, "iterations": 8},
    hidden=(
        {"f": BOWL, "x0": -2.5, "lr": 0.3, "iterations": 6},
        {"f": Objective("torch.exp(0.3 * x) - 0.7 * x"), "x0": 4.75, "lr": 0.37, "iterations": 7},
    ),
    objective="f",
    passes="iterations",
)
CELL = """def walk(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        x.data -= lr * x.grad
        x.grad.zero_()
    return trajectory
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    folder = tmp_path / "bowl" / "mistakes"
    folder.mkdir(parents=True)
    for name, old, new in [
        ("grad-not-zeroed", "        x.grad.zero_()\n", ""),
        ("wrong-sign", "-= lr", "+= lr"),
        ("wrong-sign--of-the-value", "y.backward", "(-y).backward"),
        ("left-blank", "        y.backward()", "        raise NotImplementedError()"),
    ]:
        assert old in CELL
        (folder / f"{name}.py").write_text(f'"""Hint of {name}?\n\nWhat it is.\n"""\n' + CELL.replace(old, new))
    return replace(load_catalogue(folder.parent, EXERCISE), seeds=(), explain=lesson.explain)


STRANGE = (
    f"text = {' + '.join(['word'] * 600)}",
    f"text = {' + '.join(['word'] * 2500)}",
    f"text = word{'[0]' * 900}",
    f"x.text{'.text' * 900} = {'-' * 900}1",
    f"text = 0x{'f' * 20_000}",
    f"x.grad = 'zero' + {' + '.join(['word'] * 1500)}",
)
"""Text that Python runs and that `ast` fails to write."""


def diagnosed(catalogue: Catalogue, source: str) -> Diagnosis:
    return diagnosed_as(catalogue, source, source)


def diagnosed_as(catalogue: Catalogue, program: str, source: str) -> Diagnosis:
    """What is said of a program's numbers before another text."""
    namespace = load_program(program)
    runs = [(inputs, run_program(namespace, EXERCISE.call(inputs))) for inputs in EXERCISE.inputs]
    return diagnose(EXERCISE, runs, source, catalogue)


class TestDiagnose:
    def test_a_right_answer_has_no_diagnosis(self, catalogue: Catalogue) -> None:
        assert diagnosed(catalogue, CELL) == Diagnosis()

    def test_a_replayed_mistake_is_named_with_its_hint(self, catalogue: Catalogue) -> None:
        found = diagnosed(catalogue, CELL.replace("        x.grad.zero_()\n", ""))
        assert found.names == ("grad-not-zeroed",)
        assert found.hints == ("Hint of grad-not-zeroed?",)
        assert found.kind == "dynamics"

    def test_two_spellings_of_a_mistake_have_one_name(self, catalogue: Catalogue) -> None:
        assert diagnosed(catalogue, CELL.replace("-= lr * x.grad", "= x + lr * x.grad")).names == ("wrong-sign",)
        assert catalogue.names == {"grad-not-zeroed", "wrong-sign", "left-blank"}

    def test_a_mistake_without_a_file_is_unknown_and_says_so(self, catalogue: Catalogue) -> None:
        found = diagnosed(catalogue, CELL.replace("lr * x.grad", "lr * x.grad ** 3"))
        assert found.names == ()
        assert "No known mistake" in found.remark

    def test_a_right_walk_with_a_wrong_record_is_a_recording_mistake(self, catalogue: Catalogue) -> None:
        moved = CELL.replace("        trajectory.append(y.item())\n", "").replace(
            "        x.grad.zero_()\n", "        x.grad.zero_()\n        trajectory.append(f(x).item())\n"
        )
        found = diagnosed(catalogue, moved)
        assert (found.names, found.kind) == (("recorded-after",), "recording")

    def test_a_right_walk_with_an_unknown_record_is_said_to_be_right(self, catalogue: Catalogue) -> None:
        found = diagnosed(catalogue, CELL.replace("y.item()", "y.item() ** 2 + 1"))
        assert found.names == ()
        assert "goes the right way" in found.remark

    def test_one_mistake_of_each_kind_together(self, catalogue: Catalogue) -> None:
        both = CELL.replace("        x.grad.zero_()\n", "").replace("y.item()", "x.item()")
        found = diagnosed(catalogue, both)
        assert found.names == ("grad-not-zeroed", "recorded-x")
        assert "together" in found.remark

    @pytest.mark.parametrize("rate", [0.1, 0.05, 0.2345])
    def test_any_typed_in_rate_is_recognised(self, catalogue: Catalogue, rate: float) -> None:
        found = diagnosed(catalogue, CELL.replace("lr * x.grad", f"{rate} * x.grad"))
        assert found.names == ("hard-coded-lr" if rate == 0.1 else "wrong-lr",)
        assert "never reads its argument `lr`" in found.remark

    def test_a_name_from_outside_in_an_arguments_place_is_said(self, catalogue: Catalogue) -> None:
        found = diagnosed(catalogue, "speed = 0.07\n\n\n" + CELL.replace("lr * x.grad", "speed * x.grad"))
        assert found.names == ("wrong-lr",)
        assert "`speed` from outside" in found.remark

    def test_f_that_is_never_called(self, catalogue: Catalogue) -> None:
        assert diagnosed(catalogue, CELL.replace("f(x)", "x ** 2")).names == ("ignores-f-argument",)
        table = "def walk(f, x0, lr, iterations):\n    return [12.5, 10.125, 8.2]\n"
        assert diagnosed(catalogue, table).names == ("hard-coded-answer",)

    @pytest.mark.parametrize("status", ["missing", "timed_out", "died"])
    def test_runs_without_numbers_are_not_named(self, catalogue: Catalogue, status: str) -> None:
        runs = [(inputs, Run(status, message="it ended")) for inputs in EXERCISE.inputs]  # type: ignore[arg-type]
        found = diagnose(EXERCISE, runs, "", catalogue)
        assert found.names == ()
        assert found.remark

    def test_the_blank_as_it_was_given(self, catalogue: Catalogue) -> None:
        stub = "def walk(f, x0, lr, iterations):\n    raise NotImplementedError()\n"
        assert diagnosed(catalogue, stub).names == ("left-blank",)

    def test_what_a_student_sends_is_never_trusted_to_be_well_formed(self, catalogue: Catalogue) -> None:
        nonsense = [None, True, [], [[]], [None], {"array": []}, [[1.0], [2.0, 3.0]], [float("nan")] * 8, {"cut": 9}]
        for returned in nonsense:
            for xs in [(), (8.0,), (float("inf"),) * 3, (float("nan"),), range(500)]:
                run = Run("returned", returned=returned, visited=points(*xs))
                runs = [(inputs, run) for inputs in EXERCISE.inputs]
                diagnose(EXERCISE, runs, "def walk(:", catalogue)

    @pytest.mark.parametrize("text", STRANGE)
    def test_strange_text_beside_the_function_hides_nothing(self, catalogue: Catalogue, text: str) -> None:
        assert diagnosed_as(catalogue, CELL, f"{text}\n{CELL}") == Diagnosis()
        retained = CELL.replace("backward()", "backward(retain_graph=True)")
        assert diagnosed_as(catalogue, retained, f"{text}\n{retained}").names == ("needless-retain-graph",)

    @pytest.mark.parametrize("text", STRANGE)
    def test_strange_text_in_the_function_stops_no_diagnosis(self, catalogue: Catalogue, text: str) -> None:
        for right, append in ((CELL, "y.item()"), (CELL.replace("y.backward()", "f(x).backward()"), "y")):
            source = right.replace("        y = f(x)\n", f"        {text}\n        y = f(x)\n").replace(
                "y.item()", append
            )
            assert diagnosed_as(catalogue, CELL, source).kind in ("", "harmless")
        wrong = CELL.replace("-= lr", "+= lr")
        source = wrong.replace("        y = f(x)\n", f"        {text}\n        y = f(x)\n")
        assert diagnosed_as(catalogue, wrong, source).names == ("wrong-sign",)

    def test_text_that_says_nothing_of_an_exception_names_nothing(self) -> None:
        error = StudentError("TypeError", "unsupported operand type(s) for *: 'float' and 'NoneType'", 1, "", 1)
        assert raised.causes(error, Cell("# word\n" * 20_000 + CELL, "walk")) == ()
        assert raised.causes(error, Cell("def walk(:", "walk")) == ()

    def test_an_error_of_reading_leaves_a_right_answer_right(
        self, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def too_deep(*_: object) -> None:
            raise RecursionError

        monkeypatch.setattr(ties, "needless", too_deep)
        monkeypatch.setattr(ties, "decide", too_deep)
        assert diagnosed(catalogue, CELL) == Diagnosis()
        assert diagnosed(catalogue, CELL.replace("-= lr", "+= lr")).names == ("wrong-sign",)  # by its walk


UP = [(1.0,), (4.0,), (float("inf"),), (float("nan"),)]
NANS = [(float("nan"),)] * 4


class TestDivergence:
    """A walk that leaves every scale: what comes before tells it, a nan tells nothing."""

    def test_tables_agree_up_to_where_both_diverge(self, catalogue: Catalogue) -> None:
        case = Case(EXERCISE, (), "", catalogue, Written([""]))
        assert case.same(UP, [(1.0,), (4.0,), (float("nan"),), (float("nan"),)])
        assert not case.same(UP, [(1.0,), (5.0,), (float("inf"),), (float("nan"),)])
        assert not case.same(UP, [(1.0,), (4.0,), (16.0,), (float("inf"),)])
        assert not case.same(NANS, NANS)

    def test_the_engines_walks_too(self, catalogue: Catalogue) -> None:
        away = points(1.0, 4.0, float("inf"), float("nan"))
        for mine, is_same in ((away, True), (points(1.0, 4.0, float("nan")), True), (points(1.0, 4.0, 16.0), False)):
            case = engine.Case(EXERCISE, (Run("returned", [], mine),), "", catalogue, Written([""]))
            assert case.walks_like(Replay(NO_FILE, EXERCISE, (Run("returned", [], away),))) is is_same

    def test_columns_and_points_likewise(self, catalogue: Catalogue) -> None:
        track = Track(values=[9.0, 4.0])
        columns = [[row[0] for row in rows] for rows in (UP, NANS)]
        assert track.same(columns[0], columns[0])
        assert not track.same(columns[1], columns[1])
        blank = CELL.replace("x.data -= lr * x.grad", "x.data *= float('nan')")
        runs = tuple(run_program(load_program(blank), EXERCISE.call(inputs)) for inputs in EXERCISE.inputs)
        hidden = tuple(replace(run, visited=points(*[float("nan")] * len(run.visited))) for run in runs)
        for mine, theirs, is_same in ((runs, runs, True), (hidden, hidden, False), (hidden, runs, False)):
            replayed = lesson.known.Replay(Replay(NO_FILE, EXERCISE, theirs))
            case = Case(EXERCISE, lesson.known.of_one_number(mine), "", catalogue, Written([""]))
            assert visits_the_same(case, replayed) is is_same
            assert goes_like(case, replayed) is is_same


class TestCatalogue:
    def test_a_file_without_a_docstring_is_refused_with_the_fix(self, tmp_path: Path) -> None:
        (tmp_path / "wrong-sign.py").write_text("x = 1\n")
        with pytest.raises(ChecksError, match=r"no docstring.*hint"):
            read_programs(tmp_path)

    def test_a_program_without_the_function_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "mistakes").mkdir()
        (tmp_path / "mistakes" / "wrong-sign.py").write_text('"""Hint?"""\n')
        with pytest.raises(ChecksError, match="no function walk"):
            _ = load_catalogue(tmp_path, EXERCISE).mistakes


class TestRecording:
    TRACK = Track(values=[9.0, 4.0, 1.0, 0.25], points=[3.0, 2.0, 1.0, 0.5], slopes=[6.0, 4.0, 2.0])

    @pytest.mark.parametrize(
        ("returned", "names"),
        [
            ([9.0, 4.0, 1.0], set()),
            ([4.0, 1.0, 0.25], {"recorded-after"}),
            ([9.0, 4.0, 1.0, 0.25], {"recorded-n-plus-one"}),
            ([9.0, 9.0, 4.0, 1.0], {"first-value-twice"}),
            ([4.0, 1.0], {"first-value-missing"}),
            ([3.0, 2.0, 1.0], {"recorded-x"}),
            ({"array": [[3.0], [2.0], [1.0]]}, {"recorded-x"}),
            ([6.0, 4.0, 2.0], {"recorded-gradient"}),
            ([0.0, 0.0, 0.0], {"recorded-gradient-alias"}),
            ([0.25, 0.25, 0.25], {"aliased-records"}),
            ([[0.0, 9.0], [1.0, 4.0], [2.0, 1.0]], {"recorded-pairs"}),
            ([{"str": "9.0"}] * 3, {"strings-recorded"}),
            ([{"object": "builtin_function_or_method"}] * 3, {"bound-methods-recorded"}),
            (1.0, {"only-last-value", "returned-x"} - {"returned-x"}),
            (None, {"no-return"}),
            ({"dict": 3}, {"dict-returned"}),
            ({"object": "generator"}, {"generator-returned"}),
            ([5.0, 4.0, 3.0], set()),
        ],
    )
    def test_one_number_per_pass(self, returned: object, names: set[str]) -> None:
        track = Track(self.TRACK.values, [3.0, 2.0, 7.0, 8.0], self.TRACK.slopes)
        track = track if returned == 1.0 else self.TRACK
        assert recording.explain(returned, track, 1) == names

    def test_rounded_numbers(self) -> None:
        track = Track(values=[9.12345, 4.23456, 1.98765, 0.3])
        assert recording.explain([9.12, 4.23, 1.99], track, 1) == {"rounded-values"}
        assert recording.explain([9.12, 4.29, 1.99], track, 1) == set()
        assert recording.explain([9.0, 4.0, 1.0], track, 1) == {"rounded-values"}
        assert recording.explain([10.0, 4.0, 2.0], track, 1) == set(), "one up, one down, one to the nearest"
        assert recording.explain([1.0] * 3, Track(values=[0.4, 0.32, 0.256, 0.2]), 1) == set()

    PAIRS = Track(values=[9.0, 4.0, 1.0, 0.2], points=[3, 2, 1, 0.4], rates=[0.4, 0.2, 0.1, 0.05], lr=0.8, gamma=0.5)

    @pytest.mark.parametrize(
        ("returned", "names"),
        [
            ([[9.0, 0.4], [4.0, 0.2], [1.0, 0.1]], set()),
            ([[0.4, 9.0], [0.2, 4.0], [0.1, 1.0]], {"pair-swapped"}),
            ([[9.0, 0.8], [4.0, 0.4], [1.0, 0.2]], {"lr-recorded-before-scheduler-step"}),
            ([[9.0, 0.2], [4.0, 0.1], [1.0, 0.05]], {"get-lr-recorded"}),
            ([[9.0, 0.8], [4.0, 0.8], [1.0, 0.8]], {"constant-lr-recorded"}),
            ([[9.0, 0.5], [4.0, 0.5], [1.0, 0.5]], {"gamma-recorded"}),
            ([[9.0, 0.1], [4.0, 0.1], [1.0, 0.1]], {"aliased-lr-records"}),
            ([[4.0, 0.8], [1.0, 0.4], [0.2, 0.2]], {"recorded-after"}),
            ([[3.0, 0.4], [2.0, 0.2], [1.0, 0.1]], {"recorded-x"}),
            ([9.0, 4.0, 1.0], {"only-values-recorded"}),
            ([0.4, 0.2, 0.1], {"only-rates-recorded"}),
            ([[9.0, 4.0, 1.0], [0.4, 0.2, 0.1]], {"transposed-records"}),
            ([9.0, 0.4, 4.0, 0.2, 1.0, 0.1], {"flattened-records"}),
            ([[0, 9.0, 0.4], [1, 4.0, 0.2], [2, 1.0, 0.1]], {"extra-column"}),
            ([1.0, 0.1], {"only-last-value"}),
        ],
    )
    def test_two_numbers_per_pass(self, returned: object, names: set[str]) -> None:
        assert recording.explain(returned, self.PAIRS, 2) == names


class TestLaws:
    def test_slopes_are_torchs_own(self) -> None:
        values, slopes = values_and_slopes(Objective("x ** 3"), (1.0, -2.0))
        assert values == (1.0, -8.0)
        assert slopes == (3.0, 12.0)

    def test_difference_quotients_show_in_the_visited_points(self) -> None:
        looks = [p for x in (8.0, 6.4, 5.1, 4.2) for p in (x, x + 0.01)]
        assert laws.is_difference_quotient(looks, 4)
        assert not laws.is_difference_quotient(looks, 8), "one call per pass leaves none for a quotient"
        assert not laws.is_difference_quotient([8.0, 6.4, 5.1, 4.2, 3.3, 2.7], 3)
        assert not laws.is_difference_quotient([8.0] * 9, 3)

    def test_equal_steps_are_no_difference_quotient(self) -> None:
        walk = [8.0 - 0.1 * t for t in range(12)]
        assert not laws.is_difference_quotient(walk, 6)
        twice = [x for pair in itertools.pairwise(walk) for x in pair]
        assert not laws.is_difference_quotient(twice, 11)

    def test_half_precision_shows_in_the_digits(self) -> None:
        assert laws.is_bfloat16(float(torch.tensor(3.3, dtype=torch.bfloat16)))
        assert laws.is_float16(float(torch.tensor(3.3, dtype=torch.float16)))
        assert not laws.is_float16(float(torch.tensor(3.3)))


def with_adam(f, start, lr, iterations):
    x = torch.tensor([float(start)], requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=lr)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        optimizer.step()
    return trajectory


class TestOtherTools:
    """What another exercise than the lesson's asks for is no other tool there."""

    ADAM = Exercise(
        name="adam",
        function="adam",
        columns=("f(x_t)",),
        reference=with_adam,
        lesson={"f": BOWL, "start": 8, "lr": 0.5, "iterations": 8},
        hidden=({"f": BOWL, "start": -2.5, "lr": 0.3, "iterations": 6},),
    )

    @pytest.mark.parametrize(
        ("line", "names"),
        [
            ("torch.optim.Adam([x], lr=lr, betas=(0.5, 0.5))", []),
            ("torch.optim.AdamW([x], lr=lr, weight_decay=0.1)", []),
            ("torch.optim.RMSprop([x], lr=lr)", ["other-optimizer-rmsprop"]),
        ],
    )
    def test_torchs_adam_where_adam_is_asked_for(self, line: str, names: list[str]) -> None:
        source = f"def adam(f, start, lr, iterations):\n    optimizer = {line}\n"
        assert ties.other_tools(Cell(source, "adam"), self.ADAM) == names

    def test_a_scheduler_that_is_asked_for(self) -> None:
        def stepped(f, x0, lr, gamma, iterations):
            return torch.optim.lr_scheduler.StepLR(torch.optim.SGD([x0], lr), 2, gamma)

        exercise = replace(EXERCISE, reference=stepped)
        for name, names in {
            "StepLR": [],
            "ExponentialLR": ["other-scheduler"],
            "LinearLR": ["other-scheduler"],
        }.items():
            assert ties.other_tools(Cell(f"def walk(f):\n    {name}(optimizer)\n", "walk"), exercise) == names

    def test_the_laws_of_plain_steps_say_nothing_of_another_rule(self, tmp_path: Path) -> None:
        """Plain steps in Adam's place are no \"momentum lost\": the exercise has another rule."""
        folder = tmp_path / "adam" / "mistakes"
        folder.mkdir(parents=True)
        exercise = replace(
            self.ADAM,
            reference=lambda f, x0, lr, iterations: with_adam(f, x0, lr, iterations),
            lesson={"f": BOWL, "x0": 8, "lr": 0.5, "iterations": 8},
            hidden=({"f": BOWL, "x0": -2.5, "lr": 0.3, "iterations": 6},),
            function="walk",
        )
        program = load_program(CELL.replace("lr * x.grad", "0.07 * x.grad"))
        runs = [(inputs, run_program(program, exercise.call(inputs))) for inputs in exercise.inputs]
        assert diagnose(exercise, runs, CELL, load_catalogue(folder.parent, exercise)).names == ()


class TestRaised:
    @pytest.mark.parametrize(
        ("type_", "message", "line", "num_calls", "names"),
        [
            ("NotImplementedError", "\"bitwise_xor_cpu\" not implemented for 'Float'", "(y ^ 2).backward()", 1, ()),
            ("TypeError", "list.append() takes exactly one argument (2 given)", "", 1, ("append-two-arguments",)),
            ("ValueError", "can't optimize a non-leaf Tensor", "", 0, ("optimizer-on-non-leaf",)),
            ("ValueError", "something of the student's own", "", 0, ()),
            ("ZeroDivisionError", "division by zero", "", 0, ()),
            (
                "TypeError",
                "unsupported operand type(s) for *: 'float' and 'NoneType'",
                "x -= lr * y.grad",
                1,
                ("grad-of-y",),
            ),
            ("RuntimeError", "a leaf Variable that requires grad is being used in an in-place operation.", "", 1,
             ("inplace-on-leaf",)),
        ],
    )  # fmt: skip
    def test_by_type_message_and_line(
        self, type_: str, message: str, line: str, num_calls: int, names: tuple[str, ...]
    ) -> None:
        error = StudentError(type_, message, line=1, text=line, num_calls=num_calls)
        assert (raised.causes(error, Cell(CELL, "walk")) or ()) == names


@pytest.mark.parametrize(
    "line",
    [
        "a = 'SGD([" + " " * 2000 + "'",
        "SGD([" + " " * 40_000 + "!",
        "a = " + " " * 40_000 + "!",
        "a: " + " " * 40_000 + "!",
        "\n" * 40_000 + "!",
        "SGD([" * 8000,
    ],
)
def test_text_made_to_be_slow_is_read_in_linear_time(line: str) -> None:
    cell = Cell(f"def walk(f, x0, lr, iterations):\n    for i in range(iterations):\n        {line}\n", "walk")
    ties.needless(cell)
    for witness in ties.WITNESSES.values():
        witness(cell)


def test_witness_sees_what_the_optimizer_is_given() -> None:
    given = {"[x]": None, "[x,]": None, "params=[ x ]": None, "[z]": True, "[x, z]": True}
    for argument, says in given.items():
        cell = Cell(CELL.replace("trajectory = []", f"o = torch.optim.SGD({argument}, lr=lr)"), "walk")
        assert ties.WITNESSES["optimizer-on-other-tensor"](cell) is says, argument
