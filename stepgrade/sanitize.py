"""What students hand in, made safe to look at: nothing of it runs in the browser or the terminal of who grades.

HTML is cleaned as it is shown, by nh3: what Markdown is rendered to, raw cells, text/html outputs. What nbconvert made
of a Markdown cell is stored in its place, as one block of HTML that every renderer hands on as it is; so it does not
matter with which configuration a page is made. (nbgrader's formgrader keeps the exporter that it was started with, also
when it is pointed to another course.) `CleanMarkdown` is nbconvert's filter for all that did not come by here.

Knows how nbconvert, JupyterLab and MathJax show cells and outputs, and which of that can run code. Refuses to know
grades and kernels. Keeps by allow-lists: text, tables, pictures, formulas; what is not known to be harmless goes.

References:
    nbconvert renders raw HTML in Markdown, raw cells and text/html outputs as they are, writes ```mermaid unescaped
    and lets `javascript:` links pass (`IPythonRenderer`). MathJax 2 follows `\\href` and `\\mmlToken{a}[href=…]`, takes
    CSS in `\\style`, `\\bbox[…]` and `\\fcolorbox{…}`, and passes over `wbr` within a formula (tex2jax's `ignoreTags`).
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import nh3
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]
from traitlets.config import Configurable

from stepgrade.quoting import CONTROL, without_escapes
from stepgrade.records import Output

PICTURES = ("image/png", "image/jpeg", "image/gif")
MOST_PIXELS = 1 << 15
# `wbr` is missing on purpose: MathJax reads on over it as if nothing stood there, and finds commands that nobody wrote.
# Of all that is here, none has another namespace and none holds text that is not read as HTML: no svg, math, style,
# title, textarea, noscript, … So whatever tree a browser builds, each tag is one that was looked at.
TAGS = frozenset((
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img",
    "input", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var",
))  # fmt: skip
GONE_WITH_THEIR_TEXT = {"script", "style", "svg", "math", "iframe", "object", "template", "noscript"} - TAGS
# `id` and `name` are missing on purpose: they can shadow what the page's own scripts look for.
ATTRIBUTES = {
    "*": {"align", "class", "style", "title"},
    "a": {"href"},
    "col": {"span", "width"},
    "details": {"open"},
    "img": {"alt", "height", "src", "width"},
    "input": {"checked"},
    "ol": {"start"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": {"colspan", "rowspan", "valign"},
    "th": {"colspan", "rowspan", "scope", "valign"},
}
# No `position`, `margin`, `height`: with them a thing can lie upon another.
STYLES = {
    "background-color", "border", "border-collapse", "color", "display", "font-family", "font-size", "font-style",
    "font-weight", "max-width", "min-width", "padding", "text-align", "text-decoration", "vertical-align",
    "white-space", "width",
}  # fmt: skip
# Those of coloured code, tables and lists. Others would be found by the page's scripts, as "full-credit" is.
CLASSES = {"highlight", "dataframe", "anchor-link", "task-list-item", "task-list-item-checkbox"}
CLASSES.update(filter(None, STANDARD_TYPES.values()))
# The elements that browsers open anew in each block that follows, where they are left open: `n` of them in `n` blocks
# are `n * n`. They are read under another name, without that habit.
FORMATTING = re.compile(r"<(/?)(?=(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/>])", re.IGNORECASE)
RENAMED = {"a", "b", "code", "em", "i", "s", "small", "strike", "strong", "u"}
MOST_NESTED = 100  # open tags; a browser cuts a deep tree too, and takes its time
MOST_TAGS = 5_000  # and `&`, in one text; pandas' largest tables have 2,700; reading may take quadratic time
MOST_TEXT = 20_000  # characters of a Markdown cell: rendering takes quadratic time where it is ill-meant
MOST_FORMULAS = 100  # that begin in one text: for each that does not end nbconvert reads all that follows
MOST_COLOURED = 20_000  # words, blanks and signs of code in a notebook; a lesson has some seven thousand
MOST_IN_LINE = 1000  # characters; the colouring of IPython's code looks ahead from each of them to the line's end

# Elsewhere, or within the page: a file that was handed in would open with the rights of the grader's own pages.
LINK = re.compile(r"(?:https?://|mailto:|#)", re.I)
# Within the notebook: to show another asks a server, ours with the grader's rights, or one that counts who looks.
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z")
NUMBER = re.compile(r"\d{1,4}%?\Z", re.ASCII)
UNPLAIN_STYLE = re.compile(r"\\|(?<!rgb)(?<!hsl)(?<!rgba)(?<!hsla)\(")
TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-z][a-z0-9]*)[^<>]*>")  # as nh3 writes it: no < or > in attributes
VOID = frozenset(("br", "col", "hr", "img", "input"))
BLANK_LINE = re.compile(r"\n(?=\s*\n)")
FORMULA = re.compile(r"\\\\[\[(]|\\begin\{")
MATH_COMMAND = re.compile(  # with all backslashes before it: of `\\\\href` one would be left; begun at the first alone
    r"(?<!\\)\\+(href|url|style|cssId|class|require|Newextarrow|unicode|includegraphics|data|mmlToken|bbox|fcolorbox|html\w*)"
    r"(?![A-Za-z])"
)
COLOR = re.compile(r"\x1b\[[0-9;]*m")
PIECE = re.compile(r"\w+|\s+|[^\w\s]")  # of code: what may get a colour of its own
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*\Z")
WORD = re.compile(r"[\w .+-]{1,100}\Z")


@dataclass(slots=True)
class Room:
    """How much of a notebook is still read as Markdown and HTML: a page must not take minutes."""

    tags: int = 40_000  # and `&`
    text: int = 200_000  # characters of Markdown; a lesson has some ten thousand

    def take(self, num_tags: int) -> bool:
        """Whether there is room for a text with so many tags; then it is taken."""
        fits = num_tags <= min(MOST_TAGS, self.tags)
        self.tags -= num_tags if fits else 0
        return fits


# ----------------------------------------------------------------------------------------------------------------- HTML


def clean_html(text: str, room: Room | None = None) -> str:
    """HTML with tables, emphasis and pictures; without scripts, styles, frames, handlers and addresses that run.

    What has more tags than a page needs, or nests them too deep, is shown as the text that it is.
    """
    cleaned = _clean(text, room or Room())
    return _as_text(text) if cleaned is None else cleaned


def _clean(text: str, room: Room) -> str | None:
    if not room.take(text.count("<") + text.count("&")):
        return None
    text = FORMATTING.sub(r"<\1x-", CONTROL.sub("", text))
    cleaned = _CLEANER.clean(text).replace("<x-", "<").replace("</x-", "</")
    depth = 0
    for tag in TAG.finditer(cleaned):
        depth += -1 if tag["end"] else tag["name"] not in VOID
        if depth > MOST_NESTED:
            return None
    return _defuse_math(CONTROL.sub("", cleaned.replace("\r", "")))  # numbers spell them too


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    match name:
        case "href":
            return value if LINK.match(value) else None
        case "src":
            return value if PICTURE.match(value) else None
        case "class":
            return " ".join(word for word in value.split() if word in CLASSES) or None
        case "style":
            return None if UNPLAIN_STYLE.search(value) else value
        case "border" | "cellpadding" | "cellspacing" | "colspan" | "height" | "rowspan" | "span" | "start" | "width":
            return value if NUMBER.match(value) else None
    return value


def _renamed(names: Iterable[str]) -> set[str]:
    return {f"x-{name}" if name in RENAMED else name for name in names}


_CLEANER = nh3.Cleaner(
    tags=_renamed(TAGS),
    clean_content_tags=GONE_WITH_THEIR_TEXT,
    attributes={next(iter(_renamed([tag]))): names for tag, names in ATTRIBUTES.items()},
    attribute_filter=_filter_attribute,
    url_schemes={"http", "https", "mailto", "data"},
    filter_style_properties=STYLES,
    link_rel=None,
    set_tag_attribute_values={
        "x-a": {"rel": "noopener noreferrer"},
        "input": {"type": "checkbox", "disabled": ""},  # of a list of tasks
    },
)


def _as_text(text: str) -> str:
    return f"<pre>{html.escape(CONTROL.sub('', text), quote=False)}</pre>"


def _defuse_math(text: str) -> str:
    """MathJax commands that make links or name styles become their names. Done last: no tag can come of it."""
    return MATH_COMMAND.sub(r"\1", text)


# ------------------------------------------------------------------------------------------------------------- Markdown


def render_markdown(source: str, attachments: Mapping[str, Any] | None = None, room: Room | None = None) -> str:
    """The clean HTML of a Markdown text; the text itself where it cannot be rendered, or not in time.

    Args:
        source: the text; what is too long is cut.
        attachments: the cell's pictures by name.
        room: what is left of it for the notebook.
    """
    room = room or Room()
    source = _cut(source, max(0, min(MOST_TEXT, room.text)))
    room.text -= len(source)
    if len(FORMULA.findall(source)) <= MOST_FORMULAS:
        with suppress(Exception):  # not ours: it may stumble over anything
            renderer = _Renderer(escape=False, exclude_anchor_links=True, attachments=_Attachments(attachments or {}))
            cleaned = _clean(MarkdownWithMath(renderer=renderer).render(source), room)
            if cleaned is not None:
                return cleaned
    return _as_text(source)


class _Renderer(IPythonRenderer):  # type: ignore[misc]  # nbconvert is not typed
    def block_code(self, code: str, info: str | None = None) -> str:
        """Coloured as Python or not at all: other languages' colouring takes minutes where a text is made for it."""
        is_python = (info or "").split()[:1] in (["python"], ["py"], ["python3"])
        return str(super().block_code(code, "python" if is_python else None))


