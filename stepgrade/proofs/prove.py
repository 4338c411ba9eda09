"""Proves that an assignment is fit for release: right answers earn everything, known mistakes are caught and named.

    our solution, every accepted answer   earn everything, and need at most half of the tolerance
    the stub                              earns nothing, in the hidden checks and in the visible one
    every mistake                         loses points in the check meant for it, by a margin, and is named as itself
    every mutant of a right answer        loses points, or is listed: what it changed makes no difference on any input
    our solution in a kernel              passes the visible checks, far below the limits that students have
    a sample of wrong answers             comes through grading, feedback and class page
    the notebook                          release and source agree, points add up, each check has a grade cell

Judges by the hidden checks themselves. Knows the assignment as a whole; one exercise is `trial`'s, and what is wrong
with one says nothing against another. Refuses to change anything.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from stepgrade import notebook
from stepgrade.checks import Checks
from stepgrade.classroom import copy_course, run_nbgrader
from stepgrade.course import Course
from stepgrade.errors import ChecksError, ProofError, StepgradeError
from stepgrade.grade import open_kernels, questions_of
from stepgrade.proofs.memory import Memory
from stepgrade.proofs.proof import ExerciseProof, Failure, Proof, render
from stepgrade.proofs.sample import choose, grade_sample
from stepgrade.proofs.suggestion import suggest
from stepgrade.proofs.trial import list_mutants, prove_exercise, read_catalogue
from stepgrade.records import CellResult
from stepgrade.student import Student

TIMES_FASTER = 3  # than the limit: our own cells must be, by the clock

__all__ = ["insist", "list_all_mutants", "prove", "render", "suggest"]


def prove(course: Course, assignment: str, with_release: bool = True, in_kernel: bool = True) -> Proof:
    """Prove an assignment.

    Args:
        with_release: whether the release, where there is one, must agree with the source.
        in_kernel: whether our own notebook is run as a submission is.

    Raises:
        StepgradeError: the checks or the notebook cannot even be read.
    """
    start = time.monotonic()
    nb = notebook.read_ours(course.source_notebook(assignment))
    folder = course.hidden_checks(assignment)
    proven: list[ExerciseProof] = []
    samples: dict[str, list[str]] = {}
    memory = Memory(course, assignment)
    with Checks(folder, some_will_do=True) as checks:
        failures = [Failure(f"{name} cannot be judged: {what}", MEND) for name, what in checks.troubles]
        for exercise in checks.exercises:
            try:
                catalogue = read_catalogue(exercise, nb, folder)
                proven.append(prove_exercise(checks, catalogue, nb, folder, memory))
                samples[exercise.name] = choose(catalogue)
            except ChecksError as problem:
                failures.append(Failure(f"{exercise.name} cannot be proven: {problem}", MEND))
        failures += _unmatched(nb, checks)
        if in_kernel:
            failures += memory.unless_proven("in-kernel", lambda: _in_kernel(course, assignment, nb, checks))
    if with_release or in_kernel:
        what = f"copy-{with_release}-{in_kernel}"
        chosen = samples if in_kernel else {}
        failures += memory.unless_proven(what, lambda: _in_a_copy(course, assignment, with_release, chosen))
    return Proof(assignment, tuple(proven), tuple(failures), time.monotonic() - start)


def list_all_mutants(course: Course, assignment: str) -> Iterator[tuple[str, ...]]:
    """All mutants of an assignment: the exercise, then as `list_mutants` has it."""
    nb, folder = notebook.read_ours(course.source_notebook(assignment)), course.hidden_checks(assignment)
    with Checks(folder) as checks:
        for exercise in checks.exercises:
            for row in list_mutants(read_catalogue(exercise, nb, folder)):
                yield exercise.name, *map(str, row)


MEND = "Mend what it names; the other exercises are proven apart from it."


def insist(course: Course, assignment: str, log: logging.Logger) -> None:
    """Prove an assignment that is about to be released.

    Raises:
        ProofError: it is not fit; the log says what to mend.
    """
    log.info("proving %s before its release", assignment)
    proof = prove(course, assignment, with_release=False)
    for failure in proof.all_failures:
        log.error("%s → %s", failure.what, failure.fix)
    if not proof.holds:
        raise ProofError(
            f"{assignment} is not fit for release: {len(proof.all_failures)} thing(s) to mend, listed above. "
            "See `stepgrade prove`; `--Stepgrade.prove_before_release=False` releases all the same."
        )


def _unmatched(nb: NotebookNode, checks: Checks) -> Iterator[Failure]:
    cells = {cell.metadata.nbgrader["grade_id"] for cell in notebook.graded_code_cells(nb)}
    exercises = {exercise.grade_id: exercise for exercise in checks.exercises}
    for grade_id in sorted(cells - set(exercises)):
        yield Failure(f"the grade cell {grade_id} has no hidden checks", "Add a folder of checks, or drop the cell.")
    for grade_id in sorted(set(exercises) - cells):
        fix = f"Add a grade cell with grade_id {grade_id} to the notebook, or delete the checks."
        yield Failure(f"the checks of {exercises[grade_id].name} have no grade cell", fix)
    solutions = {o.grade_id for o in notebook.originals_of(nb) if o.is_solution}
    for exercise in exercises.values():
        if exercise.name not in solutions:
            fix = f"Give the cell that defines {exercise.function} the grade_id {exercise.name}."
            yield Failure(f"the notebook has no solution cell {exercise.name}", fix)


def _in_kernel(course: Course, assignment: str, nb: NotebookNode, checks: Checks) -> Iterator[Failure]:
    """Our own notebook and the empty one, run as submissions are."""
    cells = notebook.code_cells(nb)
    ours = [notebook.cut_hidden(cell.source) for cell in cells]
    stubs = {original.grade_id: original.source for original in notebook.originals_of(nb) if original.is_solution}
    empty = [stubs.get(_grade_id(cell), source) for cell, source in zip(cells, ours, strict=True)]
    limits, provisioner = course.settings.limits, open_kernels(course, assignment)
    try:
        with Student(provisioner, ours, course.given_files(assignment), limits) as student:
            results = student.run(questions_of(nb, checks.exercises))
        with Student(provisioner, empty, course.given_files(assignment), limits) as student:
            untouched = student.run([])
    finally:
        provisioner.close()
    yield from _near_limits(course, cells, results)
    yield from _visible_checks(cells, results, untouched)


def _grade_id(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _near_limits(course: Course, cells: Sequence[NotebookNode], results: Sequence[CellResult]) -> Iterator[Failure]:
    """Whether our own notebook needs more than a part of the time that a student's cells have."""
    limits = course.settings.limits
    most = limits.cpu_seconds / TIMES_FASTER
    for number, (cell, result) in enumerate(zip(cells, results, strict=True), start=1):
        name = _grade_id(cell)
        which = f"code cell {number}{f' ({name})' if name else ''} of our own notebook"
        if result.status in ("timed_out", "died", "left_out"):
            yield Failure(f"{which} does not come to its end: {result.message}", "Mend it, or raise the limits.")
        elif result.seconds > most:
            fix = f"Let it do less, or set c.Stepgrade.cpu_seconds to {TIMES_FASTER * result.seconds:.0f} or more."
            yield Failure(f"{which} takes {result.seconds:.1f} s of {limits.cpu_seconds:g}; students' are slower", fix)


