"""The class page: one HTML file with everything in it, for a person who has a class to look after.

Knows what is worth showing, and in which order. Refuses to know how it was counted. All text from students goes through
the template's escaping; the page forbids every script but its own by its hash.
"""

from __future__ import annotations

import base64
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
from markupsafe import Markup

from stepgrade import feedback, picture
from stepgrade.classpage import drawing
from stepgrade.classpage.drawing import ClassWalk
from stepgrade.classpage.overview import (
    Cluster,
    ExerciseView,
    Mistake,
    Overview,
    Usage,
    find_incidents,
    part_of,
    score_of,
    usage_of,
)
from stepgrade.classpage.report import Graded
from stepgrade.course import Course
from stepgrade.exercise import Exercise, Inputs, Objective, values_and_slopes

TEMPLATES = Path(__file__).parent / "templates"
CURVE_POINTS = 141
MOST_BINS = 20  # of the histogram; one per point where there are not more
MOST_CALLS = 3  # times torch's number of passes: what is drawn of a walk that calls f more often
INCIDENTS = {
    "held": ("Held for you", "Grading failed by our fault. Nothing was scored and nothing is lost: grade these again."),
    "stopped": ("Stopped at a limit or a wall", "What came after the stopped cell or call was graded all the same."),
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
    script = (TEMPLATES / "class.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = feedback.clean
    return environment.get_template("class.html").render(
        seen=seen,
        style=Markup((TEMPLATES / "class.css").read_text(encoding="utf-8")),
        script=Markup(script),  # ours; its hash is the only one that the page lets run
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        figures=list(_key_figures(seen)),
        bins=_bins(seen.scores, seen.points),
        exercises=[_exercise_part(exercise) for exercise in seen.exercises],
        known=[_mistake_part(seen, mistake) for mistake in seen.mistakes if mistake.names],
        unknown=[_mistake_part(seen, mistake) for mistake in seen.mistakes if not mistake.names],
        incidents=_incident_parts(seen),
        rows=list(_rows(seen, feedback_folder)),
        has_seconds=any(usage_of(graded).seconds is not None for graded in seen.graded),
        has_memory=any(usage_of(graded).memory_mib is not None for graded in seen.graded),
    )


# -- figures and bars --------------------------------------------------------------------------------------------------


def _key_figures(seen: Overview) -> Iterator[tuple[str, str]]:
    """What one would ask first, with its answer."""
    num = len(seen.graded)
    kinds = {kind: {i.student for i in find_incidents(seen) if i.kind == kind} for kind in INCIDENTS}
    full = sum(score >= seen.points for score in seen.scores)
    unknown = {s for mistake in seen.mistakes if not mistake.names for s in mistake.students}
    yield "submissions" if num != 1 else "submission", f"{num}"
    yield f"median, of {seen.points:g}", f"{round(statistics.median(seen.scores), 2):g}"
    yield "with full points", f"{100 * full / num:.0f} %"
    yield "with an undiagnosed error", f"{len(unknown)}"
    yield "stopped at a limit", f"{len(kinds['stopped'])}"
    if kinds["held"]:
        yield "held for you", f"{len(kinds['held'])}"


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
    most = max(counts)
    return [Bin(f"{width * n:g}", ends[n], count, 100 * count / most) for n, count in enumerate(counts)]


# -- exercises ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panel:
    """The class's walks on one set of inputs."""

    title: str
    inputs: str
    svg: Markup
    note: str


@dataclass(frozen=True, slots=True)
class ExercisePart:
    """One exercise, ready to be shown."""

    view: ExerciseView
    panels: tuple[Panel, ...]
    groups: tuple[Cluster, ...]  # clusters of several students
    single: tuple[Cluster, ...]


def _exercise_part(exercise: ExerciseView) -> ExercisePart:
    groups = tuple(c for c in exercise.clusters if len(c.members) > 1)
    single = tuple(c for c in exercise.clusters if len(c.members) == 1)
    return ExercisePart(exercise, tuple(_panels(exercise)), groups, single)


def _panels(exercise: ExerciseView) -> Iterator[Panel]:
    if exercise.declared is None or not any(cluster.runs for cluster in exercise.clusters):
        return
    for number, inputs in enumerate(exercise.declared.inputs):
        title = "The lesson’s inputs" if number == 0 else f"Hidden inputs {number}"
        panel = _panel(exercise.declared, inputs, exercise.clusters, title)
        if panel is not None:
            yield panel


def _panel(declared: Exercise, inputs: Inputs, clusters: Sequence[Cluster], title: str) -> Panel | None:
    objective = inputs.get("f")
    torch_path = declared.expected(inputs).visited
    if not isinstance(objective, Objective):
        return None
    cut = MOST_CALLS * len(torch_path)
    visited = {cluster.id: _walk_of(cluster, inputs)[:cut] for cluster in clusters}
    heights = _heights(objective, [*torch_path, *(x for walk in visited.values() for x in walk)])
    path = tuple((x, heights[x]) for x in torch_path)
    walks = [
        ClassWalk(c.id, tuple((x, heights.get(x, x)) for x in visited[c.id]), len(c.members), c.outcome == "passed")
        for c in clusters
        if visited[c.id]
    ]
    x_view = drawing.view_of_x(path, walks)
    grid = [x_view[0] + (x_view[1] - x_view[0]) * n / (CURVE_POINTS - 1) for n in range(CURVE_POINTS)]
    curve = tuple(_heights(objective, grid).items())
    views = (x_view, drawing.view_of_values(path, curve, walks, x_view))
    unseen = sum(len(c.members) for c in clusters if c.runs and not visited[c.id])
    about = f"{declared.name}, {title}: {len(walks)} different walks of the class on f(x) = {_pretty(objective)}"
    others = ", ".join(
        f"{name}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{value}".replace("-", "−")
        for name, value in inputs.items()
        if name != "f"
    )
    note = f"{unseen} without a walk: f was never called, or x could not be seen." if unseen else ""
    return Panel(
        title, f"f(x) = {_pretty(objective)}; {others}", drawing.draw_class(curve, path, walks, views, about), note
    )


def _pretty(objective: Objective) -> str:
    """The objective as one would write it on a board."""
    text = re.sub(r"\s*\*\*\s*(\d+)", lambda power: power[1].translate(SUPERSCRIPTS), objective.text)
    return text.replace("torch.", "").replace(" * ", "\N{NO-BREAK SPACE}").replace("-", "−")


SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _walk_of(cluster: Cluster, inputs: Inputs) -> tuple[float, ...]:
    return next((run.visited for known, run in cluster.runs if known == inputs), ())


def _heights(objective: Objective, points: Sequence[float]) -> dict[float, float]:
    """f at each finite point, all at once."""
    finite = tuple(dict.fromkeys(x for x in points if x - x == 0))
    return dict(zip(finite, values_and_slopes(objective.text, finite)[0], strict=True))


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
    exercise = next(e for e in seen.exercises if e.name == mistake.exercise)
    cluster = mistake.clusters[0]
    pictures, caption = _pictures(exercise.declared, cluster, " or ".join(mistake.names) or "undiagnosed")
    return MistakePart(
        mistake=mistake,
        title=" or ".join(mistake.names) or "Not diagnosed",
        words=cluster.words,
        pictures=pictures,
        caption=caption,
        part=100 * len(mistake.students) / len(seen.graded),
    )


def _pictures(declared: Exercise | None, cluster: Cluster, name: str) -> tuple[tuple[Markup, ...], str]:
    """The walk on the objective where it parts from torch's, else what was recorded of it, as feedback draws them."""
    finding = feedback.find_trouble(declared, cluster.runs) if declared is not None and cluster.runs else None
    if declared is None or finding is None or not isinstance(finding.inputs.get("f"), Objective):
        return (), ""
    objective = finding.inputs["f"]
    series = [
        picture.Series(
            column,
            tuple(row[n] for row in finding.reference),
            tuple(row[n] for row in finding.rows),
            finding.gap is not None and finding.column == n,
        )
        for n, column in enumerate(declared.columns)
    ]
    scene, _ = picture.make_scene(
        lambda xs: [_heights(objective, xs).get(x, x) for x in xs],
        finding.path,
        finding.run.visited,
        series,
        finding.parted,
        finding.gap.step if finding.gap is not None else None,
    )
    caption = f"On f(x) = {_pretty(objective)}" + ("." if finding.is_lesson else ", a hidden input.")
    if scene.parted is not None or not finding.rows:
        about = f"{name}: a walk on f(x) = {_pretty(objective)} that leaves torch’s"
        return ((drawing.draw_walk(scene, about),), caption) if scene.walk else ((), "")
    told = next((s for s in scene.series if s.is_parted), scene.series[0])
    return (drawing.draw_series(told, scene.step, f"{name}: {told.name} against the step, beside torch’s"),), caption


# -- incidents and rows ------------------------------------------------------------------------------------------------


def _incident_parts(seen: Overview) -> list[tuple[str, str, list[tuple[str, list[str]]]]]:
    """Title, explanation and, by student, what happened."""
    parts = []
    for kind, (title, about) in INCIDENTS.items():
        by_student: dict[str, list[str]] = {}
        for incident in find_incidents(seen):
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


def _rows(seen: Overview, feedback_folder: str) -> Iterator[Row]:
    clusters = seen.cluster_of()
    for graded in seen.graded:
        cells = tuple(
            _cell(part_of(graded, e.name), e.name, clusters[e.name, graded.student])
            for e in seen.exercises
            if (e.name, graded.student) in clusters
        )
        outcomes = {cell.outcome for cell in cells}
        kinds = {"full" if score_of(graded) >= seen.points else "lost", *outcomes}
        kinds |= {"undiagnosed"} if any(clusters[c.exercise, graded.student].is_undiagnosed for c in cells) else set()
        kinds |= {"noted"} if graded.report["notes"] else set()
        yield Row(
            student=graded.student,
            link=_link(graded, seen.assignment, feedback_folder) if graded.has_feedback else "",
            score=score_of(graded),
            cells=cells,
            notes=tuple(str(note) for note in graded.report["notes"]),
            usage=usage_of(graded),
            kinds=" ".join(sorted(kinds)),
        )


def _cell(part: Any, exercise: str, cluster: Cluster) -> Cell:
    said = {"passed": "", "timed_out": "stopped", "errored": "held for you"}
    named = " or ".join(part["diagnosis"])
    words = said.get(part["outcome"], named or ("not diagnosed" if cluster.is_undiagnosed else cluster.words))
    return Cell(exercise, float(part["score"]), float(part["points"]), part["outcome"], words, cluster.id)


def _link(graded: Graded, assignment: str, folder: str) -> str:
    """The way to a feedback page: every part quoted, so that no name can be a scheme or lead elsewhere."""
    parts = [os.fsencode(part) for part in (graded.student, assignment, f"{graded.notebook}.html")]
    return "/".join([quote(folder, safe="/."), *(quote(part, safe="") for part in parts)])
