"""The mistake by its name, with its hint, and the checks with their points.

Knows a diagnosis and a verdict. Refuses to know the numbers behind them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stepgrade.feedback.blocks import Block, Checks, Hints, Para
from stepgrade.feedback.words import answer_of, is_blank, listed, number_word, question_of, spoken
from stepgrade.quoting import clean
from stepgrade.records import Diagnosis, ExerciseResult


def name_mistake(diagnosis: Diagnosis, look_at: str, foreign: Callable[[str], str], does: str) -> Iterator[Block]:
    """The mistake's name and its hint; where there is no name, where to look."""
    names = [f"“{spoken(name)}”" for name in diagnosis.names]
    if diagnosis.kind == "exception":
        does = "stops in just this way"
    do = re.sub("^(give|stop|do)e?s", r"\1", does)
    if diagnosis.cause:
        lead = "It was not diagnosed which mistake this is." + (" Where to look first:" if look_at else "")
    elif not names:
        lead = f"No mistake that we know of {does}. Where to look first:" if look_at else ""
    elif is_blank(diagnosis.names):
        lead = "Where to begin:"
    elif diagnosis.kind == "rule":
        lead = f"This is known as {listed(names, 'and')}."
    elif len(names) == 1:
        lead = f"One known mistake {does}: {names[0]}."
    elif "+" in diagnosis.kind or "together" in diagnosis.remark:
        lead = f"{number_word(len(names))} known mistakes together {do}: {listed(names, 'and')}."
    else:
        lead = f"{number_word(len(names))} known mistakes {do}: either {listed(names, 'or')}."
    if lead:
        hints = diagnosis.hints if names else (look_at,)
        yield Hints(lead, tuple(dict.fromkeys(filter(None, map(clean, hints)))))
    yield Para(foreign(_remark(diagnosis)))


def _remark(diagnosis: Diagnosis) -> str:
    """What the remark adds to the names: sentences that only list them, or say that there are none, were said."""
    names = diagnosis.names

    def was_said(sentence: str) -> bool:
        return sentence.startswith("No known mistake") or (len(names) > 1 and all(name in sentence for name in names))

    return " ".join(s for s in re.split(r"(?<=[.?!]) ", diagnosis.remark) if not was_said(s))


def list_checks(result: ExerciseResult) -> Checks:
    """Each check with the points it earned, in the exercise's own scale."""
    worth = sum(c.points for c in result.checks)
    scale = result.points / worth if worth else 1.0
    rows = tuple((question_of(c), answer_of(c), c.points * scale * c.passed, c.points * scale) for c in result.checks)
    return Checks(rows, result.score, result.points)
