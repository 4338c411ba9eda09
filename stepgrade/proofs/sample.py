"""A sample of wrong answers through the whole path, in a copy of the course: grading, feedback, class page.

What an answer could break is met here, and not first by a student. Knows the commands that a course uses. Refuses to
weigh what they say of an answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from stepgrade.classroom import fill, hand_in, run_stepgrade
from stepgrade.diagnosis.catalogue import Catalogue
from stepgrade.errors import CourseError
from stepgrade.notebook import read_ours
from stepgrade.proofs.proof import Failure

SIZE = 8  # answers of each exercise


def choose(catalogue: Catalogue, size: int = SIZE) -> list[str]:
    """Texts of mutants: one of each way to end, then evenly from all."""
    mutants = catalogue.mutants
    if not mutants.kinds:
        return []
    first_of_each = {kind: number for number, kind in reversed(list(enumerate(mutants.kinds)))}
    evenly = range(0, len(mutants), max(1, len(mutants) // size))
    numbers = list(dict.fromkeys([*first_of_each.values(), *evenly]))[:size]
    return [mutants.mutant(number).source for number in numbers]


def grade_sample(root: Path, assignment: str, answers: Mapping[str, Sequence[str]]) -> Iterator[Failure]:
    """Grade invented students; what broke on the way.

    Args:
        root: of a copy of the course in which the assignment is released.
        answers: texts by exercise.
    """
    release = read_ours(root / "release" / assignment / f"{assignment}.ipynb")
    for number, row in enumerate(zip_longest(*answers.values()), start=1):
        programs = {name: text for name, text in zip(answers, row, strict=True) if text is not None}
        hand_in(fill(release, programs), root, f"student-{number:02}", assignment)
    try:
        run_stepgrade(root, "autograde", assignment, "--feedback")
        run_stepgrade(root, "report", assignment)
    except CourseError as problem:
        yield Failure("a class of wrong answers cannot be graded", f"{str(problem)[-1500:]}")
        return
    for report in sorted((root / "autograded").glob(f"*/{assignment}/*.report.json")):
        for exercise in json.loads(report.read_text(encoding="utf-8"))["exercises"]:
            cause = exercise.get("cause") or exercise.get("not_diagnosed")
            if cause:
                student = report.parent.parent.name
                yield Failure(
                    f"{exercise['grade_id']}: a wrong answer ({student} of the sample) breaks the check", cause
                )
