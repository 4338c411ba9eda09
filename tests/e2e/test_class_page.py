"""The class page in a real browser: a class of 300, in which ids, notes and outputs try to become code."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import shutil
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
WIDTHS = (360, 820, 1440)
INKS = ("ink", "soft", "torch", "theirs", "passed", "failed", "timed_out", "errored", "unknown")

WELL_KNOWN = {
    "gradient-descent": (
        "grad-not-zeroed",
        "wrong-sign",
        "recorded-after",
        "lr-missing",
        "inplace-on-leaf",
        "no-return",
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
        self.by_key = dict(zip([call.key for call in calls], self.runs, strict=True))

    def ask(self, call: Any) -> Any:
        """What the program answered."""
        return self.by_key[call.key]

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
    return Answer(json.loads(json.dumps(result.to_json())), student.by_key)


def make_answers(root: Path, num_of_their_own: int) -> dict[str, dict[str, list[Answer]]]:
    """Judged programs by exercise and kind: right, known, own (nobody else's), shared, endless."""
    from stepgrade.checks import Checks
    from stepgrade.classroom import program_text
    from stepgrade.diagnosis.catalogue import load_catalogue

    made: dict[str, dict[str, list[Answer]]] = {}
    with Checks(root / "tests" / "hidden" / ASSIGNMENT) as checks:
        for exercise in checks.exercises:
            folder = checks.folder / exercise.name
            catalogue = load_catalogue(folder, exercise)
            known = [folder / "mistakes" / f"{name}.py" for name in (*WELL_KNOWN[exercise.name], "left-blank")]
            others = [path for path in sorted((folder / "mistakes").glob("*.py")) if path not in known][::8]

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
                "right": judge([program_text(path) for path in sorted((folder / "accepted").glob("*.py"))[:6]]),
                "known": judge([program_text(path) for path in [*known, *others] if path.exists()]),
                "own": judge(own),
            }
    return made


