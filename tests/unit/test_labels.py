"""Rows of `mistakes.toml`: which one fits, and what an author reads of one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepgrade.diagnosis.labels import find_label, read_labels
from stepgrade.errors import ChecksError

ROW = """[[mistake]]
operator = "left-out"
role = "clear*"
name = "never-cleared"
hint = "What did backward() add to?"
"""


def labels(folder: Path, text: str) -> list[str]:
    (folder / "mistakes.toml").write_text(text, encoding="utf-8")
    return [label.name for label in read_labels(folder)]


def test_an_assignments_rows_come_before_the_general_ones(tmp_path: Path) -> None:
    general = [label.name for label in read_labels(tmp_path)]
    assert "no-return" in general
    assert labels(tmp_path, ROW) == ["never-cleared", *general]


@pytest.mark.parametrize(
    ("operator", "role", "exercise", "is_fit"),
    [
        ("left-out", "clear", "adam", True),
        ("left-out", "clear:2", "adam", True),
        ("left-out", "clear", "other", False),
        ("left-out", "record", "adam", False),
        ("doubled", "clear", "adam", False),
    ],
)
def test_a_row_fits_by_operator_role_and_exercise(
    tmp_path: Path, operator: str, role: str, exercise: str, is_fit: bool
) -> None:
    labels(tmp_path, ROW + 'exercises = ["adam"]\n')
    found = find_label(read_labels(tmp_path)[:1], operator, role, exercise)
    assert (found is not None) == is_fit


def test_a_row_speaks_of_several_statements_at_once_only_where_it_says_so(tmp_path: Path) -> None:
    labels(tmp_path, ROW.replace("left-out", "left-out*"))
    (row, *_) = read_labels(tmp_path)
    assert row.fits("left-out:rest", "clear", "adam")
    assert not row.fits("left-out:run", "clear", "adam")
    labels(tmp_path, ROW.replace("left-out", "left-out:run"))
    (row, *_) = read_labels(tmp_path)
    assert row.fits("left-out:run", "clear", "adam")


def test_brackets_in_a_role_stand_for_themselves(tmp_path: Path) -> None:
    labels(tmp_path, ROW.replace("clear*", "argument:x[0]"))
    assert find_label(read_labels(tmp_path), "left-out", "argument:x[0]", "adam") is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[mistake]\n", "is no TOML: "),
        (ROW + "[more]\n", "has more than rows [[mistake]]"),
        ('mistake = "left-out"\n', "has more than rows [[mistake]]"),
        ('mistake = ["left-out"]\n', "mistake 1 is no table. Begin it with [[mistake]]."),
        (
            ROW + ROW + 'about = "x"\n',
            "mistake 2 has the field `about`, which is not known. Known are operator, role, ",
        ),
        (ROW.replace('"left-out"', "3"), "mistake 1: `operator` is no text."),
        (ROW + 'exercises = "adam"\n', "mistake 1: `exercises` is no list of texts."),
        (ROW + "exercises = [1]\n", "mistake 1: `exercises` is no list of texts."),
        (ROW.replace("hint", "title"), "mistake 1 has no `hint`. Give it one."),
        (ROW.replace('"never-cleared"', '""'), "mistake 1 has no `name`. Give it one."),
    ],
)
def test_a_row_that_cannot_be_used_is_told_with_file_number_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ChecksError) as caught:
        labels(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "mistakes.toml"))
    assert said in str(caught.value)


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "mistakes.toml").write_bytes(b'[[mistake]]\nname = "\xff"\n')
    with pytest.raises(ChecksError, match="is no TOML"):
        read_labels(tmp_path)
