"""A graded notebook, judged again by the numbers that its process once gave.

Knows the files of a graded submission. Refuses to know how one judges (that is the hall's), and the gradebook. No
student code is run, unless a check asks what was never asked.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from stepgrade import ledger
from stepgrade.converter import Released, as_text, marks_of, report_files
from stepgrade.grade import Grader
from stepgrade.gradebook import Marks
from stepgrade.ledger import Fingerprint, Kept
from stepgrade.records import ExerciseResult, Outcome, Report


@dataclass(frozen=True, slots=True)
class Again:
    """What judging a notebook again gave."""

    name: str
    changes: tuple[dict[str, Any], ...]  # exercises whose score or outcome differs: before and after
    is_known: bool  # whether the earlier run was recorded at all
    outcome: Outcome
    exercises: tuple[ExerciseResult, ...]
    marks: Marks
    text: str  # the notebook
    files: Mapping[str, bytes]  # what lies beside it


def judge(grader: Grader, released: Released, file: Path, order: Mapping[str, Any]) -> Again:
    """Judge a graded notebook again.

    Args:
        grader: opened for the assignment.
        released: what is known of the assignment.
        file: the graded notebook; report and answers are beside it.
        order: with the fingerprint of the `checks` that judge now, by notebook, and whether to `apply`.
    """
    nb = nbformat.read(file, as_version=4)
    name = file.stem
    earlier = json.loads(file.with_name(f"{name}.report.json").read_text(encoding="utf-8"))
    kept = ledger.read(file.with_name(name + ledger.ENDING)) or Kept(Fingerprint())
    if not kept.record.cells and not kept.trouble:
        return Again(name, (), False, "failed", (), Marks({}), "", {})
    is_written = bool(order["apply"])
    _renew_points(nb, released, name)
    said = (tuple(earlier["notes"]), tuple(earlier["protections"]))
    report = Report(earlier["assignment"], name, earlier["student"], (), *said, kept.record)
    results, answers = grader.judge_again(nb, report, file.parent, kept.trouble, explains=is_written)
    report = replace(report, exercises=results, record=replace(kept.record, answers=answers))
    changes = tuple(_changes(earlier["exercises"], results))
    if not is_written:
        return Again(name, changes, True, report.outcome, results, Marks({}), "", {})
    print_ = replace(kept.fingerprint, checks=order["checks"][name])
    return Again(
        name,
        changes,
        True,
        report.outcome,
        results,
        marks_of(nb, report),
        as_text(nb),
        report_files(report, print_, kept.trouble),
    )


def _renew_points(nb: NotebookNode, released: Released, name: str) -> None:
    """Points and checksums as the gradebook has them now; the cells' text stays what was run."""
    known = {original.grade_id: original for original in released.originals[name]}
    for cell in nb.cells:
        original = known.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if original is not None:
            cell.metadata["nbgrader"] = nbformat.from_dict(original.metadata())


def _changes(before: Sequence[Mapping[str, Any]], after: Sequence[ExerciseResult]) -> list[dict[str, Any]]:
    known = {exercise["grade_id"]: exercise for exercise in before}
    changes = []
    for result in after:
        old = known.get(result.grade_id, {"score": 0.0, "points": 0.0, "outcome": ""})
        score = old["score"] if result.outcome == "errored" else result.score  # held
        was, now = ([old["score"], old["points"], old["outcome"]], [score, result.points, result.outcome])
        if was != now:
            changes.append({"grade_id": result.grade_id, "before": was, "after": now})
    return changes


def write(results: Sequence[Again], graded: Path, dest: Path) -> None:
    """Write a graded submission anew: everything as it was, but for the verdicts.

    Args:
        results: one per notebook.
        graded: the folder as it is.
        dest: an empty folder.
    """
    shutil.copytree(graded, dest, dirs_exist_ok=True)
    for result in results:
        for name, data in {f"{result.name}.ipynb": result.text.encode(), **result.files}.items():
            target = dest / name
            mode = target.stat().st_mode if target.exists() else 0o444
            target.unlink(missing_ok=True)
            target.write_bytes(data)
            target.chmod(mode)
