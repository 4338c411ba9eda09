"""Names the known mistake behind a submission's numbers, or says that it is unknown.

What an assignment can say itself comes first (`explain` in its folder). Then a program of the catalogue, a file or a
mutant of a right program, that gives the same record along the same walk on all inputs, or stops in the same way; then
ways to keep a right walk wrongly; then one constant. Where several programs do the same, the order of events in the
student's own text decides, then how like that text they read; what is left is told as "either … or …".

Knows how to weigh these witnesses. Refuses to name anything that does not explain all runs, and to give points.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence

from stepgrade import signature
from stepgrade.compare import to_rows
from stepgrade.diagnosis import fit, likeness, recording
from stepgrade.diagnosis.case import Case
from stepgrade.diagnosis.catalogue import Catalogue, Replay
from stepgrade.diagnosis.mutants import flat
from stepgrade.exercise import Exercise, Inputs
from stepgrade.mutation.edits import is_text
from stepgrade.quoting import clean
from stepgrade.reach import Written
from stepgrade.records import Diagnosis, Run
from stepgrade.source import parse

Question = tuple[Inputs, Run]
NOTHING = Diagnosis()
UNSAID = (ArithmeticError, ValueError, RecursionError, MemoryError)
"""Numbers that are made up to overflow, and text that is made up to be too deep, explain nothing."""
UNKNOWN = "No known mistake gives exactly these numbers."
UNKNOWN_RECORD = "Your run goes the right way, but what came back is no known way to record it."
BLANK = "left-blank"
MOST_LOOKED_AT = 300  # mutants that begin alike on the lesson's inputs
MOST_COMPLETED = 8  # mutants that are run on further inputs for one answer, those that read most like it first
MOST_NAMES = 3  # more say nothing


def diagnose(
    exercise: Exercise, runs: Sequence[Question], source: str, catalogue: Catalogue, written: Written | None = None
) -> Diagnosis:
    """Name what explains a submission's runs of one exercise.

    Args:
        exercise: as its hidden checks declare it.
        runs: what the student's function gave on each of `exercise.inputs`, in that order.
        source: text of the student's own cell.
        catalogue: the exercise's known mistakes.
        written: all code of the submission; the cell alone, where it is left out.

    Returns:
        The mistakes' names with one hint each; no names where the answer is right or the mistake unknown.
    """
    case = Case(exercise, tuple(run for _, run in runs), source, catalogue, written or Written([source]))
    for look in (
        _unfinished,
        _explained,
        _right,
        _blank,
        _raised,
        _uncalled,
        _replayed,
        _of_fixed_length,
        _kept,
        _fitted,
        _numbered,
    ):
        try:
            diagnosis = look(case)
        except UNSAID:
            continue
        if diagnosis is not None:
            return diagnosis
    return Diagnosis(remark=UNKNOWN_RECORD if case.is_on_path else UNKNOWN)


# what ends the search at once --------------------------------------------------------------------------------------


def _unfinished(case: Case) -> Diagnosis | None:
    """No function, no end, no process: nothing to compare."""
    for run in case.runs:
        if run.status == "missing":
            return Diagnosis(remark=f"There is no function {case.exercise.function} to call.")
        if run.status in ("timed_out", "died"):
            return Diagnosis(remark=run.message or "The function did not come to an end.")
    if len(case.runs) != len(case.exercise.inputs):
        return Diagnosis(remark="The function was not called on all inputs.")
    return None


def _explained(case: Case) -> Diagnosis | None:
    """What the assignment itself says of it."""
    if case.catalogue.explain is None:
        return None
    found: Diagnosis | None = case.catalogue.explain(case)
    return found


def _right(case: Case) -> Diagnosis | None:
    return NOTHING if case.is_right else None


def _blank(case: Case) -> Diagnosis | None:
    """It stops as the given cell does, and nothing was written into it."""
    error, stub = case.runs[0].error, case.catalogue.stub
    is_given = error is not None and error.type == "NotImplementedError" and error.num_calls <= 1
    is_empty = all(value is None or value == [] for value in case.returned) and not any(r.visited for r in case.runs)
    if not stub or not (is_given or is_empty):
        return None
    own, given = (_statements(text, case.exercise.function) for text in (case.source, stub))
    return None if own is None or own - (given or set()) - SAYS_NOTHING else _labelled(case, [("stub", "")], "dynamics")


SAYS_NOTHING = frozenset(["pass", "...", "return", "return None"])


def _statements(source: str, function: str) -> set[str] | None:
    """The statements of a function as text, blocks without their bodies, docstrings left out; None without it."""
    tree = parse(source)
    nodes = ast.walk(tree) if tree is not None else ()
    found = [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == function]
    if not found:
        return None
    inner = (n for n in ast.walk(found[-1]) if isinstance(n, ast.stmt) and n is not found[-1])
    texts = {ast.unparse(n).partition("\n")[0] for n in inner if not is_text(n)}
    return {text for text in texts if not text.startswith("raise NotImplementedError")}


# programs that do the same -----------------------------------------------------------------------------------------


def _raised(case: Case) -> Diagnosis | None:
    """Programs that stop with the same exception, in the same pass and the same kind of line, on the same inputs."""
    error = next((run.error for run in case.runs if run.status == "raised" and run.error is not None), None)
    if error is None:
        return None
    known = case.catalogue
    alike = [replay for replay in known.mistakes if _stops_like(case, replay)]
    first = case.runs[0]
    numbers = _like_first(case) if first.status == "returned" else known.mutants.raising(_kind(first))
    alike += known.once(("raised", case.digest, case.source), lambda: _completed(case, numbers, _stops_like))
    near = _nearest(case, [replay for replay in alike if _is_read_in(case, replay)])
    if len({replay.name for replay in near}) == 1:
        return _named(case, near, "exception")
    return Diagnosis(kind="exception", remark=f"{clean(error.type, 80)} has no known cause here.")


def _is_read_in(case: Case, replay: Replay) -> bool:
    """Whether a mutant's edit can be read in the student's own text: it makes a right program more like it.

    Many edits raise the same error; the error alone does not tell them apart.
    """
    seed = next((s.source for s in case.catalogue.seeds if s.name == str(replay.program.path)), "")
    if not seed:
        return True
    function = case.exercise.function
    own, ours = (_statements(text, function) or () for text in (case.source, seed))
    if replay.program.operator == "left-blank" and len(own) >= len(ours):
        return False  # all was written; that a line of the given cell was left there is something else
    return likeness.is_towards(case.source, seed, replay.program.source, case.exercise.function, _arguments(case))


def _arguments(case: Case) -> tuple[str, ...]:
    return tuple(case.exercise.arguments)


def _stops_like(case: Case, replay: Replay) -> bool:
    return _prints(case.runs) == _prints(replay.runs[: len(case.runs)])


def _completed(case: Case, numbers: Sequence[int], is_like: Callable[[Case, Replay], bool]) -> list[Replay]:
    """Mutants that are like an answer on all inputs. What comes near it on the first ones is run on the others now."""
    parts = {num: case.on_first(num) for num in range(1, len(case.runs) + 1)}
    screened = [case.catalogue.replay_of(number) for number in numbers[:MOST_LOOKED_AT]]
    near = [replay for replay in screened if is_like(parts[len(replay.runs)], replay)]
    known = [replay for replay in near if len(replay.runs) == len(case.runs)]
    run = _first_of(case, [replay for replay in near if len(replay.runs) < len(case.runs)], MOST_COMPLETED)
    longer = [_as_long_as_like(case.catalogue, replay, parts, is_like) for replay in run]
    return [*known, *(replay for replay in longer if len(replay.runs) == len(case.runs))]


def _as_long_as_like(
    known: Catalogue, replay: Replay, parts: dict[int, Case], is_like: Callable[[Case, Replay], bool]
) -> Replay:
    """A mutant on one input more, and one more, until it differs from the answer."""
    while len(replay.runs) < len(parts):
        longer = known.complete(replay, len(replay.runs) + 1)
        if not is_like(parts[len(longer.runs)], longer):
            break
        replay = longer
    return replay


def _first_of(case: Case, found: list[Replay], most: int) -> list[Replay]:
    """As many as may be run: those that read most like the student's text."""
    if len(found) <= most:
        return found
    order = likeness.distances(case.source, [r.program.source for r in found], case.exercise.function, _arguments(case))
    return [replay for _, replay in sorted(zip(order, found, strict=True), key=lambda pair: pair[0])[:most]]


