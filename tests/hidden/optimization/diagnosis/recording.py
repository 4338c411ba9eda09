"""Tells what was kept of a walk, when the walk itself is known: before or after the update, once or twice, …

Knows the shapes in which people record a trajectory, as the names of mistakes. Refuses to know how x moved: it is given
the walk, right or wrong, and looks at the returned object alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stepgrade.compare import ATOL, RTOL, is_close, while_finite
from stepgrade.diagnosis.recording import is_rounded, plain, squeeze

Numbers = Sequence[float]


@dataclass(frozen=True, slots=True)
class Track:
    """What there was to record in one run of n passes.

    Attributes:
        values: f(x_0) … f(x_n), shape (n + 1,).
        points: x_0 … x_n, shape (n + 1,); empty where they cannot be told.
        slopes: f'(x_0) … f'(x_{n−1}), shape (n,), or empty.
        rates: the rate set after each pass, shape (n + 1,), one pass further too; empty where none is asked for.
        lr, gamma: the arguments.
    """

    values: Numbers
    points: Numbers = ()
    slopes: Numbers = ()
    rates: Numbers = ()
    lr: float = math.nan
    gamma: float = math.nan
    rtol: float = RTOL
    atol: float = ATOL

    @property
    def num_passes(self) -> int:
        """n."""
        return len(self.values) - 1

    def same(self, one: Numbers, other: Numbers) -> bool:
        """Whether two columns agree within the tolerance, up to where both diverge."""
        mine, theirs = while_finite(one), while_finite(other)
        has_numbers = bool(mine) or not one
        return has_numbers and (len(one), len(mine)) == (len(other), len(theirs)) and all(map(self.close, mine, theirs))

    def close(self, one: float, other: float) -> bool:
        """Whether two numbers agree within the tolerance."""
        return is_close(one, other, self.rtol, self.atol)


def explain(returned: Any, track: Track, num_columns: int) -> set[str]:
    """Names of the recording mistakes that turn a track into what was returned.

    Args:
        returned: as `kernels.calls.describe` describes it.
        num_columns: how many numbers one pass should record.
    """
    kind = _by_type(returned)
    if kind:
        return {kind}
    entries = plain(returned)
    if isinstance(entries, float):
        return set(_single(entries, track))
    if not isinstance(entries, list) or not entries:
        return set()
    kind = _by_type_of_entries(entries)
    if kind:
        return {kind}
    explain_numbers = _one_column if num_columns == 1 else _two_columns
    return set(explain_numbers([squeeze(entry) for entry in entries], track))


def _by_type(returned: Any) -> str | None:
    match returned:
        case None:
            return "no-return"
        case {"dict": _}:
            return "dict-returned"
        case {"object": "generator"}:
            return "generator-returned"
        case {"str": _}:
            return "strings-recorded"
        case _:
            return None


METHODS = ("builtin_function_or_method", "method", "method-wrapper", "function")


def _by_type_of_entries(entries: Sequence[Any]) -> str | None:
    parts = [part for entry in entries for part in (entry if isinstance(entry, list) else [entry])]
    if any(isinstance(part, dict) and part.get("object") in METHODS for part in parts):
        return "bound-methods-recorded"
    if any(isinstance(part, dict) and "str" in part for part in parts):
        return "strings-recorded"
    if all(isinstance(entry, dict) and "dict" in entry for entry in entries):
        return "dict-returned"
    if parts and all(part is None for part in parts):
        return "recorded-gradient-alias"
    return None


def _single(number: float, track: Track) -> Iterator[str]:
    if track.close(number, track.values[-2]) or track.close(number, track.values[-1]):
        yield "only-last-value"
    if any(track.close(number, x) for x in track.points[-2:]):
        yield "returned-x"


def _is_column(entries: Sequence[Any]) -> bool:
    return all(isinstance(entry, float) for entry in entries)


def _columns(entries: Sequence[Any]) -> list[list[float]]:
    """The columns of a table of numbers; empty where the entries are no rows of equal length."""
    if not all(isinstance(e, list) and _is_column(e) and len(e) == len(entries[0]) for e in entries):
        return []
    return [list(column) for column in zip(*entries, strict=True)]


def _one_column(entries: Sequence[Any], track: Track) -> Iterator[str]:
    if _is_column(entries):
        yield from _values(entries, track)
        if len(entries) == 1:
            yield from _single(entries[0], track)
    columns = _columns(entries)
    if (len(columns) >= 2 and any(track.same(column, track.values[:-1]) for column in columns)) or (
        len(columns) >= 2 and any(track.same(column, track.values[1:]) for column in columns)
    ):
        yield "recorded-pairs"
    if len(entries) in (2, 3) and any(isinstance(e, list) and track.same(e, track.values[:-1]) for e in entries):
        yield "recorded-pairs"


def _values(column: Numbers, track: Track) -> Iterator[str]:
    """What a column of single numbers in the place of f(x_t) is."""
    values, points, n = track.values, track.points, track.num_passes
    if track.same(column, values[:-1]):
        return
    shapes: dict[str, list[Numbers]] = {
        "recorded-after": [values[1:]],
        "recorded-n-plus-one": [values],
        "first-value-twice": [[values[0], *values[:-1]], [values[0], *values[:-2]], [values[0], *values]],
        "first-value-missing": [values[1:-1]],
        "recorded-x": [points[:-1], points[1:], points] if points else [],
        "recorded-gradient": [track.slopes] if track.slopes else [],
    }
    for name, wanted in shapes.items():
        if any(track.same(column, numbers) for numbers in wanted if numbers):
            yield name
    if len(column) >= 2 and all(entry == column[0] for entry in column) and n >= 2:
        if column[0] == 0.0 and not track.close(0.0, values[-1]):
            yield "recorded-gradient-alias"
        elif any(track.close(column[0], end) for end in (*values[-2:], *points[-2:])):
            yield "aliased-records"
    if is_rounded(column, values[:-1]):
        yield "rounded-values"


def _two_columns(entries: Sequence[Any], track: Track) -> Iterator[str]:
    after, used = track.rates[:-1], [track.lr, *track.rates[:-2]]
    values = track.values[:-1]
    if _is_column(entries):
        yield from _one_of_two(entries, track)
    if len(entries) == 2 and all(isinstance(e, list) and _is_column(e) for e in entries):
        if _is_value_column(entries[0], track) and _is_rate_column(entries[1], track):
            yield "transposed-records"
        elif len(entries[0]) == 2 and track.num_passes != 2 and track.same(entries[0], [values[0], after[0]]):
            return
    columns = _columns(entries)
    if len(columns) == 2:
        yield from _pairs(columns[0], columns[1], track)
    elif (len(columns) > 2 and any(track.same(column, values) for column in columns)) or (
        len(columns) > 2 and any(track.same(c, track.values[1:]) or track.same(c, used) for c in columns)
    ):
        yield "extra-column"


def _one_of_two(column: Numbers, track: Track) -> Iterator[str]:
    values, after, n = track.values, track.rates[:-1], track.num_passes
    if len(column) == 2 and n != 2 and any(track.same(column, [values[i], track.rates[i]]) for i in (n - 1, n)):
        yield "only-last-value"
    elif len(column) == 2 * n and track.same(column[::2], values[:-1]) and track.same(column[1::2], after):
        yield "flattened-records"
    elif _is_value_column(column, track):
        yield "only-values-recorded"
    elif _is_rate_column(column, track):
        yield "only-rates-recorded"
    elif len(column) == 1:
        yield from _single(column[0], track)


def _is_value_column(column: Numbers, track: Track) -> bool:
    values = track.values
    return any(track.same(column, wanted) for wanted in (values[:-1], values[1:], values))


def _is_rate_column(column: Numbers, track: Track) -> bool:
    rates = track.rates
    return any(track.same(column, wanted) for wanted in (rates[:-1], [track.lr, *rates[:-2]], [track.lr, *rates[:-1]]))


def _pairs(first: Numbers, second: Numbers, track: Track) -> Iterator[str]:
    n, values, rates = track.num_passes, track.values, track.rates
    if track.same(first, rates[:-1]) or track.same(first, [track.lr, *rates[:-2]]):
        if _is_value_column(second, track):
            yield "pair-swapped"
        return
    if len(first) == n + 1 and track.same(first, values):
        yield "recorded-n-plus-one"
    elif len(first) == n + 1 and track.same(first, [values[0], *values[:-1]]):
        yield "first-value-twice"
    elif len(first) == n - 1 and track.same(first, values[1:-1]):
        yield "first-value-missing"
    elif len(first) == n and track.same(first, values[:-1]):
        yield from _rates(second, track)
    elif len(first) == n and any(map(_rate_is_known(track), [second])):
        yield from _values(first, track)


def _rate_is_known(track: Track) -> Callable[[Numbers], bool]:
    return lambda column: track.same(column, track.rates[:-1]) or bool(set(_rates(column, track)))


def _rates(column: Numbers, track: Track) -> Iterator[str]:
    """What a column in the place of the rate after each pass is."""
    rates, n = track.rates, track.num_passes
    if track.same(column, rates[:-1]):
        return
    shapes: dict[str, Numbers] = {
        "lr-recorded-before-scheduler-step": [track.lr, *rates[:-2]],
        "get-lr-recorded": rates[1:],
        "constant-lr-recorded": [track.lr] * n,
        "gamma-recorded": [track.gamma] * n,
        "aliased-lr-records": [rates[n - 1]] * n,
    }
    for name, wanted in shapes.items():
        if track.same(column, wanted):
            yield name
    if is_rounded(column, rates[:-1]):
        yield "rounded-values"
