"""Runs the hidden pytest checks of an assignment: collected once, judged for any number of submissions.

Knows pytest. Refuses to know notebooks, kernels and grades: it is handed an object to ask and gives verdicts back.

pytest keeps one session open in a thread of its own; each submission's items are run through pytest's own protocol
(`pytest_runtest_protocol`), as a plug-in that repeats failed tests does. Starting pytest anew for each submission
costs ten times as much. Items that have judged the same answers before are not run again.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import queue
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol

import pytest

from stepgrade.compare import Differs
from stepgrade.errors import ChecksError, KernelError
from stepgrade.exercise import Exercise
from stepgrade.pytest_plugin import JUDGED, num_points
from stepgrade.quoting import quote_problem
from stepgrade.reach import Reach
from stepgrade.records import Call, Check, Run
from stepgrade.student import Asked

OPTIONS = (
    *("--import-mode=importlib", "--capture=no", "--disable-plugin-autoload"),
    *("-p", "stepgrade.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler"),
    *("-p", "no:threadexception", "-p", "no:unraisableexception", "-p", "no:warnings", "-p", "no:logging"),
    *("-o", "addopts=", "-o", "python_files=test_*.py"),
)


ANSWERS = (AssertionError, pytest.skip.Exception)
"""How a check says no, and how it says that it cannot be judged; anything else that it raises is our failure."""
MAX_WAYS = 8  # in which an item is known to ask; one that asks by chance has a new one each time
MAX_REMEMBERED = 20_000  # verdicts


class Asking(Protocol):
    """What a check can do with a student: ask, read the text of the exercise's cell, see what a function reaches."""

    source: str

    @property
    def answers(self) -> Mapping[str, Run]:
        """What was asked before, by `Call.key`."""
        ...

    def ask(self, call: Call) -> Run:
        """Put a question to the student's process."""
        ...

    def reach(self) -> Reach:
        """What the exercise's function mentions, with all that it calls."""
        ...


Verdicts = dict[str, BaseException | None]
"""What each item (a check on one set of inputs) ended with, by node id; None where it passed."""


_Way = tuple[tuple[str, ...], bool, bool]
"""How an item asks: its questions by `Call.key`, whether it reads the text of the cell, and looks at the reach."""


class _Witness(Asked):
    """The student as one item meets them; notes what it asks, and what it reads of their text."""

    def __init__(self, student: Asking, exercise: Exercise) -> None:
        self._student = student
        self._exercise = exercise
        self.keys: list[str] = []
        self.reads_text = False
        self.looks_at_reach = False

    @property
    def source(self) -> str:  # type: ignore[override]  # read as it is there
        self.reads_text = True
        return str(self._student.source)

    def ask(self, call: Call) -> Run:
        self.keys.append(call.key)
        return super().ask(call)

    def reach(self) -> Reach:
        self.looks_at_reach = True
        return self._student.reach()  # type: ignore[no-any-return]  # anything that can be asked


class _Memory:
    """The verdicts of items by all that they learnt of a student.

    The same answers get the same verdict, and in a class most have the same: to run an item takes pytest far longer
    than to compare its numbers. An item that reads the text of the cell is run again for each new text, and one
    that looks at what a function reaches for each new reach.
    """

    def __init__(self) -> None:
        self._ways: dict[str, list[_Way]] = {}  # by item
        self._verdicts: dict[bytes, BaseException | None] = {}

    def find(self, item: str, student: Asking) -> BaseException | None:
        """The verdict of an item on a student like one before.

        Raises:
            KeyError: there was none like this one.
        """
        for way in self._ways.get(item, ()):
            with suppress(KeyError):  # not asked, or not answered so before
                return self._verdicts[_learnt(item, way, student)]
        raise KeyError(item)

    def keep(self, item: str, witness: _Witness, student: Asking, verdict: BaseException | None) -> None:
        """Remember a verdict. A check that broke gave none, and one that asks by chance asks anew each time."""
        way = (tuple(witness.keys), witness.reads_text, witness.looks_at_reach)
        ways = self._ways.setdefault(item, [])
        if not (verdict is None or isinstance(verdict, ANSWERS)) or (way not in ways and len(ways) == MAX_WAYS):
            return
        if way not in ways:
            ways.append(way)
        if len(self._verdicts) == MAX_REMEMBERED:
            self._verdicts.clear()
        if verdict is not None:
            verdict.__traceback__ = verdict.__context__ = verdict.__cause__ = None  # they hold the student
        with suppress(KeyError):  # the check went on without an answer
            self._verdicts[_learnt(item, way, student)] = verdict


