"""What the class page draws of an exercise: the walks of a class, and one of them beside torch's.

Knows which drawing an exercise asks for: the curve of its objective, its contours, or a column against the steps.
Refuses to know how it is drawn, and what else stands on the page.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from stepgrade.classpage import drawing
from stepgrade.classpage.clusters import read_rows
from stepgrade.classpage.drawing import Backdrop, ClassWalk
from stepgrade.classpage.overview import Cluster, ExerciseView
from stepgrade.exercise import Exercise, Inputs, Objective
from stepgrade.feedback.drawn import columns_of, lay_out
from stepgrade.feedback.finding import find_trouble, objective_of, reference_of
from stepgrade.feedback.heights import Heights, coordinates
from stepgrade.feedback.words import input_words, listed, sentence
from stepgrade.records import Point
from stepgrade.scene import Points, contour_lines, make_scene, make_surface, with_equal_units

CURVE_POINTS, GRID = 141, (49, 41)  # how finely an objective is drawn
MOST_CALLS = 3  # times torch's number of passes: what is drawn of a walk that calls the objective more often


@dataclass(frozen=True, slots=True)
class Panel:
    """The class's walks on one set of inputs."""

    title: str
    inputs: str
    svg: Markup
    note: str


def draw_panels(exercise: ExerciseView) -> Iterator[Panel]:
    """One panel for each set of inputs; none where no numbers were kept."""
    if exercise.declared is None or not any(cluster.runs for cluster in exercise.clusters):
        return
    for number, inputs in enumerate(exercise.declared.inputs):
        title = "The lesson’s inputs" if number == 0 else f"Hidden inputs {number}"
        yield _panel(exercise.declared, inputs, exercise.clusters, title)


def _panel(declared: Exercise, inputs: Inputs, clusters: Sequence[Cluster], title: str) -> Panel:
    objective, path = objective_of(declared, inputs), declared.expected(inputs).visited
    if objective is not None and path and len(path[0]) in (1, 2):
        name = listed(objective.names, "and")
        about = f"on {_equation(declared, objective)}"
        note = f"without a walk: {declared.objective} was never called, or {name} could not be seen."
        points = {cluster.id: _walk_of(cluster, inputs, len(path)) for cluster in clusters}
        backdrop, walks = _on_objective(declared, objective, path, points, clusters)
    else:
        column = _told_column(declared, inputs, clusters)
        about = f"of {declared.columns[column]} against the step"
        note = "without a record: nothing came back that can be read as numbers."
        backdrop, walks = _against_steps(declared, inputs, clusters, column)
    drawn = {walk.cluster for walk in walks}
    unseen = sum(len(c.members) for c in clusters if c.runs and c.id not in drawn)
    svg = drawing.draw_class(backdrop, walks, f"{declared.name}, {title}: {len(walks)} different ones {about}")
    return Panel(title, _inputs_words(declared, inputs), svg, f"{unseen} {note}" if unseen else "")


def _inputs_words(declared: Exercise, inputs: Inputs) -> str:
    """All inputs, the objective first."""
    objectives = [_equation(declared, v, name) for name, v in inputs.items() if isinstance(v, Objective)]
    others = [input_words(name, v) for name, v in inputs.items() if not isinstance(v, Objective)]
    return "; ".join(filter(None, ("; ".join(objectives), ", ".join(others).replace("-", "−"))))


def _equation(declared: Exercise, objective: Objective, name: str | None = None) -> str:
    return f"{name or declared.objective}({', '.join(objective.names)}) = {pretty(objective)}"


def pretty(objective: Objective) -> str:
    """The objective as one would write it on a board."""
    text = re.sub(r"\s*\*\*\s*(\d+)", lambda power: power[1].translate(SUPERSCRIPTS), objective.text)
    return text.replace("torch.", "").replace(" * ", "\N{NO-BREAK SPACE}").replace("-", "−")


SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


# -- on the objective --------------------------------------------------------------------------------------------------


def _walk_of(cluster: Cluster, inputs: Inputs, num_passes: int) -> tuple[Point, ...]:
    visited = next((run.visited for known, run in cluster.runs if known == inputs), ())
    return visited[: MOST_CALLS * num_passes]


