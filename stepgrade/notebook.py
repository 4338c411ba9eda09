"""Notebooks: reading what was handed in, restoring what must not change, cutting hidden parts, writing verdicts.

Knows nbformat, nbgrader's cell metadata and its scoring conventions. Refuses to know kernels, checks and databases.
Nothing here changes a file of the student's.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from stepgrade.errors import NotebookError
from stepgrade.quoting import MOST_OF_A_NAME, clean
from stepgrade.records import CellResult, Output
from stepgrade.source import bound_before, defined_functions

BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
MAX_MIB = 64  # a notebook of this lesson has some 100 kB; one of this size would be read for minutes
MAX_CELLS = 2000  # the lesson has some forty; each takes its time in the kernel and on every page
MAX_CODE = 1 << 20  # characters of all code cells; parsing them takes no more than seconds
STAND_IN = "stepgrade: "  # begins the file that stands for a notebook which was not handed in
MOST_SAID = 500  # characters of why a file could not be read
SCHEMA = 3  # of nbgrader's cell metadata


@dataclass(frozen=True, slots=True)
class Original:
    """A cell of the assignment as the instructor released it; nothing in it comes from a student."""

    grade_id: str
    cell_type: str
    source: str  # of a locked cell, what it must be; of a solution cell, the stub
    is_grade: bool
    is_solution: bool
    is_task: bool
    is_locked: bool
    points: float
    checksum: str = ""

    @property
    def functions(self) -> frozenset[str]:
        """Names of the functions that the released cell defines."""
        return defined_functions(self.source) if self.cell_type == "code" and self.is_solution else frozenset()

    def metadata(self) -> dict[str, Any]:
        """The cell's metadata as nbgrader wants it."""
        values: dict[str, Any] = {
            "cell_type": self.cell_type,
            "checksum": self.checksum,
            "grade": self.is_grade,
            "grade_id": self.grade_id,
            "locked": self.is_locked,
            "schema_version": SCHEMA,
            "solution": self.is_solution,
            "task": self.is_task,
        }
        return values | ({"points": self.points} if self.is_grade or self.is_task else {})


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What could be read of a handed-in file."""

    notebook: NotebookNode
    notes: tuple[str, ...] = ()
    trouble: str = ""  # why it could not be read at all; the notebook is empty then


# ------------------------------------------------------------------------------------------------------------ reading


def read_submission(path: Path) -> HandedIn:
    """Read a handed-in notebook, whatever it is; outputs are dropped, and everything but the cells' text and names.

    Args:
        path: the file; it is only read.

    Returns:
        A well-formed notebook of nbformat 4.5, and what had to be said about the file.
    """
    trouble = _trouble_with_file(path)
    if trouble:
        return unreadable(trouble)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return unreadable("it is not text in UTF-8, so it is no notebook")
    if not text.strip():
        return unreadable("it is empty")
    if text.startswith(STAND_IN):
        return unreadable(text.removeprefix(STAND_IN))
    try:
        raw = json.loads(text)
        if not isinstance(raw, dict) or ("cells" not in raw and "worksheets" not in raw):
            return unreadable("it is JSON, but no notebook (it has no cells)")
        version = raw.get("nbformat", 4)
        if version != 4:
            raw = nbformat.convert(nbformat.from_dict(raw), 4)
        cells = [_clean_cell(cell) for cell in raw["cells"] if isinstance(cell, dict)]
    except json.JSONDecodeError as problem:
        return unreadable(f"it is not valid JSON (line {problem.lineno}: {problem.msg}); was it saved or sent in part?")
    except (RecursionError, Exception) as problem:
        return unreadable(f"its content is damaged ({type(problem).__name__}: {str(problem)[:200]})")
    if len(cells) > MAX_CELLS or sum(len(cell.source) for cell in cells if cell.cell_type == "code") > MAX_CODE:
        return unreadable(f"it has more than {MAX_CELLS} cells, or more than {MAX_CODE >> 20} MiB of code")
    notes = (
        [f"The notebook was handed in as {clean(_writable(path.readlink().name), MOST_OF_A_NAME)}."]
        if path.is_symlink()
        else []
    )
    if version != 4:
        notes.append(f"The notebook was saved in the old format {version}; it was converted.")
    return HandedIn(_new_notebook(cells), tuple(notes))


def _trouble_with_file(path: Path) -> str:
    if path.is_symlink() and not links_to_neighbour(path):
        return "it is a link to another file; hand in the file itself"
    if not path.is_file():
        return "there is no such file"
    if path.stat().st_size > MAX_MIB << 20:
        return f"it is larger than {MAX_MIB} MiB; clear all outputs and hand it in again"
    return ""


def links_to_neighbour(path: Path) -> bool:
    """Whether a link stands for a plain file in the same folder, as the one that is made for a renamed notebook."""
    target = path.readlink()
    neighbour = path.parent / target
    try:
        return target.name == str(target) and neighbour.is_file() and not neighbour.is_symlink()
    except OSError:  # a name that is too long for any file
        return False


def unreadable(trouble: str) -> HandedIn:
    """What stands for a file that cannot be read, or must not be."""
    return HandedIn(_new_notebook([]), trouble=clean(_writable(trouble), MOST_SAID))


def _writable(text: str) -> str:
    """Half of a surrogate pair can be read from JSON, and not be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _new_notebook(cells: list[NotebookNode]) -> NotebookNode:
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _clean_cell(cell: dict[str, Any]) -> NotebookNode:
    source = cell.get("source", "")
    source = "".join(str(line) for line in source) if isinstance(source, list) else str(source)
    source = _writable(source)
    metadata = cell.get("metadata")
    claimed = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    kept = {"nbgrader": dict(claimed)} if isinstance(claimed, dict) else {}
    kind = {"code": "code", "markdown": "markdown", "heading": "markdown"}.get(str(cell.get("cell_type")), "raw")
    # nbformat's own new_…_cell validate each cell by itself, which takes as long as a kernel; the whole is validated.
    values: dict[str, Any] = {"cell_type": kind, "id": "", "metadata": kept, "source": source}
    return nbformat.from_dict(values | ({"execution_count": None, "outputs": []} if kind == "code" else {}))


