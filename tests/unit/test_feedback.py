"""What a student reads: pinned for every kind of outcome, and nothing of ours or of others slips through."""

from __future__ import annotations

import functools
import html.parser
import itertools
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from walks import points

from stepgrade import picture
from stepgrade.compare import Differs
from stepgrade.exercise import Exercise, Inputs, Objective, load_program, run_program
from stepgrade.feedback.blocks import TEXT_WIDTH, Feedback
from stepgrade.feedback.explain import explain, explain_trouble
from stepgrade.feedback.finding import find_trouble, is_rate_too_large, reference_of
from stepgrade.feedback.teller import describe_step
from stepgrade.quoting import clean
from stepgrade.records import Check, Diagnosis, ExerciseResult, Run, StudentError

GOLDEN = Path(__file__).parent / "golden_feedback"
CASES = Path(__file__).parents[2].parent / "shared" / "cases"

SGD = """
def reference(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        optimizer.step()
    return trajectory
"""
DECAYING = """
def reference(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
"""
BY_HAND = Exercise(
    name="gradient-descent",
    function="gradient_descent",
    columns=("f(x_t)",),
    reference=load_program(SGD)["reference"],
    lesson={"f": Objective("x ** 2"), "x0": 8, "lr": 0.1, "iterations": 20},
    hidden=(
        {"f": Objective("0.5 * (x - 3) ** 2 + torch.sin(x)"), "x0": -2.5, "lr": 1.3, "iterations": 9},
        {"f": Objective("torch.exp(0.3 * x) - 0.7 * x"), "x0": 4.75, "lr": 0.37, "iterations": 7},
    ),
)
SCHEDULE = Exercise(
    name="scheduler",
    function="use_scheduler",
    columns=("f(x_t)", "lr"),
    reference=load_program(DECAYING)["reference"],
    lesson={"f": Objective("5 * abs(x)"), "x0": 8, "lr": 0.5, "gamma": 0.8, "iterations": 15},
    hidden=({"f": Objective("torch.exp(0.3 * x) - 0.7 * x"), "x0": 4.75, "lr": 0.37, "gamma": 0.7, "iterations": 7},),
)

WALK = """
def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for i in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
"""


def changed(old: str, new: str, source: str = WALK) -> str:
    assert old in source
    return source.replace(old, new)


RIGHT = WALK
NO_ZERO = changed("        x.grad.zero_()\n", "")
RECORDED_AFTER = changed(
    "        trajectory.append(y.item())\n",
    "",
    changed("x.grad.zero_()", "x.grad.zero_()\n        trajectory.append(f(x).item())"),
)
TOO_SHORT = changed("range(iterations)", "range(iterations - 1)")
UPHILL = changed("x -= lr", "x += lr")
HIDDEN_ONLY = changed("lr * x.grad", "lr * x.grad.abs()")
NO_LIST = changed("    return trajectory\n", "")
STRINGS = changed("y.item()", "f'{y.item():.4f}'")
NAN = changed("lr * x.grad", "lr * x.grad / (x.grad - x.grad)")
BLANK = "def gradient_descent(f, x0, lr, iterations):\n    raise NotImplementedError('YOUR TURN')\n"
NOT_DECAYING = changed("        scheduler.step()\n", "", DECAYING).replace("reference", "use_scheduler")


def runs_of(exercise: Exercise, source: str) -> list[tuple[Inputs, Run]]:
    return [(inputs, run_program(load_program(source), exercise.call(inputs))) for inputs in exercise.inputs]


