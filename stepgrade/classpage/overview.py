"""A class seen as a whole: who passed what, which mistakes are frequent, who returned the same numbers.

Knows how to count reports and to name groups of students. Refuses to know pages, pictures and the gradebook.
"""

from __future__ import annotations

import ast
import itertools
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stepgrade.checks import Checks
from stepgrade.classpage.clusters import Trace, group_equal, name_traces, read_rows, trace_of
from stepgrade.classpage.report import Graded, cause_of, find_ungraded, is_held, read_class
from stepgrade.course import Course
from stepgrade.diagnosis.catalogue import load_catalogue
from stepgrade.diagnosis.labels import Label, read_labels
from stepgrade.errors import CourseError
from stepgrade.exercise import Exercise, Inputs
from stepgrade.feedback.finding import find_trouble
from stepgrade.records import Run, Verdict, verdict_of
from stepgrade.signature import OPERATOR, has_signature, read_role, signature_of, to_row
from stepgrade.source import parse

OUTCOMES = ("passed", "failed", "timed_out", "errored")
LIMITS = (" ran out of time: ", " ended its process and was left out: ", " was not run: ")  # in the hall's notes
WALLS = re.compile(  # how Linux, Python and torch say that a wall or a limit refused something
    r"^(PermissionError|MemoryError|BlockingIOError|gaierror|URLError)|Operation not permitted|Permission denied"
    r"|Read-only file system|(can't|[Cc]annot) allocate memory|No space left on device|File too large|Disk quota"
    r"|[Nn]etwork is unreachable|name resolution|can't start new thread|temporarily unavailable|Too many open files"
)
CUT = "its output was cut"  # a kernel's message on a cell that went on


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
    is_off: bool = True  # whether numbers that came back are wrong; False: runs only ended badly
    row: str = ""  # of `mistakes.toml`, which would name it; empty where nothing is to be named

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
        return self.is_undiagnosed and self.is_off and has_numbers and len(self.members) > 1


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
    """How many submissions passed a check, and how many failed it."""

    name: str
    title: str
    points: float
    num_passed: int
    num_failed: int
    num_not_judged: int  # whom it could not be asked of: another walk, an unreadable notebook, a failure of ours

    @property
    def num_judged(self) -> int:
        """How many got an answer."""
        return self.num_passed + self.num_failed


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
    """What a submission took, where the kernel measured it: the seconds of cells and calls, and its memory."""

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
    ungraded: tuple[str, ...] = ()  # students who handed in and have no report

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

    @property
    def together(self) -> list[tuple[Cluster, Cluster, tuple[str, ...]]]:
        """Students who share such numbers in more than one exercise: two clusters, and who is in both."""
        pairs = [(a, b) for a, b in itertools.combinations(self.shared, 2) if a.exercise != b.exercise]
        both = [(a, b, tuple(sorted({*a.students} & {*b.students}))) for a, b in pairs]
        return sorted((found for found in both if len(found[2]) > 1), key=lambda found: -len(found[2]))

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
    with Checks(course.hidden_checks(assignment)) as checks:
        declared = {exercise.name: exercise for exercise in checks.exercises}
    names = dict.fromkeys(name_of(e) for one in graded for e in one.report["exercises"])
    labels = read_labels(course.hidden_checks(assignment))
    exercises = tuple(_look_at_exercise(course, assignment, name, graded, declared.get(name), labels) for name in names)
    mistakes = [m for exercise in exercises for m in _mistakes(course, assignment, exercise, labels)]
    mistakes.sort(key=lambda m: (-len(m.students), m.exercise, m.names))
    ungraded = tuple(find_ungraded(course, assignment))
    return Overview(assignment, tuple(graded), exercises, tuple(mistakes), tuple(unreadable), ungraded)


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
    return Usage(_finite(graded.record.seconds), _finite(graded.record.memory_mib))


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _look_at_exercise(
    course: Course,
    assignment: str,
    name: str,
    graded: Sequence[Graded],
    declared: Exercise | None,
    labels: Sequence[Label],
) -> ExerciseView:
    having = [one for one in graded if any(name_of(e) == name for e in one.report["exercises"])]
    parts = [part_of(one, name) for one in having]
    titles = _titles(course.hidden_checks(assignment) / name)
    verdicts = Counter((check["name"], verdict_of(check)) for part in parts for check in part["checks"])
    worth = {check["name"]: check["points"] for part in parts for check in part["checks"]}
    outcomes = Counter(part["outcome"] for part in parts)
    return ExerciseView(
        name=name,
        points=float(parts[0]["points"]),
        outcomes={outcome: outcomes[outcome] for outcome in OUTCOMES},
        checks=tuple(_count(c, titles.get(c, ""), p, verdicts, len(parts)) for c, p in worth.items()),
        clusters=tuple(_clusters(name, having, parts, declared, labels)),
        declared=declared,
    )