def read_ours(path: Path) -> NotebookNode:
    """Read a notebook of the instructor's.

    Raises:
        NotebookError: it cannot be read; the message names the file.
    """
    try:
        return nbformat.read(path, as_version=4)
    except Exception as problem:
        raise NotebookError(f"cannot read {path}: {problem}") from problem


def originals_of(nb: NotebookNode) -> list[Original]:
    """The cells that the instructor's own notebook declares, with the solutions cut out."""
    from nbgrader.preprocessors import ClearSolutions

    stubs, _ = ClearSolutions().preprocess(copy.deepcopy(nb), {})
    return [
        Original(
            grade_id=meta["grade_id"],
            cell_type=cell.cell_type,
            source=cell.source,
            is_grade=meta.get("grade", False),
            is_solution=meta.get("solution", False),
            is_task=meta.get("task", False),
            is_locked=meta.get("locked", False),
            points=float(meta.get("points", 0)),
        )
        for cell in stubs.cells
        if (meta := cell.metadata.get("nbgrader"))
    ]


def solution_and_stub(nb: NotebookNode, name: str) -> tuple[str, str]:
    """Our own answer to an exercise, with what it needs of the cells before it, and what everybody is given.

    Args:
        nb: the instructor's own notebook.
        name: the exercise's.
    """
    cell = cell_named(nb, name)
    if cell is None:
        return "", ""
    stub = next((original.source for original in originals_of(nb) if original.grade_id == name), "")
    earlier = []
    for other in code_cells(nb):
        if other is cell:
            break
        earlier.append(other.source)
    return bound_before(earlier, cell.source) + cell.source, stub


# ---------------------------------------------------------------------------------------------------------- restoring


def restore(nb: NotebookNode, originals: Sequence[Original]) -> list[str]:
    """Bring a submission back to the assignment's shape: every graded cell once, locked cells as released.

    Args:
        nb: the submission; changed in place.
        originals: the assignment's graded, solution and locked cells, in order.

    Returns:
        Notes on what was changed, for the log, the report and the student.
    """
    known = {original.grade_id: original for original in originals}
    notes: list[str] = []
    claims = _claims(nb, known, notes)
    for original in originals:
        cells = claims.get(original.grade_id) or _adopt(nb, original, notes)
        if not cells:
            _put_back(nb, original, originals, notes)
            continue
        chosen = _choose(cells, original, notes)
        for cell in cells:
            if cell is not chosen:
                cell.metadata.pop("nbgrader", None)
        _restore_cell(nb, chosen, original, notes)
    return notes