class _Attachments(dict[str, Any]):
    """A picture that is not there is an empty one; nbconvert breaks off at it."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> dict[str, str]:
        return {PICTURES[0]: ""}


def _as_block(cleaned: str) -> str:
    """HTML as Markdown that is rendered to it again: one block, which an empty line would end."""
    return BLANK_LINE.sub("&#10;", _in_a_box(cleaned))


def _in_a_box(cleaned: str) -> str:
    """Nothing of it is painted outside of its place, say upon the grader's own buttons; what is too wide scrolls."""
    return f'<div style="contain: paint; overflow: auto">{cleaned}</div>'


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n\n(cut here, it is too long to be shown)"


@pass_context
class CleanMarkdown(Configurable):  # type: ignore[misc]  # traitlets is not typed
    """nbconvert's filter `markdown2html` that cleans what it renders; set in `course_config.py`.

    Cells that `clean_notebook` has dealt with are safe as they are, and the lesson's own stay as they were written.
    """

    def __call__(self, context: Any, source: str) -> str:
        """The HTML of a cell, a comment or an output."""
        cell = context.get("cell", {})
        rendered = str(self.parent.markdown2html(context, source))
        if cell.get("source") == source and cell.get("metadata", {}).items() >= SAFE.items():
            return rendered
        return _in_a_box(clean_html(rendered))


