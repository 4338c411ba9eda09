"""The warm kernel: a forked process per submission, walled in, tens of milliseconds.

    WarmProvisioner ── control socket ──► warm parent (parent.py, in the sandbox)
         │ start()                             │ fork
         ▼                                     ▼
     WarmKernel ◄── pipe: frames of JSON ── student process (child.py)
         ◄────────── note: started, ended ─── warm parent

Knows how to ask the student's process and for how long to wait. Refuses to believe it: every frame is limited in size,
parsed as JSON and taken as a number or a text, never as an object. Needs Linux; `plain` is the twin for the rest.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import shutil
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stepgrade.errors import KernelError
from stepgrade.kernels import wire
from stepgrade.kernels.interface import Step, can_fork, own_files
from stepgrade.kernels.launch import END_SECONDS, START_SECONDS, Line, WarmParent, start_parent
from stepgrade.kernels.outputs import Outputs, parse
from stepgrade.records import Call, CellResult, Limits, Output, Run

MIB = 1 << 20
GRACE_SECONDS = 2.0  # between the first interrupt and the kill
FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.25, 0.5  # until processor time is first looked at, and between two looks at most
LEAST_LOOK_SECONDS = 0.02
NUM_INTERRUPTS = 2
MOST_ANSWERED = 2 * MIB  # what an honest answer takes on the pipe at most (see `calls.describe`)


class WarmProvisioner:
    """Gives out warm kernels from one warm parent, one after the other or side by side.

    Args:
        require: names of protections that must be there (see `sandbox.Plan`), or `("all",)`.
        released: text of the Python files that everybody was given, by name; a submission with an unchanged copy finds
            it loaded.
        cells: text of the code cells that everybody was given; they are run once beforehand.

    Raises:
        KernelError: this machine cannot fork, or a required protection is missing; the message says what to do.
    """

    def __init__(
        self, require: Sequence[str] = (), released: Mapping[str, str] | None = None, cells: Sequence[str] = ()
    ) -> None:
        if not self.is_available():
            raise KernelError("warm kernels need Linux and IPython; use the nbclient kernel here")
        self._require = tuple(require)
        self._given = {"released": dict(released or {}), "cells": list(cells)}
        self._lock = threading.Lock()
        self._parent: WarmParent | None = None

    @staticmethod
    def is_available() -> bool:
        """Whether this machine can run warm kernels at all."""
        return can_fork()

    @property
    def protections(self) -> Sequence[str]:
        """The walls around a student process, strongest first."""
        return self._started().plan.protections

    @property
    def missing(self) -> Sequence[str]:
        """The walls that this machine does not offer."""
        return self._started().plan.missing

    @property
    def parent_pid(self) -> int:
        """The process that was started here: bubblewrap, or the warm parent itself."""
        return self._started().process.pid

    def start_early(self) -> None:
        """Begin to warm up now, so that the first kernel waits less."""
        self._started()

    def _started(self) -> WarmParent:
        with self._lock:
            if self._parent is not None and self._parent.has_ended():
                self._parent.close()
                self._parent = None
            if self._parent is None:
                self._parent = start_parent(self._require, self._given)
            return self._parent

    @contextlib.contextmanager
    def start(self, files: Path | None, limits: Limits) -> Iterator[WarmKernel]:
        """A fresh kernel in a work folder of its own; leaving the context ends every process of it.

        A warm parent that has ended is replaced by a new one.
        """
        parent = self._started()
        folder = None if parent.plan.has_bubblewrap else tempfile.mkdtemp(prefix="stepgrade-")
        try:
            kernel = WarmKernel(parent.fork(limits, folder), limits)
            try:
                kernel.send_files(files)
                yield kernel
            finally:
                kernel.end()
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End the warm parent and everything below it."""
        with self._lock:
            if self._parent is not None:
                self._parent.close()
                self._parent = None

    def __enter__(self) -> WarmProvisioner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# --------------------------------------------------------------------------------------------------------------- kernel


