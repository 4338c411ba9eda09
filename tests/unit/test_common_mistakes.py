"""What an assignment's `mistakes.toml` may say, and how mutants are found by what they give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stepgrade.diagnosis.labels import read_common, read_labels
from stepgrade.diagnosis.mutants import WIDTH, Mutants
from stepgrade.errors import ChecksError

ROW = '[[mistake]]\noperator = "left-out"\nrole = "clear"\nname = "kept"\nhint = "Why?"\n'


def test_the_best_known_come_in_the_order_in_which_they_are_written(tmp_path: Path) -> None:
    assert read_common(tmp_path) == ()
    (tmp_path / "mistakes.toml").write_text(f'common = ["zebra", "ape"]\n{ROW}')
    assert read_common(tmp_path) == ("zebra", "ape")
    assert read_labels(tmp_path)[0].name == "kept"


@pytest.mark.parametrize("value", ['"zebra"', "[1]", "{a = 1}"])
def test_names_that_are_no_texts_are_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "mistakes.toml").write_text(f"common = {value}\n{ROW}")
    with pytest.raises(ChecksError, match="`common` is no list of texts"):
        read_common(tmp_path)


def table(*walks: list[float]) -> Mutants:
    """Mutants that give their last point alone, and walk so."""
    numbers = np.full((len(walks), 2 * WIDTH), np.nan, dtype=np.float32)
    for row, walk in zip(numbers, walks, strict=True):
        row[:1], row[WIDTH : WIDTH + len(walk)] = walk[-1:], walk
    return Mutants(numbers, ["returned"] * len(walks), [b""] * len(walks), [], 0.0)


def test_mutants_are_found_by_record_or_by_walk() -> None:
    known = table([8.0, 6.4, 5.0], [8.0, 8.0, 6.4, 6.4], [8.0, 5.0], [8.0, 6.4, 5.0, 4.0])
    walk = [(8.0,), (6.4,), (6.4,), (5.0,)]
    assert known.like([5.0], None, 1e-6) == [0, 2]
    assert known.like(None, walk, 1e-6) == [0, 1], "looks at the same point say nothing; a longer walk is another"
    assert known.like([5.0], walk, 1e-6) == [0]
    assert table().like([5.0], walk, 1e-6) == []
    assert known.like(None, [], 1e-6) == [], "each of them calls the objective"