def judged(exercise: Exercise, runs: list[tuple[Inputs, Run]], diagnosis: Diagnosis | None = None) -> ExerciseResult:
    """The verdict of two plain checks, as the hidden ones give it."""

    def records(run: Run, inputs: Inputs) -> None:
        exercise.follows_or_skip(run, inputs)
        exercise.assert_records(run, inputs)

    asked = (
        ("test_follows_torch", 3.0, "Does x walk torch's own path, step by step?", exercise.assert_follows),
        ("test_records", 1.0, "Is f(x_t) recorded once per pass, before the update?", records),
    )
    checks = tuple(_verdict(name, points, title, asks, runs) for name, points, title, asks in asked)
    score = sum(c.points for c in checks if c.passed)
    outcome = "passed" if all(c.passed for c in checks) else "failed"
    if any(run.status == "timed_out" for _, run in runs):
        outcome = "timed_out"
    return ExerciseResult(exercise.grade_id, 4.0, score, outcome, checks, diagnosis or Diagnosis())  # type: ignore[arg-type]


def _verdict(
    name: str, points: float, title: str, asks: Callable[[Run, Inputs], None], runs: list[tuple[Inputs, Run]]
) -> Check:
    for inputs, run in runs:
        try:
            asks(run, inputs)
        except Differs as gap:
            return Check(name, points, "failed", title, gap.gap, gap.message)
        except pytest.skip.Exception as unanswered:
            return Check(name, points, "not judged", title, message=str(unanswered))
    return Check(name, points, "passed", title)


def told(
    source: str, diagnosis: Diagnosis | None = None, exercise: Exercise = BY_HAND, show_hidden_numbers: bool = True
) -> Feedback:
    runs = runs_of(exercise, source)
    return explain(exercise, judged(exercise, runs, diagnosis), runs, show_hidden_numbers=show_hidden_numbers)


def known(name: str, hint: str, kind: str = "dynamics") -> Diagnosis:
    return Diagnosis((name,), (hint,), kind)


def all_runs(run: Run) -> list[tuple[Inputs, Run]]:
    return [(inputs, run) for inputs in BY_HAND.inputs]


def told_of(run: Run, show_hidden_numbers: bool = True) -> Feedback:
    runs = all_runs(run)
    return explain(BY_HAND, judged(BY_HAND, runs), runs, show_hidden_numbers=show_hidden_numbers)


def by_the_optimizer() -> Feedback:
    source = changed("reference", "gradient_descent", SGD)
    runs = runs_of(BY_HAND, source)
    rule = Check(
        "test_by_hand", 1.0, "failed", "Is the update written by hand?", None, "Your cell uses torch.optim (SGD)."
    )
    verdict = judged(BY_HAND, runs, known("optimizer_in_by_hand", "Which line of yours is the update rule?", "rule"))
    checks = (replace(verdict.checks[0], points=2.0), verdict.checks[1], rule)
    return explain(BY_HAND, replace(verdict, outcome="failed", score=3.0, checks=checks), runs)


def not_everything_judged() -> Feedback:
    runs = runs_of(BY_HAND, RIGHT)
    verdict = judged(BY_HAND, runs)
    asked = Check("test_speed", 1.0, "not judged", "Is it fast?", message="the clock stood still")
    return explain(BY_HAND, replace(verdict, outcome="failed", score=3.2, checks=(*verdict.checks, asked)), runs)


def missing() -> Feedback:
    runs = all_runs(Run("missing"))
    why = "There is no function gradient_descent. Your notebook defines gradient_decent: did you rename it?"
    return explain(BY_HAND, replace(judged(BY_HAND, runs), message=why), runs)


def raised() -> Feedback:
    """As the student's process tells it, with the line."""
    error = StudentError("AttributeError", "'NoneType' object has no attribute 'zero_'", 10, "x.grad.zero_()", 1)
    runs = all_runs(Run("raised", visited=points(8.0), error=error))
    leaf = known("x_rebound_not_leaf", "Print x.is_leaf before and after your update.", "exception")
    return explain(BY_HAND, judged(BY_HAND, runs, leaf), runs)


