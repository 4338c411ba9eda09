"""What is handed in is hostile as a file or a folder, not only as code: odd notebooks, links, pipes, names, floods.

One class goes through `stepgrade autograde`, and the same through nbgrader's own commands.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from stepgrade import handed_in, notebook, strange_files
from stepgrade.classroom import fill, run_nbgrader
from stepgrade.kernels.warm import WarmProvisioner

NAMES = {"gradient-descent": "gradient_descent", "optimizer": "use_optimizer", "scheduler": "use_scheduler"}
CANARY = "CANARY-FILE-7"
FILE = "optimization.ipynb"
TIME = "timestamp.txt"
POISON = '<script>window.owned = 1</script><img src=x onerror="window.owned = 1">'
READ_ALL = """
import os
for place, folders, files in os.walk('.'):
    for name in files:
        try: print(name, open(os.path.join(place, name), errors='replace').read(2000))
        except OSError as e: print(name, e)
"""

Handing = Callable[[Path, Any, Path], None]
"""Hands in: the folder, a notebook that earns everything and prints all files beside it, the course folder."""


def written(change: Callable[[dict[str, Any]], Any]) -> Handing:
    """The notebook, changed as plain JSON or given back as text."""

    def hand_in(folder: Path, nb: Any, root: Path) -> None:
        raw = json.loads(nbformat.writes(nb))
        changed = change(raw)
        text = changed if isinstance(changed, str) else json.dumps(raw)
        (folder / FILE).write_text(text, encoding="utf-8")

    return hand_in


def beside(put: Callable[[Path, Path], Any]) -> Handing:
    """The notebook as it is, and something beside it."""

    def hand_in(folder: Path, nb: Any, root: Path) -> None:
        nbformat.write(nb, folder / FILE)
        put(folder, root)

    return hand_in


def instead(put: Callable[[Path, Path], Any]) -> Handing:
    """No notebook, but something else."""
    return lambda folder, nb, root: put(folder, root)


def each_cell(change: Callable[[dict[str, Any]], Any]) -> Handing:
    return written(lambda raw: [change(cell) for cell in raw["cells"]] and None)


def first_cell(**values: Any) -> Handing:
    cell = {"cell_type": "markdown", "metadata": {}, "source": "x", **values}
    return written(lambda raw: raw["cells"].insert(0, cell))


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def deep_folders(folder: Path, root: Path) -> None:
    """Deeper than Python recurses."""
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=handle)
        inner = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)


def file_in(folder: Path) -> None:
    folder.mkdir()
    (folder / "x.txt").touch()


def many_files(folder: Path, root: Path) -> None:
    for number in range(1500):
        (folder / f"file{number}.txt").touch()


def many_folders(folder: Path, root: Path) -> None:
    for number in range(900):
        place = (
            folder
            / f"a{number}"
            / "b"
            / "c"
            / "d"
            / "e"
            / "f"
            / "g"
            / "h"
            / "i"
            / "j"
            / "k"
            / "l"
            / "m"
            / "n"
            / "o"
            / "p"
        )
        place.mkdir(parents=True)
        (place / "x.txt").touch()


def sparse(folder: Path, root: Path) -> None:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(3 << 30)


def flood(raw: dict[str, Any]) -> None:
    cell = {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": "x"}}, "source": "1", "outputs": []}
    raw["cells"] += [cell] * 10_000


def doubled(raw: dict[str, Any]) -> None:
    for cell in list(raw["cells"]):
        if "nbgrader" in cell["metadata"]:
            again = copy.deepcopy(cell)
            again["metadata"]["nbgrader"].update(points=1000, grade=True, locked=False, solution=False)
            raw["cells"].append(again)


def attached(raw: dict[str, Any]) -> None:
    cell = {"cell_type": "markdown", "metadata": {}, "source": "![x](attachment:a.png) ![y](attachment:none.png)"}
    cell["attachments"] = {"a.png": {"image/svg+xml": "<svg onload=owned()>", "text/html": POISON}, '"><script>': {}}
    raw["cells"].insert(0, cell)


def decorated(raw: dict[str, Any]) -> None:
    raw["metadata"].update(
        title=POISON, authors=[{"name": POISON}], widgets={"x": "</script>" + POISON}, latex_envs={"x": POISON},
        kernelspec={"name": POISON, "display_name": POISON, "language": POISON},
        language_info={"name": "x", "pygments_lexer": POISON, "codemirror_mode": POISON, "mimetype": POISON},
        stepgrade={"notes": [POISON], "trouble": ""}, celltoolbar=POISON,
    )  # fmt: skip
    for cell in raw["cells"]:
        cell["metadata"].update(
            tags=[POISON, "remove_cell"], name=POISON, magics_language=POISON, hide_input=True, slideshow=POISON
        )


def scored(raw: dict[str, Any]) -> None:
    """What a graded notebook looks like, for other answers than ours."""
    for cell in raw["cells"]:
        meta = cell["metadata"].get("nbgrader")
        if meta:
            meta.update(points=1e300, checksum="0", score=4, schema_version=99, cell_type="raw", task=True, extra=[1])
            cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "4.0"}, "execution_count": 1}]


RIGHT: dict[str, Handing] = {
    "link to a file": beside(lambda folder, root: (folder / "a.txt").symlink_to(root / "canary.txt")),
    "link up": beside(lambda folder, root: (folder / "a.txt").symlink_to("../../../canary.txt")),
    "hidden link": beside(lambda folder, root: (folder / ".a").symlink_to(root / "canary.txt")),
    "link to a folder": beside(lambda folder, root: (folder / "all").symlink_to(root)),
    "links in a circle": beside(lambda folder, root: [(folder / name).symlink_to(".") for name in "abc"]),
    "links to themselves": beside(lambda folder, root: [(folder / name).symlink_to(name) for name in "abc"]),
    "link to nothing": beside(lambda folder, root: (folder / "a").symlink_to("n" * 300)),
    "link to a check": beside(
        lambda folder, root: (folder / "live_plot.py").symlink_to(root / "tests/hidden/optimization/canary.py")
    ),
    "pipe": beside(lambda folder, root: os.mkfifo(folder / "pipe")),
    "odd names": beside(lambda folder, root: [(folder / n).touch() for n in ("a\nb", "-rf", "$(x)", "'\"", " ")]),
    "name without text": beside(lambda folder, root: Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt")).touch()),
    "closed file": beside(lambda folder, root: [(folder / "closed").touch(), (folder / "closed").chmod(0)]),
    "closed folder": beside(lambda folder, root: (folder / "closed").mkdir(mode=0)),
    "deep folders": beside(deep_folders),
    "many files": beside(many_files),
    "many folders": beside(many_folders),
    "huge file": beside(sparse),
    "folder in the place of our file": beside(lambda folder, root: (folder / "live_plot.py" / "x").mkdir(parents=True)),
    "file like our report": beside(lambda folder, root: (folder / "optimization.report.json").write_text('{"a": 1}')),
    "folder like our report": beside(lambda folder, root: (folder / "optimization.report.json").mkdir()),
    "stepgrade's own folder": beside(lambda folder, root: (folder / ".stepgrade").mkdir()),
    "file like our page": beside(lambda folder, root: (folder / "optimization.html").write_text(POISON)),
    "folder like our page": beside(lambda folder, root: file_in(folder / "optimization.html")),
    "time that is a pipe": beside(lambda folder, root: os.mkfifo(folder / TIME)),
    "time that is a link": beside(lambda folder, root: (folder / TIME).symlink_to(root / "canary.txt")),
    "time that is a device": beside(lambda folder, root: (folder / TIME).symlink_to("/dev/zero")),
    "time that is a folder": beside(lambda folder, root: file_in(folder / TIME)),
    "time without text": beside(lambda folder, root: (folder / TIME).write_bytes(b"\xff\xfe")),
    "time of nonsense": beside(lambda folder, root: (folder / TIME).write_text("not a time at all")),
    "time too large": beside(lambda folder, root: (folder / TIME).write_text("9" * 400)),
    "time before all times": beside(lambda folder, root: (folder / TIME).write_text("0001-01-01 00:00:00 +2300")),
    "time too far": beside(lambda folder, root: (folder / TIME).write_text("2020-01-01 00:00:00 999999999999999999")),
    "pytest's files": beside(lambda folder, root: (folder / "conftest.py").write_text("raise SystemExit")),
    "other notebook": beside(lambda folder, root: (folder / "other.ipynb").symlink_to("/nowhere")),
    "half of a surrogate": first_cell(cell_type="code", source="print('\ud83d', 1)\n"),
    "surrogate in text": first_cell(source="# \udc00 lone"),
    "missing attachment": first_cell(source="![image.png](attachment:image.png)"),
    "attachments": written(attached),
    "decorated": written(decorated),
    "scored": written(scored),
    "doubled": written(doubled),
    "no ids": each_cell(lambda cell: cell.pop("id", None)),
    "same ids": each_cell(lambda cell: cell.update(id="same")),
    "odd ids": each_cell(lambda cell: cell.update(id=POISON)),
    "odd metadata": first_cell(metadata=[1, 2]),
    "no metadata": first_cell(metadata=None),
    "outputs in text": first_cell(outputs=[{"output_type": "display_data", "data": {"text/html": POISON}}]),
    "odd outputs": first_cell(cell_type="code", source="", outputs={"a": POISON}, execution_count="x"),
    "odd cell": written(lambda raw: raw["cells"].insert(0, ["a", 1, None])),
    "odd kind": first_cell(cell_type=["code"], source={"a": POISON}),
    "raw poison": first_cell(cell_type="raw", source=POISON, metadata={"raw_mimetype": "text/html"}),
    "no numbers": written(lambda raw: json.dumps(raw | {"x": [float("nan"), float("inf")]})),
    "keys twice": written(lambda raw: '{"cells": [], "nbformat": 3, ' + json.dumps(raw)[1:]),
    "other version": written(lambda raw: raw.update(nbformat_minor=99)),
    "markdown bomb": first_cell(source="\\begin{a}[![*a **b " * 50_000),
    "many markdown bombs": written(
        lambda raw: raw["cells"].extend([{"cell_type": "markdown", "source": "[a](" * 5000}] * 300)
    ),
    "script in Markdown": first_cell(
        source="[x](&#1&#48;6;avascript:owned()) <p>\n<https://x/onfocus=owned()>\n</p>\n\n"
        "$\\\\href{javascript:owned()}{x}$ [y](owned.html)" + POISON
    ),
    "claims": first_cell(cell_type="code", metadata={"nbgrader": {"grade_id": POISON, "points": [1], "grade": 5}}),
}  # fmt: skip
"""What must lose nothing: the three functions are right."""

WRONG: dict[str, Handing] = {
    "notebook that is a link": instead(
        lambda folder, root: (folder / FILE).symlink_to(root / "source/optimization" / FILE)
    ),
    "notebook that leads nowhere": instead(lambda folder, root: (folder / FILE).symlink_to("nowhere.ipynb")),
    "notebook with a long link": instead(lambda folder, root: (folder / FILE).symlink_to("n" * 300)),
    "notebook that is a circle": instead(lambda folder, root: (folder / FILE).symlink_to(FILE)),
    "other notebook that leads nowhere": instead(lambda folder, root: (folder / "other.ipynb").symlink_to("/nowhere")),
    "two that lead nowhere": instead(
        lambda folder, root: [(folder / name).symlink_to("/nowhere") for name in ("other.ipynb", FILE)]
    ),
    "notebook that is a folder": instead(lambda folder, root: (folder / FILE).mkdir()),
    "notebook that is a pipe": instead(lambda folder, root: os.mkfifo(folder / FILE)),
    "notebook that is a device": instead(lambda folder, root: (folder / FILE).symlink_to("/dev/zero")),
    "nothing but a name without text": instead(
        lambda folder, root: Path(os.fsdecode(os.fsencode(folder) + b"/L\xf6sung.txt")).touch()
    ),
    "trap for the stand-in": instead(
        lambda folder, root: (folder / ".optimization.part").symlink_to(root / "canary.txt")
    ),
    "thousands of other files": instead(many_files),
    "nothing": instead(lambda folder, root: None),
    "poison for a name": instead(lambda folder, root: (folder / "<img src=x onerror=owned()>").touch()),
    "false stand-in": written(lambda raw: "stepgrade: " + POISON * 100),
    "too many cells": written(flood),
    "too much text": first_cell(cell_type="code", source="x = 1\n" * 1_000_000),
    "deep": written(lambda raw: '{"cells": [' + nested(100_000) + "]}"),
    "deep in a cell": written(lambda raw: '{"cells": [{"metadata": {"nbgrader": ' + nested(900) + "}}]}"),
    "cells are a number": written(lambda raw: '{"cells": 5}'),
    "old and odd": written(lambda raw: '{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "\\ud800"}]}]}'),
    "future": written(lambda raw: '{"nbformat": 1e308, "cells": []}'),
    "long number": written(lambda raw: f'{{"nbformat": {"9" * 6000}, "cells": []}}'),
    "UTF-16": instead(lambda folder, root: (folder / FILE).write_bytes("{}".encode("utf-16"))),
    "zeroes": instead(lambda folder, root: (folder / FILE).write_bytes(bytes(1 << 20))),
}  # fmt: skip
"""What earns nothing, and is told why."""

ODD_NAMES = (
    "student 01",
    "-rf",
    "a'b\"c",
    "=1+1",
    "%s{0}$(x)",
    "größe",
    "@x",
    "<img src=x onerror=owned()>",
)
"""Folders of students; each hands in a notebook that earns everything."""


def right_notebook(release: Any, accepted: Any) -> Any:
    nb = fill(release, {exercise: accepted(exercise) for exercise in NAMES})
    nb.cells = [cell for cell in nb.cells if cell.cell_type != "code" or "nbgrader" in cell.metadata]
    nb.cells.insert(0, nbformat.v4.new_code_cell(READ_ALL, id="attack"))
    return nb


def students() -> dict[str, tuple[Handing, int]]:
    """By id: what is handed in, and what it is worth."""
    cases = [*((RIGHT[name], 10) for name in RIGHT), *((WRONG[name], 0) for name in WRONG)]
    found = {f"student-{number:02}": case for number, case in enumerate(cases, start=1)}
    return found | {name: (beside(lambda folder, root: None), 10) for name in ODD_NAMES}


TITLES = dict(zip(students(), [*RIGHT, *WRONG, *ODD_NAMES], strict=True))


def state_of(folder: Path) -> dict[str, Any]:
    """What was handed in, without following links."""
    seen: dict[str, Any] = {}
    for name in strange_files.walk(folder):
        path = folder / name
        try:
            is_small = path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20
            seen[name] = path.read_bytes() if is_small else path.lstat().st_size
        except OSError:
            seen[name] = None
    return seen


class Class:
    """A class that was graded in one of the two ways."""

    def __init__(self, classroom: Any, accepted: Any, way: str) -> None:
        self.classroom, self.way = classroom, way
        root: Path = classroom.root
        (root / "canary.txt").write_text(CANARY)
        (root / "tests/hidden/optimization/canary.py").write_text(f"# {CANARY}\n")
        with (root / "course_config.py").open("a") as config:
            config.write("\nc.Stepgrade.seconds_per_cell = 4\nc.Stepgrade.seconds_per_submission = 20\n")
        nb = right_notebook(classroom.release(), accepted)
        for student, (hand_in, _) in students().items():
            hand_in(classroom.folder_of(student), copy.deepcopy(nb), root)
        self.before = {student: state_of(classroom.folder_of(student)) for student in students()}
        began = time.monotonic()
        self.log = self._grade(root)
        self.seconds = time.monotonic() - began

    def _grade(self, root: Path) -> str:
        if self.way == "nbgrader":
            said = run_nbgrader(root, "autograde", "optimization")
            return said + run_nbgrader(root, "generate_feedback", "optimization")
        words = [str(Path(sys.executable).with_name("stepgrade")), "autograde", "optimization", "--feedback"]
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


@pytest.fixture(scope="module", params=["stepgrade", "nbgrader"])
def graded(request: Any, classroom: Any, tmp_path_factory: Any, accepted: Any) -> Iterator[Class]:
    root = tmp_path_factory.mktemp(request.param)
    shutil.copytree(classroom.root, root, dirs_exist_ok=True)
    try:
        yield Class(replace(classroom, root=root), accepted, request.param)
    finally:  # where grading fails too: pytest, which clears old folders later, cannot remove these
        remove(root)


def remove(folder: Path) -> None:
    """Python's own way recurses too deeply."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)


