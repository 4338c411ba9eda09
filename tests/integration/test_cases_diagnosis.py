"""The diagnosis before cells that people write: a collection beside the project, and further ones of our own."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from stepgrade.diagnosis.catalogue import Catalogue, ask_all, load_catalogue, quiet, read_programs, replay
from stepgrade.diagnosis.diagnose import diagnose
from stepgrade.exercise import Exercise
from stepgrade.records import Diagnosis

PROJECT = Path(__file__).resolve().parents[2]
HIDDEN = PROJECT / "tests" / "hidden" / "optimization"
EXERCISES = ("gradient-descent", "optimizer", "scheduler")


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def exercise(name: str) -> Exercise:
    found: Exercise = load(HIDDEN / name / f"test_{name.replace('-', '_')}.py").EXERCISE
    return found


@cache
def catalogue(name: str) -> Catalogue:
    return load_catalogue(HIDDEN / name, exercise(name))


def diagnosed(name: str, source: str) -> Diagnosis:
    with quiet():
        runs = ask_all(source, exercise(name), exercise(name).inputs, "<cell>")
    return diagnose(exercise(name), list(zip(exercise(name).inputs, runs, strict=True)), source, catalogue(name))


@dataclass(frozen=True)
class Case:
    path: Path
    verdict: str
    names: tuple[str, ...]
    source: str


def read_case(path: Path) -> Case:
    lines = path.read_text(encoding="utf-8").splitlines()
    header: dict[str, str] = {}
    while lines and (key := lines[0].removeprefix("# ").partition(": "))[0] in ("what", "verdict", "mistake", "raises"):
        header[key[0]] = key[2]
        lines.pop(0)
    names = tuple(filter(None, header.get("mistake", "").split("|")))
    return Case(path, header["verdict"], names, "\n".join(lines) + "\n")


class TestCollection:
    """Cells with the name of what they do, collected without a look at this diagnosis."""

    def test_nearly_all_are_named_rightly_and_none_is_misnamed(self, cases: Path) -> None:
        unknown, wrong, num = [], [], 0
        for name in EXERCISES:
            for case in map(read_case, sorted((cases / name).glob("*/*.py"))):
                found = diagnosed(name, case.source).names
                num += bool(case.names)
                if found and not set(found) & set(case.names):
                    wrong.append(f"{name}/{case.path.stem}: {found} for {case.names}")
                elif case.names and not found:
                    unknown.append(f"{name}/{case.path.stem}: {case.names}")
        assert not wrong
        assert num >= 100
        assert len(unknown) <= 0.05 * num, unknown

    def test_right_answers_have_no_mistake(self, cases: Path) -> None:
        for name in EXERCISES:
            for case in map(read_case, sorted((cases / name).glob("*/*.py"))):
                if case.verdict in ("full", "equivalent"):
                    assert diagnosed(name, case.source).kind in ("", "harmless"), case.path

    def test_kinds_agree_with_what_is_lost(self, cases: Path) -> None:
        for name in EXERCISES:
            for case in map(read_case, sorted((cases / name).glob("*/*.py"))):
                if case.verdict == "recording":
                    assert diagnosed(name, case.source).kind == "recording", case.path


CELLS = load(Path(__file__).with_name("cells.py"))


@pytest.mark.parametrize(
    ("name", "names", "source"),
    [
        pytest.param(e, names, source, id=f"{e}-{(names or ('right',))[0]}-{title}")
        for e, names, title, source in CELLS.all_cells()
    ],
)
def test_another_spelling_or_constant_is_named_alike(name: str, names: tuple[str, ...], source: str) -> None:
    found = diagnosed(name, source).names
    assert bool(found) == bool(names)
    assert set(found) <= set(names)


@pytest.mark.parametrize(("name", "source"), CELLS.unknown_cells())
def test_a_mistake_outside_the_vocabulary_stays_unknown(name: str, source: str) -> None:
    assert diagnosed(name, source).names == ()


@pytest.mark.parametrize(("name", "names", "source"), CELLS.combined_cells())
def test_a_wrong_walk_that_is_recorded_wrongly_has_both_names(name: str, names: tuple[str, ...], source: str) -> None:
    found = diagnosed(name, source)
    assert found.names == names
    assert "together" in found.remark


@pytest.mark.parametrize("name", EXERCISES)
def test_accepted_answers_have_no_mistake(name: str) -> None:
    for program in read_programs(HIDDEN / name / "accepted"):
        answer = replay(program, exercise(name))
        runs = list(zip(exercise(name).inputs, answer.runs, strict=True))
        assert diagnose(exercise(name), runs, program.source, catalogue(name)).kind in ("", "harmless"), program.path


@pytest.mark.parametrize(("name", "least"), [("gradient-descent", 25), ("optimizer", 20), ("scheduler", 18)])
def test_the_catalogue_is_rich(name: str, least: int) -> None:
    names = catalogue(name).names
    assert len(names) >= least
    assert all(catalogue(name).hints[n].endswith(("?", ".", "”")) for n in names)