# ------------------------------------------------------------------------------------------------------------- notebook

SAFE = {"stepgrade": {"is_safe_to_show": True}}  # in a Markdown cell's metadata, after `clean_notebook`
PLAIN = {"magics_language": "text"}  # in a cell's metadata: where nbconvert looks for the language to colour
NOTEBOOK_METADATA = ("kernelspec", "language_info", "celltoolbar")
CELL_METADATA = ("nbgrader", "collapsed", "deletable", "editable", "scrolled", "jupyter", "tags", "execution")


def clean_notebook(nb: Any, released: Collection[str] = ()) -> None:
    """Clean a whole notebook in place: cells, outputs, attachments and metadata.

    Args:
        nb: the notebook.
        released: texts of the lesson's own Markdown: a cell that still has one of them is the instructor's, and stays.
    """
    metadata = nb.get("metadata", {})
    nb["metadata"] = type(metadata)({key: _plain(metadata[key]) for key in NOTEBOOK_METADATA if key in metadata})
    room = Room()
    for cell in nb["cells"]:
        is_released = cell["source"] in released and "attachments" not in cell and "attachment:" not in cell["source"]
        clean_cell(cell, room, is_released)
    _leave_uncoloured(nb)


def clean_cell(cell: Any, room: Room | None = None, is_released: bool = False) -> None:
    """Clean one cell in place; the text of code cells stays as it is, for it is always shown as text."""
    room = room or Room()
    metadata = cell.get("metadata", {})
    cell["metadata"] = type(metadata)(
        {key: metadata[key] if key == "nbgrader" else _plain(metadata[key]) for key in CELL_METADATA if key in metadata}
    )
    if metadata.items() >= PLAIN.items():
        cell["metadata"] |= PLAIN
    kind = cell.get("cell_type")
    if kind == "markdown":
        cell["metadata"] |= SAFE
        if not is_released:
            attachments = _clean_attachments(cell.pop("attachments", {}))
            cell["source"] = _as_block(render_markdown(_text(cell["source"]), attachments, room))
    elif kind == "raw":
        cell.pop("attachments", None)
        cell["source"] = clean_html(_cut(_text(cell["source"]), MOST_TEXT), room)
    elif kind == "code" and "outputs" in cell:
        cell["outputs"] = [type(metadata)(output) for output in clean_outputs(cell["outputs"], room)]


def _leave_uncoloured(nb: Any) -> None:
    """Have code beyond what a page can colour in a second shown as plain text; the code itself stays as it is."""
    left = MOST_COLOURED
    for cell in nb["cells"]:
        if cell.get("cell_type") == "code":
            source = _text(cell["source"])
            num_pieces = sum(1 for _ in PIECE.finditer(source))
            if num_pieces > left or max(map(len, source.split("\n"))) > MOST_IN_LINE:
                cell["metadata"] |= PLAIN
            else:
                left -= num_pieces


# -------------------------------------------------------------------------------------------------------------- outputs


