"""Frozen records that travel between the rooms.

Knows the shape of what is passed around. Refuses to know where it came from, how it is judged or how it is shown;
imports nothing of ours and no third-party library.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["passed", "failed", "timed_out", "errored"]
"""`passed`, `failed` and `timed_out` are the student's; `errored` is ours and never costs points."""

Verdict = Literal["passed", "failed", "not judged", "errored"]
"""A check's: yes, no, a question that nobody can answer (such as how a walk was recorded that is another one), ours."""

CellStatus = Literal["ok", "error", "timed_out", "died", "left_out"]
Point = tuple[float, ...]
"""All numbers that an objective was called with, in a row; of length 1 for one number."""

RunStatus = Literal["returned", "raised", "timed_out", "died", "missing", "replaced"]
Output = dict[str, Any]
"""One output of a cell in nbformat's own form (`output_type`, `name`, `text`, `data`, …), plain JSON."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one submission may use. Kernels enforce as much of it as they can."""

    seconds_per_cell: float = 30.0
    seconds_per_submission: float = 120.0
    cpu_seconds: float = 5.0  # processor time of a cell or a call; halved after each that took it all
    memory_mib: int = 2048
    processes: int = 64
    disk_mib: int = 64
    output_mib_per_cell: float = 1.0
    output_mib_per_notebook: float = 8.0


@dataclass(frozen=True, slots=True)
class CellResult:
    """What running one code cell gave.

    `died`: the whole student process is gone (os._exit, a segfault, a kill, out of memory); nothing more can be run
    or called in it. `timed_out` with `is_alive`: the cell was interrupted and the process goes on.
    """

    status: CellStatus
    outputs: tuple[Output, ...] = ()
    execution_count: int | None = None
    seconds: float = 0.0
    is_alive: bool = True
    message: str = ""  # what the kernel has to say of a time-out, a death or cut output; plain text, for a person


@dataclass(frozen=True, slots=True)
class Bound:
    """How much work a call may be, by what the reference needs for the same inputs."""

    most_calls: int | None = None  # of its objectives, all together
    num_passes: int | None = None  # that the reference makes: said to who called f too often
    cpu_seconds: float = 0.0  # processor time that it may take at least, whatever the limits say


@dataclass(frozen=True, slots=True)
class Call:
    """A question to the student's process: call `function` with `inputs`, by name; by position, in this order, where
    the student's function has other names.

    An objective travels as source text: `{"objective": "x ** 2", "variables": "x"}`.
    """

    function: str
    inputs: tuple[tuple[str, Any], ...]
    key: str = field(init=False, compare=False, repr=False)  # the question as text: equal questions have equal keys
    bound: Bound = field(default_factory=lambda: Bound(), compare=False, repr=False)
    objective: str | None = field(default=None, compare=False, repr=False)  # whose calls show the walk; None: of all
    identity: Literal["any", "keep", "same"] = field(default="any", compare=False, repr=False)
    """Which function of that name is meant: whatever stands there; the same, and it is remembered; the remembered one,
    or the answer is that it was `replaced`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", json.dumps(self.to_json()))

    def to_json(self) -> dict[str, Any]:
        """The question as plain JSON, as it is kept."""
        return {"function": self.function, "arguments": dict(self.inputs)}

    def to_request(self) -> dict[str, Any]:
        """The question as plain JSON, as `kernels.calls.answer` takes it."""
        bound = {"most_calls": self.bound.most_calls, "objective": self.objective, "identity": self.identity}
        return {**self.to_json(), **bound}

    @property
    def arguments(self) -> dict[str, Any]:
        """The inputs by the contract's names."""
        return dict(self.inputs)

    def why_endless(self) -> str:
        """Why it was stopped, where its objectives were called too often; for a person."""
        objectives = [name for name, value in self.inputs if isinstance(value, dict) and "objective" in value]
        names = " and ".join(f"`{name}`" for name in objectives) or "the objective"
        said = f"{names} was called {self.bound.most_calls or 0:,} times"
        passes = self.bound.num_passes
        return said if passes is None else f"{said}; {passes} {'pass was' if passes == 1 else 'passes were'} asked for"