needs_walls = pytest.mark.skipif(not WarmProvisioner.is_available(), reason="no walls without Linux")


@needs_walls
@pytest.mark.parametrize("student", TITLES, ids=list(TITLES.values()))
def test_every_submission_gets_what_it_deserves(student: str, graded: Class, find_poison: Any) -> None:
    report = graded.classroom.report(student)
    assert "errored" not in [exercise["outcome"] for exercise in report["exercises"]]
    assert graded.classroom.score(student) == students()[student][1]
    nb = graded.classroom.graded(student)
    nbformat.validate(nb)
    page = (graded.classroom.root / "feedback" / student / "optimization" / "optimization.html").read_text()
    assert len(page) < 6e6
    assert find_poison(page[page.index("<body") :]) == []


@needs_walls
def test_nothing_was_read_and_nothing_changed(graded: Class) -> None:
    root = graded.classroom.root
    for place in ("autograded", "feedback"):
        for path in (root / place).rglob("*"):
            if path.is_file():
                assert CANARY.encode() not in path.read_bytes(), path
    assert (root / "canary.txt").read_text() == CANARY
    for student, before in graded.before.items():
        after = state_of(graded.classroom.folder_of(student))
        assert {name: after.get(name) for name in before} == before, TITLES[student]
        assert set(after) - set(before) <= {FILE}, TITLES[student]


