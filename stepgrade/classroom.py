"""An invented class: submissions made from the released notebook and programs, for the demo, tests and benchmarks.

Knows how a student would have filled in, saved, or mangled a notebook. Refuses to know how it is graded.
"""

from __future__ import annotations

import ast
import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from stepgrade.checks import Checks
from stepgrade.course import CONFIG_FILE, Course, find_course
from stepgrade.diagnosis.catalogue import Program, load_catalogue
from stepgrade.diagnosis.labels import OWN, read_common
from stepgrade.errors import ChecksError, CourseError
from stepgrade.notebook import cell_named, read_ours, solution_and_stub
from stepgrade.quoting import clean

NEEDED = (CONFIG_FILE, "course_config.py", "live_plot.py", "source", "release", "tests/hidden")
"""What a copy of a course folder needs to grade."""


def program_text(file: Path) -> str:
    """A mistake or an accepted answer as a student would have written it: without its docstring."""
    source = file.read_text(encoding="utf-8")
    first = ast.parse(source).body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    lines = source.splitlines()[first.end_lineno if is_docstring else 0 :]
    return "\n".join(lines).strip("\n") + "\n"


def fill(release: NotebookNode, programs: Mapping[str, str]) -> NotebookNode:
    """A copy of the released notebook with programs in its solution cells.

    Args:
        release: the released notebook.
        programs: text by exercise; exercises that are left out keep the stub.
    """
    nb = copy.deepcopy(release)
    for exercise, text in programs.items():
        cell = cell_named(nb, exercise)
        assert cell is not None, f"the release has no cell {exercise!r}"
        cell.source = IMPORTS + text
    return nb


IMPORTS = "import numpy as np\nimport torch\nfrom torch import optim\n\n"
"""What the given frame imports; programs are written below it."""


def hand_in(nb: NotebookNode, course_root: Path, student: str, assignment: str) -> Path:
    """Put a notebook where nbgrader collects submissions to."""
    folder = course_root / "submitted" / student / assignment
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{assignment}.ipynb"
    nbformat.write(nb, path)
    return path


def copy_course(course: Course, root: Path) -> None:
    """Make `root` a course folder of its own with the same assignments, and nothing handed in."""
    for name in NEEDED:
        source, target = course.root / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    for name in ("submitted", "autograded", "feedback"):
        (root / name).mkdir(exist_ok=True)


def watch_live_plots(root: Path, assignment: str) -> None:
    """Make a course's live plots draw and wait while they are graded, as those do that know nothing of graders."""
    asks, file = 'os.environ.get("NBGRADER_EXECUTION")', root / "source" / assignment / "live_plot.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(asks) == 1, f"{file} does not ask once whether it is graded"
    file.unlink()
    file.write_text(text.replace(asks, "False"), encoding="utf-8")


def demo_class(course: Course, assignment: str) -> dict[str, Callable[[Path], object]]:
    """What each invented student hands in: right answers in several styles, well-known mistakes, broken files.

    Returns:
        By student id, a function that hands in, given the root of the course folder.
    """
    release = read_ours(course.root / "release" / assignment / f"{assignment}.ipynb")

    def answers(programs: Mapping[str, str]) -> Callable[[Path], object]:
        nb = fill(release, programs)
        return lambda folder: nbformat.write(nb, folder / f"{assignment}.ipynb")

    def broken(text: str) -> Callable[[Path], object]:
        return lambda folder: (folder / f"{assignment}.ipynb").write_text(text)

    right = in_turn(right_answers(course, assignment))
    handed_in: list[Callable[[Path], object]] = [answers(programs) for programs in right[:3]]
    handed_in += [answers(programs) for programs in in_turn(wrong_answers(course, assignment))[:7]]
    untouched = copy.deepcopy(release)
    handed_in.append(lambda folder: nbformat.write(untouched, folder / f"{assignment}.ipynb"))
    best = right[0]
    raises = fill(release, best)
    raises.cells.insert(1, nbformat.v4.new_code_cell("import a_library_that_nobody_has", id="own-cell"))
    handed_in.append(lambda folder: nbformat.write(raises, folder / f"{assignment}.ipynb"))
    name = next(iter(best))
    function = function_of(release, name)
    stuck = fill(release, best | {name: f"def {function}(*_, **__):\n    while True:\n        pass\n"})
    handed_in.append(lambda folder: nbformat.write(stuck, folder / f"{assignment}.ipynb"))
    handed_in.append(broken('{"cells": [{"cell_type": "code", "source": ["def '))
    renamed = fill(release, best | {name: best[name].replace(f"{function}(", f"my_{function}(")})
    handed_in.append(lambda folder: nbformat.write(renamed, folder / f"{assignment}-final-2.ipynb"))
    handed_in.append(lambda folder: (folder / "answers.txt").write_text("I could not save the notebook."))
    return {f"student-{number:02}": act for number, act in enumerate(handed_in, start=1)}


def function_of(release: NotebookNode, exercise: str) -> str:
    """The name of the function that is to be written in a solution cell."""
    cell = cell_named(release, exercise)
    assert cell is not None, f"the release has no cell {exercise!r}"
    return next(node.name for node in reversed(ast.parse(cell.source).body) if isinstance(node, ast.FunctionDef))


