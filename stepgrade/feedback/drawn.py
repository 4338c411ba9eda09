"""The picture of one run: torch's path and the student's on the objective, and what it shows in words.

Knows what is drawn and how it is described to those who cannot see it. Refuses to know how to draw: `picture` does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

from stepgrade import compare, picture
from stepgrade.compare import Rows
from stepgrade.exercise import Exercise, Inputs, Objective, load_program, run_program
from stepgrade.feedback.blocks import Pictures
from stepgrade.feedback.finding import Finding, read_rows, reference_of
from stepgrade.feedback.words import equation, show
from stepgrade.picture import Series
from stepgrade.records import Call, Run


def draw_run(exercise: Exercise, inputs: Inputs, run: Run, f: Finding | None, is_secret: bool) -> Iterator[Pictures]:
    """Draw one run beside torch's; nothing where there is no objective to draw.

    Args:
        exercise: what was asked.
        inputs: of the run.
        run: what the student's function gave.
        f: what is wrong in it, if anything; it is marked.
        is_secret: something is wrong elsewhere, on inputs that are not shown.
    """
    objective, path = inputs.get("f"), exercise.expected(inputs).visited
    if not isinstance(objective, Objective) or not any(map(math.isfinite, path)):
        return
    rows, reference = read_rows(run, len(exercise.columns))[0], reference_of(exercise, inputs)
    walk = f.walk if f is not None else run.visited
    walk = walk if any(map(math.isfinite, walk)) else ()
    gap = f.gap if f is not None else None
    series = [
        Series(
            name,
            tuple(row[c] for row in reference),
            tuple(row[c] for row in rows),
            bool(gap and f and f.column == c),
        )
        for c, name in enumerate(exercise.columns)
    ]
    scene, left_at = picture.make_scene(
        lambda xs: _evaluate(objective.text, xs),
        path,
        walk,
        series,
        f.parted if f else None,
        gap.step if gap else None,
    )
    columns = " and ".join(exercise.columns)
    caption = f"The objective {objective} and the walk on it; {columns} against the step."
    if is_secret:
        caption += " These are the lesson's inputs, where all agrees."
    if gap is not None or scene.parted is not None:
        caption += " The first step that differs is marked."
    if left_at is not None and left_at < len(walk):
        where = f"call {left_at} of f" if walk == run.visited else f"step {left_at}"
        caption += f" Your walk leaves the picture at {where}, with {equation('x', show(walk[left_at]))}."
    ends = f"{equation('x', show(path[0]))} to {equation('x', show(path[-1]))}"
    left = f"The objective {objective}, and on it torch's path from {ends}; {_describe_walk(walk, path, f)}."
    yield Pictures(picture.draw(scene), left, f"{columns} against the step{_describe_series(rows, f)}.", caption)


def _describe_walk(walk: Sequence[float], path: Sequence[float], f: Finding | None) -> str:
    if f is not None and f.parted is not None:
        return f"yours leaves it at step {f.parted}"
    if not walk:
        return "your x could not be seen"
    if f is None or f.missed is None:
        return "your path lies on it"
    if len(walk) < len(path):
        return f"yours lies on it and ends at {equation('x', show(walk[-1]))}"
    return "yours takes other points"


def _describe_series(rows: Rows, f: Finding | None) -> str:
    if not rows:
        return ", torch's alone"
    if f is None or f.gap is None:
        return ": yours and torch's agree"
    return f": yours and torch's part at step {f.gap.step}"


_CURVE = "def curve(f, points):\n    return f(torch.tensor(points, dtype=torch.float64))"


@functools.lru_cache(maxsize=256)
def _evaluate(objective: str, points: tuple[float, ...]) -> tuple[float, ...]:
    """f on many points at once, run as every trusted program is; nan where it gives none."""
    call = Call("curve", (("f", {"objective": objective}), ("points", list(points))))
    rows = compare.to_rows(run_program(load_program(_CURVE), call).returned, 1)
    if isinstance(rows, str) or len(rows) != len(points):
        return (math.nan,) * len(points)
    return tuple(y for (y,) in rows)
