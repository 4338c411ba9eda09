"""What a proof has found, as frozen records, and how it reads in a terminal.

Knows words and tables. Refuses to know how anything was found out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from stepgrade.diagnosis.catalogue import Program
from stepgrade.records import Diagnosis

MOST_SURVIVORS = 20  # that are listed one by one


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that does not hold, and what the author can do."""

    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Caught:
    """A mistake as the proof has seen it."""

    program: Program
    diagnosis: Diagnosis
    earned: float
    margin: float  # in tolerances, on the hidden input that shows it best
    on_input: int  # that input's number; 1 is the first hidden one


@dataclass(frozen=True, slots=True)
class ExerciseProof:
    """What was found out about one exercise."""

    name: str
    points: float
    accepted: tuple[tuple[str, float, float], ...]  # name, points earned, share of the tolerance that is used
    caught: tuple[Caught, ...]
    close: tuple[tuple[str, str, float], ...]  # mistakes of different names nearer than the least margin
    baskets: tuple[frozenset[str], ...]
    failures: tuple[Failure, ...]
    num_mutants: int = 0
    survivors: tuple[str, ...] = ()  # mutants that earn full points: what was changed, and of which right answer


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether an assignment is fit for release, and why not."""

    assignment: str
    exercises: tuple[ExerciseProof, ...]
    failures: tuple[Failure, ...]  # of the assignment as a whole
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether it is fit for release."""
        return not self.all_failures

    @property
    def all_failures(self) -> tuple[Failure, ...]:
        """Everything that does not hold."""
        return (*self.failures, *(failure for exercise in self.exercises for failure in exercise.failures))


def render(proof: Proof, console: Console) -> None:
    """Print a proof: for each exercise what was tried, the confusion matrix and the smallest margins; then failures."""
    for exercise in proof.exercises:
        _render_exercise(exercise, console)
    for failure in proof.all_failures:
        console.print(f"[bold red]✗[/] {_plain(failure.what)}")
        console.print(f"  [cyan]→[/] {_plain(failure.fix)}")
    num = len(proof.all_failures)
    verdict = "[bold green]fit for release[/]" if proof.holds else f"[bold red]not fit for release[/]: {num} to mend"
    console.print(f"{proof.assignment}: {verdict} ({proof.seconds:.1f} s)")


def _plain(text: str) -> str:
    """Text in which rich sees no markup."""
    return text.replace("[", r"\[")


def _render_exercise(exercise: ExerciseProof, console: Console) -> None:
    full = sum(earned == exercise.points for _, earned, _ in exercise.accepted)
    least = max(exercise.accepted, key=lambda answer: answer[2], default=("", 0.0, 0.0))
    lost = sum(mistake.earned < exercise.points for mistake in exercise.caught)
    alone = sum(mistake.diagnosis.names == (mistake.program.name,) for mistake in exercise.caught)
    console.rule(f"[bold]{exercise.name}[/], {exercise.points:g} points", align="left")
    console.print(f"right answers that earn everything   {full} of {len(exercise.accepted)}")
    console.print(f"most of the tolerance is used by     {least[0]}, {least[2]:.1%}")
    console.print(f"mistakes that lose points            {lost} of {len(exercise.caught)}")
    console.print(f"mistakes named alone and rightly     {alone} of {len(exercise.caught)}")
    if exercise.caught:
        console.print(_plain(_matrix(exercise)))
        console.print(_margins(exercise.caught))
    num = len(exercise.survivors)
    console.print(f"mutants that lose points             {exercise.num_mutants - num} of {exercise.num_mutants}")
    if num:
        console.print(
            "the others earn full points: each is equal to a right answer on all inputs, or an input is missing"
        )
    for survivor in exercise.survivors[:MOST_SURVIVORS]:
        console.print(f"  · {_plain(survivor)}")
    if num > MOST_SURVIVORS:
        console.print(f"  · and {num - MOST_SURVIVORS} more")


def _matrix(exercise: ExerciseProof) -> str:
    """The confusion matrix: what each mistake was diagnosed as, a dot for each name, four by two dots a sign."""
    names = sorted({mistake.program.name for mistake in exercise.caught})
    place = {name: number for number, name in enumerate(names)}
    dots: set[tuple[int, int]] = set()
    off: list[str] = []
    for mistake in exercise.caught:
        for name in mistake.diagnosis.names:
            if name in place:
                dots.add((place[mistake.program.name], place[name]))
            if name != mistake.program.name:
                off.append(f"{mistake.program.path.stem} also fits {name}")
    title = "confusion matrix, mistakes ↓ by what they are diagnosed as →; off its diagonal: "
    baskets = [f"  · {', '.join(sorted(basket))}" for basket in exercise.baskets] or ["  none"]
    said = [title + ("; ".join(off) or "nothing"), "baskets, which numbers cannot tell apart:", *baskets]
    return "\n".join([braille(dots, len(names)), *said])


def braille(dots: set[tuple[int, int]], size: int) -> str:
    """A square picture of (row, column) dots, four rows and two columns a sign."""
    bits = {(0, 0): 1, (1, 0): 2, (2, 0): 4, (0, 1): 8, (1, 1): 16, (2, 1): 32, (3, 0): 64, (3, 1): 128}
    lines = []
    for top in range(0, size, 4):
        signs = [sum(bit for (r, c), bit in bits.items() if (top + r, left + c) in dots) for left in range(0, size, 2)]
        lines.append("".join(chr(0x2800 + sign) for sign in signs))
    return "\n".join(lines)


def _margins(caught: Sequence[Caught], num: int = 8) -> Table:
    told = sorted((m for m in caught if math.isfinite(m.margin) and m.margin), key=lambda m: m.margin)
    table = Table(title="smallest margins", title_justify="left")
    table.add_column("mistake")
    table.add_column("tolerances", justify="right")
    table.add_column("on hidden input", justify="right")
    for mistake in told[:num]:
        table.add_row(mistake.program.path.stem, f"{mistake.margin:,.0f}", str(mistake.on_input))
    return table