def _learnt(item: str, way: _Way, student: Asking) -> bytes:
    """A digest of everything that an item which asks in this way learns of a student."""
    keys, reads_text, looks_at_reach = way
    runs = [student.answers[key] for key in keys]
    told = [(r.status, r.returned, r.visited, r.message, r.error and astuple(r.error)) for r in runs]
    text = (student.source if reads_text else None, astuple(student.reach()) if looks_at_reach else None)
    by_value = marshal.dumps((item, keys, told, text), 2)  # 3 tells what is shared
    return hashlib.blake2b(by_value, digest_size=16).digest()


@dataclass(eq=False)  # pytest keeps its plug-ins in sets
class _Session:
    """The plug-in that holds pytest's session open and hands items to it."""

    jobs: queue.Queue[tuple[str, Asking] | None] = field(default_factory=queue.Queue)
    answers: queue.Queue[Any] = field(default_factory=queue.Queue)
    items: dict[str, list[pytest.Item]] = field(default_factory=dict)
    exercises: dict[str, Exercise] = field(default_factory=dict)
    troubles: list[tuple[str, str]] = field(default_factory=list)  # the exercise's folder, if it is one's; what it is
    verdicts: Verdicts = field(default_factory=dict)
    memory: _Memory = field(default_factory=_Memory)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.troubles.append((Path(report.nodeid.partition("::")[0]).parent.name, str(report.longrepr)))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            exercise = getattr(getattr(item, "module", None), "EXERCISE", None)
            if not isinstance(exercise, Exercise):
                self.troubles.append((item.path.parent.name, f"{item.nodeid}: its file declares no EXERCISE"))
                continue
            self.exercises[exercise.name] = exercise
            self.items.setdefault(exercise.name, []).append(item)
        for exercise in list(self.exercises.values()):
            try:
                exercise.insist()
            except ChecksError as problem:
                self.troubles.append((exercise.name, str(problem)))
                del self.exercises[exercise.name]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.answers.put(None)  # collected
        while (job := self.jobs.get()) is not None:
            name, student = job
            self.verdicts, new = {}, []
            for item in self.items[name]:
                try:
                    self.verdicts[item.nodeid] = self.memory.find(item.nodeid, student)
                except KeyError:
                    new.append(item)
            for item, after in zip_longest(new, new[1:]):  # None after the last: all fixtures end with the student
                session.config.stash[JUDGED] = witness = _Witness(student, self.exercises[name])
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                self.memory.keep(item.nodeid, witness, student, self.verdicts[item.nodeid])
            self.answers.put(self.verdicts)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Keep the verdict, and spare pytest the traceback that nobody reads: it takes 5 ms."""
        problem = call.excinfo.value if call.excinfo is not None else None
        self.verdicts.setdefault(item.nodeid, problem)
        if self.verdicts[item.nodeid] is None:
            self.verdicts[item.nodeid] = problem
        outcome: Literal["passed", "failed", "skipped"] = "passed" if problem is None else "failed"
        if isinstance(problem, pytest.skip.Exception):
            outcome = "skipped"
        when = call.when if call.when != "collect" else "setup"  # items are never collected here
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, when, duration=call.duration)


class Checks:
    """The hidden checks of one assignment. Use as a context manager, or call `close`.

    Args:
        folder: `tests/hidden/<assignment>`.
        some_will_do: exercises that cannot be judged are left out, and told by `troubles`.

    Raises:
        ChecksError: they cannot be collected; the message has pytest's own words.
    """

    def __init__(self, folder: Path, some_will_do: bool = False) -> None:
        self.folder = folder.resolve()
        if not self.folder.is_dir():
            raise ChecksError(f"there are no hidden checks in {folder}: an assignment's checks live in tests/hidden/")
        _forget_modules(self.folder)
        self._session = _Session()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name=f"checks of {folder.name}", daemon=True)
        self._thread.start()
        self._session.answers.get()
        known = {place.name for place in self.folder.iterdir() if place.is_dir()}
        if any(not some_will_do or name not in known for name, _ in self.troubles):
            self.close()
            raise ChecksError(f"the hidden checks cannot be collected:\n{self._all_troubles(chr(10))}")

    @property
    def troubles(self) -> Sequence[tuple[str, str]]:
        """Exercises that cannot be judged, by their folder's name, each with the reason."""
        return self._session.troubles

    def _all_troubles(self, between: str) -> str:
        return between.join(what for _, what in self.troubles)

    def _serve(self) -> None:
        os.environ.pop("PYTEST_ADDOPTS", None)  # options of the person's other tests, which may be unknown here
        try:
            # pytest names modules by their path from rootdir: with the file system's root, two courses never share one
            places = (f"--rootdir={self.folder.anchor}", f"--confcutdir={self.folder}", str(self.folder))
            code = pytest.main([*OPTIONS, *places], plugins=[self._session])
            if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
                self._session.troubles.append(("", f"pytest ended with {code!r}"))
        except BaseException as problem:
            self._session.troubles.append(("", f"pytest broke: {problem!r}"))
        self._session.answers.put(None)  # nobody waits in vain

    def __enter__(self) -> Checks:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let pytest's session end."""
        self._session.jobs.put(None)
        self._thread.join(timeout=10)

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises that have checks, by name."""
        return tuple(exercise for _, exercise in sorted(self._session.exercises.items()))

    def points(self, exercise: str) -> float:
        """The sum of an exercise's points."""
        return sum(num_points(items[0]) for items in self._by_check(exercise).values())

    def judge(self, exercise: str, student: Asking) -> tuple[Check, ...]:
        """Run all checks of an exercise on one student.

        Args:
            exercise: its name, such as "gradient-descent".
            student: who is asked.

        Returns:
            One verdict per check, in the file's order. A check passes when it passes on all inputs; one that calls
            `pytest.skip` says that it could not be judged.

        Raises:
            KernelError: the student's kernel broke by our fault.
            ChecksError: the checks' own session has ended.
        """
        with self._lock:
            if not self._thread.is_alive():
                raise ChecksError(f"the session of the hidden checks has ended: {self._all_troubles('; ')}")
            self._session.jobs.put((exercise, student))
            verdicts: Verdicts | None = self._session.answers.get()
        if verdicts is None:
            raise ChecksError(f"the session of the hidden checks has ended: {self._all_troubles('; ')}")
        for problem in verdicts.values():
            if isinstance(problem, KernelError):
                raise problem
        checks = self._by_check(exercise).items()
        return tuple(_sum_up(name, items, [verdicts[item.nodeid] for item in items]) for name, items in checks)

    def _by_check(self, exercise: str) -> dict[str, list[pytest.Item]]:
        checks: dict[str, list[pytest.Item]] = {}
        for item in self._session.items[exercise]:
            name = getattr(item, "originalname", item.name).removeprefix("test_")
            checks.setdefault(name, []).append(item)
        return checks


def _forget_modules(folder: Path) -> None:
    """Have pytest read the files anew: a process that lives for long may have collected them before they changed."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and file.startswith(f"{folder}/"):
            del sys.modules[name]


def _sum_up(name: str, items: Sequence[pytest.Item], verdicts: Sequence[BaseException | None]) -> Check:
    """One check from its items: it passes when all do, and tells of the first that does not.

    A no on some inputs outweighs that it could not be judged on others, and both are nothing where the check broke.
    """
    title = (getattr(items[0], "obj", None).__doc__ or "").strip().split("\n")[0]
    points = num_points(items[0])
    problems = [problem for problem in verdicts if problem is not None]
    broken = next((problem for problem in problems if not isinstance(problem, ANSWERS)), None)
    no = next((problem for problem in problems if isinstance(problem, AssertionError)), None)
    if broken is not None:
        return Check(name, points, "errored", title, cause=quote_problem(broken, items[0].path.parent))
    if isinstance(no, Differs):
        return Check(name, points, "failed", title, no.gap, no.message)
    if no is not None:
        return Check(name, points, "failed", title, message="The answer to this question is no.")
    if problems:
        return Check(name, points, "not judged", title, message=str(problems[0]))
    return Check(name, points, "passed", title)
