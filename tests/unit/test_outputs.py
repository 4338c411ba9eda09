"""Jupyter's messages as outputs: what shows in the end, and that nothing else is kept."""

from __future__ import annotations

import tracemalloc
from typing import Any

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
        outputs.add(0, "display_data", display(str(number) * 100_000, str(number)), 400_000)
        outputs.add(0, "clear_output", {"wait": number % 2 == 0}, 30)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2e6


def test_an_update_reaches_every_place_where_the_display_still_shows() -> None:
    outputs = Outputs(1.0, 8.0)
    for cell in (0, 1):
        outputs.begin(cell)
        for text in ("a", "b"):
            outputs.add(cell, "display_data", display(text, "same"), 100)
    outputs.add(1, "clear_output", {}, 30)
    outputs.add(1, "display_data", display("c", "other"), 100)
    outputs.add(1, "update_display_data", display("new", "same"), 100)
    assert (texts(outputs, 0), texts(outputs, 1)) == (["new", "new"], ["c"])
    outputs.add(1, "clear_output", {"wait": True}, 30)
    outputs.add(1, "update_display_data", display("d", "other"), 100)
    assert texts(outputs, 1) == ["d"], "it is cleared when something comes in its place"
    outputs.add(1, "display_data", display("e", "same"), 100)
    outputs.add(1, "update_display_data", display("newer", "same"), 100)
    assert (texts(outputs, 0), texts(outputs, 1)) == (["newer", "newer"], ["newer"])
