"""The class page in a real browser: a class of 300, in which ids, notes and outputs try to become code."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "optimization"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    *("--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
]
NUM_STUDENTS = 300
TOGETHER = (110, 220)  # numbers of two students who share wrong numbers in two exercises
WIDTHS = (360, 375, 820, 1440)
POLICY = (  # one script runs, by its hash; nothing is fetched
    r"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[\w+/]{43}='; "
    r"base-uri 'none'; form-action 'none'"
)
INKS = ("ink", "soft", "torch", "theirs", "passed", "failed", "timed_out", "errored", "unknown")

WELL_KNOWN = {
    "gradient-descent": (
        "grad-not-zeroed",
        "wrong-sign",
        "recorded-after",
        "lr-missing",
        "inplace-on-leaf",
        "no-return",
        "item-too-early",  # these two stop with the same exception at the same point of the walk
        "backward-on-wrong-object",
    ),
    "optimizer": ("momentum-lost", "nesterov", "grad-not-zeroed", "lr-momentum-swapped", "recorded-after", "dampening"),
    "scheduler": ("lr-never-decays", "scheduler-stepped-first", "pair-swapped", "lr-gamma-swapped", "recorded-x"),
}
OF_ITS_OWN = """
def {function}(f, x0, lr, {other}iterations):
    x, trajectory = float(x0), []
    for t in range(iterations):
        trajectory.append({record})
        f(torch.tensor([x]))
        x = x - lr * (x - 1.0) * {number} + 0.05 * (t % 3)
    return trajectory
"""
NO_TEXT = "caf\udce9"  # a folder whose name is no UTF-8
HOSTILE_IDS = (
    "<img src=x onerror=window.hit=1>",
    '"><svg onload=window.hit=1>',
    "'onmouseover='window.hit=1",
    "javascript:window.hit=1",
    "=HYPERLINK(1)",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "..%2f..%2fetc%2fpasswd",
    "...",
    "{{ 7*7 }}{% raw %}",
    "a\nb‮gnp.exe",
    NO_TEXT,
    "&lt;script&gt;",
    "a;=1+1",
    "x" * 200,
    "名前 😀",
)
HOSTILE_NOTES = (
    "</script><script>window.hit=1</script>",
    "</style></title><script>window.hit=1</script>",
    "<!--<script>",
    '"><iframe srcdoc="<script>parent.hit=1</script>">',
    "=cmd|' /C calc'!A0",
    "\x1b[31mred\x1b[0m \x00\x07",
    "<meta http-equiv=refresh content='0;url=javascript:window.hit=1'>",
    "<base href=//example.org/><form action=//example.org><button>",
    "`</code><script>window.hit=1</script>`\u2028\u2029`",
)


# -- an invented class, of real runs -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """One exercise, answered by one program and judged by the real checks and diagnosis."""

    judged: dict[str, Any]
    answers: dict[str, Any]  # by question


class Replayed:
    """A program of ours in a student's place."""

    def __init__(self, exercise: Any, source: str) -> None:
        from stepgrade.diagnosis.catalogue import ask_all, quiet

        self.source = source
        calls = [exercise.call(inputs) for inputs in exercise.inputs]
        with quiet():
            self.runs = ask_all(source, exercise, exercise.inputs)
        self.answers = dict(zip([call.key for call in calls], self.runs, strict=True))

    def ask(self, call: Any) -> Any:
        """What the program answered."""
        return self.answers[call.key]

    def reach(self, function: str) -> Any:
        """What a function of the program mentions."""
        from stepgrade.reach import Written

        return Written([self.source]).reach(function)

    def __getattr__(self, function: str) -> Any:
        from stepgrade.exercise import make_call

        return lambda **inputs: self.ask(make_call(function, inputs))


def answer(checks: Any, exercise: Any, source: str, catalogue: Any) -> Answer:
    """Judge one program as a submission would be."""
    from stepgrade.diagnosis.diagnose import diagnose
    from stepgrade.records import ExerciseResult

    student = Replayed(exercise, source)
    verdicts = checks.judge(exercise.name, student)
    points = sum(check.points for check in verdicts)
    runs = list(zip(exercise.inputs, student.runs, strict=True))
    result = ExerciseResult(
        grade_id=exercise.grade_id,
        points=points,
        score=sum(check.points for check in verdicts if check.passed),
        outcome="passed" if all(check.passed for check in verdicts) else "failed",
        checks=verdicts,
        diagnosis=diagnose(exercise, runs, source, catalogue),
    )
    return Answer(json.loads(json.dumps(result.to_json())), student.answers)


