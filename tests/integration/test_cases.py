"""Right and wrong cells as people write them, three a notebook, through the real pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from stepgrade.classroom import fill

EXERCISES = ("gradient-descent", "optimizer", "scheduler")


@dataclass(frozen=True)
class Case:
    """One cell of the collection."""

    name: str
    verdict: str
    source: str


def read_case(path: Path) -> Case:
    lines = path.read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith(("# what:", "# verdict:", "# mistake:", "# raises:"))]
    verdict = next(line for line in header if line.startswith("# verdict:")).split(":")[1].strip()
    return Case(path.stem, verdict, "\n".join(lines[len(header) :]))


def triples(folder: Path) -> list[dict[str, Case]]:
    """All cases in notebooks of three, one of each exercise; a shorter list begins again."""
    by_exercise = {e: [read_case(p) for p in sorted(folder.glob(f"{e}/*/*.py"))] for e in EXERCISES}
    longest = max(len(found) for found in by_exercise.values())
    return [{e: found[n % len(found)] for e, found in by_exercise.items()} for n in range(longest)]


def judge(classroom, chosen: list[dict[str, Case]], name: str, *words: str) -> dict[str, list[tuple[str, float]]]:
    """Grade the triples, handed in by students called `name`; by exercise and case, verdict and earned share."""
    release = classroom.release()
    for number, triple in enumerate(chosen):
        nb = fill(release, {exercise: case.source for exercise, case in triple.items()})
        classroom.hand_in(f"{name}-{number:03}", nbformat.writes(nb))
    classroom.autograde("--force", f"--student={name}-*", *words)
    earned: dict[str, list[tuple[str, float]]] = {}
    for number, triple in enumerate(chosen):
        for exercise, case in triple.items():
            report = classroom.report(f"{name}-{number:03}")["exercises"]
            result = next(e for e in report if e["grade_id"] == f"{exercise}-check")
            share = result["score"] / result["points"]
            earned.setdefault(f"{exercise}/{case.name}", []).append((case.verdict, share))
    return earned


def assert_just(earned: dict[str, list[tuple[str, float]]]) -> None:
    for name, verdicts in earned.items():
        for verdict, share in verdicts:
            if verdict in ("full", "equivalent"):
                assert share == 1, f"{name} is right and earned {share:.0%}"
            elif verdict == "recording":
                assert 0.5 <= share < 1, f"{name} records wrongly and earned {share:.0%}"
            else:
                assert share < 1, f"{name} is wrong and earned everything"


def test_every_case_is_judged_justly(classroom, cases: Path) -> None:
    earned = judge(classroom, triples(cases), "student")
    assert len(earned) == 206
    assert_just(earned)


@pytest.mark.soak
def test_both_kernels_give_every_case_the_same_score(classroom, cases: Path) -> None:
    chosen = triples(cases)
    warm = judge(classroom, chosen, "both", "--Stepgrade.kernel=auto")
    plain = judge(classroom, chosen, "both", "--Stepgrade.kernel=nbclient")
    assert warm == plain
    assert_just(plain)


def test_both_kernels_agree_on_a_sample(classroom, cases: Path) -> None:
    chosen = triples(cases)[::14]
    assert judge(classroom, chosen, "sample", "--Stepgrade.kernel=nbclient") == judge(
        classroom, chosen, "sample", "--Stepgrade.kernel=auto"
    )
