"""Names the known mistake behind a submission's numbers, or says that it is unknown.

Where x went and what was kept of it are told apart: the x at which f was called shows the walk, what came back shows
the record. A walk is named when a program of the catalogue, replayed on the same inputs, goes the same way on all of
them, or when all its steps obey one law (`laws`). Where numbers cannot tell two mistakes apart, the cell's text may.

Knows how to weigh these witnesses. Refuses to name anything that does not explain all runs, and to give points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stepgrade.compare import Rows, first_gap, to_rows
from stepgrade.diagnosis import case as engine
from stepgrade.quoting import clean
from stepgrade.reach import uses_of
from stepgrade.records import Diagnosis

from . import laws, raised, recording, ties
from .case import Case, giving_alike, goes_like, raising_alike, track_of
from .known import Replay, known_of, of_one_number
from .recording import Track
from .walks import values_and_slopes

NOTHING = Diagnosis()
UNSAID = (ArithmeticError, ValueError, RecursionError, MemoryError)
"""Numbers that are made up to overflow, and text that is made up to be too deep, explain nothing."""
UNKNOWN = "No known mistake gives exactly these numbers."
UNKNOWN_RECORD = "x walks the right path, but what came back is no known way to record it."


def explain(whole: engine.Case) -> Diagnosis | None:
    """Name what explains a submission's runs of one exercise of this lesson; None: the engine goes on.

    Args:
        whole: the submission, as the engine has it.
    """
    case = Case(whole.exercise, of_one_number(whole.runs), whole.source, known_of(whole.catalogue), whole.written)
    for look in (
        _right,
        _raised,
        _uncalled,
        _replayed,
        _shortened,
        _recorded,
        _lawful,
        _walked,
        _hinted_at,
    ):
        try:
            diagnosis = look(case)
        except UNSAID:
            continue
        if diagnosis is not None:
            return diagnosis if diagnosis.kind or diagnosis == NOTHING else None
    return None


# what ends the search at once --------------------------------------------------------------------------------------


def _right(case: Case) -> Diagnosis | None:
    """Right numbers on all inputs: a rule may still be broken, and a line may be needless."""
    if not all(case.same(rows, right) for rows, right in zip(case.rows, case.catalogue.right.rows, strict=True)):
        return None
    try:
        return _right_but(case)
    except UNSAID:  # nor does a verdict wait for them
        return NOTHING


def _right_but(case: Case) -> Diagnosis:
    """What there is to say of right numbers."""
    if "optimizer-in-by-hand" in case.catalogue.names and uses_of(
        case.written.reach(case.exercise.function), "torch.optim"
    ):
        return named(case, ["optimizer-in-by-hand"], "rule")
    harmless = ties.needless(case.cell)
    return named(case, harmless, "harmless") if harmless else NOTHING


def _raised(case: Case) -> Diagnosis | None:
    errors = [run.error for run in case.runs if run.status == "raised" and run.error is not None]
    if not errors:
        return None
    names = raised.causes(errors[0], case.cell)
    if names == ():  # torch says the same of several mistakes, and the text does not tell which: nor may the engine
        return Diagnosis(kind="exception", remark=f"{clean(errors[0].type, 80)} has no known cause here.")
    return named(case, names or _raised_alike(case), "exception")


def _raised_alike(case: Case) -> tuple[str, ...]:
    """Mistakes that raise the same exception on the same pass of the same runs."""
    found = {replay.name for replay in raising_alike(case)} - set(ties.OF_TEXT)
    return tuple(found) if len(found) == 1 else ()


def _uncalled(case: Case) -> Diagnosis | None:
    """f was never called: the answer is typed in, or another f."""
    if any(run.visited for run in case.runs):
        return None
    returned = [recording.plain(run.returned) for run in case.runs]
    if all(value is None or value == [] for value in returned):
        return named(case, ["left-blank"], "dynamics")
    if not all(isinstance(value, list) and value for value in returned):
        return None
    longest = max(returned, key=len)
    is_table = all(value == longest[: len(value)] for value in returned)
    return named(case, ["hard-coded-answer" if is_table else "ignores-f-argument"], "dynamics")


# replays -----------------------------------------------------------------------------------------------------------


def _replayed(case: Case) -> Diagnosis | None:
    """Mistakes that give the same numbers on all inputs, those that also call f at the same points first."""
    alike = giving_alike(case)
    if not alike:
        return None
    names = ties.decide(case.cell, [replay.name for replay in alike])
    kind = "recording" if all(goes_like(case, case.catalogue.right) for _ in alike[:1]) else "dynamics"
    return named(case, names, kind)


# runs that end early -----------------------------------------------------------------------------------------------


def _shortened(case: Case) -> Diagnosis | None:
    """Right as far as they go: a wrong number of passes."""
    if any(isinstance(rows, str) for rows in case.rows):
        return None
    lengths = [len(rows) for rows in case.rows]
    asked = [inputs["iterations"] for inputs in case.exercise.inputs]
    if len(set(lengths)) == 1 and len(set(asked)) > 1 and lengths[0] > 1:
        return _of_fixed_length(case, lengths[0])
    kept = [_num_right(case, i) for i in range(len(lengths))]
    if any(k == 0 for k in kept) or any(length > n for length, n in zip(lengths, asked, strict=True)):
        return None
    if kept == lengths:
        if all(length == 1 for length in lengths):
            return named(case, ["return-inside-loop"], "dynamics")
        if all(length == n - 1 for length, n in zip(lengths, asked, strict=True)):
            return named(case, ["one-pass-short"], "dynamics")
        return named(case, ["stops-early"], "dynamics")
    is_still = all(_stands_still(case.rows[i], k) for i, k in enumerate(kept))
    return named(case, ["stops-early"], "dynamics") if is_still else None


def _of_fixed_length(case: Case, length: int) -> Diagnosis | None:
    for rows, inputs in zip(case.rows, case.exercise.inputs, strict=True):
        right = case.exercise.expected({**inputs, "iterations": length})
        if not case.same(rows, to_rows(right.returned, case.num_columns)):
            return None
    return named(case, ["hard-coded-iterations"], "dynamics", f"{length} values come back, whatever is asked for.")


def _num_right(case: Case, number: int) -> int:
    """How many rows agree with torch's, from the first on."""
    rows, right = case.rows[number], case.catalogue.right.rows[number]
    gap = first_gap(rows, right, case.exercise.rtol, case.exercise.atol)  # type: ignore[arg-type]  # checked by the caller
    return gap.step if gap is not None else len(right)