def _grade_id(cell: NotebookNode) -> str | None:
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    return grade_id if isinstance(grade_id, str) else None


def _claims(nb: NotebookNode, known: dict[str, Original], notes: list[str]) -> dict[str, list[NotebookNode]]:
    claims: dict[str, list[NotebookNode]] = {}
    for cell in nb.cells:
        if "nbgrader" not in cell.metadata:
            continue
        grade_id = _grade_id(cell)
        if grade_id in known:
            claims.setdefault(str(grade_id), []).append(cell)
        else:
            notes.append(
                f"A cell calls itself {str(grade_id)[:60]!r}, which this assignment does not have; not graded."
            )
            cell.metadata.pop("nbgrader")
    return claims


def _adopt(nb: NotebookNode, original: Original, notes: list[str]) -> list[NotebookNode]:
    """Cells without a name that define the function of a lost solution cell: it was copied, split or retyped."""
    cells = [c for c in nb.cells if "nbgrader" not in c.metadata and original.functions & defined_functions(c.source)]
    if cells:
        notes.append(f"The cell {original.grade_id!r} had lost its name; it was found by the function it defines.")
    return cells[-1:]


def _choose(cells: list[NotebookNode], original: Original, notes: list[str]) -> NotebookNode:
    if len(cells) > 1:
        notes.append(f"The cell {original.grade_id!r} was there {len(cells)} times; all were run, in their order.")
    defining = [cell for cell in cells if original.functions & defined_functions(cell.source)]
    return (defining or cells)[-1]


def _restore_cell(nb: NotebookNode, cell: NotebookNode, original: Original, notes: list[str]) -> None:
    claimed = cell.metadata.get("nbgrader", {})
    if cell.cell_type != original.cell_type:
        notes.append(f"The cell {original.grade_id!r} had become a {cell.cell_type} cell; it was turned back.")
        number = next(n for n, other in enumerate(nb.cells) if other is cell)
        new = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
        nb.cells[number] = cell = new[original.cell_type](cell.source, id=cell.id)
    if original.is_locked and not original.is_solution and cell.source != original.source:
        if not _is_release_of(cell.source, original.source):
            notes.append(f"The locked cell {original.grade_id!r} had been changed; it was restored.")
        cell.source = original.source
    if (original.is_grade or original.is_task) and claimed.get("points", original.points) != original.points:
        notes.append(f"The points of {original.grade_id!r} had been changed; they are {original.points:g}.")
    cell.metadata = nbformat.from_dict({"nbgrader": original.metadata()})


def _is_release_of(source: str, original: str) -> bool:
    return source.strip() == cut_hidden(original).strip()


def _put_back(nb: NotebookNode, original: Original, originals: Sequence[Original], notes: list[str]) -> None:
    new = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[original.cell_type]
    cell = new(original.source, id=f"restored-{original.grade_id}"[:64])
    cell.metadata = nbformat.from_dict({"nbgrader": original.metadata()})
    nb.cells.insert(_place_of(nb, original, originals), cell)
    notes.append(f"The cell {original.grade_id!r} was missing; it was put back as released.")


def _place_of(nb: NotebookNode, original: Original, originals: Sequence[Original]) -> int:
    """After the cells that stand before it in the assignment, else before those after it, else at the end."""
    order = [other.grade_id for other in originals]
    before = set(order[: order.index(original.grade_id)])
    places = [number for number, cell in enumerate(nb.cells) if _grade_id(cell) in before]
    after = [number for number, cell in enumerate(nb.cells) if _grade_id(cell) in set(order) - before]
    return places[-1] + 1 if places else (after or [len(nb.cells)])[0]


# ------------------------------------------------------------------------------------------------------ hidden parts


def cut_hidden(source: str) -> str:
    """A cell's text without what stands between nbgrader's marks of hidden tests."""
    kept: list[str] = []
    is_hidden = False
    for line in source.split("\n"):
        if "BEGIN HIDDEN TESTS" in line:
            is_hidden = True
        elif "END HIDDEN TESTS" in line:
            is_hidden = False
        elif not is_hidden:
            kept.append(line)
    return "\n".join(kept)