class WarmKernel:
    """One student process. Beside the interface: `outputs_of` (outputs after later updates)."""

    def __init__(self, line: Line, limits: Limits) -> None:
        self._line, self._limits = line, limits
        self._reader = wire.FrameReader(line.answers, MOST_ANSWERED + int(limits.output_mib_per_cell * MIB))
        self._outputs = Outputs(limits.output_mib_per_cell, limits.output_mib_per_notebook)
        self._began = time.monotonic()
        self._deadline = self._began + limits.seconds_per_submission
        self.cpu_seconds = limits.cpu_seconds  # that the next cell or call may take
        self._cpu_now: float | None = None  # what the process's tree has taken by now, where it was asked for
        self._num_requests = 0
        self._unsent = memoryview(b"")  # the rest of a request
        self._num_cells = 0
        self._is_alive = True
        self._why_dead = ""
        self._notes: list[dict[str, Any]] = []

    @property
    def is_alive(self) -> bool:
        """Whether the process can still be asked."""
        return self._is_alive

    @property
    def memory_mib(self) -> float | None:
        """The most that its processes held at once beyond a fresh kernel, once it has ended; looked at now and then."""
        return next((note["memory_kib"] / 1024 for note in self._notes if "memory_kib" in note), None)

    def outputs_of(self, cell: int) -> tuple[Output, ...]:
        """The outputs of the n-th cell that was run (from 0), with the updates that later cells made."""
        return self._outputs.of(cell)

    def run_cell(self, source: str) -> CellResult:
        """Run one code cell; see `interface.Kernel`."""
        return next(self.do_all([source]))  # type: ignore[return-value]  # of a cell comes a cell's result

    def call(self, call: Call) -> Run:
        """Call a function that the cells defined; see `interface.Kernel`."""
        return next(self.do_all([call]))  # type: ignore[return-value]  # of a call comes a run

    def do_all(self, steps: Sequence[Step]) -> Iterator[CellResult | Run]:
        """Run cells and make calls without waiting between them; see `interface.Kernel`."""
        waiting = list(steps)
        while waiting:
            refused = self._refused()
            if refused is not None:
                status, why = refused
                is_cell = isinstance(waiting[0], str)
                yield CellResult(status, is_alive=self._is_alive, message=why) if is_cell else Run(status, message=why)
                return
            request = [step if isinstance(step, str) else step.to_request() for step in waiting]
            first, last = self._send_request({"steps": request}, len(waiting))
            was_interrupted = False
            for number, step in enumerate([*waiting], start=first):
                began = time.monotonic()
                reply = self._await_step(number, step)
                is_left_out = reply.content.get("left_out") and number > first
                if is_left_out or (was_interrupted and reply.content.get("was_told")):
                    break  # it comes again; or it was met by an interrupt that came too late for the one before
                was_interrupted = reply.status == "timed_out"
                waiting.pop(0)
                if isinstance(step, str):
                    yield self._cell_result(reply, time.monotonic() - began)
                    if not self._is_alive:
                        return
                    continue
                run = Run(reply.status, message=reply.message) if reply.status else Run.from_json(reply.content, step)  # type: ignore[arg-type]
                is_stopped = run.status == "timed_out" or bool(reply.status)
                if is_stopped and self._is_alive:
                    self._await_left_out(range(number + 1, last + 1), waiting)
                yield run
                if is_stopped:
                    return

    def _refused(self) -> tuple[Literal["died", "timed_out"], str] | None:
        """Why nothing can be done any more, as a status and in words."""
        if not self._is_alive:
            return "died", self._why_dead
        if time.monotonic() > self._deadline:
            return "timed_out", self._submission_is_over()
        return None

    def _submission_is_over(self) -> str:
        return f"the submission had used its {self._limits.seconds_per_submission:g} seconds"

    def _await_step(self, number: int, step: Step) -> _Reply:
        if isinstance(step, Call):
            return self._await_reply(number, "answer", lambda *_: None, cpu_seconds=step.bound.cpu_seconds)
        self._outputs.begin(self._num_cells)
        return self._await_reply(number, "reply", functools.partial(self._outputs.add, self._num_cells))

    def _cell_result(self, reply: _Reply, seconds: float) -> CellResult:
        number, self._num_cells = self._num_cells, self._num_cells + 1
        if self._reader.has_skipped:
            self._outputs.cut(number)
        content, count = reply.content, reply.content.get("execution_count")
        self._outputs.add_reply(number, content)
        status = reply.status or ("error" if content.get("status") == "error" else "ok")
        message = reply.message or ("its output was cut" if self._outputs.is_cut(number) else "")
        return CellResult(
            status=status,  # type: ignore[arg-type]  # one of CellStatus by construction
            outputs=self._outputs.of(number),
            execution_count=count if isinstance(count, int) else number + 1,
            seconds=seconds,
            is_alive=self._is_alive,
            message=message,
        )

    def _await_left_out(self, numbers: Iterable[int], steps: Iterable[Step]) -> None:
        """The process leaves out what is behind a call that was stopped; one that goes on with it is ended."""
        deadline = time.monotonic() + GRACE_SECONDS
        for number, step in zip(numbers, steps, strict=True):
            reply = self._await_reply(
                number, "answer" if isinstance(step, Call) else "reply", lambda *_: None, deadline
            )
            if not self._is_alive:
                return
            if not reply.content.get("left_out"):
                self._give_up("it did not stop when it was interrupted")
                return

    # ------------------------------------------------------------------------------------------------ asking, waiting

    def _send_request(self, request: dict[str, Any], num_replies: int = 1) -> tuple[int, int]:
        """Send a request, as far as the pipe takes it now; the numbers of its first and last reply."""
        first, self._num_requests = self._num_requests + 1, self._num_requests + num_replies
        self._unsent = memoryview(wire.pack({**request, "id": first}))
        self._send_on()
        return first, self._num_requests

    def _await_reply(
        self,
        number: int,
        kind: str,
        take: Callable[..., None],
        until: float | None = None,
        cpu_seconds: float = 0.0,
    ) -> _Reply:
        """Take messages until a reply, the end of its time or the end of the process.

        Args:
            number, kind: of the reply.
            take: is given each message before it.
            until: when there is no more patience; without, the process has its time, and is interrupted first.
            cpu_seconds: processor time that it has at least.
        """
        deadline = min(time.monotonic() + self._limits.seconds_per_cell, self._deadline) if until is None else until
        meter = _Meter(max(self.cpu_seconds, cpu_seconds)) if until is None else None
        interrupts_left, has_looked, message = NUM_INTERRUPTS if until is None else 0, False, ""
        self._reader.has_skipped = False
        while True:
            try:
                for body in self._reader.frames():
                    found = self._sort(body, number, kind, take)
                    if found is not None:
                        return _Reply("timed_out" if message else "", found, message)
            except ValueError as problem:
                return self._give_up(f"the process sent what no kernel sends ({problem})")
            if self._reader.is_at_end or self._has_ended():
                if not self._reader.is_at_end and self._reader.fill():
                    continue
                return self._give_up(self._why_ended())
            left = deadline - time.monotonic()
            if meter is not None and self._has_excess(meter):
                left, has_looked = 0.0, True
            if left > 0:
                self._wait(min(left, meter.seconds_to_look()) if meter is not None else left)
            elif not has_looked:  # it may have come in time, and we are late
                has_looked = True
                self._reader.fill()
            elif not interrupts_left:
                return self._kill_late(message)
            else:  # Python drops an interrupt that comes while an object is deleted: hence more than one
                interrupts_left, deadline = interrupts_left - 1, time.monotonic() + GRACE_SECONDS / NUM_INTERRUPTS
                message = message or self._late(meter)
                self._order(b"interrupt")
                if meter is not None:
                    self.cpu_seconds /= 2
                    meter = None

    def _has_excess(self, meter: _Meter) -> bool:
        """Whether the processes have taken more of the processor than they may; looked at now and then."""
        if self._cpu_now is not None:
            meter.take(self._cpu_now)
            self._cpu_now = None
        elif meter.is_due():
            self._order(b"cpu")  # the answer comes as a note
        return meter.has_excess

    def _wait(self, seconds: float) -> None:
        """Write what is unsent and read what comes, for once."""
        poll = select.poll()
        poll.register(self._line.answers, select.POLLIN)
        poll.register(self._line.note, select.POLLIN)
        if self._unsent:
            poll.register(self._line.requests, select.POLLOUT)
        for fd, event in poll.poll(seconds * 1000):
            if fd == self._line.answers:
                self._reader.fill()
            elif fd == self._line.requests and self._unsent:
                self._send_on()
            elif event:
                self._read_note()

    def _send_on(self) -> None:
        """Write as much of what is unsent as the pipe takes."""
        try:
            self._unsent = self._unsent[os.write(self._line.requests, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent = self._unsent[:0]  # nobody reads: the end of the process will be noticed

    def _sort(self, body: bytes, number: int, kind: str, take: Callable[..., None]) -> dict[str, Any] | None:
        message, parent, content = parse(body)
        if parent != number:
            return None  # late output of an earlier cell, which nbclient leaves out too
        if message == kind:
            return content
        take(message, content)
        return None

    def _read_note(self) -> None:
        try:
            data = self._line.note.recv(4096, socket.MSG_DONTWAIT)
        except (BlockingIOError, ConnectionResetError):  # the second is said once, where it left an order unread
            return
        except OSError:
            data = b""
        note = json.loads(data) if data else {"gone": True}  # the parent has ended, and has taken all along
        if "error" in note:
            raise KernelError(f"no student process: {note['error']}")
        if "cpu" in note:
            self._cpu_now = note["cpu"]
        else:
            self._notes.append(note)

    def _has_ended(self) -> bool:
        return any("exit" in note or "gone" in note for note in self._notes)

    def _why_ended(self) -> str:
        """What ended the process; for the student to read.

        Raises:
            KernelError: it was not the student's doing.
        """
        self._order(b"kill")
        self._await_note("gone")
        excess = next((note["killed"] for note in self._notes if "killed" in note), "")
        if excess == "memory":
            return f"its processes used more than {self._limits.memory_mib} MiB of memory"
        if excess == "processes":
            return f"it started more than {self._limits.processes} processes"
        code = next((note["exit"] for note in self._notes if "exit" in note), None)
        if code is None:
            self._line.parent.was_lost = True
            raise KernelError(f"the warm parent ended ({self._line.parent.last_words() or 'killed'}); grade again")
        return f"the process was ended by signal {-code}" if code < 0 else f"the process ended with exit status {code}"

    def _late(self, meter: _Meter | None) -> str:
        if meter is not None and meter.has_excess:
            return f"interrupted after {meter.allowance:.2g} seconds of processor time"
        if time.monotonic() > self._deadline:
            return f"interrupted: {self._submission_is_over()}"
        return f"interrupted after {self._limits.seconds_per_cell:g} seconds"

    def _kill_late(self, message: str) -> _Reply:
        message = f"{message or self._late(None)}; it did not stop, so its process was ended"
        self._give_up(message)
        return _Reply("timed_out", {}, message)

    def _give_up(self, why: str) -> _Reply:
        self._is_alive, self._why_dead = False, why
        self._order(b"kill")
        return _Reply("died", {}, why)

    def _order(self, order: bytes) -> None:
        with contextlib.suppress(OSError):
            self._line.note.send(order)

    def _await_note(self, key: str) -> None:
        poll = select.poll()
        poll.register(self._line.note, select.POLLIN)
        deadline = time.monotonic() + END_SECONDS
        while not any(key in note for note in self._notes):
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise KernelError(f"the student's processes did not end within {END_SECONDS:g} seconds")
            self._read_note()

    # -------------------------------------------------------------------------------------------------- files and end

    def send_files(self, folder: Path | None) -> None:
        """Copy the submission's own files into the work folder."""
        for path, data in _files(folder, self._limits.disk_mib * MIB):
            self._send(wire.pack({"path": path, "size": len(data)}) + data)
        self._send(wire.pack(None))
        while not self._is_ready():
            self._wait(1.0)

    def _send(self, data: bytes) -> None:
        """Into the pipe of a process that runs no student code yet."""
        self._unsent = memoryview(data)
        while self._unsent and not self._is_ready():
            self._wait(1.0)

    def _is_ready(self) -> bool:
        """Whether the process stands, walled in, with its files. Until then everything that goes wrong is our fault.

        Raises:
            KernelError: it does not come to that.
        """
        for body in self._reader.frames():
            message, _, content = parse(body)
            if message == "ready":
                return True
            raise KernelError(f"the student's process could not be set up:\n{content.get('text')}")
        if self._has_ended():
            raise KernelError(f"the student's process ended before it began: {self._why_ended()}")
        if time.monotonic() > self._began + START_SECONDS:
            raise KernelError(f"the student's process was not ready within {START_SECONDS:g} seconds")
        return False

    def end(self) -> None:
        """End every process of the submission and wait until they are gone."""
        self._is_alive = False
        self._why_dead = self._why_dead or "the kernel was closed"
        try:
            self._order(b"kill")
            self._await_note("gone")
        finally:
            self._line.note.close()
            os.close(self._line.requests)
            os.close(self._line.answers)


@dataclass(frozen=True, slots=True)
class _Reply:
    status: str  # "" where the process answered in time
    content: dict[str, Any]
    message: str


class _Meter:
    """The processor time that a cell or a call has taken, looked at now and then.

    Most have ended before the first look; what was taken until then does not count.
    """

    def __init__(self, allowance: float) -> None:
        self.allowance = allowance
        self.has_excess = False
        self._at_first: float | None = None
        self._due = time.monotonic() + FIRST_LOOK_SECONDS

    def is_due(self) -> bool:
        """Whether to look now; then it is not due again before `take` was told."""
        if time.monotonic() < self._due:
            return False
        self._due = float("inf")
        return True

    def seconds_to_look(self) -> float:
        """How long to wait, at most, before asking again."""
        return max(0.0, min(self._due - time.monotonic(), LOOK_SECONDS))

    def take(self, seconds: float) -> None:
        """What the processes have taken by now."""
        if self._at_first is None:
            self._at_first = seconds
        left = self.allowance - (seconds - self._at_first)
        self.has_excess = left <= 0
        self._due = time.monotonic() + min(max(left, LEAST_LOOK_SECONDS), LOOK_SECONDS)


def _files(folder: Path | None, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """The files for the student's process by relative path; what is left out is named in a warning."""
    for name, file in own_files(folder, max_bytes):
        if file is None:
            warnings.warn(f"{Path(name).name!r} is not handed to the student's process", stacklevel=2)
        else:
            yield name, file.read(max_bytes)
