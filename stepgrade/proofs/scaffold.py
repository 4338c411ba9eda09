"""Writes a new assignment that is fit for release as it stands: the notebook, the hidden checks, an accepted answer.

    source/<assignment>/<assignment>.ipynb
    tests/hidden/<assignment>/mistakes.toml
    tests/hidden/<assignment>/<exercise>/test_<exercise>.py
    tests/hidden/<assignment>/<exercise>/accepted/fresh-tensor.py
    tests/hidden/<assignment>/<exercise>/mistakes/

Every exercise begins as the same small one, for its author to replace; its texts are in `templates/`. Knows names,
folders and nbgrader's cell metadata. Refuses to overwrite anything.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from stepgrade.course import Course
from stepgrade.errors import CourseError
from stepgrade.notebook import SCHEMA

POINTS = 3  # of an exercise: the sum of the markers in templates/test.py.txt
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RESERVED = frozenset(["answers", "ask", "diagnosis", "pytest", "reach", "reference", "torch"])
"""What the templates, the `student` of a check, or a folder beside the exercises' have by these names."""
KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def write_scaffold(course: Course, assignment: str, exercises: Sequence[str]) -> list[Path]:
    """Write a new assignment into a course.

    Args:
        course: where.
        assignment: its name, such as "first-steps".
        exercises: their names, such as "gradient-descent"; the functions are called alike, with underscores.

    Returns:
        The files that were written.

    Raises:
        CourseError: a name cannot be used, or something is there already; nothing was written.
    """
    _refuse_names(assignment, exercises)
    _refuse_overwriting(course, assignment)
    words = {"assignment": assignment, "title": _in_words(assignment), "exercise": exercises[0]}
    checks = course.hidden_checks(assignment)
    texts = {checks / "mistakes.toml": _template("mistakes.toml", words)}
    notebook = _notebook(words, exercises)
    texts[course.source_notebook(assignment)] = nbformat.writes(notebook) + "\n"
    for exercise in exercises:
        mine, folder = words | _words_of(exercise), checks / exercise
        texts[folder / f"test_{mine['function']}.py"] = _template("test.py.txt", mine)
        texts[folder / "accepted" / "fresh-tensor.py"] = _template("accepted.py.txt", mine)
        texts[folder / "mistakes" / ".gitkeep"] = ""
    for path, text in sorted(texts.items()):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return sorted(texts)


# ------------------------------------------------------------------------------------------------------------- names


def _refuse_names(assignment: str, exercises: Sequence[str]) -> None:
    if not exercises:
        raise CourseError("an assignment needs an exercise: stepgrade new ASSIGNMENT EXERCISE…")
    for name, kind in ((assignment, "assignment"), *((exercise, "exercise") for exercise in exercises)):
        if not KEBAB.fullmatch(name):
            raise CourseError(
                f"{name!r} cannot be the name of an {kind}: take small letters and digits, a letter first, with single "
                f"hyphens between words, such as {_repaired(name)!r}"
            )
    for exercise in exercises:
        function = exercise.replace("-", "_")
        if keyword.iskeyword(function) or function in RESERVED:
            raise CourseError(f"{exercise!r} cannot name an exercise: its function could not be called {function}")
    ids = Counter(cell_id for exercise in exercises for cell_id in _ids_of(exercise))
    ids.update(["introduction", "hand-in"])
    twice = next((cell_id for cell_id, times in ids.items() if times > 1), None)
    if twice is not None:
        raise CourseError(f"two cells of the notebook would be called {twice!r}: give an exercise another name")


def _ids_of(exercise: str) -> tuple[str, str, str]:
    return f"{exercise}-text", exercise, f"{exercise}-check"


def _repaired(name: str) -> str:
    """A name that can be used and looks like this one."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower())
    return re.sub(r"^[0-9-]+", "", "-".join(words)) or "first-steps"


def _refuse_overwriting(course: Course, assignment: str) -> None:
    folders = (
        course.source_notebook(assignment).parent,
        course.hidden_checks(assignment),
        course.root / "release" / assignment,
    )
    there = [str(folder.relative_to(course.root)) for folder in folders if folder.exists() or folder.is_symlink()]
    if there:
        raise CourseError(
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already, and nothing is overwritten: "
            "take another name, or move it away first. To add an exercise to an assignment, make a new assignment "
            "with that exercise and copy its cells and its folder."
        )


def _in_words(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _words_of(exercise: str, number: int = 1) -> dict[str, str]:
    """What the templates say of an exercise."""
    in_words = _in_words(exercise)
    return {
        "exercise": exercise,
        "exercise_in_words": in_words[0].lower() + in_words[1:],
        "exercise_in_words_capital": in_words,
        "function": exercise.replace("-", "_"),
        "number": str(number),
        "points": str(POINTS),
    }


def _template(name: str, words: Mapping[str, str]) -> str:
    text = resources.files("stepgrade.proofs").joinpath("templates", name).read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda place: words[place[1]], text)


# ---------------------------------------------------------------------------------------------------------- notebook


def _notebook(words: Mapping[str, str], exercises: Sequence[str]) -> NotebookNode:
    contents = "\n".join(f"{n}. {_words_of(e)['exercise_in_words']}" for n, e in enumerate(exercises, start=1))
    cells = [_markdown("introduction", _template("introduction.md", {**words, "contents": contents}))]
    for number, exercise in enumerate(exercises, start=1):
        mine = {**words, **_words_of(exercise, number)}
        text, solution, check = _ids_of(exercise)
        cells += [
            _markdown(text, _template("exercise.md", mine)),
            _code(_template("solution.py.txt", mine), grade_id=solution, locked=False, grade=False, solution=True),
            _code(
                _template("check.py.txt", mine), grade_id=check, locked=True, grade=True, solution=False, points=POINTS
            ),
        ]
    cells.append(_markdown("hand-in", _template("hand_in.md", words)))
    return nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)


def _markdown(cell_id: str, text: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(text.rstrip("\n"), id=cell_id)


def _code(text: str, grade_id: str, **flags: Any) -> NotebookNode:
    metadata = {"nbgrader": {"grade_id": grade_id, "schema_version": SCHEMA, "task": False, **flags}}
    return nbformat.v4.new_code_cell(text.rstrip("\n"), id=grade_id, metadata=metadata)
