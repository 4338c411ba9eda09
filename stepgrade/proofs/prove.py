"""Proves that an assignment is fit for release: right answers earn everything, known mistakes are caught and named.

    our solution, every accepted answer   earn everything, and need at most half of the tolerance
    the stub                              earns nothing
    every mistake                         loses points in the check meant for it, by a margin, and is named as itself
    our solution in a kernel              comes to its end far below the limits that students have
    the notebook                          release and source agree, points add up, each check has a grade cell

Judges by the hidden checks themselves. Knows the assignment as a whole; one exercise is `trial`'s. Refuses to change
anything.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from stepgrade import notebook
from stepgrade.checks import Checks
from stepgrade.course import Course
from stepgrade.errors import ProofError, StepgradeError
from stepgrade.grade import open_kernels, questions_of
from stepgrade.proofs.proof import Failure, Proof, render
from stepgrade.proofs.suggestion import suggest
from stepgrade.proofs.trial import prove_exercise
from stepgrade.student import Student

TIMES_FASTER = 3  # than the limit: our own cells must be, by the clock

__all__ = ["insist", "prove", "render", "suggest"]


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
    with Checks(folder) as checks:
        exercises = tuple(prove_exercise(checks, exercise, nb, folder) for exercise in checks.exercises)
        failures = [*_unmatched(nb, checks)]
        if in_kernel:
            failures += _near_limits(course, assignment, nb, checks)
    if with_release:
        failures += _release_differs(course, assignment)
    return Proof(assignment, exercises, tuple(failures), time.monotonic() - start)


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


def _near_limits(course: Course, assignment: str, nb: NotebookNode, checks: Checks) -> Iterator[Failure]:
    """Whether our own notebook needs more than a part of the time that a student's cells have."""
    limits, cells = course.settings.limits, notebook.code_cells(nb)
    sources = [notebook.cut_hidden(cell.source) for cell in cells]
    provisioner = open_kernels(course, assignment)
    try:
        with Student(provisioner, sources, course.given_files(assignment), limits) as student:
            results = student.run(questions_of(nb, checks.exercises))
    finally:
        provisioner.close()
    most = limits.cpu_seconds / TIMES_FASTER
    for number, (cell, result) in enumerate(zip(cells, results, strict=True), start=1):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        which = f"code cell {number}{f' ({name})' if name else ''} of our own notebook"
        if result.status in ("timed_out", "died", "left_out"):
            yield Failure(f"{which} does not come to its end: {result.message}", "Mend it, or raise the limits.")
        elif result.seconds > most:
            fix = f"Let it do less, or set c.Stepgrade.cpu_seconds to {TIMES_FASTER * result.seconds:.0f} or more."
            yield Failure(f"{which} takes {result.seconds:.1f} s of {limits.cpu_seconds:g}; students' are slower", fix)


def _release_differs(course: Course, assignment: str) -> Iterator[Failure]:
    """Whether nbgrader makes the very files of release/ from source/."""
    from stepgrade.classroom import copy_course, run_nbgrader

    released = course.root / "release" / assignment
    if not released.is_dir():
        return
    again = f"Run `nbgrader generate_assignment {assignment} --force`."
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_course(course, root)
        try:
            run_nbgrader(root, "generate_assignment", assignment, "--force", "--Stepgrade.prove_before_release=False")
        except StepgradeError as problem:
            yield Failure(f"nbgrader cannot generate {assignment}", str(problem)[-600:])
            return
        fresh = _files(root / "release" / assignment)
    old = _files(released)
    for name in sorted(set(old) | set(fresh)):
        if old.get(name) != fresh.get(name):
            yield Failure(f"release/{assignment}/{name} is not what source/ gives", again)


def _files(folder: Path) -> dict[str, bytes]:
    ignored = (".ipynb_checkpoints", "__pycache__")
    files = (p for p in folder.rglob("*") if p.is_file() and not set(p.parts) & set(ignored))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