def _stands_still(rows: Rows | str, kept: int) -> bool:
    return isinstance(rows, list) and len({row[0] for row in rows[max(kept - 1, 0) :]}) == 1


# laws and records --------------------------------------------------------------------------------------------------


def _lawful(case: Case) -> Diagnosis | None:
    """One law that all steps obey; what was recorded must be f along that very walk."""
    if case.is_on_path or not case.walks:
        return None
    passes = [inputs["iterations"] for inputs in case.exercise.inputs]
    if all(laws.is_difference_quotient(run.visited, num) for run, num in zip(case.runs, passes, strict=True)):
        return named(case, ["finite-difference"], "dynamics")
    found = laws.obeyed(case.walks, case.exercise.lesson) if case.is_of_known_law else []
    if not found:
        return None
    names = ties.decide(case.cell, list(dict.fromkeys(law.names[0] for law in found)))
    law = next(law for law in found if law.names[0] in names)
    if len(names) > 1:
        return named(case, names, "dynamics", law.remark)
    kept = _own_recordings(case) if len(law.names) == 1 else []
    if len(kept) == 1:
        return named(case, [*names, *kept], "dynamics", law.remark, joined="and")
    return named(case, _with_rates(case, law.names), "dynamics", law.remark, joined="and")


def _own_recordings(case: Case) -> list[str]:
    """Recording mistakes that explain what came back, if x walked as it did; for single numbers per pass alone."""
    if case.num_columns > 1:
        return []
    names: set[str] | None = None
    for run, walk in zip(case.runs, case.walks, strict=True):
        num = int(walk.inputs["iterations"])
        points = (*walk.xs[: num + 1], laws.next_point(walk))[: num + 1]
        values, slopes = values_and_slopes(walk.inputs["f"], points)
        track = Track(values, points, slopes[:-1], rtol=case.exercise.rtol, atol=case.exercise.atol)
        found = recording.explain(run.returned, track, 1)
        names = found if names is None else names & found
    return sorted(names or ())