def write_class(root: Path, num: int, made: dict[str, dict[str, list[Answer]]], seed: int = 7) -> dict[str, Any]:
    """Write the reports and answers of an invented class into a course folder; what the page must say of it."""
    from stepgrade import ledger
    from stepgrade.records import CellResult, Record, Run

    random_choice = random.Random(seed)
    truth: dict[str, Any] = {"scores": {}, "stopped": set()}
    for number in range(num):
        student = HOSTILE_IDS[number // 2] if number % 2 and number // 2 < len(HOSTILE_IDS) else f"s{number:04}"
        chosen = {name: _choose(kinds, number, random_choice) for name, kinds in made.items()}
        if not student.isprintable():
            chosen = {name: kinds["right"][0] for name, kinds in made.items()}
        exercises = [json.loads(json.dumps(a.judged)) for a in chosen.values()]
        answers = {key: run for a in chosen.values() for key, run in a.answers.items()}
        cells = [CellResult("ok", seconds=0.01 * (number % 7)), CellResult("ok", seconds=0.2)]
        notes = [HOSTILE_NOTES[number]] if number < len(HOSTILE_NOTES) else []
        if number % 53 == 10:
            exercises[0] |= {"outcome": "timed_out", "score": 0.0, "diagnosis": [], "checks": exercises[0]["checks"]}
            exercises[0]["checks"] = [{**c, "passed": False, "gap": None} for c in exercises[0]["checks"]]
            stopped = Run("timed_out", message="interrupted after 30 seconds")
            answers = {key: stopped if n < 4 else run for n, (key, run) in enumerate(answers.items())}
            notes.append("Code cell 14 ran out of time: The cell was interrupted after 30 seconds.")
            truth["stopped"].add(student)
        if number % 97 == 20:
            notes.append("The cell 'optimizer-check' was missing; it was put back as released.")
        folder = root / "autograded" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        report = {"assignment": ASSIGNMENT, "notebook": ASSIGNMENT, "student": student, "exercises": exercises}
        report |= {"notes": notes, "protections": []}
        (folder / f"{ASSIGNMENT}.report.json").write_text(json.dumps(report), encoding="utf-8")
        kept = ledger.Kept(ledger.Fingerprint("a", "b", "c"), Record(tuple(cells), answers))
        (folder / f"{ASSIGNMENT}{ledger.ENDING}").write_text(ledger.to_text(kept), encoding="utf-8")
        truth["scores"][student] = sum(e["score"] for e in exercises)
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
    counts = opened.page.locator(".histogram .num").all_inner_texts()
    assert sum(map(int, counts)) == NUM_STUDENTS
    incidents = opened.page.locator("#incidents").inner_text()
    assert all(student in incidents for student in invented.truth["stopped"])


def test_the_page_is_whole_without_its_script(browser: Any, invented: InventedClass) -> None:
    opened = open_page(browser, invented.page, script=False)
    assert opened.page.locator("#table tbody tr").last.is_visible()
    visible = [b.inner_text() for b in opened.page.locator("button, input, select").all() if b.is_visible()]
    assert visible == []  # no handle that does nothing


def test_sorting_by_keyboard(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    scores = "rows => rows.map(r => Number(r.cells[1].dataset.v))"
    page.focus("#kind")
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


def test_finding_by_keyboard(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page).page
    shown = "rows => rows.filter(r => !r.hidden).map(r => r.textContent)"
    page.get_by_label("Find", exact=True).focus()
    page.keyboard.type("grad-not-zeroed optim")
    everybody = page.locator("#table tbody tr").evaluate_all("rows => rows.map(r => r.textContent + r.dataset.also)")
    expected = sum("grad-not-zeroed" in text and "optim" in text for text in everybody)
    assert 0 < len(page.locator("#table tbody tr").evaluate_all(shown)) == expected < NUM_STUDENTS
    assert page.inner_text("#shown") == f"{expected} of {NUM_STUDENTS} shown"
    page.keyboard.press("Control+A")
    page.keyboard.type("nobody has this")
    assert page.locator("#nobody").is_visible()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.get_by_label("Show", exact=True).focus()
    page.keyboard.type("stopped")
    assert len(page.locator("#table tbody tr").evaluate_all(shown)) == len(invented.truth["stopped"])


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
    assert page.inner_text("#shown") == f"{number} of {NUM_STUDENTS} shown"
    assert page.evaluate("document.activeElement.id") == "q"


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


def test_text_has_contrast_in_both_schemes(browser: Any, invented: InventedClass) -> None:
    for scheme in ("light", "dark"):
        page = open_page(browser, invented.page, scheme=scheme).page
        colors = page.evaluate(
            "names => Object.fromEntries(names.map("
            "n => [n, getComputedStyle(document.documentElement).getPropertyValue('--' + n)]))",
            ["paper", "card", *INKS],
        )
        ground = [luminance(colors[name]) for name in ("paper", "card")]
        for name in INKS:
            for under in ground:
                high, low = sorted((luminance(colors[name]), under), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (scheme, name)  # WCAG 2.2, 1.4.3


def luminance(color: str) -> float:
    """Relative luminance of #rrggbb, as WCAG defines it."""
    parts = [int(color.strip()[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_it_prints(browser: Any, invented: InventedClass) -> None:
    page = open_page(browser, invented.page, scheme="dark").page
    printed = page.pdf(format="A4", print_background=False)
    assert printed.startswith(b"%PDF") and len(printed) > 100_000
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 5


# -- for machines, and at scale ----------------------------------------------------------------------------------------


def test_a_spreadsheet_gets_no_formula(invented: InventedClass) -> None:
    rows = list(csv.reader(io.StringIO(stepgrade(invented.root, "report", ASSIGNMENT, "--csv"), newline="")))
    assert len(rows) == NUM_STUDENTS + 1 and len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.strip().startswith(("=", "+", "-", "@"))]
    assert "'=HYPERLINK(1)" in cells and "'@SUM(A1)" in cells
    assert not [cell for cell in cells if "\x1b" in cell or "\x00" in cell]


def test_a_program_gets_the_same_numbers(invented: InventedClass) -> None:
    seen = json.loads(stepgrade(invented.root, "report", ASSIGNMENT, "--json"))
    assert {row["student"]: row["score"] for row in seen["submissions"]} == invented.truth["scores"]
    for exercise in seen["exercises"]:
        assert sum(len(cluster["students"]) for cluster in exercise["clusters"]) == NUM_STUDENTS
        assert len({cluster["id"] for cluster in exercise["clusters"]}) == len(exercise["clusters"])
    assert {i["student"] for i in seen["incidents"] if i["kind"] == "stopped"} == invented.truth["stopped"]
    assert seen["same_wrong_numbers"]


def test_a_path_outside_is_no_assignment(invented: InventedClass) -> None:
    before = sorted(invented.root.parent.iterdir())
    assert "there is no assignment" in stepgrade(invented.root, "report", "../optimization", fails=True)
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
