"""A whole class: what is to be graded, by desks; the one writer of gradebook and folders; stopping and going on.

    find what changed → desks grade into the staging folder → save a batch in one transaction → put folders in place

Knows the order of these steps and that it may be killed between any two of them. Refuses to know how one submission is
graded (`desk`), how the gradebook is written (`gradebook`) and how folders are replaced (`staging`).
"""

from __future__ import annotations

import fnmatch
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from stepgrade import handed_in, ledger
from stepgrade.converter import SHARED, LatePenalty, Released, WaryDirectory, open_coursedir, refuse_unknown_steps
from stepgrade.course import Course
from stepgrade.desks import Desks
from stepgrade.errors import CourseError, GradebookLocked
from stepgrade.gradebook import NO_COURSE, ClassBook, Entry, Marks, patiently
from stepgrade.progress import Voice
from stepgrade.staging import Run, num_waiting, open_runs

BATCH = 25  # submissions in one transaction: few enough to lose seconds, many enough to pay for it
BATCH_SECONDS = 5.0  # a slow class is saved as often as this
TICK_SECONDS = 0.2  # how soon an interrupt is noticed


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a class is to be graded."""

    jobs: int  # cores to fill
    force: bool = False
    feedback: bool = False
    students: str = "*"  # a pattern, as nbgrader's --student


@dataclass
class Tally:
    """What came of a run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    current: int = 0
    pages: int = 0
    left: int = 0  # not graded, since the run was interrupted
    passed_over: int = 0  # folders whose name is no student id
    without_page: int = 0  # graded, but their feedback page could not be written
    seconds: float = 0.0
    spent: dict[str, float] = field(default_factory=lambda: {"gradebook": 0.0, "folders": 0.0, "set-up": 0.0})

    @property
    def exit_code(self) -> int:
        """0 all graded, 1 some errored by our fault, 130 interrupted (as shells have it)."""
        if self.left:
            return 130
        return 1 if self.outcomes["errored"] or self.passed_over or self.without_page else 0

    def to_json(self) -> dict[str, Any]:
        """As the last event has it."""
        return {
            "done": self.outcomes.total(),
            "outcomes": dict(sorted(self.outcomes.items())),
            "current": self.current,
            "pages": self.pages,
            "left": self.left,
            "passed_over": self.passed_over,
            "without_page": self.without_page,
            "seconds": round(self.seconds, 3),
            "spent": {name: round(seconds, 3) for name, seconds in self.spent.items()},
        }


def autograde(course: Course, assignment: str, wishes: Wishes, voice: Voice, begun: Desks) -> Tally:
    """Grade a class as `nbgrader autograde` does.

    Args:
        course: the course folder.
        assignment: its name.
        wishes: how.
        voice: is told what happens.
        begun: desks for the same class, with kernels; they open while the class is looked through.

    Raises:
        CourseError: there is nothing to grade, or another run is at work.
        KernelError: no kernel can be had.
    """
    with open_class(course, assignment, wishes, voice) as klass:
        klass.recover(voice)
        students = klass.students(voice)
        if not students:
            raise CourseError(f"nothing is handed in: there is no {klass.submitted('*')} that matches")
        orders = klass.orders(students, voice)
        voice.begin("grading", len(orders), klass.tally.current)
        if orders or wishes.feedback:
            with klass.desks(begun, has_kernels=bool(orders)) as desks, interrupts() as stop:
                for order in orders.values():
                    desks.order(order)
                if wishes.feedback:
                    klass.order_pages([student for student in students if student not in orders], desks)
                for _ in klass.listen(desks, stop, voice):
                    pass
        klass.tally.seconds = time.monotonic() - klass.began
        voice.end(klass.tally.to_json())
        return klass.tally


@contextmanager
def open_class(course: Course, assignment: str, wishes: Wishes, voice: Voice) -> Iterator[Class]:
    os.chdir(course.root)  # nbgrader's own commands do: addresses in the configuration are relative to it
    coursedir = open_coursedir(course, assignment)
    place = (coursedir.db_url, coursedir.course_id, assignment)
    with (
        closing(voice),
        open_runs(_autograded(coursedir), assignment, coursedir.groupshared, voice.note) as (run, left),
        patiently(lambda: ClassBook(*place), course.settings.seconds_for_gradebook, voice.note) as book,
    ):
        yield Class(course, coursedir, book, run, left, wishes)


