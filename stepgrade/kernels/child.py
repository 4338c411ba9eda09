"""The student's process: runs cells in IPython as ipykernel would, answers calls, says everything on a pipe.

Knows IPython, ipykernel's shell and the names of Jupyter's messages. Refuses to know where it runs, what a grade is and
what is right. It is loaded by the warm parent inside the sandbox, before the fork, and imports nothing of ours: what it
needs of its neighbours (frames, the answering of calls) is handed to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import itertools
import json
import logging
import os
import random
import select
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

FLUSH_SECONDS = 0.2  # as ipykernel: text printed before a long computation shows without waiting for its end
FLUSH_CHARACTERS = 64 * 1024  # a flood leaves the process while it comes, so that it can be cut
MOST_REMEMBERED = 256  # cells whose parsed form is kept
TRANSIT_BYTES = 256 << 20  # per cell on the pipe, however often the cell clears its outputs
MOST_SAID = 10_000  # characters of an error's line in a reply
TAKEN = ("stream", "display_data", "update_display_data", "execute_result", "error", "clear_output")  # what is told

WARM_CELLS = (
    """
import json, math, time, random, warnings, itertools, functools, collections, dataclasses, copy, pathlib, typing
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F, torch.optim as optim, torch.optim.lr_scheduler
import matplotlib, matplotlib.pyplot as plt, matplotlib.animation, matplotlib.cm, mpl_toolkits.mplot3d
import IPython.display, IPython.core.pylabtools
""",
    "x = torch.ones(2, requires_grad=True)\n(x ** 2).sum().backward()",
    """
%%time
figure, axes = plt.subplots(1, 2)
axes[0].plot(np.linspace(0, 1, 5), np.ones(5), label='$x^2$'); axes[0].legend(); axes[0].set_title('f(x)')
axes[1].scatter([1, 2], [3, 4], c=[1, 2], cmap='viridis')
plt.show()
""",
    "IPython.display.clear_output(wait=True)\ndisplay(IPython.display.HTML('<b>x</b>'))\nprint(x)\nx",
    "def g():\n    return 1 / 0\ng()",
)
"""What notebooks make Python load lazily or fill a cache with; run once in the parent, the outputs dropped. What one
lesson needs beyond that, its own cells load: see `Student.warm_up`."""
WARM_SECONDS = 10.0  # for one of the lesson's own cells


class Channel:
    """The pipe to the grading process; shut while the parent warms up."""

    def __init__(self, pack_frame: Any) -> None:
        self._pack_frame = pack_frame  # bytes of a JSON body -> bytes of a frame
        self._lock = threading.RLock()
        self._fd: int | None = None
        self.cell = 0
        self._sent = 0
        self._is_writing = False
        self._was_interrupted = False
        self.was_told = False  # to stop, since somebody last looked

    def open(self, fd: int) -> None:
        """Say everything on `fd` from now on."""
        self._fd = fd
        self._pid = os.getpid()

    def begin(self, cell: int) -> None:
        """What is published from now on belongs to this request."""
        self.cell, self._sent = cell, 0

    def publish(self, kind: str, parent: Any, content: bytes) -> None:
        """Send one message; `content` is JSON already."""
        if self._fd is None:
            return
        if os.getpid() != self._pid:
            self._publish_from_fork(kind, content)
            return
        head = json.dumps({"type": kind, "parent": parent}).encode()
        frame = self._pack_frame(head[:-1] + b', "content": ' + content + b"}")
        self._sent += len(frame)
        if self._sent > TRANSIT_BYTES and kind not in ("reply", "answer"):
            return
        self._write(frame)

    def _write(self, frame: bytes) -> None:
        """Write a whole frame: an interrupt in the middle of it waits for its end."""
        assert self._fd is not None
        with self._lock:
            main = threading.current_thread() is threading.main_thread()
            self._is_writing = main
            try:
                view = memoryview(frame)
                while view:
                    view = view[os.write(self._fd, view) :]
            finally:
                self._is_writing = False
        if main and self._was_interrupted:
            self._was_interrupted = False
            raise KeyboardInterrupt

    @staticmethod
    def _publish_from_fork(kind: str, content: bytes) -> None:
        """A process that the student forked shares the pipe: its text takes the way of any subprocess's."""
        if kind == "stream":
            message = json.loads(content)
            with contextlib.suppress(OSError):
                os.write(2 if message["name"] == "stderr" else 1, message["text"].encode())

    def on_interrupt(self, *_: Any) -> None:
        """SIGINT while a cell or a call runs."""
        self.was_told = True
        if self._is_writing:
            self._was_interrupted = True
        else:
            raise KeyboardInterrupt