@dataclass(frozen=True, slots=True)
class StudentError:
    """An exception that the student's function raised."""

    type: str  # name of the class, such as "TypeError"
    message: str
    line: int | None = None  # 1-based, in the source of the student's cell
    text: str = ""  # that line, stripped
    num_calls: int = 0  # how often the objective had been called by then: the pass it happened on


@dataclass(frozen=True, slots=True)
class Run:
    """What one call gave: numbers, and how it ended.

    `returned` is plain JSON made inside the student's process (`kernels.calls.describe` says how) and is as
    trustworthy as the student.
    """

    status: RunStatus
    returned: Any = None
    visited: tuple[Point, ...] = ()  # where the objective was called, shape (num_calls, …); nan: could not be read
    error: StudentError | None = None
    message: str = ""  # of a time-out or a death, for a person

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], call: Call | None = None) -> Run:
        """The record of an answer of `kernels.calls.answer`; what is malformed becomes nan or empty, no error.

        Args:
            answer: what the process gave.
            call: the question, to say what was asked for where f was called too often.
        """
        if call is not None and answer.get("status") == "endless":
            return cls("timed_out", message=call.why_endless())
        error = answer.get("error")
        status: RunStatus = "returned"
        for known in ("returned", "raised", "missing", "replaced"):
            if answer.get("status") == known:
                status = known
        visited = answer.get("visited")
        return cls(
            status=status,
            returned=_bounded(answer.get("returned")),
            visited=_points(visited) if isinstance(visited, list) else (),
            error=_student_error(error) if isinstance(error, dict) else None,
        )


MAX_ENTRIES, MAX_DEPTH, CHARACTERS = 20_000, 8, 10  # as `kernels.calls` describes: more was made by somebody else


