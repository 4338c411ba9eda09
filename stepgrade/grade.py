"""The hall: one submission, from notebook to verdicts.

    cut the hidden parts → run the student's cells → for each exercise: ask, check, diagnose, explain → write

Knows the order of things. Refuses to know how any of them is done.
"""

from __future__ import annotations

import difflib
import functools
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from nbformat import NotebookNode

from stepgrade import notebook, picture, sanitize
from stepgrade.checks import Checks
from stepgrade.course import Course, find_course
from stepgrade.diagnosis import diagnose
from stepgrade.diagnosis.catalogue import Catalogue, load_catalogue
from stepgrade.errors import KernelError, NotebookError, StepgradeError
from stepgrade.exercise import Exercise, Inputs
from stepgrade.feedback.explain import explain, explain_trouble
from stepgrade.kernels import open_provisioner
from stepgrade.kernels.interface import Provisioner
from stepgrade.quoting import MAX_QUOTE, clean, quote_problem
from stepgrade.reach import Written
from stepgrade.records import CellResult, Check, Diagnosis, ExerciseResult, Outcome, Record, Report, Run
from stepgrade.source import defined_functions, lines_of
from stepgrade.student import Asked, Questions, Recorded, Student

Runs = Sequence[tuple[Inputs, Run]]
SECONDS_OF_A_SITTING = 86_400.0  # a pytest session asks when it comes to it, perhaps long after the cells were run


