"""Jupyter's messages become the outputs of cells, as nbclient makes them, as far as there is room for them.

Knows the messages on IOPub, nbformat's outputs and what they take in a notebook's file; trusts nothing in them. All
that a submission shows comes through here and is counted. Refuses to know where it comes from.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from json.encoder import encode_basestring
from math import inf
from typing import Any

from stepgrade.records import Output

MIB = 1 << 20
MOST_LEVELS = 50  # of lists and dictionaries in an output; a figure's description has some ten
MOST_NAMED = 200  # characters of an exception's name, and of a display's
MOST_OF_ERROR = 1 << 16  # bytes; of a longer one its head and its tail are shown
FOR_ERRORS = 8  # one part in so many is kept for errors: they say what came of a flood
MOST_PARTS = 2000  # of its head, and of its tail: more are longer than that
ESCAPED = bytes((*range(32), *b'"\\'))  # JSON writes them as two characters or more, lines among them
INDENT = 8  # characters before an output's values in the file; more where they are nested
CUT = "\n[the output is cut here: a {whole} may have {limit:g} MiB of it]\n"
LEFT_OUT = "[{number} parts of the traceback are left out here]"
NO_TRACEBACK = "ERROR: An error occurred while showtraceback was disabled"  # nbgrader's own words


class Outputs:
    """The outputs of one submission's cells, growing while messages come, cut where they grow too long.

    What is counted is what the notebook's file will have of it, whatever kind of output it is: only a note that
    something is missing, one a cell, goes beyond the limits. A `display` of one cell may be updated by a later one, so
    the outputs of earlier cells can change: read them again at the end.
    """

    def __init__(self, mib_per_cell: float, mib_per_notebook: float) -> None:
        self._per_cell, self._per_notebook = int(mib_per_cell * MIB), int(mib_per_notebook * MIB)
        self._size = 0  # of all cells, in bytes
        self._cells: dict[int, _Cell] = {}
        self._displays: dict[str, dict[_Cell, list[_Shown]]] = {}  # by display id: where it shows

    def begin(self, number: int) -> None:
        """The messages that follow belong to this cell."""
        self._cells[number] = _Cell()

    def of(self, number: int) -> tuple[Output, ...]:
        """The outputs of a cell, as they are now."""
        return tuple(shown.output for shown in self._cells[number].shown)

    def is_cut(self, number: int) -> bool:
        """Whether something of the cell's output is missing."""
        return self._cells[number].is_cut

    def add(self, number: int, kind: str, content: Mapping[str, Any]) -> None:
        """Take in one message.

        Args:
            number: the cell that it belongs to.
            kind: Jupyter's message type.
            content: as Jupyter has it; anything malformed is left out.
        """
        cell = self._cells[number]
        if kind == "clear_output":
            if content.get("wait") is True:
                cell.clears_before_next = True
            else:
                self._clear(cell)
        elif kind == "update_display_data":
            self._update(content)
        elif kind in ("stream", "display_data", "execute_result", "error"):
            output = _output(kind, content)
            if output is not None:
                if cell.clears_before_next:
                    self._clear(cell)
                self._append(cell, output, _display_id(content))

    def add_reply(self, number: int, content: Mapping[str, Any]) -> None:
        """Take in a cell's reply: an error that it tells and that the cell does not show is added, as nbgrader does."""
        error = _error_output(content)
        if content.get("status") != "error" or error["ename"] in [o.get("ename") for o in self.of(number)]:
            return
        self._append(self._cells[number], error if error["traceback"] else {**error, "traceback": [NO_TRACEBACK]})

    def cut(self, number: int) -> None:
        """Something was too long even to be read."""
        self._cut(self._cells[number])

    def _append(self, cell: _Cell, output: Output, display_id: str | None = None) -> None:
        """Append it, or as much of it as there is room for."""
        room = self._room(cell)
        if output["output_type"] == "error":
            if cell.is_cut or cell.size_with(output, room) > room:  # what is kept for errors serves several
                room = self._room(cell, is_error=True) // 2
                output = _shortened(output, min(room, MOST_OF_ERROR))
        elif cell.is_cut:
            return
        if (size := cell.size_with(output, room)) <= room:
            self._put(cell, output, size, display_id)
            return
        if output["output_type"] == "stream" and (part := _head(output["text"], room - STREAM)):
            self._put_text(cell, output["name"], part)
        self._cut(cell)

    def _put_text(self, cell: _Cell, name: str, text: str) -> None:
        output = {"output_type": "stream", "name": name, "text": text}
        self._put(cell, output, cell.size_with(output))

    def _put(self, cell: _Cell, output: Output, size: int, display_id: str | None = None) -> None:
        self._size += size
        shown = cell.append(_clean(output), size)
        if display_id is not None:
            self._displays.setdefault(display_id, {}).setdefault(cell, []).append(shown)
            cell.display_ids.add(display_id)

    def _clear(self, cell: _Cell) -> None:
        for display_id in cell.display_ids:
            shown = self._displays[display_id]
            del shown[cell]
            if not shown:
                del self._displays[display_id]
        self._size -= cell.size
        cell.clear()

    def _cut(self, cell: _Cell) -> None:
        if not cell.is_cut:
            cell.is_cut = True
            of_cell = self._per_cell - cell.size < self._per_notebook - self._size
            whole, limit = ("cell", self._per_cell) if of_cell else ("notebook", self._per_notebook)
            self._put_text(cell, "stdout", CUT.format(whole=whole, limit=limit / MIB))

    def _update(self, content: Mapping[str, Any]) -> None:
        """Every output with this display id, in whatever cell, shows the new data; one that has none shows nothing."""
        places = self._displays.get(_display_id(content) or "")
        output = _output("display_data", content) if places else None
        if not places or output is None:
            return
        size = _size(output, self._per_cell)
        output = _clean(output) if size <= self._per_cell else output
        for cell, outputs in places.items():
            for shown in outputs:  # it is written into the notebook as often as it shows
                growth = size - shown.size
                if growth > max(0, self._room(cell)):
                    self._cut(cell)
                    return
                self._size += growth
                cell.size += growth
                shown.size = size
                shown.output |= {"data": output["data"], "metadata": output["metadata"]}

    def _room(self, cell: _Cell, is_error: bool = False) -> int:
        """Bytes that are left in the cell and in the notebook."""
        kept = 0 if is_error else 1 / FOR_ERRORS
        in_cell, in_notebook = self._per_cell * (1 - kept) - cell.size, self._per_notebook * (1 - kept) - self._size
        return int(min(in_cell, in_notebook))


