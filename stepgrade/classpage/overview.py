"""A class seen as a whole: who passed what, which mistakes are frequent, who returned the same numbers.

Knows how to count reports and to name groups of students. Refuses to know pages, pictures and the gradebook.
"""

from __future__ import annotations

import ast
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepgrade.checks import Checks
from stepgrade.classpage.clusters import Trace, group_equal, name_traces, read_rows, trace_of
from stepgrade.classpage.report import Graded, read_class
from stepgrade.course import Course
from stepgrade.diagnosis.catalogue import load_catalogue
from stepgrade.errors import CourseError
from stepgrade.exercise import Exercise, Inputs
from stepgrade.feedback import find_trouble
from stepgrade.records import Run
from stepgrade.source import parse

OUTCOMES = ("passed", "failed", "timed_out", "errored")
LIMITS = (" ran out of time: ", " ended its process and was left out: ", " was not run: ")  # in the hall's notes


@dataclass(frozen=True, slots=True)
class Cluster:
    """Submissions of one exercise that returned the same numbers and were judged alike."""

    id: str
    exercise: str
    members: tuple[Graded, ...]
    outcome: str
    mistakes: tuple[str, ...]  # none: right, or not diagnosed
    words: str  # what they have in common, in half a sentence
    runs: tuple[tuple[Inputs, Run], ...] = ()  # of one of them; empty where no numbers were kept
    was_checked: bool = True  # False: the notebook could not be read, so there was nothing to check

    @property
    def students(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(graded.student for graded in self.members)

    @property
    def is_undiagnosed(self) -> bool:
        """Wrong numbers that no known mistake explains."""
        statuses = {run.status for _, run in self.runs}
        return self.was_checked and self.outcome == "failed" and not self.mistakes and "missing" not in statuses

    @property
    def is_same_wrong_numbers(self) -> bool:
        """Several students returned the same finite wrong numbers, and nothing explains them."""
        has_numbers = any(run.status == "returned" and _has_numbers(run) for _, run in self.runs)
        return self.is_undiagnosed and has_numbers and len(self.members) > 1


def _has_numbers(run: Run) -> bool:
    entries = run.returned.get("array") if isinstance(run.returned, dict) else run.returned
    return isinstance(entries, list) and bool(entries)


@dataclass(frozen=True, slots=True)
class Mistake:
    """Everybody whose answer to one exercise is explained by the same known mistake, or by none."""

    exercise: str
    names: tuple[str, ...]  # several: no input tells them apart
    hints: tuple[str, ...]  # what the students were told; one per name
    clusters: tuple[Cluster, ...]  # the largest first

    @property
    def id(self) -> str:
        """Its handle for `stepgrade comment`."""
        return f"{self.exercise}/{'+'.join(self.names)}" if self.names else ""

    @property
    def students(self) -> tuple[str, ...]:
        """Their ids, in order."""
        return tuple(sorted(student for cluster in self.clusters for student in cluster.students))


@dataclass(frozen=True, slots=True)
class CheckCount:
    """How many submissions passed a check."""

    name: str
    title: str
    points: float
    num_passed: int


@dataclass(frozen=True, slots=True)
class ExerciseView:
    """One exercise over the whole class."""

    name: str
    points: float
    outcomes: Mapping[str, int]
    checks: tuple[CheckCount, ...]
    clusters: tuple[Cluster, ...]  # the largest first
    declared: Exercise | None  # None: its checks are gone

    @property
    def average(self) -> float:
        """Mean score."""
        scores = [part_of(g, self.name)["score"] for cluster in self.clusters for g in cluster.members]
        return float(sum(scores)) / len(scores)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a submission took, where the kernel measured it: its cells' seconds and its memory."""

    seconds: float | None = None
    memory_mib: float | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """A graded class."""

    assignment: str
    graded: tuple[Graded, ...]
    exercises: tuple[ExerciseView, ...]
    mistakes: tuple[Mistake, ...]  # the most frequent first
    unreadable: tuple[str, ...]  # reports that cannot be read

    @property
    def points(self) -> float:
        """What a perfect submission earns."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def scores(self) -> list[float]:
        """One per submission."""
        return [score_of(graded) for graded in self.graded]

    @property
    def shared(self) -> list[Cluster]:
        """Wrong numbers that several students have in common and no known mistake explains."""
        found = [c for exercise in self.exercises for c in exercise.clusters if c.is_same_wrong_numbers]
        return sorted(found, key=lambda cluster: -len(cluster.members))

    def cluster_of(self) -> dict[tuple[str, str], Cluster]:
        """Each submission's cluster by exercise and student."""
        return {(c.exercise, s): c for exercise in self.exercises for c in exercise.clusters for s in c.students}


def look_at_class(course: Course, assignment: str) -> Overview:
    """Read and count a graded class.

    Raises:
        CourseError: there is no such assignment, or nothing of it has been graded.
        ChecksError: the hidden checks cannot be collected.
    """
    if assignment not in course.assignments:
        known = ", ".join(course.assignments) or "none"
        raise CourseError(f"there is no assignment {assignment!r} with hidden checks here; there is: {known}")
    graded, unreadable = read_class(course, assignment)
    if not graded:
        raise CourseError(f"no report can be read ({unreadable[0]} and others): grade the class again")
    with Checks(course.hidden_checks(assignment)) as checks:
        declared = {exercise.name: exercise for exercise in checks.exercises}
    names = dict.fromkeys(name_of(e) for one in graded for e in one.report["exercises"])
    exercises = tuple(_look_at_exercise(course, assignment, name, graded, declared.get(name)) for name in names)
    mistakes = [m for exercise in exercises for m in _mistakes(course, assignment, exercise)]
    mistakes.sort(key=lambda m: (-len(m.students), m.exercise, m.names))
    return Overview(assignment, tuple(graded), exercises, tuple(mistakes), tuple(unreadable))


def name_of(exercise: Mapping[str, Any]) -> str:
    """An exercise's name, from its part of a report."""
    return str(exercise["grade_id"]).removesuffix("-check")


def part_of(graded: Graded, exercise: str) -> Mapping[str, Any]:
    """An exercise in a submission's report."""
    part: Mapping[str, Any] = next(e for e in graded.report["exercises"] if name_of(e) == exercise)
    return part


def score_of(graded: Graded) -> float:
    """What a submission earned."""
    return float(sum(exercise["score"] for exercise in graded.report["exercises"]))


def usage_of(graded: Graded) -> Usage:
    """What a submission took, as far as that was kept."""
    kept = graded.report.get("usage")
    kept = kept if isinstance(kept, dict) else {}
    seconds = sum(cell.seconds for cell in graded.record.cells) if graded.record.cells else None
    return Usage(_finite(kept.get("seconds", seconds)), _finite(kept.get("memory_mib")))


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _look_at_exercise(
    course: Course, assignment: str, name: str, graded: Sequence[Graded], declared: Exercise | None
) -> ExerciseView:
    having = [one for one in graded if any(name_of(e) == name for e in one.report["exercises"])]
    parts = [part_of(one, name) for one in having]
    titles = _titles(course.hidden_checks(assignment) / name)
    counts = Counter(check["name"] for part in parts for check in part["checks"] if check["passed"])
    worth = {check["name"]: check["points"] for part in parts for check in part["checks"]}
    outcomes = Counter(part["outcome"] for part in parts)
    return ExerciseView(
        name=name,
        points=float(parts[0]["points"]),
        outcomes={outcome: outcomes[outcome] for outcome in OUTCOMES},
        checks=tuple(CheckCount(c, titles.get(c, ""), p, counts[c]) for c, p in worth.items()),
        clusters=tuple(_clusters(name, having, parts, declared)),
        declared=declared,
    )


def _titles(folder: Path) -> dict[str, str]:
    """The question that each check of an exercise asks, by the check's name: first lines of docstrings."""
    trees = [parse(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("test_*.py"))]
    functions = [n for tree in trees if tree is not None for n in tree.body if isinstance(n, ast.FunctionDef)]
    docs = {f.name.removeprefix("test_"): ast.get_docstring(f) or "" for f in functions if f.name.startswith("test_")}
    return {name: text.partition("\n")[0] for name, text in docs.items()}


# -- clusters ----------------------------------------------------------------------------------------------------------


def _clusters(
    name: str, graded: Sequence[Graded], parts: Sequence[Mapping[str, Any]], declared: Exercise | None
) -> Iterator[Cluster]:
    runs = [_runs(one, declared) for one in graded]
    traces = [_trace(part, found, declared) for part, found in zip(parts, runs, strict=True)]
    rtol, atol = (declared.rtol, declared.atol) if declared is not None else (0.0, 0.0)
    groups = group_equal(traces, rtol, atol)
    ids = name_traces(name, [traces[group[0]] for group in groups], atol)
    for group, made_up in zip(groups, ids, strict=True):
        part, leader = parts[group[0]], group[0]
        is_right = part["outcome"] == "passed"
        named = Counter(tuple(parts[n]["diagnosis"]) for n in group).most_common(1)[0][0]
        yield Cluster(
            id=f"{name}-right" if is_right else made_up,
            exercise=name,
            members=tuple(graded[n] for n in sorted(group)),
            outcome=part["outcome"],
            mistakes=() if is_right else named,
            words=_words(part, runs[leader], declared),
            runs=tuple(runs[leader]),
            was_checked=bool(part["checks"]),
        )


def _runs(graded: Graded, declared: Exercise | None) -> list[tuple[Inputs, Run]]:
    """What a submission answered to all inputs; empty where one answer was not kept."""
    if declared is None:
        return []
    found = [(inputs, graded.record.answers.get(declared.call(inputs).key)) for inputs in declared.inputs]
    runs = [(inputs, run) for inputs, run in found if run is not None]
    return runs if len(runs) == len(found) else []


def _trace(part: Mapping[str, Any], runs: Sequence[tuple[Inputs, Run]], declared: Exercise | None) -> Trace:
    """Right answers are one group, however written. Others are compared by their numbers, or their gaps."""
    if part["outcome"] == "passed":
        return Trace("right")
    verdict = json.dumps([part["outcome"], [check["passed"] for check in part["checks"]]])
    if declared is not None and runs:
        return trace_of([run for _, run in runs], len(declared.columns), verdict)
    gaps = [check.get("gap") for check in part["checks"]]
    return Trace(json.dumps([verdict, part["diagnosis"], gaps]))


def _words(part: Mapping[str, Any], runs: Sequence[tuple[Inputs, Run]], declared: Exercise | None) -> str:
    """What a cluster's submissions have in common."""
    if part["outcome"] in ("passed", "errored"):
        return "torch’s own path" if part["outcome"] == "passed" else "could not be graded: our fault"
    if not part["checks"]:
        return "the notebook could not be read"
    status = next((run.status for _, run in runs if run.status != "returned"), "returned")
    error = next((run.error for _, run in runs if run.error is not None), None)
    if status == "raised" and error is not None:
        return f"stops with {error.type}" + (f" at `{error.text}`" if error.text else "")
    if status == "missing":
        return "the function is missing"
    if part["outcome"] == "timed_out":
        return "did not come to an end"
    gap = _gap(part, runs, declared)
    if gap is None:
        return (
            _complaint(runs, declared) or "the numbers are torch’s, a rule is broken"
            if runs
            else "nothing to compare was kept"
        )
    step, name, yours, wanted = gap
    if yours is None:
        return f"the list ends before step {step}"
    if wanted is None:
        return f"the list goes on at step {step}, where torch’s has ended"
    return f"step {step}: {name}{show_number(yours)} where torch has {show_number(wanted)}"


def _gap(part: Mapping[str, Any], runs: Sequence[tuple[Inputs, Run]], declared: Exercise | None) -> Any:
    """Step, column, theirs and torch's: on the lesson's own inputs if it shows there, else on hidden ones."""
    finding = find_trouble(declared, runs) if declared is not None and runs else None
    if declared is not None and finding is not None and finding.gap is not None:
        name = f"{declared.columns[finding.column]} " if len(declared.columns) > 1 else ""
        return finding.gap.step, name, finding.gap.yours, finding.gap.reference
    kept = next((check["gap"] for check in part["checks"] if check.get("gap")), None)
    return None if runs or kept is None else (kept["step"], "", kept["yours"], kept["reference"])


def _complaint(runs: Sequence[tuple[Inputs, Run]], declared: Exercise | None) -> str:
    tables = [read_rows(run, len(declared.columns)) for _, run in runs] if declared is not None else []
    return next((table.rstrip(".") for table in tables if isinstance(table, str)), "")


def show_number(value: float | str | None) -> str:
    """A number for people, with a real minus sign."""
    return f"{float(value):.4g}".replace("-", "−") if value is not None else "nothing"


# -- mistakes ----------------------------------------------------------------------------------------------------------


def _mistakes(course: Course, assignment: str, exercise: ExerciseView) -> Iterator[Mistake]:
    """The known mistakes of one exercise, and what is not diagnosed."""
    hints: Mapping[str, str] = {}
    if exercise.declared is not None:
        hints = load_catalogue(course.hidden_checks(assignment) / exercise.name, exercise.declared).hints
    found: dict[tuple[str, ...], list[Cluster]] = defaultdict(list)
    for cluster in exercise.clusters:
        if cluster.mistakes or cluster.is_undiagnosed:
            found[cluster.mistakes].append(cluster)
    for names, clusters in found.items():
        yield Mistake(exercise.name, names, tuple(hints.get(name, "") for name in names), tuple(clusters))


# -- stopped, held, mended ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to one submission besides being right or wrong."""

    kind: str  # "held" (our fault), "stopped" (a limit or a wall), "mended" (restored, unreadable, renamed)
    student: str
    words: str


def find_incidents(seen: Overview) -> list[Incident]:
    """What happened to submissions, by kind and student: one entry per note and per stopped or held exercise."""
    found: list[Incident] = []
    for graded in seen.graded:
        notes = [str(note) for note in graded.report["notes"]]
        for exercise in graded.report["exercises"]:
            if exercise["outcome"] == "errored":
                found.append(Incident("held", graded.student, f"{name_of(exercise)} could not be graded"))
            if exercise["outcome"] == "timed_out":
                found.append(Incident("stopped", graded.student, f"{name_of(exercise)} did not come to an end"))
        found += [
            Incident("stopped" if any(limit in note for limit in LIMITS) else "mended", graded.student, note)
            for note in notes
        ]
    order = ("held", "stopped", "mended")
    return sorted(found, key=lambda incident: order.index(incident.kind))


# -- groups of students ------------------------------------------------------------------------------------------------


def find_students(seen: Overview, handle: str) -> tuple[str, tuple[Graded, ...]]:
    """Whom a handle of the page means: a cluster's id, or `exercise/mistake`.

    Returns:
        The exercise, and the submissions.

    Raises:
        CourseError: nobody is meant.
    """
    for exercise in seen.exercises:
        for cluster in exercise.clusters:
            if cluster.id == handle:
                return exercise.name, cluster.members
    for mistake in seen.mistakes:
        if mistake.id and mistake.id == handle:
            return mistake.exercise, tuple(g for cluster in mistake.clusters for g in cluster.members)
    raise CourseError(
        f"there is no cluster {handle!r} in {seen.assignment}: its numbers may have changed since the page was made. "
        f"`stepgrade report {seen.assignment}` makes it anew"
    )