def _kind(run: Run) -> str:
    return run.error.type if run.error is not None else run.status


def _prints(runs: Iterable[Run]) -> list[tuple[str, str, str, int]]:
    return [
        (run.status, run.error.type, _spoken(run.error.message), run.error.num_calls)
        if run.error
        else (run.status, "", "", 0)
        for run in runs
    ]


def _spoken(message: str) -> str:
    """An error's message without the names that a program gives its own variables, and without numbers."""
    return re.sub(r"'\w+'|\d+", "·", message.partition("\n")[0])


def _uncalled(case: Case) -> Diagnosis | None:
    """The objective was never called: the answer is typed in, or another one."""
    if not case.has_walk or any(run.visited for run in case.runs):
        return None
    if not all(isinstance(value, list) and value for value in case.returned):
        return None
    longest = max(case.returned, key=lambda value: len(value) if isinstance(value, list) else 0)
    is_table = all(value == longest[: len(value)] for value in case.returned)  # type: ignore[index, arg-type]  # lists
    return _labelled(case, [("uncalled", "table" if is_table else "other")], "dynamics")


def _replayed(case: Case) -> Diagnosis | None:
    """Programs that give the same numbers along the same walk, on all inputs."""
    files = [r for r in case.catalogue.mistakes if case.gives_like(r) and case.walks_like(r)]
    found = [*files, *_mutants_like(case)]
    exactly = [replay for replay in found if case.calls_like(replay)]
    near = _nearest(case, exactly or found)
    if not near or len({replay.name for replay in near}) > MOST_NAMES:
        return None
    is_right_walk = case.is_on_path or (not case.has_walk and all(_is_of_record(r) for r in near))
    return _named(case, near, "recording" if is_right_walk else "dynamics")