def make_session(channel: Channel) -> Any:
    """A Jupyter session whose messages go into the channel."""
    from jupyter_client.session import Session

    class PipeSession(Session):  # type: ignore[misc]
        def send(
            self, stream: Any, message: Any, content: Any = None, parent: Any = None, *args: Any, **kw: Any
        ) -> Any:
            if not isinstance(message, dict):
                message = self.msg(message, content=content, parent=parent)
            if message["header"]["msg_type"] not in TAKEN:
                return message
            ancestor = message.get("parent_header") or {}
            for part in _parts(message["content"]):
                channel.publish(message["header"]["msg_type"], ancestor.get("msg_id"), self.pack(part))
            return message

    return PipeSession(key=b"", check_pid=False)


def _parts(content: dict[str, Any]) -> list[dict[str, Any]]:
    """A message's content; text that is long comes in several, so that it can be cut where there is too much."""
    text = content.get("text")
    if not isinstance(text, str) or len(text) <= FLUSH_CHARACTERS:
        return [content]
    return [{**content, "text": text[i : i + FLUSH_CHARACTERS]} for i in range(0, len(text), FLUSH_CHARACTERS)]


class Timer:
    """Stands for ipykernel's IO loop: keeps what is to be flushed soon."""

    def __init__(self) -> None:
        self._due: list[tuple[float, Any]] = []

    def call_later(self, delay: float, function: Any) -> None:
        """Remember to call it; `run_due` does."""
        self._due.append((time.monotonic() + delay, function))

    def run_due(self) -> None:
        """Call what is due."""
        now = time.monotonic()
        due = [entry for entry in self._due if entry[0] <= now]
        self._due = [entry for entry in self._due if entry[0] > now]
        for _, function in due:
            function()

    @property
    def has_work(self) -> bool:
        """Whether something waits."""
        return bool(self._due)


def make_streams(session: Any, timer: Timer) -> tuple[Any, Any]:
    """ipykernel's own stdout and stderr, without its thread and its sockets."""
    from ipykernel.iostream import IOPubThread, OutStream

    flushing = threading.RLock()

    class NoThread(IOPubThread):  # type: ignore[misc]
        def __init__(self) -> None:
            self.thread = None
            self.io_loop = timer

        closed = False

        def schedule(self, function: Any) -> None:
            function()

    class Stream(OutStream):  # type: ignore[misc]
        before_flush: Any = None  # reads what was written past Python

        def flush(self) -> None:
            if self.before_flush is not None:
                self.before_flush()
            self._flush()

        def _flush(self) -> None:
            with flushing:  # two threads flush: the reply to a cell must not overtake text that the other one holds
                super()._flush()

        def _schedule_flush(self) -> None:
            with self._buffer_lock:  # the other thread's flush closes the buffers
                is_long = any(buffer.tell() > FLUSH_CHARACTERS for buffer in self._buffers.values())
            if is_long:
                self._flush()
            else:
                super()._schedule_flush()

    Stream.__name__ = Stream.__qualname__ = "OutStream"
    Stream.__module__ = OutStream.__module__
    thread = NoThread()
    return tuple(Stream(session, thread, name, watchfd=False) for name in ("stdout", "stderr"))  # type: ignore[return-value]


def make_kernel(session: Any) -> Any:
    """An IPython kernel without sockets, threads and history file."""
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelapp import IPKernelApp
    from traitlets import Any as AnyTrait
    from traitlets.config import Config

    class Kernel(IPythonKernel):  # type: ignore[misc]
        iopub_socket = AnyTrait()
        iopub_thread = AnyTrait()
        io_loop = AnyTrait()

    Kernel.__name__ = Kernel.__qualname__ = "IPythonKernel"
    Kernel.__module__ = IPythonKernel.__module__
    config = Config()
    config.HistoryManager.enabled = False  # its database thread would not survive the fork
    config.InteractiveShell.history_length = 10000
    config["IPKernelApp"] = Config()  # libraries tell a notebook from a terminal by this section
    main = types.SimpleNamespace(parent_thread=threading.main_thread())
    log = logging.getLogger("ipykernel")
    kernel = Kernel.instance(config=config, session=session, iopub_socket=object(), shell_channel_thread=main, log=log)
    kernel.shell.exit_now = False
    app = IPKernelApp.instance(log=log)  # never initialized: `%matplotlib` and widgets look for the kernel here
    app.kernel, app.shell = kernel, kernel.shell
    app.init_path()  # the work folder comes behind the standard library and before the packages
    return kernel


