"""The known mistakes and accepted answers of an exercise: programs, and what each gives on the exercise's inputs.

    tests/hidden/<assignment>/mistakes.toml                        names for what mutation makes of right programs
    tests/hidden/<assignment>/<exercise>/mistakes/<name>.py        a docstring with the hint, then the wrong solution
    tests/hidden/<assignment>/<exercise>/mistakes/<name>--<word>.py   another spelling of it that gives other numbers
    tests/hidden/<assignment>/<exercise>/accepted/<name>.py        a docstring, then a right solution
    tests/hidden/<assignment>/diagnosis/__init__.py                `explain(case)`: what neither can say

Knows these files and how to run programs on an exercise's inputs. Refuses to know students: only programs of ours run
here.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.util
import inspect
import io
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stepgrade.compare import Rows, to_rows
from stepgrade.diagnosis import mutants
from stepgrade.diagnosis.labels import Label, find_label, read_labels
from stepgrade.diagnosis.mutants import Mutants, Seed
from stepgrade.diagnosis.recording import plain
from stepgrade.errors import ChecksError
from stepgrade.exercise import Exercise, Inputs, Objective, load_program, run_program
from stepgrade.records import Run

MOST_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Program:
    """A file of `mistakes/` or `accepted/`, or a mutant.

    Attributes:
        name: of the mistake: what stands before "--" in the file's name, or what a row of `mistakes.toml` says.
        path: the file; for a mutant, the program that it was made of.
        hint: first line of the docstring, or of the row; may be shown to the student.
        about: the rest of it; for a mutant, what was done, for the instructor.
        source: the text.
        title: what a student reads in place of the name.
        operator, role: of a mutant; see `mutate`.
        rank: how near it is: 0 for a file, then mutants of the solution, then of other right programs.
        size: of a mutant's edit.
    """

    name: str
    path: Path
    hint: str
    about: str
    source: str
    title: str = ""
    operator: str = ""
    role: str = ""
    rank: int = 0
    size: int = 0


@dataclass(frozen=True)
class Replay:
    """What a program of ours gives on all inputs of an exercise, asked one after the other as a student is.

    Attributes:
        program: the file.
        exercise: whose inputs they are.
        runs: one per input; of a mutant those of the first inputs, until `Catalogue.complete`.
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
        """The same runs with one pass more each: they tell where the last step led.

        Empty where no argument says how many passes there are.
        """
        if self.exercise.passes is None:
            return ()
        questions = [one_pass_more(self.exercise, inputs) for inputs in self.exercise.inputs]
        if not self.program.source:
            return tuple(self.exercise.expected(inputs) for inputs in questions)
        with quiet():
            return ask_all(self.program.source, self.exercise, questions, str(self.program.path))

    @functools.cached_property
    def rows(self) -> tuple[Rows | str, ...]:
        """The returned numbers of each run, or why there are none."""
        return tuple(to_rows(run.returned, len(self.exercise.columns)) for run in self.runs)

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


def _keeps_state(source: str) -> bool:
    """Whether a program's next call may depend on the one before: names of its own outside, `global`, a default."""
    tree = ast.parse(source)
    outside = (one for one in tree.body if not isinstance(one, ast.Import | ast.ImportFrom | ast.FunctionDef))
    if any(not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)) for one in outside):
        return True
    nodes = list(ast.walk(tree))
    is_global = any(isinstance(node, ast.Global | ast.Nonlocal) for node in nodes)
    return is_global or any(isinstance(node, ast.arguments) and (node.defaults or node.kw_defaults) for node in nodes)


@dataclass
class _Asked:
    """A program that is asked on one input after the other, as far as somebody wants to know."""

    exercise: Exercise
    namespace: dict[str, Any]
    runs: list[Run] = field(default_factory=list)

    def first(self, num: int) -> tuple[Run, ...]:
        """What it gives on the first inputs."""
        with quiet():
            for inputs in self.exercise.inputs[len(self.runs) : num]:
                self.runs.append(run_program(self.namespace, self.exercise.question(inputs)))
        return tuple(self.runs[:num])


Explain = Callable[[Any], Any]
"""An assignment's own `explain(case) -> Diagnosis | None`; see `diagnose`."""


