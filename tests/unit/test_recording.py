"""What was kept of a right run with two columns and no objective: each finding by the columns that show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stepgrade.diagnosis.recording import Finding, Kept, explain

RATES = [0.5, 0.25, 0.125, 0.0625, 0.03125]
LOSSES = [3.14159, 2.71828, 1.41421, 1.1, 0.57721]
ROWS = list(zip(LOSSES, RATES, strict=True))
N = 4
KEPT = Kept(ROWS, N, arguments={"rate": 1.0, "passes": 4.0})
RIGHT = [list(row) for row in ROWS[:N]]


def columns(*given: list[float]) -> list[list[float]]:
    return [list(row) for row in zip(*given, strict=True)]


@pytest.mark.parametrize(
    ("returned", "finding"),
    [
        (None, ("returned", "nothing")),
        ({"dict": {}}, ("returned", "dict")),
        ({"object": "generator"}, ("returned", "generator")),
        ({"str": "[(3.1, 0.5)]"}, ("recorded", "text")),
        ([[{"str": "3.1"}, {"str": "0.5"}]] * N, ("recorded", "text")),
        ([[{"object": "method"}, 0.5]] * N, ("recorded", "method")),
        ([{"dict": {}}] * N, ("recorded", "dict")),
        ([None] * N, ("recorded", "none")),
        (RIGHT[-1], ("returned", "last-only")),
        ([RIGHT[-1]], ("returned", "last-only")),
        (columns(LOSSES[1:], RATES[1:]), ("recorded", "after")),
        (columns(LOSSES, RATES), ("recorded", "one-more")),
        (columns(LOSSES[1:N], RATES[1:N]), ("recorded", "first-missing")),
        (columns([LOSSES[0], *LOSSES[:N]], [RATES[0], *RATES[:N]]), ("recorded", "first-twice")),
        (columns([LOSSES[0], *LOSSES[: N - 1]], [RATES[0], *RATES[: N - 1]]), ("recorded", "first-twice")),
        (columns(RATES[:N], LOSSES[:N]), ("recorded", "swapped")),
        (columns([LOSSES[-1]] * N, [RATES[-1]] * N), ("recorded", "aliased")),
        ([LOSSES[:N], RATES[:N]], ("recorded", "transposed")),
        ([number for row in RIGHT for number in row], ("recorded", "flattened")),
        (columns([0.0, 1.0, 2.0, 3.0], LOSSES[:N], RATES[:N]), ("recorded", "extra-column")),
        (LOSSES[:N], ("recorded", "only-column:0")),
        (RATES[1:], ("recorded", "only-column:1")),
        (columns(LOSSES[1:], RATES[:N]), ("recorded", "late:0")),
        (columns(LOSSES[:N], RATES[1:]), ("recorded", "late:1")),
        (columns(LOSSES[:N], [1.0, *RATES[: N - 1]]), ("recorded", "early:1")),
        (columns(LOSSES[:N], [1.0] * N), ("recorded", "argument:rate")),
        (columns(LOSSES[:N], [RATES[-1]] * N), ("recorded", "aliased:1")),
        (columns(LOSSES[:N], LOSSES[:N]), ("recorded", "column:0-for-1")),
        (columns([round(loss, 2) for loss in LOSSES[:N]], RATES[:N]), ("recorded", "rounded:0")),
        (columns([float(int(100 * loss)) / 100 for loss in LOSSES[:N]], RATES[:N]), ("recorded", "rounded:0")),
        (columns([round(v, 2) for v in LOSSES[:N]], [round(v, 2) for v in RATES[:N]]), ("recorded", "rounded:0")),
        (columns(LOSSES[:N], [100 * rate for rate in RATES[:N]]), ("recorded", "scaled:1")),
    ],
)
def test_each_way_of_recording_is_found(returned: Any, finding: Finding) -> None:
    assert finding in explain(returned, KEPT)


@pytest.mark.parametrize(
    "returned",
    [
        [],
        {"object": "module"},
        columns([1.0, 5.0, 2.0, 7.0], RATES[:N]),
        columns(LOSSES[:N], [3.0, 1.0, 4.0, 1.0]),
        columns(LOSSES[:N], [0.0] * N),
        [[3.14159, 0.5], [2.71828]],
        columns(LOSSES[:2], RATES[:2]),
        columns([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]),
    ],
)
def test_other_numbers_are_no_way_of_recording(returned: Any) -> None:
    assert explain(returned, KEPT) == set()


def test_an_array_is_read_as_the_list_that_it_holds() -> None:
    assert explain({"array": columns(RATES[:N], LOSSES[:N])}, KEPT) == {("recorded", "swapped")}


def test_without_a_pass_beyond_the_end_what_is_late_cannot_be_told() -> None:
    short = replace(KEPT, rows=ROWS[:N])
    assert explain(columns(LOSSES[1:], RATES[1:]), short) == set()
    assert explain(columns(RATES[:N], LOSSES[:N]), short) == {("recorded", "swapped")}


class TestWithAWalk:
    """One number for each pass, and points of two."""

    POINTS = ((1.0, -1.0), (0.5, -2.0), (0.25, -4.0), (0.125, -8.0))
    KEPT = Kept([(v,) for v in LOSSES[:N]], 3, POINTS, values=(9.0, 8.0, 7.0, 6.5))

    @pytest.mark.parametrize("part", [slice(0, 3), slice(1, 4), slice(0, 4)])
    def test_points_in_the_place_of_the_record(self, part: slice) -> None:
        assert explain([list(point) for point in self.POINTS[part]], self.KEPT) == {("recorded", "points")}

    def test_the_last_point_alone(self) -> None:
        assert ("returned", "point") in explain(list(self.POINTS[-1]), self.KEPT)

    def test_values_in_the_place_of_the_record(self) -> None:
        assert explain([9.0, 8.0, 7.0], self.KEPT) == {("recorded", "values")}

    def test_values_are_no_mistake_where_they_are_asked_for(self) -> None:
        asked = replace(self.KEPT, values=tuple(LOSSES[:N]))
        assert ("recorded", "values") not in explain(LOSSES[:3], asked)
