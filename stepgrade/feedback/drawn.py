"""The picture of one run: torch's path and the student's on the objective, and what it shows in words.

Knows what is drawn and how it is described to those who cannot see it. Refuses to know what is in view and how to draw:
`scene` and `picture` do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from stepgrade import picture
from stepgrade.compare import Rows
from stepgrade.exercise import Exercise, Inputs, Objective
from stepgrade.feedback.blocks import Pictures
from stepgrade.feedback.finding import Finding, objective_of, read_rows, reference_of
from stepgrade.feedback.heights import Heights, coordinates
from stepgrade.feedback.words import listed, point_words
from stepgrade.records import Point, Run
from stepgrade.scene import MOST_COLUMNS, Ground, Series, choose_columns, make_ground, make_scene


def draw_run(exercise: Exercise, inputs: Inputs, run: Run, f: Finding | None, is_secret: bool) -> Iterator[Pictures]:
    """Draw one run beside torch's: on the objective where a point has one number or two, and by its columns.

    Args:
        exercise: what was asked.
        inputs: of the run.
        run: what the student's function gave.
        f: what is wrong in it, if anything; it is marked.
        is_secret: something is wrong elsewhere, on inputs that are not shown.
    """
    rows, reference = read_rows(run, len(exercise.columns))[0], reference_of(exercise, inputs)
    series = columns_of(exercise, reference, rows, f)
    objective, path = objective_of(exercise, inputs), exercise.expected(inputs).visited
    walk = _seen(f.walk if f is not None else run.visited)
    ground, left_at = lay_out(exercise, objective, path, walk, f.parted if f else None)
    gap = f.gap if f is not None else None
    drawn = picture.draw(make_scene(ground, series, gap.step if gap else None))
    names = [series[n].name for n in choose_columns(len(series), f.column if f and gap else 0, MOST_COLUMNS)]
    columns = listed(names, "and")
    caption = f"{columns} against the step."
    if objective is not None and ground is not None:
        darker = ", darker where it is higher," if ground.surface is not None else ""
        caption = f"The objective {objective}{darker} and the walk on it; {caption}"
    if is_secret:
        caption += " These are the lesson's inputs, where all agrees."
    if gap is not None or (ground is not None and ground.parted is not None):
        caption += " The first step that differs is marked."
    if objective is not None and left_at is not None and left_at < len(walk):
        where = f"call {left_at} of {exercise.objective}" if walk == run.visited else f"step {left_at}"
        caption += f" Your walk leaves the picture at {where}, with {point_words(objective, walk[left_at])}."
    values_alt = f"{columns} against the step{_describe_series(rows, f)}."
    yield Pictures(drawn, _describe_ground(objective, ground, path, walk, f), values_alt, caption)


def lay_out(
    exercise: Exercise, objective: Objective | None, path: Sequence[Point], walk: Sequence[Point], parted: int | None
) -> tuple[Ground | None, int | None]:
    """The objective with both walks on it, where it can be drawn; see `scene.make_ground`."""
    if objective is None or not path:
        return None, None
    names = coordinates(objective, len(path[0]))
    axes = (*names, f"{exercise.objective}({names[0]})") if len(names) == 1 else names
    return make_ground(Heights(objective), path, walk, (axes[0], axes[1]), parted)


def columns_of(exercise: Exercise, reference: Rows, rows: Rows, f: Finding | None) -> list[Series]:
    """What was recorded, column by column, the one that differs first marked."""
    parted = f.column if f is not None and f.gap is not None else None
    return [
        Series(name, tuple(row[n] for row in reference), tuple(row[n] for row in rows), n == parted)
        for n, name in enumerate(exercise.columns)
    ]


def _seen(walk: tuple[Point, ...]) -> tuple[Point, ...]:
    return walk if any(point and all(map(math.isfinite, point)) for point in walk) else ()


def _describe_ground(
    objective: Objective | None, ground: Ground | None, path: Sequence[Point], walk: Sequence[Point], f: Finding | None
) -> str:
    if objective is None or ground is None:
        return ""
    ends = f"{point_words(objective, path[0])} to {point_words(objective, path[-1])}"
    contours = " by its contours" if ground.surface is not None else ""
    said = _describe_walk(objective, walk, path, f)
    return f"The objective {objective}{contours}, and on it torch's path from {ends}; {said}."


def _describe_walk(objective: Objective, walk: Sequence[Point], path: Sequence[Point], f: Finding | None) -> str:
    if f is not None and f.parted is not None:
        return f"yours leaves it at step {f.parted}"
    if not walk:
        names = objective.names
        return f"your {listed(names, 'and')} could not be seen"
    if f is None or f.missed is None:
        return "your path lies on it"
    if len(walk) < len(path):
        return f"yours lies on it and ends at {point_words(objective, walk[-1])}"
    return "yours takes other points"


def _describe_series(rows: Rows, f: Finding | None) -> str:
    if not rows:
        return ", torch's alone"
    if f is None or f.gap is None:
        return ": yours and torch's agree"
    return f": yours and torch's part at step {f.gap.step}"
