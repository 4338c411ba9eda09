"""How like two programs are: names, spellings and layout count nothing, what is done counts."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from stepgrade.diagnosis.likeness import distances, features_of, is_towards, most_like

CELL = """def walk(f, start, rate, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    path = []
    for _ in range(passes):
        y = f(x)
        path.append(y.item())
        y.backward()
        x.data -= rate * x.grad
        x.grad.zero_()
    return path
"""
UPHILL = CELL.replace("-= rate", "+= rate")
NEGATIVE = CELL.replace("rate * x.grad", "-rate * x.grad")
ARGUMENTS = ("f", "start", "rate", "passes")


def renamed(source: str) -> str:
    for old, new in (("rate", "lr"), ("path", "kept"), ("x", "w"), ("start", "begin")):
        source = source.replace(old, new)
    return source.replace("bewin", "begin").replace("mawe", "maxe")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x.data -= rate * x.grad", "x.data = x.data - rate * x.grad"),
        ("x.data -= rate * x.grad", "x -= rate * x.grad"),
        ("    path = []\n", "\n    path = []  # one entry for each pass\n"),
        ("    path = []\n", '    """A walk."""\n    path = []\n'),
    ],
)
def test_spellings_of_the_same_thing_are_alike(old: str, new: str) -> None:
    assert old in CELL
    assert distances(CELL.replace(old, new), [CELL], "walk", ARGUMENTS) == [0]


def test_names_count_nothing_and_other_operators_do() -> None:
    own = renamed(CELL)
    assert "rate" not in own
    assert "lr" in own
    same, other = distances(own, [CELL, UPHILL], "walk", ARGUMENTS)
    assert same == 0 < other


def test_of_two_edits_with_the_same_numbers_the_one_that_was_made_is_most_like() -> None:
    assert most_like(renamed(UPHILL), [UPHILL, NEGATIVE], "walk", ARGUMENTS) == {UPHILL}
    assert most_like(renamed(NEGATIVE), [UPHILL, NEGATIVE], "walk", ARGUMENTS) == {NEGATIVE}


def test_an_edit_that_was_made_leads_towards_the_text_and_another_away() -> None:
    assert is_towards(renamed(UPHILL), CELL, UPHILL, "walk", ARGUMENTS)
    assert not is_towards(renamed(CELL), CELL, UPHILL, "walk", ARGUMENTS)
    assert not is_towards("def walk(", CELL, UPHILL, "walk", ARGUMENTS)


@pytest.fixture(params=[1000, 5000])
def depth_of_recursion(request: pytest.FixtureRequest) -> Iterator[None]:
    """As Python sets it, and as a process has it that grades."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(request.param)
    features_of.cache_clear()
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("depth_of_recursion")
@pytest.mark.parametrize(
    "strange",
    [
        "def walk(",
        f"text = {'-' * 900}1",
        f"text = {' + '.join(['word'] * 2500)}",
        f"x{'.text' * 900} = 1",
        "x" * 60_000,
    ],
)
def test_a_text_that_nobody_writes_decides_nothing(strange: str) -> None:
    assert features_of(strange, "walk") is None
    assert most_like(strange, [UPHILL, NEGATIVE], "walk") == {UPHILL, NEGATIVE}
