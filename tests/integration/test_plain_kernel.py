"""The ordinary kernel: it needs nothing that only Linux has, and whatever is sent to it, it goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from stepgrade.errors import KernelError
from stepgrade.kernels import open_provisioner
from stepgrade.kernels.plain import PlainKernel, PlainProvisioner
from stepgrade.records import Bound, Call, Limits

LIMITS = Limits(seconds_per_cell=20, output_mib_per_cell=0.1, output_mib_per_notebook=0.3)


@pytest.fixture
def kernel() -> Iterator[PlainKernel]:
    with PlainProvisioner().start(None, LIMITS) as started:
        yield started


def test_update_of_an_earlier_display_shows_in_its_cell(kernel: PlainKernel) -> None:
    results = list(kernel.do_all(["h = display('old', display_id=True)", "h.update('new')", "print(1)"]))
    assert [result.status for result in results] == ["ok", "ok", "ok"]
    assert results[0].outputs[0]["data"]["text/plain"] == "'new'"
    assert results[2].outputs[0]["text"] == "1\n"


def test_all_output_is_counted(kernel: PlainKernel) -> None:
    cells = [
        "for i in range(100_000): print(i)",
        "raise type('E' * 400_000, (Exception,), {})('x' * 400_000)",
        "get_ipython()._showtraceback = lambda *_: None\nraise ValueError('x' * 400_000)",
        "display({}, raw=True, metadata={'m': 'x' * 400_000})",
        "1 / 0",
    ]
    results = list(kernel.do_all(cells))
    assert [result.status for result in results] == ["ok", "error", "error", "ok", "error"]
    assert [len(json.dumps(result.outputs)) < 110_000 for result in results] == [True] * 5
    assert sum(len(json.dumps(result.outputs)) for result in results) < 310_000
    assert (results[0].message, results[3].message) == ("its output was cut", "its output was cut")
    assert results[2].outputs[-1]["ename"] == "ValueError"


ODD_MESSAGES = {
    "too deep": "session.pack = lambda value: b'[' * 100_000 + b']' * 100_000",
    "no JSON": "session.pack = lambda value: b'no JSON'",
    "not signed": "session.sign = lambda parts: b'x'",
    "no content": "pack = session.pack\nsession.pack = lambda value: b'[]' if 'data' in value else pack(value)",
}


@pytest.mark.parametrize("odd", ODD_MESSAGES.values(), ids=ODD_MESSAGES)
def test_messages_that_are_none_end_the_process_and_nothing_else(kernel: PlainKernel, odd: str) -> None:
    result = kernel.run_cell(f"session = get_ipython().kernel.session\n{odd}\ndisplay(1)")
    assert (result.status, result.is_alive, kernel.is_alive) == ("died", False, False)
    assert "no kernel sends" in result.message


def test_answer_that_is_nested_too_deeply_is_none(kernel: PlainKernel) -> None:
    kernel.run_cell(
        "import json\ndumps = json.dumps\ndef f(): return 1\n"
        "json.dumps = lambda v, *a, **k: '[' * 100_000 if 'visited' in v else dumps(v, *a, **k)"
    )
    assert kernel.call(Call("f", ())).status == "raised"
    assert kernel.is_alive


WITHOUT = """
import builtins, os, sys
HIDDEN = {"resource", "fcntl", "termios", "pwd", "grp", "pty", "tty", "syslog", "posix"}
load = builtins.__import__

def without(name, scope=None, *args, **kw):  # libraries ask what machine this is: they are let alone
    if name.partition(".")[0] in HIDDEN and str((scope or {}).get("__name__", "")).startswith("stepgrade"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return load(name, scope, *args, **kw)

builtins.__import__ = without
for name in ("fork", "forkpty", "unshare", "setns", "pidfd_open", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
    if hasattr(os, name):
        delattr(os, name)
"""


def run_without(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """`stepgrade` on a machine that has no walls and cannot fork."""
    program = f"{WITHOUT}\nsys.argv = {['stepgrade', *words]!r}\nfrom stepgrade.cli import main\nmain()"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=300)


def test_grading_needs_nothing_that_only_some_machines_have(classroom: Any, accepted: Any) -> None:
    from stepgrade.classroom import fill

    exercises = ("gradient-descent", "optimizer", "scheduler")
    nb = fill(classroom.release(), {exercise: accepted(exercise) for exercise in exercises})
    file = classroom.hand_in("student-01", nbformat.writes(nb))
    (classroom.root / "course_config.py").open("a").write("\nc.Stepgrade.kernel = 'nbclient'\n")
    done = run_without(["grade", str(file)], classroom.root)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.rstrip().endswith("10 of 10 points"), done.stdout[-1000:]


def test_what_a_course_gets_by_default_is_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.fork")
    assert isinstance(open_provisioner("auto"), PlainProvisioner)
    with pytest.raises(KernelError, match="need Linux"):
        open_provisioner("warm")


def test_warm_kernel_is_refused_there_with_a_sentence(classroom: Any) -> None:
    (classroom.root / "course_config.py").open("a").write("\nc.Stepgrade.kernel = 'warm'\n")
    file = classroom.hand_in("student-02", nbformat.writes(classroom.release()))
    done = run_without(["grade", str(file)], classroom.root)
    assert done.returncode == 1
    assert "need Linux" in done.stdout + done.stderr and "nbclient" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_what_takes_too_much_of_the_processor_is_stopped_long_before_the_clock() -> None:
    limits = Limits(seconds_per_cell=120, seconds_per_submission=300, cpu_seconds=0.5)
    with PlainProvisioner().start(None, limits) as kernel:
        kernel.run_cell("def endless(n):\n    while n: pass\n    return [1.0]")
        stopped = kernel.run_cell("while True: pass")
        assert (stopped.status, stopped.is_alive) == ("timed_out", True) and "processor time" in stopped.message
        run = kernel.call(Call("endless", (("n", 1),)))
        assert run.status == "timed_out" and "processor time" in run.message
        assert kernel.call(Call("endless", (("n", 0),))).returned == [1.0]
        assert kernel.cpu_seconds == 0.125
        killed = kernel.run_cell("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass")
        assert (killed.status, killed.is_alive) == ("timed_out", False)


def test_a_function_is_asked_where_its_check_stands() -> None:
    call = Call("walk", (("f", {"objective": "x ** 2"}), ("n", 3)))
    endless = replace(call, bound=Bound(most_calls=50, num_passes=3))
    with PlainProvisioner().start(None, Limits()) as kernel:
        kernel.run_cell("def walk(f, n): return [f(float(i)) for i in range(n)]")
        assert kernel.call(replace(call, identity="keep")).returned == [0.0, 1.0, 4.0]
        assert kernel.call(replace(call, identity="same")).returned == [0.0, 1.0, 4.0]
        kernel.run_cell("def walk(f, n):\n    while True: f(1.0)")
        assert kernel.call(replace(call, identity="same")).status == "replaced"
        assert kernel.call(endless).message == "`f` was called 50 times; 3 passes were asked for"
