"""The ordinary kernel, run by nbclient: slow, obvious, everywhere. The twin that `warm` is compared with.

Knows nbclient and jupyter_client. Refuses to know what the cells mean. It has no walls: student code runs with the
grader's own rights.
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
import tempfile
import time
from asyncio import sleep
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async, run_sync

from stepgrade.errors import KernelError
from stepgrade.kernels import calls
from stepgrade.kernels.interface import Step, own_files
from stepgrade.kernels.outputs import Outputs
from stepgrade.records import Call, CellResult, CellStatus, Limits, Run

START_SECONDS = 120.0  # for loading torch on a busy machine
LOOK_SECONDS = 0.25  # between two looks at a cell's processor time
GRACE = 5.0  # seconds that an interrupted cell may take to come to its end before its process is killed
MAX_FILE_BYTES = 32 << 20  # of the submission's own files, all together; what is beyond is not handed to the cells
ANSWERER = "__stepgrade_calls__"
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading raises where a process, which is the student's, sent no message of Jupyter's."""
ODD = "The process sent what no kernel sends ({})."


class PlainProvisioner:
    """Starts one ipykernel per submission."""

    protections: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("all walls: student code runs with the grader's own rights",)

    @contextmanager
    def start(self, files: Path | None, limits: Limits) -> Iterator[PlainKernel]:
        """See `interface.Provisioner.start`."""
        with tempfile.TemporaryDirectory(prefix="submission-") as folder:
            copy_files(files, Path(folder))
            client = _Client(Path(folder), limits)
            try:
                client.start_new_kernel(env=_environment())
                client.start_new_kernel_client()
            except Exception as problem:
                raise KernelError(f"the kernel did not start ({problem}); grade the submission again") from problem
            try:
                kernel = PlainKernel(client, limits)
                kernel.load_torch()
                yield kernel
            finally:
                _end(client)

    def close(self) -> None:
        """Nothing is kept between kernels."""


def copy_files(files: Path | None, folder: Path) -> None:
    """Copy a submission's own files into its work folder."""
    for name, file in own_files(files, MAX_FILE_BYTES):
        if file is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(file.read(MAX_FILE_BYTES))


def _environment() -> dict[str, str]:
    return {**os.environ, "NBGRADER_EXECUTION": os.environ.get("NBGRADER_EXECUTION", "autograde")}


def _end(client: _Client) -> None:
    try:
        client.kc.stop_channels()
        run_sync(client.km.shutdown_kernel)(now=True)
    except Exception as problem:  # the process may be gone already; nothing is left to end then
        client.log.debug("while ending a kernel: %s", problem)


class _Client(NotebookClient):  # type: ignore[misc]  # nbclient is not typed
    """nbclient, with an end to the output of a cell, and of all cells together."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        super().__init__(
            nbformat.v4.new_notebook(),
            km=AsyncKernelManager(kernel_name="python3"),
            timeout=limits.seconds_per_cell,
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        self.collected = Outputs(limits.output_mib_per_cell, limits.output_mib_per_notebook)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> None:
        """Take one message; `CellExecutionComplete` where it is the cell's last."""
        kind, content = msg["msg_type"], msg["content"]
        if kind == "status" and content["execution_state"] == "idle":
            raise CellExecutionComplete
        if kind == "execute_input":
            cell.execution_count = content["execution_count"]
        self.collected.add(cell_index, kind, content)


