"""Notebooks as they come back from three hundred students."""

import copy
import json
from pathlib import Path

import nbformat
import pytest

from stepgrade.notebook import (
    Original,
    cell_named,
    code_cells,
    cut_hidden,
    feedback_text,
    read_submission,
    restore,
    show_result,
    write_notes,
    write_verdict,
)
from stepgrade.records import CellResult

STUB = "def gradient_descent(f, x0, lr, iterations):\n    raise NotImplementedError()"
CHECK = "print('visible')\n### BEGIN HIDDEN TESTS\n# hidden\n### END HIDDEN TESTS"
ORIGINALS = [
    Original("gradient-descent", "code", STUB, False, True, False, False, 0, "a"),
    Original("gradient-descent-check", "code", CHECK, True, False, False, True, 4, "b"),
    Original("optimizer", "code", STUB.replace("gradient_descent", "use_optimizer"), False, True, False, False, 0, "c"),
    Original("optimizer-check", "code", CHECK, True, False, False, True, 3, "d"),
]
ANSWER = "def gradient_descent(f, x0, lr, iterations):\n    return [1.0]"


def submission():
    cells = [nbformat.v4.new_markdown_cell("lesson"), nbformat.v4.new_code_cell("import torch")]
    for original in ORIGINALS:
        source = ANSWER if original.grade_id == "gradient-descent" else cut_hidden(original.source)
        cell = nbformat.v4.new_code_cell(source)
        cell.metadata = nbformat.from_dict({"nbgrader": original.metadata()})
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


def ids(nb) -> list[str]:
    return [c.metadata.nbgrader.grade_id for c in nb.cells if "nbgrader" in c.metadata]


WHOLE = [original.grade_id for original in ORIGINALS]


def test_an_untouched_shape_is_left_alone_and_gets_its_hidden_parts_back() -> None:
    nb = submission()
    assert restore(nb, ORIGINALS) == []
    assert ids(nb) == WHOLE
    assert cell_named(nb, "gradient-descent-check").source == CHECK
    assert cell_named(nb, "gradient-descent").source == ANSWER


@pytest.mark.parametrize("lost", WHOLE)
def test_a_deleted_cell_is_put_back_in_its_place(lost: str) -> None:
    nb = submission()
    nb.cells = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") != lost]
    notes = restore(nb, ORIGINALS)
    assert ids(nb) == WHOLE
    assert notes == [f"The cell {lost!r} was missing; it was put back as released."]


def test_all_graded_cells_deleted_come_back_in_order() -> None:
    nb = submission()
    nb.cells = nb.cells[:2]
    restore(nb, ORIGINALS)
    assert ids(nb) == WHOLE


def test_an_answer_whose_cell_lost_its_name_is_found_by_its_function() -> None:
    nb = submission()
    cell_named(nb, "gradient-descent").metadata = nbformat.from_dict({})
    notes = restore(nb, ORIGINALS)
    assert cell_named(nb, "gradient-descent").source == ANSWER
    assert "found by the function it defines" in notes[0]


def test_of_two_cells_with_one_name_the_last_that_defines_the_function_counts() -> None:
    nb = submission()
    first = copy.deepcopy(cell_named(nb, "gradient-descent"))
    cell_named(nb, "gradient-descent").source = "# nothing here"
    nb.cells.insert(2, first)
    notes = restore(nb, ORIGINALS)
    assert ids(nb).count("gradient-descent") == 1
    assert cell_named(nb, "gradient-descent").source == ANSWER
    assert "2 times" in notes[0]


def test_a_split_solution_keeps_both_halves_running() -> None:
    nb = submission()
    cell = cell_named(nb, "gradient-descent")
    cell.source = "def helper():\n    return [1.0]"
    half = nbformat.v4.new_code_cell("def gradient_descent(f, x0, lr, iterations):\n    return helper()")
    half.metadata = copy.deepcopy(cell.metadata)
    nb.cells.insert(3, half)
    restore(nb, ORIGINALS)
    assert cell_named(nb, "gradient-descent").source == half.source
    assert "def helper" in "\n".join(c.source for c in code_cells(nb))


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_a_retyped_cell_is_turned_back(kind: str) -> None:
    nb = submission()
    number = next(n for n, c in enumerate(nb.cells) if c.get("source") == ANSWER)
    made = {"markdown": nbformat.v4.new_markdown_cell, "raw": nbformat.v4.new_raw_cell}[kind](ANSWER)
    made.metadata = nb.cells[number].metadata
    nb.cells[number] = made
    notes = restore(nb, ORIGINALS)
    assert cell_named(nb, "gradient-descent").cell_type == "code"
    assert f"had become a {kind} cell" in notes[0]


def test_points_and_locked_text_are_the_assignments() -> None:
    nb = submission()
    cell = cell_named(nb, "optimizer-check")
    cell.metadata.nbgrader.points = 300
    cell.metadata.nbgrader.grade = False
    cell.metadata.tags = ["raises-exception", "skip-execution"]
    cell.source = "print('10/10')"
    notes = restore(nb, ORIGINALS)
    cell = cell_named(nb, "optimizer-check")
    assert (cell.metadata.nbgrader.points, cell.metadata.nbgrader.grade, cell.source) == (3, True, CHECK)
    assert "tags" not in cell.metadata
    assert any("locked cell" in note for note in notes) and any("points" in note for note in notes)


