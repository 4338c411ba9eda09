"""Jupyter's messages become the outputs of cells, as nbclient makes them.

Knows the messages on IOPub and nbformat's outputs; trusts nothing in them. Refuses to know where they come from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stepgrade.records import Output

MIB = 1 << 20
MOST_LEVELS = 50  # of JSON in an output; a figure's description has some ten
CUT = "\n[the output is cut here: it is longer than {limit:g} MiB]\n"


class Outputs:
    """The outputs of one submission's cells, growing while messages come, cut where they grow too long.

    A `display` of one cell may be updated by a later one, so the outputs of earlier cells can change: read them again
    at the end.
    """

    def __init__(self, mib_per_cell: float, mib_per_notebook: float) -> None:
        self._mib_per_cell, self._mib_per_notebook = mib_per_cell, mib_per_notebook
        self._cells: dict[int, _Cell] = {}
        self._displays: dict[str, dict[_Cell, list[Output]]] = {}  # by display id: where it shows

    def begin(self, number: int) -> None:
        """The messages that follow belong to this cell."""
        self._cells[number] = _Cell()

    def of(self, number: int) -> tuple[Output, ...]:
        """The outputs of a cell, as they are now."""
        return tuple(self._cells[number].outputs)

    def is_cut(self, number: int) -> bool:
        """Whether something of the cell's output is missing."""
        return self._cells[number].is_cut

    def add(self, number: int, kind: str, content: Mapping[str, Any], size: int) -> None:
        """Take in one message.

        Args:
            number: the cell that it belongs to.
            kind: Jupyter's message type.
            content: as Jupyter has it; anything malformed is left out.
            size: of the message, in bytes.
        """
        cell = self._cells[number]
        if kind == "clear_output":
            if content.get("wait") is True:
                cell.clears_before_next = True
            else:
                self._clear(cell)
        elif kind == "update_display_data":
            self._update(content, size)
        elif kind in ("stream", "display_data", "execute_result", "error"):
            is_shown = size <= self._mib_per_cell * MIB or kind in ("stream", "error")  # of these a part shows
            output = _output(kind, content if is_shown else {"data": {}})
            if output is not None:
                if cell.clears_before_next:
                    self._clear(cell)
                self._append(cell, output, _display_id(content), size)

    def cut(self, number: int) -> None:
        """Something was too long even to be read."""
        self._cut(self._cells[number], self._mib_per_cell)

    def _append(self, cell: _Cell, output: Output, display_id: str | None, size: int) -> None:
        room = min(self._mib_per_cell * MIB - cell.size, self._mib_per_notebook * MIB - self._size())
        if size > room:
            if output["output_type"] == "stream" and not cell.is_cut:
                cell.append({**output, "text": output["text"][: max(0, int(room))]}, max(0, int(room)))
            if output["output_type"] != "error":  # an error is short, and says why the rest is missing
                per_cell = self._mib_per_cell * MIB - cell.size <= room
                self._cut(cell, self._mib_per_cell if per_cell else self._mib_per_notebook)
                return
            output = _shortened(output)
        elif cell.is_cut and output["output_type"] != "error":
            return
        output = cell.append(output, size)
        if display_id is not None:
            self._displays.setdefault(display_id, {}).setdefault(cell, []).append(output)
            cell.display_ids.add(display_id)

    def _clear(self, cell: _Cell) -> None:
        for display_id in cell.display_ids:
            shown = self._displays[display_id]
            del shown[cell]
            if not shown:
                del self._displays[display_id]
        cell.clear()

    @staticmethod
    def _cut(cell: _Cell, limit: float) -> None:
        if not cell.is_cut:
            cell.is_cut = True
            cell.append({"output_type": "stream", "name": "stdout", "text": CUT.format(limit=limit)}, 0)

    def _update(self, content: Mapping[str, Any], size: int) -> None:
        """Every output with this display id, in whatever cell, shows the new data; one that has none shows nothing."""
        output = _output("display_data", content)
        if output is None or size > self._mib_per_cell * MIB:
            return
        for cell, outputs in self._displays.get(_display_id(content) or "", {}).items():
            for shown in outputs:  # it is written into the notebook as often as it shows
                if cell.size + size > self._mib_per_cell * MIB or self._size() + size > self._mib_per_notebook * MIB:
                    return
                cell.size += size
                shown["data"], shown["metadata"] = output["data"], output["metadata"]

    def _size(self) -> int:
        return sum(cell.size for cell in self._cells.values())


