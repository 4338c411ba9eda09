"""The class page: one HTML file with everything in it, for a person who has a class to look after.

Knows what is worth showing, and in which order. Refuses to know how it was counted. All text from students goes through
the template's escaping; the page forbids every script but its own by its hash.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import os
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from stepgrade.classpage.overview import (
    Cluster,
    ExerciseView,
    Incident,
    Mistake,
    Overview,
    Usage,
    find_incidents,
    part_of,
    score_of,
    usage_of,
)
from stepgrade.classpage.panels import Panel, draw_one, draw_panels
from stepgrade.classpage.report import Graded
from stepgrade.course import Course
from stepgrade.exercise import Exercise
from stepgrade.quoting import clean

TEMPLATES = Path(__file__).parent / "templates"
MOST_BINS = 20  # of the histogram; one per point where there are not more
INCIDENTS = {
    "held": (
        "Held for you",
        "Grading failed by our fault. Nothing was scored and nothing is lost; a score shown is the gradebook’s. "
        "Mend the cause, then grade these again.",
    ),
    "stopped": ("Stopped at a limit", "What came after the stopped cell or call was graded all the same."),
    "wall": ("Refused by a wall", "Memory, network, files, processes or output beyond what a submission may use."),
    "mended": ("Mended before grading", "Handed in in another shape than released; what was done about it."),
}


def write_page(seen: Overview, course: Course, file: Path) -> None:
    """Write the page; a page that is already there is replaced in one go."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    feedback_folder = os.path.relpath(course.root / "feedback", file.resolve().parent)
    draft.write_bytes(encode(render(seen, Path(feedback_folder).as_posix())))
    draft.replace(file)


def encode(text: str) -> bytes:
    """UTF-8; bytes of a file's name that are none are spelt out."""
    return text.encode("utf-8", "backslashreplace")


