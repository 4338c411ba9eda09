"""No text of a submission runs, loads, leads astray or passes for a part of the page, wherever a grader looks at it.

Each case stands in a cell of Markdown, a raw cell and in outputs of four kinds. Pages are made by nbconvert's exporter
with nbgrader's templates, with the course's configuration and without any, and read by the HTML5 algorithm; all of them
together are opened in Chromium with the formgrader's own scripts, and with MathJax where Debian's is installed.
"""

from __future__ import annotations

import base64
import mimetypes
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
import pytest
import shown
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import Config

from stepgrade.course import load_config
from stepgrade.sanitize import clean_notebook

COURSE = Path(__file__).resolve().parents[2]
FORMGRADER = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
CHROMIUM = shutil.which("chromium")
MATHJAX = Path("/usr/share/javascript/mathjax")
SVG = base64.b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="owned()"><script>owned()</script></svg>'
).decode()

CASES = {
    name: text.replace("@SVG@", SVG)
    for name, text in tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8")).items()
}
MIMES = ("text/html", "text/markdown", "image/svg+xml", "text/latex", "text/plain")
FORMGRADE = {"index": 0, "total": 1, "base_url": "http://grader.test", "submission_id": "s", "notebook_id": "n"} | {
    "assignment_id": "a", "student": "x", "last_name": "", "first_name": "", "notebook_path": "n.ipynb"
}  # fmt: skip


def poisoned(text: str) -> Any:
    """A notebook that says it everywhere, between a cell of the lesson's own and one that is graded by hand."""
    manual = {"grade_id": "m", "grade": True, "solution": True, "locked": False, "points": 4.0, "schema_version": 3}
    outputs = [new_output("display_data", data={mime: text}) for mime in MIMES]
    outputs += [new_output("stream", text=text), new_output("error", ename=text, evalue=text, traceback=[text])]
    cells = [new_markdown_cell(text), new_markdown_cell(text, metadata={"nbgrader": manual | {"task": False}})]
    return new_notebook(cells=[*cells, new_raw_cell(text), new_code_cell(text, outputs=outputs)])


def exporter(template: str, with_config: bool) -> HTMLExporter:
    """As nbgrader makes it: the course's configuration, or none, with a template of nbgrader's."""
    config = load_config(COURSE) if with_config else Config()
    config.HTMLExporter.template_name = template
    config.HTMLExporter.extra_template_basedirs = [str(FORMGRADER / "templates")]
    return HTMLExporter(config=config)


@pytest.fixture(scope="module")
def exporters() -> dict[str, HTMLExporter]:
    """The formgrader's; the same where it was started without the course's configuration; nbconvert's default."""
    return {
        "formgrader": exporter("formgrade", with_config=True),
        "formgrader of another course": exporter("formgrade", with_config=False),
        "nbconvert": exporter("lab", with_config=False),
    }


def page_of(exporter: HTMLExporter, nb: Any) -> str:
    page, _ = exporter.from_notebook_node(nb, resources=dict(FORMGRADE))
    return str(page)


@pytest.mark.parametrize("name", CASES)
def test_text_is_harmless_wherever_it_is_shown(name: str, exporters: dict[str, HTMLExporter]) -> None:
    nb = poisoned(CASES[name])
    clean_notebook(nb)
    nbformat.validate(nb)
    for place, made in exporters.items():
        page = page_of(made, nb)
        assert shown.poison(page) == [], place
        parts = shown.parts(page)
        assert len(parts) >= 7 or place == "nbconvert"
        assert [trouble for part in parts for trouble in shown.troubles(part)] == [], place


@pytest.mark.parametrize("name", CASES)
def test_the_filter_alone_cleans_markdown(name: str, exporters: dict[str, HTMLExporter]) -> None:
    text = CASES[name].replace("attachment:", "")  # nbconvert breaks off at one that is missing
    page = page_of(exporters["formgrader"], new_notebook(cells=[new_markdown_cell(text)]))
    (part,) = shown.parts(page)
    assert shown.troubles(part) == []
    assert shown.poison(page) == []


def test_the_cases_are_poison(exporters: dict[str, HTMLExporter]) -> None:
    """What nbconvert shows of them untreated is found; what is not found there proves nothing elsewhere."""
    found = []
    for name, text in CASES.items():
        nb = new_notebook(cells=[new_code_cell("1", outputs=[new_output("display_data", data={"text/html": text})])])
        nb.cells.append(new_markdown_cell(text.replace("attachment:", "")))
        page = page_of(exporters["formgrader of another course"], nb)
        troubles = [trouble for part in shown.parts(page) for trouble in shown.troubles(part)]
        found += [name] if troubles or shown.poison(page) else []
    assert len(found) > 0.8 * len(CASES), sorted(set(CASES) - set(found))


# -- in a browser ------------------------------------------------------------------------------------------------------

