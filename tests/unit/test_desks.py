"""Workers that die: each order that was there is tried alone, so that only the one that kills is given up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepgrade import desks
from stepgrade.desks import Desks

WORKER = """
import json, os, signal, sys
from multiprocessing.connection import Connection
connection = Connection(int(sys.argv[1]))
connection.recv_bytes(), connection.recv_bytes()
connection.send_bytes(json.dumps({"do": "open", "protections": []}).encode())
while True:
    order = json.loads(connection.recv_bytes())
    if order["deadly"] == "always" or (order["deadly"] == "in company" and connection.poll(1)):
        print("out of memory", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    connection.send_bytes(json.dumps({"do": "grade", "student": order["student"], "seconds": 0.0}).encode())
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
