"""The mutants of right programs, with what each gives on an exercise's inputs: made once, kept by content, found fast.

They run in forked processes with limits of their own: what one small edit makes of a program may never end, fill the
memory or end its process. What was found is kept in the user's cache under a digest of all that it follows from, and a
grader loads it in milliseconds.

Knows how mutants are run, kept and looked up. Refuses to know their names, and students.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from platformdirs import user_cache_path

from stepgrade.compare import RTOL
from stepgrade.errors import ChecksError
from stepgrade.exercise import TIMES_THE_SECONDS, Exercise, Inputs, load_program, run_program
from stepgrade.mutation.mutate import Mutant, mutate
from stepgrade.records import Call, Point, Run, StudentError

MOST_MUTANTS = 2_000  # of an exercise: then no further right program is taken; our solution comes first
LEAST_SECONDS = 0.1  # of processor time that a call of a mutant may take
TIMES_THE_REFERENCE = 10  # in processor time and in calls of the objective: nobody's answer, but a loop without end
SECONDS = 300.0  # of an exercise's mutants, together
MOST_MIB = 4096  # of memory that a mutant may ask for
LONGER = 4  # times what the reference gives: more is nobody's answer, and is not kept
SCREENED = 1  # inputs on which every mutant is run; those that come near an answer are run on the others then
SAME = 1e-7  # of a number: nearer than float32 tells, a repeated look at the same point
WIDTH = 24  # numbers of the lesson's record, and of its walk, by which mutants are looked up

Table = NDArray[np.float32]
"""The first numbers that each mutant gives on the lesson's inputs, shape (num_mutants, 2 * WIDTH); nan: no number."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A right program that mutants are made of."""

    name: str  # such as "our solution"
    source: str


@dataclass(frozen=True, slots=True)
class Grown:
    """A mutant, and what it was made of."""

    operator: str
    role: str
    text: str
    source: str
    size: int
    seed: str
    rank: int  # of the seed: 0 for our solution