Answers = dict[str, dict[str, str]]
"""Texts of answers, as students would have written them, by exercise and name."""


def right_answers(course: Course, assignment: str) -> Answers:
    """Accepted answers."""
    files = sorted(course.hidden_checks(assignment).glob("*/accepted/*.py"))
    found: Answers = {file.parents[1].name: {} for file in files}
    for file in files:
        found[file.parents[1].name][file.stem] = program_text(file)
    return found


def wrong_answers(course: Course, assignment: str) -> Answers:
    """One wrong answer of each name, the best-known first: those that `mistakes.toml` calls common, in its order.

    Raises:
        ChecksError: it calls something common that has no program.
    """
    folder, ours = course.hidden_checks(assignment), read_ours(course.source_notebook(assignment))
    with Checks(folder) as checks:
        exercises = checks.exercises
    found: Answers = {}
    for exercise in exercises:
        catalogue = load_catalogue(folder / exercise.name, exercise, *solution_and_stub(ours, exercise.name))
        found[exercise.name] = {name: _text_of(program) for name, program in catalogue.wrong_programs().items()}
    common = read_common(folder)
    for name in common:
        if not any(name in answers for answers in found.values()):
            raise ChecksError(f"{folder / OWN}: `common` has “{name}”, which no program has as its name. Leave it out.")
    places = {name: place for place, name in enumerate(common)}
    return {
        e: dict(sorted(a.items(), key=lambda item: (places.get(item[0], len(places)), item[0])))
        for e, a in found.items()
    }


def _text_of(program: Program) -> str:
    return program.source if program.operator else program_text(program.path)


def in_turn(answers: Answers) -> list[dict[str, str]]:
    """One text for each exercise, in as many combinations as the richest exercise has answers."""
    texts = {exercise: list(by_name.values()) for exercise, by_name in answers.items() if by_name}
    longest = max(map(len, texts.values()), default=0)
    return [{exercise: found[n % len(found)] for exercise, found in texts.items()} for n in range(longest)]


DEMO_MARK = ".stepgrade-demo"
DEMO_TEXT = "`stepgrade demo` made this folder, and may replace all that is in it.\n"


def clear_demo(course: Course, folder: Path) -> Path:
    """Make a folder ready for a demo: a new one, an empty one, or one that an earlier demo made, which is emptied.

    Args:
        course: whose assignment the demo uses.
        folder: where the demo is wished.

    Returns:
        Its full path.

    Raises:
        CourseError: something else is there; nothing has been touched.
    """
    root = folder.resolve()
    mark = root / DEMO_MARK
    homes = [path.resolve() for path in (course.root, Path.home())]
    if folder.is_symlink() or any(home.is_relative_to(root) for home in homes):
        raise CourseError(f"{folder} is no place for a demo: name a new folder with --folder")
    try:
        root.mkdir(parents=True, exist_ok=True)
        found = sorted(root.iterdir())
        is_ours = not mark.is_symlink() and mark.is_file() and mark.read_text(encoding="utf-8") == DEMO_TEXT
        if found and not is_ours:
            raise CourseError(
                f"{folder} holds what no demo made, such as {clean(found[0].name)}: nothing was touched; "
                "name a new folder with --folder"
            )
        mark.write_text(DEMO_TEXT, encoding="utf-8")  # it comes first and stays, so that half a demo can be replaced
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
    except (OSError, ValueError) as problem:
        raise CourseError(f"{folder} cannot be used for a demo ({problem}): name another with --folder") from problem
    return root


def run_demo(course: Course, root: Path, assignment: str) -> Course:
    """Build an invented class in a folder of its own and grade it through nbgrader's own commands.

    Args:
        course: whose assignment is used; nothing in it is changed.
        root: for the demo, as `clear_demo` gave it.
        assignment: name of the assignment.

    Returns:
        The demo's course, graded, with feedback pages.

    Raises:
        CourseError: a command of nbgrader's failed; the message has its last words.
    """
    copy_course(course, root)
    for student, hand_in_to in demo_class(course, assignment).items():
        folder = root / "submitted" / student / assignment
        folder.mkdir(parents=True)
        hand_in_to(folder)
    run_nbgrader(root, "generate_assignment", assignment, "--force", "--Stepgrade.prove_before_release=False")
    run_nbgrader(root, "autograde", assignment, f"--Stepgrade.seconds_per_cell={DEMO_SECONDS}")
    run_nbgrader(root, "generate_feedback", assignment)
    return find_course(root)


DEMO_SECONDS = 5  # enough for honest cells; the demo's endless loop should not keep anybody waiting


def run_nbgrader(root: Path, *words: str) -> str:
    """Run an nbgrader command in a course folder.

    Returns:
        What it wrote.

    Raises:
        CourseError: it failed.
    """
    return _run(root, "nbgrader", "-m", "nbgrader", *words)


def run_stepgrade(root: Path, *words: str) -> str:
    """Run a command of ours in a course folder; see `run_nbgrader`."""
    return _run(root, "stepgrade", "-c", "from stepgrade.cli import app; app()", *words)


def _run(root: Path, name: str, *words: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [sys.executable, *words],
        cwd=root,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CourseError(f"{name} {' '.join(words[2:])} failed:\n{done.stdout[-3000:]}")
    return done.stdout
