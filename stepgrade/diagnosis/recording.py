"""Tells what was kept of a right walk: after the update, one too many, a column that is another's, rounded, …

Everything is said by columns: where entries begin and end, and what each column of numbers is made of. Knows the shapes
in which people record a trajectory. Refuses to know how the walk went, and what its columns mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stepgrade.compare import ATOL, RTOL, Rows, is_close

Numbers = Sequence[float]
Finding = tuple[str, str]
"""An operator and a role, as `mistakes.toml` names them, such as ("recorded", "after")."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What there was to keep in one run of n passes.

    Attributes:
        rows: torch's own record, and one pass more where that is known; shape (n or n + 1, num_columns).
        num_passes: n.
        points: the walk, one point more where it is known; shape (n or n + 1, num_variables), or empty.
        arguments: those that are numbers, by name.
        values: what the objective gives at the points; empty where that is not known.
    """

    rows: Rows
    num_passes: int
    points: Sequence[tuple[float, ...]] = ()
    arguments: Mapping[str, float] = field(default_factory=dict)
    values: Numbers = ()
    rtol: float = RTOL
    atol: float = ATOL

    def same(self, one: Numbers, other: Numbers) -> bool:
        """Whether two columns agree within the tolerance."""
        return len(one) == len(other) > 0 and all(
            is_close(a, b, self.rtol, self.atol) for a, b in zip(one, other, strict=True)
        )

    def column(self, number: int) -> list[float]:
        """One column, with the pass beyond the end where it is known."""
        return [row[number] for row in self.rows]

    @property
    def num_columns(self) -> int:
        """How many numbers one pass records."""
        return len(self.rows[0])


def plain(value: Any) -> Any:
    """Nested lists of floats, arrays opened; what is no number stays as it is."""
    if isinstance(value, dict) and "array" in value:
        value = value["array"]
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def squeeze(entry: Any) -> Any:
    """A list of one thing is that thing."""
    if isinstance(entry, list):
        entry = [squeeze(item) for item in entry]
        return entry[0] if len(entry) == 1 else entry
    return entry


def explain(returned: Any, kept: Kept) -> set[Finding]:
    """What turns a right walk into what was returned; nothing where no shape fits.

    Args:
        returned: as `kernels.calls.describe` describes it.
        kept: what there was to keep.
    """
    kind = _by_type(returned)
    if kind:
        return {kind}
    entries = plain(returned)
    if isinstance(entries, float):
        return set(_of_one_entry([entries], kept))
    if not isinstance(entries, list) or not entries:
        return set()
    kind = _by_type_of_entries(entries)
    if kind:
        return {kind}
    table = _table([squeeze(entry) for entry in entries])
    return set(_of_table(table, kept)) if table else set()


def _by_type(returned: Any) -> Finding | None:
    match returned:
        case None:
            return ("returned", "nothing")
        case {"dict": _}:
            return ("returned", "dict")
        case {"object": "generator"}:
            return ("returned", "generator")
        case {"str": _}:
            return ("recorded", "text")
        case _:
            return None


METHODS = ("builtin_function_or_method", "method", "method-wrapper", "function")


def _by_type_of_entries(entries: Sequence[Any]) -> Finding | None:
    parts = [part for entry in entries for part in (entry if isinstance(entry, list) else [entry])]
    if any(isinstance(part, dict) and part.get("object") in METHODS for part in parts):
        return ("recorded", "method")
    if any(isinstance(part, dict) and "str" in part for part in parts):
        return ("recorded", "text")
    if all(isinstance(entry, dict) and "dict" in entry for entry in entries):
        return ("recorded", "dict")
    return ("recorded", "none") if parts and all(part is None for part in parts) else None


def _table(entries: Sequence[Any]) -> list[list[float]]:
    """Columns of numbers; empty where the entries are no rows of equal length."""
    rows = [entry if isinstance(entry, list) else [entry] for entry in entries]
    if any(len(row) != len(rows[0]) or not all(isinstance(v, float) for v in row) for row in rows):
        return []
    return [list(column) for column in zip(*rows, strict=True)]


def _of_table(columns: list[list[float]], kept: Kept) -> Iterator[Finding]:
    n, wide = kept.num_passes, kept.num_columns
    if len(columns) == wide:
        yield from _of_rows(columns, kept)
    if len(columns) == n and wide > 1 and len(columns[0]) == wide and len(columns) != wide:
        turned = [list(row) for row in zip(*columns, strict=True)]
        if all(kept.same(turned[c], kept.column(c)[:n]) for c in range(wide)):
            yield ("recorded", "transposed")
    if len(columns) == 1 and wide > 1:
        yield from _of_one_column(columns[0], kept)
    if len(columns) > wide and all(_is_among(kept.column(c)[:n], columns, kept) for c in range(wide)):
        yield ("recorded", "extra-column")
    if len(columns[0]) == 1:
        yield from _of_one_entry([column[0] for column in columns], kept)
    elif len(columns) == 1:
        yield from _of_one_entry(columns[0], kept)
    if len(columns) == 1 or (kept.points and len(columns) == len(kept.points[0])):
        yield from _of_points(columns, kept)


def _is_among(column: Numbers, columns: Sequence[Numbers], kept: Kept) -> bool:
    return any(kept.same(candidate, column) for candidate in columns)


def _of_rows(columns: list[list[float]], kept: Kept) -> Iterator[Finding]:
    """As many columns as are asked for: entries shifted as a whole, or one column that is something else."""
    n, wide, length = kept.num_passes, kept.num_columns, len(columns[0])
    right = [kept.column(c) for c in range(wide)]
    for name, first, last in (("after", 1, n + 1), ("one-more", 0, n + 1), ("first-missing", 1, n)):
        if len(kept.rows) >= last and all(kept.same(columns[c], right[c][first:last]) for c in range(wide)):
            yield ("recorded", name)
    for doubled in ([0, *range(n)], [0, *range(n - 1)]):
        if length == len(doubled) > 1 and all(
            kept.same(columns[c], [right[c][t] for t in doubled]) for c in range(wide)
        ):
            yield ("recorded", "first-twice")
    if length != n or n < 2:
        return
    off = [c for c in range(wide) if not kept.same(columns[c], right[c][:n])]
    if wide == 2 and kept.same(columns[0], right[1][:n]) and kept.same(columns[1], right[0][:n]):
        yield ("recorded", "swapped")
    elif len(off) == 1 or wide == 1:
        yield from _of_column(columns[off[0]] if off else columns[0], off[0] if off else 0, kept)
    elif off and all(("recorded", f"rounded:{c}") in set(_of_column(columns[c], c, kept)) for c in off):
        yield ("recorded", f"rounded:{off[0]}")
    elif off and all(any(kept.same(columns[c], [end[c]] * n) for end in kept.rows[n - 1 :]) for c in off):
        yield ("recorded", "aliased")


def _of_column(column: Numbers, c: int, kept: Kept) -> Iterator[Finding]:
    """What one column is, when all others are right; its number counts from 0."""
    n, right = kept.num_passes, kept.column(c)
    if len(right) > n and kept.same(column, right[1 : n + 1]):
        yield ("recorded", f"late:{c}" if kept.num_columns > 1 else "after")
    if n > 2 and kept.same(column[1:], right[: n - 1]):
        first = next((name for name, v in kept.arguments.items() if kept.same([column[0]], [v])), "")
        if first:
            yield ("recorded", f"early:{c}")
    for name, value in kept.arguments.items():
        if kept.same(column, [value] * n) and not kept.same(right[:n], [value] * n):
            yield ("recorded", f"argument:{name}")
    if len(set(column)) == 1 and any(kept.same([column[0]], [end]) for end in right[n - 1 :]):
        yield ("recorded", f"aliased:{c}" if kept.num_columns > 1 else "aliased")
    if kept.num_columns > 1:
        for other in range(kept.num_columns):
            if other != c and kept.same(column, kept.column(other)[:n]):
                yield ("recorded", f"column:{other}-for-{c}")
    if is_rounded(column, right[:n]):
        yield ("recorded", f"rounded:{c}" if kept.num_columns > 1 else "rounded")
    elif _factor(column, right[:n], kept):
        yield ("recorded", f"scaled:{c}")


def _factor(column: Numbers, right: Numbers, kept: Kept) -> bool:
    """Whether a column is the right one times one number, such as 100 for per cent."""
    pairs = [(a, b) for a, b in zip(column, right, strict=True) if b]
    ratios = [a / b for a, b in pairs]
    is_constant = len(ratios) > 2 and kept.same(ratios, [ratios[0]] * len(ratios))
    return is_constant and ratios[0] != 0 and not kept.same(ratios[:1], [1.0])


def is_rounded(column: Numbers, values: Numbers) -> bool:
    """Whether a column is the values at a few decimals, rounded or cut off; one number all the way is nobody's."""
    if len(column) != len(values) or not all(map(math.isfinite, column)) or len(set(column)) < 2:
        return False
    for digits in range(7):
        unit = 10.0**-digits
        off = [(c - v) / unit for c, v in zip(column, values, strict=True)]
        slack = [1e-6 * abs(v) / unit + 0.01 for v in values]
        is_one_way = any(
            all(low - s <= o <= high + s for o, s in zip(off, slack, strict=True))
            for low, high in ((-0.5, 0.5), (-1.0, 0.0), (0.0, 1.0))
        )
        is_cut = all(abs(o) <= 1 + s and o * v <= s * abs(v) for o, s, v in zip(off, slack, values, strict=True))
        if (is_one_way or is_cut) and all(abs(c / unit - round(c / unit)) < 1e-3 for c in column):
            return True
    return False


