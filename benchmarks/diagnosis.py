"""What the diagnosis costs in a class of 500: `python benchmarks/diagnosis.py [NUM_SUBMISSIONS]`.

Every submission answers all three exercises, each with an accepted answer or a known mistake, or with a cell of the
tests' own that no program of the catalogue equals. Their runs are made beforehand; the clock runs during the diagnosis
alone. The replay of the catalogue, done once per exercise and grading process, is timed apart.
"""

from __future__ import annotations

import importlib.util
import random
import statistics
import sys
import time
from pathlib import Path

from stepgrade.checks import Checks
from stepgrade.classroom import program_text
from stepgrade.diagnosis.catalogue import Catalogue, ask_all, load_catalogue, quiet, read_programs
from stepgrade.diagnosis.diagnose import Question, diagnose
from stepgrade.exercise import Exercise
from stepgrade.notebook import read_ours, solution_and_stub

PROJECT = Path(__file__).resolve().parent.parent
HIDDEN = PROJECT / "tests" / "hidden" / "optimization"
MOST_MS = 5.0  # a submission may cost this much on average
SHARE_RIGHT = 0.4  # of answers: a class in the middle of the exercise
Answer = tuple[list[Question], str]


def main() -> int:
    num = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with Checks(HIDDEN) as checks:
        exercises = checks.exercises
    ours = read_ours(PROJECT / "source" / "optimization" / "optimization.ipynb")
    catalogues, start = {}, time.perf_counter()
    for exercise in exercises:
        catalogues[exercise.name] = load_catalogue(
            HIDDEN / exercise.name, exercise, *solution_and_stub(ours, exercise.name)
        )
        _ = catalogues[exercise.name].mistakes, catalogues[exercise.name].mutants
    print(f"replaying the catalogue, once: {time.perf_counter() - start:.2f} s")
    classroom = hand_in(exercises, catalogues, num)
    start = time.perf_counter()
    costs, num_named, num_wrong = diagnose_all(exercises, catalogues, classroom)
    elapsed = 1000 * (time.perf_counter() - start) / num
    mean = statistics.mean(costs)
    print(f"{num} submissions of {len(exercises)} exercises, {num_named} of {num_wrong} wrong answers named")
    print(f"diagnosis per submission, in ms of CPU time: mean {mean:.2f} ({elapsed:.2f} by the clock), "
          f"median {statistics.median(costs):.2f}, "
          f"95 % below {sorted(costs)[int(0.95 * num)]:.2f}, most {max(costs):.2f}")  # fmt: skip
    print(f"a mean of {MOST_MS:g} ms is allowed: {'kept' if mean < MOST_MS else 'NOT KEPT'}")
    return 0 if mean < MOST_MS else 1


def hand_in(exercises: tuple[Exercise, ...], catalogues: dict[str, Catalogue], num: int) -> list[list[Answer]]:
    """The runs of an invented class, one list of answers per submission."""
    dice = random.Random(0)
    right = {e.name: [program_text(p.path) for p in read_programs(HIDDEN / e.name / "accepted")] for e in exercises}
    wrong = {name: [p.source for p in catalogue.wrong_programs().values()] for name, catalogue in catalogues.items()}
    for exercise, names, _, source in _cells():
        (wrong if names else right)[exercise].append(source)
    known: dict[tuple[str, str], Answer] = {}
    classroom = []
    for _ in range(num):
        sources = [(e, dice.choice((right if dice.random() < SHARE_RIGHT else wrong)[e.name])) for e in exercises]
        classroom.append([_answer(exercise, source, known) for exercise, source in sources])
    return classroom


def _cells() -> list[tuple[str, tuple[str, ...], str, str]]:
    path = PROJECT / "tests" / "integration" / "cells.py"
    spec = importlib.util.spec_from_file_location("cells", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cells: list[tuple[str, tuple[str, ...], str, str]] = module.all_cells()
    return cells


def _answer(exercise: Exercise, source: str, known: dict[tuple[str, str], Answer]) -> Answer:
    key = exercise.name, source
    if key not in known:
        with quiet():
            runs = ask_all(source, exercise, exercise.inputs)
        known[key] = list(zip(exercise.inputs, runs, strict=True)), source
    return known[key]


def diagnose_all(
    exercises: tuple[Exercise, ...], catalogues: dict[str, Catalogue], classroom: list[list[Answer]]
) -> tuple[list[float], int, int]:
    """Milliseconds of CPU time per submission, and how many wrong answers were named, of how many."""
    costs, num_named, num_wrong = [], 0, 0
    for answers in classroom:
        start = time.process_time()
        found = [
            diagnose(e, runs, source, catalogues[e.name]) for e, (runs, source) in zip(exercises, answers, strict=True)
        ]
        costs.append(1000 * (time.process_time() - start))
        num_named += sum(bool(d.names) and d.kind != "harmless" for d in found)
        num_wrong += sum(bool(d.names or d.remark) and d.kind != "harmless" for d in found)
    return costs, num_named, num_wrong


if __name__ == "__main__":
    sys.exit(main())
