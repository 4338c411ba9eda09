"""One exercise on trial: our programs before its hidden checks and its diagnosis.

Only programs of ours run here, in this process. Knows what must hold of one exercise and what to do where it does not;
refuses to know the assignment around it, and to change anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode

from stepgrade import notebook
from stepgrade.checks import Checks
from stepgrade.compare import first_missed_point
from stepgrade.diagnosis.catalogue import Catalogue, Program, Replay, drifts, load_catalogue, read_programs, replay
from stepgrade.diagnosis.diagnose import diagnose
from stepgrade.errors import ChecksError
from stepgrade.exercise import Exercise
from stepgrade.proofs.proof import Caught, ExerciseProof, Failure
from stepgrade.proofs.separation import apart, margin, room_used
from stepgrade.reach import Reach, Written
from stepgrade.records import Call, Check, Run

LEAST_MARGIN = 100.0  # tolerances between a mistake and torch's own run, on some hidden input
MANY = 5  # pairs of mistakes that are listed one by one
MOST_ROOM = 0.5  # of the tolerance, for a right answer
MEANT = {"dynamics": "follows", "exception": "follows", "recording": "records", "rule": "by_hand"}
"""The check that a kind of mistake must lose points in, by how the check's name begins."""


class Answered:
    """A trusted program as the checks' student: its answers are known beforehand.

    Args:
        source: the text of its cell.
        answers: what it gave, by question.
        function: the exercise's.
    """

    def __init__(self, source: str, answers: dict[str, Run], function: str) -> None:
        self.source = source
        self.answers = answers
        self._function = function

    def ask(self, call: Call) -> Run:
        """The known answer; a question that is no input of the exercise's is an error of the check's."""
        if call.key not in self.answers:
            raise ChecksError(f"a check asks {call.to_json()}, which is not among the exercise's inputs")
        return self.answers[call.key]

    def reach(self) -> Reach:
        """What the exercise's function mentions."""
        return Written([self.source]).reach(self._function)


def read_catalogue(exercise: Exercise, nb: NotebookNode, folder: Path) -> Catalogue:
    """The known mistakes of an exercise, from the notebook that its solution stands in and the folder of the checks."""
    return load_catalogue(folder / exercise.name, exercise, *notebook.solution_and_stub(nb, exercise.name))


def prove_exercise(checks: Checks, catalogue: Catalogue, nb: NotebookNode, folder: Path) -> ExerciseProof:
    """Prove one exercise of an assignment."""
    exercise, judge = catalogue.exercise, _Judge(checks, catalogue.exercise)
    accepted, wrong_answers = _prove_answers(judge, exercise, catalogue, nb, folder)
    caught = tuple(_catch(judge, catalogue, mistake) for mistake in catalogue.mistakes)
    close = tuple(_close_pairs(catalogue))
    survivors, unpunished = _prove_mutants(judge, catalogue)
    failures = [
        *wrong_answers,
        *_stub_earns(judge, exercise, nb),
        *(failure for mistake in caught for failure in _escapes(judge, exercise, mistake, catalogue)),
        *unpunished,
        *_undeclared(exercise, close),
        *_points_differ(judge, nb),
        *_too_few(exercise, folder),
    ]
    return ExerciseProof(
        exercise.name,
        judge.points,
        accepted,
        caught,
        close,
        exercise.baskets,
        tuple(failures),
        len(catalogue.mutants) + len(survivors),
        survivors,
    )


def list_mutants(catalogue: Catalogue) -> Iterator[tuple[str, str, str, int, str]]:
    """What was done to a right program, and to which part of it: operator, role, name, how many are so, and one of them.

    The name is that of the row of `mistakes.toml` that fits; "" where none does.
    """
    found: dict[tuple[str, str], list[Program]] = {}
    for number in range(len(catalogue.mutants)):
        program = catalogue.replay_of(number).program
        found.setdefault((program.operator, program.role), []).append(program)
    for (operator, role), programs in sorted(found.items()):
        first = programs[0]
        yield operator, role, first.name if first.hint else "", len(programs), first.about


class _Judge:
    """The hidden checks of one exercise, asked about programs of ours."""

    def __init__(self, checks: Checks, exercise: Exercise) -> None:
        self._checks = checks
        self._exercise = exercise
        self.points = checks.points(exercise.name)
        self.verdicts: dict[Path, tuple[Check, ...]] = {}

    def judge(self, answer: Replay) -> tuple[Check, ...]:
        """The verdicts on a program, from its replay."""
        questions = (self._exercise.call(inputs).key for inputs in self._exercise.inputs)
        answers = dict(zip(questions, answer.runs, strict=True))
        student = Answered(answer.program.source, answers, self._exercise.function)
        verdicts = self._checks.judge(self._exercise.name, student)
        broken = next((check for check in verdicts if check.verdict == "errored"), None)
        if broken is not None:
            raise ChecksError(f"the check test_{broken.name} of {self._exercise.name} is broken: {broken.cause}")
        self.verdicts[answer.program.path] = verdicts
        return verdicts

    def earned(self, answer: Replay) -> float:
        """The points that a program earns."""
        return sum(check.points for check in self.judge(answer) if check.passed)