class WatchedFds:
    """What C code and subprocesses write to file descriptors 1 and 2, put into the Python streams."""

    def __init__(self, streams: tuple[Any, Any], timer: Timer) -> None:
        self._timer = timer
        self._lock = threading.Lock()
        self._streams = {}
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        for fd, stream in zip((1, 2), streams, strict=True):
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            os.dup2(writer, fd)
            os.close(writer)
            self._streams[reader] = stream
            stream._original_stdstream_copy = os.dup(null)  # what subprocesses get as fileno() of the stream
            stream._master_pid = os.getpid()
            stream.before_flush = self.drain
        threading.Thread(target=self._watch, name="watch-fds", daemon=True).start()

    def _watch(self) -> None:
        poll = select.poll()
        for reader in self._streams:
            poll.register(reader, select.POLLIN)
        while True:
            ready = poll.poll(FLUSH_SECONDS * 1000 / 2)
            if ready:
                self.drain()
            if self._timer.has_work:
                with contextlib.suppress(Exception):
                    self._timer.run_due()

    def drain(self) -> None:
        """Read what is there, without waiting."""
        with self._lock:
            for reader, stream in self._streams.items():
                with contextlib.suppress(BlockingIOError):
                    while chunk := os.read(reader, 1 << 16):
                        stream.write(chunk.decode(errors="replace"))


def make_loop() -> asyncio.AbstractEventLoop:
    """An event loop as notebooks have it, waking itself by a pipe: there are no sockets here."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


class _PipeEnd:
    """As much of a socket as asyncio asks of the pair by which it wakes itself or feeds a subprocess."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def setblocking(self, flag: bool) -> None:
        os.set_blocking(self._fd, flag)

    def recv(self, size: int) -> bytes:
        return os.read(self._fd, size)

    def send(self, data: bytes) -> int:
        return os.write(self._fd, data)

    def detach(self) -> int:
        fd, self._fd = self._fd, -1
        return fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self.detach())


def _pipe_pair(*_: Any) -> tuple[_PipeEnd, _PipeEnd]:
    reader, writer = os.pipe()
    return _PipeEnd(reader), _PipeEnd(writer)


def do_without_sockets() -> None:
    """Make asyncio use pipes where it takes a pair of sockets."""
    import asyncio.selector_events
    import asyncio.unix_events
    import socket

    substitute = types.ModuleType("socket")
    substitute.__dict__.update(socket.__dict__)
    substitute.socketpair = _pipe_pair  # type: ignore[attr-defined]
    asyncio.selector_events.socket = substitute  # type: ignore[assignment, attr-defined]
    asyncio.unix_events.socket = substitute  # type: ignore[assignment, attr-defined]


def do_not_search_modules() -> None:
    """A cell belongs to no module, and is not looked for in thousands: a traceback of 1,000 frames took 10 seconds."""
    import inspect

    search = inspect.getmodule

    def getmodule(thing: Any, _filename: str | None = None) -> Any:
        if isinstance(thing, types.FrameType) and "/ipykernel_" in thing.f_code.co_filename:
            return None  # what the search comes to
        return search(thing, _filename)

    inspect.getmodule = getmodule  # type: ignore[assignment]  # its other argument is named as inspect names it


def do_not_repeat(shell: Any) -> None:
    """Transform and parse each cell once: ipykernel asks whether it is asynchronous, and IPython does both again."""
    import ipykernel.compiler as compiler
    import IPython.core.interactiveshell as interactiveshell

    interactiveshell._should_be_async = functools.lru_cache(MOST_REMEMBERED)(interactiveshell._should_be_async)
    compiler.murmur2_x86 = functools.lru_cache(MOST_REMEMBERED)(compiler.murmur2_x86)  # in Python, over each byte
    transform, manager = shell.transform_cell, shell.input_transformer_manager

    def transformers() -> list[Any]:
        return [*manager.cleanup_transforms, *manager.line_transforms, *manager.token_transformers]

    known: dict[str, str] = {}
    usual = transformers()

    def transform_cell(raw: str) -> str:
        if shell.input_transformers_post or transformers() != usual:  # the student's own, which may do anything
            return transform(raw)  # type: ignore[no-any-return]
        if raw not in known:
            if len(known) > MOST_REMEMBERED:
                known.clear()
            known[raw] = transform(raw)
        return known[raw]

    shell.transform_cell = transform_cell