NO_ZERO_NAMED = known("grad_not_zeroed", "Print x.grad on every pass. What has backward() done to what was there?")
OUTCOMES: dict[str, Callable[[], Feedback]] = {
    "right": lambda: told(RIGHT),
    "right_schedule": lambda: told(changed("reference", "use_scheduler", DECAYING), exercise=SCHEDULE),
    "wrong_dynamics": lambda: told(NO_ZERO, NO_ZERO_NAMED),
    "uphill": lambda: told(UPHILL, known("wrong_sign", "Is f going down? Which way does the gradient point?")),
    "unknown": lambda: told(changed("lr * x.grad", "0.93 * lr * x.grad")),
    "several_names": lambda: told(
        changed("lr * x.grad", "lr * x.grad.clamp(-1, 1)"),
        Diagnosis(
            ("gradient_clipped", "sign_step"),
            ("Compare your first step with lr * gradient.", "Do your steps get shorter where the slope gets flatter?"),
            "dynamics",
        ),
    ),
    "hidden_inputs_only": lambda: told(HIDDEN_ONLY),
    "hidden_inputs_kept_back": lambda: told(HIDDEN_ONLY, show_hidden_numbers=False),
    "recording": lambda: told(
        RECORDED_AFTER,
        known("recorded_after", "The list should begin with f(x0). What does yours begin with?", "recording"),
    ),
    "too_short": lambda: told(TOO_SHORT, known("one_pass_short", "Count your values.")),
    "schedule_never_decays": lambda: told(
        NOT_DECAYING, known("lr_never_decays", "Print the learning rate on every pass."), SCHEDULE
    ),
    "raised": raised,
    "raised_unknown": lambda: told(changed("trajectory.append", "trajectory.push")),
    "missing": missing,
    "timed_out": lambda: told_of(Run("timed_out", message="Stopped after 30 s.")),
    "died": lambda: told_of(Run("died", message="The process ended with exit code 1.")),
    "left_blank": lambda: told(BLANK, known("left_blank", "Something is still to be written here.", "exception")),
    "nothing_returned": lambda: told(
        NO_LIST, known("no_return", "What does your function return? Printing is not returning.", "recording")
    ),
    "not_a_number": lambda: told(STRINGS),
    "nan": lambda: told(NAN),
    "by_the_optimizer": by_the_optimizer,
    "not_everything_judged": not_everything_judged,
    "errored": lambda: explain_trouble(
        ExerciseResult("gradient-descent-check", 4, 0, "errored", cause="KernelError: no kernel (SECRET.py, line 3)")
    ),
    "nothing_to_call": lambda: explain_trouble(
        ExerciseResult(
            "optimizer-check", 3, 0, "failed", message="There is no use_optimizer: did you rename use_optimiser?"
        )
    ),
}


@functools.cache
def outcome(name: str) -> Feedback:
    return OUTCOMES[name]()


# -- what it says ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OUTCOMES)
def test_text_is_pinned(name: str) -> None:
    """Set STEPGRADE_PIN=1 to write the files anew, and read the difference."""
    pinned = GOLDEN / f"{name}.txt"
    if os.environ.get("STEPGRADE_PIN"):
        pinned.write_text(outcome(name).text, encoding="utf-8")
    assert outcome(name).text == pinned.read_text(encoding="utf-8")


def test_no_pinned_text_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_text_fits_a_terminal(name: str) -> None:
    assert max(map(len, outcome(name).text.splitlines())) <= TEXT_WIDTH


@pytest.mark.parametrize("name", OUTCOMES)
def test_html_says_what_the_text_says(name: str) -> None:
    said = words_of(outcome(name).html)
    for paragraph in outcome(name).text.split("\n\n"):
        if paragraph.startswith("[Picture:"):
            continue
        for word in re.findall(r"[^\s`>-]+", paragraph):
            assert word.strip("`.") in said, f"{word!r} is in the text alone"


def test_gap_comes_before_its_name_and_the_name_before_the_points() -> None:
    said = words_of(outcome("wrong_dynamics").html)
    places = [said.index(word) for word in ("12.3904", "26.2144", "0.0026", "▶ 2", "grad not zeroed", "together")]
    assert places == sorted(places)