def _prove_answers(
    judge: _Judge, exercise: Exercise, catalogue: Catalogue, nb: NotebookNode, folder: Path
) -> tuple[tuple[tuple[str, float, float], ...], list[Failure]]:
    programs = [*read_programs(folder / exercise.name / "accepted")]
    ours = notebook.cell_named(nb, exercise.name)
    if ours is not None:
        programs.insert(0, Program("our solution", Path(f"source/…, cell {exercise.name}"), "", "", ours.source))
    found: list[tuple[str, float, float]] = []
    failures: list[Failure] = []
    for program in programs:
        answer = replay(program, exercise)
        earned, used = judge.earned(answer), room_used(answer, catalogue.right)
        found.append((program.name, earned, used))
        failures += _is_refused(exercise, program, judge, earned, used)
    for name, drifted in drifts(exercise):
        used = room_used(drifted, catalogue.right)
        found.append((name, judge.points, used))
        if used > MOST_ROOM:
            failures.append(Failure(f"{exercise.name}: {name} uses {used:.0%} of the tolerance", WIDEN))
    return tuple(found), failures


WIDEN = "Choose inputs that rounding moves less, or a wider rtol or atol in the exercise's declaration."


def _is_refused(exercise: Exercise, program: Program, judge: _Judge, earned: float, used: float) -> Iterator[Failure]:
    if earned < judge.points:
        check = next((c for c in judge.verdicts[program.path] if not c.passed), None)
        why = f"test_{check.name} says: {check.message}" if check else ""
        what = f"{exercise.name}: {program.path.name} is right and earns {earned:g} of {judge.points:g} points"
        yield Failure(what, f"{why} Mend that check or its inputs, or, if the answer is wrong, move it to mistakes/.")
    elif used > MOST_ROOM:
        yield Failure(f"{exercise.name}: {program.path.name} uses {used:.0%} of the tolerance", WIDEN)


def _stub_earns(judge: _Judge, exercise: Exercise, nb: NotebookNode) -> Iterator[Failure]:
    stubs = {original.grade_id: original.source for original in notebook.originals_of(nb)}
    if exercise.name not in stubs:
        return
    stub = replay(Program("stub", Path("the stub"), "", "", stubs[exercise.name]), exercise)
    earned = judge.earned(stub)
    if earned:
        what = f"{exercise.name}: the stub earns {earned:g} points"
        yield Failure(what, "An empty notebook must earn nothing: let the stub raise, or ask for more in the check.")


def _prove_mutants(judge: _Judge, catalogue: Catalogue) -> tuple[tuple[str, ...], list[Failure]]:
    """What was changed in those that no input tells from a right answer; those whose wrong answers earn everything."""
    mutants, name = catalogue.mutants, catalogue.exercise.name
    survivors = tuple(f"{mutant.seed}, {mutant.text}" for mutant in mutants.surviving())
    unpunished = []
    for number in range(len(mutants)):
        screened = catalogue.replay_of(number)
        others = catalogue.right.runs[len(screened.runs) :]  # where it is not known yet, it may be right
        if judge.earned(replace(screened, runs=(*screened.runs, *others))) < judge.points:
            continue
        if judge.earned(catalogue.complete(screened)) >= judge.points:
            program = screened.program
            what = f"{name}: {program.path}, {program.about}: gives wrong numbers and earns all points"
            unpunished.append(Failure(what, "Let a check compare what came back, or the walk, with the reference."))
    return survivors, unpunished[:MANY]


# mistakes ----------------------------------------------------------------------------------------------------------


def _catch(judge: _Judge, catalogue: Catalogue, mistake: Replay) -> Caught:
    exercise = catalogue.exercise
    questions = list(zip(exercise.inputs, mistake.runs, strict=True))
    diagnosis = diagnose(exercise, questions, mistake.program.source, catalogue)
    far, number = margin(mistake, catalogue.right)
    return Caught(mistake.program, diagnosis, judge.earned(mistake), far, number)