@dataclass(slots=True)
class _Shown:
    output: Output
    size: int


class _Cell:
    def __init__(self) -> None:
        self.shown: list[_Shown] = []
        self.display_ids: set[str] = set()
        self.clear()

    def clear(self) -> None:
        self.shown.clear()
        self.display_ids.clear()
        self.size, self.is_cut, self.clears_before_next = 0, False, False

    def size_with(self, output: Output, most: float = inf) -> int:
        """How much the cell grows by an output; more than `most` is not counted to its end."""
        return _size(output["text"] if self._joins(output) else output, most)

    def append(self, output: Output, size: int) -> _Shown:
        """Append it; a stream joins the one before it."""
        self.size += size
        if self._joins(output):
            last = self.shown[-1]
            last.output["text"] += output["text"]
            last.size += size
            return last
        self.shown.append(_Shown(output, size))
        return self.shown[-1]

    def _joins(self, output: Output) -> bool:
        if output["output_type"] != "stream" or not self.shown:
            return False
        last = self.shown[-1].output
        return bool(last["output_type"] == "stream" and last["name"] == output["name"])


def _output(kind: str, content: Mapping[str, Any]) -> Output | None:
    """nbformat's output of a message; None where the message is not what Jupyter sends."""
    if kind == "stream":
        name, text = content.get("name"), content.get("text")
        if name not in ("stdout", "stderr") or not isinstance(text, str):
            return None
        return {"output_type": "stream", "name": name, "text": text}
    if kind == "error":
        return _error_output(content)
    data, metadata = content.get("data"), content.get("metadata") or {}
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        return None
    data = {mime: value for mime, value in data.items() if _is_mime_value(mime, value)}
    output: Output = {"output_type": kind, "data": data, "metadata": metadata}
    if kind == "execute_result":
        count = content.get("execution_count")
        output["execution_count"] = count if isinstance(count, int) and 0 <= count < 1 << 31 else None
    return output