def _bounded(returned: Any) -> Any:
    """What came back, where it is no larger and no deeper than an honest description."""
    left = MAX_ENTRIES * 4  # a description counts numbers, and this the lists and keys around them too
    level = [returned]
    for _ in range(MAX_DEPTH):
        level = [item for value in level if isinstance(value, list | dict) for item in _items(value)]
        left -= sum(1 + len(item) // CHARACTERS if isinstance(item, str) else 1 for item in level)
        if left < 0:
            break
    else:
        if not level:
            return returned
    return {"cut": MAX_ENTRIES}


def _items(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return (part for pair in value.items() for part in pair) if isinstance(value, dict) else value


def _points(visited: list[Any]) -> tuple[Point, ...]:
    """Where the objective was called, as many numbers as an honest description holds."""
    points, left = [], MAX_ENTRIES
    for entry in visited:
        numbers = entry if isinstance(entry, list) else [entry]
        left -= max(len(numbers), 1)
        if left < 0:
            break
        points.append(tuple(map(_number, numbers)))
    return tuple(points)


def _number(value: Any) -> float:
    try:
        return float(value) if isinstance(value, int | float) else float("nan")
    except OverflowError:  # an integer beyond every float
        return float("nan")


def _student_error(error: Mapping[str, Any]) -> StudentError:
    line, calls = error.get("line"), error.get("num_calls")
    return StudentError(
        type=str(error.get("type", "Exception"))[:200],
        message=str(error.get("message", ""))[:2000],
        line=line if isinstance(line, int) and 0 < line < 1 << 31 else None,
        text=str(error.get("text", ""))[:500],
        num_calls=calls if isinstance(calls, int) else 0,
    )


@dataclass(frozen=True, slots=True)
class Record:
    """What a submission's process gave: enough to judge it again without running it."""

    cells: tuple[CellResult, ...] = ()  # one per code cell, in order
    answers: Mapping[str, Run] = field(default_factory=dict)  # by the question as JSON text, `Call.key`
    seconds: float | None = None  # that cells and calls took
    memory_mib: float | None = None  # the most that its processes held beyond a fresh kernel; None: not measured


@dataclass(frozen=True, slots=True)
class Gap:
    """The first step at which two trajectories differ, and by how much. A side that has no such step is None."""

    step: int  # 0-based: the pass
    yours: float | None
    reference: float | None


@dataclass(frozen=True, slots=True)
class Check:
    """A hidden check's verdict on one submission."""

    name: str
    points: float  # what it is worth; only who passed it has earned them
    verdict: Verdict
    title: str = ""  # the question the check asks, from its docstring; may be shown to the student
    gap: Gap | None = None
    message: str = ""  # what is shown to the student; never the check's source
    cause: str = ""  # what broke, and where, for the course's people; never shown to the student

    @property
    def passed(self) -> bool:
        """Whether the answer is yes."""
        return self.verdict == "passed"

    def to_json(self) -> dict[str, Any]:
        """The check as it stands in the report."""
        return {
            "name": self.name,
            "points": self.points,
            "passed": self.passed,
            "verdict": self.verdict,
            "gap": _gap_json(self.gap),
        }


def verdict_of(check: Mapping[str, Any]) -> Verdict:
    """A check's verdict, from its part of a report; reports of old have only right and wrong."""
    verdict: Verdict = check.get("verdict") or ("passed" if check["passed"] else "failed")
    return verdict


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The known mistakes that explain a submission's numbers; none: unknown."""

    names: tuple[str, ...] = ()  # for the course's people
    hints: tuple[str, ...] = ()  # one per name
    kind: str = ""  # "dynamics", "recording", "exception", "rule", "" where nothing is wrong
    remark: str = ""  # one sentence, for the student
    cause: str = ""  # what broke in the diagnosis, and where, for the course's people; never shown to the student
    titles: tuple[str, ...] = ()  # one per name: what the student reads in its place; "": nothing


@dataclass(frozen=True, slots=True)
class ExerciseResult:
    """One exercise of one submission, judged."""

    grade_id: str  # of the grade cell
    points: float
    score: float  # 0 where it is errored: nothing is scored then, and the gradebook keeps what it has
    outcome: Outcome
    checks: tuple[Check, ...] = ()
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    message: str = ""  # why, in a sentence or two, for the student
    cause: str = ""  # of `errored`: what broke, and where, for the course's people; never shown to the student

    def to_json(self) -> dict[str, Any]:
        """The exercise as it stands in the report."""
        cause = {"cause": self.cause} if self.cause else {}
        return {
            "grade_id": self.grade_id,
            "points": self.points,
            "score": self.score,
            "outcome": self.outcome,
            **cause,
            "checks": [check.to_json() for check in self.checks],
            "diagnosis": list(self.diagnosis.names),
            **({"not_diagnosed": self.diagnosis.cause} if self.diagnosis.cause else {}),
        }


def _gap_json(gap: Gap | None) -> dict[str, Any] | None:
    if gap is None:
        return None
    return {"step": gap.step, "yours": _strict(gap.yours), "reference": _strict(gap.reference)}


def _strict(value: float | None) -> float | str | None:
    """JSON has no nan and no infinity: those are written as text."""
    if value is None or value - value == 0:
        return value
    return str(value)


@dataclass(frozen=True, slots=True)
class Report:
    """What the machine keeps of one graded notebook."""

    assignment: str
    notebook: str
    student: str
    exercises: tuple[ExerciseResult, ...]
    notes: tuple[str, ...] = ()
    protections: tuple[str, ...] = ()  # the walls that stood around the student's process
    record: Record = field(default_factory=Record, compare=False, repr=False)  # kept in a file of its own

    @property
    def outcome(self) -> Outcome:
        """The worst of the exercises' outcomes, ours before theirs."""
        found = {exercise.outcome for exercise in self.exercises}
        worst: tuple[Outcome, ...] = ("errored", "timed_out", "failed")
        return next((outcome for outcome in worst if outcome in found), "passed")

    def to_json(self) -> dict[str, Any]:
        """The report as it is written beside the graded notebook."""
        return {
            "assignment": self.assignment,
            "notebook": self.notebook,
            "student": self.student,
            "exercises": [e.to_json() for e in self.exercises],
            "notes": list(self.notes),
            "protections": list(self.protections),
        }