class Grader:
    """Everything that grading an assignment needs, opened once and used for any number of submissions.

    Use as a context manager.

    Args:
        course: the course folder with its settings.
        assignment: name of the assignment.
        warms_up: start the kernels' parent now, beside everything else; else when it is first needed.

    Raises:
        ChecksError: the hidden checks cannot be collected.
        KernelError: no kernel can be had.
    """

    def __init__(self, course: Course, assignment: str, warms_up: bool = False) -> None:
        self.course = course
        self.assignment = assignment
        self._provisioner: Provisioner | None = None
        self._opening = threading.Lock()
        if warms_up:
            threading.Thread(target=self._warm_up, name="warming up", daemon=True).start()
        self.checks = Checks(course.hidden_checks(assignment))
        self.catalogues: dict[str, Catalogue] = {}
        self._prepared: set[str] = set()  # exercises whose questions are known
        self._judging = threading.Lock()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the kernels' parent and the session of the checks."""
        self.checks.close()
        if self._provisioner is not None:
            self._provisioner.close()

    @property
    def provisioner(self) -> Provisioner:
        """Where kernels come from; started when first needed."""
        with self._opening:
            if self._provisioner is None:
                self._provisioner = open_kernels(self.course, self.assignment)
            return self._provisioner

    def _warm_up(self) -> None:
        with suppress(StepgradeError):  # who needs a kernel will meet it again
            self.provisioner.protections  # noqa: B018 -- asking starts the parent

    @property
    def protections(self) -> Sequence[str]:
        """The walls around student code; empty when the kernels cannot even be had."""
        try:
            return self.provisioner.protections
        except KernelError:
            return ()

    def catalogue(self, exercise: Exercise) -> Catalogue:
        """The exercise's known mistakes, replayed on its inputs; made once."""
        if exercise.name not in self.catalogues:
            ours = notebook.read_ours(self.course.source_notebook(self.assignment))
            answer = notebook.solution_and_stub(ours, exercise.name)
            self.catalogues[exercise.name] = load_catalogue(self.checks.folder / exercise.name, exercise, *answer)
        return self.catalogues[exercise.name]

    @functools.cached_property
    def released_texts(self) -> frozenset[str]:
        """The lesson's own Markdown, cell by cell."""
        notebooks = _given_notebooks(self.course, self.assignment)
        return frozenset(cell.source for nb in notebooks for cell in nb.cells if cell.cell_type == "markdown")

    def rehearse(self) -> None:
        """Do now what the first wrong answers would wait for: replay all mistakes, load the drawing library."""
        self._prepare()  # first: without it nobody is asked anything
        for exercise in self.checks.exercises:
            catalogue = self.catalogue(exercise)
            catalogue.mutants  # noqa: B018 -- from the cache, or grown in processes of their own: judging need not wait
            with self._judging:
                catalogue.right, catalogue.mistakes  # noqa: B018 -- looking at them replays them
        picture.get_ready()

    def grade(
        self,
        nb: NotebookNode,
        name: str,
        student: str,
        files: Path | None = None,
        notes: Sequence[str] = (),
        trouble: str = "",
    ) -> Report:
        """Grade one restored submission.

        Args:
            nb: the notebook; outputs and verdicts are written into it.
            name: the notebook's name, without its ending.
            student: the student's id.
            files: folder with the submission's own files.
            notes: what had to be said before, when the file was read and restored.
            trouble: why the handed-in file could not be read at all; then nothing is run.

        Returns:
            The report. Our own failures are in it as the outcome `errored`.
        """
        sanitize.clean_notebook(nb, self.released_texts)
        cells = notebook.code_cells(nb)
        for cell in cells:
            cell.source = notebook.cut_hidden(cell.source)
        sources = [] if trouble else [cell.source for cell in cells]
        said = [*notes]
        record = Record()
        try:
            with Student(self.provisioner, sources, files, self.course.settings.limits) as asked:
                questions = [] if trouble else self.questions(nb)
                results, room = asked.run(questions), sanitize.Room()
                for cell, result in zip(cells, results, strict=False):
                    notebook.show_result(cell, result)
                    sanitize.clean_cell(cell, room)
                asked.ask_hidden(questions, functools.partial(self._is_right, asked))
                said += [*_notes_on_cells(cells, results), *asked.notes]
                written = _written(sources, results, files)
                exercises = self._judge_all(nb, asked, results, written, trouble)
            record = Record(tuple(results), asked.answers, asked.seconds, asked.memory_mib)
        except KernelError as problem:
            cause = quote_problem(problem)
            exercises = [_errored(cell, cause) for cell in notebook.graded_code_cells(nb)]
        if trouble:
            said.insert(0, f"The notebook could not be read: {trouble}. The file that was handed in is kept.")
        notebook.write_notes(nb, said)
        return Report(self.assignment, name, student, tuple(exercises), tuple(said), tuple(self.protections), record)

    def judge_again(
        self,
        nb: NotebookNode,
        earlier: Report,
        files: Path | None = None,
        trouble: str = "",
        explains: bool = True,
    ) -> tuple[tuple[ExerciseResult, ...], Mapping[str, Run]]:
        """Judge a graded notebook once more by what its process gave then; a kernel runs for new questions alone.

        Args:
            nb: the graded notebook; new verdicts take the place of the old ones.
            earlier: its report, with the record.
            files: folder with the submission's own files.
            trouble: why the handed-in file could not be read, if so.
            explains: whether to diagnose and to write verdicts; without, only scores and outcomes are found.

        Returns:
            The exercises, and all answers, those to new questions too.
        """
        for cell in notebook.graded_code_cells(nb):
            notebook.remove_verdict(cell)
        record = earlier.record
        sources = [cell.source for cell in notebook.code_cells(nb)]
        self._prepare()  # now: who judges holds the lock that this takes
        recorded = Recorded(record.answers, lambda: self.asked(nb, sources, files))
        with recorded as asked:
            written = _written(sources, record.cells, files)
            return tuple(self._judge_all(nb, asked, record.cells, written, trouble, explains)), dict(asked.answers)

    @contextmanager
    def asked(self, nb: NotebookNode, sources: Sequence[str], files: Path | None) -> Iterator[Student]:
        """A submission that has been run and asked all questions of the contract."""
        with Student(self.provisioner, sources, files, self.course.settings.limits) as student:
            questions = self.questions(nb)
            student.run(questions)
            student.ask_hidden(questions, functools.partial(self._is_right, student))
            yield student

    def questions(self, nb: NotebookNode) -> list[Questions]:
        """The questions of the contract, by exercise, and where each belongs in a notebook."""
        self._prepare()
        return questions_of(nb, self.checks.exercises)

    def _prepare(self) -> None:
        """Make the references' own runs, once: the questions are bounded by them."""
        for exercise in self.checks.exercises:
            if exercise.name not in self._prepared:
                with self._judging:  # torch's own runs are made here: their random numbers are for one at a time
                    for inputs in exercise.inputs:
                        exercise.question(inputs)
                self._prepared.add(exercise.name)

    def _is_right(self, student: Student, asked: Questions) -> bool:
        return is_right(self.checks.exercises, student, asked)

    def _judge_all(
        self,
        nb: NotebookNode,
        student: Student | Recorded,
        results: Sequence[CellResult],
        written: Written,
        trouble: str,
        explains: bool = True,
    ) -> list[ExerciseResult]:
        exercises = {exercise.grade_id: exercise for exercise in self.checks.exercises}
        judged = []
        for cell in notebook.graded_code_cells(nb):
            grade_id = cell.metadata.nbgrader["grade_id"]
            if grade_id not in exercises:
                judged.append(_errored(cell, f"there are no hidden checks for {grade_id}"))
            elif trouble:
                judged.append(_unreadable(cell, trouble))
            else:
                judged.append(self._judge(nb, cell, exercises[grade_id], student, results, written, explains))
        return judged

    def _judge(
        self,
        nb: NotebookNode,
        cell: NotebookNode,
        exercise: Exercise,
        student: Student | Recorded,
        results: Sequence[CellResult],
        written: Written,
        explains: bool,
    ) -> ExerciseResult:
        """One exercise: ask, check, diagnose, explain, write."""
        place = _place_of(nb, exercise)
        source = notebook.code_cells(nb)[place].source if place is not None else ""
        cell_result = results[place] if place is not None else None
        points = float(cell.metadata.nbgrader["points"])
        asked = Asked(student, source, exercise, written)
        with self._judging:  # pytest's session and the replaying of mistakes are for one at a time
            checks = self.checks.judge(exercise.name, asked)
            runs = [(inputs, with_line(asked.ask(exercise.call(inputs)), source)) for inputs in exercise.inputs]
            outcome = _outcome(checks, runs, cell_result)
            is_errored = outcome == "errored"
            result = ExerciseResult(
                grade_id=exercise.grade_id,
                points=points,
                score=0.0 if is_errored else _score(checks, points),
                outcome=outcome,
                checks=checks,
                message="" if is_errored else clean(_message(nb, exercise, runs, cell_result), 2 * MAX_QUOTE),
                cause="; ".join(f"test_{c.name}: {c.cause}" for c in checks if c.verdict == "errored"),
            )
            if not explains:
                return result
            found = self._diagnose(exercise, runs, source, written)
        result = replace(result, diagnosis=found)
        said = explain(exercise, result, runs, show_hidden_numbers=self.course.settings.show_hidden_numbers)
        notebook.write_verdict(cell, said.html, said.text, result.score, points, is_errored)
        return result

    def _diagnose(self, exercise: Exercise, runs: Runs, source: str, written: Written) -> Diagnosis:
        """Why an answer is wrong. A diagnosis that breaks is told to the course's people, and costs nothing else."""
        try:
            return diagnose.diagnose(exercise, runs, source, self.catalogue(exercise), written)
        except Exception as problem:
            return Diagnosis(cause=quote_problem(problem, self.checks.folder))


