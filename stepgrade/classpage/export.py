"""A class for machines: the overview as JSON, and as a table for a spreadsheet.

Knows both forms and what a spreadsheet must not be given. Refuses to know where the numbers come from.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from stepgrade.classpage.overview import (
    CheckCount,
    ExerciseView,
    Overview,
    find_incidents,
    part_of,
    score_of,
    usage_of,
)
from stepgrade.records import verdict_of

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what spreadsheets take for one
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # a terminal would obey them


def write(seen: Overview, form: Literal["json", "csv"], file: Path | None) -> None:
    """Write the class in one form, to the terminal or into a file."""
    text = json.dumps(to_json(seen), indent=1, allow_nan=False) + "\n" if form == "json" else to_csv(seen)
    content = text.encode("utf-8", "backslashreplace")  # names of folders need not be text
    if file is None:
        sys.stdout.buffer.write(content)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def to_json(seen: Overview) -> dict[str, Any]:
    """The overview as plain JSON."""
    return {
        "assignment": seen.assignment,
        "points": seen.points,
        "exercises": [_exercise_json(exercise) for exercise in seen.exercises],
        "mistakes": [
            {"id": m.id, "exercise": m.exercise, "names": list(m.names), "students": list(m.students)}
            for m in seen.mistakes
        ],
        "same_wrong_numbers": [cluster.id for cluster in seen.shared],
        "incidents": [{"kind": i.kind, "student": i.student, "words": i.words} for i in find_incidents(seen)],
        "unreadable": list(seen.unreadable),
        "ungraded": list(seen.ungraded),
        "submissions": list(_rows(seen)),
    }


def _exercise_json(exercise: ExerciseView) -> dict[str, Any]:
    return {
        "name": exercise.name,
        "points": exercise.points,
        "average": round(exercise.average, 6),
        "outcomes": dict(exercise.outcomes),
        "checks": [_check_json(check) for check in exercise.checks],
        "clusters": [
            {
                "id": c.id,
                "outcome": c.outcome,
                "mistakes": list(c.mistakes),
                "words": c.words,
                "students": list(c.students),
            }
            for c in exercise.clusters
        ],
    }


def _check_json(check: CheckCount) -> dict[str, Any]:
    counts = {"passed": check.num_passed, "failed": check.num_failed, "not_judged": check.num_not_judged}
    return {"name": check.name, "points": check.points, **counts}


def _rows(seen: Overview) -> Iterator[dict[str, Any]]:
    """One flat row per submission."""
    clusters = seen.cluster_of()
    for graded in seen.graded:
        usage = usage_of(graded)
        row: dict[str, Any] = {"student": graded.student, "score": score_of(graded), "points": seen.points}
        for exercise in seen.exercises:
            cluster = clusters.get((exercise.name, graded.student))
            part = part_of(graded, exercise.name) if cluster is not None else {}
            row[f"{exercise.name} score"] = part.get("score")
            row[f"{exercise.name} outcome"] = part.get("outcome")
            row[f"{exercise.name} mistake"] = " or ".join(cluster.mistakes) if cluster is not None else ""
            row[f"{exercise.name} cluster"] = cluster.id if cluster is not None else None
            verdicts = {check["name"]: verdict_of(check) for check in part.get("checks", ())}
            unanswered = "not judged" if cluster is not None else None
            row |= {f"{exercise.name} check {c.name}": verdicts.get(c.name, unanswered) for c in exercise.checks}
        row |= {"seconds": round(usage.seconds, 3)} if usage.seconds is not None else {}
        row |= {"memory_mib": round(usage.memory_mib, 1)} if usage.memory_mib is not None else {}
        yield row | {"notes": " · ".join(str(note) for note in graded.report["notes"])}


def to_csv(seen: Overview) -> str:
    """The submissions as a table. Cells that a spreadsheet would run as a formula begin with an apostrophe."""
    rows = list(_rows(seen))
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    # all texts in quotes: where a spreadsheet separates by semicolons, none within a text may start a cell
    table = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    table.writerow(columns)
    table.writerows([[_harmless(row.get(column)) for column in columns] for row in rows])
    return text.getvalue()


def _harmless(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", value)
    return f"'{value}" if value.startswith(FORMULA) or value.strip().startswith(FORMULA) else value