@contextmanager
def look_at_class(course: Course, assignment: str, wishes: Wishes, voice: Voice) -> Iterator[Class]:
    """A class that is only looked at: nothing is written, so nothing is recovered, and no other run is kept waiting."""
    os.chdir(course.root)
    coursedir = open_coursedir(course, assignment)
    place = (coursedir.db_url, NO_COURSE, assignment)
    if number := num_waiting(_autograded(coursedir), assignment):
        voice.note(f"{number} results of an interrupted run wait and are not looked at: the next run that writes does")
    with (
        closing(voice),
        patiently(lambda: ClassBook(*place), course.settings.seconds_for_gradebook, voice.note) as book,
    ):
        yield Class(course, coursedir, book, Run(Path(os.devnull)), (), wishes)


def _autograded(coursedir: WaryDirectory) -> Path:
    """The folder of all graded submissions."""
    graded = coursedir.format_path(coursedir.autograded_directory, "x", coursedir.assignment_id)
    return Path(graded).parent.parent


class Class:
    """The writer's view of a class: one process, the only one that writes gradebook and nbgrader's folders."""

    def __init__(
        self, course: Course, coursedir: Any, book: ClassBook, run: Run, left: Sequence[Run], wishes: Wishes
    ) -> None:
        self.course, self.wishes = course, wishes
        self.assignment: str = coursedir.assignment_id
        self.tally = Tally()
        self.began = time.monotonic()
        self._coursedir, self._book, self._run, self._left = coursedir, book, run, left
        refuse_unknown_steps(coursedir.config)
        self._penalty = LatePenalty(coursedir.config)
        self.released = Released.read(course, coursedir, self.assignment, book.notebooks)
        self._unsaved: dict[str, dict[str, Any]] = {}  # answers of desks, by student
        self._told: set[tuple[str, str]] = set()  # exercises that we failed to grade, each cause once
        self._saved_at = time.monotonic()
        self._patience: float = course.settings.seconds_for_gradebook
        self._locked_since: float | None = None  # by another program, which the run waits for

    # ------------------------------------------------------------------------------------------------- what there is

    def submitted(self, student: str) -> Path:
        """The folder that a student handed in."""
        coursedir = self._coursedir
        return Path(coursedir.format_path(coursedir.submitted_directory, student, self.assignment))

    def graded(self, student: str) -> Path:
        """The folder with a student's graded submission."""
        coursedir = self._coursedir
        return Path(coursedir.format_path(coursedir.autograded_directory, student, self.assignment))

    def pages(self, student: str) -> Path:
        """The folder with a student's feedback."""
        coursedir = self._coursedir
        return Path(coursedir.format_path(coursedir.feedback_directory, student, self.assignment))

    def students(self, voice: Voice) -> list[str]:
        """Who handed something in and is asked for; folders that are nobody's are named."""
        names = self._matching(self._coursedir.submitted_directory)
        for name in names:
            if trouble := _trouble_with_id(name):
                self.tally.passed_over += 1
                voice.note(f"passed over: {trouble}; rename the folder and grade again", name)
        return [name for name in names if not _trouble_with_id(name)]

    def graded_students(self) -> list[str]:
        """Who is graded and asked for."""
        names = self._matching(self._coursedir.autograded_directory)
        return [name for name in names if not _trouble_with_id(name) and any(self.graded(name).glob("*.ipynb"))]

    def _matching(self, step: str) -> list[str]:
        coursedir = self._coursedir
        pattern = coursedir.format_path(step, "*", self.assignment)
        shape = re.compile(coursedir.format_path(step, "(?P<student>[^/]+)", self.assignment, escape=True) + r"\Z")
        excluded = set(coursedir.student_id_exclude.split(","))
        root = Path(pattern).anchor
        folders = (str(path) for path in Path(root).glob(str(Path(pattern).relative_to(root))) if path.is_dir())
        names = [found["student"] for folder in folders if (found := shape.match(folder)) is not None]
        wanted = self.wishes.students
        return sorted(name for name in names if name not in excluded and fnmatch.fnmatchcase(name, wanted))

    def orders(self, students: Sequence[str], voice: Voice) -> dict[str, dict[str, Any]]:
        """What is to be graded, by student; a folder that cannot be looked through does not stop the others."""
        found = {}
        in_gradebook = patiently(self._book.graded_students, self._patience, voice.note)
        for student in students:
            try:
                order = self.order(student, self.wishes.force or student not in in_gradebook)
            except OSError as problem:
                self.tally.passed_over += 1
                voice.note(f"passed over: {problem}; mend that and grade again", student)
                continue
            if order is None:
                self.tally.current += 1
                continue
            found[student] = order
            if link := self._coursedir.link_to(self.submitted(student)):
                voice.note(f"graded as not handed in: {SHARED.format(link=link)}", student)
        return found

    def order(self, student: str, force: bool) -> dict[str, Any] | None:
        """The order to grade a submission; None where that would give what is there."""
        folder = self.submitted(student)
        link = self._coursedir.link_to(folder)
        if not link:
            handed_in.settle(folder, self.assignment)
        prints = self.released.fingerprints(self._coursedir.fingerprint(folder))
        here = {n: print_ for n, print_ in prints.items() if link or os.path.lexists(folder / f"{n}.ipynb")}
        if not force and here and all(self._is_current(student, name, print_) for name, print_ in here.items()):
            return None
        return {"do": "grade", "student": student, "fingerprints": {name: asdict(p) for name, p in here.items()}}

    def _is_current(self, student: str, notebook: str, fingerprint: ledger.Fingerprint) -> bool:
        graded = self.graded(student)
        if not (graded / f"{notebook}.ipynb").exists():
            return False
        return ledger.read_fingerprint(graded / f"{notebook}{ledger.ENDING}") == fingerprint

    # ------------------------------------------------------------------------------------------------------ the desks

    @contextmanager
    def desks(self, begun: Desks, has_kernels: bool) -> Iterator[Desks]:
        """The processes that grade, told of the class; others than those begun where no submission is to be run."""
        with ExitStack() as opened:
            if begun.has_kernels and not has_kernels:
                begun.kill()
                begun = opened.enter_context(Desks(self.course.root, self.assignment, self.wishes.jobs, has_kernels))
            begun.tell({"notebooks": self._book.notebooks, "run": str(self._run.root)})
            yield begun

    def listen(self, desks: Desks, stop: Interrupts, voice: Voice) -> Iterator[dict[str, Any]]:
        """Take answers and save, until there are no more or somebody interrupts.

        Yields:
            Each answer.
        """
        is_said = False
        while desks.num_open_orders or self._unsaved:
            for answer in desks.answers(TICK_SECONDS):
                self._take(answer, voice)
                yield answer
            if stop.number and not is_said:
                is_said = True
                self.tally.left = desks.forget_waiting()
                voice.note("interrupted: what runs is finished and saved; interrupt again to stop at once")
            if stop.number > 1:
                self.tally.left += desks.num_open_orders
                desks.kill()
            is_due = time.monotonic() - self._saved_at > BATCH_SECONDS
            if len(self._unsaved) >= BATCH or (self._unsaved and (is_due or not desks.num_open_orders)):
                self._save(desks, stop, voice)
            if stop.number > 1 and self._unsaved:  # somebody writes the gradebook; the next run finds what is staged
                self.tally.left += len(self._unsaved)
                self._unsaved = {}

    def _take(self, answer: dict[str, Any], voice: Voice) -> None:
        student = answer["student"]
        for grade_id, failure in answer.get("failures", ()):
            if (grade_id, failure) not in self._told:  # a broken check breaks for everybody
                self._told.add((grade_id, failure))
                voice.note(f"{grade_id} {failure}", student)
        if "trouble" in answer and answer["do"] == "pages":
            self.tally.without_page += 1
            voice.note(f"graded, but the feedback page could not be written: {answer['trouble']}", student)
        elif "trouble" in answer:
            self.tally.outcomes["errored"] += 1
            voice.note(f"not graded, by no fault of the student's: {answer['trouble']}", student)
            voice.done(student, "errored", answer["seconds"])
        elif answer["do"] == "pages":
            self._timed("folders", self._run.pages.put_in_place, student, self.pages(student))
            self.tally.pages += 1
        elif answer["is_staged"]:
            self._unsaved[student] = answer
        else:
            self._count(answer, voice)

    def _count(self, answer: dict[str, Any], voice: Voice) -> None:
        self.tally.outcomes[answer["outcome"]] += 1
        voice.done(answer["student"], answer["outcome"], answer["seconds"])

    def _save(self, desks: Desks, stop: Interrupts, voice: Voice) -> None:
        """Save what is staged: the gradebook first, in one transaction, then the folders.

        While another program writes the gradebook, the desks go on, and it is tried again with the next batch.

        Raises:
            GradebookLocked: it lasts too long.
        """
        answers, self._unsaved = self._unsaved, {}
        self._saved_at = time.monotonic()
        entries = self._entries(self._run, list(answers), voice)
        for student in answers.keys() - entries.keys():
            self._count({**answers[student], "outcome": "errored"}, voice)
        try:
            placed = self._put(self._run, entries, voice)
        except GradebookLocked:
            if not self._may_wait(voice):
                raise
            self._unsaved = {student: answers[student] for student in entries}
            return
        self._locked_since = None
        for student in entries:
            answer = answers[student]
            self._count(answer if student in placed else {**answer, "outcome": "errored"}, voice)
        if self.wishes.feedback and not stop.number:
            self.order_pages(placed, desks)
        elif self.wishes.feedback:
            self.tally.left += len(placed)

    def _may_wait(self, voice: Voice) -> bool:
        """Whether there is patience left for another program that is writing the gradebook."""
        now = time.monotonic()
        if self._locked_since is None:
            self._locked_since = now
            voice.note(f"another program is writing the gradebook: waiting up to {self._patience:.0f} s for its end")
        return now - self._locked_since <= self._patience

    def _put(self, run: Run, entries: Mapping[str, Entry], voice: Voice) -> list[str]:
        """Save complete results and put them in place.

        Returns:
            Whose are; a folder that cannot be replaced does not stop the others.

        Raises:
            GradebookLocked: nothing has happened.
        """
        placed = []
        run.flush()  # what the gradebook knows, the disk has
        self._timed("gradebook", self._book.save, list(entries.values()), self._penalty)
        for student in entries:
            try:
                self._timed("folders", run.put_in_place, student, self.graded(student))
            except OSError as problem:
                voice.note(f"its score is saved, its files wait: {problem}; mend that and grade again", student)
            else:
                placed.append(student)
        return placed

    def _entries(self, run: Run, students: Sequence[str], voice: Voice) -> dict[str, Entry]:
        """What the gradebook must know of complete results; a broken one is set aside, and the others go on."""
        found = {}
        for student in students:
            try:
                found[student] = _entry(run.entry(student), student)
                if run.is_outdated(student, self.graded(student)):
                    aside = run.set_aside(found.pop(student).student, self.graded(student))
                    voice.note(f"an interrupted run's result is older than what is graded; it lies in {aside}", student)
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
                why = f"the result is broken ({type(problem).__name__}: {problem})"
                try:
                    aside = run.set_aside(student, self.graded(student))
                    voice.note(f"{why} and was set aside: {aside}; grade again", student)
                except OSError as other:
                    voice.note(f"{why} and stays where it is: {other}; grade again", student)
        return found

    def order_pages(self, students: Sequence[str], desks: Desks) -> None:
        """Have feedback pages written by what the gradebook says now."""
        for number in range(0, len(students), BATCH):
            grades = patiently(partial(self._book.grades, students[number : number + BATCH]), self._patience)
            for student, given in grades.items():
                desks.order({"do": "pages", "student": student, "given": given})

    def recover(self, voice: Voice) -> None:
        """Save and put in place what earlier runs had finished when they were killed."""
        for run in self._left:
            try:
                waiting = run.waiting()
            except OSError as problem:
                voice.note(f"results of an interrupted run stay where they are: {problem}")
                continue
            saved = 0
            for number in range(0, len(waiting), BATCH):
                entries = self._entries(run, waiting[number : number + BATCH], voice)
                saved += len(patiently(partial(self._put, run, entries, voice), self._patience, voice.note))
            if saved:
                voice.note(f"{saved} results of an interrupted run were saved")

    def _timed(self, name: str, act: Any, *args: Any) -> None:
        began = time.process_time()
        act(*args)
        self.tally.spent[name] += time.process_time() - began


