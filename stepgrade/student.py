"""The untrusted side of one submission, as an object to run and to ask.

Knows how to keep going: a cell that ends the process is left out and the others are run again in a new one. Refuses to
know what is right. What comes back is numbers, and only as trustworthy as the student.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from stepgrade.errors import ChecksError, KernelError
from stepgrade.exercise import Exercise
from stepgrade.kernels.interface import Kernel, Provisioner
from stepgrade.reach import Reach, Written
from stepgrade.records import Call, CellResult, Limits, Run

START_ATTEMPTS, START_PAUSE = 4, 0.5  # how often a kernel is asked for before that is our failure, and seconds between
MAX_STARTS = 5  # a new process after each cell or call that ended one, up to this many: a submission has few exercises


class Student:
    """One submission's process, asked by the checks.

    Use as a context manager; leaving it ends every process of the submission.

    Args:
        provisioner: gives out the kernels.
        cells: sources of the code cells, in order, hidden parts cut out.
        files: folder with the submission's own files, or None.
        limits: what the submission may use.
    """

    def __init__(
        self, provisioner: Provisioner, cells: Sequence[str], files: Path | None = None, limits: Limits | None = None
    ) -> None:
        self._provisioner = provisioner
        self._cells = list(cells)
        self._files = files
        self._limits = limits or Limits()
        self._kernel: Kernel | None = None
        self._open = ExitStack()
        self._num_starts = 0
        self._kernels: list[Kernel] = []
        self.seconds = 0.0  # that cells and calls have taken
        self._ended_by: set[int] = set()  # cells that ended a process; left out from then on
        self._answers: dict[str, Run] = {}
        self._given_up: dict[str, Run] = {}  # functions that ended a process or ran out of time; not asked again
        self._deadline = float("inf")

    def __enter__(self) -> Student:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def run(self) -> list[CellResult]:
        """Run all cells in order, leaving out those that end the process.

        Returns:
            One result per cell. A cell that could not be run any more has status `left_out` and says why.

        Raises:
            KernelError: a kernel broke by our fault.
        """
        began = time.monotonic()
        self._deadline = began + self._limits.seconds_per_submission
        results: list[CellResult] = []
        kernel = self._start(num_cells=0)
        while len(results) < len(self._cells):
            if kernel is None or self._is_late():
                results.append(CellResult("left_out", message=self._why_left_out()))
                continue
            for result in kernel.run_all(self._cells[len(results) :]):
                results.append(result)
                if self._is_late():
                    break
            if not kernel.is_alive:
                self._ended_by.add(len(results) - 1)
                kernel = self._start(num_cells=len(results) - 1)
        self.seconds += time.monotonic() - began
        return results

    def ask(self, call: Call) -> Run:
        """Call a function that the cells defined; the same question is put once.

        Raises:
            KernelError: the kernel broke by our fault.
        """
        if call.key not in self._answers:
            began = time.monotonic()
            self._keep(call, self._given_up.get(call.function) or self._ask(call))
            self.seconds += time.monotonic() - began
        return self._answers[call.key]

    def ask_all(self, calls: Sequence[Call]) -> None:
        """Put questions that will be asked, without waiting between them; `ask` knows the answers then.

        Raises:
            KernelError: the kernel broke by our fault.
        """
        began, kernel = time.monotonic(), self._kernel
        if kernel is not None and kernel.is_alive and not self._is_late():
            open_calls = (c for c in calls if c.key not in self._answers and c.function not in self._given_up)
            new = [*{call.key: call for call in open_calls}.values()]
            for call, run in zip(new, kernel.call_all(new), strict=False):  # fewer, where one ran out of time
                self._keep(call, run)
        self.seconds += time.monotonic() - began
        for call in calls:
            self.ask(call)

    @property
    def memory_mib(self) -> float | None:
        """The most memory that one of its processes' trees held, once all have ended; None where it is not measured."""
        return max((k.memory_mib for k in self._kernels if k.memory_mib is not None), default=None)

    @property
    def answers(self) -> Mapping[str, Run]:
        """What has been asked so far, by `Call.key`."""
        return self._answers

    def _ask(self, call: Call) -> Run:
        kernel = self._kernel
        if kernel is None or not kernel.is_alive:
            kernel = self._start(num_cells=len(self._cells))
        if kernel is None or self._is_late():
            return Run("timed_out", message=self._why_left_out())
        return kernel.call(call)

    def _keep(self, call: Call, run: Run) -> None:
        self._answers[call.key] = run
        if run.status in ("timed_out", "died"):
            self._given_up[call.function] = run

    def _start(self, num_cells: int) -> Kernel | None:
        """A new process in which the first `num_cells` cells have been run again; None when it is enough."""
        while self._num_starts < MAX_STARTS:
            self._open.close()
            self._num_starts += 1
            self._kernel = self._open_kernel()
            self._kernels.append(self._kernel)
            if self._run_again(self._kernel, num_cells):
                return self._kernel
        self._kernel = None
        return None

    def _open_kernel(self) -> Kernel:
        """A fresh kernel; a machine that is short of processes for a moment is asked again."""
        for _ in range(START_ATTEMPTS - 1):
            try:
                return self._open.enter_context(self._provisioner.start(self._files, self._limits))
            except KernelError:
                time.sleep(START_PAUSE)
        return self._open.enter_context(self._provisioner.start(self._files, self._limits))

    def _run_again(self, kernel: Kernel, num_cells: int) -> bool:
        numbers = [number for number in range(num_cells) if number not in self._ended_by]
        for number, _ in zip(numbers, kernel.run_all([self._cells[n] for n in numbers]), strict=False):
            if not kernel.is_alive:
                self._ended_by.add(number)
                return False
            if self._is_late():
                break
        return True

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _why_left_out(self) -> str:
        if self._is_late():
            return f"the notebook used up its {self._limits.seconds_per_submission:g} seconds"
        return f"the notebook ended its process {MAX_STARTS} times"