@dataclass(frozen=True)
class Mutants:
    """All mutants of an exercise that give wrong answers, and those that give right ones.

    Attributes:
        table: see `Table`.
        kinds: how each ends on the lesson's inputs: "returned", or the type of its error.
        entries: each mutant and its runs, as JSON.
        survivors: each mutant that no input tells from a right answer, as JSON.
        seconds: that growing them took.
    """

    table: Table
    kinds: Sequence[str]
    entries: Sequence[bytes]
    survivors: Sequence[bytes]
    seconds: float

    def __len__(self) -> int:
        return len(self.entries)

    def mutant(self, number: int) -> Grown:
        """A mutant by its number."""
        return Grown(*json.loads(self.entries[number])[0])

    def runs(self, number: int) -> tuple[Run, ...]:
        """What a mutant gives on the first inputs, or on all."""
        return tuple(_unpacked(run) for run in json.loads(self.entries[number])[1])

    def surviving(self) -> Iterator[Grown]:
        """The mutants that no input tells from a right answer."""
        return (Grown(*json.loads(entry)) for entry in self.survivors)

    def like(self, record: Sequence[float] | None, walk: Sequence[Point] | None, atol: float) -> list[int]:
        """Numbers of the mutants that may give the same on the lesson's inputs.

        Args:
            record: numbers of what came back, in a row; None: any.
            walk: the points; None: any. Repeated looks at a point say nothing, nor does what comes after a mutant's
                own end.
            atol: as the exercise has it; the search is ten times as wide.
        """
        near = np.ones(len(self), dtype=bool)
        if record is not None:
            near &= _near(self.table[:, :WIDTH], np.array(_fitted(record), dtype=np.float32), atol).all(axis=1)
        if walk is not None:
            near &= self._along(walk, atol)
        return [int(number) for number in np.flatnonzero(near)]

    def _along(self, walk: Sequence[Point], atol: float) -> NDArray[np.bool_]:
        width = min(len(walk[0]), WIDTH) if walk else 1
        if not width or len({len(point) for point in walk}) > 1:
            return np.zeros(len(self), dtype=bool)
        num = WIDTH // width * width
        known = _distinct(self.table[:, WIDTH : WIDTH + num].reshape(len(self), num // width, width))
        numbers = np.array(flat_walk([point[:width] for point in walk] or [(math.nan,)]), dtype=np.float32)
        mine = _distinct(numbers.reshape(1, -1, width)).reshape(-1)[:num]
        wanted = np.concatenate([mine, np.full(num - len(mine), math.nan, dtype=np.float32)])
        known = known.reshape(len(self), num)
        along = np.ones(len(self), dtype=bool)
        along &= np.logical_or(_near(known, wanted, atol), np.isnan(known)).all(axis=1)
        along &= np.equal(np.isnan(known[:, 0]), np.isnan(wanted[0]))  # f is called by both, or by neither
        return along

    def raising(self, kind: str) -> list[int]:
        """Numbers of the mutants that stop with such an error on the lesson's inputs."""
        return [number for number, known in enumerate(self.kinds) if known == kind]


def _near(known: Table, wanted: Table, atol: float) -> NDArray[np.bool_]:
    """Which numbers are near, ten times as wide as the tolerance; what is no number is near what is none."""
    with np.errstate(invalid="ignore", over="ignore"):
        near: NDArray[np.bool_] = np.abs(known - wanted) <= 10 * (atol + RTOL * np.abs(known))
    return near | (~np.isfinite(known) & ~np.isfinite(wanted))


def _distinct(points: Table) -> Table:
    """Walks without repeated looks at a point, each filled up with nan; shape (num_walks, num_points, width)."""
    with np.errstate(invalid="ignore", over="ignore"):
        moved = np.abs(np.diff(points, axis=1)) > SAME * np.abs(points[:, :-1]) + SAME
    is_new = np.concatenate([np.ones_like(points[:, :1, 0], dtype=bool), moved.any(axis=2)], axis=1)
    order = np.argsort(~is_new, axis=1, kind="stable")
    kept = np.take_along_axis(is_new, order, axis=1)
    return np.where(kept[..., None], np.take_along_axis(points, order[..., None], axis=1), np.float32(math.nan))


def _fitted(numbers: Sequence[float]) -> list[float]:
    return [*numbers[:WIDTH], *[math.nan] * (WIDTH - len(numbers))]


def flat(value: Any) -> list[float]:
    """The numbers of what came back, in a row; texts and the like are nan."""
    if isinstance(value, dict):
        value = value.get("array")
    if isinstance(value, list):
        return [number for item in value for number in flat(item)]
    return [float(value) if isinstance(value, int | float) and abs(value) < 1e38 else math.nan]


def flat_walk(points: Sequence[Point]) -> list[float]:
    """The numbers of visited points, in a row."""
    return [number if abs(number) < 1e38 else math.nan for point in points for number in point]


# ----------------------------------------------------------------------------------------------- growing and keeping


def grow(exercise: Exercise, seeds: Sequence[Seed]) -> Mutants:
    """All mutants of some right programs, run on all inputs of an exercise; from the cache, where they were before."""
    file = user_cache_path("stepgrade") / "mutants" / f"{_digest(exercise, seeds)}.bin"
    with suppress(OSError, ValueError, KeyError):
        return _load(file.read_bytes())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):  # one grows them, the others wait
            with suppress(OSError, ValueError, KeyError):
                return _load(file.read_bytes())
            data = _grown(exercise, seeds)
            part = file.with_suffix(f".{os.getpid()}")
            part.write_bytes(data)
            part.replace(file)
    except OSError:  # there is no place to keep them
        data = _grown(exercise, seeds)
    return _load(data)


def _load(data: bytes) -> Mutants:
    head, *lines = data.splitlines()
    known = json.loads(head)
    num = len(known["kinds"])
    table = np.frombuffer(base64.b64decode(known["table"]), dtype=np.float32).reshape(num, 2 * WIDTH)
    return Mutants(table, known["kinds"], lines[:num], lines[num:], known["seconds"])


def _digest(exercise: Exercise, seeds: Sequence[Seed]) -> str:
    """Of all that mutants and their runs follow from."""
    import torch

    here = Path(__file__).parents[1]
    files = [Path(__file__), here / "kernels" / "calls.py", *sorted((here / "mutation").glob("*.py"))]
    engine = [file.read_bytes() for file in files]
    asked = [exercise.call(inputs).key for inputs in exercise.inputs]
    declared = (exercise.function, exercise.columns, exercise.objective, exercise.rtol, exercise.atol)
    all_of_it = (sys.version, torch.__version__, declared, asked, [(seed.name, seed.source) for seed in seeds])
    return hashlib.blake2b(repr(all_of_it).encode() + b"".join(engine), digest_size=20).hexdigest()


def _grown(exercise: Exercise, seeds: Sequence[Seed]) -> bytes:
    began = time.monotonic()
    mutants = list(_mutants(exercise, seeds))
    runs = _run_all(exercise, [mutant.source for mutant in mutants])
    kept: list[tuple[Grown, tuple[Any, ...]]] = []
    survivors: list[Grown] = []
    for mutant, packed in zip(mutants, runs, strict=True):
        if packed is None:
            continue
        if len(packed) == len(exercise.inputs) and _is_right(exercise, packed):
            survivors.append(mutant)
        else:
            kept.append((mutant, packed))
    table = [[*_fitted(flat(runs[0][1])), *_fitted(flat_walk(runs[0][2]))] for _, runs in kept]
    head = {
        "table": base64.b64encode(np.array(table, dtype=np.float32).tobytes()).decode(),
        "kinds": [runs[0][3][0] if runs[0][3] else runs[0][0] for _, runs in kept],
        "seconds": time.monotonic() - began,
    }
    lines = [head, *((_fields(mutant), runs) for mutant, runs in kept), *map(_fields, survivors)]
    return "\n".join(map(json.dumps, lines)).encode()


def _fields(mutant: Grown) -> tuple[Any, ...]:
    return (mutant.operator, mutant.role, mutant.text, mutant.source, mutant.size, mutant.seed, mutant.rank)


def _is_right(exercise: Exercise, packed: Sequence[Any]) -> bool:
    """Whether record and walk are right on the inputs that there are answers to."""
    try:
        for run, inputs in zip(map(_unpacked, packed), exercise.inputs, strict=False):
            if not exercise.is_right(run, inputs):
                return False
            exercise.assert_follows(run, inputs)
    except (AssertionError, ChecksError):
        return False
    return True


def _mutants(exercise: Exercise, seeds: Sequence[Seed]) -> Iterator[Grown]:
    arguments, seen, num = list(exercise.arguments), set[str](), 0
    for rank, seed in enumerate(seeds):
        if num >= MOST_MUTANTS:
            return
        for mutant in _of(seed, exercise, arguments):
            if mutant.source not in seen:
                seen.add(mutant.source)
                yield Grown(mutant.operator, mutant.role, mutant.text, mutant.source, mutant.size, seed.name, rank)
                num += 1


def _of(seed: Seed, exercise: Exercise, arguments: Sequence[str]) -> Iterator[Mutant]:
    return mutate(seed.source, exercise.function, arguments, exercise.lesson)


# ----------------------------------------------------------------------------------------------------------- running


def _run_all(exercise: Exercise, sources: Sequence[str]) -> list[tuple[Any, ...] | None]:
    """What each program gives on all inputs, packed; None for one that ended its process or was too slow for us."""
    num_processes = max(1, min(os.cpu_count() or 1, 4))
    for inputs in exercise.inputs:
        exercise.question(inputs)  # the reference runs here, once
    found: list[tuple[Any, ...] | None] = [None] * len(sources)
    deadline = time.monotonic() + SECONDS
    shares = [list(range(first, len(sources), num_processes)) for first in range(num_processes)]
    workers = [_Worker(exercise, sources, share) for share in shares if share]
    for worker in workers:
        for number, packed in worker.results(deadline):
            found[number] = packed
    return found


class _Worker:
    """A forked process that runs programs one after the other; one that ends it is left out, and a new one goes on."""

    def __init__(self, exercise: Exercise, sources: Sequence[str], share: list[int]) -> None:
        self._exercise = exercise
        self._sources = sources
        self._todo = share
        self._start()

    def _start(self) -> None:
        reader, writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(reader)
                _serve(self._exercise, self._sources, self._todo, writer)
            finally:
                os._exit(0)
        os.close(writer)
        self._pipe = os.fdopen(reader, "rb")

    def results(self, deadline: float) -> Iterator[tuple[int, tuple[Any, ...] | None]]:
        """Each program's number, with what it gave."""
        while self._todo:
            killed = _kill_at(self._pid, deadline)
            with self._pipe as pipe:
                for line in pipe:
                    if line.endswith(b"\n"):  # all of it
                        yield self._todo.pop(0), json.loads(line)
            killed.set()
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            if self._todo:
                if time.monotonic() > deadline:
                    return
                self._todo.pop(0)  # this one ended the process
                if self._todo:
                    self._start()


def _kill_at(pid: int, deadline: float) -> Any:
    """End a process at a time, unless the event that is given back is set before."""
    import threading

    done = threading.Event()

    def wait() -> None:
        if not done.wait(max(deadline - time.monotonic(), 0.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    threading.Thread(target=wait, name="mutants' deadline", daemon=True).start()
    return done


class _TooLong(BaseException):
    """A program was stopped by the clock; no exception of Python's own kind, so that none of its lines catches it."""


def _serve(exercise: Exercise, sources: Sequence[str], todo: Sequence[int], writer: int) -> None:
    """In the fork: run programs, say what they gave."""
    import resource
    import warnings

    def stop(*_: Any) -> None:
        raise _TooLong

    warnings.simplefilter("ignore")
    signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MIB << 20, MOST_MIB << 20))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    with os.fdopen(writer, "wb") as pipe, redirect_stdout(io.StringIO()):
        for number in todo:
            pipe.write(json.dumps(_answers(exercise, sources[number])).encode() + b"\n")
            pipe.flush()


def _answers(exercise: Exercise, source: str) -> tuple[Any, ...] | None:
    """What one program gives on the first inputs, packed; None where it is of no use.

    It is run on all where it is right on the first, or could run on for ever later, when no clock stops it.
    """
    packed: list[Any] = []
    is_needed = "while " in source
    try:
        signal.setitimer(signal.ITIMER_PROF, LEAST_SECONDS)
        namespace = load_program(source)
        for number, inputs in enumerate(exercise.inputs):
            if number >= SCREENED and not is_needed and not _is_right(exercise, packed):
                break
            call, seconds = _bounded(exercise, inputs)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            run = run_program(namespace, call)
            if run.status in ("missing", "endless") or _size(run) > LONGER * _size(exercise.expected(inputs)) + 100:
                return None
            packed.append(_packed(run))
    except (_TooLong, Exception, SystemExit):
        return None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
    return tuple(packed)


def _bounded(exercise: Exercise, inputs: Inputs) -> tuple[Call, float]:
    """A question as mutants are asked it, and the seconds of processor time that they have."""
    call, visited = exercise.question(inputs), len(exercise.expected(inputs).visited)
    bound = replace(call.bound, most_calls=TIMES_THE_REFERENCE * (visited + 10))
    seconds = call.bound.cpu_seconds / TIMES_THE_SECONDS * TIMES_THE_REFERENCE
    return replace(call, bound=bound), max(LEAST_SECONDS, seconds)


def _size(run: Run) -> int:
    return len(flat(run.returned)) + sum(map(len, run.visited))


def _packed(run: Run) -> tuple[Any, ...]:
    error = run.error
    told = (error.type, error.message[:300], error.line, error.text, error.num_calls) if error is not None else None
    return (run.status, run.returned, run.visited, told)


def _unpacked(packed: tuple[Any, ...]) -> Run:
    status, returned, visited, told = packed
    points = tuple(map(tuple, visited))
    return Run(status, returned, points, StudentError(*told) if told is not None else None)
