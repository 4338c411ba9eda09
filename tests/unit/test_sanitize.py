"""What is shown to who grades: nothing of it runs, and what is harmless stays as it is."""

from __future__ import annotations

import html
import re
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
import shown
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from stepgrade import sanitize
from stepgrade.course import load_config
from stepgrade.sanitize import (
    MOST_NESTED,
    MOST_TAGS,
    Room,
    clean_cell,
    clean_html,
    clean_latex,
    clean_notebook,
    clean_outputs,
    clean_text,
    render_markdown,
)

COURSE = Path(__file__).resolve().parents[2]


def page_of(nb: Any, **options: Any) -> str:
    """The notebook as nbconvert shows it, by default with no configuration of a course."""
    page, _ = HTMLExporter(**{"template_name": "classic"} | options).from_notebook_node(nb)
    return str(page)


def with_markdown(source: str, **values: Any) -> Any:
    """A clean notebook with one cell of Markdown."""
    nb = new_notebook(cells=[new_markdown_cell(source, **values)])
    clean_notebook(nb)
    nbformat.validate(nb)
    return nb


MARKDOWN = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x]: javascript\\:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "[x](&#x6A;avascript&colon;alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](vbscript:a)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    '![a" onerror="alert(1)](x)',
    '![a](x "t\\" onerror=alert(1)")',
    "$\\href{javascript:alert(1)}{x}$",
    "<svg/onload=alert(1)>",
    "<!--><script>alert(1)</script>-->",
    '<https://example.org/"onmouseover=alert(1)>',
    "# <h1 onclick=alert(1)>",
    "<b onclick=alert(1)>x</b>",
    "<a href='javascript:alert(1)'>x</a>",
]
DATA: list[dict[str, Any]] = [
    {"text/html": "<script>alert(1)</script><b onclick=a()>x</b><iframe srcdoc='x'></iframe><svg onload=a()></svg>"},
    {
        "text/html": "<form action=x><input autofocus onfocus=a()></form><base href=//x>"
        "<meta http-equiv=refresh content=0>"
    },
    {
        "text/html": "<scr<script>ipt>alert(1)</scr</script>ipt><a href='java\nscript:a()'>y</a>"
        "<math><style><img src=x onerror=a()>"
    },
    {"application/javascript": "alert(1)"},
    {"image/svg+xml": "<svg onload='alert(1)'/>"},
    {"image/png": '" onerror="alert(1)'},
    {"text/latex": "$\\href{javascript:a()}{x}$<img src=x onerror=a()>"},
    {"text/markdown": "<script>a</script>[x](javascript:a)"},
    {"application/vnd.vega.v5+json": {"x": 1}},
    {"text/plain": "<script>a</script>"},
]


@pytest.mark.parametrize("template", ["lab", "classic"])
def test_nothing_of_a_poisoned_notebook_runs_in_the_exported_page(template: str) -> None:
    nb = new_notebook(
        cells=[new_markdown_cell(text) for text in MARKDOWN] + [new_raw_cell("<script>alert(1)</script>")]
    )
    sizes = {"image/png": {"width": '1" onload="a'}, "width": 3}
    outputs = [new_output("display_data", data=data, metadata=sizes) for data in DATA]
    nb.cells.append(new_code_cell("1", outputs=outputs, metadata={"tags": ['a" onload=b', "kept"]}))
    nb.cells[0].attachments = {"a.png": {"image/svg+xml": "<svg onload=a>", "image/png": "AAAA"}, '"><script>': {}}
    nb.metadata.update(title="</title><script>alert(1)</script>", widgets={"x": "</script><script>"})
    clean_notebook(nb)
    nbformat.validate(nb)
    page = page_of(nb, template_name=template)
    elements = list(shown.read(page).iter())
    assert not any(attribute.startswith("on") for element in elements for attribute in element.attrib)
    assert all("alert" not in (e.text or "") for e in elements if shown.name_of(e) == "script")
    assert [shown.troubles(part) for part in shown.parts(page) if shown.troubles(part)] == []
    assert nb.cells[-1].metadata["tags"] == ["kept"]


@pytest.mark.parametrize(
    "text",
    [
        "a **b** and $x^2 + \\frac{1}{2}$, 1 < 2 > 0 and `f(x)`",
        "| a | b |\n|---|---|\n| <i>1</i> | <br> |",
        "[torch](https://pytorch.org) and <https://pytorch.org/docs>",
        "> quoted\n\n```python\nx = {'a': 1}\n```",
        "größer → ∇f, &lt;tag&gt; &amp; more",
        "- [x] done\n- [ ] open\n\n1. a\n\n   b\n2. c",
        "```\na\n\n\n  b < c\n```\n\nand $$a\n\nb$$",
        "<details><summary>more</summary>\n\ntext\n\n</details>",
    ],
)
def test_harmless_markdown_looks_as_it_would_without_cleaning(text: str) -> None:
    cleaned, stock = with_markdown(text), new_notebook(cells=[new_markdown_cell(text)])
    assert look(page_of(cleaned)) == look(page_of(stock))
    assert look(page_of(cleaned, config=load_config(COURSE))) == look(page_of(stock))


