"""Frames between processes: a length, then JSON.

Knows how one message follows another on a pipe. Refuses to know what they mean. Both sides of the sandbox use it, so it
imports the standard library alone and nothing of ours.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any

HEADER = struct.Struct("!I")


def pack(message: Any) -> bytes:
    """A message as a frame."""
    body = json.dumps(message).encode("utf-8", "surrogatepass")
    return HEADER.pack(len(body)) + body


def unpack(body: bytes) -> Any:
    """The message of a frame's body.

    Raises:
        ValueError: the body is no JSON.
    """
    try:
        return json.loads(body.decode("utf-8", "surrogatepass"))
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem


def write_all(fd: int, data: bytes) -> None:
    """Write the whole of it, however small the pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_exactly(fd: int, size: int) -> bytes:
    """Exactly so many bytes; fewer only at the end of the stream."""
    chunks = []
    while size > 0:
        chunk = os.read(fd, min(size, 1 << 20))
        if not chunk:
            break
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def read_message(fd: int) -> Any:
    """The next message, from a writer that is trusted; None at the end of the stream."""
    header = read_exactly(fd, HEADER.size)
    if len(header) < HEADER.size:
        return None
    return unpack(read_exactly(fd, HEADER.unpack(header)[0]))