def _mutants_like(case: Case) -> list[Replay]:
    if any(run.status != "returned" for run in case.runs):
        return []
    numbers = _like_first(case)
    found: list[Replay] = case.catalogue.once(
        ("like", case.digest, case.source), lambda: _completed(case, numbers, _does_like)
    )
    return found


def _like_first(case: Case) -> list[int]:
    """Numbers of the mutants that give the same on the lesson's inputs."""
    first, walk = case.runs[0], case.runs[0].visited if case.has_walk else None
    if case.has_walk and not walk:
        return []
    return case.catalogue.mutants.like(flat(first.returned), walk, case.exercise.atol)


def _does_like(case: Case, replay: Replay) -> bool:
    return case.gives_like(replay) and case.walks_like(replay)


def _nearest(case: Case, found: Sequence[Replay]) -> list[Replay]:
    """Those whose order of events is the student's: files, then what reads most like it, then what has a row."""
    function = case.exercise.function
    order = likeness.order_of(case.source, function) if len(found) > 1 else None
    same_order = [r for r in found if order is not None and likeness.order_of(r.program.source, function) == order]
    kept = same_order or list(found)
    if order and all(r.program.rank for r in kept):  # a text without events does not show what was run
        alike = likeness.most_like(case.source, [r.program.source for r in kept], function, _arguments(case))
        kept = [r for r in kept if r.program.source in alike]
    kept = [r for r in kept if r.program.hint] or kept  # what has a name of its own
    rank = min((r.program.rank for r in kept), default=0)
    kept = [r for r in kept if r.program.rank == rank]
    size = min((r.program.size for r in kept), default=0)
    return [r for r in kept if r.program.size == size]