def _of_one_column(column: Numbers, kept: Kept) -> Iterator[Finding]:
    """One number per pass where several are asked for."""
    n, wide = kept.num_passes, kept.num_columns
    for c in range(wide):
        right = kept.column(c)
        if any(kept.same(column, part) for part in (right[:n], right[1 : n + 1], right)):
            yield ("recorded", f"only-column:{c}")
    if len(column) == wide * n and all(kept.same(column[c::wide], kept.column(c)[:n]) for c in range(wide)):
        yield ("recorded", "flattened")


def _of_one_entry(entry: Numbers, kept: Kept) -> Iterator[Finding]:
    """The end of the walk alone."""
    n = kept.num_passes
    if n < 2:
        return
    if any(kept.same(entry, row) for row in kept.rows[n - 1 :]):
        yield ("returned", "last-only")
    elif any(kept.same(entry, point) for point in kept.points[n - 1 :]):
        yield ("returned", "point")


def _of_points(columns: Sequence[Numbers], kept: Kept) -> Iterator[Finding]:
    """The points themselves in the place of what is to be recorded."""
    n = kept.num_passes
    is_record = kept.num_columns == 1 and kept.same(kept.values[:n], kept.column(0)[:n])
    if len(columns) == 1 and not is_record and kept.same(columns[0], kept.values[:n]):
        yield ("recorded", "values")
    if not kept.points or len(columns) != len(kept.points[0]) or len(kept.points) < n:
        return
    walked = [[point[c] for point in kept.points] for c in range(len(columns))]
    is_right = len(columns) == kept.num_columns and all(
        kept.same(walked[c][:n], kept.column(c)[:n]) for c in range(len(columns))
    )
    for part in (slice(0, n), slice(1, n + 1), slice(0, n + 1)):
        if not is_right and all(kept.same(columns[c], walked[c][part]) for c in range(len(columns))):
            yield ("recorded", "points")
            return
