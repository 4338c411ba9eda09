"""What is kept beside a graded notebook so that it need not be run again: fingerprints, how cells ended, answers.

    autograded/<student>/<assignment>/<notebook>.answers.json

Knows the form of this file and what a fingerprint is taken of. Refuses to know kernels, checks, notebooks as objects
and the gradebook. A number that JSON does not have is written as {"float": "nan"}.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import stepgrade
from stepgrade.course import Course
from stepgrade.notebook import Original
from stepgrade.records import CellResult, Record, Run, StudentError

ENDING = ".answers.json"
MAX_TEXT = 1 << 20  # bytes of one answer; an honest one has some thousand; a longer one is asked again
CHUNK = 1 << 20  # bytes of a file that are read at once


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of everything that a verdict follows from. Equal fingerprints: grading again would give the same."""

    submission: str = ""  # what was handed in
    assignment: str = ""  # what it runs with: cells, files, limits, versions
    checks: str = ""  # what judges it: hidden checks, points, how feedback speaks, versions


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file says."""

    fingerprint: Fingerprint
    record: Record = field(default_factory=Record)
    trouble: str = ""  # why the handed-in file could not be read


# ------------------------------------------------------------------------------------------------------- fingerprints


def digest(parts: Iterable[object]) -> str:
    """A short hash of values whose `repr` tells them apart."""
    return hashlib.sha256(repr([*parts]).encode()).hexdigest()[:32]


def digest_folder(folder: Path, files: Iterable[str], follows_links: bool = False) -> str:
    """A hash of the names and contents of a folder's files.

    Args:
        folder: where they are.
        files: relative paths.
        follows_links: whether a link counts by what is in the file; in a folder that a stranger handed in, it counts by
            where it leads.
    """
    return digest((name, _digest_file(folder / name, follows_links)) for name in sorted(files))


def digest_whole(folder: Path) -> str:
    """A hash of all files in a folder of ours."""
    return digest_folder(folder, _walk(folder), follows_links=True)


def fingerprint(
    course: Course, assignment: str, originals: Sequence[Original], given: Path, submission: str
) -> Fingerprint:
    """Of one submission and of all that it is graded with.

    Args:
        course: the course folder with its settings.
        assignment: its name.
        originals: the assignment's cells, as the gradebook has them.
        given: the folder whose files are put beside the submission's.
        submission: what `handed_in.fingerprint` says.
    """
    settings = course.settings
    cells = [(c.grade_id, c.cell_type, c.source, c.is_grade, c.is_solution, c.is_task, c.is_locked) for c in originals]
    files = [name for name in _walk(given) if not name.endswith(".ipynb")]
    points = [(c.grade_id, c.points) for c in originals]
    hidden = course.hidden_checks(assignment)
    run_with = [cells, digest_folder(given, files, follows_links=True), settings.limits, settings.kernel]
    judged_by = [digest_whole(hidden), points, settings.show_hidden_numbers]
    # torch runs the student's code, and ours that it is judged by; the engine has both done
    versions = (stepgrade.__version__, version("torch"))
    return Fingerprint(submission, digest([*run_with, versions]), digest([*judged_by, versions]))


def _walk(folder: Path) -> Iterable[str]:
    """Relative paths of the files in a folder of ours; a folder that several links lead to is walked once."""
    walked = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) in walked:
            folders.clear()
            continue
        walked.add(real)
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", ".ipynb_checkpoints"))
        for name in names:
            yield str(Path(place, name).relative_to(folder))


def _digest_file(path: Path, follows_links: bool) -> str:
    if path.is_symlink() and not follows_links:
        return f"link to {path.readlink()}"
    if not path.is_file():
        return "no file"
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest()


# --------------------------------------------------------------------------------------------------- writing, reading


def to_text(kept: Kept) -> str:
    """The file's text."""
    print_, record = kept.fingerprint, kept.record
    answers = [_answer(key, run) for key, run in record.answers.items()]
    values = {
        "fingerprint": {"submission": print_.submission, "assignment": print_.assignment, "checks": print_.checks},
        "trouble": kept.trouble,
        "cells": [_cell(cell) for cell in record.cells],
        "seconds": None if record.seconds is None else round(record.seconds, 3),
        "memory_mib": None if record.memory_mib is None else round(record.memory_mib, 1),
        "answers": [],
    }
    head = json.dumps(values, ensure_ascii=False, allow_nan=False)
    lines = ",\n ".join(text for text in answers if len(text) <= MAX_TEXT)
    return head.removesuffix("]}") + ("\n " + lines + "\n" if lines else "") + "]}\n"


def read(path: Path) -> Kept | None:
    """What was kept; None where there is no such file or it is damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        record = Record(
            tuple(_cell_of(cell) for cell in values["cells"]),
            {json.dumps(answer["call"]): _run_of(answer["run"]) for answer in values["answers"]},
            values.get("seconds"),
            values.get("memory_mib"),
        )
        return Kept(Fingerprint(**values["fingerprint"]), record, values["trouble"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read_fingerprint(path: Path) -> Fingerprint | None:
    """The fingerprint alone; it stands on the file's first line."""
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(1 << 20)
        values = json.JSONDecoder().raw_decode(line[line.index('{"submission"') :])[0]
        return Fingerprint(**values)
    except (OSError, ValueError, TypeError):
        return None


def _cell(cell: CellResult) -> dict[str, Any]:
    error = next((o for o in cell.outputs if o["output_type"] == "error"), None)
    shown = {"ename": str(error["ename"])[:200], "evalue": str(error["evalue"])[:2000]} if error is not None else None
    return {"status": cell.status, "message": cell.message, "seconds": round(cell.seconds, 3), "error": shown}


def _cell_of(values: Mapping[str, Any]) -> CellResult:
    error = values["error"]
    outputs = ({"output_type": "error", "traceback": [], **error},) if error else ()
    return CellResult(values["status"], outputs, seconds=values["seconds"], message=values["message"])


def _answer(key: str, run: Run) -> str:
    error = run.error
    values = {
        "status": run.status,
        "returned": run.returned,
        "visited": [list(point) for point in run.visited],
        "message": run.message,
        "error": None
        if error is None
        else {
            "type": error.type,
            "message": error.message,
            "line": error.line,
            "text": error.text,
            "num_calls": error.num_calls,
        },
    }
    try:
        return json.dumps({"call": json.loads(key), "run": _strict(values)}, allow_nan=False)
    except RecursionError:
        return " " * (MAX_TEXT + 1)  # nested without end: not kept


def _run_of(values: Mapping[str, Any]) -> Run:
    values = _loose(values)
    error = StudentError(**values["error"]) if values["error"] is not None else None
    visited = tuple(tuple(map(float, p)) if isinstance(p, list) else (float(p),) for p in values["visited"])
    return Run(values["status"], values["returned"], visited, error, values["message"])


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return {key: _strict(item) for key, item in value.items()} if isinstance(value, dict) else value


def _loose(value: Any) -> Any:
    if isinstance(value, list):
        return [_loose(item) for item in value]
    if isinstance(value, dict):
        if value.keys() == {"float"}:
            return float(value["float"]) if value["float"] in ("nan", "inf", "-inf") else float("nan")
        return {key: _loose(item) for key, item in value.items()}
    return value