def _with_rates(case: Case, names: Sequence[str]) -> Sequence[str]:
    """A constant rate that is recorded as if it shrank is a variable which the optimizer never saw."""
    if list(names) != ["lr-never-decays"] or any(isinstance(rows, str) for rows in case.rows):
        return names
    shrinks = [rows[0][1] != rows[-1][1] for rows in case.rows if isinstance(rows, list) and len(rows) > 1]
    return ["lr-not-passed-to-optimizer"] if shrinks and all(shrinks) else names


def _recorded(case: Case) -> Diagnosis | None:
    """A known walk, right or wrong, that was recorded in a known wrong way."""
    if case.is_on_path:
        names = _recordings(case, case.catalogue.right)
        return named(case, ties.decide(case.cell, names), "recording") if names else None
    found = {replay.name: kept for replay in case.walking_alike if (kept := _recordings(case, replay))}
    if not found:
        return None
    names = ties.decide(case.cell, list(found))
    if len(names) > 1:
        return named(case, names, "dynamics")
    return named(case, [*names, *ties.decide(case.cell, found[names[0]])], "dynamics", joined="and")


def _recordings(case: Case, replay: Replay) -> list[str]:
    """Recording mistakes that explain what came back on all inputs, if x walked as a replay does."""
    names: set[str] | None = None
    for number, run in enumerate(case.runs):
        track = track_of(case, replay, number)
        if track is None:
            return []
        if case.same(case.rows[number], replay.rows[number]):
            continue  # on these inputs the record is right
        found = recording.explain(run.returned, track, case.num_columns)
        names = found if names is None else names & found
    return sorted(names or ())


def _walked(case: Case) -> Diagnosis | None:
    """The walk of one mistake, though what was recorded of it has no name."""
    if case.is_on_path:
        return None
    names = {replay.name for replay in case.walking_alike if _is_long(replay)}
    return named(case, names, "dynamics") if len(names) == 1 else None


def _is_long(replay: Replay) -> bool:
    return all(len(path) > 3 for path in replay.paths)


def _hinted_at(case: Case) -> Diagnosis | None:
    """No numbers fit; the cell itself names another optimizer or scheduler."""
    names = ties.other_tools(case.cell, case.exercise)
    return named(case, names, "dynamics") if names else None


# words -------------------------------------------------------------------------------------------------------------


def named(case: Case, names: Iterable[str], kind: str, remark: str = "", joined: str = "or") -> Diagnosis:
    """A diagnosis with its hints, and in words where more than one mistake is in it."""
    names = tuple(dict.fromkeys(names))
    if not names:
        return Diagnosis(remark=remark or UNKNOWN)
    hints = tuple(case.catalogue.hints.get(name, "") for name in names)
    sentences = (_choice(names, joined) if len(names) > 1 else "", remark, _outside(case, names))
    return Diagnosis(names, hints, kind, " ".join(sentence for sentence in sentences if sentence))


def _choice(names: Sequence[str], joined: str) -> str:
    """The sentence on several names: "either … or …" where one of them is meant, "… and …" where all are."""
    if joined == "and":
        return f"Two things explain these numbers together: {' and '.join(names)}."
    return f"Either {', '.join(names[:-1])} or {names[-1]}: the numbers are the same."


def _outside(case: Case, names: Sequence[str]) -> str:
    """A sentence on an argument that is never read, where an outside name may stand for it."""
    if not any(name in laws.TYPED or name in ("hard-coded-x0", "wrong-start", "lr-missing") for name in names):
        return ""
    unread, outside = case.cell.unread_parameters(), case.cell.outside_names()
    if not unread:
        return ""
    instead = f" It reads {', '.join(f'`{n}`' for n in outside[:3])} from outside." if outside else ""
    return f"Your function never reads its argument {', '.join(f'`{n}`' for n in unread[:3])}.{instead}"
