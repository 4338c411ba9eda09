"""How far apart programs of ours lie on an exercise's inputs, counted in tolerances.

Knows replays and the exercise's tolerance. Refuses to know files, points and what is far enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from stepgrade.compare import Rows
from stepgrade.diagnosis.catalogue import Replay
from stepgrade.diagnosis.recording import plain
from stepgrade.exercise import Exercise
from stepgrade.records import Point, Run


def in_tolerances(exercise: Exercise, yours: float, reference: float) -> float:
    """|yours − reference| / (atol + rtol·|reference|); 0 for the same infinity or two nans."""
    if math.isfinite(yours) and math.isfinite(reference):
        return abs(yours - reference) / (exercise.atol + exercise.rtol * abs(reference))
    return 0.0 if yours == reference or (math.isnan(yours) and math.isnan(reference)) else math.inf


def between_rows(exercise: Exercise, one: Rows, other: Rows) -> float:
    """The largest gap between two returned tables; infinite where their lengths differ."""
    if len(one) != len(other):
        return math.inf
    pairs = (pair for row, wanted in zip(one, other, strict=True) for pair in zip(row, wanted, strict=False))
    return max((in_tolerances(exercise, a, b) for a, b in pairs), default=0.0)


def on_input(one: Replay, other: Replay, number: int) -> float:
    """How far apart two programs are on one input: in what came back, else in where f was called."""
    run, their_run = one.runs[number], other.runs[number]
    if run.status != their_run.status:
        return math.inf
    if run.status == "raised":
        return 0.0 if _print_of(run) == _print_of(their_run) else math.inf
    rows, their_rows = one.rows[number], other.rows[number]
    if isinstance(rows, str) or isinstance(their_rows, str):
        gap = 0.0 if plain(run.returned) == plain(their_run.returned) else math.inf
    else:
        gap = between_rows(one.exercise, rows, their_rows)
    return gap if gap >= 1 else max(gap, _between_visits(one.exercise, run.visited, their_run.visited))


def _print_of(run: Run) -> tuple[str, str, int]:
    error = run.error
    return (error.type, error.message, error.num_calls) if error else ("", "", 0)


def _between_visits(exercise: Exercise, one: Sequence[Point], other: Sequence[Point]) -> float:
    if len(one) != len(other):
        return math.inf
    if any(len(a) != len(b) for a, b in zip(one, other, strict=True)):
        return math.inf
    pairs = (pair for a, b in zip(one, other, strict=True) for pair in zip(a, b, strict=True))
    return max((in_tolerances(exercise, a, b) / 10 for a, b in pairs), default=0.0)


def apart(one: Replay, other: Replay, enough: float = math.inf) -> float:
    """How far apart two programs are on the input that tells them apart best; stops looking where it is enough."""
    best = 0.0
    for number in range(len(one.runs)):
        best = max(best, on_input(one, other, number))
        if best >= enough:
            break
    return best


def margin(mistake: Replay, right: Replay, first: int = 1) -> tuple[float, int]:
    """How far a mistake is from torch's own run, on the hidden input that shows it best, and that input's number.

    Args:
        first: number of the first input that counts; 1 leaves the lesson's own out.
    """
    gaps = [(on_input(mistake, right, number), number) for number in range(first, len(mistake.runs))]
    return max(gaps, key=lambda gap: gap[0])


def room_used(answer: Replay, right: Replay) -> float:
    """How much of the tolerance a right answer needs; infinite where it is none."""
    used = 0.0
    for rows, wanted in zip(answer.rows, right.rows, strict=True):
        if isinstance(rows, str) or isinstance(wanted, str):
            return math.inf
        used = max(used, between_rows(answer.exercise, rows, wanted))
    return used