def make_answers(root: Path, num_of_their_own: int) -> dict[str, dict[str, list[Answer]]]:
    """Judged programs by exercise and kind: right, known, own (nobody else's), shared, endless."""
    from stepgrade.checks import Checks
    from stepgrade.classroom import right_answers, wrong_answers
    from stepgrade.course import find_course
    from stepgrade.diagnosis.catalogue import load_catalogue
    from stepgrade.notebook import read_ours, solution_and_stub

    made: dict[str, dict[str, list[Answer]]] = {}
    course = find_course(root)
    rights, wrongs = right_answers(course, ASSIGNMENT), wrong_answers(course, ASSIGNMENT)
    ours = read_ours(course.source_notebook(ASSIGNMENT))
    with Checks(root / "tests" / "hidden" / ASSIGNMENT) as checks:
        for exercise in checks.exercises:
            folder = checks.folder / exercise.name
            catalogue = load_catalogue(folder, exercise, *solution_and_stub(ours, exercise.name))
            wrong = wrongs[exercise.name]
            known = (*WELL_KNOWN[exercise.name], "left-blank")
            chosen = [*known, *[name for name in sorted(wrong) if name not in known][::8]]

            def judge(sources: list[str], exercise: Any = exercise, catalogue: Any = catalogue) -> list[Answer]:
                return [answer(checks, exercise, source, catalogue) for source in sources]

            names = {"optimizer": "momentum, ", "scheduler": "gamma, "}
            record = "(x * x, lr)" if exercise.name == "scheduler" else "x * x"
            own = [
                OF_ITS_OWN.format(
                    function=exercise.function, other=names.get(exercise.name, ""), number=1 + n / 37, record=record
                )
                for n in range(num_of_their_own)
            ]
            made[exercise.name] = {
                "right": judge(list(rights[exercise.name].values())[:6]),
                "known": judge([wrong[name] for name in chosen]),
                "own": judge(own),
            }
    return made


