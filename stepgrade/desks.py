"""The desks of a run, from the writer's side: started, given orders, replaced when one dies.

Knows processes and frames of JSON. Refuses to know what an order means.
"""

from __future__ import annotations

import contextlib
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
from pathlib import Path
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

    def say(self, words: Mapping[str, Any]) -> bool:
        """Send it a frame; False where it has died, which is noticed when its answers are read."""
        try:
            self.connection.send_bytes(json.dumps(dict(words)).encode())
        except OSError:
            return False
        return True

    def last_words(self) -> str:
        """The end of what it wrote to its standard error."""
        self.errors.seek(0)
        return str(self.errors.read().decode(errors="replace")[-2000:]).strip()


def do_without_iris() -> None:
    """Spare this process jsonschema's optional grammar of IRIs: no notebook has one, and building it takes a second."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # as Python marks what cannot be imported


def num_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Desks:
    """Use as a context manager; leaving it ends all desks at once.

    The first desk is started at once, since it takes seconds to open, and is told of the class as soon as that is read.

    Args:
        root: the course folder.
        assignment: its name.
        cores: how many to fill.
        has_kernels: whether submissions will be run; without, each desk fills one core.
    """

    def __init__(self, root: Path, assignment: str, cores: int, has_kernels: bool) -> None:
        self._num_desks = max(1, cores // CORES_PER_DESK) if has_kernels else cores
        threads = THREADS if has_kernels and cores > 1 else 1
        self.has_kernels = has_kernels
        self._place = {"root": str(root), "assignment": assignment, "kernels": has_kernels, "threads": threads}
        self._class: Mapping[str, Any] | None = None
        self._room = threads + 1  # one more waits at the desk
        self._desks = [_start(self._place)]
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

    def tell(self, told: Mapping[str, Any]) -> None:
        """Say what the class is, before the first order; see `desk.Desk`."""
        self._class = told
        for desk in self._desks:
            desk.say(told)

    def order(self, order: Order) -> None:
        """Give an order; more desks are started when there is something to do."""
        self._waiting.append(order)
        if len(self._desks) < min(self._num_desks, self.num_open_orders):
            self._start()
        self._hand_out()

    def _start(self) -> None:
        assert self._class is not None, "the class comes before the orders"
        self._desks.append(_start(self._place))
        self._desks[-1].say(self._class)

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
                if not desk.say(order):
                    break

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
            self._start()


def _key(order: Order) -> str:
    return f"{order['do']} {order['student']}"


def _start(place: Mapping[str, Any]) -> _Desk:
    """A process of its own session, so that an interrupt from the keyboard reaches the writer alone."""
    ours, theirs = socket.socketpair()
    errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the desk
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    process = subprocess.Popen(
        [sys.executable, "-m", "stepgrade.desks", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        env={**os.environ, **threads},
        cwd=place["root"],  # addresses in the configuration are relative to it
        start_new_session=True,
    )
    theirs.close()
    desk = _Desk(process, Connection(ours.detach()), errors)
    desk.say(place)
    return desk


def main() -> None:
    """Be a desk."""
    do_without_iris()
    from stepgrade import desk

    with contextlib.suppress(EOFError):  # the writer found nothing to do
        desk.serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
