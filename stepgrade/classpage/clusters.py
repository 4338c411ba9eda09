"""Groups runs whose numbers are equal within tolerance.

Knows numbers and how a run ended. Refuses to know who made them, whether they are right and what they are worth.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stepgrade.compare import Rows, to_rows
from stepgrade.records import Run

ID_LETTERS = 6  # 30 bits: a thousand clusters meet once in two thousand classes, and get longer ids then
ALONE = 10  # columns that are looked at first: two different runs hardly ever agree on all of them
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trace:
    """What a submission's runs of one exercise gave, in a form that can be compared."""

    form: str  # has to agree exactly: how each run ended, how many numbers it gave
    numbers: tuple[float, ...] = ()  # have to agree within tolerance; shape (num_numbers,)


def trace_of(runs: Sequence[Run], num_columns: int, told_apart_by: str = "") -> Trace:
    """The trace of one submission's runs.

    What was recorded is compared; the points at which f was called where nothing was. A last look at f, or a closure
    that calls it twice, does not set a submission apart.

    Args:
        runs: one per input, in the exercise's order.
        num_columns: how many numbers one pass records.
        told_apart_by: further words that have to agree, such as the verdicts.
    """
    forms, numbers = [told_apart_by], list[float]()
    for run in runs:
        table = read_rows(run, num_columns)
        error = run.error.type if run.error is not None else ""
        if isinstance(table, str) or not table:
            complaint = table if isinstance(table, str) else ""
            forms += [run.status, error, complaint, ",".join(str(len(point)) for point in run.visited)]
            numbers += itertools.chain.from_iterable(run.visited)
        else:
            forms += [run.status, error, str(len(table))]
            numbers += itertools.chain.from_iterable(table)
    return Trace(json.dumps(forms), tuple(numbers))


def read_rows(run: Run, num_columns: int) -> Rows | str:
    """The recorded numbers of a run, or why there are none; empty where it did not return."""
    if run.status != "returned":
        return []
    try:
        return to_rows(run.returned, num_columns)
    except (OverflowError, RecursionError):  # JSON can say what no float and no stack holds
        return "what came back holds something that cannot be read as a number."


def group_equal(traces: Sequence[Trace], rtol: float, atol: float) -> list[list[int]]:
    """Groups of traces that are equal within tolerance.

    Being close does not carry over from one to the next, so each group has a leader whom all others are close to: the
    exact numbers that most of them share. The groups depend on numbers alone, not on the order or names of students.

    Args:
        traces: one per submission.
        rtol, atol: tolerance, both used.

    Returns:
        Positions in `traces`, the leader's first; large groups first.
    """
    same: dict[tuple[str, bytes], list[int]] = {}
    for number, trace in enumerate(traces):
        same.setdefault((trace.form, np.asarray(trace.numbers, dtype=np.float64).tobytes()), []).append(number)
    groups: list[list[int]] = []
    ordered = sorted(same.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))
    for _, members in itertools.groupby(ordered, key=lambda item: item[0][0]):
        groups += _gather(traces, [found for _, found in members], rtol, atol)
    return sorted(groups, key=lambda group: (-len(group), group[0]))


def _gather(traces: Sequence[Trace], exact: list[list[int]], rtol: float, atol: float) -> Iterator[list[int]]:
    """Groups among traces of one form, given as lists of exactly equal ones, the most frequent first."""
    leaders = np.empty((len(exact), len(traces[exact[0][0]].numbers)))
    few = np.linspace(0, max(leaders.shape[1] - 1, 0), min(ALONE, leaders.shape[1])).astype(int)
    groups: list[list[int]] = []
    for members in exact:
        numbers = np.asarray(traces[members[0]].numbers)
        so_far = leaders[: len(groups)]
        near = np.flatnonzero(_close(numbers[few], so_far[:, few], rtol, atol))
        home = next((n for n in near if _close(numbers, so_far[n : n + 1], rtol, atol)[0]), None)
        if home is None:
            leaders[len(groups)] = numbers
            groups.append(list(members))
        else:
            groups[home] += members
    yield from groups


def _close(numbers: Numbers, leaders: Numbers, rtol: float, atol: float) -> npt.NDArray[np.bool_]:
    """Which rows of `leaders` the numbers agree with; infinities and nans agree with their like."""
    agree: npt.NDArray[np.bool_] = np.asarray(
        np.isclose(numbers, leaders, rtol=rtol, atol=atol, equal_nan=True), dtype=np.bool_
    )
    return np.logical_and.reduce(agree, axis=1)  # type: ignore[no-any-return]


def name_traces(prefix: str, traces: Sequence[Trace], atol: float) -> list[str]:
    """An id for each of several groups' leaders, made of its numbers: it stays when the class grows.

    Numbered groups would move when somebody hands in late, and a comment would reach the wrong students.
    """
    digests = [_digest(trace, 3, atol) for trace in traces]
    times = Counter(digests)  # leaders may differ by more than the tolerance, and by less than three digits show
    digests = [d if times[d] == 1 else _digest(t, 17, 0.0) for d, t in zip(digests, traces, strict=True)]
    length = next(n for n in range(ID_LETTERS, 60) if n == 59 or len({d[:n] for d in digests}) == len(digests))
    return [f"{prefix}-{digest[:length]}" for digest in digests]


def _digest(trace: Trace, digits: int, atol: float) -> str:
    numbers = [f"{0.0 if abs(value) < 10 * atol else value:.{digits}g}" for value in trace.numbers]
    text = json.dumps([trace.form, numbers])
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower().rstrip("=")
