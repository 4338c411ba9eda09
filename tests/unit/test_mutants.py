"""Mutants of right programs: grown once, kept by content, run on the first inputs, completed where they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stepgrade.diagnosis import mutants
from stepgrade.diagnosis.catalogue import Catalogue
from stepgrade.diagnosis.mutants import Mutants, Seed, flat, grow
from stepgrade.exercise import Exercise
from stepgrade.mutation.mutate import Mutant


def reference(start, rate, passes):
    x, rates = float(start), []
    for _ in range(passes):
        rates.append(x)
        x = x * rate
    return rates


EXERCISE = Exercise(
    name="decay",
    function="decay",
    columns=("rate",),
    reference=reference,
    lesson={"start": 8, "rate": 0.5, "passes": 5},
    hidden=({"start": 3, "rate": 0.25, "passes": 4}, {"start": -2, "rate": 0.75, "passes": 6}),
    objective=None,
    passes="passes",
)
SOLUTION = """def decay(start, rate, passes):
    x, rates = float(start), []
    while len(rates) < passes:
        rates.append(x)
        x = x * rate
    return rates
"""
SEED = Seed("our solution", SOLUTION)
ENDLESS = SOLUTION.replace("        rates.append(x)\n", "")
ENDS_ITS_PROCESS = "import os\n" + SOLUTION.replace("    return rates", "    os._exit(3)")
LEAVES = SOLUTION.replace("    return rates", "    raise SystemExit")
NO_FUNCTION = "def other():\n    pass\n"
SUMS = SOLUTION.replace("x * rate", "x + rate").replace("while len(rates) < passes", "for _ in range(passes)")
HALVES = SUMS.replace("x + rate", "x / 2")  # what the lesson's rate does
RAISES = SOLUTION.replace("x * rate", "x / 0")
IS_RIGHT = SOLUTION.replace("x * rate", "rate * x")

Grow = Callable[..., Mutants]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The programs that were mutated, in an empty cache."""
    monkeypatch.setattr(mutants, "user_cache_path", lambda _: tmp_path)
    return []


@pytest.fixture
def grown(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> Grow:
    """Grows an exercise's mutants, which are some given programs."""

    def growing(*sources: str, exercise: Exercise = EXERCISE, seed: Seed = SEED) -> Mutants:
        def mutate(source: str, *_: object) -> Iterator[Mutant]:
            calls.append(source)
            yield from (Mutant(f"edit-{n}", "update", "what was done", text, n) for n, text in enumerate(sources))

        monkeypatch.setattr(mutants, "mutate", mutate)
        return grow(exercise, [seed])

    return growing


def operators(found: Mutants) -> list[str]:
    return [found.mutant(number).operator for number in range(len(found))]


def test_mutants_of_a_solution_are_grown_with_what_they_give(calls: list[str]) -> None:
    found = grow(EXERCISE, [SEED])
    assert len(found) > 50
    assert found.seconds > 0
    number = operators(found).index("operator-turned:A+B")
    assert found.mutant(number).seed == "our solution"
    (run, *_) = found.runs(number)
    assert flat(run.returned) == [8.0, 8.5, 9.0, 9.5, 10.0]


def test_a_mutant_is_found_by_its_numbers_and_by_its_error(grown: Grow) -> None:
    found = grown(SUMS, RAISES, LEAVES)
    assert found.like([8.0, 8.5, 9.0, 9.5, 10.0], None, EXERCISE.atol) == [0]
    assert found.like([8.0, 8.5, 9.0, 9.5, 10.1], None, EXERCISE.atol) == []
    assert found.raising("ZeroDivisionError") == [1]
    assert found.raising("SystemExit") == [2]
    assert found.raising("TypeError") == []


def test_what_was_grown_is_read_from_the_cache(grown: Grow, calls: list[str]) -> None:
    first, second = grown(SUMS, RAISES), grown(SUMS, RAISES)
    assert len(calls) == 1
    assert operators(second) == operators(first) == ["edit-0", "edit-1"]
    assert second.runs(1) == first.runs(1)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": Seed("our solution", SOLUTION + "\n")},
        {"exercise": replace(EXERCISE, rtol=1e-3)},
        {"exercise": replace(EXERCISE, lesson={"start": 8, "rate": 0.5, "passes": 6})},
    ],
    ids=["solution", "tolerance", "inputs"],
)
def test_a_changed_exercise_is_grown_anew(grown: Grow, calls: list[str], changed: dict[str, object]) -> None:
    grown(SUMS)
    grown(SUMS, **changed)
    assert len(calls) == 2


def test_a_changed_engine_is_grown_anew(grown: Grow, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    grown(SUMS)
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"#" * (path.name == "formulas.py"))
    grown(SUMS)
    assert len(calls) == 2


def test_a_damaged_cache_is_grown_anew(grown: Grow, calls: list[str], tmp_path: Path) -> None:
    grown(SUMS)
    (file,) = tmp_path.rglob("*.bin")
    file.write_bytes(b"{")
    assert operators(grown(SUMS)) == ["edit-0"]
    assert len(calls) == 2


def test_without_a_place_to_keep_them_they_are_grown_all_the_same(
    grown: Grow, calls: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(mutants, "user_cache_path", lambda _: tmp_path / "file")
    assert operators(grown(SUMS)) == ["edit-0"]


@pytest.mark.parametrize("bad", [ENDLESS, ENDS_ITS_PROCESS, NO_FUNCTION], ids=["endless", "ends", "other"])
def test_what_does_not_come_to_an_end_of_its_own_is_left_out_and_the_others_go_on(grown: Grow, bad: str) -> None:
    assert operators(grown(SUMS, bad, HALVES, RAISES)) == ["edit-0", "edit-2", "edit-3"]


def test_what_gives_far_more_than_the_reference_is_left_out(grown: Grow) -> None:
    assert operators(grown(SUMS.replace("range(passes)", "range(100 * passes)"), HALVES)) == ["edit-1"]


def test_it_is_run_on_the_first_inputs_and_on_further_ones_as_long_as_it_is_right(grown: Grow) -> None:
    found = grown(SUMS, HALVES)
    assert [flat(run.returned) for run in found.runs(0)] == [[8.0, 8.5, 9.0, 9.5, 10.0]]
    assert [flat(run.returned) for run in found.runs(1)] == [[8.0, 4.0, 2.0, 1.0, 0.5], [3.0, 1.5, 0.75, 0.375]]
    assert list(found.surviving()) == []


def test_what_is_right_on_all_inputs_survives_and_is_no_mutant(grown: Grow) -> None:
    found = grown(IS_RIGHT, SUMS)
    assert operators(found) == ["edit-1"]
    assert [mutant.operator for mutant in found.surviving()] == ["edit-0"]


def test_a_loop_that_may_not_end_elsewhere_is_run_on_all_inputs_at_once(grown: Grow) -> None:
    found = grown(SOLUTION.replace("x * rate", "x + rate"))
    assert len(found.runs(0)) == len(EXERCISE.inputs)


def test_a_mutant_is_completed_on_the_other_inputs_where_it_is_needed(grown: Grow) -> None:
    grown(SUMS)
    catalogue = Catalogue(EXERCISE, (), {}, seeds=(SEED,))
    whole = catalogue.complete(catalogue.replay_of(0))
    assert [flat(run.returned) for run in whole.runs] == [
        [8.0, 8.5, 9.0, 9.5, 10.0],
        [3.0, 3.25, 3.5, 3.75],
        [-2.0, -1.25, -0.5, 0.25, 1.0, 1.75],
    ]
    assert whole.name == "edit-0 update"
    assert catalogue.complete(whole) is whole
