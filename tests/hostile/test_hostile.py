"""No submission earns what it does not deserve, touches what is not its own, outstays its time, or harms the next.

Every case goes through the hall (`stepgrade.grade`); a sample goes through a real `nbgrader autograde`.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from stepgrade.classroom import fill
from stepgrade.course import find_course
from stepgrade.grade import Grader
from stepgrade.kernels.warm import WarmProvisioner

# Where Python itself lies under /tmp, its folder is all that a submission finds there.
PYTHON_IN_TMP = [Path(sys.prefix).parts[2]] if Path(sys.prefix).is_relative_to("/tmp") else []

FOLDER = Path(__file__).with_name("corpus")


@dataclass(frozen=True)
class Case:
    """One submission; the corpus' README says how it is written down."""

    code: str
    functions: str
    last: str
    files: dict[str, str]
    is_honest: bool


def read_case(file: Path) -> Case:
    """A case of the corpus."""
    code, *parts = re.split(r"^# %% (.*)\n", file.read_text(encoding="utf-8"), flags=re.M)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    files = {title.removeprefix("file "): text for title, text in sections.items() if title.startswith("file ")}
    parts_of = (sections.get("functions", ""), sections.get("last", "").rstrip("\n"))
    return Case(code.rstrip("\n"), *parts_of, files, is_honest=file.parent.name == "honest")


CASES = {f"{file.parent.name}/{file.stem}": read_case(file) for file in sorted(FOLDER.glob("*/*.cell"))}
POISON = '<script>window.owned = 1</script><img src=x onerror="window.owned = 1">'
NAMES = {"gradient-descent": "gradient_descent", "optimizer": "use_optimizer", "scheduler": "use_scheduler"}
WRONG = "def {name}(*inputs):\n    return [4.0] * inputs[-1]\n"
SECRET = "CANARY-%s-7"
LIMITS = {
    "seconds_per_cell": 2.0,
    "seconds_per_submission": 8.0,
    "cpu_seconds": 1.0,
    "memory_mib": 1024,
    "processes": 40,
    "disk_mib": 16,
    "output_mib_per_cell": 0.5,
    "output_mib_per_notebook": 1.0,
}
MOST_SECONDS = 8 + 2 * 2 + 8  # of the submission, one call and its grace at the end, a busy machine
THROUGH_NBGRADER = (
    "forging/patched-numpy", "forging/hooks", "forging/shadowed-modules", "forging/fake-verdict", "snooping/checks",
    "snooping/gradebook", "destroying/quiet-exit", "destroying/course-files", "escaping/daemon",
    "poisoning/script-in-html",
    "poisoning/script-in-everything", "honest/warnings", "honest/non-ascii",
)  # fmt: skip