def _on_objective(
    declared: Exercise,
    objective: Objective,
    path: Sequence[Point],
    visited: dict[str, tuple[Point, ...]],
    clusters: Sequence[Cluster],
) -> tuple[Backdrop, list[ClassWalk]]:
    size = len(path[0])
    place = Places(Heights(objective), [*path, *(point for walk in visited.values() for point in walk)], size)
    on_path = tuple(place(point) for point in path)
    walks = [
        ClassWalk(c.id, tuple(map(place, visited[c.id])), len(c.members), c.outcome == "passed")
        for c in clusters
        if visited[c.id]
    ]
    x_view = drawing.view_along(0, on_path, walks)
    names = coordinates(objective, size)
    if size == 2:
        x_view, y_view = with_equal_units(x_view, drawing.view_along(1, on_path, walks))
        contours = contour_lines(make_surface(Heights(objective), x_view, y_view, GRID))
        return Backdrop((names[0], names[1]), on_path, (x_view, y_view), contours=contours), walks
    grid = [(x_view[0] + (x_view[1] - x_view[0]) * n / (CURVE_POINTS - 1),) for n in range(CURVE_POINTS)]
    curve = tuple(map(Places(Heights(objective), grid, size), grid))
    views = (x_view, drawing.view_of_values(on_path, curve, walks, x_view))
    return Backdrop((names[0], f"{declared.objective}({names[0]})"), on_path, views, curve), walks


class Places:
    """Where points lie on paper: those of one number at their height; those of another length nowhere."""

    def __init__(self, heights: Heights, points: Sequence[Point], size: int) -> None:
        finite = tuple(dict.fromkeys(p for p in points if len(p) == 1 and math.isfinite(p[0])))
        self._heights: dict[Point, float] = dict(zip(finite, heights(finite), strict=True)) if size == 1 else {}
        self._size = size

    def __call__(self, point: Point) -> tuple[float, float]:
        if len(point) != self._size:
            return math.nan, math.nan
        return (point[0], point[1]) if self._size == 2 else (point[0], self._heights.get(point, math.nan))


# -- against the steps -------------------------------------------------------------------------------------------------


def _told_column(declared: Exercise, inputs: Inputs, clusters: Sequence[Cluster]) -> int:
    """The column in which most students leave torch's; the first where nobody does."""
    counts: Counter[int] = Counter()
    for cluster in clusters:
        finding = find_trouble(declared, [run for run in cluster.runs if run[0] == inputs])
        if finding is not None and finding.gap is not None:
            counts[finding.column] += len(cluster.members)
    return max(counts, key=lambda column: (counts[column], -column), default=0)


def _against_steps(
    declared: Exercise, inputs: Inputs, clusters: Sequence[Cluster], column: int
) -> tuple[Backdrop, list[ClassWalk]]:
    reference = [row[column] for row in reference_of(declared, inputs)]
    recorded = {c.id: _column_of(declared, inputs, c, column)[: len(reference) + 2] for c in clusters}
    is_log = min(reference) > 0 and max(reference) > 100 * min(reference)

    def place(values: Sequence[float]) -> Points:
        def height(value: float) -> float:
            if not is_log or not value > 0:  # a nan stays one
                return math.nan if is_log else value
            return math.log10(value)

        return tuple((float(step), height(value)) for step, value in enumerate(values))

    walks = [
        ClassWalk(c.id, place(recorded[c.id]), len(c.members), c.outcome == "passed")
        for c in clusters
        if recorded[c.id]
    ]
    path = place(reference)
    last = max(map(len, (reference, *recorded.values()))) - 1
    views = ((-0.6, last + 0.6), drawing.view_along(1, path, walks))
    return Backdrop(("step", declared.columns[column]), path, views, is_series=True, is_log=is_log), walks


def _column_of(declared: Exercise, inputs: Inputs, cluster: Cluster, column: int) -> list[float]:
    rows = next((read_rows(run, len(declared.columns)) for known, run in cluster.runs if known == inputs), [])
    return [] if isinstance(rows, str) else [row[column] for row in rows]


# -- one mistake -------------------------------------------------------------------------------------------------------


def draw_one(declared: Exercise | None, cluster: Cluster, name: str) -> tuple[tuple[Markup, ...], str]:
    """The walk on the objective where it parts from torch's, else what was recorded of it, as feedback draws them."""
    finding = find_trouble(declared, cluster.runs) if declared is not None and cluster.runs else None
    if declared is None or finding is None:
        return (), ""
    ground, _ = lay_out(declared, finding.objective, finding.path, finding.walk, finding.parted)
    equation = _equation(declared, finding.objective) if finding.objective is not None else ""
    where = [f"on {equation}"] if equation else []
    where += [] if finding.is_lesson else ["a hidden input" if equation else "on a hidden input"]
    caption = f"{sentence(', '.join(where))}." if where else ""
    if ground is not None and (ground.parted is not None or not finding.rows):
        about = f"{name}: a walk on {equation} that leaves torch’s"
        return ((drawing.draw_walk(ground, about),), caption) if ground.walk else ((), "")
    if not finding.rows:
        return (), ""
    step = finding.gap.step if finding.gap is not None else None
    scene = make_scene(None, columns_of(declared, finding.reference, finding.rows, finding), step)
    told = next((s for s in scene.series if s.is_parted), scene.series[0])
    return (drawing.draw_series(told, scene.step, f"{name}: {told.name} against the step, beside torch’s"),), caption
