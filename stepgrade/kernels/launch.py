"""Starts the warm parent by the safest plan that this machine allows, and asks it to fork.

Knows the parent's process and the connection to it. Refuses to know what a student's process says.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from stepgrade.errors import KernelError
from stepgrade.kernels import sandbox
from stepgrade.records import Limits

START_SECONDS = 120.0  # for the warm parent: importing torch on a busy machine
END_SECONDS = 10.0  # for the kernel to take down a nest


@dataclass(frozen=True, slots=True)
class Line:
    """The three connections to one student process, and the process that forked it."""

    requests: int  # pipe: requests to the student's process
    answers: int  # pipe: frames from it
    note: socket.socket  # to the parent: orders, and what it says of the process's end
    parent: WarmParent


class WarmParent:
    """The warm parent's process, from here."""

    def __init__(
        self, process: subprocess.Popen[bytes], control: socket.socket, plan: sandbox.Plan, errors: BinaryIO
    ) -> None:
        self.process, self._control, self.plan, self._errors = process, control, plan, errors
        self._size = _size(errors)  # what libraries say while it warms up
        self.was_lost = False  # a student process has found out that it is gone, before all of it is

    def has_ended(self) -> bool:
        """Whether it can no longer be asked: its end of the connection closes before all of it is gone."""
        poll = select.poll()
        poll.register(self._control, select.POLLHUP)
        return self.was_lost or bool(poll.poll(0)) or self.process.poll() is not None

    def last_words(self) -> str:
        """The last line that it wrote to its standard error since it was ready."""
        with contextlib.suppress(ValueError, OSError):  # closed: somebody else has met its end before
            return _last_line(self._errors, self._size)
        return ""

    def fork(self, limits: Limits, folder: str | None) -> Line:
        """Have a student process forked.

        Raises:
            KernelError: the parent is gone.
        """
        theirs_in, requests = os.pipe()
        answers, theirs_out = os.pipe()
        note, theirs_note = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {
            "disk_mib": limits.disk_mib,
            "memory_mib": limits.memory_mib,
            "processes": limits.processes,
            "folder": folder,
        }
        try:
            fds = [theirs_in, theirs_out, theirs_note.fileno()]
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
        except OSError as problem:
            note.close()
            for fd in (requests, answers):
                os.close(fd)
            raise KernelError(f"the warm parent is gone ({self.last_words() or problem}); grade again") from problem
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
            theirs_note.close()
        os.set_blocking(answers, False)
        os.set_blocking(requests, False)
        return Line(requests, answers, note, self)

    def close(self) -> None:
        """End it: it goes when its control socket closes, and takes all of its namespaces along."""
        self._control.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._errors.close()


def start_parent(require: Sequence[str], given: Mapping[str, Any]) -> WarmParent:
    """Try the plans, the safest first."""
    troubles: list[str] = []
    for plan in sandbox.plans():
        _insist(plan, require, troubles)
        for cells in dict.fromkeys([tuple(given["cells"]), ()]):  # without, where they end the parent or leave a thread
            parent, trouble = _try_plan(plan, {**given, "cells": cells})
            if parent is not None:
                return parent
        troubles.append(trouble)
    raise KernelError("the warm parent does not start: " + "; ".join(troubles))


def _insist(plan: sandbox.Plan, require: Sequence[str], troubles: Sequence[str]) -> None:
    wanted = (
        plan.missing if "all" in require else [name for name in plan.missing if name.startswith(tuple(require) or "-")]
    )
    if wanted:
        why = f" ({'; '.join(troubles)})" if troubles else ""
        raise KernelError(f"required protections are missing: {', '.join(wanted)}{why}. {sandbox.advice(wanted)}")


def _try_plan(plan: sandbox.Plan, given: Mapping[str, Any]) -> tuple[WarmParent | None, str]:
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    errors = tempfile.TemporaryFile()  # noqa: SIM115 -- the parent's as long as it lives
    with theirs:
        process = _spawn(plan, theirs.fileno(), errors)
    with contextlib.suppress(OSError):  # it has ended already: the next line finds out
        _tell_options(control, {**sandbox.options(plan), **given})
    said = _first_word(control)
    if "ready" in said:
        return WarmParent(process, control, plan, errors), ""
    control.close()
    process.kill()
    process.wait()
    with errors:
        return None, str(said.get("error") or _last_line(errors) or f"exit status {process.returncode}")


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _last_line(file: BinaryIO, start: int = 0) -> str:
    start = max(start, _size(file) - 4096)
    lines = os.pread(file.fileno(), 4096, start).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def _spawn(plan: sandbox.Plan, control_fd: int, errors: Any) -> subprocess.Popen[bytes]:
    common: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": errors}
    if not plan.has_foreign_user:
        words = sandbox.command(plan, control_fd)
        return subprocess.Popen(words, pass_fds=[control_fd], env=sandbox.environment(), cwd="/", **common)
    info, their_info = os.pipe()
    their_block, block = os.pipe()
    words = sandbox.command(plan, control_fd, info_fd=their_info, block_fd=their_block)
    fds = [control_fd, their_info, their_block]
    process = subprocess.Popen(words, pass_fds=fds, env=sandbox.environment(), cwd="/", **common)
    os.close(their_info)
    os.close(their_block)
    with (
        os.fdopen(info, "rb") as said,
        os.fdopen(block, "wb") as go,
        contextlib.suppress(ValueError, KeyError, OSError),
    ):
        child = json.loads(said.read())["child-pid"]
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{child}/{name}").write_text(f"0 0 1\n1 {sandbox.FOREIGN_UID} 1\n")
        go.write(b"go")
    return process


def _tell_options(control: socket.socket, options: Mapping[str, Any]) -> None:
    """As a file without a name: not on the command line, which the student can read, and too long for a message."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(options).encode())
        file.seek(0)
        socket.send_fds(control, [b"options"], [file.fileno()])


def _first_word(control: socket.socket) -> dict[str, Any]:
    control.settimeout(START_SECONDS)
    try:
        data = control.recv(1 << 16)
    except OSError:
        return {"error": f"no answer within {START_SECONDS:g} s"}
    finally:
        control.settimeout(None)
    said: dict[str, Any] = json.loads(data) if data else {}
    return said