def test_a_cell_with_a_foreign_name_is_not_graded() -> None:
    nb = submission()
    cell = nbformat.v4.new_code_cell("1")
    cell.metadata = nbformat.from_dict({"nbgrader": {"grade": True, "grade_id": "bonus", "points": 99}})
    nb.cells.append(cell)
    assert "does not have" in restore(nb, ORIGINALS)[0]
    assert ids(nb) == WHOLE


def test_metadata_that_is_nonsense_is_survived(tmp_path: Path) -> None:
    nb = json.loads(nbformat.writes(submission()))
    nb["cells"][2]["metadata"]["nbgrader"] = {"grade": True}
    nb["cells"][3]["metadata"] = "text"
    nb["cells"][4]["metadata"]["nbgrader"] = {"grade_id": ["a"], "schema_version": 99}
    nb["cells"].append({"cell_type": "code", "source": 3})
    nb["cells"].append("no cell")
    file = tmp_path / "optimization.ipynb"
    file.write_text(json.dumps(nb))
    handed_in = read_submission(file)
    assert not handed_in.trouble
    restore(handed_in.notebook, ORIGINALS)
    assert sorted(ids(handed_in.notebook)) == sorted(WHOLE)
    nbformat.validate(handed_in.notebook)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"   \n", "it is empty"),
        (b'{"cells": [', "not valid JSON"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not text"),
        (b"[1, 2]", "no notebook"),
        (b'{"cells": 3, "nbformat": 4}', "damaged"),
        (b"[" * 200_000, "damaged"),
        (b"<html>download failed</html>", "not valid JSON"),
    ],
)
def test_a_file_that_is_no_notebook_is_said_to_be_none(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "optimization.ipynb"
    file.write_bytes(content)
    handed_in = read_submission(file)
    assert said in handed_in.trouble
    assert file.read_bytes() == content
    restore(handed_in.notebook, ORIGINALS)
    assert ids(handed_in.notebook) == WHOLE


def test_an_old_notebook_format_is_converted(tmp_path: Path) -> None:
    old = nbformat.convert(submission(), 3)
    file = tmp_path / "optimization.ipynb"
    file.write_text(nbformat.v3.writes_json(old))
    handed_in = read_submission(file)
    assert "old format 3" in handed_in.notes[0]
    assert ANSWER in [cell.source for cell in handed_in.notebook.cells]


def test_a_byte_order_mark_and_another_kernel_do_no_harm(tmp_path: Path) -> None:
    nb = submission()
    nb.metadata.kernelspec = {"name": "julia-1.9", "display_name": "Julia", "language": "julia"}
    file = tmp_path / "optimization.ipynb"
    file.write_text("\ufeff" + nbformat.writes(nb), encoding="utf-8")
    assert read_submission(file).notebook.metadata.kernelspec.name == "python3"


def test_a_link_to_elsewhere_is_not_followed_but_one_to_a_neighbour_is(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    real = tmp_path / "other" / "optimization.ipynb"
    real.write_text(nbformat.writes(submission()))
    link = tmp_path / "optimization.ipynb"
    link.symlink_to(real)
    assert "link" in read_submission(link).trouble
    neighbour = tmp_path / "other" / "again.ipynb"
    neighbour.symlink_to("optimization.ipynb")
    assert read_submission(neighbour).notes == ("The notebook was handed in as optimization.ipynb.",)


def test_outputs_and_widget_state_of_the_student_are_dropped(tmp_path: Path) -> None:
    nb = submission()
    nb.metadata.widgets = {"x": 1}
    nb.cells[1].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "4"})]
    file = tmp_path / "optimization.ipynb"
    file.write_text(nbformat.writes(nb))
    read = read_submission(file).notebook
    assert "widgets" not in read.metadata and code_cells(read)[0].outputs == []


def grade_cell(outputs=()):
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.from_dict(o) for o in outputs])
    cell.metadata = nbformat.from_dict({"nbgrader": ORIGINALS[1].metadata()})
    return cell


FORGED = [
    {"output_type": "stream", "name": "stderr", "text": "UserWarning"},
    {"output_type": "execute_result", "data": {"text/plain": "4.0"}, "metadata": {}, "execution_count": 1},
    {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]},
]


@pytest.mark.parametrize("before", [[], FORGED, FORGED[:1], FORGED[1:2], FORGED[2:]])
@pytest.mark.parametrize("score", [0.0, 0.5, 3.0, 4.0])
def test_nbgrader_reads_exactly_the_score_that_was_written(before, score: float) -> None:
    from nbgrader.utils import determine_grade

    cell = grade_cell(before)
    write_verdict(cell, "<b>feedback</b>", "feedback", score, 4.0, is_errored=False)
    assert determine_grade(cell) == (score, 4.0)
    assert feedback_text(cell) == "feedback"
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


def test_a_stopped_cell_says_so_in_its_outputs() -> None:
    cell = nbformat.v4.new_code_cell("while True: pass")
    show_result(cell, CellResult("timed_out", message="The cell ran longer than 3 seconds."))
    assert cell.outputs[-1].evalue == "The cell ran longer than 3 seconds."


def test_notes_cannot_smuggle_markup() -> None:
    nb = submission()
    write_notes(nb, ["<script>alert(1)</script> [a](javascript:b) `c`"])
    assert "<script" not in nb.cells[0].source and "[a](" not in nb.cells[0].source