@dataclass(frozen=True)
class Catalogue:
    """All known mistakes of an exercise. They are replayed once, when the first wrong answer asks for them.

    Attributes:
        exercise: whose mistakes they are.
        programs: one per file.
        hints: by mistake: first lines of the docstrings, those of the assignment's other exercises too, and the rows'.
        labels: rows of `mistakes.toml`.
        seeds: the right programs that mutants are made of.
        stub: what everybody was given; "" where it is not known.
        explain: what the assignment itself can say of a wrong answer.
        remembered: what the diagnosis has worked out for this exercise and needs again.
    """

    exercise: Exercise
    programs: tuple[Program, ...]
    hints: Mapping[str, str]
    labels: tuple[Label, ...] = ()
    seeds: tuple[Seed, ...] = ()
    stub: str = ""
    explain: Explain | None = None
    remembered: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @functools.cached_property
    def right(self) -> Replay:
        """Torch's own run, as a replay."""
        return replay_reference(self.exercise)

    @functools.cached_property
    def mistakes(self) -> tuple[Replay, ...]:
        """What each mistake that has a file gives on the exercise's inputs."""
        return tuple(replay(program, self.exercise) for program in self.programs)

    @functools.cached_property
    def mutants(self) -> Mutants:
        """What mutation makes of right programs, and what that gives; from the cache, where it is there."""
        return mutants.grow(self.exercise, self.seeds)

    def label_of(self, operator: str, role: str) -> Label | None:
        """The row that names what was done to a part of a right program."""
        if (operator, role) not in self._labels_found:
            self._labels_found[operator, role] = find_label(self.labels, operator, role, self.exercise.name)
        return self._labels_found[operator, role]

    @functools.cached_property
    def _labels_found(self) -> dict[tuple[str, str], Label | None]:
        return {}

    def wrong_programs(self) -> dict[str, Program]:
        """One wrong program for each name: its file where there is one, else a mutant of that name.

        What comes to an end is taken before what stops with an error, then the nearest.
        """
        found = {program.name: program for program in sorted(self.programs, key=lambda p: p.path.stem, reverse=True)}
        for number in sorted(range(len(self.mutants)), key=lambda n: self.mutants.kinds[n] != "returned"):
            mutant = self.mutants.mutant(number)
            label = self.label_of(mutant.operator, mutant.role)
            if label is not None and label.name not in found:
                found[label.name] = self.replay_of(number).program
        return found

    def replay_of(self, number: int) -> Replay:
        """A mutant by its number, with the name that a row gives it; without one, its operator and role."""
        if number not in self._replays_found:
            self._replays_found[number] = self._replay_of(number)
        return self._replays_found[number]

    @functools.cached_property
    def _replays_found(self) -> dict[int, Replay]:
        return {}

    def _replay_of(self, number: int) -> Replay:
        mutant = self.mutants.mutant(number)
        label = self.label_of(mutant.operator, mutant.role)
        program = Program(
            name=label.name if label else f"{mutant.operator} {mutant.role}",
            path=Path(mutant.seed),
            hint=label.hint if label else "",
            about=mutant.text,
            source=mutant.source,
            title=label.title if label else "",
            operator=mutant.operator,
            role=mutant.role,
            rank=1 + mutant.rank,
            size=mutant.size,
        )
        return Replay(program, self.exercise, self.mutants.runs(number))

    def complete(self, answer: Replay, num: int | None = None) -> Replay:
        """The same on all inputs, or on as many as are asked for, where it is known on fewer."""
        num = len(self.exercise.inputs) if num is None else num
        if len(answer.runs) >= num:
            return answer
        source = answer.program.source

        def begin() -> _Asked:
            with quiet():
                namespace = load_program(source)
            return _Asked(self.exercise, namespace, [] if _keeps_state(source) else list(answer.runs))

        asked: _Asked = self.once(("complete", source), begin)
        return replace(answer, runs=asked.first(num))

    def once(self, key: Any, find: Callable[[], Any]) -> Any:
        """What was found for a key before; else it is found now, and remembered."""
        if key not in self.remembered:
            if len(self.remembered) >= MOST_REMEMBERED:
                self.remembered.clear()
            self.remembered[key] = find()
        return self.remembered[key]

    @property
    def names(self) -> frozenset[str]:
        """Of the mistakes that have a file here."""
        return frozenset(program.name for program in self.programs)