def test_right_answer_says_what_was_compared_and_gets_a_picture() -> None:
    assert "3 runs" in outcome("right").text
    assert "36 steps" in outcome("right").text
    assert "rtol 1e-4, atol 1e-6" in outcome("right").text
    assert outcome("right").html.count("<img ") == 2


def test_five_rows_surround_the_gap() -> None:
    assert re.findall(r'scope="row"[^>]*>(?:▶ )?(\d+)<', outcome("uphill").html) == list("01234")
    assert re.findall(r'scope="row"[^>]*>(?:▶ )?(\d+)<', outcome("too_short").html) == ["15", "16", "17", "18", "19"]


def test_gap_shows_on_the_lessons_inputs_where_it_can() -> None:
    runs = runs_of(BY_HAND, UPHILL)
    found = find_trouble(BY_HAND, list(reversed(runs)))
    assert found is not None
    assert found.is_lesson


def test_our_failure_never_speaks_of_points_lost() -> None:
    assert "0 of" not in outcome("errored").text
    assert "costs you no points" in outcome("errored").text
    assert "SECRET" not in outcome("errored").text + outcome("errored").html


def test_broken_check_is_our_failure_even_with_runs() -> None:
    runs = runs_of(BY_HAND, UPHILL)
    verdict = replace(judged(BY_HAND, runs), outcome="errored")
    assert explain(BY_HAND, verdict, runs) == explain_trouble(verdict)


def test_what_could_not_be_judged_is_neither_yes_nor_no() -> None:
    (row,) = re.findall(r"<tr>(?:(?!</tr>).)*Is f\(x_t\) recorded(?:(?!</tr>).)*</tr>", outcome("uphill").html)
    assert "– not judged" in row and not {"✓", "✗", "⚙"} & set(row)
    assert "neither yes nor no" in words_of(outcome("uphill").html)
    assert "not judged" not in outcome("recording").text.lower()


def test_two_mistakes_together_are_joined_by_and() -> None:
    both = Diagnosis(("grad_not_zeroed", "recorded_after"), ("One?", "Two?"), "dynamics+recording")
    assert "Two known mistakes together give exactly these numbers" in told(NO_ZERO, both).text


def test_remark_adds_only_what_names_and_lead_have_not_said() -> None:
    names, hints = ("lr-missing", "wrong-start"), ("One?", "Two?")
    remark = "Two things explain these numbers together: lr-missing and wrong-start. `lr` is never read."
    said = told(NO_ZERO, Diagnosis(names, hints, "dynamics", remark)).text
    assert "together give exactly these numbers: “lr missing” and “wrong start”" in said
    assert "Two things" not in said
    assert "`lr` is never read." in said
    assert told(NO_ZERO, Diagnosis(remark="No known mistake gives exactly these numbers.")) == told(NO_ZERO)


def test_other_inputs_that_never_end_are_mentioned() -> None:
    runs = [runs_of(BY_HAND, UPHILL)[0], (BY_HAND.hidden[0], Run("timed_out", message="Stopped after 30 s."))]
    verdict = replace(judged(BY_HAND, runs), message="Stopped after 30 s.")
    said = explain(BY_HAND, verdict, runs).text
    assert "At step 1 your f(x_t) is 92.16" in said
    assert "Stopped after 30 s." in said


def test_points_are_shown_in_the_exercises_own_scale() -> None:
    runs = runs_of(BY_HAND, RECORDED_AFTER)
    assert "1.5 of 1.5" in explain(BY_HAND, replace(judged(BY_HAND, runs), points=2.0, score=1.5), runs).text


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (8.0, "you stay where you are"),
        (6.4, "your step is as long as torch's"),
        (4.8, "your step is 2 times as long as torch's"),
        (9.6, "your step is as long as torch's and goes the other way"),
        (math.nan, ""),
        (math.inf, ""),
    ],
)
def test_step_is_compared_from_the_same_point(x: float, words: str) -> None:
    assert describe_step(8.0, 6.4, x) == words


