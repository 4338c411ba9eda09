"""Jupyter's messages as outputs: what shows in the end, and that nothing else is kept."""

from __future__ import annotations

import tracemalloc
from typing import Any

import nbformat
import pytest

from stepgrade.kernels.outputs import Outputs


def display(text: str, display_id: str) -> dict[str, Any]:
    return {"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": display_id}}


def texts(outputs: Outputs, cell: int) -> list[str]:
    return [output["data"]["text/plain"] for output in outputs.of(cell)]


def test_what_was_cleared_is_not_kept() -> None:
    outputs = Outputs(1.0, 8.0)
    outputs.begin(0)
    tracemalloc.start()
    for number in range(200):
        outputs.add(0, "display_data", display(str(number) * 100_000, str(number)))
        outputs.add(0, "clear_output", {"wait": number % 2 == 0})
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2e6


def test_an_update_reaches_every_place_where_the_display_still_shows() -> None:
    outputs = Outputs(1.0, 8.0)
    for cell in (0, 1):
        outputs.begin(cell)
        for text in ("a", "b"):
            outputs.add(cell, "display_data", display(text, "same"))
    outputs.add(1, "clear_output", {})
    outputs.add(1, "display_data", display("c", "other"))
    outputs.add(1, "update_display_data", display("new", "same"))
    assert (texts(outputs, 0), texts(outputs, 1)) == (["new", "new"], ["c"])
    outputs.add(1, "clear_output", {"wait": True})
    outputs.add(1, "update_display_data", display("d", "other"))
    assert texts(outputs, 1) == ["d"], "it is cleared when something comes in its place"
    outputs.add(1, "display_data", display("e", "same"))
    outputs.add(1, "update_display_data", display("newer", "same"))
    assert (texts(outputs, 0), texts(outputs, 1)) == (["newer", "newer"], ["newer"])


def stream(text: str) -> tuple[str, dict[str, Any]]:
    return "stream", {"name": "stdout", "text": text}


def error(name: str = "E", value: str = "v", traceback: list[str] | None = None) -> tuple[str, dict[str, Any]]:
    content = {
        "status": "error",
        "ename": name,
        "evalue": value,
        "traceback": ["E: v"] if traceback is None else traceback,
    }
    return "error", content


def nested(levels: int, width: int) -> Any:
    value: Any = [0] * width
    for _ in range(levels):
        value = [value]
    return value


def data(value: Any, **more: Any) -> tuple[str, dict[str, Any]]:
    return "display_data", {"data": value, "metadata": {}, **more}


BIG = 1 << 20
FLOODS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "text": [stream("x" * BIG)] * 4,
    "short lines": [stream("\n" * BIG)] * 4,
    "escapes": [stream("\x1b" * BIG)] * 4,
    "two streams in turn": [stream("x"), ("stream", {"name": "stderr", "text": "x"})] * 20_000,
    "names": [error(name="x" * BIG)] * 40,
    "values": [error(value="\x1b" * BIG)] * 40,
    "long lines": [error(traceback=["x" * BIG] * 3)] * 40,
    "empty lines": [error(traceback=[""] * 300_000)] * 8,
    "many errors": [error()] * 8000,
    "deep JSON": [data({"application/json": nested(45, 200_000)})] * 4,
    "keys": [data({"application/json": {"k" * 1000 + str(n): 0 for n in range(2000)}})] * 4,
    "numbers": [data({"application/json": [1e15] * 100_000})] * 4,
    "kinds": [data({f"text/x-{n}": "" for n in range(20_000)})] * 2,
    "metadata": [("execute_result", {"data": {}, "metadata": {"m": "x" * BIG}})] * 4,
    "metadata of results": [("execute_result", {"data": {"text/plain": "1"}, "metadata": {"m": "x" * 1000}})] * 4000,
    "nothing": [data({})] * 10_000,
    "lines of data": [data({"text/html": "\n" * 300_000})] * 4,
    "updates": [
        *[data({"text/plain": "a"}, transient={"display_id": "x"})] * 1000,
        ("update_display_data", data({"text/plain": "x" * 50_000}, transient={"display_id": "x"})[1]),
    ],
    "updated metadata": [
        data({"text/plain": "a"}, transient={"display_id": "x"}),
        ("update_display_data", {"data": {}, "metadata": {"m": "x" * BIG}, "transient": {"display_id": "x"}}),
    ],
    "display ids": [data({"text/plain": "a"}, transient={"display_id": "x" * BIG})] * 100,
}