def _trouble_with_id(name: str) -> str:
    """Why a folder's name cannot be a student's id in nbgrader; empty where it can."""
    if name.startswith("."):
        return "its name begins with a dot"
    if "\n" in name:  # nbgrader's patterns end there
        return "its name has a line break"
    return "its name is no text in UTF-8" if name.encode(errors="replace").decode() != name else ""


def _entry(values: Mapping[str, Any], student: str) -> Entry:
    """A staged entry as the gradebook takes it; what is no entry of the student's raises, whatever it is."""
    if values["student"] != student:
        raise ValueError("it is somebody else's")
    when = datetime.fromisoformat(values["timestamp"]) if values["timestamp"] else None
    return Entry(student, when, {name: _marks(marks) for name, marks in values["notebooks"].items()})


def _marks(values: Mapping[str, Any]) -> Marks:
    scores = {name: None if score is None else float(score) for name, score in values["scores"].items()}
    comments = {name: None if text is None else str(text) for name, text in values["comments"].items()}
    return Marks(scores, tuple(str(name) for name in values["held"]), comments)


# --------------------------------------------------------------------------------------------------------- interrupts


class Interrupts:
    """How often somebody asked to stop."""

    number = 0


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    counted = Interrupts()

    def count(*_: object) -> None:
        counted.number += 1

    old = {kind: signal.signal(kind, count) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield counted
    finally:
        for kind, handler in old.items():
            signal.signal(kind, handler)