def _count(name: str, title: str, points: float, verdicts: Counter[tuple[str, Verdict]], num: int) -> CheckCount:
    passed, failed = verdicts[name, "passed"], verdicts[name, "failed"]
    return CheckCount(name, title, points, passed, failed, num - passed - failed)


def _titles(folder: Path) -> dict[str, str]:
    """The question that each check of an exercise asks, by the check's name: first lines of docstrings."""
    trees = [parse(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("test_*.py"))]
    functions = [n for tree in trees if tree is not None for n in tree.body if isinstance(n, ast.FunctionDef)]
    docs = {f.name.removeprefix("test_"): ast.get_docstring(f) or "" for f in functions if f.name.startswith("test_")}
    return {name: text.partition("\n")[0] for name, text in docs.items()}


# -- clusters ----------------------------------------------------------------------------------------------------------


def _clusters(
    name: str,
    graded: Sequence[Graded],
    parts: Sequence[Mapping[str, Any]],
    declared: Exercise | None,
    labels: Sequence[Label],
) -> Iterator[Cluster]:
    runs = [_runs(one, declared) for one in graded]
    traces = [_trace(part, found, declared) for part, found in zip(parts, runs, strict=True)]
    rtol, atol = (declared.rtol, declared.atol) if declared is not None else (0.0, 0.0)
    groups = group_equal(traces, rtol, atol)
    ids = name_traces(name, [traces[group[0]] for group in groups], atol)
    for group, made_up in zip(groups, ids, strict=True):
        part, leader = parts[group[0]], group[0]
        is_right = part["outcome"] == "passed"
        cluster = Cluster(
            id=f"{name}-right" if is_right else made_up,
            exercise=name,
            members=tuple(graded[n] for n in sorted(group)),
            outcome=part["outcome"],
            mistakes=() if is_right else tuple(part["diagnosis"]),
            words=_words(part, runs[leader], declared, len({_line(runs[n]) for n in group}) == 1),
            runs=tuple(runs[leader]),
            was_checked=bool(part["checks"]),
            is_off=any(_is_off(declared, run) for run in runs[leader]),
        )
        is_unknown = declared is not None and cluster.is_undiagnosed and cluster.is_off
        yield _by_its_numbers(cluster, declared, labels) if is_unknown and declared is not None else cluster


def _by_its_numbers(cluster: Cluster, declared: Exercise, labels: Sequence[Label]) -> Cluster:
    """A cluster that no known mistake explains: with the name that a person gave its numbers, or what asks for it."""
    rows = [label for label in labels if label.operator == OPERATOR and is_of(label, cluster.exercise)]
    names = tuple(row.name for row in rows if has_signature(declared, cluster.runs, read_role(row.role)))
    numbers = signature_of(declared, cluster.runs)
    return replace(cluster, mistakes=names, row=to_row(declared, numbers) if numbers and not names else "")


def is_of(label: Label, exercise: str) -> bool:
    """Whether a row of `mistakes.toml` speaks of an exercise."""
    return not label.exercises or exercise in label.exercises


def _is_off(declared: Exercise | None, run: tuple[Inputs, Run]) -> bool:
    finding = find_trouble(declared, [run]) if declared is not None else None
    return finding is not None and finding.gap is not None


def _runs(graded: Graded, declared: Exercise | None) -> list[tuple[Inputs, Run]]:
    """What a submission answered to all inputs; empty where one answer was not kept."""
    if declared is None:
        return []
    found = [(inputs, graded.record.answers.get(declared.call(inputs).key)) for inputs in declared.inputs]
    runs = [(inputs, run) for inputs, run in found if run is not None]
    return runs if len(runs) == len(found) else []


