"""Says to a student where their run leaves the path: the gap first, its name second, then a picture.

Knows which of these a verdict calls for. Refuses to know how a run came about, what it is worth and how a mistake is
recognised; never has the text of a check, a reference or a mistake in its hands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stepgrade.exercise import Exercise, Inputs
from stepgrade.feedback.blocks import Block, Feedback, Headline, Para, write_blocks
from stepgrade.feedback.finding import find_trouble
from stepgrade.feedback.naming import list_checks, name_mistake
from stepgrade.feedback.teller import Teller, is_right
from stepgrade.feedback.words import as_sentence, score_of, title_of
from stepgrade.quoting import MAX_QUOTE, clean
from stepgrade.records import ExerciseResult, Run


def explain(
    exercise: Exercise,
    result: ExerciseResult,
    runs: Sequence[tuple[Inputs, Run]],
    *,
    show_hidden_numbers: bool = True,
) -> Feedback:
    """Tell a student how their run compares with torch's own.

    Args:
        exercise: what was asked.
        result: the verdict; it decides what is right, never the numbers seen here.
        runs: each of the exercise's inputs with what the student's function gave.
        show_hidden_numbers: False keeps objective, start, rate and values of hidden inputs out of words and pictures.
    """
    if result.outcome == "errored" or not runs:
        return explain_trouble(result if show_hidden_numbers else _without_words_of_others(result))
    finding = None if is_right(result) else find_trouble(exercise, runs)
    return write_blocks(Teller(exercise, result, tuple(runs), finding, show_hidden_numbers).blocks())


def _without_words_of_others(result: ExerciseResult) -> ExerciseResult:
    """The verdict without sentences in which the student's process may have spelled its inputs."""
    return replace(result, message="", diagnosis=replace(result.diagnosis, remark=""))


def explain_trouble(result: ExerciseResult) -> Feedback:
    """Tell a student why there was nothing to compare: no function, an unreadable notebook, a failure of ours."""
    return write_blocks(_trouble(result))


def _trouble(result: ExerciseResult) -> Iterator[Block]:
    title, message = title_of(result), clean(result.message, 2 * MAX_QUOTE)
    match result.outcome:
        case "errored":
            yield Headline("ours", "This one is on us: it could not be graded.", title, "not judged yet")
            yield Para("Something on our side broke before your work could be judged.")
            yield Para("It costs you no points, and nothing of yours is lost. Your instructor sees this too.")
            return
        case "timed_out":
            yield Headline("off", "Your code did not come to an end.", title, score_of(result))
            yield Para(as_sentence(message) or "It was stopped at the time limit.")
            yield Para("Is there a loop whose end never comes, or does something wait for input?")
        case "passed":
            yield Headline("right", "Right.", title, score_of(result))
            yield Para(message)
        case _:
            yield Headline("off", "There was nothing to compare.", title, score_of(result))
            yield Para(message or "Your function could not be called.")
    yield from name_mistake(result.diagnosis, "", clean, "does exactly this")
    yield list_checks(result)