def _escapes(judge: _Judge, exercise: Exercise, mistake: Caught, catalogue: Catalogue) -> Iterator[Failure]:
    """What is wrong about how a mistake is caught."""
    name, diagnosis = f"{exercise.name}: mistake {mistake.program.path.name}", mistake.diagnosis
    is_rule = diagnosis.kind == "rule"
    if mistake.earned >= judge.points:
        fix = "If it is wrong, add an input or a check that shows it; if it is right, move the file to accepted/."
        yield Failure(f"{name} earns all points", fix)
        return
    if not is_rule and mistake.margin < LEAST_MARGIN:
        fix = "Choose inputs that show it (`stepgrade prove --suggest`), or a smaller rtol or atol."
        yield Failure(f"{name} is {mistake.margin:.3g} tolerances from right; {LEAST_MARGIN:g} are needed", fix)
    if not diagnosis.names:
        yield Failure(f"{name} is not recognised", "Does it end, and call f? See `stepgrade.diagnosis.diagnose`.")
        return
    basket = next((b for b in exercise.baskets if mistake.program.name in b), frozenset({mistake.program.name}))
    if not set(diagnosis.names) <= basket or mistake.program.name not in diagnosis.names:
        fix = "Choose inputs that tell them apart (`stepgrade prove --suggest`), or declare them as one basket."
        yield Failure(f"{name} is diagnosed as {' or '.join(diagnosis.names)}", fix)
    yield from _misses_its_check(judge, name, mistake, catalogue)


def _misses_its_check(judge: _Judge, name: str, mistake: Caught, catalogue: Catalogue) -> Iterator[Failure]:
    kind, verdicts = mistake.diagnosis.kind, judge.verdicts[mistake.program.path]
    meant = MEANT.get(kind, "follows")
    if meant == "follows" and _is_on_path(mistake, catalogue):
        meant = "records"  # x went right as far as was asked; the number of passes was wrong
    checks = [check for check in verdicts if check.name.startswith(meant)]
    if not checks:
        fix = f"Add a check `test_{meant}…` with points: mistakes of the kind “{kind}” must lose some there."
        yield Failure(f"{name} has no check that is meant for it", fix)
    elif not any(check.verdict == "failed" for check in checks):
        fix = f"It is a {kind} mistake: let test_{checks[0].name} look at what it does wrong."
        does = "passes" if all(check.passed for check in checks) else "is not judged by"
        yield Failure(f"{name} {does} test_{checks[0].name}, the check meant for it", fix)
    if kind == "recording" and mistake.earned < judge.points / 2:
        fix = "A right walk that is recorded wrongly keeps half of the points: change the checks' points."
        yield Failure(f"{name} earns {mistake.earned:g} of {judge.points:g} points", fix)


def _is_on_path(mistake: Caught, catalogue: Catalogue) -> bool:
    mine = next(replay for replay in catalogue.mistakes if replay.program is mistake.program)
    exercise = catalogue.exercise
    return all(
        first_missed_point(run.visited, right.visited, exercise.rtol, 10 * exercise.atol) is None
        for run, right in zip(mine.runs, catalogue.right.runs, strict=True)
    )


def _close_pairs(catalogue: Catalogue) -> Iterator[tuple[str, str, float]]:
    """Mistakes of different names that no input tells apart by the least margin."""
    pairs: dict[tuple[str, str], float] = {}
    for number, one in enumerate(catalogue.mistakes):
        for other in catalogue.mistakes[:number]:
            if one.name == other.name:
                continue
            gap = apart(one, other, LEAST_MARGIN)
            if gap < LEAST_MARGIN:
                key = (min(one.name, other.name), max(one.name, other.name))
                pairs[key] = min(gap, pairs.get(key, math.inf))
    yield from ((one, other, gap) for (one, other), gap in sorted(pairs.items()))


def _undeclared(exercise: Exercise, close: Sequence[tuple[str, str, float]]) -> Iterator[Failure]:
    apart_by = sorted(
        (gap, one, other) for one, other, gap in close if not any({one, other} <= b for b in exercise.baskets)
    )
    for gap, one, other in apart_by[:MANY]:
        what = f"{exercise.name}: {one} and {other} are {gap:.3g} tolerances apart"
        yield Failure(what, "Choose inputs that tell them apart, or declare them as one basket of the exercise.")
    if len(apart_by) > MANY:
        what = f"{exercise.name}: {len(apart_by) - MANY} more pairs are closer than {LEAST_MARGIN:g} tolerances"
        yield Failure(what, "So many say that the inputs are too weak, or rtol or atol too large.")


def _points_differ(judge: _Judge, nb: NotebookNode) -> Iterator[Failure]:
    exercise = judge._exercise
    cell = notebook.cell_named(nb, exercise.grade_id)
    worth = float(cell.metadata.nbgrader.get("points", 0)) if cell is not None else None
    if worth is not None and worth != judge.points:
        what = f"{exercise.name}: the checks are worth {judge.points:g} points, the grade cell {worth:g}"
        yield Failure(what, f"Change the markers points(…) of the checks, or the points of cell {exercise.grade_id}.")


def _too_few(exercise: Exercise, folder: Path) -> Iterator[Failure]:
    if not read_programs(folder / exercise.name / "accepted"):
        what = f"{exercise.name}: tests/hidden/…/{exercise.name}/accepted/ is empty"
        yield Failure(what, "A check that knows one right answer may ask for its spelling: add another one.")