@needs_walls
def test_the_class_took_its_time_and_no_more(graded: Class) -> None:
    assert graded.seconds < 4 * len(students()), graded.seconds


def test_plain_files_alone_are_copied(tmp_path: Path) -> None:
    folder, target = tmp_path / "from", tmp_path / "to"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "a.csv").write_text("1")
    (folder / "b.pyc").touch()
    (folder / FILE).touch()
    (folder / "link").symlink_to("/etc/hostname")
    (folder / "linked").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    sparse(folder, tmp_path)
    assert sorted(handed_in.copy_files(folder, target, ["*.pyc"])) == ["huge.bin", "link", "linked", "pipe"]
    assert [str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()] == ["data/a.csv"]


@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_reading_never_raises(name: str, tmp_path: Path, classroom: Any, accepted: Any) -> None:
    cases = RIGHT | WRONG
    cases[name](tmp_path, right_notebook(classroom.release(), accepted), classroom.root)
    read = notebook.read_submission(tmp_path / FILE)
    nbformat.validate(read.notebook)
    nbformat.writes(read.notebook).encode("utf-8")
    assert bool(read.trouble) == (name in WRONG or not (tmp_path / FILE).exists())
    before = handed_in.fingerprint(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{32}", before)
    handed_in.settle(tmp_path, "optimization")
    assert handed_in.fingerprint(tmp_path)
    remove(tmp_path)
