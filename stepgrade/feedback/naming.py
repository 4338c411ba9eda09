"""The mistake by its name, with its hint, and the checks with their points.

Knows a diagnosis and a verdict. Refuses to know the numbers behind them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stepgrade.feedback.blocks import Block, Checks, Hints, Para
from stepgrade.feedback.words import answer_of, is_blank, listed, number_word, question_of
from stepgrade.quoting import clean
from stepgrade.records import Diagnosis, ExerciseResult


def name_mistake(diagnosis: Diagnosis, look_at: str, foreign: Callable[[str], str], does: str) -> Iterator[Block]:
    """The mistake by its title, where it has one, and its hint; where none is known, where to look.

    Its name stays with those who teach: "grad not zeroed" beside a hint is the answer to it.
    """
    if diagnosis.kind == "exception":
        does = "stops in just this way"
    hints = diagnosis.hints if diagnosis.names else (look_at,)
    kept = tuple(dict.fromkeys(filter(None, map(clean, hints))))
    lead = _lead(diagnosis, does, bool(kept))
    if lead and (kept or not lead.endswith(":")):
        yield Hints(lead, kept)
    yield Para(foreign(_remark(diagnosis)))


def _lead(diagnosis: Diagnosis, does: str, has_hints: bool) -> str:
    """What stands above the hints."""
    num = len(diagnosis.names)
    titles = [f"“{clean(title, 80)}”" for title in diagnosis.titles if title]
    do = re.sub("^(give|stop|do)e?s", r"\1", does)
    if diagnosis.cause:
        return "It was not diagnosed which mistake this is." + (" Where to look first:" if has_hints else "")
    if not num:
        return f"No mistake that we know of {does}. Where to look first:" if has_hints else ""
    if is_blank(diagnosis.names):
        return "Where to begin:"
    if diagnosis.kind == "rule":
        return f"This is known as {listed(titles, 'and')}." if titles else "What to think of:"
    end = ":" if has_hints else "."
    if num == 1:
        return f"One known mistake {does}{f': {titles[0]}.' if titles else end}"
    if "+" in diagnosis.kind or "together" in diagnosis.remark:
        told = f": {listed(titles, 'and')}." if len(titles) == num else end
        return f"{number_word(num)} known mistakes together {do}{told}"
    told = f": either {listed(titles, 'or')}." if len(titles) == num else f", each by itself{end}"
    return f"{number_word(num)} known mistakes {do}{told}"


def _remark(diagnosis: Diagnosis) -> str:
    """What the remark adds: without sentences that say names, which are not the student's, or that there are none."""
    names = [name for name in diagnosis.names if re.search(r"\w[-_]\w", name)]  # others may be ordinary words
    num = len(diagnosis.names)

    def was_said(sentence: str) -> bool:
        lists_all = num > 1 and all(name in sentence for name in diagnosis.names)
        return sentence.startswith("No known mistake") or lists_all or any(name in sentence for name in names)

    return " ".join(s for s in re.split(r"(?<=[.?!]) ", diagnosis.remark) if not was_said(s))


def list_checks(result: ExerciseResult) -> Checks:
    """Each check with the points it earned, in the exercise's own scale."""
    worth = sum(c.points for c in result.checks)
    scale = result.points / worth if worth else 1.0
    rows = tuple((question_of(c), answer_of(c), c.points * scale * c.passed, c.points * scale) for c in result.checks)
    return Checks(rows, result.score, result.points)