class Bait:
    """What the machine and the course have that a submission must not reach."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tmp = Path(f"/tmp/stepgrade-bait-{os.getpid()}")
        self.shm = Path(f"/dev/shm/stepgrade-bait-{os.getpid()}")
        victim = root / "submitted" / "victim" / "optimization" / "optimization.ipynb"
        victim.parent.mkdir(parents=True)
        victim.write_text(SECRET % "SUBMISSION")
        for folder in (self.tmp, self.shm):
            folder.mkdir()
            (folder / "canary.txt").write_text(SECRET % "FOLDER")
        (root / "canary.txt").write_text(SECRET % "COURSE")
        (root / "tests" / "hidden" / "optimization" / "canary.py").write_text(f"# {SECRET % 'CHECK'}\n")
        os.environ["STEPGRADE_TEST_SECRET"] = SECRET % "ENVIRONMENT"
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.visits += 1
            connection.sendall((SECRET % "SERVER").encode())
            connection.close()

    def bait(self, text: str) -> str:
        """The attack, as well informed as it can be."""
        for name, value in (
            ("ROOT", self.root),
            ("TMP", self.tmp),
            ("SHM", self.shm),
            ("PORT", self.port),
            ("PID", os.getpid()),
        ):
            text = text.replace(f"@{name}@", str(value))
        return text

    def state(self) -> list[tuple[str, bytes]]:
        """All files that must not change, and their contents."""
        paths = [
            p
            for folder in (self.tmp, self.shm, self.root / "tests", self.root / "submitted" / "victim")
            for p in folder.rglob("*")
        ]
        paths += self.root.glob("*")
        return sorted((str(p), p.read_bytes()) for p in paths if p.is_file() and "__pycache__" not in str(p))

    def remove(self) -> None:
        """Take it away."""
        self._server.close()
        for folder in (self.tmp, self.shm):
            shutil.rmtree(folder)
        del os.environ["STEPGRADE_TEST_SECRET"]


@pytest.fixture(scope="module")
def bait(classroom: Any) -> Iterator[Bait]:
    placed = Bait(classroom.root)
    yield placed
    placed.remove()


@pytest.fixture(scope="module")
def grader(classroom: Any, bait: Bait) -> Iterator[Grader]:
    course = find_course(classroom.root)
    for name, value in LIMITS.items():
        setattr(course.settings, name, value)
    with Grader(course, "optimization") as opened:
        opened.rehearse()  # as the batch does: the first wrong answer waits for nothing
        yield opened


def notebook_of(name: str, release: Any, accepted: Any, bait: Bait) -> Any:
    """The submission as a notebook: the graded cells alone, the attack before them."""
    case = CASES[name]
    if case.is_honest:
        programs = {e: accepted(e) + case.functions.replace("{name}", f) for e, f in NAMES.items()}
    else:
        programs = {e: (case.functions or WRONG).replace("{name}", f) for e, f in NAMES.items()}
    nb = fill(release, programs)
    nb.cells = [cell for cell in nb.cells if cell.cell_type != "code" or "nbgrader" in cell.metadata]
    if case.code:
        nb.cells.insert(0, nbformat.v4.new_code_cell(bait.bait(case.code), id="attack"))
    if case.last:
        nb.cells.append(nbformat.v4.new_code_cell(bait.bait(case.last), id="last"))
    if name.startswith("poisoning/"):
        nb.cells.insert(0, nbformat.v4.new_markdown_cell(POISON + "[x](javascript:owned())", id="poison"))
        nb.cells.insert(0, nbformat.v4.new_raw_cell(POISON, id="raw"))
    return nb


@pytest.mark.skipif(not WarmProvisioner.is_available(), reason="no walls without Linux")
@pytest.mark.parametrize("name", CASES)
def test_submission_gets_what_it_deserves_and_touches_nothing(
    name: str, classroom: Any, grader: Grader, accepted: Any, bait: Bait, find_poison: Any, tmp_path: Path
) -> None:
    nb = notebook_of(name, classroom.release(), accepted, bait)
    for file, text in CASES[name].files.items():
        (tmp_path / file).write_text(text)
    before, visits = bait.state(), bait.visits

    began = time.monotonic()
    report = grader.grade(nb, "optimization", "attacker", tmp_path)
    took = time.monotonic() - began

    scores = {e.grade_id: (e.outcome, e.score) for e in report.exercises}
    assert sum(e.score for e in report.exercises) == (10 if CASES[name].is_honest else 0), scores
    assert all(e.outcome != "errored" for e in report.exercises), [e.cause for e in report.exercises]
    outputs = json.dumps([cell.get("outputs", []) for cell in nb.cells])
    assert not re.search(r"CANARY-[A-Z]+-7", outputs), re.findall(r".{80}CANARY-[A-Z]+-7", outputs)[:3]
    assert len(nbformat.writes(nb).encode()) < 2**20 * LIMITS["output_mib_per_notebook"] + 500_000  # what is ours
    assert bait.state() == before
    assert bait.visits == visits
    assert took < MOST_SECONDS, took
    assert_is_whole(nb)
    if name.startswith("poisoning/"):
        assert find_poison(page_of(nb)) == []
    assert_next_is_unaffected(grader)


def assert_is_whole(nb: Any) -> None:
    """The graded notebook can be written, read by everybody and shown."""
    nbformat.validate(nb)
    json.dumps(nb, allow_nan=False).encode("utf-8")
    nbformat.writes(nb).encode("utf-8")


def page_of(nb: Any) -> str:
    """The notebook as formgrader and feedback show it."""
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(copy.deepcopy(nb))
    return str(page[page.index("<body") :])


def assert_next_is_unaffected(grader: Grader) -> None:
    """A fresh kernel finds nothing of the one before, and nobody is left."""
    with grader.provisioner.start(None, grader.course.settings.limits) as kernel:
        result = kernel.run_cell(
            "import os, torch\nprint(os.listdir(), os.listdir('/tmp'), os.listdir('/dev/shm'), "
            "[p for p in os.listdir('/proc') if p.isdigit()] == [str(os.getpid())], torch.ones(2).sum().item())"
        )
    assert result.outputs[0]["text"] == f"[] {PYTHON_IN_TMP} [] True 2.0\n", result


def test_a_sample_goes_through_nbgrader(classroom: Any, accepted: Any, bait: Bait, find_poison: Any) -> None:
    names = {name.replace("/", "-"): name for name in THROUGH_NBGRADER}
    for student, name in names.items():
        nb = notebook_of(name, classroom.release(), accepted, bait)
        classroom.hand_in(student, nbformat.writes(copy.deepcopy(nb)))
        for file, text in CASES[name].files.items():
            (classroom.folder_of(student) / file).write_text(text)
    shutil.rmtree(bait.root / "submitted" / "victim")
    classroom.autograde()
    classroom.nbgrader("generate_feedback", "optimization")
    for student, name in names.items():
        assert classroom.score(student) == (10 if CASES[name].is_honest else 0), name
        page = (classroom.root / "feedback" / student / "optimization" / "optimization.html").read_text()
        assert not re.search(r"CANARY-[A-Z]+-7", page), name
        assert find_poison(page) == [], name


def test_there_are_enough_cases() -> None:
    assert sum(not case.is_honest for case in CASES.values()) >= 60