def do_not_format_twice(shell: Any) -> None:
    """An exception's traceback is formatted to be shown, once more for the history, and its colours anew each time."""
    import stack_data
    from pygments.formatters.terminal256 import Terminal256Formatter  # type: ignore[import-untyped]

    if hasattr(shell, "_format_exception_for_storage"):  # IPython 9

        def as_shown(problem: BaseException, *_: Any, **_options: Any) -> dict[str, Any]:
            return {"ename": type(problem).__name__, "evalue": str(problem), "traceback": shell._last_traceback}

        shell._format_exception_for_storage = as_shown
    search = Terminal256Formatter._closest_color
    known: dict[tuple[int, ...], int] = {}

    def closest_color(self: Any, *color: int) -> int:
        if color not in known:
            known[color] = search(self, *color)  # one of 256, by trying all
        return known[color]

    Terminal256Formatter._closest_color = closest_color
    stack_data.style_with_executing_node = functools.lru_cache(stack_data.style_with_executing_node)  # type: ignore[attr-defined]


def _shortened(said: Any) -> Any:
    """What a reply says of an error, which may be a flood; the error's own message has it all."""
    if isinstance(said, list):
        return [_shortened(line) for line in (said if len(said) <= 40 else [*said[:20], *said[-20:]])]
    return said[:MOST_SAID] if isinstance(said, str) else said


