"""What is shown to who grades: nothing of it runs, and what is harmless stays as it is."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from stepgrade.course import load_config
from stepgrade.sanitize import (
    clean_cell,
    clean_html,
    clean_latex,
    clean_markdown,
    clean_notebook,
    clean_outputs,
    clean_text,
)

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


def find_scripts(page: str) -> list[str]:
    """Start tags that run code or load something."""
    found: list[str] = []

    class Finder(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            runs = tag in {"script", "iframe", "object", "embed", "form", "base", "meta", "link", "svg", "style"}
            handles = any(name.startswith("on") for name, _ in attributes)
            goes = any(
                n in ("href", "src") and re.match(r"\s*(java|vb)script|\s*data:text", v or "") for n, v in attributes
            )
            if runs or handles or goes:
                found.append(f"{tag} {attributes}")

    Finder().feed(page)
    return found


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
    page, _ = HTMLExporter(template_name=template).from_notebook_node(nb)
    assert find_scripts(page[page.index("<body") :]) == []
    assert nb.cells[-1].metadata["tags"] == ["kept"]


@pytest.mark.parametrize(
    "text",
    [
        "a **b** and $x^2 + \\frac{1}{2}$, 1 < 2 > 0 and `f(x)`",
        "| a | b |\n|---|---|\n| <i>1</i> | <br> |",
        "[torch](https://pytorch.org) and <https://pytorch.org/docs>",
        "> quoted\n\n```python\nx = {'a': 1}\n```",
        "größer → ∇f, &lt;tag&gt; &amp; more",
    ],
)
def test_harmless_markdown_stays_as_it_is(text: str) -> None:
    assert clean_markdown(text) == text


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
    "![t](https://owned.example/t.png)": "! [t](https://owned.example/t.png)",
    "![t](/owned/logout.png)": "! [t] (/owned/logout.png)",
    "![t](picture.png)": "! [t] (picture.png)",
    "!!![t](../x.gif)": "!!! [t] (../x.gif)",
    "![t][ref]\n\n[ref]: https://owned.example/t.png": "! [t][ref]\n\n[ref]: https://owned.example/t.png",
    "![ref]\n\n[ref]: /owned.png": "! [ref]\n\n[ref] : /owned.png",
    "![a`](attachment:a.png)`](https://owned.example/t.png)": "! [a`](attachment:a.png)`](https://owned.example/t.png)",
    "![a](attachment:a.png": "! [a] (attachment : a.png",
    "![a](attachment:a.png)": "![a](attachment:a.png)",
    "![a b](data:image/png;base64,AAAA)": "![a b](data:image/png;base64,AAAA)",
}


@pytest.mark.parametrize("written", PICTURES)
def test_picture_of_markdown_is_within_the_notebook_or_none(written: str) -> None:
    assert clean_markdown(written, ["a.png"]) == PICTURES[written]
    nb = new_notebook(cells=[new_markdown_cell(written, attachments={"a.png": {"image/png": "AAAA"}})])
    clean_notebook(nb)
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(nb)
    assert all(source.startswith("data:image/png") for source in addresses(page))


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
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(nb)
    assert addresses(page) == []


def addresses(page: str) -> list[str]:
    """What a browser loads for a page's body, without asking."""
    found: list[str] = []

    class Finder(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            loading = ("src", "srcset", "poster", "background", "lowsrc", "dynsrc", "data")
            found.extend(value or "" for name, value in attributes if name in loading)
            found.extend(value or "" for name, value in attributes if name == "style" and "(" in (value or ""))
            found.extend(value or "" for name, value in attributes if tag == "link" and name == "href")

    Finder().feed(page[page.index("<body") :])
    return found


def test_the_lessons_own_text_stays_as_the_instructor_wrote_it() -> None:
    own = "![two paths](paths.png) <details><summary>more</summary></details>"
    nb = new_notebook(cells=[new_markdown_cell(own), new_markdown_cell(own + "!"), new_raw_cell(own)])
    nb.cells[0].metadata["tags"] = ["kept"]
    clean_notebook(nb, {own})
    assert nb.cells[0].source == own
    assert "! [two paths] (paths.png) < details>" in nb.cells[1].source
    assert "< details>" in nb.cells[2].source


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
        assert f"\\{name}" not in re.sub("<!--.*?-->|<wbr[^>]*>", "", clean_html(written))
        assert f"\\{name}" not in clean_markdown(written)


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
    for clean in (clean_html, clean_latex, clean_markdown):
        assert f"\\{name}" not in clean(f"${command}$")


COURSE = Path(__file__).resolve().parents[2]


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
    page, _ = HTMLExporter(template_name="classic", config=load_config(COURSE)).from_notebook_node(nb)
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
def test_markdown_of_a_mebibyte_is_read_in_linear_time(ill_meant: str) -> None:
    clean_markdown(ill_meant)


@pytest.mark.parametrize(
    "number",
    ["&#" + "1" * 5000 + ";", "&#" + "&#49;" * 5000 + ";", "&amp;#" + "1" * 5000 + ";", "&#x" + "1" * 5000 + ";"],
)
def test_number_of_a_character_that_is_too_long_for_any_does_not_end_the_grading(number: str) -> None:
    nb = new_notebook(cells=[new_markdown_cell(f"a [b](https://x.org/{number}) {number}"), new_raw_cell(number)])
    outputs = [new_output("display_data", data={"text/html": f"<b title='{number}'>{number}</b>"})]
    nb.cells.append(new_code_cell("1", outputs=outputs))
    clean_notebook(nb)
    HTMLExporter(template_name="classic").from_notebook_node(nb)