class _Cell:
    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.display_ids: set[str] = set()
        self.clear()

    def clear(self) -> None:
        self.outputs.clear()
        self.display_ids.clear()
        self.size, self.is_cut, self.clears_before_next = 0, False, False

    def append(self, output: Output, size: int) -> Output:
        """Append it; a stream joins the one before it."""
        self.size += size
        last = self.outputs[-1] if self.outputs else None
        if last and output["output_type"] == "stream" == last["output_type"] and output["name"] == last["name"]:
            last["text"] += output["text"]
            return last
        self.outputs.append(output)
        return output


def _output(kind: str, content: Mapping[str, Any]) -> Output | None:
    """nbformat's output of a message; None where the message is not what Jupyter sends."""
    if kind == "stream":
        name, text = content.get("name"), content.get("text")
        if name not in ("stdout", "stderr") or not isinstance(text, str):
            return None
        return {"output_type": "stream", "name": name, "text": _clean(text)}
    if kind == "error":
        return error_output(content)
    data, metadata = content.get("data"), content.get("metadata") or {}
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        return None
    data = {str(mime): value for mime, value in data.items() if _is_mime_value(str(mime), value)}
    output: Output = {"output_type": kind, "data": _json(data), "metadata": _json(metadata)}
    if kind == "execute_result":
        count = content.get("execution_count")
        output["execution_count"] = count if isinstance(count, int) and 0 <= count < 1 << 31 else None
    return output


def error_output(content: Mapping[str, Any]) -> Output:
    """An exception as nbformat has it."""
    lines = content.get("traceback")
    return {
        "output_type": "error",
        "ename": _clean(str(content.get("ename", ""))),
        "evalue": _clean(str(content.get("evalue", ""))),
        "traceback": [_clean(line) for line in lines if isinstance(line, str)] if isinstance(lines, list) else [],
    }


def _shortened(output: Output) -> Output:
    """An error that is itself a flood."""
    traceback = [line[:10_000] for line in (*output["traceback"][:5], *output["traceback"][-5:])]
    return {**output, "evalue": output["evalue"][:10_000], "traceback": traceback}


def _display_id(content: Mapping[str, Any]) -> str | None:
    transient = content.get("transient")
    display_id = transient.get("display_id") if isinstance(transient, dict) else None
    return display_id if isinstance(display_id, str) else None


def _is_mime_value(mime: str, value: Any) -> bool:
    is_json = mime == "application/json" or (mime.startswith("application/") and mime.endswith("+json"))
    return is_json or isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def _clean(text: str) -> str:
    """Text that can be written as UTF-8: a lone surrogate cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _json(value: Any, levels: int = MOST_LEVELS) -> Any:
    """The same JSON, writable as UTF-8; what is nested too deeply to be copied and written is left out."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, list | dict) and not levels:
        return None
    if isinstance(value, list):
        return [_json(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {_clean(str(key)): _json(item, levels - 1) for key, item in value.items()}
    return value


def parse(body: bytes) -> tuple[str, Any, dict[str, Any]]:
    """Type, parent and content of a frame from the student's process.

    Raises:
        ValueError: it is none.
    """
    try:
        message = json.loads(body.decode("utf-8", "surrogatepass"))
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ValueError("no message")
    content = message.get("content")
    return message["type"], message.get("parent"), content if isinstance(content, dict) else {"text": content}