class Recorded:
    """A submission that answers from what its process once gave; asked something new, it is run again.

    Use as a context manager.

    Args:
        answers: by `Call.key`.
        run_again: makes the submission's live student; called for the first new question.
    """

    def __init__(self, answers: Mapping[str, Run], run_again: Callable[[], Student]) -> None:
        self._answers = dict(answers)
        self._run_again = run_again
        self._open = ExitStack()
        self._live: Student | None = None

    def __enter__(self) -> Recorded:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    @property
    def answers(self) -> Mapping[str, Run]:
        """All answers, the new ones too, by `Call.key`."""
        return self._answers

    def ask(self, call: Call) -> Run:
        """The answer that was recorded, or a new one.

        Raises:
            KernelError: the kernel broke by our fault.
        """
        if call.key not in self._answers:
            if self._live is None:
                self._live = self._open.enter_context(self._run_again())
                self._live.run()
            self._answers[call.key] = self._live.ask(call)
        return self._answers[call.key]


class Asked:
    """What a hidden check sees of a student: a function to call, the text of the exercise's cell, and what it reaches.

    Example:
        student.gradient_descent(f=Objective("x ** 2"), x0=8, lr=0.1, iterations=20)
    """

    def __init__(self, student: Any, source: str, exercise: Exercise, written: Written | None = None) -> None:
        """Args: student: anything that can be asked (`ask(call) -> Run`). source: the student's own cell.
        exercise: whose function is asked. written: all code of the submission; the cell alone, where it is left out."""
        self._student = student
        self._exercise = exercise
        self._written = written or Written([source])
        self.source = source

    @property
    def answers(self) -> Mapping[str, Run]:
        """What has been asked so far, by `Call.key`."""
        answers: Mapping[str, Run] = self._student.answers
        return answers

    def ask(self, call: Call) -> Run:
        """Put a question to the student's process."""
        run: Run = self._student.ask(call)
        return run

    def reach(self, function: str) -> Reach:
        """What a function mentions, with all that it calls, in any cell of the notebook."""
        return self._written.reach(function)

    def __getattr__(self, function: str) -> Any:
        if function.startswith("_"):
            raise AttributeError(function)
        return functools.partial(self._call, function)

    def _call(self, function: str, **inputs: Any) -> Run:
        """Call the exercise's function by its reference's arguments, in whatever order they are given.

        Raises:
            ChecksError: it is another function, which no student was asked for, or has other arguments.
        """
        if function != self._exercise.function:
            raise ChecksError(
                f"a check of {self._exercise.name} calls `{function}`, which no student was asked for: the exercise's "
                f"function is `{self._exercise.function}`. Call that one."
            )
        return self.ask(self._exercise.call(inputs))