def _trace(part: Mapping[str, Any], runs: Sequence[tuple[Inputs, Run]], declared: Exercise | None) -> Trace:
    """Right answers are one group, however written. Others are compared by their numbers, or their gaps.

    The diagnosis has to agree too: runs that stop at the same point stop there for different reasons.
    """
    if part["outcome"] == "passed":
        return Trace("right")
    verdict = json.dumps([part["outcome"], [verdict_of(check) for check in part["checks"]], part["diagnosis"]])
    if declared is not None and runs:
        return trace_of([run for _, run in runs], len(declared.columns), verdict)
    gaps = [check.get("gap") for check in part["checks"]]
    return Trace(json.dumps([verdict, gaps]))


def _line(runs: Sequence[tuple[Inputs, Run]]) -> str:
    """The student's own line at which the first run that raised stopped."""
    return next((run.error.text for _, run in runs if run.error is not None), "")


def _words(
    part: Mapping[str, Any], runs: Sequence[tuple[Inputs, Run]], declared: Exercise | None, is_one_line: bool
) -> str:
    """What a cluster's submissions have in common."""
    if part["outcome"] in ("passed", "errored"):
        own = "path" if declared is None or declared.objective is not None else "numbers"
        return f"torch’s own {own}" if part["outcome"] == "passed" else "could not be graded: our fault"
    if not part["checks"]:
        return "the notebook could not be read"
    status = next((run.status for _, run in runs if run.status != "returned"), "returned")
    error = next((run.error for _, run in runs if run.error is not None), None)
    if status == "raised" and error is not None:
        at = f" at `{error.text}`" if is_one_line else ", at different lines"
        return f"stops with {error.type}" + (at if error.text else "")
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


def _mistakes(course: Course, assignment: str, exercise: ExerciseView, labels: Sequence[Label]) -> Iterator[Mistake]:
    """The known mistakes of one exercise, and what is not diagnosed."""
    hints = {label.name: label.hint for label in reversed(labels) if is_of(label, exercise.name)}
    if exercise.declared is not None:
        hints |= load_catalogue(course.hidden_checks(assignment) / exercise.name, exercise.declared).hints
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

    kind: str  # "held" (our fault), "stopped" (a limit), "wall" (refused), "mended" (restored, unreadable, renamed)
    student: str
    words: str


def find_incidents(seen: Overview) -> list[Incident]:
    """What happened to submissions, by kind and student."""
    found = [incident for graded in seen.graded for incident in _incidents(graded, seen.exercises)]
    order = ("held", "stopped", "wall", "mended")
    return sorted(dict.fromkeys(found), key=lambda incident: order.index(incident.kind))


def _incidents(graded: Graded, exercises: Sequence[ExerciseView]) -> Iterator[Incident]:
    """One entry per note, per stopped or held exercise, and per refusal."""
    student = graded.student
    for part in graded.report["exercises"]:
        name = name_of(part)
        if is_held(part):
            yield Incident("held", student, f"{name} could not be graded: {cause_of(part)}")
        if part["outcome"] == "timed_out":
            declared = next((e.declared for e in exercises if e.name == name), None)
            why = next((run.message for _, run in _runs(graded, declared) if run.message), "")
            yield Incident("stopped", student, f"{name} did not come to an end" + (f": {why}" if why else ""))
    for note in map(str, graded.report["notes"]):
        yield Incident("stopped" if any(limit in note for limit in LIMITS) else "mended", student, note)
    for words, place in _refusals(graded, exercises).items():
        yield Incident("wall", student, f"{place}: {_cut(words)}")


def _refusals(graded: Graded, exercises: Sequence[ExerciseView]) -> dict[str, str]:
    """What a wall or a limit refused, in the words of the error, and where: each once, by exercise if it can be."""
    found: dict[str, str] = {}
    for exercise in exercises:
        errors = [f"{r.error.type}: {r.error.message}" for _, r in _runs(graded, exercise.declared) if r.error]
        found |= {error: exercise.name for error in errors if WALLS.search(error) and error not in found}
    for number, cell in enumerate(graded.record.cells, start=1):
        errors = [f"{o['ename']}: {o['evalue']}" for o in cell.outputs if o["output_type"] == "error"]
        said = [error for error in errors if WALLS.search(error)] + [cell.message] * (CUT in cell.message)
        found |= {words: f"code cell {number}" for words in said if words not in found}
    return found


def _cut(words: str, width: int = 300) -> str:
    return words if len(words) <= width else words[: width - 1] + "…"


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