def render(seen: Overview, feedback_folder: str = "../feedback") -> str:
    """The page's text.

    Args:
        seen: the class.
        feedback_folder: where feedback pages lie, as seen from the page.
    """
    incidents = find_incidents(seen)
    script = (TEMPLATES / "class.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = clean
    environment.filters["code"] = _mark_code
    return environment.get_template("class.html").render(
        seen=seen,
        style=Markup((TEMPLATES / "class.css").read_text(encoding="utf-8")),
        script=Markup(script),  # ours; its hash is the only one that the page lets run
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        figures=list(_key_figures(seen, incidents)),
        bins=_bins(seen.scores, seen.points),
        exercises=[_exercise_part(exercise) for exercise in seen.exercises],
        known=[_mistake_part(seen, mistake) for mistake in seen.mistakes if mistake.names],
        unknown=[_mistake_part(seen, mistake) for mistake in seen.mistakes if not mistake.names],
        shared=[(cluster, *draw_one(_declared(seen, cluster.exercise), cluster, "")) for cluster in seen.shared],
        incidents=_incident_parts(incidents),
        rows=list(_rows(seen, incidents, feedback_folder)),
        about_paths=_about_paths(seen),
        exercise_names={exercise.name: exercise.name for exercise in seen.exercises},
        usage=[_usage_part(seen, *words) for words in USAGE],
    )


def _mark_code(text: str) -> Markup:
    """Text between backticks as code; everything is escaped first."""
    return Markup(re.sub("`(.+)`", r"<code>\1</code>", str(escape(text)), flags=re.DOTALL))


# -- figures and bars --------------------------------------------------------------------------------------------------


def _key_figures(seen: Overview, incidents: Sequence[Incident]) -> Iterator[tuple[str, str]]:
    """What one would ask first, with its answer."""
    num = len(seen.graded)
    kinds = {kind: {i.student for i in incidents if i.kind == kind} for kind in INCIDENTS}
    full = sum(score >= seen.points for score in seen.scores)
    unknown = {s for mistake in seen.mistakes if not mistake.names for s in mistake.students}
    yield "submissions" if num != 1 else "submission", f"{num}"
    yield f"median of {seen.points:g} points", f"{round(statistics.median(seen.scores), 2):g}"
    yield "with full points", f"{100 * full / num:.0f} %"
    yield "with an undiagnosed error", f"{len(unknown)}"
    yield "stopped at a limit or refused by a wall", f"{len(kinds['stopped'] | kinds['wall'])}"
    if kinds["held"]:
        yield "held for you", f"{len(kinds['held'])}"
    if seen.ungraded:
        yield "handed in, not graded", f"{len(seen.ungraded)}"


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of the histogram."""

    label: str
    words: str
    num: int
    part: float  # of the tallest bar, in percent


def _bins(scores: Sequence[float], points: float) -> list[Bin]:
    """Scores by whole points where there are not too many; the last bar is full points alone."""
    num = int(points) if points == int(points) and 0 < points <= MOST_BINS else 10
    width = points / num if points else 1.0
    counts = [0] * (num + 1)
    for score in scores:
        counts[min(max(int(score / width + 1e-9), 0), num)] += 1
    ends = [f"{width * n:g} to under {width * (n + 1):g} points" for n in range(num)] + ["full points"]
    return _bars([f"{width * n:g}" for n in range(num + 1)], ends, counts)


def _bars(labels: Sequence[str], words: Sequence[str], counts: Sequence[int]) -> list[Bin]:
    most = max(counts)
    return [Bin(*bar, 100 * bar[2] / most) for bar in zip(labels, words, counts, strict=True)]


# -- time and memory ---------------------------------------------------------------------------------------------------

USAGE = (
    ("Seconds", "seconds", "Time", "What the cells of a notebook and the calls of its functions took."),
    ("MiB", "memory_mib", "Memory", "The most that its processes held at once, beyond what a fresh kernel holds."),
)
MOST_SHOWN = 5  # of those who took most


@dataclass(frozen=True, slots=True)
class UsagePart:
    """How much of one thing the class took; empty where that was not kept."""

    unit: str
    field: str  # of `overview.Usage`
    title: str
    about: str
    bins: tuple[Bin, ...] = ()
    median: float = 0.0
    total: float = 0.0
    most: tuple[tuple[str, float], ...] = ()  # students with their value, the largest first


def _usage_part(seen: Overview, unit: str, field: str, title: str, about: str) -> UsagePart:
    taken = [(graded.student, getattr(usage_of(graded), field)) for graded in seen.graded]
    kept = [(student, value) for student, value in taken if value is not None]
    if not kept:
        return UsagePart(unit, field, title, about)
    values = [value for _, value in kept]
    most = tuple(sorted(kept, key=lambda pair: -pair[1])[:MOST_SHOWN])
    return UsagePart(
        unit,
        field,
        title,
        about,
        tuple(_spread(values, unit)),
        statistics.median(values),
        sum(values),
        most,
    )


def _spread(values: Sequence[float], unit: str) -> list[Bin]:
    """Bars whose edges are 1, 2 and 5 times powers of ten: what is usual and what is a hundred times that."""
    edges = [digit * 10.0**power for power in range(-2, 6) for digit in (1, 2, 5)]
    places = [max(bisect.bisect_right(edges, value) - 1, 0) for value in values]
    first, last = min(places), max(places)
    counts = [places.count(place) for place in range(first, last + 1)]
    labels = [f"{edge:g}" for edge in edges[first : last + 1]]
    words = [f"{label} to under {edges[first + n + 1]:g} {unit}" for n, label in enumerate(labels)]
    return _bars(labels, words, counts)


# -- exercises ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExercisePart:
    """One exercise, ready to be shown."""

    view: ExerciseView
    panels: tuple[Panel, ...]
    groups: tuple[Cluster, ...]  # clusters of several students
    single: tuple[Cluster, ...]


def _about_paths(seen: Overview) -> str:
    """What the pictures of a class show, by what its exercises have."""
    kinds = {e.declared is None or e.declared.objective is not None for e in seen.exercises}
    if kinds == {False}:
        return "All that the class recorded, against the steps, the stronger the more students recorded it,"
    more = "" if kinds == {True} else " (or, where there is none, what was recorded against the steps)"
    return f"Every walk of the class on the objective{more}, the stronger the more students took it,"


def _exercise_part(exercise: ExerciseView) -> ExercisePart:
    groups = tuple(c for c in exercise.clusters if len(c.members) > 1)
    single = tuple(c for c in exercise.clusters if len(c.members) == 1)
    return ExercisePart(exercise, tuple(draw_panels(exercise)), groups, single)


# -- mistakes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MistakePart:
    """One mistake, ready to be shown."""

    mistake: Mistake
    title: str
    words: str
    pictures: tuple[Markup, ...]
    caption: str
    part: float  # of the class, in percent


def _mistake_part(seen: Overview, mistake: Mistake) -> MistakePart:
    cluster = mistake.clusters[0]
    declared = _declared(seen, mistake.exercise)
    pictures, caption = draw_one(declared, cluster, " or ".join(mistake.names) or "undiagnosed")
    return MistakePart(
        mistake=mistake,
        title=" or ".join(mistake.names) or "Not diagnosed",
        words=cluster.words,
        pictures=pictures,
        caption=caption,
        part=100 * len(mistake.students) / len(seen.graded),
    )


def _declared(seen: Overview, name: str) -> Exercise | None:
    return next(exercise.declared for exercise in seen.exercises if exercise.name == name)


# -- incidents and rows ------------------------------------------------------------------------------------------------


def _incident_parts(incidents: Sequence[Incident]) -> list[tuple[str, str, list[tuple[str, list[str]]]]]:
    """Title, explanation and, by student, what happened."""
    parts = []
    for kind, (title, about) in INCIDENTS.items():
        by_student: dict[str, list[str]] = {}
        for incident in incidents:
            if incident.kind == kind:
                by_student.setdefault(incident.student, []).append(incident.words)
        if by_student:
            parts.append((title, about, list(by_student.items())))
    return parts


@dataclass(frozen=True, slots=True)
class Cell:
    """One exercise of one submission."""

    exercise: str
    score: float
    points: float
    outcome: str
    words: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Row:
    """One submission."""

    student: str
    link: str  # to the feedback page; empty where there is none
    score: float
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]
    usage: Usage
    kinds: str  # what the page's filter goes by


def _rows(seen: Overview, incidents: Sequence[Incident], feedback_folder: str) -> Iterator[Row]:
    clusters = seen.cluster_of()
    stopped = {i.student for i in incidents if i.kind in ("stopped", "wall")}
    for graded in sorted(seen.graded, key=lambda graded: _natural(graded.student)):
        cells = tuple(
            _cell(part_of(graded, e.name), e.name, clusters[e.name, graded.student])
            for e in seen.exercises
            if (e.name, graded.student) in clusters
        )
        outcomes = {cell.outcome for cell in cells}
        kinds = {"full" if score_of(graded) >= seen.points else "lost", *outcomes}
        kinds |= {"undiagnosed"} if any(clusters[c.exercise, graded.student].is_undiagnosed for c in cells) else set()
        kinds |= {"noted"} if graded.report["notes"] else set()
        kinds |= {"stopped"} if graded.student in stopped else set()
        yield Row(
            student=graded.student,
            link=_link(graded, seen.assignment, feedback_folder) if graded.has_feedback else "",
            score=score_of(graded),
            cells=cells,
            notes=tuple(str(note) for note in graded.report["notes"]),
            usage=usage_of(graded),
            kinds=" ".join(sorted(kinds)),
        )


def _natural(name: str) -> list[tuple[int, str]]:
    """What sorts s2 before s10, as the page's own sorting does."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]


def _cell(part: Any, exercise: str, cluster: Cluster) -> Cell:
    said = {"passed": "", "timed_out": "stopped", "errored": "held for you"}
    named = " or ".join(part["diagnosis"])
    words = said.get(part["outcome"], named or ("not diagnosed" if cluster.is_undiagnosed else cluster.words))
    return Cell(exercise, float(part["score"]), float(part["points"]), part["outcome"], words, cluster.id)


def _link(graded: Graded, assignment: str, folder: str) -> str:
    """The way to a feedback page: every part quoted, so that no name can be a scheme or lead elsewhere."""
    parts = [os.fsencode(part) for part in (graded.student, assignment, f"{graded.notebook}.html")]
    return "/".join([quote(folder, safe="/."), *(quote(part, safe="") for part in parts)])