def _error_output(content: Mapping[str, Any]) -> Output:
    """An exception as nbformat has it."""
    name, value, parts = (content.get(key) for key in ("ename", "evalue", "traceback"))
    parts = parts if isinstance(parts, list) else []
    if len(parts) > 2 * MOST_PARTS:
        between = LEFT_OUT.format(number=len(parts) - 2 * MOST_PARTS)
        parts = [*parts[:MOST_PARTS], between, *parts[-MOST_PARTS:]]
    return {
        "output_type": "error",
        "ename": _clean(name[:MOST_NAMED]) if isinstance(name, str) else "",
        "evalue": value if isinstance(value, str) else "",
        "traceback": [part for part in parts if isinstance(part, str)],
    }


def _display_id(content: Mapping[str, Any]) -> str | None:
    transient = content.get("transient")
    display_id = transient.get("display_id") if isinstance(transient, dict) else None
    return display_id if isinstance(display_id, str) and len(display_id) <= MOST_NAMED else None


def _is_mime_value(mime: str, value: Any) -> bool:
    is_json = mime == "application/json" or (mime.startswith("application/") and mime.endswith("+json"))
    return is_json or isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def _clean(value: Any, levels: int = MOST_LEVELS) -> Any:
    """A copy of JSON that can be written: without lone surrogates, and without what is nested too deeply."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list | dict) and not levels:
        return None
    if isinstance(value, list):
        return [_clean(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item, levels - 1) for key, item in value.items()}
    return value


# --------------------------------------------------------------------------------------------------------------- sizes


def _size(value: Any, most: float = inf, indent: int = INDENT) -> int:
    """Bytes that it takes in the notebook's file, where each value and each line of a text stands on its own line.

    More than `most` is not counted to its end.
    """
    total = indent + 4  # quotation marks, a comma, the line's end
    if isinstance(value, str):
        if len(value) > most:
            return len(value)
        if value.isascii() and len(value.encode().translate(None, ESCAPED)) == len(value):  # quick: most are pictures
            return total + len(value) + 2
        written = encode_basestring(value)
        size = len(written) if written.isascii() else len(written.encode("utf-8", "surrogatepass"))
        return size + total * (len(value.splitlines()) or 1)
    if not isinstance(value, list | dict):
        return total + len(repr(value))
    if indent < INDENT + MOST_LEVELS:
        for item in chain.from_iterable(value.items()) if isinstance(value, dict) else value:
            if total > most:
                break
            total += _size(item, most - total, indent + 1)
    return total


STREAM = _size({"output_type": "stream", "name": "stdout", "text": ""})


def _head(text: str, room: int) -> str:
    """As much of the beginning as there is room for."""
    text = text[: max(0, room)]
    return text[: max(0, bisect_right(range(len(text) + 1), room, key=lambda end: _size(text[:end])) - 1)]


def _ends(text: str, room: int) -> str:
    """The beginning and the end, where there is no room for the whole."""
    if _size(text, room) <= room:
        return text
    half = room // 2 - INDENT
    return f"{_head(text, half)} […] {_head(text[::-1], half)[::-1]}"


def _shortened(error: Output, room: int) -> Output:
    """An error; of a long one the head and the tail: where it began, and what went wrong."""
    if _size(error, room) <= room:
        return error
    parts, first, last = deque(error["traceback"]), deque[str](), deque[str]()
    error = {**error, "evalue": _ends(error["evalue"], room // 4), "traceback": []}
    left = room - _size(error) - _size(LEFT_OUT)
    most_of_part = left // 4
    while parts:
        takes_last = len(last) <= len(first)
        part = _ends(parts[-1] if takes_last else parts[0], most_of_part)
        left -= _size(part, INDENT + 2)
        if left < 0:
            break
        if takes_last:
            parts.pop()
            last.appendleft(part)
        else:
            parts.popleft()
            first.append(part)
    between = [LEFT_OUT.format(number=len(parts))] if parts else []
    return {**error, "traceback": [*first, *between, *last]}


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
