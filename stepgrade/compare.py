"""Finds the first step at which two trajectories differ, and says so.

Knows numbers: returned descriptions, visited points, tolerances. Refuses to know who made them, what they are worth and
why they differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from stepgrade.errors import ChecksError
from stepgrade.quoting import clean
from stepgrade.records import Gap, Point, Run

Rows = list[tuple[float, ...]]
"""A trajectory: one row per pass, one number per column; shape (num_passes, num_columns)."""

RTOL, ATOL = 1e-4, 1e-6
"""A correct float32 run drifts at most 1e-5 (relative); the nearest known mistake is more than 1e-2 away."""


class Differs(AssertionError):
    """A trajectory that left the path. Carries the gap, and words that may be shown to the student."""

    def __init__(self, message: str, gap: Gap | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.gap = gap


def to_rows(returned: Any, num_columns: int) -> Rows | str:
    """The numbers of a returned object, or a sentence that says why there are none.

    Args:
        returned: description made by `kernels.calls.describe`; a list, tuple, array or tensor of numbers, each entry
            a number or a nest of `num_columns` numbers.
        num_columns: how many numbers one pass records.

    Returns:
        Rows of shape (num_passes, num_columns), or the complaint.
    """
    entries = returned["array"] if isinstance(returned, dict) and "array" in returned else returned
    if not isinstance(entries, list):
        return _what_came_back(returned, num_columns)
    rows: Rows = []
    for number, entry in enumerate(entries):
        row = _flatten(entry)
        if row is None:
            return f"entry {number} of what came back is {_name(entry)}; {_per_pass(num_columns)} expected."
        if len(row) != num_columns:
            return f"entry {number} of what came back holds {_count(len(row))}; {_per_pass(num_columns)} expected."
        rows.append(row)
    return rows


def _flatten(entry: Any) -> tuple[float, ...] | None:
    if isinstance(entry, dict) and "array" in entry:
        entry = entry["array"]
    if isinstance(entry, list):
        parts = [_flatten(item) for item in entry]
        return None if None in parts else tuple(x for part in parts if part is not None for x in part)
    if isinstance(entry, bool) or not isinstance(entry, int | float):
        return None
    try:
        return (float(entry),)
    except OverflowError:  # an integer beyond every float: infinite for our purposes
        return (math.inf if entry > 0 else -math.inf,)


def _name(entry: Any) -> str:
    match entry:
        case None:
            return "None"
        case bool():
            return f"{entry}, which is no number"
        case {"str": text}:
            return f"the text {text!r}"
        case {"object": name}:
            return f"an object of type {clean(name, 80)}"
        case {"dict": _}:
            return "a dict"
        case _:
            return "something that is no number"


def _what_came_back(returned: Any, num_columns: int) -> str:
    match returned:
        case None:
            return "nothing came back (None): does the function return its list?"
        case bool() | int() | float():
            return f"one number came back; a list with {_per_pass(num_columns)} was expected."
        case {"cut": size}:
            return f"about {size} values came back: far more than there were passes."
        case {"object": "generator"}:
            return f"a generator came back; a list with {_per_pass(num_columns)} was expected."
        case _:
            return f"{_name(returned)} came back; a list with {_per_pass(num_columns)} was expected."


def _count(num: int) -> str:
    return "1 number" if num == 1 else f"{num} numbers"


def _per_pass(num_columns: int) -> str:
    return f"{_count(num_columns)} per pass"


def is_close(yours: float, reference: float, rtol: float = RTOL, atol: float = ATOL) -> bool:
    """|yours − reference| ≤ atol + rtol·|reference|; infinities agree with their like alone, a nan with nothing."""
    if math.isinf(reference):
        return yours == reference
    return abs(yours - reference) <= atol + rtol * abs(reference)  # False for a nan


def while_finite(numbers: Sequence[float]) -> Sequence[float]:
    """A column up to the first number that is not finite: there it diverges, and what follows says nothing."""
    end = next((step for step, number in enumerate(numbers) if not math.isfinite(number)), len(numbers))
    return numbers[:end]


def first_gap(yours: Rows, reference: Rows, rtol: float = RTOL, atol: float = ATOL) -> Gap | None:
    """The first step at which a recorded trajectory differs from the reference run.

    Args:
        yours, reference: shape (num_passes, num_columns); the lengths may differ.
        rtol, atol: tolerance, both used: see `is_close`.

    Returns:
        None where all agree; a step that one side lacks has None on that side.

    Example:
        >>> first_gap([(64.0,), (41.0,)], [(64.0,), (40.96,)])
        Gap(step=1, yours=41.0, reference=40.96)
    """
    for step, (row, expected) in enumerate(zip(yours, reference, strict=False)):
        for value, wanted in zip(row, expected, strict=False):
            if not is_close(value, wanted, rtol, atol):
                return Gap(step, value, wanted)
    if len(yours) == len(reference):
        return None
    step = min(len(yours), len(reference))
    return Gap(
        step,
        yours[step][0] if step < len(yours) else None,
        reference[step][0] if step < len(reference) else None,
    )


def is_near(one: Point, other: Point, rtol: float = RTOL, atol: float = 10 * ATOL) -> bool:
    """Whether two points agree in every number. Near 0 they are differences of larger ones, hence the wider `atol`."""
    return len(one) == len(other) and all(is_close(a, b, rtol, atol) for a, b in zip(one, other, strict=True))


def first_missed_point(
    visited: Sequence[Point], path: Sequence[Point], rtol: float = RTOL, atol: float = 10 * ATOL
) -> int | None:
    """The first iterate of the reference path that a walk never came to; None where it came to all, in order.

    The objective may be called more often than once per pass (a closure, a difference quotient, an extra look at the
    end), so the path need only be a subsequence of the visited points.

    Args:
        visited: where the student's function called the objective, shape (num_calls, num_variables).
        path: iterates of the reference run, shape (num_passes, num_variables).
    """
    at = 0
    for t, point in enumerate(path):
        while at < len(visited) and not is_near(visited[at], point, rtol, atol):
            at += 1
        if at == len(visited):
            return t
        at += 1
    return None


def one_per_pass(run: Run, path: Sequence[Point], rtol: float = RTOL, atol: float = 10 * ATOL) -> tuple[Point, ...]:
    """The point of each pass of a run that has returned; empty where it cannot be told which call is which pass's.

    The objective may be called several times in a pass, as often in each, and once before the loop or after it. What
    came back tells the number of passes; a record that is no list does not, and then every call has to be a pass.

    Args:
        path: iterates of the reference run; of the calls in a pass, the one that follows it longest is the iterate's.
    """
    calls, returned = run.visited, run.returned
    entries = returned["array"] if isinstance(returned, dict) and "array" in returned else returned
    is_told = isinstance(entries, list) and len(entries) > 0
    num_passes = len(entries) if is_told else len(path)
    in_a_pass, rest = divmod(len(calls), num_passes) if num_passes else (0, 0)
    stands_still = any(a == b for a, b in pairwise(calls))
    if run.status != "returned" or in_a_pass < 1 or rest > 1 or (stands_still and not is_told):
        return ()
    series = [tuple(calls[start::in_a_pass][:num_passes]) for start in range(in_a_pass + rest)]
    kept = [len(path) if (step := first_parted(points, path, rtol, atol)) is None else step for points in series]
    longest = max(kept)
    own = [points for points, length in zip(series, kept, strict=True) if length == longest]
    if (not longest and len(calls) != num_passes) or len({points[longest : longest + 1] for points in own}) > 1:
        return ()  # none of the calls, or more than one, may be the iterate's own
    return own[0]


def first_parted(iterates: Sequence[Point], path: Sequence[Point], rtol: float, atol: float) -> int | None:
    """The first pass whose point is off the reference path; a walk that ends early is not off it."""
    pairs = enumerate(zip(iterates, path, strict=False))
    return next((step for step, (point, wanted) in pairs if not is_near(point, wanted, rtol, atol)), None)


def measure(expected: Run, num_columns: int, num_passes: int | None = None, has_walk: bool = True) -> Rows:
    """The rows of torch's own run, which others are measured by.

    Args:
        expected: what the reference gave.
        num_columns: how many numbers one pass records.
        num_passes: how many entries are asked for; None: as many as the reference gives.
        has_walk: whether there is an objective, whose calls show the walk.

    Raises:
        ChecksError: it cannot be a measure: it broke, its record or its path is empty, or not of finite numbers.
    """
    if expected.error is not None:
        raise ChecksError(
            f"the reference stops with {expected.error.type}: {expected.error.message}. Mend it, or these inputs."
        )
    rows = to_rows(expected.returned, num_columns)
    if isinstance(rows, str):
        raise ChecksError(f"the reference cannot be compared with: {rows} Mend what it returns, or `columns`.")
    if not rows:
        raise ChecksError("the reference records nothing. Let it return one entry per pass, and ask for some passes.")
    if num_passes is not None and len(rows) != num_passes:
        raise ChecksError(
            f"the reference records {len(rows)} entries where `passes` asks for {num_passes}. Mend it, or `passes`."
        )
    for step, row in enumerate(rows):
        if not all(map(math.isfinite, row)):
            raise ChecksError(f"the reference records no finite number at step {step}. Choose inputs that stay finite.")
    if has_walk:
        _measure_walk(expected.visited, len(rows))
    return rows


def _measure_walk(calls: Sequence[Point], num_rows: int) -> None:
    if not calls or len(calls) < num_rows - 1:  # a record may have the end of the walk too
        raise ChecksError(
            f"the reference does not call the objective in every pass ({len(calls)} calls, {num_rows} entries): any "
            "walk would pass. Call it in every pass, or declare `objective=None`: then the record alone is judged."
        )
    for number, point in enumerate(calls):
        if not point or not all(map(math.isfinite, point)):
            raise ChecksError(
                f"the reference calls the objective with no finite numbers (call {number}): any walk would pass. Call "
                "it with numbers or tensors, and choose inputs that stay finite."
            )


def assert_follows(run: Run, expected: Run, num_columns: int = 1, rtol: float = RTOL, atol: float = ATOL) -> None:
    """Assert that the reference path was walked, whatever was recorded of it.

    What was recorded proves the walk too: an objective seen by `torch.func.vmap` cannot be spied upon.

    Args:
        run: what the student's function gave.
        expected: torch's own run on the same inputs.

    Raises:
        Differs: with the gap in the recorded numbers where there is one, else in the walk.
        ChecksError: torch's own run cannot be a measure.
    """
    wanted = measure(expected, num_columns)
    _assert_returned(run)
    rows = to_rows(run.returned, num_columns)
    if not isinstance(rows, str) and first_gap(rows, wanted, rtol, atol) is None:
        return
    missed = first_missed_point(run.visited, expected.visited, rtol, 10 * atol)
    if missed is None:
        return
    if isinstance(rows, str):
        in_walk = _gap_in_walk(run, expected, missed, rtol, 10 * atol)
        raise Differs(f"The walk left the path at step {in_walk.step}, and {rows}", in_walk)
    gap = first_gap(rows, wanted, rtol, atol)
    assert gap is not None
    raise Differs(describe_gap(gap, rtol, atol), gap)


def assert_records(
    run: Run,
    expected: Run,
    num_columns: int = 1,
    rtol: float = RTOL,
    atol: float = ATOL,
    has_walk: bool = True,
) -> None:
    """Assert that what came back is the reference trajectory, one entry per pass.

    Args:
        run, expected: as for `assert_follows`.
        has_walk: whether there is an objective; without one, the record alone is judged.

    Raises:
        Differs: with the first gap, or with what is no number.
        ChecksError: torch's own run cannot be a measure.
    """
    wanted = measure(expected, num_columns, has_walk=has_walk)
    _assert_returned(run)
    rows = to_rows(run.returned, num_columns)
    if isinstance(rows, str):
        raise Differs(rows[0].upper() + rows[1:])
    gap = first_gap(rows, wanted, rtol, atol)
    if gap is not None:
        raise Differs(describe_gap(gap, rtol, atol), gap)


def describe_gap(gap: Gap, rtol: float = RTOL, atol: float = ATOL) -> str:
    """The gap in one sentence, with both numbers and the tolerance."""
    if gap.yours is None:
        return f"Your list ends before step {gap.step}; the reference has {_show(gap.reference)} there."
    if gap.reference is None:
        return f"Your list goes on at step {gap.step} with {_show(gap.yours)}; the reference has ended."
    return (
        f"At step {gap.step} your value is {_show(gap.yours)}, the reference is {_show(gap.reference)} "
        f"(tolerance: rtol {rtol:g}, atol {atol:g})."
    )


def _show(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def _gap_in_walk(run: Run, expected: Run, missed: int, rtol: float, atol: float) -> Gap:
    """The first point off the path, by the first of its numbers that is off."""
    iterates = one_per_pass(run, expected.visited, rtol, atol)
    parted = first_parted(iterates, expected.visited, rtol, atol)
    step = missed if parted is None else parted
    wanted, yours = expected.visited[step], iterates[step] if step < len(iterates) else ()
    if len(yours) != len(wanted):
        return Gap(step, None, wanted[0])
    off = next((pair for pair in zip(yours, wanted, strict=True) if not is_close(*pair, rtol, atol)), (None, wanted[0]))
    return Gap(step, *off)


def _assert_returned(run: Run) -> None:
    match run.status:
        case "returned":
            return
        case "raised" if run.error is not None:
            error, text = f"{clean(run.error.type, 80)}: {clean(run.error.message)}", clean(run.error.text, 160)
            where = f", on the line `{text}`" if text else ""
            during = f" (the objective had been called {run.error.num_calls} times)" if run.error.num_calls else ""
            raise Differs(f"Your function stopped with {error}{where}{during}.")
        case "missing":
            raise Differs("There is no such function. Did you rename it, or did its cell fail to run?")
        case _:
            raise Differs(clean(run.message) or "Your function did not come to an end.")