def look(page: str) -> list[tuple[str, dict[str, str], str, str]]:
    """All that a browser shows of the cells; for links are to open without a way back, and a block may be around it."""
    (part,) = shown.parts(page)
    if len(part) == 1 and part[0].get("style") == "contain: paint; overflow: auto":
        part = part[0]
    elements = [element for child in part for element in child.iter()]
    attributes = [{key: value for key, value in e.attrib.items() if key != "rel"} for e in elements]
    texts = [((e.text or "").strip(), (e.tail or "").strip()) for e in elements]
    return [(shown.name_of(e), a, *t) for e, a, t in zip(elements, attributes, texts, strict=True)]


def test_pandas_like_table_stays_readable() -> None:
    table = '<div><style scoped>.x { color: red }</style><table border="1" class="dataframe">'
    table += '<thead><tr style="text-align: right;">'
    table += "<th></th><th>a</th></tr></thead><tbody><tr><th>0</th><td>1.5</td></tr></tbody></table></div>"
    cleaned = clean_html(table)
    assert '<table border="1" class="dataframe">' in cleaned
    assert "<td>1.5</td>" in cleaned
    assert "color: red" not in cleaned


def test_figures_and_formulas_stay() -> None:
    figure = {
        "output_type": "display_data",
        "data": {"image/png": "iVBORw0KGgo=\n", "text/plain": "<Figure>"},
        "metadata": {"needs_background": "light"},
    }
    assert clean_outputs([figure]) == [figure]
    assert clean_latex("$\\displaystyle x^2$") == "$\\displaystyle x^2$"
    assert clean_latex("$a<b$") == "$a\\lt b$"


def test_colours_stay_and_terminal_commands_go() -> None:
    assert clean_text("\x1b[31mred\x1b[0m\n\tx\r") == "\x1b[31mred\x1b[0m\n\tx\r"
    assert clean_text("a\x1b]0;title\x07b\x1b[2Jc\x1b]8;;http://x\x07d\x1b]8;;\x07\x9b1Ae\x1bcf\u202eg") == "abcdefg"