CDN = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/2.7.7"
LATEST = f"document.write(`<script src='{CDN}/MathJax.js?config=TeX-AMS_CHTML-full,Safe'></${{''}}script>`)"
WATCH = """
window.ran = [];
Object.defineProperty(window, 'owned', {
  get() { return () => window.ran.push('called'); },
  set() { window.ran.push('set'); },
});
for (const name of ['alert', 'confirm', 'prompt', 'open', 'print']) window[name] = () => window.ran.push(name);
"""
TOUCH = """
() => {
  const parts = document.querySelectorAll('.text_cell_render *, .output_subarea *');
  const kinds = ['mouseover', 'mousedown', 'focus', 'focusin', 'wheel', 'toggle', 'animationstart', 'load', 'error'];
  for (const part of parts) {
    for (const kind of kinds) part.dispatchEvent(new Event(kind, { bubbles: true, cancelable: true }));
    const link = part.closest('a[href], area, svg a');
    if (!link) { part.click?.(); part.focus?.(); }
  }
  return parts.length;
}
"""
LINKS = """
() => [...document.querySelectorAll('.text_cell_render a, .output_subarea a')]
  .map(link => link.href || link.getAttribute('xlink:href') || '')
"""
COVERED = """
() => [...document.querySelectorAll('.full-credit, .no-credit, input.score, .panel-title')].filter(own => {
  own.scrollIntoView({ block: 'center' });
  const box = own.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return !(own === top || own.contains(top) || top?.contains(own));
}).map(own => own.outerHTML.slice(0, 100))
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Visit:
    """A page of the formgrader in a browser, with nbgrader's own scripts, and with all that it tried."""

    def __init__(self, browser: Any, page: str) -> None:
        self.asked: list[str] = []
        self.html = page
        self.tab = browser.new_page()
        self.tab.add_init_script(WATCH)
        self.tab.route("**/*", self._answer)
        self.tab.goto("http://grader.test/page", wait_until="load")
        if MATHJAX.is_dir():
            self.tab.wait_for_function("() => window.MathJax && MathJax.isReady", timeout=60_000)
            self.tab.evaluate("() => new Promise(done => MathJax.Hub.Queue(() => done()))")

    def _answer(self, route: Any) -> None:
        address = route.request.url.partition("?")[0]
        file = None
        if address == "http://grader.test/page":
            route.fulfill(body=self.html, content_type="text/html; charset=utf-8")
            return
        if address.startswith("http://grader.test/formgrader/static/"):
            file = FORMGRADER / "static" / address.removeprefix("http://grader.test/formgrader/static/")
        elif address.startswith(CDN):
            if address == f"{CDN}/latest.js":
                route.fulfill(body=LATEST, content_type="text/javascript")
                return
            file = MATHJAX / address.removeprefix(f"{CDN}/")
        elif not address.startswith("http://grader.test/formgrader/api/"):
            self.asked.append(address)
        if file is not None and file.is_file():
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            route.abort()


@pytest.mark.parametrize("with_config", [True, False])
def test_nothing_runs_or_loads_in_chromium(with_config: bool, browser: Any) -> None:
    nb = new_notebook()
    for text in CASES.values():
        nb.cells += poisoned(text).cells
    for number, cell in enumerate(nb.cells):
        cell.id = f"c{number}"
    clean_notebook(nb)
    visit = Visit(browser, page_of(exporter("formgrade", with_config), nb))
    assert not MATHJAX.is_dir() or visit.tab.evaluate("() => document.querySelectorAll('.mjx-chtml').length") > 10
    assert visit.tab.evaluate(TOUCH) > 500
    visit.tab.wait_for_timeout(300)
    assert visit.tab.evaluate("() => window.ran") == []
    here = visit.tab.url  # which is what the formgrader's own script makes of it
    assert here == "http://grader.test/formgrader/submissions/s/?index=0"
    assert [address for address in visit.asked if "owned" in address or "x.png" in address] == []
    assert visit.tab.evaluate("() => typeof window.submission_id + window.submission_id") == "strings"
    links = set(visit.tab.evaluate(LINKS))
    assert all(link.startswith(("https://", f"{here}#", "mailto:")) or not link for link in links), links
    visit.tab.close()


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith(("overlays", "commands that move"))])
def test_nothing_lies_upon_the_graders_buttons(name: str, browser: Any) -> None:
    nb = new_notebook(cells=poisoned("an answer").cells[1:2] + poisoned(CASES[name]).cells)
    for number, cell in enumerate(nb.cells):
        cell.id = f"c{number}"
    clean_notebook(nb)
    visit = Visit(browser, page_of(exporter("formgrade", with_config=False), nb))
    assert visit.tab.evaluate(COVERED) == []
    visit.tab.close()


def test_the_browser_would_tell(browser: Any) -> None:
    nb = new_notebook(cells=[new_markdown_cell(CASES["handlers without a click"] + CASES["overlays"])])
    visit = Visit(browser, page_of(exporter("formgrade", with_config=False), nb))
    visit.tab.evaluate(TOUCH)
    assert visit.tab.evaluate("() => window.ran") != []
    visit.tab.close()