def questions_of(nb: NotebookNode, exercises: Sequence[Exercise]) -> list[Questions]:
    """What is asked of these exercises, and where each belongs in a notebook."""
    graded = {id(cell): cell.metadata.nbgrader["grade_id"] for cell in notebook.graded_code_cells(nb)}
    cells = notebook.code_cells(nb)
    places = {graded[id(cell)]: number for number, cell in enumerate(cells) if id(cell) in graded}
    questions = []
    for exercise in exercises:
        if exercise.grade_id in places:
            lesson, *hidden = map(exercise.question, exercise.inputs)
            questions.append(Questions(places[exercise.grade_id], lesson, hidden))
    return questions


def is_right(exercises: Sequence[Exercise], student: Student, asked: Questions) -> bool:
    """Whether all answers to the questions of an exercise are torch's own."""
    exercise = next(exercise for exercise in exercises if exercise.function == asked.function)
    return all(exercise.is_right(student.answers[exercise.call(i).key], i) for i in exercise.inputs)


def open_kernels(course: Course, assignment: str) -> Provisioner:
    """Where kernels come from. They know beforehand what everybody was given: the release's code and Python files.

    Raises:
        KernelError: no kernel can be had.
    """
    settings, folder = course.settings, course.given_files(assignment)
    files = {}
    if folder is not None:
        files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    notebooks = _given_notebooks(course, assignment)
    cells = [notebook.cut_hidden(cell.source) for nb in notebooks for cell in notebook.code_cells(nb)]
    return open_provisioner(settings.kernel, settings.require_protections, files, cells)


def _written(sources: Sequence[str], results: Sequence[CellResult], files: Path | None) -> Written:
    """All code of a submission, with what became of its cells."""
    return Written(sources, [result.status == "ok" for result in results], files)