def write_class(root: Path, num: int, made: dict[str, dict[str, list[Answer]]], seed: int = 7) -> dict[str, Any]:
    """Write the reports and answers of an invented class into a course folder; what the page must say of it."""
    from stepgrade import ledger
    from stepgrade.records import CellResult, Record, Run, StudentError

    random_choice = random.Random(seed)
    truth: dict[str, Any] = {"scores": {}, "stopped": set(), "refused": set(), "seconds": {}, "memory": {}, "own": {}}
    for number in range(num):
        student = HOSTILE_IDS[number // 2] if number % 2 and number // 2 < len(HOSTILE_IDS) else f"s{number:04}"
        chosen = {name: _choose(kinds, number, random_choice) for name, kinds in made.items()}
        if number in TOGETHER:
            chosen |= {name: made[name]["own"][3] for name in ("gradient-descent", "optimizer")}
        if not student.isprintable():
            chosen = {name: kinds["right"][0] for name, kinds in made.items()}
        exercises = [json.loads(json.dumps(a.judged)) for a in chosen.values()]
        answers = {key: run for a in chosen.values() for key, run in a.answers.items()}
        was_cut = number % 89 == 30
        cells = [
            CellResult("ok", seconds=0.01 * (number % 7)),
            CellResult("ok", seconds=0.2, message="its output was cut" if was_cut else ""),
        ]
        notes = [HOSTILE_NOTES[number]] if number < len(HOSTILE_NOTES) else []
        if number % 53 == 10:
            exercises[0] |= {"outcome": "timed_out", "score": 0.0, "diagnosis": [], "checks": exercises[0]["checks"]}
            exercises[0]["checks"] = [
                {**c, "passed": False, "verdict": "failed", "gap": None} for c in exercises[0]["checks"]
            ]
            stopped = Run("timed_out", message="interrupted after 30 seconds")
            answers = {key: stopped if n < 4 else run for n, (key, run) in enumerate(answers.items())}
            notes.append("Code cell 14 ran out of time: The cell was interrupted after 30 seconds.")
            truth["stopped"].add(student)
        if number % 71 == 40:
            line = "`</code><script>window.hit=1</script>`"
            error = StudentError("PermissionError", "[Errno 1] Operation not permitted", 3, line)
            answers[next(reversed(answers))] = Run("raised", error=error)
            exercises[-1] |= {"outcome": "failed", "score": 0.0, "diagnosis": []}
            exercises[-1]["checks"] = [
                {**c, "passed": False, "verdict": "failed", "gap": None} for c in exercises[-1]["checks"]
            ]
        if number % 71 == 40 or was_cut:
            truth["refused"].add(student)
        if number % 97 == 20:
            notes.append("The cell 'optimizer-check' was missing; it was put back as released.")
        folder = root / "autograded" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        report = {"assignment": ASSIGNMENT, "notebook": ASSIGNMENT, "student": student, "exercises": exercises}
        report |= {"notes": notes, "protections": []}
        memory = 20.0 + number if number % 3 else None
        truth["memory"] |= {student: memory} if memory is not None else {}
        truth["seconds"][student] = seconds = round(sum(cell.seconds for cell in cells) + 0.125, 3)
        (folder / f"{ASSIGNMENT}.report.json").write_text(json.dumps(report), encoding="utf-8")
        kept = ledger.Kept(ledger.Fingerprint("a", "b", "c"), Record(tuple(cells), answers, seconds, memory))
        (folder / f"{ASSIGNMENT}{ledger.ENDING}").write_text(ledger.to_text(kept), encoding="utf-8")
        truth["scores"][student] = sum(e["score"] for e in exercises)
        for (name, kinds), (_, one) in zip(made.items(), chosen.items(), strict=True):
            is_as_made = all(answers[key] is run for key, run in one.answers.items())
            for place, own in enumerate(kinds["own"]):
                if own is one and is_as_made:
                    truth["own"].setdefault((name, place), set()).add(student)
    return truth


def _choose(kinds: dict[str, list[Answer]], number: int, choice: random.Random) -> Answer:
    drawn = choice.random()
    if drawn < 0.62 or number == 0:
        return choice.choice(kinds["right"])
    if drawn < 0.94:
        known = kinds["known"]
        return known[min(int(choice.expovariate(0.22)), len(known) - 1)]
    if drawn < 0.96:
        return kinds["own"][0]  # several students come to the same wrong numbers
    return kinds["own"][number % len(kinds["own"])]


# -- the page ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InventedClass:
    """A course folder with a graded class of `NUM_STUDENTS`, and its page."""

    root: Path
    page: Path
    truth: dict[str, Any]
    made: dict[str, dict[str, list[Answer]]]


def stepgrade(root: Path, *words: str, fails: bool = False) -> str:
    """Run the command in a folder, as a TA does; in this process, for it takes seconds to start."""
    from typer.testing import CliRunner

    from stepgrade.cli import app
    from stepgrade.errors import StepgradeError

    before = Path.cwd()
    os.chdir(root)
    try:
        done = CliRunner().invoke(app, [*words])
    finally:
        os.chdir(before)
    if done.exception is not None and not isinstance(done.exception, StepgradeError | SystemExit):
        raise done.exception
    assert bool(done.exit_code) == fails, (done.output, done.exception)
    return done.stdout_bytes.decode() + str(done.exception or "")


@pytest.fixture(scope="module")
def invented(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> InventedClass:
    root = tmp_path_factory.mktemp("class") / "course"
    shutil.copytree(generated, root)
    made = make_answers(root, num_of_their_own=8)
    truth = write_class(root, NUM_STUDENTS, made)
    (root / "submitted" / "too-late" / ASSIGNMENT).mkdir(parents=True)
    said = stepgrade(root, "report", ASSIGNMENT)
    assert f"{NUM_STUDENTS} submissions" in said
    return InventedClass(root, root / "reports" / f"{ASSIGNMENT}.html", truth, made)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@dataclass(frozen=True)
class Opened:
    """A page in the browser, with everything that it tried."""

    page: Any
    requests: list[str]
    complaints: list[str]


def open_page(browser: Any, file: Path, width: int = 1440, scheme: str = "light", script: bool = True) -> Opened:
    """Open a file in a context of its own."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    page, requests, complaints = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    page.goto(file.as_uri())
    return Opened(page, requests, complaints)


def test_nothing_that_a_student_wrote_runs_or_is_fetched(browser: Any, invented: InventedClass) -> None:
    opened = open_page(browser, invented.page)
    for element in opened.page.locator("details").all()[:40]:
        element.evaluate("e => e.open = true")
    opened.page.hover("#table tbody tr:nth-child(3) th")
    assert opened.page.evaluate("typeof window.hit") == "undefined"
    assert opened.requests == [invented.page.as_uri()]
    assert opened.complaints == []  # the policy had nothing to forbid: everything had been escaped
    kinds = opened.page.evaluate("[...new Set([...document.querySelectorAll('*')].map(e => e.localName))]")
    assert not {"img", "iframe", "base", "object", "embed"} & set(kinds)
    attributes = opened.page.evaluate("[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())")
    assert not [name for name in set(attributes) if name.startswith("on")]


def test_the_policy_stops_what_escaping_would_miss(browser: Any, invented: InventedClass, tmp_path: Path) -> None:
    evil = (
        "<script>window.hit=1</script><img src=x onerror='window.hit=2'><a href='javascript:window.hit=3' id=go>x</a>"
    )
    text = invented.page.read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(text.replace("</main>", f"{evil}</main>"), encoding="utf-8")
    opened = open_page(browser, spoilt)
    opened.page.evaluate("document.getElementById('go').click()")
    opened.page.wait_for_timeout(200)
    assert opened.page.evaluate("typeof window.hit") == "undefined"
    assert sum("Content Security Policy" in complaint for complaint in opened.complaints) >= 3


def test_every_student_is_on_the_page_with_their_score(browser: Any, invented: InventedClass) -> None:
    opened = open_page(browser, invented.page, script=False)
    rows = opened.page.locator("#table tbody tr").evaluate_all(
        "rows => rows.map(r => [r.cells[0].textContent, Number(r.cells[1].dataset.v)])"
    )
    assert len(rows) == NUM_STUDENTS
    assert sorted(score for _, score in rows) == sorted(invented.truth["scores"].values())
    shown = dict(rows)
    assert all(shown[s] == score for s, score in invented.truth["scores"].items() if s.startswith("s0"))
    counts = opened.page.locator("#scores .histogram .num").all_inner_texts()
    assert sum(map(int, counts)) == NUM_STUDENTS
    incidents = opened.page.locator("#incidents").inner_text()
    assert all(student in incidents for student in invented.truth["stopped"])


def test_the_policy_lets_nothing_in(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    policy = page.locator("meta[http-equiv]").get_attribute("content")
    assert re.fullmatch(POLICY, policy)
    text = invented.page.read_text(encoding="utf-8")
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<script>")
    assert text.count("<script") == text.count("</script>") == 1
    assert not re.findall(r"(?:src|url\(|@import|<link)", text.split("<body>")[0].replace(policy, ""))


def test_the_page_counts_what_the_reports_say(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page, script=False).page
    files = sorted((invented.root / "autograded").glob("*/*/*.report.json"))
    reports = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    exercises = [exercise for report in reports for exercise in report["exercises"]]
    for card in page.locator(".exercises article").all():
        name = card.locator("h3").evaluate("h => h.firstChild.textContent.trim()")
        own = [e for e in exercises if e["grade_id"] == f"{name}-check"]
        passed = [sum(e["checks"][n]["passed"] for e in own) for n in range(len(own[0]["checks"]))]
        shown = card.locator(".count").evaluate_all("all => all.map(c => parseInt(c.textContent))")
        assert shown == passed
        counts = {"right": "passed", "wrong": "failed", "stopped": "timed_out"}
        legend = [text.split(maxsplit=1) for text in card.locator(".legend span").all_text_contents()]
        assert {counts[word]: int(number) for number, word in legend} == dict(Counter(e["outcome"] for e in own))
        average = sum(e["score"] for e in own) / len(own)
        assert card.locator("h3 small").inner_text().startswith(f"{average:.2f} of ")
    wrong = [e for e in exercises if e["outcome"] != "passed"]  # a habit that costs nothing is no mistake
    named = Counter((e["grade_id"], " or ".join(e["diagnosis"])) for e in wrong if e["diagnosis"])
    cards = page.locator("#mistakes .mistake:not(.unknown)").evaluate_all(
        "all => all.map(c => ['.where', 'h3', '.big'].map(s => c.querySelector(s).textContent))"
    )
    assert {(f"{w.split()[0]}-check", title): int(n) for w, title, n in cards} == named
    numbers = [int(number) for _, _, number in cards]
    assert numbers == sorted(numbers, reverse=True)
    drawn = page.locator("#mistakes .mistake:has(svg)").count()
    assert drawn >= 0.85 * page.locator("#mistakes .mistake").count()  # what never called f has no walk


def test_time_and_memory_are_shown(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    rows = page.locator("#table tbody tr").evaluate_all(
        "rows => rows.map(r => [r.cells[0].textContent, ...[...r.querySelectorAll('.r')].map(c => c.textContent)])"
    )
    shown = {student: measured for student, *measured in rows}
    for student, seconds in invented.truth["seconds"].items():
        memory = invented.truth["memory"].get(student)
        if student.startswith("s0"):
            assert shown[student] == [f"{seconds:.2f}", f"{memory:.0f}" if memory is not None else ""]
    bars = page.locator("#usage .histogram").evaluate_all(
        "all => all.map(h => [...h.querySelectorAll('.num')].reduce((sum, n) => sum + Number(n.textContent), 0))"
    )
    assert bars == [NUM_STUDENTS, len(invented.truth["memory"])]
    most = page.locator("#usage .most").last.locator("b").all_inner_texts()
    assert most == [f"{value:.0f}" for value in sorted(invented.truth["memory"].values(), reverse=True)[:5]]


def test_what_was_refused_or_never_graded_is_listed(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page, script=False).page
    refused = page.locator(".incident", has=page.get_by_role("heading", name="Refused by a wall"))
    assert set(refused.locator("tbody th").all_inner_texts()) == invented.truth["refused"]
    assert "Operation not permitted" in refused.inner_text() and "its output was cut" in refused.inner_text()
    stopped = page.locator(".incident", has=page.get_by_role("heading", name="Stopped at a limit"))
    assert "interrupted after 30 seconds" in stopped.inner_text()
    ungraded = page.locator(".incident", has=page.get_by_role("heading", name="Handed in, not graded"))
    assert ungraded.locator("li").all_inner_texts() == ["too-late"]


def test_the_same_wrong_numbers_are_those_of_the_same_program(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page, script=False).page
    cards = page.locator("#same .same").evaluate_all(
        "all => all.map(c => [c.querySelector('h3').textContent,"
        " ...[...c.querySelectorAll('bdi')].map(b => b.textContent)])"
    )
    shown = {(name, frozenset(students)) for name, *students in cards}
    expected = {(name, frozenset(who)) for (name, _), who in invented.truth["own"].items() if len(who) > 1}
    assert shown == expected
    assert page.locator("#same .same svg.plot").count() == len(cards)
    together = page.locator("#same .together li").all_inner_texts()
    assert any(re.fullmatch("(s....,\\s)*s0110,\\s(s....,\\s)*s0220 in .*", text) for text in together)
    assert all(
        re.search("in (gradient-descent and optimizer|optimizer and gradient-descent)$", t) for t in together[:1]
    )


def test_every_cluster_has_its_command_on_the_page(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page, script=False).page
    seen = json.loads(stepgrade(invented.root, "report", ASSIGNMENT, "--json"))
    rows = page.locator("#paths .clusters tbody tr").evaluate_all(
        "rows => rows.map(r => [r.dataset.row, Number(r.cells[0].textContent),"
        " r.querySelector('.command code').textContent])"
    )
    clusters = {c["id"]: len(c["students"]) for e in seen["exercises"] for c in e["clusters"]}
    assert {cluster: number for cluster, number, _ in rows} == clusters
    assert all(command == f'stepgrade comment {ASSIGNMENT} {cluster} "…"' for cluster, _, command in rows)


def test_the_page_is_whole_without_its_script(browser: Any, invented: InventedClass) -> None:
    opened = open_page(browser, invented.page, script=False)
    assert opened.page.locator("#table tbody tr").last.is_visible()
    visible = [b.inner_text() for b in opened.page.locator("button, input, select").all() if b.is_visible()]
    assert visible == []  # no handle that does nothing


def test_sorting_by_keyboard(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    scores = "rows => rows.map(r => Number(r.cells[1].dataset.v))"
    page.focus("#k-submissions")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Student"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_attribute("#table thead th:nth-child(2)", "aria-sort") == "ascending"
    assert page.get_attribute("#table thead th:nth-child(1)", "aria-sort") is None
    ascending = page.locator("#table tbody tr").evaluate_all(scores)
    assert ascending == sorted(ascending) and len(ascending) == NUM_STUDENTS
    page.keyboard.press("Space")
    assert page.get_attribute("#table thead th:nth-child(2)", "aria-sort") == "descending"
    assert page.locator("#table tbody tr").evaluate_all(scores) == ascending[::-1]
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"  # where one is can be seen


def test_every_stop_of_the_tab_key_can_be_seen(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    seen = set()
    for section in (None, "#q-mistakes", "#q-paths", "#q-submissions"):
        if section:
            page.focus(section)
        for _ in range(12):
            page.keyboard.press("Tab")
            name, outline, shown = page.evaluate(
                "(() => { const e = document.activeElement, s = getComputedStyle(e);"
                " return [e.localName, s.outlineStyle + s.outlineWidth, e.checkVisibility()]; })()"
            )
            if name == "body":  # the end of the page
                break
            assert (outline, shown) == ("solid2px", True), name
            seen.add(name)
    assert seen >= {"a", "input", "select", "button", "summary"}


def test_finding_by_keyboard(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    shown = "rows => rows.filter(r => !r.hidden).map(r => r.textContent)"
    page.locator("#submissions").get_by_label("Find", exact=True).focus()
    page.keyboard.type("grad-not-zeroed optim")
    everybody = page.locator("#table tbody tr").evaluate_all("rows => rows.map(r => r.textContent + r.dataset.also)")
    expected = sum("grad-not-zeroed" in text and "optim" in text for text in everybody)
    assert 0 < len(page.locator("#table tbody tr").evaluate_all(shown)) == expected < NUM_STUDENTS
    assert page.inner_text("#submissions .shown") == f"{expected} of {NUM_STUDENTS} shown"
    page.keyboard.press("Control+A")
    page.keyboard.type("nobody has this")
    assert page.locator("#submissions .nobody").is_visible() and not page.locator("#table").is_visible()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.locator("#submissions").get_by_label("Show", exact=True).focus()
    page.keyboard.type("stopped")
    expected = len(invented.truth["stopped"] | invented.truth["refused"])
    assert len(page.locator("#table tbody tr").evaluate_all(shown)) == expected


def test_what_is_found_stands_within_one_cell(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    row = page.locator("#table tbody tr", has_text=f"s{NUM_STUDENTS - 2:04}")
    student, score = row.locator(":scope > :nth-child(-n+2)").all_inner_texts()
    page.locator("#q-submissions").fill(student + score[0])  # an id that nobody has
    assert page.locator("#table tbody tr:not([hidden])").count() == 0
    page.locator("#q-submissions").fill("s0010")
    assert page.locator("#table tbody tr:not([hidden]) th").all_inner_texts() == ["s0010"]


def test_every_table_is_sorted_by_keyboard(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    tables = page.locator("table").all()
    assert len(tables) > 7  # the submissions, two of each exercise, incidents by kind
    for table in tables:
        for head in table.locator("thead th").all():
            head.get_by_role("button").focus()
            page.keyboard.press("Enter")
            assert table.locator("[aria-sort]").count() == 1
            way, values = head.evaluate(
                "h => [h.ariaSort, [...h.closest('table').tBodies[0].rows].map(r => r.cells[h.cellIndex])"
                ".map(c => c.dataset.v ? Number(c.dataset.v) : c.textContent)]"
            )
            if isinstance(values[0], str):
                words = "words => words.sort(new Intl.Collator(undefined, {numeric: true}).compare)"
                assert [v for v in values if v] and values[:: 1 if way == "ascending" else -1] == page.evaluate(
                    words, values
                )
            else:
                assert values == sorted(values, reverse=way == "descending")


def test_every_list_is_filtered_by_keyboard(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    for section, text in (
        ("mistakes", "momentum-lost"),
        ("paths", "momentum-lost"),
        ("same", "s0110"),
        ("incidents", "s0010"),
    ):
        items = page.locator(f"#{section} [data-item]")
        expected = items.evaluate_all("(items, text) => items.filter(i => i.textContent.includes(text)).length", text)
        page.focus(f"#q-{section}")
        page.keyboard.type(text)
        assert 0 < expected == page.locator(f"#{section} [data-item]:not([hidden])").count() < items.count()
        assert page.inner_text(f"#{section} .shown") == f"{expected} of {items.count()} shown"
        seen = page.locator(f"#{section} [data-item]:not([hidden])").evaluate_all(
            "i => i.map(e => e.checkVisibility())"
        )
        assert all(seen)  # what was folded is opened
    page.focus("#q-mistakes")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.press("Tab")
    page.keyboard.type("scheduler")
    shown = page.locator("#mistakes [data-item]:not([hidden]) .where").all_text_contents()
    assert shown and all(text.startswith("scheduler") for text in shown)


def test_a_cluster_is_listed_and_its_path_shown_by_keyboard(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    row = page.locator("#paths .clusters tbody tr").nth(1)
    number, cluster = int(row.locator("td").first.inner_text()), row.get_attribute("data-row")
    row.get_by_role("button", name=re.compile("^Show the path")).focus()
    page.keyboard.press("Enter")
    assert page.locator(f"[data-walk='{cluster}'].on").count() == page.locator(f"[data-walk='{cluster}']").count() > 0
    assert page.locator(".walk.on").count() == page.locator(f"[data-walk='{cluster}']").count()
    row.get_by_role("button", name=re.compile("^List")).focus()
    page.keyboard.press("Enter")
    assert page.inner_text("#submissions .shown") == f"{number} of {NUM_STUDENTS} shown"
    assert page.evaluate("document.activeElement.id") == "q-submissions"


def test_pointing_at_a_walk_says_whose_it_is(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    panel = page.locator("#paths figure").first
    panel.scroll_into_view_if_needed()
    name = "grad-not-zeroed"
    row = page.locator("#paths .clusters tbody tr", has_text=name).first
    cluster, number = row.get_attribute("data-row"), row.locator("td").first.inner_text()
    at = panel.locator(f"[data-walk='{cluster}'] path").first.evaluate(
        "p => { const m = p.getScreenCTM(), q = p.getPointAtLength(p.getTotalLength() * .45).matrixTransform(m);"
        " return [q.x, q.y]; }"
    )
    page.mouse.move(*at)
    assert page.locator(".walk.on").count() > 0
    whose = panel.locator(".whose").inner_text()
    named = page.locator(".looked td:nth-child(2)").inner_text()
    assert whose.endswith(f": {named}") and (named != name or whose.startswith(f"{number} students"))
    page.mouse.move(2, 2)
    assert page.locator(".walk.on").count() == 0 and panel.locator(".whose").inner_text() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_every_width_in_both_schemes(browser: Any, invented: InventedClass, width: int, scheme: str) -> None:
    page = open_page(browser, invented.page, width, scheme).page
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    too_wide = "e => e.filter(x => x.getBoundingClientRect().right > innerWidth + 1).map(x => x.outerHTML.slice(0, 90))"
    assert page.locator("main *:not(svg *)").evaluate_all(too_wide) == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 200) == (scheme == "dark")


CONTRASTS = """() => {
  const parse = text => {
    const [r, g, b, a] = text.match(/[\\d.]+/g).map(Number), most = text.startsWith('color(srgb') ? 255 : 1;
    return [r * most, g * most, b * most, a ?? 1]; };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3])).concat(1);
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.map(v => linear(v / 255)); return .2126 * r + .7152 * g + .0722 * b; };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if ((!own && !e.placeholder) || !e.checkVisibility() || e.closest('script, option, .unseen, .skip')) continue;
    const chain = []; for (let p = e; p; p = p.parentElement) chain.unshift(p);
    let ground = [255, 255, 255, 1], opacity = 1;
    for (const p of chain) {
      const style = getComputedStyle(p);
      ground = over(parse(style.backgroundColor), ground);
      opacity *= style.opacity;
    }
    const style = getComputedStyle(e, own ? null : '::placeholder');
    const ink = parse(e.closest('svg') ? style.fill : style.color);
    ink[3] *= opacity * (own ? 1 : style.opacity);
    const pair = [light(over(ink, ground)), light(ground)].sort((a, b) => b - a);
    found.push([(pair[0] + .05) / (pair[1] + .05), e.localName + '.' + e.className]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast(browser: Any, invented: InventedClass, scheme: str) -> None:
    page = open_page(browser, invented.page, scheme=scheme).page
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.evaluate("for (const b of document.querySelectorAll('[data-show]')) b.setAttribute('aria-pressed', 'true')")
    measured = page.evaluate(CONTRASTS)
    assert len(measured) > 3000
    assert [found for found in measured if found[0] < 4.5] == []  # WCAG 2.2, 1.4.3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_drawn_has_contrast(browser: Any, invented: InventedClass, scheme: str) -> None:
    page = open_page(browser, invented.page, scheme=scheme).page
    names = ["card", *INKS, "focus"]
    read = "names => names.map(n => getComputedStyle(document.documentElement).getPropertyValue('--' + n))"
    colors = dict(zip(names, page.evaluate(read, names), strict=True))
    card = luminance(colors["card"])
    for name in names[1:]:
        high, low = sorted((luminance(colors[name]), card), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3, name  # WCAG 2.2, 1.4.11


def luminance(color: str) -> float:
    """Relative luminance of #rrggbb, as WCAG defines it."""
    parts = [int(color.strip()[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_it_prints(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page, scheme="dark").page
    printed = page.pdf(format="A4", print_background=False)
    assert printed.startswith(b"%PDF") and len(printed) > 100_000
    assert 5 < len(re.findall(rb"/Type\s*/Page\b", printed)) < 60
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    handles = [e for e in page.locator("button, input, select, nav").all() if e.is_visible()]
    assert handles == []
    names = page.locator("#mistakes .names").evaluate_all("all => all.map(e => e.checkVisibility())")
    assert names and all(names)  # with its students, folded or not
    head = page.locator("#table thead th").nth(1)
    assert head.evaluate("h => getComputedStyle(h, '::before').content") == '"Score"'


def test_nothing_moves_for_those_who_do_not_want_it(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(behaviour) == "smooth"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(behaviour) == "auto"
    moving = "[...document.querySelectorAll('*')].filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0)"
    assert page.evaluate(f"{moving}.length + document.getAnimations().length") == 0


def test_it_opens_fast(browser: Any, invented: InventedClass) -> None:
    assert invented.page.stat().st_size < 1_500_000
    page = open_page(browser, invented.page).page
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    assert timing["domComplete"] < 5000  # milliseconds; it takes about 300


# -- for machines, and at scale ----------------------------------------------------------------------------------------


def test_a_spreadsheet_gets_no_formula(invented: InventedClass) -> None:
    rows = list(csv.reader(io.StringIO(stepgrade(invented.root, "report", ASSIGNMENT, "--csv"), newline="")))
    assert len(rows) == NUM_STUDENTS + 1 and len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.strip().startswith(("=", "+", "-", "@"))]
    assert "'=HYPERLINK(1)" in cells and "'@SUM(A1)" in cells
    assert not [cell for cell in cells if "\x1b" in cell or "\x00" in cell]
    text = stepgrade(invented.root, "report", ASSIGNMENT, "--csv")
    semicolons = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=";") for cell in row]
    assert not [
        cell for cell in semicolons if cell.strip().startswith(("=", "+", "-", "@"))
    ]  # as Excel has it in Europe


def test_a_program_gets_the_same_numbers(invented: InventedClass) -> None:
    seen = json.loads(stepgrade(invented.root, "report", ASSIGNMENT, "--json"))
    assert {row["student"]: row["score"] for row in seen["submissions"]} == invented.truth["scores"]
    for exercise in seen["exercises"]:
        assert sum(len(cluster["students"]) for cluster in exercise["clusters"]) == NUM_STUDENTS
        assert len({cluster["id"] for cluster in exercise["clusters"]}) == len(exercise["clusters"])
    assert {i["student"] for i in seen["incidents"] if i["kind"] == "stopped"} == invented.truth["stopped"]
    assert {i["student"] for i in seen["incidents"] if i["kind"] == "wall"} == invented.truth["refused"]
    assert seen["ungraded"] == ["too-late"]
    memory = {row["student"]: row["memory_mib"] for row in seen["submissions"] if "memory_mib" in row}
    assert memory == invented.truth["memory"]
    assert seen["same_wrong_numbers"]


def test_a_path_outside_is_no_assignment(invented: InventedClass) -> None:
    before = sorted(invented.root.parent.iterdir())
    assert "is a path" in stepgrade(invented.root, "report", "../optimization", fails=True)
    assert sorted(invented.root.parent.iterdir()) == before


def test_a_class_of_a_thousand_stays_small(invented: InventedClass, tmp_path: Path) -> None:
    from stepgrade.classpage.overview import look_at_class
    from stepgrade.classpage.page import render
    from stepgrade.course import find_course

    root = tmp_path / "course"
    shutil.copytree(invented.root, root, ignore=shutil.ignore_patterns("autograded", "reports"))
    write_class(root, 1000, invented.made)
    assert len(render(look_at_class(find_course(root), ASSIGNMENT)).encode("utf-8", "replace")) < 3_000_000


def test_reports_without_numbers_make_a_page_too(browser: Any, invented: InventedClass, tmp_path: Path) -> None:
    root = tmp_path / "course"
    shutil.copytree(invented.root, root, ignore=shutil.ignore_patterns("*.answers.json", "reports"))
    broken = root / "autograded" / "s0002" / ASSIGNMENT / f"{ASSIGNMENT}.report.json"
    broken.write_text('{"assignment": "opti')
    stepgrade(root, "report", ASSIGNMENT, "--out", str(tmp_path / "elsewhere" / "page.html"))
    page = open_page(browser, tmp_path / "elsewhere" / "page.html", script=False).page
    assert page.locator("#table tbody tr").count() == NUM_STUDENTS - 1
    assert "autograded/s0002" in page.locator("#incidents").inner_text()
    assert page.locator("#mistakes .mistake").count() > 5
    assert page.locator("#paths .clusters tbody tr").count() > 10


# -- one comment for a cluster -----------------------------------------------------------------------------------------


def test_a_comment_reaches_everybody_once_and_keeps_what_is_there(invented: InventedClass) -> None:
    from nbgrader.api import Gradebook

    seen = json.loads(stepgrade(invented.root, "report", ASSIGNMENT, "--json"))
    mistake = next(m for m in seen["mistakes"] if m["id"] == "optimizer/momentum-lost")
    clusters = {c["id"]: c for e in seen["exercises"] for c in e["clusters"]}
    cluster = next(c for c in clusters.values() if c["mistakes"] == ["momentum-lost"] and len(c["students"]) > 2)
    members = sorted(cluster["students"])
    others = [row["student"] for row in seen["submissions"] if row["student"].isprintable()][::30]
    some = {*mistake["students"], *others}
    with Gradebook(f"sqlite:///{invented.root / 'gradebook.db'}") as gradebook:
        for student in some:
            gradebook.add_student(student)
            gradebook.add_submission(ASSIGNMENT, student)
        earlier = gradebook.find_comment("optimizer", ASSIGNMENT, ASSIGNMENT, members[0])
        earlier.manual_comment = "Well begun.\n\nSee me."
        gradebook.db.commit()

    assert "would be added" in stepgrade(invented.root, "comment", ASSIGNMENT, cluster["id"], "Look.", "--dry-run")
    elsewhere = invented.root / "source"  # found from any folder below the course
    said = stepgrade(elsewhere, "comment", ASSIGNMENT, cluster["id"], "Where is the velocity kept?")
    assert f"added to {len(members)} comments, 0 had it" in said
    again = stepgrade(invented.root, "comment", ASSIGNMENT, mistake["id"], "Where is the velocity kept?")
    assert f"added to {len(mistake['students']) - len(members)} comments, {len(members)} had it" in again
    stepgrade(invented.root, "comment", ASSIGNMENT, cluster["id"], "And x0?")

    with Gradebook(f"sqlite:///{invented.root / 'gradebook.db'}") as gradebook:
        comments = {
            student: {
                cell: gradebook.find_comment(cell, ASSIGNMENT, ASSIGNMENT, student).manual_comment
                for cell in ("gradient-descent", "optimizer", "scheduler")
            }
            for student in some
        }
    assert comments[members[0]]["optimizer"] == "Well begun.\n\nSee me.\n\nWhere is the velocity kept?\n\nAnd x0?"
    assert {comments[s]["optimizer"] for s in members[1:]} == {"Where is the velocity kept?\n\nAnd x0?"}
    commented = {s for s, by_cell in comments.items() if any(by_cell.values())}
    assert commented == set(mistake["students"])
    assert not any(by_cell["gradient-descent"] or by_cell["scheduler"] for by_cell in comments.values())
    said = stepgrade(invented.root, "comment", ASSIGNMENT, "optimizer-right", "Good.", "--dry-run", fails=True)
    assert re.search(r"not in the gradebook: .*\bcaf\b", said)


def test_a_comment_for_nobody_says_so(invented: InventedClass) -> None:
    said = stepgrade(invented.root, "comment", ASSIGNMENT, "optimizer-zzzzzz", "Look.", fails=True)
    assert "there is no cluster" in said and "stepgrade report" in said
    assert "is empty" in stepgrade(invented.root, "comment", ASSIGNMENT, "optimizer-right", " ", fails=True)
