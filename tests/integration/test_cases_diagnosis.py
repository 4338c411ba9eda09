"""The diagnosis before cells that people write: a collection beside the project, and further ones of our own."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from stepgrade.diagnosis.catalogue import Catalogue, Program, ask_all, load_catalogue, quiet, read_programs, replay
from stepgrade.diagnosis.diagnose import diagnose
from stepgrade.exercise import Exercise
from stepgrade.notebook import read_ours, solution_and_stub
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
    ours = read_ours(PROJECT / "source" / "optimization" / "optimization.ipynb")
    return load_catalogue(HIDDEN / name, exercise(name), *solution_and_stub(ours, name))


def diagnosed(name: str, source: str, text: str | None = None) -> Diagnosis:
    """What is said of a cell; `text` stands in its place where the function comes from elsewhere."""
    with quiet():
        runs = ask_all(source, exercise(name), exercise(name).inputs, "<cell>")
    questions = list(zip(exercise(name).inputs, runs, strict=True))
    return diagnose(exercise(name), questions, source if text is None else text, catalogue(name))


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
    assert not {*diagnosed(name, source).names} & {*catalogue(name).hints}


@pytest.mark.parametrize(
    ("name", "names", "source"),
    [pytest.param(e, names, source, id=f"{e}-{title}") for e, names, title, source in CELLS.misleading_cells()],
)
def test_what_looks_like_a_mistake_is_not_called_so(name: str, names: tuple[str, ...], source: str) -> None:
    assert diagnosed(name, source).names == names


@pytest.mark.parametrize(("name", "source"), CELLS.cells_that_do_not_move())
def test_a_text_that_does_not_show_what_was_run_decides_nothing(name: str, source: str) -> None:
    head = source.partition("\n")[0]
    run = f"    return run({head.partition('(')[2]}"[:-2] + ")"
    update = source.replace("        history.append", "        update(w)\n        history.append")
    for text in ("pass", f"{head}\n    pass\n", f"{head}\n{run}\n", update):
        found = diagnosed(name, source, text).names
        assert len(found) > 1, "no one of them can be told from the others"
        assert "left-blank" not in found


def test_a_cell_that_says_nothing_and_gives_nothing_is_blank() -> None:
    text = "def gradient_descent(f, x0, lr, iterations):\n    pass\n"
    assert diagnosed("gradient-descent", text).names == ("left-blank",)


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


@cache
def wrong_programs(name: str) -> dict[str, Program]:
    return catalogue(name).wrong_programs()


@pytest.mark.parametrize(("name", "least"), [("gradient-descent", 75), ("optimizer", 75), ("scheduler", 75)])
def test_the_catalogue_is_rich(name: str, least: int) -> None:
    names = {*wrong_programs(name)}
    assert len(names) >= least
    assert all(catalogue(name).hints[n].endswith(("?", ".", "”")) for n in names)


@pytest.mark.parametrize("name", EXERCISES)
def test_every_name_has_a_program_that_is_told_by_it(name: str) -> None:
    for mistake, program in wrong_programs(name).items():
        found = {*diagnosed(name, program.source).names}
        assert mistake in found, (mistake, found)
        assert len(found) == 1 or any(found <= basket for basket in exercise(name).baskets), (mistake, found)