def kept(outputs: Outputs, number_of_cells: int) -> int:
    """Bytes of memory's text and of the notebook's file, beyond those of its empty cells."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell() for _ in range(number_of_cells)])
    empty = len(nbformat.writes(nb).encode())
    for number, cell in enumerate(nb.cells):
        cell.outputs = [nbformat.from_dict(output) for output in outputs.of(number)]
    return len(nbformat.writes(nb).encode()) - empty


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_no_flood_is_larger_in_the_file_than_it_may_be(flood: list[tuple[str, dict[str, Any]]]) -> None:
    notes = 300  # bytes a cell: that something is missing
    outputs = Outputs(0.25, 1.0)
    outputs.begin(0)
    for kind, content in flood:
        outputs.add(0, kind, content)
    assert 0 < kept(outputs, 1) <= BIG / 4 + notes
    for number in range(1, 12):
        outputs.begin(number)
        for kind, content in flood[:10]:
            outputs.add(number, kind, content)
        outputs.add_reply(number, error(f"Reply{number}" * BIG, "x" * BIG, ["x" * 1000] * 1000)[1])
    assert kept(outputs, 12) <= BIG + 12 * notes


def test_replies_are_counted_too() -> None:
    outputs = Outputs(1.0, 8.0)
    for number in range(20):
        outputs.begin(number)
        outputs.add_reply(number, error("E" * 2 * BIG, "x" * BIG, ["x" * BIG])[1])
        assert outputs.of(number)[0]["ename"] == "E" * 200
    assert kept(outputs, 20) < 20 * 70_000


def test_error_of_a_reply_shows_once() -> None:
    outputs = Outputs(1.0, 8.0)
    outputs.begin(0)
    outputs.add(0, *error("E" * 300))
    outputs.add_reply(0, error("E" * 300)[1])
    assert len(outputs.of(0)) == 1
    outputs.add_reply(0, error("F", traceback=[])[1])
    assert "showtraceback was disabled" in outputs.of(0)[1]["traceback"][0]
    outputs.add_reply(0, {"status": "error", "ename": [[]], "evalue": {}, "traceback": "x"})
    assert outputs.of(0)[2]["ename"] == ""


def test_long_traceback_keeps_its_head_and_its_tail() -> None:
    lines = [f"line {number} " + "x" * 400 for number in range(3000)]
    outputs = Outputs(1.0, 8.0)
    outputs.begin(0)
    outputs.add(0, *error("RecursionError", "too deep", lines))
    shown = outputs.of(0)[0]
    assert (shown["ename"], shown["evalue"]) == ("RecursionError", "too deep")
    assert shown["traceback"][:50] == lines[:50] and shown["traceback"][-50:] == lines[-50:]
    left_out = [line for line in shown["traceback"] if line not in lines]
    assert left_out == [f"[{len(lines) - len(shown['traceback']) + 1} parts of the traceback are left out here]"]
    outputs.add(0, *error("ValueError", "a" * BIG + "z" * BIG, ["first", "ValueError: " + "a" * BIG + "z" * BIG]))
    shown = outputs.of(0)[1]
    assert shown["evalue"].startswith("aaa") and shown["evalue"].endswith("zzz")
    assert shown["traceback"][0] == "first" and shown["traceback"][1].startswith("ValueError: aaa")


def test_flood_does_not_hide_the_error_that_ended_it() -> None:
    outputs = Outputs(0.1, 0.2)
    for number in range(6):
        outputs.begin(number)
        for _ in range(20):
            outputs.add(number, *stream("line\n" * 2000))
        outputs.add(number, *error("ZeroDivisionError", "division by zero", ["1 / 0", "ZeroDivisionError"]))
        assert outputs.is_cut(number)
        assert outputs.of(number)[-1]["ename"] == "ZeroDivisionError"


def test_display_that_is_updated_again_and_again_takes_the_room_of_one() -> None:
    outputs = Outputs(0.1, 0.2)
    outputs.begin(0)
    outputs.add(0, "display_data", display("0" * 50_000, "live"))
    for number in range(100):
        outputs.add(0, "update_display_data", display(str(number % 10) * 50_000, "live"))
    assert texts(outputs, 0) == ["9" * 50_000]
    assert not outputs.is_cut(0)
