"""Words and numbers as feedback writes them.

Knows how a number, a list and a name are put into a sentence. Refuses to know what is right.
"""

from __future__ import annotations

import builtins
import math
import re
from collections.abc import Sequence

from stepgrade.exercise import Objective
from stepgrade.quoting import clean
from stepgrade.records import Check, ExerciseResult

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


def input_words(name: str, value: object) -> str:
    """One input of a function, as it stands in a list of them."""
    return f"f(x) = {value}" if isinstance(value, Objective) else equation(name, value)


def power(value: float) -> str:
    """A tolerance: two digits, and 1e-4 for 0.0001."""
    return re.sub(r"e-0+", "e-", f"{value:.2g}" if value >= 0.001 else re.sub(r"\.?0*e", "e", f"{value:.1e}"))


def counted(num: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{num} {one if num == 1 else many}"


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
