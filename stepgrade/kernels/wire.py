"""Frames between processes: a length, then JSON.

Knows how one message follows another on a pipe. Refuses to know what they mean. Both sides of the sandbox use it, so it
imports the standard library alone and nothing of ours.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
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


class FrameReader:
    """Frames from a pipe whose writer may write anything."""

    def __init__(self, fd: int, max_bytes: int) -> None:
        """Args: fd: the pipe. max_bytes: of a frame; longer ones are skipped unread."""
        self._fd, self._max_bytes = fd, max_bytes
        self._buffer = bytearray()
        self._skip = 0
        self.is_at_end = False
        self.has_skipped = False

    def fill(self) -> bool:
        """Read what is there; whether there was something."""
        try:
            chunk = os.read(self._fd, 1 << 18)
        except BlockingIOError:
            return False
        if not chunk:
            self.is_at_end = True
            return False
        skipped = min(self._skip, len(chunk))
        self._skip -= skipped
        self._buffer += chunk[skipped:]
        return True

    def frames(self) -> Iterator[bytes]:
        """The whole frames that have come; one that is too long is left out."""
        size = HEADER.size
        while len(self._buffer) >= size:
            (length,) = HEADER.unpack_from(self._buffer)
            if length > self._max_bytes:
                self.has_skipped = True
                rest = len(self._buffer) - size
                self._skip = max(0, length - rest)
                del self._buffer[: size + length]
                continue
            if len(self._buffer) < size + length:
                return
            body = bytes(self._buffer[size : size + length])
            del self._buffer[: size + length]
            yield body