def code_cells(nb: NotebookNode) -> list[NotebookNode]:
    """The cells that are run, in order."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def cell_named(nb: NotebookNode, grade_id: str) -> NotebookNode | None:
    """The cell with this `grade_id`."""
    return next((cell for cell in nb.cells if _grade_id(cell) == grade_id), None)


def graded_code_cells(nb: NotebookNode) -> list[NotebookNode]:
    """The cells whose score the checks decide: code, graded, and no solution."""
    wanted = []
    for cell in code_cells(nb):
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade") and not meta.get("solution"):
            wanted.append(cell)
    return wanted


# ---------------------------------------------------------------------------------------------------------- verdicts


def show_result(cell: NotebookNode, result: CellResult) -> None:
    """Write what running a cell gave into the notebook."""
    cell.outputs = [nbformat.from_dict(output) for output in result.outputs]
    count = result.execution_count  # the student's process says so
    cell.execution_count = count if type(count) is int and 0 <= count < 1 << 31 else None
    if result.status in ("timed_out", "died", "left_out"):
        names = {"timed_out": "CellTimeoutError", "died": "KernelDied", "left_out": "NotRun"}
        cell.outputs.append(_error(names[result.status], result.message or "The cell was stopped."))
    elif result.message:
        cell.outputs.append(_text(result.message))


def write_verdict(cell: NotebookNode, html: str, text: str, score: float, points: float, is_errored: bool) -> None:
    """Write score and feedback into a grade cell, in the conventions by which nbgrader reads a score.

    No error and no result: full points; a result that is a number: that many; an error: none. What the visible check
    put out stays to be seen, in a form that decides nothing.
    """
    shown = [_neutral(output) for output in cell.outputs]
    shown.append(_shown({"text/html": html, "text/plain": text}))
    if is_errored:
        shown.append(_error("NotGraded", "The grader failed, not you. Your score is held until this is graded again."))
    elif score <= 0:
        shown.append(_error("Score", f"0 of {points:g} points"))
    elif score < points:
        shown.append(_shown({"text/plain": repr(float(score))}))
        shown[-1] |= {"output_type": "execute_result", "execution_count": cell.execution_count}
    cell.outputs = shown


def remove_verdict(cell: NotebookNode) -> None:
    """Take out what `write_verdict` put into a grade cell; what the visible check put out stays."""
    shown = [n for n, o in enumerate(cell.outputs) if o.output_type == "display_data" and "text/html" in o.data]
    if shown:
        cell.outputs = cell.outputs[: shown[-1]]


def feedback_text(cell: NotebookNode) -> str:
    """The feedback that `write_verdict` wrote into a grade cell, as text."""
    texts = [o.data["text/plain"] for o in cell.outputs if o.output_type == "display_data" and "text/html" in o.data]
    return str(texts[-1]) if texts else ""


def _neutral(output: Output) -> NotebookNode:
    """The same to look at, without a meaning for nbgrader."""
    match output["output_type"]:
        case "error":
            return _text("\n".join(output.get("traceback") or [f"{output['ename']}: {output['evalue']}"]))
        case "stream" if output["name"] != "stdout":
            return _text(output["text"])
        case "execute_result":
            return _shown(output["data"])
    return nbformat.from_dict(output)


def _text(text: str) -> NotebookNode:
    return _shown({"text/plain": text})


def _error(name: str, message: str) -> NotebookNode:
    lines = [f"{name}: {message}"]
    return nbformat.from_dict({"output_type": "error", "ename": name, "evalue": message, "traceback": lines})


def _shown(data: dict[str, Any]) -> NotebookNode:
    return nbformat.from_dict({"output_type": "display_data", "metadata": {}, "data": data})


def write_notes(nb: NotebookNode, notes: Iterable[str], title: str = "Notes from grading") -> None:
    """Put what the grader had to say of the whole notebook into a cell at its top."""
    lines = [f"- {_escape(note)}" for note in notes]
    if lines:
        nb.cells.insert(0, nbformat.v4.new_markdown_cell("\n".join([f"**{title}**", "", *lines]), id="grading-notes"))


def _escape(text: str) -> str:
    """Text that Markdown and HTML leave alone."""
    for sign in "\\`*_[]#|$":
        text = text.replace(sign, "\\" + sign)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