# -- what it must not say ----------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></div></body><iframe src=//evil>",
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "\u202egnp.exe\u2066 \u200b\ufeff",
    "$$\\href{javascript:alert(1)}{x}$$ \\(x\\) \\[y\\]",
    "`<b>code</b>` ![a](http://evil) [b](javascript:1)",
    "\ud800 lone \udfff",
    "a" * 100_000,
    "x\n" * 5_000,
    "é\u0301" * 1000,
    "&lt;b&gt; &#x3c;script&#x3e;",
    "\x00\x07\x08\r\v",
)
TAGS = {*["div", "p", "pre", "code", "span", "table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "img"]}
ATTRIBUTES = {*["class", "style", "scope", "colspan", "rowspan", "src", "alt", "width"]}


class Reader(html.parser.HTMLParser):
    """Collects the words, and refuses whatever is no plain, self-contained, balanced HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES, (tag, name)
            assert name != "src" or re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+", value or "")
            assert name != "style" or not re.search(r"url|expression|@|<", value or "")
        if tag == "img":
            assert len(dict(attrs)["alt"] or "") > 20
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def words_of(text: str) -> str:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return re.sub(r"\s+", " ", " ".join(reader.words))


@pytest.mark.parametrize("name", OUTCOMES)
def test_html_is_plain_and_self_contained(name: str) -> None:
    words_of(outcome(name).html)
    for foreign in ("<script", "<style", "http:", "https:", "javascript:", "@import", "<a ", "onerror="):
        assert foreign not in outcome(name).html


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_cannot_break_out(text: str) -> None:
    error = StudentError(text, text, 3, text, 2)
    said = [
        told_of(Run("raised", error=error)),
        told_of(Run("returned", returned={"str": text})),
        told_of(Run("returned", returned=[{"str": text}] * 20)),
        told_of(Run("returned", returned={"object": text})),
        told_of(Run("timed_out", message=text)),
        told(UPHILL, Diagnosis((text,), (text,), "dynamics", text)),
        explain_trouble(
            ExerciseResult(text, 4, 0, "failed", (Check(text, 1, "failed", text, None, text),), message=text)
        ),
    ]
    for each in said:
        words = words_of(each.html)
        each.html.encode("utf-8")
        each.text.encode("utf-8")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", each.html + each.text)
        assert len(words) < 6000
        assert not re.search(r"[$\\][^<]", re.sub(r"<(pre|code).*?</\1>", "", each.html, flags=re.S))


def test_no_check_message_of_a_gap_is_repeated() -> None:
    """Such a message may be of hidden inputs; the gap is told from the runs instead."""
    runs = runs_of(BY_HAND, UPHILL)
    checks = (Check("test_x", 4.0, "failed", "Does x walk?", None, "SECRET 3.14159"),)
    assert "SECRET" not in explain(BY_HAND, replace(judged(BY_HAND, runs), checks=checks), runs).html


def test_kept_back_numbers_stay_back() -> None:
    tell_tale = changed(
        "    x = torch", "    if x0 != 8:\n        raise ValueError(f'{f} {x0} {lr} {iterations}')\n    x = torch"
    )
    own_name = changed(
        "    x = torch", "    if x0 != 8:\n        raise type(f'E{x0}_{lr}', (Exception,), {})(x0)\n    x = torch"
    )
    words = changed("return trajectory", "return trajectory if x0 == 8 else [str(v) for v in trajectory]")
    name = changed("return trajectory", "return trajectory if x0 == 8 else type(f'T{x0}_{lr}', (), {})()")
    longer = changed("return trajectory", "return trajectory if x0 == 8 else [*trajectory, x0]")
    shorter = changed("return trajectory", "return trajectory if x0 == 8 else trajectory[:-2]")
    blown = changed("lr * x.grad", "lr * x.grad * (1 if x0 == 8 else 1e4)")
    pairs = changed("return trajectory", "return trajectory if x0 == 8 else [(v, x0) for v in trajectory]")
    secrets = hidden_numbers()
    for source in (HIDDEN_ONLY, tell_tale, own_name, words, name, longer, shorter, blown, pairs):
        runs = runs_of(BY_HAND, source)
        verdict = judged(BY_HAND, runs, Diagnosis(remark="It went from -2.5 to 94.6825 with lr 1.3."))
        said = explain(BY_HAND, verdict, runs, show_hidden_numbers=False)
        shown = re.sub(r"data:image/png;base64,[^\"]*", "", said.html)
        shown = re.sub(r'style="[^"]*"', "", shown) + said.text
        assert not secrets & set(re.findall(r"\d+\.\d+|\d{2,}", shown))
        assert "sin" not in shown
        assert "exp(" not in shown
        assert pictures_of(said) == pictures_of(outcome("right")), "the picture must be the lesson's"
        assert "Those inputs stay hidden" in said.text
        assert re.search(r"try a start left of zero", said.text)


SPELT = "aPf * bPd + McPf"  # hidden inputs in letters, as a submission may write what it was called with
TOLD = ("aPf", "bPd", "McPf", "77777")
ERROR = StudentError("McPf", SPELT, 77777, SPELT, 77777)
TELLING = [
    Run("raised", error=ERROR),
    Run("raised", error=replace(ERROR, type="ValueError")),
    Run("raised", error=replace(ERROR, type="print")),
    Run("raised"),
    *(
        Run("returned", returned=value)
        for value in ({"str": SPELT}, {"object": "McPf"}, [{"str": SPELT}], [{"object": "McPf"}], {"cut": 77777}, SPELT)
    ),
    Run("returned", returned=[[1.0] * 77, {"dict": 77777}]),
    Run("died", message=f"the process ended with exit status 77777 {SPELT}"),
    Run("timed_out", message=SPELT),
    Run("missing", message=SPELT),
]


@pytest.mark.parametrize("run", TELLING, ids=lambda run: repr(run)[:60])
@pytest.mark.parametrize("outcome", ["failed", "timed_out", "errored"])
@pytest.mark.parametrize("lesson", [RIGHT, NO_ZERO])
def test_no_word_of_the_students_process_is_shown_where_hidden_inputs_stay_hidden(
    run: Run, outcome: str, lesson: str
) -> None:
    first, *others = runs_of(BY_HAND, lesson)
    runs = [first, *((inputs, run) for inputs, _ in others)]
    for names in ((), ("wrong_sign",)):
        diagnosis = Diagnosis(names, ("Which way?",) * len(names), "exception", f"{SPELT} has no known cause here.")
        verdict = replace(judged(BY_HAND, runs, diagnosis), outcome=outcome, message=f"status 77777 {SPELT}")  # type: ignore[arg-type]
        said = explain(BY_HAND, verdict, runs, show_hidden_numbers=False)
        shown = re.sub(r"data:image/png;base64,[^\"]*", "", said.html) + said.text
        assert not [word for word in TOLD if word in shown]


def test_the_lessons_own_stop_is_told_in_its_own_words_alone() -> None:
    stopped = [
        Run("timed_out", message="Stopped after 30 s."),
        *[Run("died", message=f"exit status 77777 {SPELT}")] * 2,
    ]
    runs = list(zip(BY_HAND.inputs, stopped, strict=True))
    verdict = replace(judged(BY_HAND, runs), message=f"exit status 77777 {SPELT}")
    said = explain(BY_HAND, verdict, runs, show_hidden_numbers=False)
    assert "Stopped after 30 s." in said.text
    assert not [word for word in TOLD if word in said.text]


def test_message_of_a_broken_rule_is_left_out_where_hidden_inputs_stay_hidden() -> None:
    runs = runs_of(BY_HAND, RIGHT)
    rule = Check("test_rule", 1.0, "failed", "Is it done as asked?", None, f"The text {SPELT!r} came back.")
    verdict = replace(judged(BY_HAND, runs), outcome="failed", checks=(rule,), message=SPELT)
    said = explain(BY_HAND, verdict, runs, show_hidden_numbers=False)
    assert "Is it done as asked?" in said.text
    assert not [word for word in TOLD if word in said.text + said.html]


def hidden_numbers() -> set[str]:
    """Every number of the hidden runs, as it might be written; whole numbers below ten are steps and points too."""
    found: set[str] = set()
    for inputs in BY_HAND.hidden:
        expected = BY_HAND.expected(inputs)
        values = [v for v in inputs.values() if isinstance(v, int | float)]
        for value in (*values, *expected.visited, *expected.returned):
            found |= {f"{abs(value):.{digits}g}" for digits in (2, 3, 4, 5, 6)}
            found |= {f"{abs(value):.{digits}f}" for digits in (2, 3, 4, 5, 6)}
    lesson = BY_HAND.expected(BY_HAND.lesson)
    shown = {"8", "20", "0.1", *(show for x in lesson.visited for show in (f"{x:.6g}", f"{x:.4f}"))}
    return {number for number in found if len(number) > 1} - shown


def pictures_of(said: Feedback) -> list[str]:
    return re.findall(r"base64,([^\"]+)", said.html)


def test_lessons_own_gap_keeps_its_numbers_when_hidden_ones_are_kept_back() -> None:
    assert told(NO_ZERO, NO_ZERO_NAMED, show_hidden_numbers=False) == outcome("wrong_dynamics")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[1;31mno\x1b[0m", "no"),
        ("a\tb\r\n c", "a b c"),
        ("\u202eabc\u0000", "abc"),
        ("", ""),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


# -- how it holds up ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_page_is_small(name: str) -> None:
    assert len(outcome(name).html.encode()) < 60_000


@pytest.mark.parametrize("name", ["wrong_dynamics", "schedule_never_decays", "hidden_inputs_kept_back", "nan"])
def test_same_mistake_same_bytes(name: str) -> None:
    first = OUTCOMES[name]()
    picture._draw.cache_clear()
    assert OUTCOMES[name]() == first


def test_other_names_in_the_same_mistake_change_nothing() -> None:
    renamed = NO_ZERO.replace("trajectory", "history").replace("lr", "step_size").replace("for i in", "for _ in")
    assert told(renamed, NO_ZERO_NAMED) == outcome("wrong_dynamics")


STRANGE: list[object] = [
    None, True, 3.0, [], [[]], [None] * 20, [math.nan] * 20, [math.inf] * 20, [1e308] * 20, [-1e308, 1e308] * 10,
    [1e-320] * 20, [0.0] * 20, [64] + [1e30] * 19, [10**400] * 20, [[[[1.0]]]] * 20, [64.0] * 20_000, {"cut": 10**7},
    {"dict": 3}, {"object": "generator"}, {"array": 3.0, "shape": []}, {"array": [[1.0, 2.0]] * 20, "shape": [20, 2]},
    {}, "text", [[64.0]] * 3, [True] * 20, {"array": {"array": []}},
]  # fmt: skip
WALKS: list[tuple[float, ...]] = [
    (), (8.0,), (math.nan,) * 20, (math.inf,) * 20, (8.0, 1e30, -1e30), (8.0,) * 20_000, (8.0, 6.4, math.nan, 5.12),
    (1e308, -1e308), (8.0, 6.4, 5.12, 4.0) * 5,
]  # fmt: skip


@pytest.mark.parametrize("returned", STRANGE, ids=lambda value: repr(value)[:40])
def test_strange_values_are_explained(returned: object) -> None:
    lost = ExerciseResult("gradient-descent-check", 4, 0, "failed")
    for visited in ((), (8.0, 6.4)):
        runs = all_runs(Run("returned", returned=returned, visited=visited))
        for show_hidden_numbers in (True, False):
            words_of(explain(BY_HAND, lost, runs, show_hidden_numbers=show_hidden_numbers).html)


@pytest.mark.parametrize("visited", WALKS, ids=lambda value: repr(value)[:40])
def test_strange_walks_are_explained(visited: tuple[float, ...]) -> None:
    for status in ("returned", "raised", "died", "timed_out", "missing"):
        run = Run(status, returned=[64.0, 41.0], visited=visited)  # type: ignore[arg-type]
        words_of(told_of(run).html)


def test_import_is_light() -> None:
    heavy = ("matplotlib", "torch", "numpy")
    code = f"import sys, stepgrade.feedback.explain; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_equal_mistakes_cost_next_to_nothing() -> None:
    runs = runs_of(SCHEDULE, NOT_DECAYING)
    verdict = judged(SCHEDULE, runs)
    explain(SCHEDULE, verdict, runs)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        explain(SCHEDULE, verdict, runs)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.02  # 1 to 2 ms here; drawing anew takes about 60


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize(("folder", "exercise"), [("gradient-descent", BY_HAND), ("scheduler", SCHEDULE)])
def test_every_shared_case_gets_a_page(folder: str, exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, undrawn = picture.draw, picture.Picture(b"", b"")
    for number, path in enumerate(sorted((CASES / folder).glob("*/*.py"))):
        is_drawn = number % 12 == 0  # drawing them all takes a while
        monkeypatch.setattr(picture, "draw", drawn if is_drawn else lambda scene: undrawn)
        said = told(path.read_text(encoding="utf-8"), exercise=exercise)
        assert len(said.html.encode()) < 60_000, path
        assert max(map(len, said.text.splitlines())) <= TEXT_WIDTH, path


def test_a_blank_among_other_candidates_is_not_said_to_be_one() -> None:
    several = Diagnosis(("no-update", "left-blank"), ("Which line moves x?", "What is missing?"), "dynamics")
    still = changed("x -= lr", "x -= 0 * lr")
    assert "waiting for you" not in told(still, several).text
    assert "waiting for you" in told(still, Diagnosis(("left-blank",), ("What is missing?",), "dynamics")).text


def test_steps_are_compared_pass_by_pass_however_often_f_is_called() -> None:
    twice = changed("y = f(x)", "f(x)\n        y = f(x)", UPHILL)
    short = changed("range(iterations)", "range(iterations // 2)", twice)
    before = changed("trajectory = []", "trajectory = []\n    f(x)", UPHILL)
    for source in (UPHILL, twice, short, before):
        said = " ".join(told(source).text.split())
        is_told = "goes the other way (torch goes to x = 6.4, you to x = 9.6)" in said
        assert is_told or source is before, source  # there the first pass may have been idle, for all that is known
        assert "stay where you are" not in said


def test_a_rate_is_called_large_only_where_it_alone_leads_uphill() -> None:
    def with_momentum(f, x0, lr, momentum, iterations):
        return load_program(SGD.replace("lr=lr", f"lr=lr, momentum={momentum}"))["reference"](f, x0, lr, iterations)

    inputs = {"f": Objective("0.5 * (x - 3) ** 2 + torch.sin(x)"), "x0": -2.5, "lr": 0.23, "momentum": 0.7}
    inputs["iterations"] = 12
    carried = replace(BY_HAND, reference=with_momentum, lesson=inputs, hidden=(inputs,), _expected={})
    values = [row[0] for row in reference_of(carried, inputs)]
    assert any(b > a for a, b in itertools.pairwise(values)), "momentum carries it uphill"
    assert not is_rate_too_large(carried, inputs)
    assert not is_rate_too_large(BY_HAND, BY_HAND.lesson)
    assert is_rate_too_large(BY_HAND, BY_HAND.hidden[0])
    upward = replace(BY_HAND, reference=load_program(SGD.replace("y.back", "(-y).back"))["reference"], _expected={})
    assert not is_rate_too_large(upward, BY_HAND.lesson), "it climbs at any rate"
