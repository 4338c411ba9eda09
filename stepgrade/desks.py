"""The desks of a run, from the writer's side: started, given orders, replaced when one dies.

Whose fault a death was cannot be seen where several orders were at the desk. Each of them is tried again with a desk to
itself: a second death is that order's own.

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
from pathlib import Path
from typing import Any

from stepgrade.errors import KernelError, StepgradeError

Order = Mapping[str, Any]
THREADS = 3  # kernels of one desk: two cores are full with two, a third fills the pauses
CORES_PER_DESK = 2  # one for judging and writing, one for its kernels


@dataclass
class _Desk:
    """One process."""

    process: subprocess.Popen[bytes]
    connection: Connection
    errors: Any
    is_open: bool = False
    at_work: dict[str, Order] = field(default_factory=dict)  # by key
    has_suspect: bool = False  # and nothing else

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
        self._suspects: deque[Order] = deque()  # they were at a desk that died
        self._is_over = False
        self.protections: list[str] = []

    def __enter__(self) -> Desks:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def num_open_orders(self) -> int:
        """Orders without an answer."""
        return len(self._waiting) + len(self._suspects) + sum(len(desk.at_work) for desk in self._desks)

    def forget_waiting(self) -> int:
        """Take back the orders that nobody works at; their number."""
        number = len(self._waiting) + len(self._suspects)
        self._waiting.clear()
        self._suspects.clear()
        return number

    def tell(self, told: Mapping[str, Any]) -> None:
        """Say what the class is, before the first order; see `desk.Desk`."""
        self._class = told
        for desk in self._desks:
            desk.say(told)

    def order(self, order: Order) -> None:
        """Give an order; more desks are started when there is something to do."""
        assert not self._is_over, "nobody would carry it out"
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
                desk.has_suspect = False
                yield answer
        self._hand_out()

    def kill(self) -> None:
        """End all desks now; what they were at is not finished, what they have finished is not lost."""
        self._is_over = True
        self.forget_waiting()
        for desk in self._desks:
            desk.process.kill()
            desk.connection.close()
        for desk in self._desks:
            desk.process.wait()
            desk.errors.close()
        self._desks = []

    def _hand_out(self) -> None:
        for desk in sorted(self._desks, key=lambda desk: len(desk.at_work)):
            if self._suspects and not desk.at_work:
                desk.has_suspect = True
                self._hand(self._suspects.popleft(), desk)
            while self._waiting and not desk.has_suspect and len(desk.at_work) < self._room:
                if not self._hand(self._waiting.popleft(), desk):
                    break

    def _hand(self, order: Order, desk: _Desk) -> bool:
        desk.at_work[_key(order)] = order
        return desk.say(order)

    def _replace(self, desk: _Desk) -> Iterator[dict[str, Any]]:
        """A desk has died: what it was at goes to new ones, order by order; what it was at alone has killed it."""
        desk.process.kill()
        desk.process.wait()
        desk.connection.close()
        words = desk.last_words()
        desk.errors.close()
        self._desks.remove(desk)
        if not desk.is_open:
            raise KernelError(f"grading cannot begin: {words or 'its process ended without a word'}")
        if desk.has_suspect:
            (order,) = desk.at_work.values()
            trouble = f"the grading process died twice with this submission, the second time alone; {words[-300:]}"
            names = {"do": order["do"], "student": order["student"]}
            yield {**names, "seconds": 0.0, "trouble": trouble, "trace": words}
        else:
            self._suspects.extend(desk.at_work.values())
        if (self._waiting or self._suspects) and len(self._desks) < self._num_desks:
            self._start()


def _key(order: Order) -> str:
    return f"{order['do']} {order['student']}"


def _start(place: Mapping[str, Any]) -> _Desk:
    """A process of its own session, so that an interrupt from the keyboard reaches the writer alone."""
    ours, theirs = socket.socketpair()
    errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the desk
    settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if not place["kernels"]:  # where a class is only looked at, pytest writes no file beside the checks either
        settings["PYTHONDONTWRITEBYTECODE"] = "1"
    process = subprocess.Popen(
        [sys.executable, "-m", "stepgrade.desks", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        env={**os.environ, **settings},
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

    try:
        desk.serve(Connection(int(sys.argv[1])))
    except EOFError:  # the writer found nothing to do
        pass
    except StepgradeError as problem:  # the writer says it in a line
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
