"""The known mistakes and accepted answers of an exercise: programs in files, read once and replayed once.

    tests/hidden/<assignment>/<exercise>/mistakes/<name>.py        a docstring with the hint, then the wrong solution
    tests/hidden/<assignment>/<exercise>/mistakes/<name>--<word>.py   another spelling of it that gives other numbers
    tests/hidden/<assignment>/<exercise>/accepted/<name>.py        a docstring, then a right solution

Knows these files and how to run them on an exercise's inputs. Refuses to know students: only programs of ours run here.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stepgrade.compare import Rows, to_rows
from stepgrade.diagnosis.recording import plain
from stepgrade.diagnosis.walks import distinct
from stepgrade.errors import ChecksError
from stepgrade.exercise import Exercise, Inputs, Objective, load_program, run_program
from stepgrade.records import Run


@dataclass(frozen=True, slots=True)
class Program:
    """A file of `mistakes/` or `accepted/`."""

    name: str  # of the mistake: what stands before "--" in the file's name
    path: Path
    hint: str  # first line of the docstring; may be shown to the student
    about: str  # the rest of it
    source: str


@dataclass(frozen=True)
class Replay:
    """What a program of ours gives on all inputs of an exercise, asked one after the other as a student is.

    Attributes:
        program: the file.
        exercise: whose inputs they are.
        runs: one per input.
    """

    program: Program
    exercise: Exercise
    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """Of the mistake."""
        return self.program.name

    @functools.cached_property
    def further(self) -> tuple[Run, ...]:
        """The same runs with one pass more each: they tell where the last step led."""
        questions = [one_pass_more(inputs) for inputs in self.exercise.inputs]
        if not self.program.source:
            return tuple(self.exercise.expected(inputs) for inputs in questions)
        with quiet():
            return ask_all(self.program.source, self.exercise, questions, str(self.program.path))

    @functools.cached_property
    def rows(self) -> tuple[Rows | str, ...]:
        """The returned numbers of each run, or why there are none."""
        return tuple(to_rows(run.returned, len(self.exercise.columns)) for run in self.runs)

    @functools.cached_property
    def paths(self) -> tuple[tuple[float, ...], ...]:
        """Where f was called in each run, repeated looks at the same x left out."""
        return tuple(distinct(run.visited) for run in self.runs)

    @functools.cached_property
    def returned(self) -> tuple[object, ...]:
        """What came back from each run, as plain lists."""
        return tuple(plain(run.returned) for run in self.runs)

    @functools.cached_property
    def further_rows(self) -> tuple[Rows | str, ...]:
        """The returned numbers of each run with one pass more."""
        return tuple(to_rows(run.returned, len(self.exercise.columns)) for run in self.further)

    @functools.cached_property
    def has_returned(self) -> bool:
        """Whether it came to an end on all inputs."""
        return all(run.status == "returned" for run in self.runs)


@dataclass(frozen=True)
class Catalogue:
    """All known mistakes of an exercise. They are replayed once, when the first wrong answer asks for them.

    Attributes:
        exercise: whose mistakes they are.
        programs: one per file.
        hints: first lines of the docstrings by mistake; those of the assignment's other exercises too.
        remembered: what the diagnosis has worked out for this exercise and needs again.
    """

    exercise: Exercise
    programs: tuple[Program, ...]
    hints: Mapping[str, str]
    remembered: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @functools.cached_property
    def right(self) -> Replay:
        """Torch's own run, as a replay."""
        return replay_reference(self.exercise)

    @functools.cached_property
    def mistakes(self) -> tuple[Replay, ...]:
        """What each mistake gives on the exercise's inputs."""
        return tuple(replay(program, self.exercise) for program in self.programs)

    @property
    def names(self) -> frozenset[str]:
        """Of the mistakes that have a file here."""
        return frozenset(program.name for program in self.programs)


def load_catalogue(folder: Path, exercise: Exercise) -> Catalogue:
    """Read all mistakes of an exercise.

    Args:
        folder: of the exercise's checks, `tests/hidden/<assignment>/<exercise>`.

    Raises:
        ChecksError: a file cannot be used; the message says which, and what to do.
    """
    return Catalogue(exercise, read_programs(folder / "mistakes"), _hints(folder))


def read_programs(folder: Path) -> tuple[Program, ...]:
    """The programs of a folder, by name.

    Raises:
        ChecksError: a file is no Python or has no docstring.
    """
    return tuple(_read_program(path) for path in sorted(folder.glob("*.py")))


def _read_program(path: Path) -> Program:
    source = path.read_text(encoding="utf-8")
    try:
        text = ast.get_docstring(ast.parse(source))
    except SyntaxError as problem:
        raise ChecksError(f"{path}:{problem.lineno} is no Python: {problem.msg}. Mend or delete the file.") from problem
    if not text:
        raise ChecksError(f"{path} has no docstring. Begin it with the student's hint, on one line.")
    hint, _, about = text.partition("\n")
    return Program(path.stem.partition("--")[0], path, hint.strip(), about.strip(), source)


def _hints(folder: Path) -> dict[str, str]:
    own, others = [folder / "mistakes"], sorted(folder.parent.glob("*/mistakes"))
    hints: dict[str, str] = {}
    for place in [*own, *others]:
        for path in sorted(place.glob("*.py")):
            name = path.stem.partition("--")[0]
            if name not in hints:
                hints[name] = _read_program(path).hint
    return hints


def replay(program: Program, exercise: Exercise) -> Replay:
    """Run a program of ours on all inputs of an exercise.

    Raises:
        ChecksError: the program does not define the exercise's function.
    """
    with quiet():
        runs = ask_all(program.source, exercise, exercise.inputs, str(program.path))
    if any(run.status == "missing" for run in runs):
        raise ChecksError(f"{program.path} defines no function {exercise.function}. Name its function so.")
    return Replay(program, exercise, runs)


NO_FILE = Program("", Path(), "", "", "")
"""What the reference has in a program's place."""


def replay_reference(exercise: Exercise) -> Replay:
    """Torch's own run, as a replay."""
    return Replay(NO_FILE, exercise, tuple(exercise.expected(inputs) for inputs in exercise.inputs))


def drifts(exercise: Exercise) -> Iterator[tuple[str, Replay]]:
    """Torch's own run in other arithmetic: in float64, and with f off by a unit in float32's last place."""
    import torch

    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield "the reference in float64", _run_reference(exercise, exercise.inputs)
    finally:
        torch.set_default_dtype(usual)
    for sign in "+-":
        moved = [{**i, "f": Objective(f"({i['f']}) * (1 {sign} 2.0 ** -23)")} for i in exercise.inputs]
        yield f"f off by {sign}2⁻²³", _run_reference(exercise, moved)


def _run_reference(exercise: Exercise, questions: Sequence[Inputs]) -> Replay:
    runs = tuple(run_program({exercise.function: exercise.reference}, exercise.call(inputs)) for inputs in questions)
    return Replay(NO_FILE, exercise, runs)


def ask_all(source: str, exercise: Exercise, questions: Sequence[Inputs], name: str = "<program>") -> tuple[Run, ...]:
    """What a trusted program answers to questions that are put one after the other, in one process."""
    namespace = load_program(source, name)
    return tuple(run_program(namespace, exercise.call(inputs)) for inputs in questions)


def one_pass_more(inputs: Inputs) -> dict[str, Any]:
    """The same inputs with one iteration more."""
    return {**inputs, "iterations": inputs["iterations"] + 1}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what programs of ours print and torch's warnings about them."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
