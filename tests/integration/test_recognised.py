"""Realistic mistakes of exercises without a mistake file or a row of their own: how many are recognised, and how truly.

Each wrong answer of `tests/assignments/<shape>/wrong/` says in its docstring what was done, and in the last line of it
what may be told of that: names of rows, or operator and role of a mutant, as `fnmatch` reads them. Whatever else is
told is false.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from assignments import SHAPES, Pieces

from stepgrade.classroom import program_text
from stepgrade.diagnosis.catalogue import Catalogue, ask_all, load_catalogue, quiet
from stepgrade.diagnosis.diagnose import UNKNOWN, UNKNOWN_RECORD, diagnose
from stepgrade.exercise import Exercise
from stepgrade.records import Diagnosis, Run

LEAST_OF_ALL = 0.6
LEAST_OF_EACH = 0.4
MOST_FALSE = 0.02
NOTHING = "nothing"  # that the catalogue has words for


@dataclass(frozen=True)
class Answer:
    """A wrong answer and what is said of it."""

    file: Path
    runs: tuple[Run, ...]
    diagnosis: Diagnosis

    @property
    def is_recognised(self) -> bool:
        """Whether it has a name, or a remark that says what it is."""
        said = self.diagnosis.remark
        is_said = said not in ("", UNKNOWN, UNKNOWN_RECORD) and "has no known cause" not in said
        return bool(self.diagnosis.names) or is_said

    @property
    def false_names(self) -> list[str]:
        """What is told of it and is not so."""
        true = told_truly(self.file)
        return [name for name in self.diagnosis.names if not any(fnmatchcase(name, pattern) for pattern in true)]


def told_truly(file: Path) -> list[str]:
    """What may be told of a wrong answer, from the last line of its docstring."""
    about = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    key, _, patterns = about.splitlines()[-1].partition(": ")
    assert key == "told", f"{file} does not say what may be told of it"
    return [] if patterns == NOTHING else patterns.split(" | ")


@cache
def exercise_of(shape: str) -> Exercise:
    return Pieces(shape).declared()


@cache
def catalogue_of(shape: str) -> Catalogue:
    pieces = Pieces(shape)
    return load_catalogue(pieces.folder, exercise_of(shape), pieces.text("solution.py"))


@cache
def answers(shape: str) -> list[Answer]:
    exercise, found = exercise_of(shape), []
    for file in sorted((Pieces(shape).folder / "wrong").glob("*.py")):
        text = program_text(file)
        with quiet():
            runs = ask_all(text, exercise, exercise.inputs)
        questions = list(zip(exercise.inputs, runs, strict=True))
        found.append(Answer(file, runs, diagnose(exercise, questions, text, catalogue_of(shape))))
    return found


def all_answers() -> list[Answer]:
    return [answer for shape in SHAPES for answer in answers(shape)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_wrong_answer_is_wrong(shape: str) -> None:
    exercise = exercise_of(shape)
    for answer in answers(shape):
        right = [exercise.is_right(run, inputs) for run, inputs in zip(answer.runs, exercise.inputs, strict=True)]
        assert not all(right), answer.file


@pytest.mark.parametrize("shape", SHAPES)
def test_much_is_recognised_in_each_exercise(shape: str) -> None:
    unknown = [answer.file.stem for answer in answers(shape) if not answer.is_recognised]
    assert len(unknown) <= (1 - LEAST_OF_EACH) * len(answers(shape)), unknown


def test_most_is_recognised_over_all() -> None:
    unknown = [
        f"{answer.file.parents[1].name}/{answer.file.stem}" for answer in all_answers() if not answer.is_recognised
    ]
    assert len(all_answers()) >= 100
    assert len(unknown) <= (1 - LEAST_OF_ALL) * len(all_answers()), unknown


def test_next_to_nothing_is_told_falsely() -> None:
    false = {f"{a.file.parents[1].name}/{a.file.stem}": a.false_names for a in all_answers() if a.false_names}
    assert len(false) <= MOST_FALSE * len(all_answers()), false


@pytest.mark.parametrize("shape", SHAPES)
def test_what_may_be_told_is_not_just_anything(shape: str) -> None:
    for answer in answers(shape):
        assert not any(pattern.strip("*? ") == "" for pattern in told_truly(answer.file)), answer.file


@pytest.mark.parametrize("shape", SHAPES)
def test_right_answers_are_told_nothing(shape: str) -> None:
    exercise, pieces = exercise_of(shape), Pieces(shape)
    for text in (pieces.text("solution.py"), *pieces.programs("accepted").values()):
        runs = ask_all(text, exercise, exercise.inputs)
        assert (
            diagnose(exercise, list(zip(exercise.inputs, runs, strict=True)), text, catalogue_of(shape)) == Diagnosis()
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_reference_stands_alone_as_a_seed(shape: str) -> None:
    seed = catalogue_of(shape).seeds[-1]
    assert seed.name == "the reference"
    exercise = exercise_of(shape)
    runs = ask_all(seed.source, exercise, exercise.inputs)
    assert all(exercise.is_right(run, inputs) for run, inputs in zip(runs, exercise.inputs, strict=True))