def _given_notebooks(course: Course, assignment: str) -> list[NotebookNode]:
    """The notebooks that everybody was given; none before the release."""
    folder = course.given_files(assignment)
    return [notebook.read_ours(path) for path in sorted(folder.glob("*.ipynb"))] if folder is not None else []


def with_line(run: Run, source: str) -> Run:
    """The run with the text of the student's own line in its error, where the process could not give it."""
    if run.error is None or run.error.text or not run.error.line:
        return run
    lines = lines_of(source)
    text = lines[run.error.line - 1].strip() if run.error.line <= len(lines) else ""
    return replace(run, error=replace(run.error, text=text[:500]))


def _place_of(nb: NotebookNode, exercise: Exercise) -> int | None:
    """Number, among the code cells, of the one that defines the exercise's function when its check cell is reached.

    Else of one below that defines it, else of the exercise's own cell.
    """
    cells, own_cell = notebook.code_cells(nb), notebook.cell_named(nb, exercise.name)
    check_cell = notebook.cell_named(nb, exercise.grade_id)
    check = next((n for n, cell in enumerate(cells) if cell is check_cell), len(cells))
    defining = [n for n, cell in enumerate(cells) if exercise.function in defined_functions(cell.source)]
    own = [n for n, cell in enumerate(cells) if cell is own_cell]
    places = [n for n in defining if n < check] or defining or own
    return places[-1] if places else None


def _score(checks: Sequence[Check], points: float) -> float:
    worth = sum(check.points for check in checks)
    earned = sum(check.points for check in checks if check.passed)
    return round(points * earned / worth, 6) if worth else 0.0


def _outcome(checks: Sequence[Check], runs: Runs, cell: CellResult | None) -> Outcome:
    if any(check.verdict == "errored" for check in checks):
        return "errored"
    if all(check.passed for check in checks):
        return "passed"
    statuses = {run.status for _, run in runs}
    was_stopped = cell is not None and cell.status in ("timed_out", "died", "left_out")
    if statuses & {"timed_out", "died"} or ("missing" in statuses and was_stopped):
        return "timed_out"
    return "failed"


def _message(nb: NotebookNode, exercise: Exercise, runs: Runs, cell: CellResult | None) -> str:
    """What must be said before any check is shown: the function is missing, or its cell was stopped."""
    stopped = next((run.message for _, run in runs if run.status in ("timed_out", "died")), "")
    if stopped or not any(run.status == "missing" for _, run in runs):
        return stopped
    if cell is not None and cell.status in ("timed_out", "died", "left_out"):
        return f"The cell of this exercise did not come to its end, so {exercise.function} is missing. {cell.message}"
    return f"There is no function {exercise.function}. {_why_missing(nb, exercise, cell)}"


def _why_missing(nb: NotebookNode, exercise: Exercise, cell: CellResult | None) -> str:
    error = next((o for o in cell.outputs if o["output_type"] == "error"), None) if cell is not None else None
    if error is not None:
        return f"Its cell stopped with {clean(error['ename'], 80)}: {clean(error['evalue'])}"
    names = {name for c in notebook.code_cells(nb) for name in defined_functions(c.source)}
    own = notebook.cell_named(nb, exercise.name)
    in_own = sorted(defined_functions(own.source)) if own is not None else []
    similar = difflib.get_close_matches(exercise.function, sorted(names), n=1, cutoff=0.6) or in_own[:1]
    if similar:
        return f"Your notebook defines {similar[0]}: did you rename {exercise.function}?"
    return f"Did you rename {exercise.function}, or delete its cell?"


def _notes_on_cells(cells: Sequence[NotebookNode], results: Sequence[CellResult]) -> list[str]:
    named = {"timed_out": "ran out of time", "died": "ended its process and was left out", "left_out": "was not run"}
    return [
        f"Code cell {number}{_name_of(cell)} {named[result.status]}: {clean(result.message)}"
        for number, (cell, result) in enumerate(zip(cells, results, strict=False), start=1)
        if result.status in named
    ]


def _name_of(cell: NotebookNode) -> str:
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    return f" ({grade_id})" if grade_id else ""


def _errored(cell: NotebookNode, cause: str) -> ExerciseResult:
    """Our fault: nothing is scored, nothing is lost."""
    meta = cell.metadata.nbgrader
    result = ExerciseResult(meta["grade_id"], float(meta["points"]), 0.0, "errored", cause=cause)
    said = explain_trouble(result)
    notebook.write_verdict(cell, said.html, said.text, 0.0, result.points, is_errored=True)
    return result


