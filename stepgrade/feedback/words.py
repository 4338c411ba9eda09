"""Words and numbers as feedback writes them.

Knows how a number, a list and a name are put into a sentence. Refuses to know what is right.
"""

from __future__ import annotations

import builtins
import math
import re
from collections.abc import Sequence

from stepgrade.exercise import Objective
from stepgrade.feedback.heights import variable_words
from stepgrade.quoting import clean
from stepgrade.records import Check, ExerciseResult

MOST_OF_A_POINT, MOST_OF_A_LIST = 3, 8  # numbers that are shown; a list of more is shortened
LEFT_BLANK = "left-blank"  # the one mistake that is spoken of differently


def show(value: float | None) -> str:
    """A number as it is written in a sentence."""
    return "—" if value is None else f"{value:.6g}"


def known_error(name: str) -> str:
    """The name of an error that Python itself has; another could be chosen to say something."""
    known = getattr(builtins, name, None) if name.isidentifier() else None
    return f"`{name}`" if isinstance(known, type) and issubclass(known, BaseException) else "an error"


def sentence(words: str) -> str:
    """With a capital at its start."""
    return words[:1].upper() + words[1:]


def equation(name: str, value: object) -> str:
    """An equation that no line break may tear."""
    return f"{name} = {value}".replace(" ", "\N{NO-BREAK SPACE}")


def show_point(point: Sequence[float]) -> str:
    """A point as it is written in a sentence; of a long one the first numbers."""
    if len(point) == 1:
        return show(point[0])
    first = [show(number) for number in point[: MOST_OF_A_POINT if len(point) > MOST_OF_A_POINT + 1 else None]]
    return f"({', '.join([*first, '…'] if len(first) < len(point) else first)})"


def point_words(objective: Objective, point: Sequence[float]) -> str:
    """A point by the names of the objective's variables: `x = 3`, `x = (3, 2)` for a vector, `(x, y) = (3, 2)`."""
    return equation(variable_words(objective), show_point(point))


def input_words(name: str, value: object) -> str:
    """One input of a function, as it stands in a list of them; of a long list only its beginning."""
    match value:
        case Objective():
            return f"{name}({', '.join(value.names)}) = {value}"
        case str():
            return equation(name, repr(clean(value)))
        case list() | tuple() if _num_inside(value) > MOST_OF_A_LIST:
            return f"{name} ({_list_words(value)}, beginning {_beginning(value)})"
        case tuple():
            return equation(name, list(value))
        case _:
            return equation(name, value)


def _num_inside(value: object) -> int:
    return sum(map(_num_inside, value)) if isinstance(value, list | tuple) else 1


def _beginning(value: Sequence[object]) -> str:
    """The first entries of a list; of lists among them the first ones again."""
    if not value or not isinstance(value[0], list | tuple):
        return ", ".join([*map(str, value[:MOST_OF_A_POINT]), *["…"] * (len(value) > MOST_OF_A_POINT)])
    inside = [f"[{_beginning(item)}]" if isinstance(item, list | tuple) else str(item) for item in value[:2]]
    return ", ".join([*inside, *["…"] * (len(value) > 2)])


def _list_words(value: Sequence[object]) -> str:
    """What a list holds, in words."""
    lengths = {len(item) if isinstance(item, list | tuple) else 0 for item in value}
    if lengths == {0}:
        return f"a list of {len(value)} numbers"
    inside = f" of {counted(lengths.pop(), 'number', 'numbers')}" if len(lengths) == 1 else ""
    return f"a list of {len(value)} lists{inside}"


def power(value: float) -> str:
    """A tolerance: two digits, and 1e-4 for 0.0001."""
    return re.sub(r"e-0+", "e-", f"{value:.2g}" if value >= 0.001 else re.sub(r"\.?0*e", "e", f"{value:.1e}"))


def counted(num: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{num} {one if num == 1 else many}"


def first_few(num: int, one: str, many: str) -> str:
    """The first of several things, at the start of a sentence."""
    return f"The first {one if num == 1 else f'{num} {many}'}"


def listed(items: Sequence[str], last: str) -> str:
    """Items in a row, with a word before the last."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def number_word(num: int) -> str:
    """A small number at the start of a sentence."""
    return {2: "Two", 3: "Three", 4: "Four", 5: "Five"}.get(num, str(num))


def spoken(name: str) -> str:
    """An identifier as words."""
    return clean(name, 60).replace("_", " ").replace("-", " ")


def is_blank(names: Sequence[str]) -> bool:
    """Whether the mistake is that nothing was written."""
    return [name.replace("_", "-") for name in names] == [LEFT_BLANK]


def title_of(result: ExerciseResult) -> str:
    """The exercise's name, for a headline."""
    return sentence(spoken(result.grade_id.removesuffix("-check")))


def score_of(result: ExerciseResult) -> str:
    """What was earned of what it is worth."""
    return f"{result.score:g} of {result.points:g} {'point' if result.points == 1 else 'points'}"


def question_of(check: Check) -> str:
    """What a check asks."""
    return clean(check.title) or sentence(spoken(check.name.removeprefix("test_")))


def answer_of(check: Check) -> str:
    """What a check found."""
    answers = {"passed": "yes", "failed": "no", "not judged": "not judged", "errored": "not judged"}
    return answers[check.verdict]


def aligned(yours: Sequence[float | None], torchs: Sequence[float | None]) -> list[list[str]]:
    """Both columns with the same decimals, so that the eye compares digits; general form where that would not do."""
    both = [abs(v) for v in (*yours, *torchs) if v is not None and math.isfinite(v)]
    sizes = [abs(v) for v in torchs if v] or [v for v in both if v]
    is_plain = bool(sizes) and max(both) < 1e7 and 1e-3 <= max(sizes) < 1e6 and min(sizes) > 1e-4
    decimals = max(1, min(5 - math.floor(math.log10(max(sizes))), 6)) if is_plain else 0

    def write(value: float | None) -> str:
        return f"{value:.{decimals}f}" if is_plain and value is not None and math.isfinite(value) else show(value)

    return [[write(v) for v in column] for column in (yours, torchs)]


def as_sentence(text: str) -> str:
    """A remark of the kernel's as a sentence: a capital letter before it, a full stop behind it."""
    return sentence(text) + ("" if text.endswith((".", "?", "!")) or not text else ".")