RECORDING = (
    "record",
    "column",
    "returned",
    "yielded",
    "overwritten",
    "added-to-list",
    "flattened",
    "not-kept",
    "seen-late",
)


def _is_of_record(replay: Replay) -> bool:
    return replay.program.role == "record" or replay.program.operator.startswith(RECORDING)


# what was kept, and constants --------------------------------------------------------------------------------------


def _of_fixed_length(case: Case) -> Diagnosis | None:
    """Right numbers, as many in every run, whatever is asked for."""
    passes, lengths = case.exercise.passes, [len(rows) for rows in case.rows]
    if passes is None or len(set(lengths)) != 1 or lengths[0] < 2 or any(isinstance(rows, str) for rows in case.rows):
        return None
    if len({case.exercise.num_passes(inputs) for inputs in case.exercise.inputs}) == 1:
        return None
    for rows, inputs in zip(case.rows, case.exercise.inputs, strict=True):
        right = case.exercise.expected({**inputs, passes: lengths[0]})
        if not case.same(rows, to_rows(right.returned, case.num_columns)):
            return None
    remark = f"{lengths[0]} entries come back, whatever is asked for."
    return _labelled(case, [("constant", f"argument:{passes}")], "dynamics", remark)


def _kept(case: Case) -> Diagnosis | None:
    """A right walk that was recorded in a known wrong way; without a walk, a right record in another form."""
    if any(run.status != "returned" for run in case.runs) or not (case.is_on_path or not case.has_walk):
        return None
    names: set[recording.Finding] | None = None
    for number, run in enumerate(case.runs):
        kept = case.kept(number)
        if kept is None:
            return None
        if case.same(case.rows[number], case.catalogue.right.rows[number]):
            continue  # on these inputs the record is right
        found = recording.explain(run.returned, kept)
        names = found if names is None else names & found
    return _labelled(case, sorted(names), "recording") if names else None


def _fitted(case: Case) -> Diagnosis | None:
    """One number in one place of a right program, the same in all runs."""
    known = case.catalogue
    sites = known.once("sites", lambda: [s for seed in known.seeds[:1] for s in fit.sites(case.exercise, seed.source)])
    constant = known.once(("fitted", case.digest), lambda: fit.find_constant(case.exercise, case.runs, sites))
    if constant is None:
        return None
    is_lessons = constant.value == case.exercise.lesson.get(constant.name)
    operator = "argument-replaced:by-lesson" if is_lessons else "constant"
    remark = f"Your numbers are those of {constant.name} = {constant.value:g} in every run."
    return _labelled(case, [(operator, constant.role)], "dynamics", remark)


def _numbered(case: Case) -> Diagnosis | None:
    """Numbers that a person has named, after the class page showed that several had them."""
    questions = tuple(zip(case.exercise.inputs, case.runs, strict=True))
    for label in case.catalogue.labels:
        is_meant = label.operator == signature.OPERATOR and label.fits(label.operator, label.role, case.exercise.name)
        if is_meant and signature.has_signature(case.exercise, questions, signature.read_role(label.role)):
            return told({label.name: (label.title, label.hint)}, "dynamics")
    return None


# words -------------------------------------------------------------------------------------------------------------


def _labelled(case: Case, found: Sequence[tuple[str, str]], kind: str, remark: str = "") -> Diagnosis:
    """A diagnosis of what was done to what, with the names that the rows of `mistakes.toml` give it."""
    rows = {}
    for operator, role in found:
        label = case.catalogue.label_of(operator, role)
        name = label.name if label else f"{operator} {role}".strip()
        rows[name] = (label.title if label else "", label.hint if label else kind_of(operator, role))
    return told(rows, kind, remark)