def _unreadable(cell: NotebookNode, trouble: str) -> ExerciseResult:
    meta = cell.metadata.nbgrader
    message = f"Your notebook could not be read: {trouble}. Your file is kept; save the notebook and hand it in again."
    result = ExerciseResult(meta["grade_id"], float(meta["points"]), 0.0, "failed", message=message)
    said = explain_trouble(result)
    notebook.write_verdict(cell, said.html, said.text, 0.0, result.points, is_errored=False)
    return result


def grade_file(course: Course, file: Path, assignment: str, grader: Grader) -> tuple[NotebookNode, Report]:
    """Grade one notebook file outside nbgrader's folders; nothing is written.

    Args:
        course: the course folder.
        file: the notebook.
        assignment: what it answers.
        grader: opened for that assignment.

    Returns:
        The executed notebook with its verdicts, and the report.

    Raises:
        NotebookError: the instructor's notebook cannot be read.
    """
    handed_in = notebook.read_submission(file)
    originals = notebook.originals_of(notebook.read_ours(course.source_notebook(assignment)))
    notes = [*handed_in.notes]
    restored = notebook.restore(handed_in.notebook, originals)
    if not handed_in.trouble:
        notes += restored
    report = grader.grade(
        handed_in.notebook, file.stem, file.stem, course.given_files(assignment), notes, handed_in.trouble
    )
    return handed_in.notebook, report


def as_text(nb: NotebookNode, report: Report) -> str:
    """The feedback of a graded notebook as it can be read in a terminal."""
    parts = [f"note: {note}" for note in report.notes]
    for result in report.exercises:
        cell = notebook.cell_named(nb, result.grade_id)
        is_held = result.outcome == "errored"
        scored = "not scored" if is_held else f"{result.score:g} of {result.points:g} points"
        parts += ["", f"── {result.grade_id}: {scored}, {result.outcome}"]
        cause = result.cause if is_held else result.diagnosis.cause
        parts += [f"cause: {cause}", ""] if cause else []
        parts += [notebook.feedback_text(cell)] if cell is not None else []
    total, worth = sum(r.score for r in report.exercises), sum(r.points for r in report.exercises)
    held = sum(r.points for r in report.exercises if r.outcome == "errored")
    scored = f"{total:g} of {worth:g} points" + (f"; {held:g} could not be graded" if held else "")
    return "\n".join([*parts, "", f"{clean(report.notebook)}: {scored}"]).lstrip("\n")


@dataclass(frozen=True)
class Sitting:
    """A notebook that has been run and can be asked, for a plain `pytest tests/hidden`."""

    nb: NotebookNode
    student: Student
    written: Written

    def asked(self, exercise: Exercise) -> Asked:
        """The student of one exercise."""
        place = _place_of(self.nb, exercise)
        source = notebook.code_cells(self.nb)[place].source if place is not None else ""
        return Asked(self.student, source, exercise, self.written)


@contextmanager
def sitting(checks_folder: Path, file: Path | None, exercises: Sequence[Exercise]) -> Iterator[Sitting]:
    """Run a notebook for the checks in `tests/hidden/<assignment>`; by default the instructor's own.

    Args:
        checks_folder: the assignment's.
        file: the notebook.
        exercises: those that are checked; they are asked as in grading.

    Raises:
        NotebookError: the notebook cannot be read.
    """
    course = find_course(checks_folder)
    ours = course.source_notebook(checks_folder.name)
    handed_in = notebook.read_submission(file or ours)
    if handed_in.trouble:
        raise NotebookError(f"{file or ours} cannot be judged: {handed_in.trouble}")
    notebook.restore(handed_in.notebook, notebook.originals_of(notebook.read_ours(ours)))
    sources = [notebook.cut_hidden(cell.source) for cell in notebook.code_cells(handed_in.notebook)]
    provisioner = open_kernels(course, checks_folder.name)
    try:
        files = course.given_files(checks_folder.name)
        limits = replace(course.settings.limits, seconds_per_submission=SECONDS_OF_A_SITTING)
        with Student(provisioner, sources, files, limits) as student:
            questions = questions_of(handed_in.notebook, exercises)
            results = student.run(questions)
            student.ask_hidden(questions, functools.partial(is_right, exercises, student))
            yield Sitting(handed_in.notebook, student, _written(sources, results, files))
    finally:
        provisioner.close()