def _visible_checks(
    cells: Sequence[NotebookNode], results: Sequence[CellResult], untouched: Sequence[CellResult]
) -> Iterator[Failure]:
    """Whether what students see of a check passes where all is right, and fails where nothing was written."""
    for cell, ours, empty in zip(cells, results, untouched, strict=True):
        if not is_grade(cell) or is_solution(cell):
            continue
        if ours.status == "error":
            what = f"the visible check in {_grade_id(cell)} fails on our own solution"
            yield Failure(f"{what}: {_error_of(ours)}", "Mend the check, or the solution.")
        if empty.status == "ok":
            what = f"the visible check in {_grade_id(cell)} passes where nothing was written"
            yield Failure(what, "Let it call the function, so that a student sees that something is missing.")


def _error_of(result: CellResult) -> str:
    problem = next((output for output in result.outputs if output["output_type"] == "error"), {})
    return f"{problem.get('ename', 'an error')}: {problem.get('evalue', '')}"


def _in_a_copy(
    course: Course, assignment: str, with_release: bool, samples: Mapping[str, Sequence[str]]
) -> Iterator[Failure]:
    """Whether nbgrader makes the very files of release/, and wrong answers come through all that follows."""
    released = course.root / "release" / assignment
    compares = with_release and released.is_dir()
    if not compares and not any(samples.values()):
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_course(course, root)
        try:
            run_nbgrader(root, "generate_assignment", assignment, *RELEASE_UNPROVEN)
        except StepgradeError as problem:
            yield Failure(f"nbgrader cannot generate {assignment}", str(problem)[-600:])
            return
        if compares:
            yield from _release_differs(released, root / "release" / assignment)
        if any(samples.values()):
            yield from grade_sample(root, assignment, samples)


RELEASE_UNPROVEN = ("--create", "--force", "--Stepgrade.prove_before_release=False")


def _release_differs(released: Path, again: Path) -> Iterator[Failure]:
    old, fresh = _files(released), _files(again)
    for name in sorted(set(old) | set(fresh)):
        if old.get(name) != fresh.get(name):
            fix = f"Run `nbgrader generate_assignment {released.name} --force`."
            yield Failure(f"release/{released.name}/{name} is not what source/ gives", fix)


def _files(folder: Path) -> dict[str, bytes]:
    ignored = (".ipynb_checkpoints", "__pycache__")
    files = (p for p in folder.rglob("*") if p.is_file() and not set(p.parts) & set(ignored))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