def load_catalogue(folder: Path, exercise: Exercise, solution: str = "", stub: str = "") -> Catalogue:
    """Read all mistakes of an exercise.

    Args:
        folder: of the exercise's checks, `tests/hidden/<assignment>/<exercise>`.
        solution: our own answer, with what it needs of other cells; "" where there is none.
        stub: what everybody was given in its place.

    Raises:
        ChecksError: a file cannot be used; the message says which, and what to do.
    """
    seeds = [Seed("our solution", solution)] if solution else []
    seeds += [Seed(f"accepted/{p.path.name}", p.source) for p in read_programs(folder / "accepted")]
    text = source_of(exercise)
    seeds += [Seed("the reference", text)] if text else []
    labels = read_labels(folder.parent)
    return Catalogue(
        exercise,
        read_programs(folder / "mistakes"),
        {label.name: label.hint for label in reversed(labels)} | _hints(folder),
        labels,
        tuple(seeds),
        stub,
        load_explain(folder.parent),
    )


def source_of(exercise: Exercise) -> str:
    """The reference's text under the name of the student's function, with what it needs of its module; "" without."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(exercise.reference)))
        module = ast.parse(Path(inspect.getsourcefile(exercise.reference) or "").read_text(encoding="utf-8"))
    except (OSError, TypeError, ValueError, SyntaxError):
        return ""
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        return ""
    needed = _needed_by(definition, module)
    definition.name = exercise.function
    definition.decorator_list = []
    return ast.unparse(ast.Module([*needed, definition], []))


def _needed_by(definition: ast.FunctionDef, module: ast.Module) -> list[ast.stmt]:
    """The statements of a module, in their order, that define what a function of it reads, and what these read."""
    others = [
        statement for statement in module.body if _defined(statement) and definition.name not in _defined(statement)
    ]
    needed: list[ast.stmt] = []
    todo: list[ast.stmt] = [definition]
    for one in todo:
        read = {node.id for node in ast.walk(one) if isinstance(node, ast.Name)}
        todo += (found := [other for other in others if other not in todo and read & _defined(other)])
        needed += found
    return [statement for statement in others if statement in needed]


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name.partition(".")[0] for alias in aliases}
        case ast.Assign() | ast.AnnAssign():
            return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        case _:
            return set()


def load_explain(folder: Path) -> Explain | None:
    """The assignment's own diagnosis, a package `diagnosis` with a function `explain`; None where there is none.

    Raises:
        ChecksError: it cannot be loaded.
    """
    file = folder / "diagnosis" / "__init__.py"
    if not file.is_file():
        return None
    return _load_explain(file, file.stat().st_mtime_ns)


@functools.cache
def _load_explain(file: Path, _changed: int) -> Explain:
    name = f"stepgrade_diagnosis_{abs(hash(file))}"
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=[str(file.parent)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        found: Explain = module.explain
    except Exception as problem:
        del sys.modules[name]
        raise ChecksError(
            f"{file} cannot be used: {type(problem).__name__}: {problem}. It has a function `explain(case)`."
        ) from problem
    return found


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
    """Torch's own run in other arithmetic: in float64, and with objectives off by a unit in float32's last place."""
    import torch

    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield "the reference in float64", _run_reference(exercise, exercise.inputs)
    finally:
        torch.set_default_dtype(usual)
    for sign in "+-" if exercise.objective is not None else "":
        moved = [{name: _moved(value, sign) for name, value in inputs.items()} for inputs in exercise.inputs]
        yield f"the objective off by {sign}2⁻²³", _run_reference(exercise, moved)


def _moved(value: Any, sign: str) -> Any:
    return replace(value, text=f"({value}) * (1 {sign} 2.0 ** -23)") if isinstance(value, Objective) else value


def _run_reference(exercise: Exercise, questions: Sequence[Inputs]) -> Replay:
    runs = tuple(run_program({exercise.function: exercise.reference}, exercise.call(inputs)) for inputs in questions)
    return Replay(NO_FILE, exercise, runs)


def ask_all(source: str, exercise: Exercise, questions: Sequence[Inputs], name: str = "<program>") -> tuple[Run, ...]:
    """What a trusted program answers to questions that are put one after the other, in one process."""
    namespace = load_program(source, name)
    return tuple(run_program(namespace, exercise.call(inputs)) for inputs in questions)


def one_pass_more(exercise: Exercise, inputs: Inputs) -> dict[str, Any]:
    """The same inputs with one pass more."""
    assert exercise.passes is not None
    return {**inputs, exercise.passes: (exercise.num_passes(inputs) or 0) + 1}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what programs of ours print and torch's warnings about them."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