def _named(case: Case, replays: Sequence[Replay], kind: str) -> Diagnosis:
    programs = {replay.name: replay.program for replay in replays}
    rows = {n: (p.title, p.hint or kind_of(p.operator, p.role)) for n, p in programs.items()}
    return told(rows, kind)


def told(rows: dict[str, tuple[str, str]], kind: str, remark: str = "") -> Diagnosis:
    """A diagnosis by names, each with the title and the hint that a student reads."""
    names = tuple(rows)
    titles, hints = tuple(title for title, _ in rows.values()), tuple(hint for _, hint in rows.values())
    return Diagnosis(names, hints, kind, remark, titles=titles)


def kind_of(operator: str, role: str) -> str:
    """What a student reads of a mutant that nobody has named: its kind alone, never its code."""
    touched = operator.removeprefix("replaced-by:") if operator.startswith("replaced-by:argument:") else role
    argument = touched.removeprefix("argument:").partition("/")[0] if touched.startswith("argument:") else ""
    return next((say(argument) for begins, say in KINDS if operator.startswith(begins)), OTHERWISE)


def _of_argument(words: str, otherwise: str) -> Callable[[str], str]:
    return lambda argument: words.format(argument) if argument else otherwise


def _always(words: str) -> Callable[[str], str]:
    return lambda _: words


OTHERWISE = "One small change to a right answer gives just what yours gives: compare each line with what it is for."
FOLLOWED = "Follow `{}` from the arguments to where it is used: which value does it have there?"
OPTION = "Your numbers are those of a run in which one option is left out, or set otherwise than asked for."
KINDS: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    (
        ("left-out", "left-blank", "not-called", "call-lost"),
        _always("Something that must happen is missing, or never really called."),
    ),
    (("doubled", "also-", "given-twice"), _always("Something happens more often than it should.")),
    (("moved-",), _always("All parts are there, but one of them happens at another time than it should.")),
    (("every-", "first-pass", "from-second"), _always("Something does not happen in every pass in which it should.")),
    (
        ("argument-replaced:by-lesson", "argument-replaced:by-one", "argument-replaced:by-zero", "constant"),
        _of_argument(
            "Your numbers are those of one and the same `{}` in every run.", "One number is the same in every run."
        ),
    ),
    (
        ("argument-replaced", "argument-shifted", "positional-lost", "replaced-by:argument"),
        _of_argument(FOLLOWED, OTHERWISE),
    ),
    (("keyword-lost",), _of_argument(FOLLOWED, OPTION)),
    (("keyword-", "flag-"), _always(OPTION)),
    (
        (
            "operator-",
            "left-operand",
            "right-operand",
            "brackets",
            "parentheses",
            "formula-replaced",
            "term-",
            "moved-into",
            "moved-out",
            "sign",
        ),
        _always("One formula is computed otherwise: look at its operators, its brackets and what each is applied to."),
    ),
    (("sibling",), _always("Another tool than the one that was asked for gives just these numbers.")),
    (
        ("always", "never", "turned", "else-", "elif-", "compared", "constants-swapped", "constant-changed:text"),
        _always("A case is decided otherwise: go through your conditions with a value for each of them."),
    ),
    (
        ("range-", "counter-", "slice-", "one-more", "one-less", "constant-changed"),
        _always("One number is another than it should be: look at what you count, from where, and for what."),
    ),
    (
        ("loss-", "gradient", "averaged", "accumulated", "added-up"),
        _always("Your numbers are those of another slope: of what is it the slope, at which point, with which sign?"),
    ),
    (("outlives",), _always("Something is remembered from one call of your function to the next.")),
    (("dtype",), _always("Your numbers have another precision than they should.")),
    (RECORDING, _always("What happens is right; what is kept of it, or given back, is not.")),
)
