"""A desk: a process in which submissions of one class are graded, a few at a time.

    python -m stepgrade.desks <fd>    frames of JSON: where the course is; what the class is; an order, an answer, …

Most of a submission's time is its kernel's, in another process; what is done here (reading, judging, writing) fills
about one core. So a desk has several threads with one kernel each, and one warm parent for all of them.

Knows how to carry out an order and to leave the result in the staging folder. Refuses to know the gradebook's content
and nbgrader's folders: they are the writer's. Orders and answers are JSON; nothing is unpickled.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from stepgrade import again
from stepgrade.converter import Converter, Released, open_coursedir
from stepgrade.course import find_course
from stepgrade.grade import Grader
from stepgrade.gradebook import Marks
from stepgrade.ledger import Fingerprint
from stepgrade.pages import Pages
from stepgrade.progress import failures_of
from stepgrade.quoting import quote_problem
from stepgrade.staging import Run

Answer = dict[str, Any]
GC_THRESHOLD = (20_000, 20, 50)  # with Python's 700 a thirteenth of a desk's time went there, and nothing was found


class Desk:
    """What the threads of a desk share.

    Args:
        place: where: `root`, `assignment`, and whether there are `kernels`.
        tell: gives what the class is: `notebooks`, `run` (the staging folder); asked when all else is open.
    """

    def __init__(self, place: Mapping[str, Any], tell: Callable[[], Mapping[str, Any]]) -> None:
        self.course = find_course(Path(place["root"]))
        self.assignment: str = place["assignment"]
        self.grader = Grader(self.course, self.assignment, warms_up=place["kernels"])
        self.coursedir = open_coursedir(self.course, self.assignment)
        told = tell()
        self.released = Released.read(self.course, self.coursedir, self.assignment, told["notebooks"])
        self.run = Run(Path(told["run"]))
        if place["kernels"]:  # the first submissions are run meanwhile
            threading.Thread(target=self.grader.rehearse, name="rehearsing", daemon=True).start()

    def close(self) -> None:
        """End the kernels' parent and the checks."""
        self.grader.close()


class Hand:
    """One thread's tools: nbgrader's converters keep state while they convert."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._converter: Converter | None = None
        self._pages: Pages | None = None
        self._fingerprints: dict[str, Fingerprint] = {}

    def carry_out(self, order: Mapping[str, Any]) -> Answer:
        """Do what an order says."""
        kinds: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
            "grade": self._grade,
            "pages": self._write_pages,
            "again": self._judge_again,
        }
        return kinds[order["do"]](order)

    def _grade(self, order: Mapping[str, Any]) -> Answer:
        desk, student = self.desk, order["student"]
        if self._converter is None:
            args = (desk.coursedir, desk.released, desk.grader)
            self._converter = Converter(*args, lambda name: self._fingerprints[name])
        self._fingerprints = {name: Fingerprint(**values) for name, values in order["fingerprints"].items()}
        folder = desk.run.begin(student)
        done = self._converter.convert(student, folder / "files")
        when = done.timestamp.isoformat() if done.timestamp is not None else None
        desk.run.complete(student, entry_of(student, when, done.notebooks))
        answer = {"outcome": _outcome(report.outcome for report in done.reports), "is_staged": True}
        return answer | {"failures": failures_of([e for report in done.reports for e in report.exercises])}

    def _write_pages(self, order: Mapping[str, Any]) -> Answer:
        if self._pages is None:
            self._pages = Pages(self.desk.coursedir)
        student, run = order["student"], self.desk.run.pages
        folder = run.begin(student)
        self._pages.convert(student, order["given"], folder / "files")
        run.complete(student, {})
        return {}

    def _judge_again(self, order: Mapping[str, Any]) -> Answer:
        desk, student = self.desk, order["student"]
        graded = Path(desk.coursedir.format_path(desk.coursedir.autograded_directory, student, desk.assignment))
        files = [graded / f"{name}.ipynb" for name in order["notebooks"]]
        results = [again.judge(desk.grader, desk.released, file, order) for file in files]
        is_known = all(result.is_known for result in results)
        is_staged = order["apply"] and is_known
        if is_staged:
            folder = desk.run.begin(student)
            again.write(results, graded, folder / "files")
            marks = {result.name: result.marks for result in results}
            desk.run.complete(student, entry_of(student, None, marks))
        answer = {"outcome": _outcome(result.outcome for result in results), "is_staged": is_staged}
        answer |= {"failures": failures_of([e for result in results for e in result.exercises])}
        return answer | {"changes": [c for result in results for c in result.changes], "is_known": is_known}


def entry_of(student: str, timestamp: str | None, notebooks: Mapping[str, Marks]) -> dict[str, Any]:
    """What the gradebook must know, as JSON; `batch` reads it."""
    marks = {
        name: {"scores": dict(m.scores), "held": list(m.held), "comments": dict(m.comments)}
        for name, m in notebooks.items()
    }
    return {"student": student, "timestamp": timestamp, "notebooks": marks}


def _outcome(outcomes: Iterable[str]) -> str:
    found = set(outcomes)
    return next((outcome for outcome in ("errored", "timed_out", "failed") if outcome in found), "passed")


def serve(connection: Connection) -> None:
    """Carry out orders until there are no more, then end."""
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    gc.set_threshold(*GC_THRESHOLD)
    place = json.loads(connection.recv_bytes())
    desk = Desk(place, lambda: json.loads(connection.recv_bytes()))
    orders: queue.Queue[Mapping[str, Any]] = queue.Queue()
    sending = threading.Lock()

    def send(answer: Answer) -> None:
        with sending:
            connection.send_bytes(json.dumps(answer).encode())

    def work() -> None:
        hand = Hand(desk)
        while True:
            order = orders.get()
            began = time.perf_counter()
            try:
                answer = hand.carry_out(order)
            except Exception as problem:
                answer = {"trouble": quote_problem(problem), "trace": traceback.format_exc()}
            seconds = time.perf_counter() - began
            send({"do": order["do"], "student": order["student"], "seconds": seconds, **answer})

    threads = [threading.Thread(target=work, daemon=True) for _ in range(place["threads"])]
    send({"do": "open", "protections": list(desk.grader.protections) if place["kernels"] else []})
    for thread in threads:
        thread.start()
    try:
        while True:
            orders.put(json.loads(connection.recv_bytes()))
    except (EOFError, OSError):  # the writer is done, or gone
        pass
    with sending:  # nothing half said
        desk.close()
        os._exit(0)  # what the threads are at is nobody's any more; the next run begins it anew