def test_drawing_is_shown_where_no_script_runs() -> None:
    (output,) = clean_outputs([{"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}, "metadata": {}}])
    assert output["data"] == {"text/html": '<img alt="drawing" src="data:image/svg+xml;base64,PHN2Zy8+">'}


def test_what_cannot_be_shown_is_named() -> None:
    (output,) = clean_outputs(
        [{"output_type": "display_data", "data": {"application/javascript": "1"}, "metadata": {}}]
    )
    assert output["data"] == {"text/plain": "[not shown here: application/javascript]"}


PICTURES = {
    "![t](https://owned.example/t.png)": False,
    "![t](//owned.example/t.png)": False,
    "![t](/owned/logout.png)": False,
    "![t](picture.png)": False,
    "!!![t](../x.gif)": False,
    "![t][ref]\n\n[ref]: https://owned.example/t.png": False,
    "![ref]\n\n[ref]: /owned.png": False,
    "![a`](attachment:a.png)`](https://owned.example/t.png)": False,
    "![a](attachment:a.png": False,
    "![a](attachment:other.png)": False,
    "![a](attach&#109;ent:other.png)": False,
    "![a](data:text/html;base64,AAAA)": False,
    "![a](attachment:a.png)": True,
    "![a b](data:image/png;base64,AAAA)": True,
}


@pytest.mark.parametrize("written", PICTURES)
def test_picture_of_markdown_is_within_the_notebook_or_none(written: str) -> None:
    page = page_of(with_markdown(written, attachments={"a.png": {"image/png": "AAAA"}}))
    found = [address for address in shown.addresses(page) if address != "data:image/png;base64,"]
    assert found == ["data:image/png;base64,AAAA"] * PICTURES[written]


@pytest.mark.parametrize(
    "written",
    [
        '<img src="https://owned.example/t.png">',
        '<img srcset="/owned.png 2x" src="/owned.png">',
        '<img lowsrc="/owned.png" dynsrc="/owned.png">',
        '<video poster="/owned.png"></video><audio src="/owned"></audio><source srcset="/owned.png">',
        '<table background="/owned.png"><tr><td background="/owned.png">x</td></tr></table>',
        '<p style="background: url(/owned.png)">x</p>',
        "<p style=\"color: red; list-style-image: url('/owned.png')\">x</p>",
        '<p style="background-color: u\\72l(/owned.png)">x</p>',
        '<link rel="prefetch" href="/owned.png"><input type="image" src="/owned.png">',
    ],
)
def test_nothing_is_loaded_from_elsewhere(written: str) -> None:
    outputs = [new_output("display_data", data={mime: written}) for mime in ("text/html", "text/markdown")]
    nb = new_notebook(cells=[new_markdown_cell(written), new_raw_cell(written), new_code_cell("1", outputs=outputs)])
    clean_notebook(nb)
    assert shown.addresses(page_of(nb)) == []


def test_the_lessons_own_text_stays_as_the_instructor_wrote_it() -> None:
    own = "![two paths](paths.png) <details><summary>more</summary></details> <video src=https://example.org/v.mp4>"
    nb = new_notebook(cells=[new_markdown_cell(own), new_markdown_cell(own + "!"), new_raw_cell(own)])
    nb.cells[0].metadata["tags"] = ["kept"]
    clean_notebook(nb, {own})
    assert nb.cells[0].source == own
    for options in ({}, {"config": load_config(COURSE)}):
        assert shown.addresses(page_of(nb, **options)) == ["paths.png", "https://example.org/v.mp4"]


def test_the_courses_filter_cleans_what_nobody_cleaned_before() -> None:
    poisoned = "# h\n\n<b onclick=owned()>x</b> [y](javascript:owned()) $\\href{javascript:owned()}{z}$"
    nb = new_notebook(cells=[new_markdown_cell(poisoned)])
    assert shown.poison(page_of(nb)), "nbconvert's own filter cleans: is ours still needed?"
    assert shown.poison(page_of(nb, config=load_config(COURSE))) == []


def test_a_cell_that_says_itself_that_it_is_safe_is_cleaned() -> None:
    nb = with_markdown("<b onclick=owned()>x</b>", metadata=sanitize.SAFE)
    assert shown.poison(page_of(nb, config=load_config(COURSE))) == shown.poison(page_of(nb)) == []


def test_no_tag_is_allowed_and_blocked_at_once() -> None:
    assert sanitize.TAGS.isdisjoint(sanitize.GONE_WITH_THEIR_TEXT)
    assert not set(sanitize.ATTRIBUTES) - {"*"} - sanitize.TAGS
    assert clean_html("<ma<svg></svg>th><ma<script></script>th>") == "th&gt;th&gt;"
    for tag in ("math", "svg", "style", "title", "textarea", "noscript", "template", "wbr", "form", "base", "select"):
        assert tag not in sanitize.TAGS, f"with {tag} a browser reads what follows in another way"


@pytest.mark.parametrize(
    "between",
    [
        "<wbr>",
        "<WBR/>",
        "</wbr>",
        "<wbr class='x'>",
        "<!-- -->",
        "<!>",
        "<?x?>",
        "<script></script>",
        "<x-y>",
        "<!--",
        "\x00",
    ],
)
def test_formula_has_no_command_that_only_its_reader_puts_together(between: str) -> None:
    for name in ("href", "bbox"):
        written = f"$\\{name[:2]}{between}{name[2:]}{{javascript:owned()}}{{x}}$"
        assert shown.commands(shown.read(clean_html(written))) == []
        assert shown.commands(shown.read(page_of(with_markdown(written)))) == []


@pytest.mark.parametrize(
    "command",
    [
        "\\href{javascript:owned()}{x}",
        "\\bbox[background: url(https://owned.example/t.png)]{x}",
        "\\fcolorbox{red; background: url(https://owned.example/t.png)}{red}{x}",
        "\\style{background: url(/owned.png)}{x}",
        "\\mmlToken{mi}[href='javascript:owned()']{x}",
        "\\require{HTML}",
        "\\includegraphics{/owned.png}",
        "\\htmlStyle{background: url(/owned.png)}{x}",
        "\\def\\a{\\href}\\a{javascript:owned()}{x}",
    ],
)
def test_formula_has_no_command_for_links_and_styles(command: str) -> None:
    name = re.findall(r"\\(?!def|a\b)(\w+)", command)[0]
    for clean in (clean_html, clean_latex, render_markdown):
        assert f"\\{name}" not in clean(f"${command}$")


@pytest.mark.parametrize(
    "ill_meant",
    ['f"{' * 340_000, "." * (1 << 20), ("a.b." * 249 + "\n") * 1000, "%%bash\n" + "$(" * 100_000, "x = 1\n" * 170_000],
)
def test_code_that_would_be_coloured_for_minutes_is_shown_as_plain_text(ill_meant: str) -> None:
    nb = new_notebook(cells=[new_code_cell("def f(): pass"), new_code_cell(ill_meant), new_code_cell("x = 2")])
    clean_notebook(nb)
    for cell in nb.cells:  # once more, as after its run
        clean_cell(cell)
    assert [cell.source for cell in nb.cells] == ["def f(): pass", ill_meant, "x = 2"]
    page = page_of(nb, config=load_config(COURSE))
    first, plain, last = re.findall('<div class="highlight.*?</div>', page, re.DOTALL)
    assert "<span class=" in first and "<span class=" in last
    assert "<span class=" not in plain
    assert html.unescape(re.sub("<[^>]*>", "", plain)).strip() == ill_meant.strip()


def test_a_lesson_and_as_much_again_is_coloured_and_many_small_cells_are_not() -> None:
    lesson = nbformat.read(COURSE / "source" / "optimization" / "optimization.ipynb", as_version=4)
    texts = [cell.source for cell in lesson.cells if cell.cell_type == "code"]
    nb = new_notebook(cells=[new_code_cell(text) for text in texts * 2])
    clean_notebook(nb)
    assert not any("magics_language" in cell.metadata for cell in nb.cells)
    nb.cells += [new_code_cell("x += 1\n" * 100) for _ in range(100)]
    clean_notebook(nb)
    assert [cell.metadata.get("magics_language") for cell in nb.cells[-100:]].count("text") > 80


MUCH = 1 << 20
"""Characters: as much as a cell may put out. A search that looks back or ahead for each of them takes hours."""


@pytest.mark.parametrize(
    "sign", ["\\", "](", "<a ", '<a b="', "<!", "&", "&#1", "\x1b[", "\x9b0", "<script", "javascript ", "` "]
)
def test_any_number_of_signs_is_read_in_linear_time(sign: str) -> None:
    text = sign * (MUCH // len(sign))
    clean_html(text)
    clean_text(text)
    clean_latex(text)


@pytest.mark.parametrize(
    "ill_meant", ["\\" * MUCH, "](" + " " * MUCH, "](" + "a" * MUCH, "[" * MUCH, "&a" * (MUCH // 2)]
)
def test_markdown_of_a_mebibyte_is_cut_before_it_is_rendered(ill_meant: str) -> None:
    assert "it is too long to be shown" in shown.text_of(render_markdown(ill_meant))


@pytest.mark.parametrize("ill_meant", ["\\\\[", "\\\\(", "\\begin{a}", "```ipython3\n" + "0." * 9000 + "\n```\n"])
def test_markdown_that_would_be_rendered_for_seconds_is_shown_as_text(ill_meant: str) -> None:
    began = time.process_time()
    html = render_markdown(ill_meant * (20_000 // len(ill_meant)))
    assert time.process_time() - began < 1.5  # seconds; they take 4, 8, 1.3 and 13 otherwise
    assert shown.text_of(html).strip()


@pytest.mark.parametrize(
    "ill_meant",
    [
        "<p>" + "".join(f"<b title={n}>" for n in range(2000)) + "<p>x" * 2000,
        "<a href=#><p>" * 2400,
        "<ul><li>" * 50_000,
        "<span>" * 50_000 + "</p>" * 50_000,
        "<table>x" * 50_000,
    ],
)
def test_html_that_would_grow_or_be_read_for_minutes_is_not(ill_meant: str) -> None:
    assert len(clean_html(ill_meant)) < 5 * len(ill_meant)


def test_html_of_a_whole_notebook_has_an_end() -> None:
    table = "<table>" + "<tr><td>1</td></tr>" * (MOST_TAGS // 4 - 1) + "</table>"
    outputs = [{"output_type": "display_data", "data": {"text/html": table, "text/plain": "t"}} for _ in range(20)]
    kept = [set(output["data"]) for output in clean_outputs(outputs, Room())]
    assert kept.count({"text/html", "text/plain"}) == 8
    assert kept.count({"text/plain"}) == 12


def test_what_is_nested_too_deep_is_shown_as_text() -> None:
    deep = "<div>" * (MOST_NESTED + 1) + "x"
    assert clean_html(deep) == f"<pre>{html.escape(deep)}</pre>"
    assert clean_html(deep.removeprefix("<div>")).count("<div>") == MOST_NESTED


@pytest.mark.parametrize(
    "number",
    ["&#" + "1" * 5000 + ";", "&#" + "&#49;" * 5000 + ";", "&amp;#" + "1" * 5000 + ";", "&#x" + "1" * 5000 + ";"],
)
def test_number_of_a_character_that_is_too_long_for_any_does_not_end_the_grading(number: str) -> None:
    nb = new_notebook(cells=[new_markdown_cell(f"a [b](https://x.org/{number}) {number}"), new_raw_cell(number)])
    outputs = [new_output("display_data", data={"text/html": f"<b title='{number}'>{number}</b>"})]
    nb.cells.append(new_code_cell("1", outputs=outputs))
    clean_notebook(nb)
    page_of(nb)