@contextlib.contextmanager
def _figures_closed() -> Iterator[None]:
    """What a call draws is not shown by the cell that comes next."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    before = pyplot.get_fignums() if pyplot is not None else []
    try:
        yield
    finally:
        for number in pyplot.get_fignums() if pyplot is not None else []:
            if number not in before:
                pyplot.close(number)


@contextlib.contextmanager
def settings_kept() -> Iterator[None]:
    """What cells commonly set for the whole process is afterwards as it was: each submission sets it for itself."""
    import matplotlib as mpl
    import numpy as np
    import torch

    environment, path, folder = dict(os.environ), list(sys.path), Path.cwd()
    style, printed, errors = dict(mpl.rcParams), np.get_printoptions(), np.geterr()
    dtype, has_gradients = torch.get_default_dtype(), torch.is_grad_enabled()
    is_strict = torch.are_deterministic_algorithms_enabled()
    try:
        with warnings.catch_warnings():
            yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = path
        os.chdir(folder)
        dict.update(mpl.rcParams, style)  # as it stood, without being checked anew
        np.set_printoptions(**printed)
        np.seterr(**errors)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(has_gradients)
        torch.use_deterministic_algorithms(is_strict)
        torch.set_printoptions(profile="default")  # type: ignore[no-untyped-call]


class Student:
    """The process that is warmed up once and, forked, runs one submission."""

    def __init__(self, pack_frame: Any, calls: Any) -> None:
        self._channel = Channel(pack_frame)
        self._calls = calls
        self._timer = Timer()
        self._session = make_session(self._channel)
        self._streams = make_streams(self._session, self._timer)
        sys.stdout, sys.stderr = self._streams
        self._kernel = make_kernel(self._session)
        self._shell = self._kernel.shell
        do_not_repeat(self._shell)
        do_not_search_modules()
        do_not_format_twice(self._shell)

    # ------------------------------------------------------------------------------------------------- in the parent

    def warm_up(self, cells: Sequence[str] = ()) -> None:
        """Run what the lesson will need, then forget that it was run.

        Args:
            cells: text of the released notebook's code cells. They are run, each for `WARM_SECONDS` at most, and may
                fail: those that are to be filled in do. What they set is put back; what they loaded stays.
        """
        do_without_sockets()
        loop = make_loop()
        for number, source in enumerate(WARM_CELLS):
            self._execute(loop, number, source)
        with settings_kept():
            for number, source in enumerate(cells, start=len(WARM_CELLS)):
                self._execute_warmly(loop, number, source)
        loop.close()
        asyncio.set_event_loop(None)
        self._forget()

    def _execute_warmly(self, loop: asyncio.AbstractEventLoop, number: int, source: str) -> None:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))  # as a limit ends a student's
        signal.setitimer(signal.ITIMER_REAL, WARM_SECONDS)
        try:
            self._execute(loop, number, source)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _forget(self) -> None:
        sys.modules["matplotlib.pyplot"].close("all")
        shell = self._shell
        shell.reset(new_session=False)
        shell.history_manager.reset()
        shell.execution_count = 1
        shell._last_traceback = None
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            if hasattr(sys, name):
                delattr(sys, name)
        for module in list(sys.modules.values()):
            if isinstance(getattr(module, "__dict__", None), dict):
                module.__dict__.pop("__warningregistry__", None)  # a warning is shown once: to the student
        warnings._filters_mutated()  # type: ignore[attr-defined]  # forget the versions those registries had
        sys.modules["torch"].manual_seed(0)
        sys.modules["numpy"].random.seed(0)
        gc.collect()
        gc.freeze()  # the collector would touch, and so copy, every page that it scans

    # -------------------------------------------------------------------------------------------------- in the child

    def serve(self, reader: int, writer: int, read_message: Any) -> None:
        """Do what is asked until nobody asks."""
        self._channel.open(writer)
        WatchedFds(self._streams, self._timer)
        random.seed(0)  # Python gives every fork a seed of its own
        loop = make_loop()
        self._kernel.io_loop = types.SimpleNamespace(
            add_callback=loop.call_soon_threadsafe,
            call_later=lambda *_: None,  # exit() asks the loop to stop; the process ends with the submission
            stop=lambda: None,
        )
        while (request := read_message(reader)) is not None:
            self._channel.was_told = False
            self._do_all(loop, request["steps"], request["id"])

    def _do_all(self, loop: asyncio.AbstractEventLoop, steps: Sequence[str | dict[str, Any]], first: int) -> None:
        """Run cells and answer calls in order; what is behind an interrupt, or a call that was stopped, is left out."""
        is_stopped = False
        for are_cells, group in itertools.groupby(enumerate(steps, first), lambda pair: isinstance(pair[1], str)):
            with contextlib.nullcontext() if are_cells else self._calls.undisturbed():
                for number, step in group:
                    reply: dict[str, Any] = {"left_out": True}
                    if not is_stopped and not self._channel.was_told:
                        reply = (
                            self._run_cell(loop, number, step) if isinstance(step, str) else self._call(number, step)
                        )
                        is_stopped = reply.get("status") == "endless"
                    kind = "reply" if are_cells else "answer"
                    self._say(kind, number, {**reply, "was_told": self._channel.was_told})

    def _run_cell(self, loop: asyncio.AbstractEventLoop, number: int, source: str) -> dict[str, Any]:
        self._channel.begin(number)
        count = self._shell.execution_count
        try:
            reply = self._execute(loop, number, source)
        except BaseException as problem:  # an interrupt between the student's code and ours
            reply = {"status": "error", "ename": type(problem).__name__, "evalue": "", "traceback": []}
        return {**reply, "execution_count": count}

    def _execute(self, loop: asyncio.AbstractEventLoop, number: int, source: str) -> dict[str, Any]:
        header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": "", "date": ""}
        self._kernel.set_parent([], {"header": header, "content": {}, "metadata": {}, "buffers": []})
        signal.signal(signal.SIGINT, self._channel.on_interrupt)
        try:
            coroutine = self._kernel.do_execute(source, silent=False, store_history=True, allow_stdin=False)
            reply: dict[str, Any] = loop.run_until_complete(coroutine)  # as deep in the stack as in ipykernel
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._flush()
        return {key: _shortened(reply.get(key)) for key in ("status", "ename", "evalue", "traceback")}

    def _flush(self) -> None:
        for stream in self._streams:
            stream.flush()

    def _call(self, number: int, call: dict[str, Any]) -> dict[str, Any]:
        self._channel.begin(number)
        self._kernel.set_parent([], {"header": {"msg_id": number, "msg_type": "call"}, "content": {}})
        signal.signal(signal.SIGINT, self._channel.on_interrupt)
        try:
            with _figures_closed():
                return self._calls.answer(self._shell.user_ns, call)  # type: ignore[no-any-return]
        except BaseException as problem:  # its text is the student's code: not asked for
            return {"status": "raised", "error": {"type": type(problem).__name__, "message": ""}}
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _say(self, kind: str, number: int, content: Any) -> None:
        self._channel.publish(kind, number, json.dumps(content).encode("utf-8", "surrogatepass"))
