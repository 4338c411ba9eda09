"""The desks of a run, from the writer's side: started, given orders, replaced when one dies.

Knows processes and frames of JSON. Refuses to know what an order means.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from stepgrade.errors import KernelError

Order = Mapping[str, Any]
THREADS = 3  # kernels of one desk: two cores are full with two, a third fills the pauses
CORES_PER_DESK = 2  # one for judging and writing, one for its kernels
MAX_TRIES = 2  # an order whose desk died is tried once more; then it is the order's fault


@dataclass
class _Desk:
    """One process."""

    process: subprocess.Popen[bytes]
    connection: Connection
    errors: Any
    is_open: bool = False
    at_work: dict[str, Order] = field(default_factory=dict)  # by key

    def last_words(self) -> str:
        """The end of what it wrote to its standard error."""
        self.errors.seek(0)
        return str(self.errors.read().decode(errors="replace")[-2000:]).strip()


class Desks:
    """Use as a context manager; leaving it ends all desks at once.

    Args:
        told: what each desk is told first; see `desk.Desk`. Without `kernels` each fills one core.
        num_cores: how many cores to fill.
    """

    def __init__(self, told: Mapping[str, Any], num_cores: int) -> None:
        has_kernels = told["kernels"]
        self._num_desks = max(1, num_cores // CORES_PER_DESK) if has_kernels else num_cores
        threads = THREADS if has_kernels and num_cores > 1 else 1
        self._told = {**told, "threads": threads}
        self._room = threads + 1  # one more waits at the desk
        self._desks: list[_Desk] = []
        self._waiting: deque[Order] = deque()
        self._tries: dict[str, int] = {}
        self.protections: list[str] = []

    def __enter__(self) -> Desks:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def num_open_orders(self) -> int:
        """Orders without an answer."""
        return len(self._waiting) + sum(len(desk.at_work) for desk in self._desks)

    def forget_waiting(self) -> int:
        """Take back the orders that nobody works at; their number."""
        number = len(self._waiting)
        self._waiting.clear()
        return number

    def order(self, order: Order, first: bool = False) -> None:
        """Give an order; desks are started when there is something to do."""
        (self._waiting.appendleft if first else self._waiting.append)(order)
        if len(self._desks) < min(self._num_desks, self.num_open_orders):
            self._desks.append(_start(self._told))
        self._hand_out()

    def answers(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What has come within some time; empty when nothing has.

        Raises:
            KernelError: a desk cannot be opened.
        """
        known = {desk.connection: desk for desk in self._desks}
        for connection in wait([*known], seconds):
            desk = known[connection]  # type: ignore[index]  # only connections were asked for
            try:
                answer = json.loads(desk.connection.recv_bytes())
            except (EOFError, OSError):
                yield from self._replace(desk)
                continue
            if answer["do"] == "open":
                desk.is_open, self.protections = True, answer["protections"]
            else:
                desk.at_work.pop(_key(answer), None)
                yield answer
        self._hand_out()

    def kill(self) -> None:
        """End all desks now; what they were at is not finished, what they have finished is not lost."""
        for desk in self._desks:
            desk.process.kill()
            desk.connection.close()
        for desk in self._desks:
            desk.process.wait()
            desk.errors.close()
        self._desks = []

    def _hand_out(self) -> None:
        for desk in sorted(self._desks, key=lambda desk: len(desk.at_work)):
            while self._waiting and len(desk.at_work) < self._room:
                order = self._waiting.popleft()
                desk.at_work[_key(order)] = order
                try:
                    desk.connection.send_bytes(json.dumps(order).encode())
                except OSError:
                    break  # it has died: noticed when its answers are read

    def _replace(self, desk: _Desk) -> Iterator[dict[str, Any]]:
        """A desk has died: its orders go to a new one, but each only so often."""
        desk.process.kill()
        desk.process.wait()
        desk.connection.close()
        words = desk.last_words()
        desk.errors.close()
        self._desks.remove(desk)
        if not desk.is_open:
            raise KernelError(f"grading cannot begin: {words or 'its process ended without a word'}")
        for key, order in desk.at_work.items():
            self._tries[key] = self._tries.get(key, 1) + 1
            if self._tries[key] > MAX_TRIES:
                trouble = f"the grading process died {MAX_TRIES} times with this submission; {words[-300:]}"
                names = {"do": order["do"], "student": order["student"]}
                yield {**names, "seconds": 0.0, "trouble": trouble, "trace": words}
            else:
                self._waiting.appendleft(order)
        if self._waiting and len(self._desks) < self._num_desks:
            self._desks.append(_start(self._told))


def _key(order: Order) -> str:
    return f"{order['do']} {order['student']}"


def _start(told: Mapping[str, Any]) -> _Desk:
    """A process of its own session, so that an interrupt from the keyboard reaches the writer alone."""
    ours, theirs = socket.socketpair()
    errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the desk
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    process = subprocess.Popen(
        [sys.executable, "-m", "stepgrade.desk", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        env={**os.environ, **threads},
        start_new_session=True,
    )
    theirs.close()
    connection = Connection(ours.detach())
    connection.send_bytes(json.dumps(dict(told)).encode())
    return _Desk(process, connection, errors)