def clean_outputs(outputs: Iterable[Output], room: Room | None = None) -> list[Output]:
    """The same outputs without anything that could run.

    Returns:
        New outputs. Of several representations of one thing the harmless ones are kept; where none is, a line says so.
    """
    room = room or Room()
    return [_clean_output(output, room) for output in outputs]


def _clean_output(output: Output, room: Room) -> Output:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": clean_text(_text(output.get("text", "")))}
    if kind == "error":
        return {
            "output_type": "error",
            "ename": clean_text(_text(output.get("ename", ""))),
            "evalue": clean_text(_text(output.get("evalue", ""))),
            "traceback": [clean_text(_text(line)) for line in output.get("traceback", [])],
        }
    data = output.get("data")
    cleaned: Output = {
        "output_type": "execute_result" if kind == "execute_result" else "display_data",
        "data": _clean_data(data if isinstance(data, Mapping) else {}, room),
        "metadata": _display_metadata(output.get("metadata")),
    }
    if kind == "execute_result":
        count = output.get("execution_count")
        cleaned["execution_count"] = count if type(count) is int and 0 <= count < 1 << 31 else None
    return cleaned


def _clean_data(data: Mapping[str, Any], room: Room) -> dict[str, Any]:
    """A MIME bundle with its harmless representations."""
    cleaned: dict[str, Any] = {}
    for mime, value in data.items():
        kept = _clean_value(str(mime), _text(value), room) if isinstance(value, str | list) else None
        if kept is not None:
            cleaned.setdefault(*kept)
    if not cleaned and data:
        names = ", ".join(name if WORD.match(name.replace("/", ".")) else "?" for name in map(str, data))
        cleaned["text/plain"] = f"[not shown here: {names}]"
    return cleaned


def _clean_value(mime: str, text: str, room: Room) -> tuple[str, str] | None:
    if mime in PICTURES:
        return (mime, text) if BASE64.match(text) else None
    if mime == "image/svg+xml":  # in an <img> browsers run no script and load nothing
        data = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
        return "text/html", f'<img alt="drawing" src="data:image/svg+xml;base64,{data}">'
    if mime == "text/plain":
        return mime, clean_text(text)
    if mime == "text/html":
        cleaned = _clean(text, room)
        return (mime, _in_a_box(cleaned)) if cleaned is not None else None
    if mime == "text/latex":
        return mime, clean_latex(text)
    if mime == "text/markdown":
        return "text/html", _in_a_box(render_markdown(text, room=room))
    return None


def clean_latex(text: str) -> str:
    """A formula: `<` becomes `\\lt`, which looks the same and is no tag; commands that make links and styles go.

    `&` gets a blank behind it, which means the same in a formula and begins no entity.
    """
    return _defuse_math(re.sub(r"&(?=[#A-Za-z])", "& ", CONTROL.sub("", text)).replace("<", r"\lt "))


def clean_text(text: str) -> str:
    """Text for a page or a terminal: colours stay; moving the cursor, titles, links and control characters go."""
    parts = []
    place = 0
    for color in COLOR.finditer(text):
        parts += [without_escapes(text[place : color.start()]), color.group()]
        place = color.end()
    return "".join([*parts, without_escapes(text[place:])])


# ------------------------------------------------------------------------------------------------------------- the rest


def _display_metadata(metadata: Any) -> dict[str, Any]:
    """Sizes and backgrounds: templates write them into attributes."""
    if not isinstance(metadata, Mapping):
        return {}
    cleaned: dict[str, Any] = {}
    for key, value in metadata.items():
        if (key in ("width", "height") and type(value) in (int, float) and 0 <= value < MOST_PIXELS) or (
            key == "needs_background" and value in ("light", "dark")
        ):
            cleaned[key] = value
        elif key in PICTURES and isinstance(value, Mapping):
            cleaned[key] = _display_metadata(value)
    return cleaned


def _clean_attachments(attachments: Any) -> dict[str, Any]:
    """Pictures that Markdown shows by `attachment:name`."""
    if not isinstance(attachments, Mapping):
        return {}
    pictures = {
        str(name): {mime: _text(data[mime]) for mime in PICTURES if mime in data and BASE64.match(_text(data[mime]))}
        for name, data in attachments.items()
        if isinstance(data, Mapping)
    }
    return {name: data for name, data in pictures.items() if data}


def _plain(value: Any) -> Any:
    """Metadata of numbers and short words; templates write some of it into pages."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if WORD.match(str(key))}
    if isinstance(value, list):
        return [item for item in (_plain(item) for item in value[:100]) if item not in (None, "")]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if abs(value) < 1 << 53 else None  # not nan and not without end: JSON has no such numbers
    return value if isinstance(value, str) and WORD.match(value) else ""


def _text(value: Any) -> str:
    """nbformat has long texts as lists of lines."""
    return "".join(str(line) for line in value) if isinstance(value, list) else str(value)
