"""The untrusted side of one submission, as an object to run and to ask.

Knows how to keep going: a cell that ends the process is left out and the others are run again in a new one. Refuses to
know what is right. What comes back is numbers, and only as trustworthy as the student.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from stepgrade.errors import ChecksError, KernelError
from stepgrade.exercise import Exercise
from stepgrade.kernels.interface import Kernel, Provisioner, Step
from stepgrade.reach import Reach, Written
from stepgrade.records import Bound, Call, CellResult, Limits, Run

START_ATTEMPTS, START_PAUSE = 4, 0.5  # how often a kernel is asked for before that is our failure, and seconds between
MAX_STARTS = 5  # a new process after each cell or call that ended one, up to this many: a submission has few exercises
STOPPED = ("timed_out", "died")
MOST_CALLS = 20_000  # of an objective, where it is not known how many the reference needs


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of one exercise, and where."""

    place: int  # number of its check cell, among the code cells
    lesson: Call  # asked when the check cell is reached
    hidden: Sequence[Call]  # asked when the whole notebook has run, where no later cell can find them

    @property
    def function(self) -> str:
        """The name of the student's function."""
        return self.lesson.function


class Student:
    """One submission's process, asked by the checks.

    What counts of a function is what stands when its check cell is reached, as its author and nbgrader see it. It is
    asked the lesson's question there, and the hidden ones in the same process at the end, which costs nothing; where a
    later cell has changed what it does (`%reset`, a second `def`, a patched library), a fresh process is run up to the
    check cell and asked.

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
        self._num_run = 0  # cells that the present process has come to
        self._open = ExitStack()
        self._num_starts = 0
        self._kernels: list[Kernel] = []
        self.seconds = 0.0  # that cells and calls have taken
        self._is_timed = False
        self._left_out: set[int] = set()  # cells that ended a process, or would not end; not run again
        self._answers: dict[str, Run] = {}
        self._given_up: dict[str, Run] = {}  # functions that ended a process or ran out of time; not asked again
        self._met_in: dict[str, Kernel] = {}  # the process in which a function was asked the lesson's question
        self._asked_at: dict[str, int] = {}  # functions that are asked before the notebook's end: at which cell
        self.notes: list[str] = []  # what a person should know of how it was asked
        self._deadline = float("inf")

    def __enter__(self) -> Student:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    # ------------------------------------------------------------------------------------------------------- the cells

    def run(self, questions: Sequence[Questions] = ()) -> list[CellResult]:
        """Run all cells in order, leaving out those that end the process; ask the lesson's questions on the way.

        Args:
            questions: by exercise. Where a function does not come to its end, its check cell is left out.

        Returns:
            One result per cell. A cell that could not be run any more has status `left_out` and says why.

        Raises:
            KernelError: a kernel broke by our fault.
        """
        self._deadline = time.monotonic() + self._limits.seconds_per_submission
        lessons = {asked.place: asked.lesson for asked in questions}
        results: list[CellResult] = []
        with self._timed():
            self._start(0)
            while (number := len(results)) < len(self._cells):
                if self._kernel is None or self._is_late():
                    results.append(CellResult("left_out", message=self._why_left_out()))
                else:
                    results += self._run_from(number, lessons)
        return results

    def _run_from(self, first: int, lessons: Mapping[int, Call]) -> list[CellResult]:
        """Run cells and ask on the way, as far as the process goes; have a new one where it has ended."""
        results: list[CellResult] = []
        kernel = self._kernel_at(first)
        if kernel is None:
            return results
        steps: list[Step] = []
        for number in range(first, len(self._cells)):
            steps += [_bounded(replace(lessons[number], identity="keep"))] if number in lessons else []
            steps.append(self._cells[number])
        for step, came in zip(steps, kernel.do_all(steps), strict=False):
            if isinstance(came, CellResult):
                results.append(came)
            elif isinstance(step, Call) and self._keep_lesson(step, came).status in STOPPED:
                self._left_out.add(first + len(results))
                why = f"{step.function} does not come to its end, so this cell was not run"
                results.append(CellResult("left_out", message=f"{why} ({came.message})"))
                break
            if self._is_late():
                break
        self._num_run = first + len(results)
        if not kernel.is_alive:
            self._left_out.add(self._num_run - 1)
            self._start(self._num_run)
        return results

    # --------------------------------------------------------------------------------------------------- the questions

    def ask(self, call: Call) -> Run:
        """Call a function that the cells defined; the same question is put once.

        Raises:
            KernelError: the kernel broke by our fault.
        """
        if call.key not in self._answers:
            with self._timed():
                for _, run in self._ask_all([call], self._asked_at.get(call.function, len(self._cells))):
                    self._answers[call.key] = run
        return self._answers[call.key]

    def ask_hidden(self, questions: Sequence[Questions], is_right: Callable[[Questions], bool]) -> None:
        """Put the hidden questions; `ask` knows the answers then.

        Args:
            questions: those that `run` was given.
            is_right: whether the answers so far are all right. Where they are not, the lesson's question is put once
                more: an answer that is not the first one shows that a later cell has changed the function.

        Raises:
            KernelError: the kernel broke by our fault.
        """
        with self._timed():
            placed = [self._look_below(asked) for asked in questions]
            self._ask_at_the_end([asked for asked in placed if self._is_met_here(asked)])
            changed = [asked for asked in placed if self._is_changed(asked, is_right)]
            for asked in sorted(changed, key=lambda asked: asked.place):  # so that one fresh process serves all
                self._ask_where_checked(asked)

    @property
    def memory_mib(self) -> float | None:
        """The most memory that one of its processes' trees held, once all have ended; None where it is not measured."""
        return max((k.memory_mib for k in self._kernels if k.memory_mib is not None), default=None)

    @property
    def answers(self) -> Mapping[str, Run]:
        """What has been asked so far, by `Call.key`."""
        return self._answers

    def _keep_lesson(self, lesson: Call, run: Run) -> Run:
        """Note what a function said to the lesson's question, and to which process it did."""
        self._answers[lesson.key] = run
        if run.status in STOPPED:
            self._given_up[lesson.function] = run
        if self._kernel is not None:
            self._met_in[lesson.function] = self._kernel
        return run

    def _look_below(self, asked: Questions) -> Questions:
        """A function that its check cell does not find may stand below it: then the end counts."""
        if asked.lesson.key in self._answers and self._answers[asked.lesson.key].status != "missing":
            return asked
        ((lesson, run),) = self._ask_all([replace(asked.lesson, identity="keep")], len(self._cells))
        self._keep_lesson(lesson, run)
        if run.status == "missing":
            self._answers.update({call.key: run for call in asked.hidden})
        elif run.status not in STOPPED:
            self.notes.append(f"{asked.function} is defined below its check, which does not find it when it runs")
        return replace(asked, place=len(self._cells))

    def _is_met_here(self, asked: Questions) -> bool:
        """Whether the present process is the one that was asked the lesson's question."""
        return self._kernel is not None and self._kernel.is_alive and self._met_in.get(asked.function) is self._kernel

    def _ask_at_the_end(self, questions: Sequence[Questions]) -> None:
        """Put the hidden questions to the process that has run the whole notebook."""
        calls = [replace(call, identity="same") for asked in questions for call in asked.hidden]
        for call, run in self._ask_all(calls, len(self._cells)):
            if run.status not in ("replaced", "missing"):
                self._answers[call.key] = run

    def _is_changed(self, asked: Questions, is_right: Callable[[Questions], bool]) -> bool:
        """Whether a function is no longer what it was at its check, or nobody can tell."""
        first = self._answers[asked.lesson.key]
        if first.status in (*STOPPED, "missing"):
            self._answers.update({call.key: first for call in asked.hidden})
            return False
        if not self._is_met_here(asked):
            return not all(call.key in self._answers for call in asked.hidden) or not is_right(asked)
        if all(call.key in self._answers for call in asked.hidden):
            if is_right(asked):
                return False
            stopped = self._given_up.pop(asked.function, None)
            ((_, now),) = self._ask_all([asked.lesson], len(self._cells))
            if repr(now) == repr(first):  # as text: nan is equal to nothing
                self._given_up.update({asked.function: stopped} if stopped is not None else {})
                return False
        self.notes.append(
            f"{asked.function} does not do at the end of the notebook what it did at its check; its check counts"
        )
        return True

    def _ask_where_checked(self, asked: Questions) -> None:
        """Ask in a process that has come to the check cell; the lesson's question first, as it was asked there."""
        self._given_up.pop(asked.function, None)
        if self._kernel_at(asked.place) is None and all(call.key in self._answers for call in asked.hidden):
            return  # no process is left: what was said at the end is better than nothing
        self._asked_at[asked.function] = asked.place
        for call, run in self._ask_all([asked.lesson, *asked.hidden], asked.place):
            if call.key != asked.lesson.key:
                self._answers[call.key] = run

    def _ask_all(self, calls: Sequence[Call], place: int) -> Iterator[tuple[Call, Run]]:
        """Put questions to a process that has come to a place, without waiting between them as long as none is stopped.

        Yields:
            Each question with its answer. A function that was stopped once is not asked again.
        """
        waiting = [*calls]
        while waiting:
            given_up = self._given_up.get(waiting[0].function)
            kernel = self._kernel_at(place) if given_up is None and not self._is_late() else None
            if kernel is None:
                yield waiting.pop(0), given_up or Run("timed_out", message=self._why_left_out())
                continue
            for run in cast("Iterator[Run]", kernel.do_all([_bounded(call) for call in waiting])):
                call = waiting.pop(0)
                if run.status in STOPPED:
                    self._given_up[call.function] = run
                yield call, run

    # ------------------------------------------------------------------------------------------------------- processes

    def _kernel_at(self, place: int) -> Kernel | None:
        """A process that has come to a place: so many cells have been run in it. None when it is enough."""
        kernel = self._kernel
        if kernel is None or not kernel.is_alive or self._num_run > place:
            return self._start(place)
        return kernel if self._run_on(kernel, place) else self._start(place)

    def _start(self, place: int) -> Kernel | None:
        """A new process that has come to a place; None when it is enough."""
        while self._num_starts < MAX_STARTS:
            limits = replace(self._limits, cpu_seconds=self._kernels[-1].cpu_seconds) if self._kernels else self._limits
            self._open.close()
            self._num_starts, self._num_run = self._num_starts + 1, 0
            self._kernel = self._open_kernel(limits)
            self._kernels.append(self._kernel)
            if self._run_on(self._kernel, place):
                return self._kernel
        self._kernel = None
        return None

    def _open_kernel(self, limits: Limits) -> Kernel:
        """A fresh kernel; a machine that is short of processes for a moment is asked again."""
        for _ in range(START_ATTEMPTS - 1):
            try:
                return self._open.enter_context(self._provisioner.start(self._files, limits))
            except KernelError:
                time.sleep(START_PAUSE)
        return self._open.enter_context(self._provisioner.start(self._files, limits))

    def _run_on(self, kernel: Kernel, place: int) -> bool:
        """Run cells once more, up to a place; whether the process has lived through that."""
        numbers = [number for number in range(self._num_run, place) if number not in self._left_out]
        for number, _ in zip(numbers, kernel.do_all([self._cells[n] for n in numbers]), strict=False):
            if not kernel.is_alive:
                self._left_out.add(number)
                return False
            if self._is_late():
                break
        self._num_run = place
        return True

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Count the seconds, once where one is within another."""
        if self._is_timed:
            yield
            return
        self._is_timed, began = True, time.monotonic()
        try:
            yield
        finally:
            self._is_timed, self.seconds = False, self.seconds + time.monotonic() - began

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _why_left_out(self) -> str:
        if self._is_late():
            return f"the notebook used up its {self._limits.seconds_per_submission:g} seconds"
        return f"the notebook ended its process {MAX_STARTS} times"


def _bounded(call: Call) -> Call:
    """A question that a check thought of by itself has a bound, too."""
    return call if call.bound.most_calls is not None else replace(call, bound=Bound(most_calls=MOST_CALLS))


class Recorded:
    """A submission that answers from what its process once gave; asked something new, it is run again.

    Use as a context manager.

    Args:
        answers: by `Call.key`.
        run_again: runs the submission again, and gives the student to ask; called for the first new question.
    """

    def __init__(self, answers: Mapping[str, Run], run_again: Callable[[], AbstractContextManager[Student]]) -> None:
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
            self._answers[call.key] = self._live.ask(call)
        return self._answers[call.key]


class Asked:
    """What a hidden check sees of a student: a function to call, the text of the exercise's cell, and what it reaches.

    Example:
        student.bisect(f=Objective("x ** 2 - 2"), low=0, high=2, passes=20)
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

    def reach(self) -> Reach:
        """What the exercise's function mentions, with all that it calls, in any cell of the notebook."""
        return self._written.reach(self._exercise.function)

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
