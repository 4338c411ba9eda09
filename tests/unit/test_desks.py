"""Workers that die: each order that was there is tried alone, so that only the one that kills is given up."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepgrade import batch, desks
from stepgrade.batch import Class, Interrupts, Tally, Wishes
from stepgrade.desks import Desks
from stepgrade.progress import Silent

WORKER = """
import json, os, signal, sys
from multiprocessing.connection import Connection
connection = Connection(int(sys.argv[1]))
connection.recv_bytes(), connection.recv_bytes()
connection.send_bytes(json.dumps({"do": "open", "protections": []}).encode())
while True:
    order = json.loads(connection.recv_bytes())
    deadly = order.get("deadly", "")
    if deadly == "always" or (deadly == "in company" and connection.poll(1)):
        print("out of memory", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    answer = {"do": order["do"], "student": order["student"], "outcome": "passed", "is_staged": True, "seconds": 0.0}
    connection.send_bytes(json.dumps(answer).encode())
"""


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desks]:
    """Two workers that take orders one after another; four orders are at each."""
    popen = subprocess.Popen

    def start(words: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return popen([words[0], "-c", WORKER, words[-1]], **options)

    monkeypatch.setattr(desks.subprocess, "Popen", start)
    with Desks(tmp_path, "walks", 4, has_kernels=True) as opened:
        opened.tell({})
        yield opened


def carried_out(workers: Desks, deadly: dict[str, str]) -> dict[str, str]:
    """What came of twelve orders, by student."""
    for number in range(12):
        student = f"student-{number:02}"
        workers.order({"do": "grade", "student": student, "deadly": deadly.get(student, "")})
    found: dict[str, str] = {}
    while workers.num_open_orders:
        for answer in workers.answers(0.2):
            assert answer["student"] not in found
            found[answer["student"]] = answer.get("trouble", "")
    assert len(found) == 12
    return found


def test_only_the_order_that_kills_is_given_up(workers: Desks) -> None:
    found = carried_out(workers, {"student-00": "always", "student-05": "always", "student-11": "always"})
    assert {student for student, trouble in found.items() if trouble} == {"student-00", "student-05", "student-11"}
    assert all("died twice" in trouble and "out of memory" in trouble for trouble in found.values() if trouble)


def test_what_kills_in_company_alone_is_carried_out(workers: Desks) -> None:
    assert not any(carried_out(workers, {"student-01": "in company"}).values())


def test_nothing_is_open_when_the_workers_have_been_ended(workers: Desks) -> None:
    for number in range(12):
        workers.order({"do": "grade", "student": f"student-{number:02}", "deadly": ""})
    workers.kill()
    assert workers.num_open_orders == 0 and list(workers.answers(0.0)) == []


class Listener(Class):
    """A class of which nothing is written."""

    def __init__(self) -> None:
        self.wishes, self.tally = Wishes(4, feedback=True), Tally()
        self._unsaved, self._saved_at, self._locked_since = {}, time.monotonic(), None
        self._run, self._book = None, self  # type: ignore[assignment]

    def grades(self, students: list[str]) -> dict[str, dict[str, Any]]:
        return {student: {} for student in students}

    def _entries(self, run: object, students: list[str], voice: object) -> dict[str, None]:
        return dict.fromkeys(students)

    def _put(self, run: object, students: Any, *_: object) -> list[str]:
        return list(students)


@pytest.mark.parametrize("interrupts", [1, 2])
def test_no_pages_are_ordered_after_an_interrupt(
    workers: Desks, interrupts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than a worker takes at once would wait for ever for the workers that have been ended."""
    monkeypatch.setattr(batch, "BATCH_SECONDS", 1e9)
    listener, stop = Listener(), Interrupts()
    for number in range(20):
        workers.order({"do": "grade", "student": f"student-{number:02}"})
    ends = time.monotonic() + 30
    for number, _ in enumerate(listener.listen(workers, stop, Silent()), start=1):
        stop.number = interrupts if number == 10 else stop.number
        assert time.monotonic() < ends
    assert 10 <= listener.tally.outcomes["passed"] <= 20
    assert listener.tally.pages == 0 and listener.tally.left >= 10 and listener.tally.exit_code == 130