class PlainKernel:
    """One ipykernel."""

    memory_mib: float | None = None  # not measured

    def __init__(self, client: _Client, limits: Limits) -> None:
        self.cpu_seconds = limits.cpu_seconds
        self._client = client
        self._limits = limits
        self._deadline = time.monotonic() + limits.seconds_per_submission
        self._num_cells = 0
        self._asks_to_exit = False
        self._is_over = False  # what runs, or ran last, has taken more of the processor than it may
        self.is_alive = True
        client.on_cell_executed = self._take_reply

    def load_torch(self) -> None:
        """Load what every notebook needs and takes seconds to load, at nobody's expense.

        Raises:
            KernelError: it cannot be loaded.
        """
        try:
            text = self._evaluate("'loaded' if __import__('torch') else ''", START_SECONDS)
        except (DeadKernelError, *MALFORMED) as problem:
            raise KernelError(f"the kernel ended before it began ({problem}); grade the submission again") from problem
        if text != "loaded":
            raise KernelError(f"the kernel cannot load torch ({text or 'it takes too long'}); install it for python3")

    def run_cell(self, source: str) -> CellResult:
        """See `interface.Kernel.run_cell`."""
        seconds = min(self._limits.seconds_per_cell, self._deadline - time.monotonic())
        if seconds <= 0:
            return CellResult("timed_out", message=self._too_late())
        collected, number = self._client.collected, self._num_cells
        self._num_cells += 1
        collected.begin(number)
        cell = nbformat.v4.new_code_cell(source)
        self._client.nb.cells.append(cell)
        self._client.timeout = seconds
        began = time.monotonic()
        status, message = self._execute(cell, number)
        outputs = collected.of(number)
        if status == "ok" and any(output["output_type"] == "error" for output in outputs):
            status = "error"
        return CellResult(
            status,
            outputs,
            cell.execution_count,
            time.monotonic() - began,
            self.is_alive,
            message or ("its output was cut" if collected.is_cut(number) else ""),
        )

    def _execute(self, cell: Any, number: int) -> tuple[CellStatus, str]:
        allowance = self.cpu_seconds
        try:
            run_sync(self._watched)(self._client.async_execute_cell(cell, number), allowance)
        except CellTimeoutError:
            self.is_alive = self._interrupt()
            self.cpu_seconds /= 2
            return "timed_out", f"The cell was interrupted after {self._limits.seconds_per_cell:g} seconds."
        except DeadKernelError:
            self.is_alive = False
            if not self._is_over:
                return "died", "The cell ended its Python process."
        except MALFORMED as problem:
            self.is_alive = False
            return "died", ODD.format(type(problem).__name__)
        if self._is_over:
            return "timed_out", f"The cell was interrupted after {allowance:.2g} seconds of processor time."
        if self._asks_to_exit:
            self.is_alive = False
            return "died", "The cell asked its Python process to exit."
        return "ok", ""

    def _take_reply(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        content = execute_reply["content"]
        self._asks_to_exit = any(item.get("source") == "ask_exit" for item in content.get("payload", []))
        self._client.collected.add_reply(cell_index, content)

    def _interrupt(self) -> bool:
        """Interrupt what runs; say whether the process goes on."""
        run_sync(self._client.km.interrupt_kernel)()
        try:
            return self._evaluate("'ready'", GRACE) == "ready"
        except (DeadKernelError, *MALFORMED):
            return False

    def call(self, call: Call) -> Run:
        """See `interface.Kernel.call`."""
        seconds = min(self._limits.seconds_per_cell, self._deadline - time.monotonic())
        if seconds <= 0:
            return Run("timed_out", message=self._too_late())
        allowance = max(self.cpu_seconds, call.bound.cpu_seconds)
        over = Run("timed_out", message=f"{call.function} was interrupted after {allowance:.2g} s of processor time.")
        try:
            text = self._evaluate(_question(call), seconds, allowance)
        except DeadKernelError:
            self.is_alive = False
            return over if self._is_over else Run("died", message=f"{call.function} ended its Python process.")
        except MALFORMED as problem:
            self.is_alive = False
            return Run("died", message=ODD.format(type(problem).__name__))
        if self._is_over:
            return over
        if text is None:
            self.is_alive = self._interrupt()
            self.cpu_seconds /= 2
            message = f"{call.function} was interrupted after {self._limits.seconds_per_cell:g} seconds."
            return Run("timed_out", message=message)
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        return Run.from_json(answer if isinstance(answer, dict) else json.loads(_raised({})), call)

    def do_all(self, steps: Sequence[Step]) -> Iterator[CellResult | Run]:
        """See `interface.Kernel.do_all`."""
        for step in steps:
            came = self.run_cell(step) if isinstance(step, str) else self.call(step)
            yield came
            if not self.is_alive or (isinstance(came, Run) and came.status in ("timed_out", "died")):
                return

    async def _watched(self, work: Awaitable[Any], allowance: float) -> Any:
        """Await it; what takes more of the processor than it may is interrupted, and ended if it goes on."""
        self._is_over = False
        watch = asyncio.ensure_future(self._watch(allowance))
        try:
            return await work
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _watch(self, allowance: float) -> None:
        began = self._cpu_now()
        while self._cpu_now() - began <= allowance:
            await sleep(LOOK_SECONDS)
        self._is_over = True
        self.cpu_seconds /= 2
        await self._client.km.interrupt_kernel()
        await sleep(GRACE)
        await self._client.km.provisioner.kill()

    def _cpu_now(self) -> float:
        """Processor time of the kernel and all below it, in seconds."""
        with suppress(psutil.Error):  # it has ended, which others will notice
            kernel = psutil.Process(self._client.km.provisioner.pid)
            times = [process.cpu_times() for process in (kernel, *kernel.children(recursive=True))]
            return float(sum(t.user + t.system for t in times))
        return 0.0

    def _evaluate(self, expression: str, seconds: float, allowance: float = float("inf")) -> str | None:
        """The value of an expression whose value is a text; None when it did not come in time."""
        reply = run_sync(self._watched)(self._async_evaluate(expression, seconds), allowance)
        if reply is None:
            return None
        answer = reply["content"].get("user_expressions", {}).get("answer", {})
        try:
            value = ast.literal_eval(answer["data"]["text/plain"])
        except (KeyError, TypeError, ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
        return value if isinstance(value, str) else _raised(answer)

    async def _async_evaluate(self, expression: str, seconds: float) -> dict[str, Any] | None:
        kc, km = self._client.kc, self._client.km
        ident = kc.execute("", silent=True, store_history=False, user_expressions={"answer": expression})
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if await ensure_async(kc.shell_channel.msg_ready()):
                reply: dict[str, Any] = await ensure_async(kc.get_shell_msg(timeout=1))
                if reply["parent_header"].get("msg_id") == ident:
                    return reply
            elif not await ensure_async(km.is_alive()):
                raise DeadKernelError("Kernel died")
            else:
                await sleep(0.002)
        return None

    def _too_late(self) -> str:
        return f"The notebook used up its {self._limits.seconds_per_submission:g} seconds."


def _raised(answer: dict[str, Any]) -> str:
    """The answer of a process that cannot even answer: a library was left half imported, or taken apart."""
    error = {"type": str(answer.get("ename", "NoAnswer")), "message": str(answer.get("evalue", "no answer came"))}
    return json.dumps({"status": "raised", "error": error})


def _question(call: Call) -> str:
    """An expression that brings the answerer into the kernel, once, puts the question and gives JSON text."""
    source = Path(calls.__file__).read_text(encoding="utf-8")
    bring = f"exec(compile({source!r}, {ANSWERER!r}, 'exec'), m.__dict__)"
    return (
        "(lambda s, t, j: (lambda m: (hasattr(m, 'answer') or " + bring + ", s.__setitem__('" + ANSWERER + "', m), "
        "j.dumps(m.answer(globals(), j.loads(" + repr(json.dumps(call.to_request())) + "))))[-1])"
        "(s.get('" + ANSWERER + "') or t.ModuleType('" + ANSWERER + "')))"
        "(__import__('sys').modules, __import__('types'), __import__('json'))"
    )
